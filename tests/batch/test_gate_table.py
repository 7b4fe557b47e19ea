"""Every gate, both ways and in both places: what satisfies all of them runs, and without any one of it nothing does.

Before submission the command ends with 3 and has run nothing; a worker refuses by the batch's policy, and by its own.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from batch.catalogue import command_titles
from batch.places import Place
from conftest import run_cli
from recomp.batch import worker
from recomp.batch.approval import make_key, public_hex, read_key
from recomp.batch.shipping import Bench, carry_out
from recomp.config.batch import POLICY, load

HOST = os.uname().nodename


def clock(hours: int) -> str:
    return time.strftime("%H:%M", time.localtime(time.time() + 3600 * hours))


#: gate → (what takes its satisfaction away, what the refusal says would bring it back)
GATES: dict[str, tuple[dict[str, Any], str]] = {
    "approval": ({"approvers": ["0" * 64]}, "recomp batch approve MANIFEST --key KEY"),
    "run window": ({"run_windows": [f"daily:{clock(3)}-{clock(4)}"]}, "run within a window"),
    "run time budget": ({"max_runtime_minutes": 0.5}, "raise policy.max_runtime_minutes"),
    "cost budget": ({"max_cost_usd": 0.001}, "raise policy.max_cost_usd"),
    "redaction profile": ({"redaction_profile": None}, "set policy.redaction_profile"),
    "allowed models": ({"allowed_models": None}, "set policy.allowed_models"),
    "asset separation": ({"private_hosts": None}, "set policy.private_hosts"),
}


def policy(public: str, **change: Any) -> dict[str, Any]:
    """What satisfies every gate, each of them asked."""
    values = {
        "execution_mode": "cloud", "requires_approval": True, "approvers": [public],
        "run_windows": ["daily:00:00-24:00"], "max_runtime_minutes": 60, "title_minutes": 1, "max_cost_usd": 2,
        "usd_per_hour": 1, "redaction_profile": "strict", "allowed_models": [], "private_hosts": [HOST], **change,
    }  # fmt: skip
    return {key: value for key, value in values.items() if value is not None}


def batch_run(root: Path, change: dict[str, Any]) -> tuple[int, str]:
    """The exit code and stderr of a run whose policy is changed after somebody has signed for it unchanged, but for
    what a signature is for."""
    path, _ = command_titles(root, 2)
    run_cli("batch", "keygen", str(root / "key"))
    public = public_hex(read_key(str(root / "key")))
    values = json.loads(path.read_text())

    def write(**more: Any) -> None:
        path.write_text(json.dumps({**values, "policy": policy(public, **more)}))

    signed = {key: value for key, value in change.items() if key != "approvers"}
    write(**signed)
    assert run_cli("batch", "approve", str(path), "--key", str(root / "key")).returncode == 0
    write(**change, approvals=["approval.json"])
    done = run_cli("batch", "run", str(path))
    return done.returncode, done.stderr


def test_what_satisfies_every_gate_is_let_through(tmp_path: Path) -> None:
    assert batch_run(tmp_path, {}) == (0, "")
    manifests = sorted((tmp_path / "out" / "titles").glob("*/*/out/run-manifest.json"))
    assert [json.loads(path.read_text())["execution_mode"] for path in manifests] == ["cloud", "cloud"]


@pytest.mark.parametrize("gate", GATES)
def test_before_submission_each_gate_refuses_and_says_what_would_satisfy_it(tmp_path: Path, gate: str) -> None:
    change, cure = GATES[gate]
    code, said = batch_run(tmp_path, change)
    assert code == 3 and f"{gate}: " in said and cure in said, said
    assert not (tmp_path / "out" / "titles").exists()


def own_policy(root: Path, values: dict[str, Any]) -> dict[str, Any]:
    """A worker's own policy, as it reads one."""
    path = root / "policy.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
    read = worker.read_policy(str(path))
    assert read is not None and read.keys() == POLICY.fields.keys()
    return read


def test_on_the_worker_what_satisfies_every_gate_is_let_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = make_key(str(tmp_path / "key"))
    place = Place(tmp_path / "batch", monkeypatch, key=str(tmp_path / "key"), **policy(public))
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "module").write_bytes(place.project.module)
    own_policy(tmp_path, policy(public))
    monkeypatch.setenv(worker.ENV_POLICY, str(tmp_path / "policy.toml"))
    monkeypatch.setenv(worker.ENV_INPUTS, str(tmp_path / "vault"))
    kind, facts = place.execute()
    assert (kind, facts["status"]) == ("ended", "passed"), facts


@pytest.mark.parametrize("whose", ["batch", "worker"])
@pytest.mark.parametrize("gate", GATES)
def test_on_the_worker_each_gate_refuses_by_either_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: str, whose: str
) -> None:
    change, cure = GATES[gate]
    public = make_key(str(tmp_path / "key"))
    changes = {who: change if who == whose else {} for who in ("batch", "worker")}
    place = Place(tmp_path / "batch", monkeypatch, key=str(tmp_path / "key"), **policy(public, **changes["batch"]))
    own = own_policy(tmp_path, policy(public, **changes["worker"]))
    bench = Bench(str(tmp_path / "worker"), place.url, None, own)
    facts = carry_out({**place.payload, "committed_s": 60.0}, bench, None, lambda kind, facts: None)
    assert facts["exit_code"] == 3 and f"{gate}: " in facts["error"] and cure in facts["hint"], facts
    assert not (tmp_path / "worker" / "units").exists()


def test_a_worker_that_asks_for_gates_takes_no_batch_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = make_key(str(tmp_path / "key"))
    place = Place(tmp_path / "batch", monkeypatch)
    bench = Bench(str(tmp_path / "worker"), place.url, None, own_policy(tmp_path, policy(public)))
    facts = carry_out(place.payload, bench, None, lambda kind, facts: None)
    assert facts["exit_code"] == 3 and 'set policy.execution_mode = "cloud"' in facts["hint"]
    assert load(str(tmp_path / "batch" / "batch.json")).policy["execution_mode"] == "local"
