"""A dense module → the files of a C project that builds by hand (`make`) and depends on nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from recomp.emit.code import Code, Lifter
from recomp.emit.files import (
    FAST_FLAGS,
    FLAGS,
    REQUIRED_FLAGS,
    ROUNDING_FLAG,
    SPILLING_FLAG,
    EmitOptions,
    SegmentRow,
    banner,
    finish,
    makefile,
    module_c,
    pack_blob,
    runtime_files,
)
from recomp.emit.flow import SHOWN, Flow, build_flow, entry_map
from recomp.emit.frames import balance
from recomp.emit.function import emit_function
from recomp.emit.signature import Signature, signatures, symbol
from recomp.emit.summary import Summaries, direct_reads, summarise
from recomp.emit.units import split_units
from recomp.errors import LiftError
from recomp.lift.collector import collector_paused
from recomp.lift.module import Function, Module
from recomp.semantics import lift_insn

__all__ = ["FLAGS", "EmitOptions", "build_flows", "emit_project"]


def _name(function: Function) -> str:
    return function.name


def _is_named(function: Function) -> bool:
    return function.name != f"f_{function.start:x}"


@collector_paused()
def emit_project(
    module: Module,
    segments: dict[str, bytes],
    options: EmitOptions,
    name_of: Callable[[Function], str] = _name,
    lifter: Lifter = lift_insn,
) -> dict[str, bytes]:
    """The project's files by relative path. `segments`: initial bytes by `init_path`; `name_of`: names for comments.

    Raises LiftError if the module contradicts itself or its segments; never for an instruction.
    """
    flows, code = build_flows(module, segments, lifter)
    if options.call_summaries and not options.exact and not module.faults:
        balance(flows, module.entry)
    closed = all(flow.balanced for flow in flows.values())
    direct = direct_reads(flows) if closed else {}
    summaries = summarise(flows, options.exact)
    with_values = signatures(flows, summaries, module.entry, direct)
    files: dict[str, str | bytes] = {}
    units = split_units([flows[pc] for pc in sorted(flows)], options.unit_insns)
    for unit in units:
        text = _unit(unit, summaries, with_values, options, name_of)
        files[f"unit_{unit[0].function.start:08x}.c"] = text.encode()
    contents = [segments.get(s.init_path, b"")[: s.init_size] for s in module.segments]
    files["guest.bin"], offsets = pack_blob(contents)
    rows = [
        SegmentRow(s.name, s.base, s.size, offset, s.init_size, s.read, s.write, s.execute)
        for s, offset in zip(module.segments, offsets, strict=True)
    ]
    entries = sorted(
        (pc, start, f"f_{start:x}", symbol(start, summaries))
        for start, flow in flows.items()
        for pc in (start, *flow.entries)
    )
    header = (module.phdr, module.phent, module.phnum)
    relays = sorted(pc for flow in flows.values() if flow.function.returns == "relay" for pc in flow.entries)
    names = [(pc, name_of(flow.function)) for pc, flow in sorted(flows.items()) if _is_named(flow.function)]
    files["module.c"] = module_c(
        options,
        module.abi,
        module.entry,
        rows,
        entries,
        code.unsupported,
        header,
        balanced=summaries.uniform,
        faults=module.faults,
        relays=relays,
        names=names,
        images=module.images,
    )
    files |= runtime_files(module.abi)
    flags = (*REQUIRED_FLAGS, *((ROUNDING_FLAG,) if code.sets_rounding else ()))
    fast = FAST_FLAGS if summaries.uniform else (*FAST_FLAGS, SPILLING_FLAG)
    files["Makefile"] = makefile(sorted(files), options, flags, fast)
    counts = {"functions": len(flows), "insns": sum(f.insns for f in flows.values())}
    return finish(files, options, counts, (*flags, *fast))


def build_flows(module: Module, segments: dict[str, bytes], lifter: Lifter = lift_insn) -> tuple[dict[int, Flow], Code]:
    """Flows of all functions by start address, and the code they were read from."""
    for segment in module.segments:
        size = len(segments.get(segment.init_path, b""))
        if size < segment.init_size:
            raise LiftError(f"module: segment {segment.name!r}: {size} initial bytes, expected {segment.init_size}")
    code = Code(module.segments, segments, lifter)
    entry_of = entry_map(module.functions)
    if module.faults not in SHOWN:
        raise LiftError(f"module: faults: found {module.faults!r}, expected one of {', '.join(map(repr, SHOWN))}")
    flows: dict[int, Flow] = {}
    for function in sorted(module.functions, key=lambda f: f.start):
        if function.start in flows:
            raise LiftError(f"module: two functions start at {function.start:#x}")
        flows[function.start] = build_flow(function, code, entry_of, SHOWN[module.faults])
    if module.entry not in entry_of:
        raise LiftError(f"module: entry {module.entry:#x}: no function starts there")
    return flows, code


def _unit(
    unit: list[Flow],
    summaries: Summaries,
    with_values: Mapping[int, Signature],
    options: EmitOptions,
    name_of: Callable[[Function], str],
) -> str:
    called = {part.callee for flow in unit for part in flow.parts if part.callee is not None}
    called |= {flow.function.start for flow in unit}
    declarations = [f"{symbol(pc, summaries)};" for pc in sorted(called)]
    declarations += [f"{with_values[pc].prototype(f'g_{pc:x}')};" for pc in sorted(called) if pc in with_values]
    texts = [emit_function(flow, summaries, with_values, name_of) for flow in unit]
    points = ["#define RT_POINTS 1"] if any(flow.shown for flow in unit) else []
    return "\n".join((banner(options), *points, '#include "rt.h"', "", *declarations, "", *texts))
