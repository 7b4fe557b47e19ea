"""A function as parts: straight runs of pieces, each ended by the one thing that decides where control goes next.

A part ends where a block ends, and inside a block where the runtime is called (`svc`). Edges that leave the function
get a part of their own, so that every successor is a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from recomp.emit.code import Code, Piece, accesses_memory
from recomp.emit.spins import add_spins
from recomp.errors import LiftError
from recomp.lift.module import Block, Function
from recomp.semantics.branch import CONDITIONAL
from recomp.semantics.builder import ALL, SP

#: How a part ends. `sync` calls the runtime and goes on; `point` comes before an access that may fault (`site`);
#: `spin` lets others run in a loop that waits for them (`recomp.emit.spins`); `switch`, `jump` and `ret` go to the
#: guest address `expr`: to one of the successors; to one of them or anywhere; out of the function.
KINDS = ("goto", "cond", "call", "switch", "tail", "jump", "ret", "trap", "sync", "point", "spin")
X8, X30 = 1 << 8, 1 << 30
SVC, SVC_MASK = 0xD4000001, 0xFFE0001F
#: Numbers of supervisor calls: clone and clone3; exit, exit_group and rt_sigreturn, which do not come back.
CLONE_CALLS, EXIT_CALLS = (220, 435), (93, 94, 139)
#: What a handler of faults sees exact (`Module.faults`): nothing; what Go's runtime needs to make a panic of a fault
#: (x28: its thread, x29, x30, sp); every register.
SHOWN = {"": 0, "frame": 1 << 28 | 1 << 29 | 1 << 30 | 1 << SP, "all": ALL}
#: Where a function begins that is left out on purpose.
LEFT_OUT = Piece(None, "trap", "RT_TRAP_LEFT_OUT")


@dataclass(slots=True, eq=False)
class Part:
    """`pc`: guest address of the first piece; `labelled`: a block starts here. `uses`: read before written, `defines`:
    written, both with what the end itself reads and writes (`end_uses`, `end_defines`). `callee`: start of the function
    that a direct call or tail call goes to, `resume`: where in it, if not there; `site`, `word`: what ends the part.
    `successors` index `Flow.parts`."""

    pc: int
    labelled: bool
    pieces: list[Piece] = field(default_factory=list)
    kind: str = "goto"
    uses: int = 0
    defines: int = 0
    end_uses: int = 0
    end_defines: int = 0
    successors: tuple[int, ...] = ()
    callee: int | None = None
    resume: int = 0
    expr: str = ""
    site: int = 0
    word: int = 0

    def fill(self, pieces: list[Piece]) -> None:
        """Give it these pieces, and the masks that follow from them and from its end."""
        uses = defines = 0
        for piece in pieces:
            uses |= piece.reads & ~defines
            defines |= piece.writes
        self.pieces = pieces
        self.uses = uses | self.end_uses & ~defines
        self.defines = defines | self.end_defines


@dataclass(slots=True, eq=False)
class Flow:
    """`entries`: guest address → part where control may enter besides the start; `threads`: those of them where only
    new threads begin, which have nobody to return to; `balanced`: it is closed (`recomp.emit.frames`), and its words
    that save and restore registers are gone."""

    function: Function
    parts: list[Part]
    start: int
    entries: dict[int, int]
    insns: int
    threads: frozenset[int] = frozenset()
    balanced: bool = False
    #: registers that are exact in `*c` wherever an access may fault, where `points` mark them
    shown: int = 0
    #: parts whose end does more than to go to another part, and those that end in a point
    ends: list[int] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    #: part indices, successors mostly first, for backward dataflow
    postorder: list[int] = field(default_factory=list)
    #: the parts that come behind a predecessor in this order, or are their own: what reaches them goes round again
    heads: frozenset[int] = frozenset()


def entry_map(functions: Iterable[Function]) -> dict[int, int]:
    """Every guest address where a function may be entered → the function's start."""
    result: dict[int, int] = {}
    for function in functions:
        known = {block.start for block in function.blocks}
        result.update((pc, function.start) for pc in function.entries if pc in known)
    result.update((function.start, function.start) for function in functions)
    return result


