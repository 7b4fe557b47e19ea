"""What a batch remembers, whatever a kill left of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from batch.catalogue import manifest as values
from batch.catalogue import title, write_manifest, write_programs
from recomp.batch.ledger import Ledger, regressions, snapshot, title_status
from recomp.batch.units import units
from recomp.config.batch import load


def begun(root: Path) -> Ledger:
    ledger = Ledger(str(root))
    ledger.begin()
    return ledger


def test_events_of_a_killed_run_are_folded_over_the_last_finished_one(tmp_path: Path) -> None:
    first = begun(tmp_path)
    first.set_unit("a", status="passed")
    first.set_unit("b", status="failed", error="no")
    first.finish({"counts": {}})
    second = begun(tmp_path)
    second.set_unit("b", status="passed")
    second.set_unit("c", status="running", deaths=2)
    second.close()  # and no more: killed
    third = Ledger(str(tmp_path))
    assert {name: entry["status"] for name, entry in third.entries.items()} == {
        "a": "passed", "b": "passed", "c": "running",
    }  # fmt: skip
    assert third.entries["c"]["deaths"] == 2
    assert third.baseline == {"a": "passed", "b": "failed"}
    assert third.begin() == 3 and third.entries["c"]["status"] == "pending"


def test_torn_lines_are_left_out(tmp_path: Path) -> None:
    ledger = begun(tmp_path)
    ledger.set_unit("a", status="passed")
    ledger.close()
    with open(tmp_path / ".recomp-batch" / "runs" / "000001" / "events.jsonl", "ab") as file:
        file.write(b'{"event": "unit", "unit": "a", "sta')
    (tmp_path / ".recomp-batch" / "history.jsonl").write_bytes(b'{"run": 1, "ti')
    again = begun(tmp_path)
    assert again.entries["a"]["status"] == "passed"
    again.finish({"counts": {"passed": 1}})
    assert [row["run"] for row in again.history()] == [2]


def test_regressions_are_what_ended_worse_than_in_the_last_batch() -> None:
    baseline = {"a": "passed", "b": "failed", "c": "passed", "d": "needs_review"}
    entries = {name: {"status": status} for name, status in
               [("a", "needs_review"), ("b", "failed"), ("c", "passed"), ("d", "failed"), ("e", "failed")]}  # fmt: skip
    found = regressions(baseline, entries, list("abcdef"))
    assert [(r.unit, r.before, r.after) for r in found] == [
        ("a", "passed", "needs_review"), ("d", "needs_review", "failed"), ("e", "new", "failed"),
    ]  # fmt: skip


def test_a_title_is_as_bad_as_its_worst_variant() -> None:
    assert title_status(["passed", "failed", "needs_review"]) == "failed"
    assert title_status(["passed", "running"]) == "running"
    assert title_status(["passed", "passed"]) == "passed"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_snapshot_is_json_as_one_would_write_it(tmp_path: Path, count: int) -> None:
    write_programs(tmp_path, 1)
    manifest = load(str(write_manifest(tmp_path, values([title(f"t{n}", elf="p0001") for n in range(count)]))))
    ledger = Ledger(str(tmp_path / "out"))
    ledger.entries["t1"] = {"status": "passed", "artifacts": [{"path": "out/port", "sha256": "0" * 64}]}
    grouped = {unit.title: [unit] for unit in units(manifest)}
    written = snapshot(manifest.raw, grouped, ledger)
    read = json.loads(written)
    assert written == (json.dumps(read, indent=1) + "\n").encode()
    assert [entry["status"] for entry in read["titles"]] == ["pending", "passed", "pending"][:count]
    assert [len(entry["artifacts"]) for entry in read["titles"]] == [0, 1, 0][:count]
