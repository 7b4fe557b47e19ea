"""From a checked configuration to a plan that the engine can run."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from recomp import __version__
from recomp.config.project import Project
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.plan import Plan
from recomp.engine.stage import Stage, Tool
from recomp.stages import STAGES, archive, policy, preflight
from recomp.stages import run as run_stage
from recomp.stages.environment import stage_environment
from recomp.stages.job import Job
from recomp.stages.tools import Tools

#: inputs that the provenance statement names; configuration counts by its values, elsewhere
_PROGRAMS = ("inputs.elf", "inputs.nro", "inputs.xci", "inputs.module_json")


class Prepared(NamedTuple):
    """Everything a run needs. The work root is locked by then, or will not be written."""

    project: Project
    plan: Plan
    hashes: StatCache


def layout_of(project: Project) -> Layout:
    settings = project.settings
    roots = {
        "@work_root": settings.work_root,
        "@config": settings.folder,
        "@frames": settings.frames_dir,
        "@capture": os.path.dirname(settings.video_path),
        **{f"@{name}": path for name, path in settings.dirs.items()},
    }
    return Layout(
        work_root=settings.work_root,
        log_dir=settings.dirs["log_dir"],
        run_manifest=settings.run_manifest,
        config_dir=settings.folder,
        roots=roots,
        shared_store=os.environ.get("RECOMP_CACHE_DIR") or None,
    )


def prepare(project: Project, hashes: StatCache, receiving: tuple[str, ...]) -> Prepared:
    """Check the inputs, then freeze the plan. `receiving`: the folders that take guest-derived data, checked before.
    Raises ConfigProblems, ConfigError or ToolError."""
    layout = layout_of(project)
    secrets = preflight.check_secrets(project)
    preflight.check_inputs(project, hashes)
    preflight.check_reference(project)
    inputs = preflight.manifest_inputs(project, layout, hashes)
    programs = [item for item in inputs if item["name"] in _PROGRAMS or item["name"].startswith("inputs.nso.")]
    tools = Tools(hashes, project.settings.folder, os.path.join(layout.engine_dir, "versions"))

    made: dict[bytes, tuple[Stage, ...]] = {}

    def stages(evidence: bytes) -> tuple[Stage, ...]:
        if evidence not in made:
            made[evidence] = make_stages(Job(project, layout, tools, evidence), receiving, programs)
        return made[evidence]

    raw = project.settings.raw
    minutes = raw["policy"]["max_runtime_minutes"]
    plan = Plan(
        layout=layout,
        execution_mode=raw["policy"]["execution_mode"],
        inputs=inputs,
        input_fingerprint=preflight.input_fingerprint(project, inputs),
        env=stage_environment(project),
        stages=stages,
        learn=run_stage.learn,
        max_rounds=raw["run"]["rounds"],
        resume=raw["run"]["resume"],
        tools=(Tool("recomp_cli", __version__, __version__),),
        extra=_extra(project),
        named=_named(project, layout),
        secrets=secrets,
        gate=policy.gate(raw["policy"]),
        deadline_s=None if minutes is None else minutes * 60,
    )
    return Prepared(project, plan, hashes)


def make_stages(job: Job, receiving: tuple[str, ...], inputs: list[dict[str, Any]]) -> tuple[Stage, ...]:
    found = [stage for make in STAGES if (stage := make(job)) is not None]
    names = tuple(stage.name for stage in found)
    return (*found, archive.stage(job, names, receiving, inputs))


def _extra(project: Project) -> dict[str, Any]:
    """What the manifest says beside what the engine knows."""
    return {"policy": {k: v for k, v in project.settings.raw["policy"].items() if v is not None}}


def _named(project: Project, layout: Layout) -> dict[str, str]:
    """Artifacts that the manifest names by a key of their own."""
    folder = project.settings.dirs["validation_dir"]
    return {"validation_report": layout.written(os.path.join(folder, "validation-report.json"))}
