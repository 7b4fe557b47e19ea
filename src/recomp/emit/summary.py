"""What a whole program's functions read and write, found by backward dataflow over all of them at once.

Nothing is assumed about the guest's calling convention. Per function, as register masks:

- `reads`: what it, or what it calls, may read before writing;
- `writes`: what it, or what it calls, may write;
- `live_out`: what some caller may read after it returned.

And once per program, `anywhere`: what code entered from an unknown place may read (behind an indirect call, at an
entry inside a function, at a function's start). Masks only grow, so that the order of visits changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from recomp.emit.flow import Flow
from recomp.emit.frames import KEPT
from recomp.semantics.builder import ALL, SP

#: What a supervisor call reads: x0..x8 and the stack pointer.
SVC_READS = (1 << 9) - 1 | 1 << SP
#: Two masks in one integer, so that one pass serves both: liveness in the low half, `reads` in the high half.
_HALF = ALL.bit_length()
_BOTH = 1 << _HALF | 1


@dataclass(slots=True)
class Summaries:
    reads: dict[int, int]
    writes: dict[int, int]
    live_out: dict[int, int]
    anywhere: int = 0
    #: registers that every function of the program keeps for its caller, if `recomp.emit.frames` proved it; and those
    #: of them that are never in `*c`: all but sp
    private: int = 0
    kept: int = 0
    #: function → liveness at the start of each of its parts
    live: dict[int, list[int]] = field(default_factory=dict)


def summarise(flows: Mapping[int, Flow], exact: bool = False) -> Summaries:
    """Summaries of all functions, by start. `exact`: assume that every register is read everywhere outside."""
    everything = ALL if exact else 0
    balanced = any(flow.balanced for flow in flows.values())
    kept = KEPT if balanced else 0
    writes = {pc: mask & ~kept for pc, mask in _writes(flows).items()}
    s = Summaries({pc: 0 for pc in flows}, writes, {pc: everything for pc in flows}, everything)
    s.kept, s.private = kept, kept & ~(1 << SP)
    callers = _callers(flows)
    solvers = {pc: _Liveness(flow) for pc, flow in flows.items()}
    pending = set(flows)
    while pending:
        batch = sorted(pending, reverse=True)
        pending = set()
        before = s.anywhere
        for pc in batch:
            _visit(flows[pc], solvers[pc], s, callers, pending)
        if s.anywhere != before:
            pending = set(flows)
    return s


def direct_reads(flows: Mapping[int, Flow]) -> dict[int, int]:
    """What functions, and what they call directly, may read before writing: `reads` without what indirect calls add."""
    s = Summaries({pc: 0 for pc in flows}, {}, {pc: 0 for pc in flows})
    solvers = {pc: _Liveness(flow) for pc, flow in flows.items()}
    callers = _callers(flows)
    pending = set(flows)
    while pending:
        batch = sorted(pending, reverse=True)
        pending = set()
        for pc in batch:
            reads = solvers[pc].solve(s)[flows[pc].start] & ALL
            if reads != s.reads[pc]:
                s.reads[pc] = reads
                pending |= callers[pc]
    return s.reads


def _visit(flow: Flow, solver: _Liveness, s: Summaries, callers: Mapping[int, set[int]], pending: set[int]) -> None:
    """Bring one function up to date; whoever depends on what changed becomes pending."""
    pc = flow.function.start
    live = s.live[pc] = solver.solve(s)
    at_start = live[flow.start]
    reads = at_start >> _HALF & ~s.private
    if reads & ~s.reads[pc]:
        s.reads[pc] |= reads
        s.anywhere |= reads
        pending |= callers[pc]
    for index in flow.entries.values():
        s.anywhere |= live[index] & ALL & ~s.private
    out = s.live_out[pc] | s.anywhere
    for part in flow.parts:
        if part.kind == "call":
            after = live[part.successors[0]] & ALL if part.successors else 0
        elif part.kind == "tail":
            after = out
        elif part.kind == "jump":
            s.anywhere |= s.live_out[pc]
            continue
        else:
            continue
        after &= ~s.private
        if part.callee is None or part.resume:
            s.anywhere |= after
        elif after & ~s.live_out[part.callee]:
            s.live_out[part.callee] |= after
            pending.add(part.callee)


class _Liveness:
    """Backward dataflow over one function, again and again as what is known about the others grows."""

    def __init__(self, flow: Flow) -> None:
        self.start = flow.function.start
        #: parts whose end needs something by itself: (index, kind, callee if its summary counts)
        self.ends = [
            (index, part.kind, None if part.resume else part.callee)
            for index, part in enumerate(flow.parts)
            if part.kind in ("call", "tail", "jump", "ret", "sync")
        ]
        self.table = [
            (index, part.uses * _BOTH, ~(part.defines * _BOTH), part.successors)
            for index, part in ((index, flow.parts[index]) for index in flow.postorder)
        ]
        self.gains = [flow.shown * _BOTH if part.kind in ("point", "trap") else 0 for part in flow.parts]
        self.live: list[int] = []

    def solve(self, s: Summaries) -> list[int]:
        """Both masks at the start of each part."""
        gains = list(self.gains)
        out = s.live_out[self.start] | s.anywhere
        anywhere = s.anywhere * _BOTH
        for index, kind, callee in self.ends:
            if kind == "ret":
                gains[index] = out
            elif kind == "sync":
                gains[index] = SVC_READS * _BOTH
            else:
                gain = anywhere if callee is None else s.reads[callee] * _BOTH
                gains[index] = gain if kind == "call" else gain | out
        if gains != self.gains or not self.live:
            self.gains = gains
            self._iterate()
        return self.live

    def _iterate(self) -> None:
        """To the fixed point. Masks only grow, so the last solution is where to begin."""
        gains = self.gains
        live = self.live = self.live or [0] * len(gains)
        changed = True
        while changed:
            changed = False
            for index, uses, keeps, successors in self.table:
                value = gains[index]
                for successor in successors:
                    value |= live[successor]
                value = uses | value & keeps
                if value != live[index]:
                    live[index] = value
                    changed = True


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
