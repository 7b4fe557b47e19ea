"""What a batch remembers: an event log for each of its runs, and what each unit's last outcome was.

    .recomp-batch/lock                     held by the coordinator
    .recomp-batch/runs/NNNNNN/events.jsonl append-only, one event a line; a torn last line is what a kill leaves
    .recomp-batch/runs/NNNNNN/summary.json written when the run has ended, and only then
    .recomp-batch/history.jsonl            a line a finished run: the counts, for the report
    batch-manifest.json                    the manifest with the status and the artefacts of every title

The state is the last summary with the events since folded over it, so that a kill at any instant loses at most the
event in the making. Times of day stand here, never in what is compared.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from recomp.batch.units import Unit
from recomp.engine.files import has_keys, remove_tree, write_all, write_atomic

SCHEMA_VERSION = "v1"
#: runs whose details are kept: the last one is what regressions are measured against
KEPT_RUNS = 5
_FACTS = ("status", "fingerprint", "run_id", "error", "hint", "seconds", "steps", "artifacts", "page", "deaths", "log")
_ENTRY = {"status": str}


class Ledger:
    """The record of one batch, and of the run of it that is in the making once `begin` was called."""

    def __init__(self, work_root: str) -> None:
        self.work_root = work_root
        self.folder = os.path.join(work_root, ".recomp-batch")
        self.runs_dir = os.path.join(self.folder, "runs")
        self.entries: dict[str, dict[str, Any]] = {}
        self.baseline: dict[str, str] = {}
        self.number = 0
        self._fd: int | None = None
        self._load()

    def _load(self) -> None:
        numbers = self.numbers()
        finished = [number for number in numbers if os.path.exists(self._path(number, "summary.json"))]
        start = finished[-1] if finished else 0
        if finished:
            summary = read_json(self._path(start, "summary.json"))
            units = summary.get("units") if isinstance(summary, dict) else None
            self.entries = {k: v for k, v in (units or {}).items() if has_keys(v, _ENTRY)}
            self.baseline = {name: entry["status"] for name, entry in self.entries.items()}
        for number in numbers:
            if number > start:
                for event in read_events(self._path(number, "events.jsonl")):
                    self._fold(event)

    def numbers(self) -> list[int]:
        """The runs that are remembered, oldest first."""
        try:
            return sorted(int(name) for name in os.listdir(self.runs_dir) if name.isdigit())
        except OSError:
            return []

    def _path(self, number: int, name: str) -> str:
        return os.path.join(self.runs_dir, f"{number:06d}", name)

    def _fold(self, event: dict[str, Any]) -> None:
        if event.get("event") == "unit" and has_keys(event, {"unit": str, "status": str}):
            entry = self.entries.setdefault(event["unit"], {"status": "pending"})
            entry.update({key: event[key] for key in _FACTS if key in event})

    # Writing

    def begin(self) -> int:
        """A new run; the caller holds the lock."""
        self.number = (self.numbers() or [0])[-1] + 1
        os.makedirs(os.path.dirname(self._path(self.number, "")), exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._fd = os.open(self._path(self.number, "events.jsonl"), flags, 0o644)
        for entry in self.entries.values():
            if entry["status"] == "running":  # of a run that was killed
                entry["status"] = "pending"
        self.event("begun", pid=os.getpid(), host=os.uname().nodename)
        return self.number

    def event(self, kind: str, **facts: Any) -> None:
        assert self._fd is not None
        event = {"event": kind, "time": now(), "run": self.number, **facts}
        write_all(self._fd, json.dumps(event, ensure_ascii=False).encode() + b"\n")

    def set_unit(self, name: str, **facts: Any) -> None:
        """The status of a unit, and whatever else is known of it now."""
        self.event("unit", unit=name, **facts)
        self._fold({"event": "unit", "unit": name, **facts})

    def finish(self, facts: dict[str, Any]) -> None:
        """The run has come to its end: what it found is what the next one is measured against."""
        self.event("ended", **facts)
        summary = {"schema_version": SCHEMA_VERSION, "run": self.number, "time": now(), **facts, "units": self.entries}
        with open(os.path.join(self.folder, "history.jsonl"), "ab") as file:
            # on a line of its own, whatever a kill left before it
            file.write(b"\n" + json.dumps({"run": self.number, "time": now(), **facts}).encode() + b"\n")
        write_atomic(self._path(self.number, "summary.json"), dump_units(summary))
        self.close()
        for number in self.numbers()[:-KEPT_RUNS]:
            remove_tree(os.path.dirname(self._path(number, "")))

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    # Reading

    def unsettled_s(self) -> float:
        """Working time that runs have spent since the last finished one; what was set aside and never settled, because
        of a kill, counts whole."""
        total = 0.0
        for number in reversed(self.numbers()):
            if os.path.exists(self._path(number, "summary.json")):
                break
            if number == self.number:
                continue
            reserved: dict[str, float] = {}
            for event in read_events(self._path(number, "events.jsonl"), {"event": str, "unit": str}):
                seconds = event.get("seconds")
                if event["event"] == "reserved" and isinstance(seconds, int | float):
                    reserved[event["unit"]] = seconds
                elif event["event"] == "spent" and isinstance(seconds, int | float):
                    total += min(seconds, reserved.pop(event["unit"], 0.0))
            total += sum(reserved.values())
        return total

    def history(self) -> list[dict[str, Any]]:
        """The counts of every finished run, oldest first."""
        rows = read_events(os.path.join(self.folder, "history.jsonl"), {"run": int, "time": str, "counts": dict})
        return list({row["run"]: row for row in rows}.values())

    def status_of(self, unit: Unit) -> str:
        return self.entries.get(unit.name, {}).get("status", "pending")


class Regression(NamedTuple):
    unit: str
    before: str
    after: str
    error: str | None


_RANK = {"passed": 2, "needs_review": 1, "failed": 0}


def regressions(baseline: dict[str, str], entries: dict[str, dict[str, Any]], names: list[str]) -> list[Regression]:
    """The units that ended worse than in the last batch; what that did not know is expected to pass."""
    found = []
    for name in names:
        entry = entries.get(name, {"status": "pending"})
        before, after = baseline.get(name, "passed"), entry["status"]
        if after in _RANK and _RANK[after] < _RANK.get(before, 2):
            found.append(Regression(name, before if name in baseline else "new", after, entry.get("error")))
    return found


def title_status(statuses: list[str]) -> str:
    """The status of a title with these variants."""
    return next((s for s in ("running", "failed", "needs_review", "pending") if s in statuses), "passed")


def counts(statuses: list[str]) -> dict[str, int]:
    return {s: statuses.count(s) for s in ("passed", "failed", "needs_review", "running", "pending")}


def snapshot(raw: dict[str, Any], grouped: dict[str, list[Unit]], ledger: Ledger) -> bytes:
    """The manifest with the status and the artefacts of every title: the same for the same results."""
    head = _without_none({key: value for key, value in raw.items() if key != "titles"})
    before, _, after = json.dumps({**head, "titles": []}, indent=1).rpartition("[]")
    # a title at a time: a copy of a whole catalogue would be what needs most memory of all
    titles = (json.dumps(_title(entry, grouped, ledger), indent=1) for entry in raw["titles"])
    listed = ",".join("\n  " + title.replace("\n", "\n  ") for title in titles)
    return f"{before}[{listed}\n ]{after}\n".encode() if listed else f"{before}[]{after}\n".encode()


def _title(entry: dict[str, Any], grouped: dict[str, list[Unit]], ledger: Ledger) -> dict[str, Any]:
    known = [(unit, ledger.entries.get(unit.name, {})) for unit in grouped.get(entry["title_id"], [])]
    artifacts = [{"variant": unit.variant, **item} for unit, facts in known for item in facts.get("artifacts") or []]
    status = title_status([facts.get("status", "pending") for _, facts in known])
    found: dict[str, Any] = _without_none({**entry, "status": status, "artifacts": artifacts})
    return found


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def dump_units(summary: dict[str, Any]) -> bytes:
    return (json.dumps(summary, ensure_ascii=False) + "\n").encode()


def read_json(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return None


def read_events(path: str, shape: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    """The events of a log; lines that are not whole are left out."""
    try:
        with open(path, "rb") as file:
            for line in file:
                try:
                    event = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if has_keys(event, shape or {"event": str}):
                    yield event
    except OSError:
        return


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
