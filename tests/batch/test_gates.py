"""Each gate refuses (exit 3, naming what would satisfy it, nothing run) and lets through what satisfies it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from batch.catalogue import command_titles
from conftest import run_cli
from recomp.batch.approval import make_key, objection, read_key, sign
from recomp.batch.gates import Asked, Gates, refusals
from recomp.batch.ledger import Ledger
from recomp.config.batch import load
from recomp.errors import GateError

ALLOWED: dict[str, Any] = {
    "execution_mode": "cloud", "max_cost_usd": 100, "usd_per_hour": 1, "max_runtime_minutes": 600, "title_minutes": 5,
    "redaction_profile": "strict", "allowed_models": [], "private_hosts": [os.uname().nodename],
}  # fmt: skip
NOON = time.mktime((2026, 11, 23, 12, 0, 0, 0, 0, -1))  # a Monday


def batch_with(root: Path, **policy: Any) -> Path:
    path, _ = command_titles(root, 2)
    values = json.loads(path.read_text())
    values["policy"] = {key: value for key, value in {**ALLOWED, **policy}.items() if value is not None}
    path.write_text(json.dumps(values))
    return path


def refused(path: Path) -> str:
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 3, done.stderr
    assert not (path.parent / "out" / "titles").exists()
    return done.stderr


def test_what_satisfies_every_gate_runs_and_says_where_it_ran(tmp_path: Path) -> None:
    path = batch_with(tmp_path)
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "out/titles/t0/default/out/run-manifest.json").read_text())
    assert manifest["execution_mode"] == "cloud" and manifest["policy"]["redaction_profile"] == "strict"


def test_bounds_that_nobody_chose_are_refused_all_at_once(tmp_path: Path) -> None:
    names = ("max_cost_usd", "usd_per_hour", "max_runtime_minutes", "redaction_profile", "allowed_models")
    said = refused(batch_with(tmp_path, **dict.fromkeys(names)))
    for name in names:
        assert f"policy.{name} is not set" in said and f"set policy.{name}" in said


def test_a_proprietary_program_needs_a_machine_that_it_may_lie_on(tmp_path: Path) -> None:
    assert "set policy.private_hosts" in refused(batch_with(tmp_path, private_hosts=None))


def test_a_worker_on_another_machine_refuses_a_proprietary_program(tmp_path: Path) -> None:
    """The coordinator cannot know the host; the worker does, and nothing ran there."""
    path = batch_with(tmp_path, private_hosts=["vault-7"])
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 3 and "is none of vault-7" in done.stderr
    assert not (tmp_path / "out" / "titles").exists()
    values = json.loads(path.read_text())
    for title in values["titles"]:
        title["inputs"]["asset_class"] = "public"
    path.write_text(json.dumps(values))
    assert run_cli("batch", "run", str(path)).returncode == 0


def test_an_approval_is_asked_for_given_and_voided_by_a_change(tmp_path: Path) -> None:
    done = run_cli("batch", "keygen", str(tmp_path / "key"))
    public = done.stdout.split('"')[1]
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    path = batch_with(tmp_path, requires_approval=True, approvers=[public], approvals=["approval.json"])
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 2 and "recomp batch approve makes one" in done.stderr
    signed = run_cli("batch", "approve", str(path), "--key", str(tmp_path / "key"), "--who", "Ada")
    assert signed.returncode == 0 and "Ada has signed for 2 units of test" in signed.stdout
    record = json.loads((tmp_path / "approval.json").read_text())
    assert sorted(record["units"]) == ["t0", "t1"] and record["stages"] == ["*"]
    assert run_cli("batch", "run", str(path)).returncode == 0
    with open(tmp_path / "t1" / "title.toml", "a") as file:
        file.write("# another word\n")
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 3 and "what the unit is made from has changed since" in done.stderr
    assert "recomp batch approve MANIFEST --key KEY" in done.stderr


def test_a_key_that_is_no_approver_cannot_sign(tmp_path: Path) -> None:
    path = batch_with(tmp_path, requires_approval=True, approvers=["0" * 64])
    run_cli("batch", "keygen", str(tmp_path / "key"))
    done = run_cli("batch", "approve", str(path), "--key", str(tmp_path / "key"))
    assert done.returncode == 2 and "is none of policy.approvers" in done.stderr
    assert "nobody has signed for t0" in refused(path)


def policy_of(tmp_path: Path, **changes: Any) -> dict[str, Any]:
    return load(str(batch_with(tmp_path, **changes))).policy


@pytest.mark.parametrize("change", ["signature", "batch_id", "expires", "policy", "key"])
def test_a_record_that_was_tampered_with_counts_for_nothing(tmp_path: Path, change: str) -> None:
    public = make_key(str(tmp_path / "key"))
    policy = policy_of(tmp_path, requires_approval=True, approvers=[public])
    record = sign(read_key(str(tmp_path / "key")), "test", {"t0": "00"}, policy, who="Ada", valid_s=60)
    assert objection(record, [public], "test", policy, time.time()) is None
    assert "expired" in str(objection(record, [public], "test", policy, time.time() + 61))
    changed = {**record, change: "9" * len(record[change])}
    assert objection(changed, [public], "test", policy, time.time()) is not None


def test_an_approval_is_for_one_batch_and_one_policy(tmp_path: Path) -> None:
    public = make_key(str(tmp_path / "key"))
    policy = policy_of(tmp_path, requires_approval=True, approvers=[public])
    record = sign(read_key(str(tmp_path / "key")), "test", {"t0": "00"}, policy, who="Ada", valid_s=60)
    assert objection(record, [public], "other", policy, time.time()) == 'it is for batch "test"'
    dearer = {**policy, "max_cost_usd": 1000}
    assert objection(record, [public], "test", dearer, time.time()) == "the policy has changed since"


@pytest.mark.parametrize(
    ("windows", "minutes", "passes"),
    [(["weekday:09:00-18:00"], 5, True), (["weekday:09:00-12:03"], 5, False), (["weekend:00:00-24:00"], 5, False)],
)
def test_a_title_starts_only_when_it_can_end_within_the_window(
    tmp_path: Path, windows: list[str], minutes: int, passes: bool
) -> None:
    policy = policy_of(tmp_path, run_windows=windows, title_minutes=minutes)
    found = refusals(policy, Asked("test", "t0", "00", "public"), [], now_s=NOON, host=None)
    assert [item.gate for item in found] == ([] if passes else ["run window"])
    assert all("run within a window" in item.cure for item in found)


@pytest.mark.parametrize(
    ("bound", "gate"), [({"max_runtime_minutes": 12}, "run time budget"), ({"max_cost_usd": 0.2}, "cost budget")]
)
def test_the_worst_case_of_what_runs_can_never_pass_the_budget(tmp_path: Path, bound: dict, gate: str) -> None:
    """Twelve minutes, or 20 cents at a dollar an hour: two attempts of at most five minutes at once, never three."""
    gates = Gates(policy_of(tmp_path, **bound), [], clock=lambda: NOON)
    asked = [Asked("test", f"t{number}", "00", "public") for number in range(3)]
    assert gates.admit(asked[0]) == gates.admit(asked[1]) == []
    (refusal,) = gates.admit(asked[2])
    assert refusal.gate == gate and "raise policy.max_" in refusal.cure
    gates.settle("t0", 60.0)
    assert gates.admit(asked[2]) == []
    gates.settle("t1", 1000.0)  # no more than was set aside
    assert gates.spent_s == 360.0


def test_a_budget_that_is_used_up_ends_the_batch(tmp_path: Path) -> None:
    path = batch_with(tmp_path, max_runtime_minutes=4)
    done = run_cli("batch", "run", str(path))
    assert (
        done.returncode == 3 and "run time budget" in done.stderr and "raise policy.max_runtime_minutes" in done.stderr
    )


def test_what_a_killed_run_set_aside_counts_as_spent(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path))
    ledger.begin()
    ledger.event("reserved", unit="a", seconds=300)
    ledger.event("spent", unit="a", seconds=10)
    ledger.event("reserved", unit="b", seconds=300)
    ledger.close()
    again = Ledger(str(tmp_path))
    assert again.unsettled_s() == 310
    again.begin()
    again.finish({"counts": {}})
    assert Ledger(str(tmp_path)).unsettled_s() == 0


def test_local_mode_asks_nobody(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, execution_mode="local", max_cost_usd=None)
    assert refusals(policy, Asked("test", "t0", "00", "proprietary"), [], now_s=NOON, host="x") == []
    with pytest.raises(GateError, match="max_cost_usd"):
        cloud = {**policy, "execution_mode": "hybrid"}
        Gates(cloud, [], clock=lambda: NOON).check([Asked("test", "t0", "00", "public")])
