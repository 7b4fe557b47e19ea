"""analysis: a headless export by a tool of the user's, when `[analysis] command` is set."""

from __future__ import annotations

from recomp.config.document import resolve_path
from recomp.engine.context import Context
from recomp.engine.stage import Result, Stage
from recomp.errors import StageError
from recomp.stages.job import Job, command_stage


def stage(job: Job) -> Stage | None:
    values = job.settings.raw["analysis"]["expected_outputs"] or []
    expected = tuple(resolve_path(job.settings.folder, value) for value in values)
    found = command_stage(job, "analysis", watch=expected)
    if found is None:
        return None
    inner = found.run

    def run(context: Context) -> Result:
        import os

        result = inner(context)
        missing = [path for path in expected if not os.path.exists(path)]
        if missing:
            raise StageError(
                "analysis: the command succeeded without making " + ", ".join(missing),
                hint="see analysis.expected_outputs",
            )
        return result

    return found._replace(run=run, config={"expected_outputs": list(values)})
