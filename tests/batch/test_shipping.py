"""What is sent of a unit, and what a worker does with it before it runs anything."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from batch.catalogue import command_titles
from recomp.batch import worker
from recomp.batch.approval import make_key, read_key, sign
from recomp.batch.asking import staged
from recomp.batch.objects import Objects, blob_name
from recomp.batch.shipping import pack, segments
from recomp.batch.staging import contents, unit_digest
from recomp.batch.units import units
from recomp.config.automation import STEPS
from recomp.config.batch import load
from recomp.engine.fingerprint import StatCache

HYBRID = {
    "execution_mode": "hybrid", "max_cost_usd": 9, "usd_per_hour": 1, "max_runtime_minutes": 600,
    "redaction_profile": "strict", "allowed_models": [], "private_hosts": [os.uname().nodename],
}  # fmt: skip


class Place:
    """A packed unit, its store, and a worker to give it to."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, key: str = "", **policy: Any) -> None:
        path, (self.project,) = command_titles(root, 1)
        values = json.loads(path.read_text())
        path.write_text(json.dumps({**values, "policy": policy}))
        manifest = load(str(path))
        (unit,) = units(manifest)
        self.url = f"file://{root}/shared"
        self.objects = Objects(self.url)
        approvals = []
        if key:
            hashes = StatCache()
            named = {unit.name: unit_digest(contents(staged(manifest, unit, hashes), hashes))}
            approvals = [sign(read_key(key), "test", named, manifest.policy, who="somebody", valid_s=600)]
        self.payload = pack(manifest, unit, self.objects, StatCache(), approvals)
        monkeypatch.setenv(worker.ENV_FOLDER, str(root / "worker"))
        self.module = self.payload["files"]["module.json"][0]

    def execute(self) -> tuple[str, dict[str, Any]]:
        kind, facts = json.loads(worker.execute(json.dumps({"name": "t0", "payload": self.payload, "store": self.url})))
        return kind, facts


def test_a_unit_is_sent_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, monkeypatch)
    assert place.objects.has(blob_name(place.module))
    kind, facts = place.execute()
    assert kind == "ended" and facts["status"] == "passed"
    assert place.objects.get_blob(facts["page_sha256"])


def test_of_a_proprietary_program_only_the_hash_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that has the file among its own inputs runs it, another cannot."""
    place = Place(tmp_path, monkeypatch, **HYBRID)
    assert place.payload["is_private"] and not place.objects.has(blob_name(place.module))
    _, facts = place.execute()
    assert facts["status"] == "failed" and f"blob {place.module} is not in" in facts["error"]
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "any name").write_bytes(place.project.module)
    monkeypatch.setenv(worker.ENV_INPUTS, str(tmp_path / "vault"))
    _, facts = place.execute()
    assert facts["status"] == "passed", facts
    assert not place.objects.has(blob_name(place.module))


def test_a_worker_asks_the_gates_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the batch's policy under its own name, and by its own policy, whatever the coordinator let through."""
    place = Place(tmp_path, monkeypatch, **{**HYBRID, "private_hosts": ["vault-7"]})
    _, facts = place.execute()
    assert facts["exit_code"] == 3 and "is none of vault-7" in facts["error"]
    own = tmp_path / "policy.toml"
    own.write_text('execution_mode = "cloud"\nallowed_models = []\nmax_cost_usd = 1\n')
    monkeypatch.setenv(worker.ENV_POLICY, str(own))
    place = Place(tmp_path / "other", monkeypatch, **HYBRID)
    _, facts = place.execute()
    assert facts["exit_code"] == 3 and "policy.redaction_profile is not set" in facts["error"]
    assert not (tmp_path / "other" / "worker" / "units").exists()


def test_a_worker_checks_the_signature_by_the_keys_that_it_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {who: make_key(str(tmp_path / who)) for who in ("ada", "eve")}
    signed = {**HYBRID, "requires_approval": True, "approvers": list(keys.values())}
    own = tmp_path / "policy.toml"
    bounds = "".join(f"{name} = 100\n" for name in ("max_cost_usd", "usd_per_hour", "max_runtime_minutes"))
    own.write_text(
        f'execution_mode = "cloud"\nrequires_approval = true\napprovers = ["{keys["ada"]}"]\n{bounds}'
        f'redaction_profile = "x"\nallowed_models = []\nprivate_hosts = ["{os.uname().nodename}"]\n'
    )
    monkeypatch.setenv(worker.ENV_POLICY, str(own))
    monkeypatch.setenv(worker.ENV_INPUTS, str(tmp_path / "ada-batch" / "t0"))
    for who, expected in (("ada", "passed"), ("eve", "failed")):
        place = Place(tmp_path / f"{who}-batch", monkeypatch, key=str(tmp_path / who), **signed)
        _, facts = place.execute()
        assert facts["status"] == expected, facts
    assert "is none of the approvers" in facts["error"] and facts["exit_code"] == 3


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "a/../../outside"])
def test_a_file_outside_the_units_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    place = Place(tmp_path, monkeypatch)
    place.payload["files"][name] = place.payload["files"]["title.toml"]
    _, facts = place.execute()
    assert facts["status"] == "failed" and "lies outside its folder" in facts["error"]


def test_a_file_that_is_not_what_was_sent_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path, monkeypatch)
    (tmp_path / "shared" / blob_name(place.module)).write_bytes(b"something else")
    _, facts = place.execute()
    assert facts["status"] == "failed" and f"blob {place.module} is not in" in facts["error"]


def test_segments_follow_the_kinds_of_worker() -> None:
    assert segments(None) == [("build", STEPS)]
    found = segments({"run": "capture", "capture": "capture"})
    assert [(kind, until[-1]) for kind, until in found] == [
        ("build", "build"), ("capture", "capture"), ("build", "archive"),
    ]  # fmt: skip
