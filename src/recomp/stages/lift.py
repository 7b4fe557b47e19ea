"""lift: machine code → the dense module (`lifted_module_json`), its segments beside it, and a coverage summary."""

from __future__ import annotations

import json
import os

from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.errors import StageError
from recomp.stages.job import AFTER, Job, command_stage


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
    elf = settings.path("inputs", "elf")
    if elf is None:
        return _missing_stage(job, program)
    faults = settings.raw["lift"].get("faults") or ""
    names, trace = settings.path("analysis", "name_map_json"), settings.path("analysis", "runtime_trace_manifest")

    def run(context: Context) -> Result:
        return _run(context, elf, names, trace, job.evidence, faults)

    return Stage(
        name="lift",
        run=run,
        inputs=program,
        config={
            "entry": settings.raw["run"]["lift_entry"],
            "evidence": job.evidence.decode(),
            **({"faults": faults} if faults else {}),
        },  # fmt: skip
        tools=job.tools.recomp("lift", "formats", "a64", "stages/lift.py"),
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


def _missing_stage(job: Job, program: tuple[Input, ...]) -> Stage:
    """What stands for the lift of a program that the built-in one does not read."""
    mode = job.settings.mode

    def run(context: Context) -> Result:
        raise StageError(
            f'lift: there is no built-in lift for mode "{mode}"',
            hint='give [commands] lift, or set run.lift_mode = "stub" to try out what follows',
        )

    return Stage(name="lift", run=run, inputs=program, after=AFTER["lift"], tools=job.tools.recomp("stages/lift.py"))


def _program_inputs(job: Job) -> tuple[Input, ...]:
    from recomp.config.project import program_inputs

    evidence = (("name_map_json", True), ("runtime_trace_manifest", True))
    found = [Input(os.path.basename(path), path) for _, path in program_inputs(job.settings)]
    for key, optional in evidence:
        path = job.settings.path("analysis", key)
        if path is not None:
            found.append(Input(key, path, optional))
    return tuple(found)


def _run(context: Context, elf: str, names: str | None, trace: str | None, evidence: bytes, faults: str) -> Result:
    import msgspec

    from recomp.lift.lift import LiftOptions, lift_elf, read_misses
    from recomp.lift.module import encode_module
    from recomp.lift.names import read_name_map

    data = _read(elf)
    misses = [*(read_misses(_read(trace)) if trace else ()), *read_misses(evidence)]
    name_map = read_name_map(_read(names)) if names else None
    module, blobs, summary = lift_elf(data, name_map=name_map, trace=misses, options=LiftOptions(faults=faults))
    placed = tuple(
        msgspec.structs.replace(segment, init_path=f"segments/{segment.init_path}") if segment.init_path else segment
        for segment in module.segments
    )
    module = msgspec.structs.replace(module, segments=placed)
    context.write("module", encode_module(module))
    context.write("summary", msgspec.json.format(msgspec.json.encode(summary, order="deterministic"), indent=2) + b"\n")
    os.makedirs(context.out("segments"))
    for name, blob in sorted(blobs.items()):
        with open(os.path.join(context.out("segments"), name), "wb") as file:
            file.write(blob)
    found = (
        f"{summary.functions:,} functions, {summary.instructions:,} instructions, {summary.undefined:,} undefined words"
    )
    if misses:
        found += f", {len(misses)} targets from traces"
    return Result(found=found)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
