"""Words → pieces: what one instruction contributes to a function's text and dataflow.

A piece is made once per word, unless its text depends on the pc. Words that mean nothing become traps here, so that
nothing behind this file knows about missing semantics.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Callable

from recomp.a64 import Insn, decode
from recomp.errors import LiftError
from recomp.lift.module import Segment
from recomp.semantics import lift_insn
from recomp.semantics.branch import CONDITIONAL, displacement, taken
from recomp.semantics.builder import Builder

Lifter = Callable[[Insn, int], Builder | None]

#: Instructions that end a part: what the emitter handles itself.
BRANCHES = CONDITIONAL | {"B", "BL", "BR", "BLR", "RET"}
TRAPS = {"BRK": "RT_TRAP_BREAKPOINT", "HLT": "RT_TRAP_BREAKPOINT", "UDF": "RT_TRAP_UNDEFINED"}


class Piece:
    """`kind`: "" an ordinary instruction, "sync" one that calls the runtime, "branch" (`text` is its condition,
    or where it goes if not to `displacement`, in bytes), or "trap" (`text` is its kind). `reads`, `writes`: register
    masks as in `recomp.semantics.builder`. `views`: (is write, kind, n)."""

    __slots__ = ("insn", "kind", "text", "reads", "writes", "views", "displacement")

    def __init__(self, insn: Insn | None, kind: str, text: str = "") -> None:
        self.insn = insn
        self.kind = kind
        self.text = text
        self.reads = 0
        self.writes = 0
        self.views: tuple[tuple[bool, str, int], ...] = ()
        self.displacement = 0

    @classmethod
    def of(cls, builder: Builder) -> Piece:
        """The piece of an instruction's semantics."""
        piece = cls(builder.insn, "sync" if builder.sync else "", builder.text)
        piece.reads = builder.reads
        piece.writes = builder.writes
        if builder.views_read or builder.views_written:
            views = [(False, *view) for view in builder.views_read] + [(True, *view) for view in builder.views_written]
            piece.views = tuple(dict.fromkeys(views))
        return piece


@functools.lru_cache(maxsize=1 << 16)
def accesses_memory(text: str) -> bool:
    """Whether a piece's text names guest memory."""
    return re.search(r"\bM\b", text) is not None


def _branch(insn: Insn) -> Piece:
    piece = Piece(insn, "branch")
    if insn.name not in ("BR", "BLR", "RET"):
        piece.displacement = displacement(insn)
    if insn.name not in ("B", "BL"):
        builder = Builder(insn, 0)
        piece.text = taken(builder, insn) if insn.name in CONDITIONAL else builder.x(insn.rn)
        piece.reads = builder.reads
    return piece


class Code:
    """The guest's code bytes and the pieces of its words.

    `unsupported` collects known words without semantics; `sets_rounding`: some piece may change the rounding mode,
    or looks at the exception flags, which the compiler otherwise raises too often."""

    def __init__(self, segments: tuple[Segment, ...], data: dict[str, bytes], lifter: Lifter = lift_insn) -> None:
        self._areas = sorted(
            (s.base, s.base + s.init_size, data[s.init_path]) for s in segments if s.execute and s.init_size
        )
        self._lifter = lifter
        self._memo: dict[int, Piece] = {}
        self.unsupported: dict[int, str] = {}
        self.sets_rounding = False

    def words(self, pc: int, count: int) -> tuple[int, ...]:
        """`count` words at `pc`. Raises LiftError outside of the executable segments' bytes."""
        for start, end, data in self._areas:
            if start <= pc and pc + 4 * count <= end:
                return struct.unpack_from(f"<{count}I", data, pc - start)
        raise LiftError(
            f"module: block at {pc:#x}: {count} instructions, expected them inside an executable segment's bytes"
        )

    def pieces(self, words: tuple[int, ...], pc: int) -> list[Piece]:
        """The pieces of words that begin at `pc`."""
        known = map(self._memo.get, words)
        return [piece or self._new(words[n], pc + 4 * n) for n, piece in enumerate(known)]

    def _new(self, word: int, pc: int) -> Piece:
        piece, shared = self._make(word, pc)
        if shared:
            self._memo[word] = piece
        return piece

    def _make(self, word: int, pc: int) -> tuple[Piece, bool]:
        """A word's piece, and whether it is the same at any pc."""
        insn = decode(word)
        if insn is None:
            return Piece(None, "trap", "RT_TRAP_UNDEFINED"), True
        if insn.name in TRAPS:
            return Piece(insn, "trap", TRAPS[insn.name]), True
        if insn.name in BRANCHES:
            return _branch(insn), True
        builder = self._lifter(insn, pc)
        if builder is None:
            self.unsupported[word] = repr(insn)
            return Piece(insn, "trap", "RT_TRAP_UNSUPPORTED"), True
        piece = Piece.of(builder)
        self.sets_rounding |= "rt_set_fpcr" in piece.text or "rt_get_fpsr" in piece.text
        return piece, not builder.uses_pc
