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


@dataclass(slots=True, eq=False)
class Placement:
    """Register masks by part index. `stores`: before the part's end; `rare`: further ones where a pointer leads to a
    function that none was seen to lead to; `cold`: where a call returned to somewhere else; `loads`: behind the call;
    `held`: at the part's start; `values`: handed over at its end as C arguments or result; `results`: the C result of
    the call at its end."""

    stores: list[int]
    rare: list[int]
    cold: list[int]
    loads: list[int]
    held: list[int]
    values: list[int]
    results: list[int]


def place(flow: Flow, s: Summaries, signatures: Mapping[int, Signature]) -> Placement:
    """`signatures`: of the functions that have one, by start."""
    parts = flow.parts
    start = flow.function.start
    live = [mask & ALL for mask in s.live[start]]
    own = own_signature(start, s, signatures)
    calls = [called(part, s, signatures) for part in parts]
    effects = [_effect(part, live, flow, s, own, call) for part, call in zip(parts, calls, strict=True)]
    results = [call.result_mask if part.kind == "call" else 0 for part, call in zip(parts, calls, strict=True)]
    dirty = _dirty(flow, effects, own, results, s)
    stores: list[int] = []
    rare: list[int] = []
    cold: list[int] = []
    for index, part in enumerate(parts):
        at_end = dirty[index] | part.defines
        stored = at_end & effects[index][0]
        stores.append(stored)
        indirect = part.kind in ("call", "jump") and part.callee is None
        rare.append(at_end & ~stored & s.everywhere & ~calls[index].parameter_mask if indirect else 0)
        unwinds = part.kind == "call" and not s.uniform
        cold.append(at_end & s.anywhere & ~stored if unwinds else 0)
    values = [
        own.result_mask if part.kind == "ret" else call.parameter_mask for part, call in zip(parts, calls, strict=True)
    ]  # handed over as C values
    held = _held(flow, [sum(masks) for masks in zip(stores, cold, strict=True)], values, effects, rare)
    loads = [
        held[part.successors[0]] & effect[1] & ~result if part.successors and part.kind in ("call", "sync") else 0
        for part, effect, result in zip(parts, effects, results, strict=True)
    ]
    return Placement(stores, rare, cold, loads, held, values, results)


def _effect(part: Part, live: list[int], flow: Flow, s: Summaries, own: Signature, call: Signature) -> tuple[int, int]:
    """(registers to be in `c` before the part's end if they are dirty, registers that the end may write)."""
    start, kind = flow.function.start, part.kind
    if kind in ("goto", "cond", "switch"):
        return 0, 0
    if kind == "point":
        return flow.shown, 0
    private = s.private
    out = (s.live_out[start] | s.returned) & ~private
    if kind == "ret":
        return out & ~own.result_mask & ~(KEPT if private else 0), 0
    if kind == "trap":
        return TRAP_REPORT | flow.shown, 0
    after = live[part.successors[0]] & ~private if part.successors else 0
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


def _dirty(flow: Flow, effects: list[tuple[int, int]], own: Signature, results: list[int], s: Summaries) -> list[int]:
    """Registers that may be dirty at the start of each part (forward), beginning with the parameters. Behind the call
    of a closed function `*c` has a callee's sp."""
    parts = flow.parts
    table = []
    for index in reversed(flow.postorder):
        part = parts[index]
        stored, written = effects[index]
        kept_sp = 1 << SP if part.kind == "call" and s.uniform else 0
        gained = kept_sp | results[index]
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


def _held(
    flow: Flow, stores: list[int], values: list[int], effects: list[tuple[int, int]], rare: list[int]
) -> list[int]:
    """Registers whose locals have their value at the start of each part (backward)."""
    parts = flow.parts
    table = []
    for index in flow.postorder:
        part = parts[index]
        written = effects[index][1] if part.kind in ("call", "sync") else 0
        table.append(
            (index, part.uses, ~part.defines, ~written, stores[index] | values[index] | rare[index], part.successors)
        )
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
