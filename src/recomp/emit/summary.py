"""What a whole program's functions read and write, found by backward dataflow over all of them at once.

Nothing is assumed about the guest's calling convention. Per function, as register masks:

- `reads`: what it, or what it calls, may read before writing;
- `writes`: what it, or what it calls, may write;
- `live_out`: what some caller may read after it returned.

And once per program: `entered`, what code that control enters from an unknown place may read (a function that some
pointer may lead to, an entry inside a function), and `returned`, what code that control returns to from an unknown
function may read. Where functions are known to return to their callers these differ; elsewhere each is both. Flags
count as read only where a branch leads to an entry, from the function that branches: none pass through a call to an
unknown place. Masks only grow, so that the order of visits changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from recomp.emit.flow import Flow, Part
from recomp.emit.frames import KEPT
from recomp.semantics.builder import ALL, FLAGS, SP

#: What a supervisor call reads: x0..x8 and the stack pointer.
SVC_READS = (1 << 9) - 1 | 1 << SP
X30 = 1 << 30
#: Two masks in one integer, so that one pass serves both: liveness in the low half, `reads` in the high half.
_HALF = ALL.bit_length()
_BOTH = 1 << _HALF | 1


@dataclass(slots=True)
class Summaries:
    """`uniform`: all functions always return where they were called from, with their caller's registers kept
    (`recomp.emit.frames`). `flags_entered`: flags live at entries inside functions
    that plain branches lead to, `flags_jumped`: at others.
    `noreturn`: functions that never return, as far as their code shows."""

    reads: dict[int, int]
    writes: dict[int, int]
    live_out: dict[int, int]
    entered: int = 0
    returned: int = 0
    flags_entered: int = 0
    flags_jumped: int = 0
    uniform: bool = False
    noreturn: frozenset[int] = frozenset()
    #: function → liveness at the start of each of its parts
    live: dict[int, list[int]] = field(default_factory=dict)

    @property
    def anywhere(self) -> int:
        return self.entered | self.returned

    @property
    def private(self) -> int:
        """Registers that are never in `*c`."""
        return KEPT & ~(1 << SP) if self.uniform else 0

    def unknown_writes(self) -> int:
        """What a call through a pointer, or of the runtime, may write."""
        return ALL & ~KEPT if self.uniform else ALL

    def enter(self, mask: int) -> None:
        self.entered |= mask
        if not self.uniform:
            self.returned |= mask

    def come_back(self, mask: int) -> None:
        self.returned |= mask
        if not self.uniform:
            self.entered |= mask


def callee_of(part: Part) -> int | None:
    """The function whose start a direct call or tail call goes to."""
    return None if part.resume else part.callee


def summarise(flows: Mapping[int, Flow], exact: bool = False) -> Summaries:
    """Summaries of all functions, by start. `exact`: assume that every register is read everywhere outside."""
    everything = ALL if exact else 0
    uniform = len(flows) > 0 and all(flow.balanced for flow in flows.values())
    writes = {pc: mask & ~KEPT if uniform else mask for pc, mask in _writes(flows).items()}
    s = Summaries({pc: 0 for pc in flows}, writes, {pc: everything for pc in flows}, everything, everything)
    s.uniform = uniform
    s.noreturn = frozenset(pc for pc, flow in flows.items() if flow.function.noreturn)
    s.flags_entered = s.flags_jumped = everything & FLAGS
    branched_to = frozenset(part.resume for flow in flows.values() for part in flow.parts if part.resume)
    if not s.uniform:
        s.enter(1 << SP | X30)  # the runtime compares them (rt_enter_slow, rt_unwind)
    # Each function reads what its first part does: `entered` begins with nearly all that it will ever be.
    for flow in flows.values():
        s.enter(flow.parts[flow.start].uses & ~s.private & ~FLAGS)
    callers = _callers(flows)
    solvers = {pc: _Liveness(flow) for pc, flow in flows.items()}
    rank = _callees_first(flows)
    pending = set(flows)
    up = False
    while pending:
        # What is read goes up to callers, what is read behind calls goes down: there and back again.
        up = not up
        batch = sorted(pending, key=rank.__getitem__, reverse=not up)
        before = s.entered, s.returned, s.flags_entered, s.flags_jumped
        for pc in batch:
            pending.discard(pc)
            _visit(flows[pc], solvers[pc], s, callers, pending)
            _enter_inside(flows[pc], s, branched_to)
        if (s.entered, s.returned, s.flags_entered, s.flags_jumped) != before:
            pending = set(flows)
    return s


def direct_reads(flows: Mapping[int, Flow]) -> dict[int, int]:
    """What functions, and what they call directly, may read before writing: `reads` without what indirect calls add."""
    s = Summaries({pc: 0 for pc in flows}, {}, {pc: 0 for pc in flows})
    solvers = {pc: _Liveness(flow) for pc, flow in flows.items()}
    callers = _callers(flows)
    rank = _callees_first(flows)
    pending = set(flows)
    while pending:
        for pc in sorted(pending, key=rank.__getitem__):
            pending.discard(pc)
            reads = solvers[pc].solve(s)[flows[pc].start] & ALL
            if reads != s.reads[pc]:
                s.reads[pc] = reads
                pending |= callers[pc]
    return s.reads


def _visit(flow: Flow, solver: _Liveness, s: Summaries, callers: Mapping[int, set[int]], pending: set[int]) -> None:
    """Bring one function up to date; whoever depends on what changed becomes pending."""
    pc = flow.function.start
    live = s.live[pc] = solver.solve(s)
    private = s.private
    reads = live[flow.start] >> _HALF & ~private
    if reads & ~s.reads[pc]:
        s.reads[pc] |= reads
        pending |= callers[pc]
        s.enter(reads & ~FLAGS)
    out = s.live_out[pc] | s.returned
    for _, part, kind, callee in solver.ends:
        if kind == "call":
            after = live[part.successors[0]] & ALL if part.successors else 0
        elif kind == "tail":
            after = out
        elif kind == "jump":
            s.come_back(s.live_out[pc])
            continue
        else:
            continue
        if callee is None:
            s.come_back(after & ~s.private)
        elif after & ~s.live_out[callee]:
            new = after & ~s.live_out[callee] & ~s.private
            s.live_out[callee] |= new
            if new & ~s.returned:
                pending.add(callee)


def _enter_inside(flow: Flow, s: Summaries, branched_to: frozenset[int]) -> None:
    """What is live where control may enter a function inside."""
    for pc, index in flow.entries.items():
        live = s.live[flow.function.start][index] & ALL & ~s.private
        s.enter(live & ~FLAGS)
        if pc in branched_to:
            s.flags_entered |= live & FLAGS
        else:
            s.flags_jumped |= live & FLAGS


def flags_read(part: Part, s: Summaries) -> int:
    """Flags that may be read where a branch out of the function at a part's end leads to."""
    return s.flags_entered if part.resume else s.flags_jumped if part.kind == "jump" else 0


