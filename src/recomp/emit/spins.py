"""Loops that only wait for memory to change.

A loop in which nothing is stored or called and no register carries over from one turn to the next goes the same way in
every turn, until another thread, or the system, writes what it reads. At the back edge of such a loop, and of no other,
the runtime may let others run: loops that get anywhere cost nothing.
"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from recomp.emit.code import Piece, accesses_memory

if TYPE_CHECKING:
    from recomp.emit.flow import Part

#: The longest loop that is looked at, in parts.
MOST_PARTS = 12
#: Instructions that may write memory and still belong to waiting: who takes a lock stores in every turn.
ATOMICS = frozenset("CAS CASP SWP STXR STXP STLXR STLXP LDADD LDCLR LDEOR LDSET LDSMAX LDSMIN LDUMAX LDUMIN".split())


def add_spins(parts: list[Part], entered: Set[int]) -> None:
    """Append a part of kind `spin` for the beginning of each such loop, and lead its back edges through it. `entered`:
    parts where control enters the function."""
    back = [
        (index, successor)
        for index, part in enumerate(parts)
        if part.kind in ("goto", "cond")
        for successor in part.successors
        if parts[successor].pc <= part.pc and _is_quiet(parts[successor]) and _is_quiet(part)
    ]
    if not back:
        return
    before: dict[int, list[int]] = {}
    for index, part in enumerate(parts):
        for successor in part.successors:
            before.setdefault(successor, []).append(index)
    found = {}
    for end, head in back:
        body = _body(parts, before, entered, end, head)
        if body is not None and not _carries(parts, body, head):
            found[end, head] = any(_is_atomic(piece) for index in body for piece in parts[index].pieces)
    spins: dict[tuple[int, bool], int] = {}
    for (end, head), writes in found.items():
        if (head, writes) not in spins:
            spins[head, writes] = len(parts)
            parts.append(_spin(parts, head, writes))
        spin = spins[head, writes]
        parts[end].successors = tuple(spin if s == head else s for s in parts[end].successors)


def _spin(parts: list[Part], head: int, writes: bool) -> Part:
    pc = parts[head].pc
    part = type(parts[head])(pc, False, kind="spin", site=pc)
    part.expr = f"rt_spin(c, UINT64_C({pc:#x}), {int(writes)});"
    part.successors = (head,)
    return part


def _body(parts: list[Part], before: dict[int, list[int]], entered: Set[int], end: int, head: int) -> set[int] | None:
    """The parts on ways from `head` to `end`; None: some do more than wait, they are too many, or this is no loop with
    one beginning: a branch backwards alone makes none."""
    body = {head, end}
    pending = [end] if end != head else []
    while pending:
        index = pending.pop()
        if index in entered or not before.get(index):
            return None
        for earlier in before[index]:
            if earlier in body:
                continue
            if len(body) == MOST_PARTS or not _is_quiet(parts[earlier]):
                return None
            body.add(earlier)
            pending.append(earlier)
    return body


def _carries(parts: list[Part], body: set[int], head: int) -> bool:
    """Whether some register is read in a turn before the turn has written it, and written in it."""
    defines = 0
    for index in body:
        defines |= parts[index].defines
    reads = dict.fromkeys(body, 0)
    changed = True
    while changed:
        changed = False
        for index in body:
            part = parts[index]
            value = 0
            for successor in part.successors:
                if successor != head:
                    value |= reads.get(successor, 0)
            value = part.uses | value & ~part.defines
            if value != reads[index]:
                reads[index] = value
                changed = True
    return bool(reads[head] & defines)


def _is_quiet(part: Part) -> bool:
    return part.kind in ("goto", "cond", "point") and all(map(_only_reads, part.pieces))


def _only_reads(piece: Piece) -> bool:
    name = piece.insn.name if piece.insn else ""
    return not accesses_memory(piece.text) or name.startswith("LD") or name in ATOMICS


def _is_atomic(piece: Piece) -> bool:
    return piece.insn is not None and piece.insn.name in ATOMICS
