"""What happened in each run of a work root: `runs/NNNNNN/` with an event log, a status file and the manifest.

The log is append-only JSON Lines, one event a line; a torn last line is what a kill leaves and is skipped by readers.
Times of day stand here and nowhere else.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

from recomp.engine.files import has_keys, naming, remove_tree, write_all, write_atomic
from recomp.engine.lock import start_time
from recomp.engine.reporter import Reporter

SCHEMA_VERSION = "1"
KEPT_RUNS = 30
_TEXT = (str, type(None))
_STATUS = {
    "run": int, "run_id": _TEXT, "state": str, "stage": _TEXT, "pid": int, "requested_at": str, "stages_done": int,
    "stages_cached": int, "stages": list, "error": _TEXT,
}  # fmt: skip
_COMPLETED = {"stage": str, "status": str, "cache_hit": bool, "found": str}
ACTIVE = ("queued", "running")
STATES = ("queued", "running", "blocked", "failed", "succeeded", "interrupted")


class Journal(Reporter):
    """The record of one run in the making."""

    def __init__(self, runs_dir: str) -> None:
        os.makedirs(runs_dir, exist_ok=True)
        self._runs_dir = runs_dir
        self.number, self.folder = _new_folder(runs_dir)
        path = os.path.join(self.folder, "events.jsonl")
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._status: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION, "run": self.number, "run_id": None, "state": "queued",
            "stage": None, "pid": os.getpid(), "pid_started": start_time(os.getpid()), "host": os.uname().nodename,
            "requested_at": _now(), "stages_done": 0, "stages_cached": 0, "stages": [],
            "error": None,
        }  # fmt: skip
        try:
            self._event("recomp.run.requested", {})
            self._save()
        except OSError:
            self.close()
            raise

    def run_started(self, run_id: str, stages: tuple[str, ...]) -> None:
        self._status.update(run_id=run_id, state="running", stages=list(stages))
        self._event("recomp.run.started", {"stages": list(stages)})
        self._save()

    def round_started(self, number: int, reason: str) -> None:
        self._status.update(stages_done=0, stages_cached=0)
        self._event("recomp.run.round.started", {"round": number, "reason": reason})

    def stage_started(self, name: str, reason: str) -> None:
        self._status["stage"] = name
        self._event("recomp.run.stage.started", {"stage": name, "reason": reason})
        self._save()

    def stage_finished(self, step: dict[str, Any], found: str, reason: str) -> None:
        self._status["stage"] = None
        self._status["stages_done"] += 1
        self._status["stages_cached"] += step["cache_hit"]
        facts = {key: step[key] for key in ("status", "cache_hit", "cache_key", "duration_ms", "stage_attempt")}
        self._event("recomp.run.stage.completed", {"stage": step["name"], **facts, "found": found, "reason": reason})
        if step["name"] == "validate":
            self._event("recomp.run.validation.completed", {"status": step["status"], "found": found})

    def finished(self, state: str, error: str | None, manifest: bytes | None = None) -> None:
        """The end, in one of the last four of STATES; older runs than the last KEPT_RUNS are forgotten."""
        self.gave_up(state, error)
        if manifest is not None:
            write_atomic(os.path.join(self.folder, "manifest.json"), manifest, durable=False)
        for number in list_runs(self._runs_dir)[:-KEPT_RUNS]:
            if not _is_alive(self._runs_dir, number):  # one may be waiting for its turn
                remove_tree(run_folder(self._runs_dir, number))

    def gave_up(self, state: str, error: str | None) -> None:
        """The end of a run that never had its turn: it forgets no others."""
        self._status.update(state=state, stage=None, error=error)
        self._event("recomp.run.completed", {"state": state, "error": error})
        self._save()

    def close(self) -> None:
        os.close(self._fd)

    def _event(self, kind: str, facts: dict[str, Any]) -> None:
        event = {
            "schema_version": SCHEMA_VERSION, "event": kind, "time": _now(), "run": self.number,
            "run_id": self._status["run_id"], **facts,
        }  # fmt: skip
        with naming(os.path.join(self.folder, "events.jsonl")):
            write_all(self._fd, json.dumps(event, ensure_ascii=False).encode() + b"\n")

    def _save(self) -> None:
        data = json.dumps({**self._status, "updated_at": _now()}, indent=2).encode() + b"\n"
        write_atomic(os.path.join(self.folder, "status.json"), data, durable=False)


def _is_alive(runs_dir: str, number: int) -> bool:
    """Whether a process of this host still works on that run."""
    status = read_status(runs_dir, number)
    return status is not None and status["state"] in ACTIVE and status.get("host") == os.uname().nodename


def _new_folder(runs_dir: str) -> tuple[int, str]:
    number = (list_runs(runs_dir) or [0])[-1] + 1
    while True:
        try:
            os.mkdir(run_folder(runs_dir, number))
            return number, run_folder(runs_dir, number)
        except FileExistsError:
            number += 1


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def run_folder(runs_dir: str, number: int) -> str:
    return os.path.join(runs_dir, f"{number:06d}")


def list_runs(runs_dir: str) -> list[int]:
    """Numbers of the remembered runs, oldest first."""
    try:
        return sorted(int(name) for name in os.listdir(runs_dir) if name.isdigit())
    except FileNotFoundError:
        return []


def current(runs_dir: str) -> int | None:
    """The number of the last run that had its turn, or of the last one at all."""
    numbers = list_runs(runs_dir)
    states = ((number, read_status(runs_dir, number)) for number in reversed(numbers))
    began = (number for number, status in states if status is not None and status["state"] != "queued")
    return next(began, numbers[-1] if numbers else None)


def read_status(runs_dir: str, number: int) -> dict[str, Any] | None:
    """The status of a run, or None if it cannot be read. One that says it runs without a process was killed."""
    try:
        with open(os.path.join(run_folder(runs_dir, number), "status.json"), "rb") as file:
            status = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    if not has_keys(status, _STATUS) or status["run"] != number:
        return None
    local = status.get("host") == os.uname().nodename
    is_alive = start_time(status["pid"]) == status.get("pid_started") is not None
    if status["state"] in ACTIVE and local and not is_alive:
        status["state"] = "interrupted"
        status["error"] = "its process is gone"
    return status


def read_events(runs_dir: str, number: int) -> Iterator[dict[str, Any]]:
    """The events of a run; lines that are not whole, or no events, are left out."""
    try:
        with open(os.path.join(run_folder(runs_dir, number), "events.jsonl"), "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if has_keys(event, {"event": str}) and (
            event["event"] != "recomp.run.stage.completed" or has_keys(event, _COMPLETED)
        ):
            yield event