class _Liveness:
    """Backward dataflow over one function, again and again as what is known about the others grows."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.start = flow.function.start
        #: parts whose end needs something by itself: (index, part, kind, callee if its summary counts)
        self.ends = [
            (index, part, part.kind, callee_of(part))
            for index, part in ((index, flow.parts[index]) for index in flow.ends)
            if part.kind != "trap"
        ]
        self.keeps = [~(part.defines * _BOTH) for part in flow.parts]
        self.preds: list[list[int]] = [[] for _ in flow.parts]
        for index, part in enumerate(flow.parts):
            for successor in part.successors:
                self.preds[successor].append(index)
        self.gains = [flow.shown * _BOTH if part.kind in ("point", "trap") else 0 for part in flow.parts]
        self.live: list[int] = []

    def solve(self, s: Summaries) -> list[int]:
        """Both masks at the start of each part. They only grow."""
        gains = self.gains
        grown: list[tuple[int, int]] = []
        out = s.live_out[self.start] | s.returned
        for index, part, kind, callee in self.ends:
            if kind == "ret":
                gain = out
            elif kind == "sync":
                gain = SVC_READS * _BOTH
            else:
                gain = (s.entered if callee is None else s.reads[callee]) * _BOTH
                # A jump takes along what its own function has set (`placement`); a direct branch other flags, too.
                gain |= s.flags_entered * _BOTH if part.resume else 0
                gain = gain if kind == "call" else gain | out
            if gain != gains[index]:
                grown.append((index, gain & ~gains[index]))
                gains[index] = gain
        if not self.live:
            self._iterate()
        else:
            self._spread(grown)
        return self.live

    def _iterate(self) -> None:
        """To the fixed point, from nothing."""
        parts, gains, keeps, heads = self.flow.parts, self.gains, self.keeps, self.flow.heads
        live = self.live = [0] * len(parts)
        changed = True
        while changed:
            changed = False
            for index in self.flow.postorder:
                part = parts[index]
                value = gains[index]
                for successor in part.successors:
                    value |= live[successor]
                value = part.uses * _BOTH | value & keeps[index]
                if value != live[index]:
                    live[index] = value
                    changed = changed or index in heads

    def _spread(self, grown: list[tuple[int, int]]) -> None:
        """To the fixed point, from the last one: `grown` has (part, what is live at its end as well)."""
        live, keeps, preds = self.live, self.keeps, self.preds
        for index, new in grown:
            new &= keeps[index] & ~live[index]
            if new:
                live[index] |= new
                for pred in preds[index]:
                    grown.append((pred, new))


def _callees_first(flows: Mapping[int, Flow]) -> dict[int, int]:
    """Each function's place in an order in which callees come before their callers, as far as that goes."""
    rank: dict[int, int] = {}
    seen: set[int] = set()
    for root in flows:
        stack = [root]
        while stack:
            pc = stack[-1]
            if pc not in seen:
                seen.add(pc)
                callees = [flows[pc].parts[index].callee for index in flows[pc].ends]
                stack += [callee for callee in callees if callee is not None and callee not in seen]
            else:
                stack.pop()
                rank.setdefault(pc, len(rank))
    return rank


def _callers(flows: Mapping[int, Flow]) -> Mapping[int, set[int]]:
    callers: dict[int, set[int]] = defaultdict(set)
    for pc, flow in flows.items():
        for part in flow.parts:
            if part.callee is not None:
                callers[part.callee].add(pc)
    return callers


def _writes(flows: Mapping[int, Flow]) -> dict[int, int]:
    """May-write masks: own writes, then those of callees until nothing changes."""
    writes: dict[int, int] = {}
    for pc, flow in flows.items():
        mask = 0
        for part in flow.parts:
            mask |= part.defines
        for part in (flow.parts[index] for index in flow.ends):
            if part.kind in ("jump", "sync") or part.resume or part.kind == "call" and part.callee is None:
                mask = ALL
        writes[pc] = mask
    callers = _callers(flows)
    pending = set(flows)
    while pending:
        callee = pending.pop()
        for caller in callers[callee]:
            if writes[callee] & ~writes[caller]:
                writes[caller] |= writes[callee]
                pending.add(caller)
    return writes