def build_flow(function: Function, code: Code, entry_of: Mapping[int, int], shown: int = 0) -> Flow:
    """`entry_of`: the program's `entry_map`; `shown`: see Flow. Raises LiftError for blocks that cannot be."""
    return _Builder(function, code, entry_of, shown).build()


class _Builder:
    def __init__(self, function: Function, code: Code, entry_of: Mapping[int, int], shown: int) -> None:
        self.function = function
        self.shown = shown
        self.code = code
        self.entry_of = entry_of
        self.parts: list[Part] = []
        self.at: dict[int, int] = {}  # block start → part
        self.exits: dict[int, int] = {}  # guest address outside → its part

    def build(self) -> Flow:
        blocks = self.function.blocks
        ends: list[tuple[Block, int, Piece | None]] = []
        for block in blocks:
            if block.start in self.at:
                raise LiftError(f"module: function {self.function.name!r}: two blocks start at {block.start:#x}")
            if block.insns <= 0:
                raise LiftError(f"module: block at {block.start:#x}: {block.insns} instructions, expected one or more")
            ends += self._scan(block)
        for block, index, piece in ends:
            self._end(block, index, piece)
        if self.function.start not in self.at:
            raise LiftError(f"module: function {self.function.name!r}: no block at its start {self.function.start:#x}")
        entries = {pc: self.at[pc] for pc in self.function.entries if pc in self.at and pc != self.function.start}
        threads = self._thread_entries()
        entries |= threads
        add_spins(self.parts, {self.at[self.function.start], *entries.values()})
        flow = Flow(self.function, self.parts, self.at[self.function.start], entries, sum(b.insns for b in blocks))
        flow.threads = frozenset(threads)
        flow.shown = self.shown
        inner = ("goto", "cond", "switch", "point", "spin")
        flow.ends = [index for index, part in enumerate(self.parts) if part.kind not in inner]
        if self.shown:
            flow.points = [index for index, part in enumerate(self.parts) if part.kind == "point"]
        flow.postorder = _postorder(flow)
        flow.heads = _heads(flow)
        return flow

    def _thread_entries(self) -> dict[int, int]:
        """Where a new thread begins: behind the supervisor call that makes it."""
        makers = [index for index, part in enumerate(self.parts) if part.kind == "sync" and _calls(part, CLONE_CALLS)]
        return {self.parts[index].site + 4: self.parts[index].successors[0] for index in makers}

    def _scan(self, block: Block) -> list[tuple[Block, int, Piece | None]]:
        """Cut a block into parts; the result names what ends each part that needs successors."""
        words = self.code.words(block.start, block.insns)
        part = self._part(block.start, True)
        self.at[block.start] = len(self.parts) - 1
        if block.terminator == "left_out":
            part.site, part.word = block.start, words[0]
            return [(block, len(self.parts) - 1, LEFT_OUT)]
        ends: list[tuple[Block, int, Piece | None]] = []
        pieces = self.code.pieces(words, block.start)
        first = 0
        for n, piece in enumerate(pieces):
            pc = block.start + 4 * n
            if piece.kind:
                part.fill(pieces[first:n])
                part.site, part.word = pc, words[n]
                ends.append((block, len(self.parts) - 1, piece))
                if piece.kind == "trap" or n + 1 == len(pieces):
                    return ends
                part, first = self._part(pc + 4, False), n + 1
            elif self.shown and accesses_memory(piece.text):
                part.fill(pieces[first:n])
                part.site, part.kind, part.successors = pc, "point", (len(self.parts),)
                part, first = self._part(pc, False), n
        part.fill(pieces[first:])
        part.site = pc
        ends.append((block, len(self.parts) - 1, None))
        return ends

    def _part(self, pc: int, labelled: bool) -> Part:
        part = Part(pc, labelled)
        self.parts.append(part)
        return part

    def _go(self, pc: int) -> int:
        """The part for a guest address: a block's or an exit."""
        if pc in self.at:
            return self.at[pc]
        if pc not in self.exits:
            self.exits[pc] = len(self.parts)
            part = Part(pc, False, kind="jump", expr=f"UINT64_C({pc:#x})", site=pc)
            if pc in self.entry_of:
                part.kind, part.callee = "tail", self.entry_of[pc]
                part.resume = pc if part.callee != pc else 0
            self.parts.append(part)
        return self.exits[pc]

    def _next(self, pc: int, index: int) -> int:
        """The part at `pc` behind part `index`: the rest of its block, or wherever `pc` is."""
        following = index + 1
        if following < len(self.parts) and self.parts[following].pc == pc and not self.parts[following].labelled:
            return following
        return self._go(pc)

    def _end(self, block: Block, index: int, piece: Piece | None) -> None:
        part = self.parts[index]
        following = part.site + 4
        if piece is None:
            part.successors = (self._go(following),)
        elif piece.kind == "trap":
            part.kind, part.expr = "trap", piece.text
        elif piece.kind == "sync":
            part.kind, part.expr = "sync", piece.text
            part.successors = () if _calls(part, EXIT_CALLS) else (self._next(following, index),)
        else:
            self._end_branch(block, index, piece)

    def _end_branch(self, block: Block, index: int, piece: Piece) -> None:
        part = self.parts[index]
        following = part.site + 4
        target = part.site + piece.displacement & 0xFFFFFFFFFFFFFFFF
        last = part.site == block.start + 4 * (block.insns - 1)
        assert piece.insn is not None
        name = piece.insn.name
        if name == "B":
            part.successors = (self._go(target),)
        elif name in CONDITIONAL:
            part.kind, part.expr = "cond", piece.text
            part.successors = (self._go(target), self._next(following, index))
        elif name in ("BL", "BLR"):
            part.kind, part.expr = "call", piece.text
            if name == "BL":
                part.expr = f"UINT64_C({target:#x})"
                part.callee = self.entry_of.get(target)
                part.resume = target if part.callee not in (None, target) else 0
            part.end_defines = X30
            if block.successors or not last:
                part.successors = (self._next(following, index),)
        elif name == "RET":
            part.kind, part.expr = "ret", piece.text
        else:
            part.kind, part.expr = "jump", piece.text
            if block.terminator == "jump_table" and last:
                part.kind = "switch"
                part.successors = tuple(dict.fromkeys(self._go(pc) for pc in block.successors))
            entries = [self.at[pc] for pc in sorted(self.function.entries) if pc in self.at]
            part.successors = tuple(dict.fromkeys((*part.successors, *entries)))
        part.end_uses = piece.reads
        part.uses |= part.end_uses & ~part.defines
        part.defines |= part.end_defines


