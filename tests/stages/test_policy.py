"""Gates: recorded in local mode, hard elsewhere, each saying what would satisfy it."""

from __future__ import annotations

import time

import pytest

from builders import ProjectFolder
from recomp.cli.main import main
from recomp.stages.policy import in_window, refused

OPEN = {
    "execution_mode": "cloud", "requires_approval": False, "approval": None,
    "max_cost_usd": 1, "max_runtime_minutes": 5,
    "redaction_profile": "strict", "allowed_models": [], "run_windows": None,
}  # fmt: skip
MONDAY_NOON = time.struct_time((2026, 1, 5, 12, 0, 0, 0, 5, 0))


def test_everything_set_passes() -> None:
    assert refused(OPEN, "run-1", MONDAY_NOON) == []


@pytest.mark.parametrize(
    "change, gate",
    [
        ({"max_cost_usd": None}, "cost bound"),
        ({"max_runtime_minutes": None}, "run time bound"),
        ({"redaction_profile": None}, "redaction profile"),
        ({"allowed_models": None}, "allowed models"),
        ({"requires_approval": True}, "approval"),
        ({"requires_approval": True, "approval": "run-2"}, "approval"),
        ({"run_windows": ["weekend:00:00-24:00"]}, "run window"),
    ],
)
def test_each_gate_refuses_and_names_its_cure(change: dict, gate: str) -> None:
    found = refused({**OPEN, **change}, "run-1", MONDAY_NOON)
    assert [item[0] for item in found] == [gate]
    assert found[0][2]
    assert refused({**OPEN, **change, "execution_mode": "local"}, "run-1", MONDAY_NOON) == []


def test_an_approval_is_for_one_run() -> None:
    assert refused({**OPEN, "requires_approval": True, "approval": "run-1"}, "run-1", MONDAY_NOON) == []


@pytest.mark.parametrize(
    "window, inside",
    [
        ("weekday:09:00-18:00", True), ("weekday:12:01-18:00", False), ("weekday:09:00-12:00", False),
        ("weekend:00:00-24:00", False), ("daily:22:00-12:01", True), ("sun:22:00-12:01", True),
        ("tue:00:00-24:00", False),
    ],
)  # fmt: skip
def test_windows(window: str, inside: bool) -> None:
    assert in_window(window, MONDAY_NOON) is inside


def test_section_9_a_refused_run_exits_3_before_any_stage(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.with_commands()
    folder.config["policy"] = {"execution_mode": "cloud", "requires_approval": True}
    assert main(["automate", "--config", str(folder.write())]) == 3
    assert "approval: run run-" in capsys.readouterr().err
    assert folder.manifest()["steps"] == []
    assert folder.manifest()["status"] == "blocked"


def test_an_approved_run_goes_on_and_a_cached_one_asks_nobody(folder: ProjectFolder) -> None:
    folder.with_commands()
    policy = {
        "execution_mode": "cloud", "requires_approval": True, "max_cost_usd": 0, "max_runtime_minutes": 5,
        "redaction_profile": "none", "allowed_models": [],
    }  # fmt: skip
    folder.config["policy"] = policy
    assert main(["automate", "--config", str(folder.write())]) == 3
    folder.config["policy"] = {**policy, "approval": folder.manifest()["run_id"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    folder.config["policy"] = policy
    assert main(["automate", "--config", str(folder.write())]) == 0
