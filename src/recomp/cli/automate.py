"""`recomp automate`: the whole way from a program to a verdict."""

from __future__ import annotations

import os
import sys
import time
from typing import NamedTuple

from recomp.cli.interrupt import EXIT_INTERRUPTED, interruptible
from recomp.cli.progress import Lines
from recomp.cli.text import duration, paint, print_error, shown
from recomp.config import project as projects
from recomp.config.project import Project
from recomp.engine.context import Interrupted
from recomp.engine.fingerprint import StatCache
from recomp.engine.journal import Journal
from recomp.engine.layout import Layout
from recomp.engine.lock import Lock
from recomp.engine.loop import RunResult, open_work_root, run
from recomp.engine.reporter import Tee
from recomp.errors import ConfigError, GateError, RecompError
from recomp.stages.archive import check_batch, note_in_batch
from recomp.stages.preflight import check_folders
from recomp.stages.setup import Prepared, layout_of, prepare


class Options(NamedTuple):
    """What `recomp automate` was asked; `recomp.cli.arguments` makes an equal thing of all its options."""

    config: str
    until: str | None = None
    wait: bool = False
    dry_run: bool = False
    exit_code: bool = False
    json: bool = False


WAIT_S = 24 * 3600.0


def command(options: Options) -> int:
    if options.dry_run:
        from recomp.cli.explain import dry_run

        return dry_run(options)
    started = time.monotonic()
    project = projects.load(options.config)
    layout = layout_of(project)
    receiving = check_folders(project)  # before the first byte is written
    check_batch(project)
    try:
        lock, journal = _enter(layout, wait=options.wait)
    except Interrupted:
        return _interrupted(options, "interrupted while it waited")
    try:
        try:
            result = _run(options, project, receiving, journal, started)
            failure = result.error
            steps = result.manifest["steps"]
            note_in_batch(project, result.status, steps[-1]["name"] if steps else None)
            journal.finished(result.status, failure.message if failure else None, result.encoded)
            return failure.exit_code if failure else 0
        except Interrupted:
            journal.finished("interrupted", None)
            return _interrupted(options, "interrupted; the next run goes on from here")
        except RecompError as error:
            status = "blocked" if isinstance(error, GateError) else "failed"
            journal.finished(status, error.message)
            if not isinstance(error, ConfigError):  # which says nothing about the title
                note_in_batch(project, status, None)
            raise
        except OSError as error:
            try:
                journal.finished("failed", error.strerror)
            except OSError:  # a full disk holds no status either
                pass
            raise
        finally:
            journal.close()
    finally:
        lock.release()


def _interrupted(options: Options, text: str) -> int:
    print(f"recomp: {text}", file=sys.stderr)
    if options.json:
        import json

        print(json.dumps({"error": text, "hint": None, "exit_code": EXIT_INTERRUPTED}, indent=2))
    return EXIT_INTERRUPTED


def _enter(layout: Layout, *, wait: bool) -> tuple[Lock, Journal]:
    """The lock of the work root, and the record of this run: while it waits for another, its state is "queued"."""
    queued: list[Journal] = []

    def waiting(holder: str) -> None:
        if wait:
            queued.append(Journal(layout.runs_dir))
            print(f"recomp: waiting for {holder}", file=sys.stderr, flush=True)

    lock = None
    try:
        with interruptible():
            lock = open_work_root(layout.engine_dir, wait_s=WAIT_S if wait else 0.0, waiting=waiting)
        return lock, queued[0] if queued else Journal(layout.runs_dir)
    except BaseException as error:
        for journal in queued:
            journal.gave_up("interrupted", error.message if isinstance(error, RecompError) else None)
            journal.close()
        if lock is not None:
            lock.release()
        raise


def _run(options: Options, project: Project, receiving: tuple[str, ...], journal: Journal, started: float) -> RunResult:
    hashes = StatCache(os.path.join(layout_of(project).engine_dir, "stat-cache"))
    prepared = prepare(project, hashes, receiving)
    lines = Lines(sys.stderr if options.json else sys.stdout)
    until = _checked_stage(options, prepared)
    try:
        with interruptible():
            result = run(prepared.plan, Tee(lines, journal), hashes=hashes, until=until)
    finally:
        lines.close()
    _say(options, prepared, result, time.monotonic() - started)
    return result


def _checked_stage(options: Options, prepared: Prepared) -> str | None:
    names = [stage.name for stage in prepared.plan.stages(b"")]
    if options.until is not None and options.until not in names:
        raise ConfigError(f"--until: found {options.until!r}, expected one of {', '.join(names)}")
    return options.until


def _say(options: Options, prepared: Prepared, result: RunResult, seconds: float) -> None:
    if result.error is not None:
        print_error(result.error)
    if options.json:
        import json

        print(json.dumps(result.manifest, indent=2))
        return
    _summary(prepared, result, seconds)


def _summary(prepared: Prepared, result: RunResult, seconds: float) -> None:
    """The verdict, how much was cached, and where things lie."""
    steps = result.manifest["steps"]
    cached = sum(step["cache_hit"] for step in steps)
    ok = result.status == "succeeded"
    verdict = paint("succeeded" if ok else "failed", "green" if ok else "red", sys.stdout)
    share = "every stage cached" if cached == len(steps) else f"{cached} of {len(steps)} stages cached"
    print(f"\n{prepared.project.title['title']}: {verdict} in {duration(seconds)}, {share}")
    layout = prepared.plan.layout
    places = [("manifest", layout.run_manifest), ("logs", layout.log_dir)]
    made = {artifact["role"]: artifact["path"] for artifact in result.manifest["artifacts"]}
    found = [(name, os.path.join(layout.config_dir, made[role])) for role, name in _SHOWN_ROLES if role in made]
    page = _page(prepared, steps, made)
    for name, path in [*found, *([("report", page)] if page else []), *places]:
        print(f"  {name:<11}{shown(path)}")


_SHOWN_ROLES = (("port", "port"), ("capture-video", "video"), ("validation-report", "validation"))


def _page(prepared: Prepared, steps: list[dict], made: dict[str, str]) -> str | None:
    """The report page where there is something to look at; one that is still true is left alone."""
    from recomp.cli.report import page_path, write_page

    layout = prepared.plan.layout
    if "capture-video" not in made:
        return None
    if all(step["cache_hit"] for step in steps) and os.path.exists(page_path(layout)):
        return page_path(layout)
    return write_page(layout, prepared.project.title["title"])
