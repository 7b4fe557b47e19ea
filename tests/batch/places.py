"""A unit that was sent, and a worker to give it to: what stands between a coordinator and a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from batch.catalogue import command_titles
from recomp.batch import worker
from recomp.batch.approval import read_key, sign
from recomp.batch.asking import staged
from recomp.batch.objects import Objects
from recomp.batch.shipping import pack
from recomp.batch.staging import contents, unit_digest
from recomp.batch.units import units
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
        task = {"name": "t0", "payload": {**self.payload, "committed_s": 60.0}, "store": self.url}
        kind, facts = json.loads(worker.execute(json.dumps(task)))
        return kind, facts
