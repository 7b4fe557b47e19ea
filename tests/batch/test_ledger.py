"""What a batch remembers, whatever a kill left of it."""

from __future__ import annotations

from pathlib import Path

from recomp.batch.ledger import Ledger, regressions, title_status


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
