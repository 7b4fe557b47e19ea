"""One attempt at a unit, in this process: the same run that `recomp automate` makes, telling a coordinator of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from recomp.config import project as projects
from recomp.engine.context import Interrupted
from recomp.engine.fingerprint import StatCache
from recomp.engine.journal import Journal
from recomp.engine.loop import RunResult, open_work_root, run
from recomp.engine.plan import Plan
from recomp.engine.reporter import Reporter, Tee
from recomp.engine.store import Store
from recomp.errors import GateError, RecompError
from recomp.stages.preflight import check_folders
from recomp.stages.setup import Prepared, layout_of, prepare

Tell = Callable[[str, dict[str, Any]], None]
OpenStore = Callable[[str], Store]

#: a work root that a killed attempt has just left is free within moments
LOCK_WAIT_S = 120.0


class Telling(Reporter):
    """Passes on what a coordinator wants to know. `admit` is asked before each stage that runs, and may wait."""

    def __init__(self, tell: Tell, admit: Callable[[str], None]) -> None:
        self._tell, self._admit = tell, admit

    def stage_started(self, name: str, reason: str) -> None:
        self._tell("stage", {"stage": name})
        self._admit(name)

    def stage_finished(self, step: dict[str, Any], found: str, reason: str) -> None:
        kept = ("name", "status", "cache_hit", "duration_ms")
        self._tell("step", {key: step[key] for key in kept})


def attempt(
    config: str,
    tell: Tell,
    *,
    admit: Callable[[str], None] = lambda stage: None,
    until: tuple[str, ...] | None = None,
    open_store: OpenStore | None = None,
    deadline_s: float | None = None,
    known: StatCache | None = None,
) -> dict[str, Any]:
    """Run a project to its end, or to the last of the stages `until`; returns its outcome. Whatever is wrong with a
    title is an outcome, not an exception; Interrupted, and what the system refuses (a full disk), are raised. `known`:
    hashes that need not be taken again."""
    started = time.monotonic()
    try:
        prepared, result = _run(config, Telling(tell, admit), until, open_store, deadline_s, known)
    except RecompError as error:
        return _outcome("failed", started, error)
    found = _outcome("failed" if result.error else "passed", started, result.error)
    found |= {
        "run_id": result.manifest["run_id"],
        "steps": [{k: s[k] for k in ("name", "status", "cache_hit", "duration_ms")} for s in result.manifest["steps"]],
        "artifacts": [{k: a[k] for k in ("path", "sha256", "size", "role")} for a in result.manifest["artifacts"]
                      if a["role"] in _NAMED],
        "manifest": result.encoded.decode(),
    }  # fmt: skip
    if until is None:
        found["page"] = _page(prepared, found["steps"])
    return found


#: what of a run's artefacts a batch manifest lists
_NAMED = ("port", "capture-video", "validation-report", "provenance-statement")


def _outcome(status: str, started: float, error: RecompError | None) -> dict[str, Any]:
    return {
        "status": status,
        "seconds": round(time.monotonic() - started, 3),
        "error": whole_message(error) if error else None,
        "hint": error.hint if error else None,
        "exit_code": error.exit_code if error else 0,
        "steps": [],
    }


def whole_message(error: RecompError) -> str:
    """All problems of a file, where an error has several."""
    problems = getattr(error, "problems", None)
    return "\n".join(problem.render() for problem in problems) if problems else error.message


def _run(
    config: str,
    telling: Telling,
    until: tuple[str, ...] | None,
    open_store: OpenStore | None,
    deadline_s: float | None,
    known: StatCache | None,
) -> tuple[Prepared, RunResult]:
    project = projects.load(config)
    layout = layout_of(project)
    receiving = check_folders(project)
    lock = open_work_root(layout.engine_dir, wait_s=LOCK_WAIT_S)
    try:
        journal = Journal(layout.runs_dir)
        try:
            hashes = StatCache(os.path.join(layout.engine_dir, "stat-cache"), known)
            prepared = prepare(project, hashes, receiving)
            plan = prepared.plan
            if open_store is not None:
                plan = plan._replace(open_store=open_store)
            if deadline_s is not None:
                plan = plan._replace(deadline_s=min(deadline_s, plan.deadline_s or deadline_s))
            last = None if until is None else _last(plan, until)
            result = run(plan, Tee(telling, journal), hashes=hashes, until=last)
            journal.finished(result.status, result.error.message if result.error else None, result.encoded)
            return prepared, result
        except Interrupted:
            journal.finished("interrupted", None)
            raise
        except RecompError as error:
            journal.finished("blocked" if isinstance(error, GateError) else "failed", error.message)
            raise
        finally:
            journal.close()
    finally:
        lock.release()


def _last(plan: Plan, until: tuple[str, ...]) -> str | None:
    """The last stage of this plan that is among `until`; None, for all of it, if that is the last one there is."""
    names = [stage.name for stage in plan.stages(b"")]
    wanted = [name for name in names if name in until]
    return wanted[-1] if wanted and wanted[-1] != names[-1] else None


def _page(prepared: Prepared, steps: list[dict[str, Any]]) -> str | None:
    """The title's own report page: made anew when anything ran; a run does not fail for its page."""
    layout = prepared.plan.layout
    path = os.path.join(layout.work_root, "report.html")
    if all(step["cache_hit"] for step in steps) and os.path.exists(path):
        return path
    from recomp.report import report_run

    try:
        return str(report_run(layout.run_manifest, path, title=prepared.project.title["title"]))
    except (RecompError, OSError):
        return None
