"""archive: the last look at what was written, and the provenance statement of the port (in-toto, SLSA v1)."""

from __future__ import annotations

import json
import os

from recomp import __version__
from recomp.config.project import Project
from recomp.engine.batch_status import find_title, read_batch_manifest, set_title_status
from recomp.engine.context import Context
from recomp.engine.separation import check_separation
from recomp.engine.stage import Output, Result, Stage
from recomp.stages.job import Job

#: how a run ended → the title's status in its batch; a run that was interrupted says nothing about its title
_TITLE_STATUS = {"succeeded": "passed", "failed": "failed", "blocked": "needs_review"}
BUILD_TYPE = "https://recomp.example/automation/v1"


def stage(job: Job, before: tuple[str, ...], receiving: tuple[str, ...], inputs: list[dict]) -> Stage:
    """`before`: the names of all stages of this run; `receiving`: the folders that took guest-derived data."""
    settings = job.settings
    config = {"mode": settings.mode, "execution_mode": settings.raw["policy"]["execution_mode"]}

    def run(context: Context) -> Result:
        kept = [item["path"] for item in context.artifacts() if item["class"] in ("proprietary", "derived")]
        check_separation(receiving, tuple(os.path.join(settings.folder, path) for path in kept))
        statement = _statement(context, config, inputs)
        context.write("statement", json.dumps(statement, indent=2, sort_keys=True).encode() + b"\n")
        return Result(found=f"{_count(len(statement['subject']), 'subject')}, {_count(len(inputs), 'input')}")

    return Stage(
        name="archive",
        run=run,
        config={**config, **{item["name"]: item["sha256"] for item in inputs}},
        tools=job.tools.recomp("stages/archive.py"),
        after=before,
        outputs=(
            Output(
                "statement",
                os.path.join(settings.work_root, "provenance.intoto.json"),
                role="provenance-statement",
                asset_class="generated",
            ),
        ),
        timeout_s=settings.timeout_s("archive"),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def note_in_batch(project: Project, status: str, last_step: str | None) -> None:
    """What the archive does last, and also when it was cached or never reached: the title's status goes into the
    manifest of the batch that the run belongs to, if any. Raises ConfigError, OSError."""
    batch = project.settings.raw["batch"]
    path = project.settings.path("batch", "manifest")
    is_partial = status == "succeeded" and last_step != "archive"
    if path is None or not batch["update_status"] or status not in _TITLE_STATUS or is_partial:
        return
    set_title_status(path, title_of(project), _TITLE_STATUS[status])


def check_batch(project: Project) -> None:
    """Whether the batch manifest has the title. Raises ConfigError."""
    path = project.settings.path("batch", "manifest")
    if path is not None and project.settings.raw["batch"]["update_status"]:
        find_title(path, read_batch_manifest(path), title_of(project))


def title_of(project: Project) -> str:
    listed = project.documents["provenance"].values["title"]["title_id"]
    return project.settings.raw["batch"]["title_id"] or listed


def _statement(context: Context, config: dict, inputs: list[dict]) -> dict:
    """SLSA provenance v1: the port (or, without one, whatever the last stages made) from its inputs and tools."""
    made = [(record["step"], entry) for record in context.records() for entry in record["outputs"]]
    subjects = [item for item in made if item[0] == "build"] or made
    tools = {name: version for step in context.records() for name, version in step["tool_versions"].items()}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": _name(step, entry), "digest": {"sha256": entry["sha256"]}} for step, entry in subjects],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": config,
                "internalParameters": {"steps": [step["step"] for step in context.records()]},
                "resolvedDependencies": [
                    {"name": item["name"], "digest": {"sha256": item["sha256"]}} for item in inputs
                ],
            },
            "runDetails": {
                "builder": {"id": f"{BUILD_TYPE}/recomp", "version": {"recomp": __version__, **_known(tools)}},
                "metadata": {"invocationId": context.env["RECOMP_RUN_ID"]},
            },
        },
    }


def _name(step: str, entry: dict) -> str:
    """The same wherever the work root lies."""
    return "/".join(part for part in (step, entry["base"].removeprefix("@"), entry["path"]) if part)


def _known(tools: dict[str, str | None]) -> dict[str, str]:
    return {name: version for name, version in sorted(tools.items()) if version and not name.startswith("recomp.")}