def _calls(part: Part, numbers: tuple[int, ...]) -> bool:
    """The supervisor call at the end of a part is one of these: its number was put into x8 just before."""
    if part.word & SVC_MASK != SVC:
        return False
    for piece in reversed(part.pieces):
        if piece.writes & X8:
            insn = piece.insn
            return insn is not None and insn.name == "MOVZ" and insn.imm16 in numbers
    return False


def _postorder(flow: Flow) -> list[int]:
    """Depth-first postorder from the start and the entries; unreachable parts come last."""
    parts = flow.parts
    seen = bytearray(len(parts))
    order: list[int] = []
    for root in (flow.start, *flow.entries.values(), *range(len(parts))):
        stack = [] if seen[root] else [root]
        while stack:
            node = stack[-1]
            if not seen[node]:
                seen[node] = 1
                stack += [successor for successor in parts[node].successors if not seen[successor]]
                continue
            stack.pop()
            if seen[node] == 1:
                seen[node] = 2
                order.append(node)
    return order


def _heads(flow: Flow) -> frozenset[int]:
    seen = bytearray(len(flow.parts))
    heads = set()
    for index in flow.postorder:
        for successor in flow.parts[index].successors:
            if not seen[successor]:
                heads.add(successor)
        seen[index] = 1
    return frozenset(heads)
