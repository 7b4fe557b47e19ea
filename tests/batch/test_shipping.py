"""What is sent of a unit, and what a worker does with it before it runs anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from batch.places import HYBRID, Place
from recomp.batch import worker
from recomp.batch.approval import make_key
from recomp.batch.executor import Task
from recomp.batch.objects import blob_name
from recomp.batch.shipping import segments, wanted
from recomp.config.automation import STEPS


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


def test_a_units_time_is_that_of_all_its_parts() -> None:
    """A later part, on another worker, has what the parts before left."""
    task = Task("t0", 1, {"deadline_s": 300})
    first = wanted(task, "file:///s", ("build", ("intake",)), False, 0.0)
    last = wanted(task, "file:///s", ("build", STEPS), True, 290.5)
    assert (first["payload"]["deadline_s"], first["until"]) == (300, ("intake",))
    assert (last["payload"]["deadline_s"], last["until"]) == (9.5, None)
