"""Which registers are in C locals where: what each part loads from `*c` and stores to it.

A register is *dirty* where its local may be newer than `c`'s copy, and *held* where its local must have its value:
because a text reads it, or because it is dirty on some path to a store. Held registers are loaded at entries and
behind calls that may have written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recomp.emit.flow import Flow, Part
from recomp.emit.frames import KEPT
from recomp.emit.signature import Signature, called, own_signature
from recomp.emit.summary import SVC_READS, Summaries, callee_of, flags_read
from recomp.semantics.builder import ALL, SP

#: What a trap's report shows beside the pc.
TRAP_REPORT = 1 << 29 | 1 << 30 | 1 << SP


#: (index, uses, defines, successors) of a function's parts, in postorder.
_Table = list[tuple[int, int, int, tuple[int, ...]]]


@dataclass(slots=True, eq=False)
class Placement:
    """Register masks by part index. `stores`: before the part's end; `cold`: where a call returned to somewhere else;
    `loads`: behind the call; `held`: at the part's start; `values`: handed over at its end as C arguments or result;
    `results`: the C result of the call at its end."""

    stores: list[int]
    cold: list[int]
    loads: list[int]
    held: list[int]
    values: list[int]
    results: list[int]


def place(flow: Flow, s: Summaries, signatures: Mapping[int, Signature]) -> Placement:
    """`signatures`: of the functions that have one, by start."""
    parts = flow.parts
    start = flow.function.start
    own = own_signature(start, s, signatures)
    found = Placement(*([0] * len(parts) for _ in range(6)))
    wanted, written, gained = ([0] * len(parts) for _ in range(3))
    calls = {index: called(parts[index], s, signatures) for index in flow.ends}
    for index, call in calls.items():
        part = parts[index]
        wanted[index], written[index] = _effect(part, flow, s, own, call)
        # handed over as C values
        found.values[index] = own.result_mask if part.kind == "ret" else call.parameter_mask
        if part.kind == "call":
            found.results[index] = call.result_mask
            # Behind the call of a closed function `*c` has a callee's sp.
            gained[index] = call.result_mask | (1 << SP if s.uniform else 0)
    for index in flow.points:
        wanted[index] = flow.shown
    table = [(index, p.uses, p.defines, p.successors) for index, p in ((i, parts[i]) for i in flow.postorder)]
    dirty = [0] * len(parts)
    dirty[flow.start] = own.parameter_mask
    _soil(dirty, flow, table, [~(wanted[i] | written[i]) for i in range(len(parts))], gained)
    needed = [0] * len(parts)
    for index in calls:
        part = parts[index]
        at_end = dirty[index] | part.defines
        stored = found.stores[index] = at_end & wanted[index]
        if part.kind == "call" and not s.uniform:
            found.cold[index] = at_end & s.anywhere & ~stored
        needed[index] = stored | found.cold[index] | found.values[index]
    for index in flow.points:
        needed[index] = found.stores[index] = (dirty[index] | parts[index].defines) & flow.shown
    _hold(found.held, flow, table, needed, written)
    for index in calls:
        part = parts[index]
        if part.successors and part.kind in ("call", "sync"):
            found.loads[index] = found.held[part.successors[0]] & written[index] & ~found.results[index]
    return found


def _effect(part: Part, flow: Flow, s: Summaries, own: Signature, call: Signature) -> tuple[int, int]:
    """(registers to be in `c` before the part's end if they are dirty, registers that the end may write)."""
    start, kind = flow.function.start, part.kind
    private = s.private
    out = (s.live_out[start] | s.returned) & ~private
    if kind == "ret":
        return out & ~own.result_mask & ~(KEPT if private else 0), 0
    if kind == "trap":
        return TRAP_REPORT | flow.shown, 0
    after = s.live[start][part.successors[0]] & ALL & ~private if part.successors else 0
    if kind == "sync":
        return after | (SVC_READS | s.anywhere) & ~private, s.unknown_writes()
    known = callee_of(part)
    flags = flags_read(part, s)
    if kind in ("jump", "tail"):
        passed = s.entered | flags if known is None else s.reads[known]
        return (out | passed) & ~private & ~call.parameter_mask, 0
    if known is None:
        return (s.entered | flags | after) & ~private & ~call.parameter_mask, s.unknown_writes()
    writes = s.writes[known]
    resumed = 0 if s.uniform else s.anywhere
    return (s.reads[known] | writes & (after | resumed)) & ~private & ~call.parameter_mask, writes


def _soil(dirty: list[int], flow: Flow, table: _Table, kept: list[int], gained: list[int]) -> None:
    """Find the registers that may be dirty at the start of each part (forward). `kept`: those that a part's end leaves
    as dirty as they were, `gained`: those that are dirty behind it in any case."""
    heads = flow.heads
    changed = True
    while changed:
        changed = False
        for index, _, defines, successors in reversed(table):
            value = (dirty[index] | defines) & kept[index] | gained[index]
            for successor in successors:
                if value & ~dirty[successor]:
                    dirty[successor] |= value
                    changed = changed or successor in heads


def _hold(held: list[int], flow: Flow, table: _Table, needed: list[int], written: list[int]) -> None:
    """Find the registers whose locals have their value at the start of each part (backward). `needed`: at its end, and
    `written` by what its end calls."""
    heads = flow.heads
    changed = True
    while changed:
        changed = False
        for index, uses, defines, successors in table:
            value = 0
            for successor in successors:
                value |= held[successor]
            value = uses | (needed[index] | value & ~written[index]) & ~defines
            if value != held[index]:
                held[index] = value
                changed = changed or index in heads
