"""Which registers are in C locals where: what each part loads from `*c` and stores to it.

A register is *dirty* where its local may be newer than `c`'s copy, and *held* where its local must have its value:
because a text reads it, or because it is dirty on some path to a store. Held registers are loaded at entries and
behind calls that may have written them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recomp.emit.flow import Flow, Part
from recomp.emit.signature import Signature
from recomp.emit.summary import SVC_READS, Summaries
from recomp.semantics.builder import ALL, SP

_NOTHING = Signature((), None)
#: What a trap's report shows beside the pc.
TRAP_REPORT = 1 << 29 | 1 << 30 | 1 << SP


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
    live = [mask & ALL for mask in s.live[flow.function.start]]
    own = signatures.get(flow.function.start, _NOTHING)
    effects = [_effect(part, live, flow, s, own, _called(part, signatures)) for part in parts]
    results = [_called(part, signatures).result_mask for part in parts]
    dirty = _dirty(flow, effects, own, results, 1 << SP & s.kept)
    stores: list[int] = []
    cold: list[int] = []
    for index, part in enumerate(parts):
        at_end = dirty[index] | part.defines
        stored = at_end & effects[index][0]
        stores.append(stored)
        cold.append(at_end & s.anywhere & ~stored if part.kind == "call" and not s.kept else 0)
    values = [
        own.result_mask if part.kind == "ret" else _called(part, signatures).parameter_mask for part in parts
    ]  # handed over as C values
    held = _held(flow, [sum(masks) for masks in zip(stores, cold, strict=True)], values, effects)
    loads = [
        held[part.successors[0]] & effect[1] & ~result if part.successors and part.kind in ("call", "sync") else 0
        for part, effect, result in zip(parts, effects, results, strict=True)
    ]
    return Placement(stores, cold, loads, held, values, results)


def _called(part: Part, signatures: Mapping[int, Signature]) -> Signature:
    """The signature of a direct call; of no effect for everything else."""
    if part.kind != "call" or part.callee is None or part.resume:
        return _NOTHING
    return signatures.get(part.callee, _NOTHING)


def _effect(
    part: Part, live: list[int], flow: Flow, s: Summaries, own: Signature, called: Signature
) -> tuple[int, int]:
    """(registers to be in `c` before the part's end if they are dirty, registers that the end may write)."""
    out = s.live_out[flow.function.start] | s.anywhere
    kind = part.kind
    if kind in ("goto", "cond", "switch"):
        return 0, 0
    if kind == "point":
        return flow.shown, 0
    if kind == "ret":
        return out & ~s.kept & ~own.result_mask, 0
    if kind == "trap":
        return TRAP_REPORT | flow.shown, 0
    after = live[part.successors[0]] if part.successors else 0
    if kind == "sync":
        return (after | SVC_READS | s.anywhere) & ~s.private, ALL & ~s.kept
    known = None if part.resume else part.callee
    if kind in ("jump", "tail"):
        return (out | s.anywhere | (0 if known is None else s.reads[known])) & ~s.private, 0
    if known is None:
        return (s.anywhere | after) & ~s.private, ALL & ~s.kept
    writes = s.writes[known]
    resumed = 0 if s.kept else s.anywhere
    return (s.reads[known] | writes & (after | resumed)) & ~called.parameter_mask, writes


def _dirty(
    flow: Flow, effects: list[tuple[int, int]], own: Signature, results: list[int], after_calls: int
) -> list[int]:
    """Registers that may be dirty at the start of each part (forward), beginning with the parameters. `after_calls`:
    those whose copies in `*c` are a callee's after a call, where callees keep registers in locals."""
    parts = flow.parts
    table = []
    for index in reversed(flow.postorder):
        part = parts[index]
        stored, written = effects[index]
        gained = after_calls | results[index] if part.kind == "call" else 0
        table.append((index, part.defines, ~(stored | written), gained, part.successors))
    dirty = [0] * len(parts)
    dirty[flow.start] = own.parameter_mask
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


def _held(flow: Flow, stores: list[int], values: list[int], effects: list[tuple[int, int]]) -> list[int]:
    """Registers whose locals have their value at the start of each part (backward)."""
    parts = flow.parts
    table = []
    for index in flow.postorder:
        part = parts[index]
        written = effects[index][1] if part.kind in ("call", "sync") else 0
        table.append((index, part.uses, ~part.defines, ~written, stores[index] | values[index], part.successors))
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
