"""Which registers are in C locals where: what each part loads from `*c` and stores to it.

A register is *dirty* where its local may be newer than `c`'s copy, and *held* where its local must have its value:
because a text reads it, or because it is dirty on some path to a store. Held registers are loaded at entries and
behind calls that may have written them.
"""

from __future__ import annotations

from dataclasses import dataclass

from recomp.emit.flow import Flow, Part
from recomp.emit.summary import SVC_READS, Summaries
from recomp.semantics.builder import ALL, SP

#: What a trap's report shows beside the pc.
TRAP_REPORT = 1 << 29 | 1 << 30 | 1 << SP


@dataclass(slots=True, eq=False)
class Placement:
    """Register masks by part index. `stores`: before the part's end; `cold`: where a call returned to somewhere else;
    `loads`: behind the call; `held`: at the part's start."""

    stores: list[int]
    cold: list[int]
    loads: list[int]
    held: list[int]


def place(flow: Flow, s: Summaries) -> Placement:
    parts = flow.parts
    live = [mask & ALL for mask in s.live[flow.function.start]]
    effects = [_effect(part, live, flow, s) for part in parts]
    dirty = _dirty(flow, effects, 1 << SP & s.kept)
    stores: list[int] = []
    cold: list[int] = []
    for index, part in enumerate(parts):
        at_end = dirty[index] | part.defines
        stored = at_end & effects[index][0]
        stores.append(stored)
        cold.append(at_end & s.anywhere & ~stored if part.kind == "call" and not s.kept else 0)
    held = _held(flow, stores, cold, effects)
    loads = [
        held[part.successors[0]] & effect[1] if part.successors and part.kind in ("call", "sync") else 0
        for part, effect in zip(parts, effects, strict=True)
    ]
    return Placement(stores, cold, loads, held)


def _effect(part: Part, live: list[int], flow: Flow, s: Summaries) -> tuple[int, int]:
    """(registers to be in `c` before the part's end if they are dirty, registers that the end may write in `c`)."""
    out = s.live_out[flow.function.start] | s.anywhere
    kind = part.kind
    if kind in ("goto", "cond", "switch"):
        return 0, 0
    if kind == "ret":
        return out & ~s.kept, 0
    if kind == "trap":
        return TRAP_REPORT, 0
    after = live[part.successors[0]] if part.successors else 0
    if kind == "sync":
        return (after | SVC_READS | s.anywhere) & ~s.private, ALL & ~s.kept
    known = part.callee is not None and not part.resume
    if kind in ("jump", "tail"):
        return (out | s.anywhere | (s.reads[part.callee] if known else 0)) & ~(s.kept & ~(1 << SP)), 0
    if not known:
        return (s.anywhere | after) & ~s.private, ALL & ~s.kept
    writes = s.writes[part.callee]
    return s.reads[part.callee] | writes & (after | s.anywhere), writes


def _dirty(flow: Flow, effects: list[tuple[int, int]], after_calls: int) -> list[int]:
    """Registers that may be dirty at the start of each part (forward); `after_calls`: those whose copies in `*c` are
    their own after a call, where callees keep registers in locals."""
    parts = flow.parts
    table = []
    for index in reversed(flow.postorder):
        part = parts[index]
        stored, written = effects[index]
        gained = after_calls if part.kind == "call" else 0
        table.append((index, part.defines, ~(stored | written), gained, part.successors))
    dirty = [0] * len(parts)
    changed = True
    while changed:
        changed = False
        for index, defines, keeps, gained, successors in table:
            value = (dirty[index] | defines) & keeps | gained
            for successor in successors:
                if value & ~dirty[successor]:
                    dirty[successor] |= value
                    changed = True
    return dirty


def _held(flow: Flow, stores: list[int], cold: list[int], effects: list[tuple[int, int]]) -> list[int]:
    """Registers whose locals have their value at the start of each part (backward)."""
    parts = flow.parts
    table = []
    for index in flow.postorder:
        part = parts[index]
        written = effects[index][1] if part.kind in ("call", "sync") else 0
        table.append((index, part.uses, ~part.defines, ~written, stores[index] | cold[index], part.successors))
    held = [0] * len(parts)
    changed = True
    while changed:
        changed = False
        for index, uses, keeps, passes, own, successors in table:
            value = 0
            for successor in successors:
                value |= held[successor]
            value = uses | (own | value & passes) & keeps
            if value != held[index]:
                held[index] = value
                changed = True
    return held
