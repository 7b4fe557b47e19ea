"""lift: machine code → the dense module (`lifted_module_json`), its segments beside it, and a coverage summary."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.stages.job import AFTER, Job, command_stage

if TYPE_CHECKING:
    from recomp.lift.module import Module
    from recomp.lift.summary import LiftSummary

    Lifted = tuple[Module, dict[str, bytes], LiftSummary]


def stage(job: Job) -> Stage | None:
    settings = job.settings
    if settings.mode == "lifted":
        return None
    program = _program_inputs(job)
    replaced = command_stage(job, "lift", inputs=program, watch=(settings.lifted_module_json,))
    if replaced is not None:
        return replaced
    mode, entry = settings.raw["run"]["lift_mode"], settings.raw["run"]["lift_entry"]
    if mode == "stub":
        return _stub_stage(job, program, entry)
    lift = _lifter(job)
    faults = settings.raw["lift"].get("faults") or ""
    names, trace = settings.path("analysis", "name_map_json"), settings.path("analysis", "runtime_trace_manifest")

    skip = settings.raw["lift"]["skip"]

    def run(context: Context) -> Result:
        from recomp.lift.lift import LiftOptions

        return _run(context, partial(lift, options=LiftOptions(faults=faults)), names, trace, job.evidence, skip)

    return Stage(
        name="lift",
        run=run,
        inputs=program,
        config={
            "entry": settings.raw["run"]["lift_entry"],
            "evidence": job.evidence.decode(),
            "skip": sorted(skip),
            "faults": faults,
        },
        tools=job.tools.recomp("lift", "formats", "a64", "stages/lift.py", "stages/modules.py", "stages/xci.py"),
        after=AFTER["lift"],
        outputs=(
            Output("module", settings.lifted_module_json, role="module"),
            Output("segments", job.segments_dir(), tree=True, role="segment", asset_class="proprietary"),
            Output("summary", os.path.join(settings.dirs["lift_dir"], "lift-summary.json"), role="lift-summary"),
        ),
        timeout_s=settings.timeout_s("lift"),
    )


def _stub_stage(job: Job, program: tuple[Input, ...], entry: str) -> Stage:
    """A module whose entry returns at once: to try out everything behind the lift."""
    module = {"arch": "aarch64", "segments": [], "functions": [{"name": entry, "ops": [{"op": "ret"}]}]}

    def run(context: Context) -> Result:
        context.write("module", json.dumps(module, indent=2).encode() + b"\n")
        return Result(found=f"a stub: {entry} returns at once")

    return Stage(
        name="lift",
        run=run,
        inputs=program,
        config={"lift_mode": "stub", "entry": entry},
        tools=job.tools.recomp("stages/lift.py"),
        after=AFTER["lift"],
        outputs=(Output("module", job.settings.lifted_module_json, role="module"),),
    )


def _program_inputs(job: Job) -> tuple[Input, ...]:
    from recomp.config.project import program_inputs

    evidence = (("name_map_json", True), ("runtime_trace_manifest", True))
    found = [Input(os.path.basename(path), path) for _, path in program_inputs(job.settings)]
    for key, optional in evidence:
        path = job.settings.path("analysis", key)
        if path is not None:
            found.append(Input(key, path, optional))
    return tuple(found)


def _lifter(job: Job) -> Callable[..., Lifted]:
    """What lifts the program, given evidence."""
    settings = job.settings
    elf = settings.path("inputs", "elf")
    if elf is not None:
        return partial(_lift_elf, elf)
    if settings.mode == "homebrew":
        return partial(_lift_modules, job.module_paths())
    return partial(_lift_exefs, os.path.join(job.assets_folder(), "exefs"))


def _lift_elf(path: str, **evidence: Any) -> Lifted:
    from recomp.lift.lift import lift_elf

    return lift_elf(_read(path), **evidence)


def _lift_modules(paths: list[str], **evidence: Any) -> Lifted:
    from recomp.lift.lift import lift_modules
    from recomp.stages.modules import read_modules

    return lift_modules([(module.name, module.image) for module in read_modules(paths)], **evidence)


def _lift_exefs(folder: str, **evidence: Any) -> Lifted:
    from recomp.lift.lift import lift_modules
    from recomp.stages.modules import read_exefs
    from recomp.stages.xci import MODULES

    there = set(os.listdir(folder))
    modules = read_exefs(folder, [name for name in MODULES if name in there])
    return lift_modules([(module.name, module.image) for module in modules], **evidence)


def _run(
    context: Context,
    lift: Callable[..., Lifted],
    names: str | None,
    trace: str | None,
    evidence: bytes,
    skip: list[str],
) -> Result:
    import msgspec

    from recomp.lift.leave_out import leave_out
    from recomp.lift.lift import read_misses
    from recomp.lift.module import encode_module
    from recomp.lift.names import read_name_map

    misses = [*(read_misses(_read(trace)) if trace else ()), *read_misses(evidence)]
    module, blobs, summary = lift(name_map=read_name_map(_read(names)) if names else None, trace=misses)
    placed = tuple(
        msgspec.structs.replace(segment, init_path=f"segments/{segment.init_path}") if segment.init_path else segment
        for segment in module.segments
    )
    module = leave_out(msgspec.structs.replace(module, segments=placed), skip)
    context.write("module", encode_module(module))
    context.write("summary", msgspec.json.format(msgspec.json.encode(summary, order="deterministic"), indent=2) + b"\n")
    os.makedirs(context.out("segments"))
    for name, blob in sorted(blobs.items()):
        with open(os.path.join(context.out("segments"), name), "wb") as file:
            file.write(blob)
    found = (
        f"{summary.functions:,} functions, {summary.instructions:,} instructions, {summary.undefined:,} undefined words"
    )
    if skip:
        found += f", {len(set(skip))} left out"
    if misses:
        found += f", {len(misses)} targets from traces"
    return Result(found=found)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
