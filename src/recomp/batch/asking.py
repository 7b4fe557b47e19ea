"""What the gates are asked about: a unit, by the digest of what it would really run."""

from __future__ import annotations

import os
import time
from typing import Any

from recomp.batch.approval import read_approval
from recomp.batch.gates import Asked, Gates, over_budget, refusals, refuse
from recomp.batch.ledger import Ledger
from recomp.batch.staging import Staged, contents, plan_files, title_policy, unit_digest
from recomp.batch.units import Unit
from recomp.config.batch import Manifest
from recomp.config.document import resolve_path
from recomp.engine.fingerprint import StatCache


def staged(manifest: Manifest, unit: Unit, hashes: StatCache) -> Staged:
    """The files of a unit, with what the batch's policy says in its automation.toml. Raises ConfigError."""
    return plan_files(manifest, unit, hashes, title_policy(manifest.policy))


def ask(manifest: Manifest, unit: Unit, files: dict[str, tuple[str, int, bool]]) -> Asked:
    return Asked(manifest.raw["batch_id"], unit.name, unit_digest(files), unit.entry["inputs"]["asset_class"])


def approvals_of(manifest: Manifest) -> list[dict[str, Any]]:
    """The approval records that the policy names. Raises ConfigError."""
    return [read_approval(resolve_path(manifest.folder, path)) for path in manifest.policy["approvals"] or []]


def check_here(manifest: Manifest, unit: Unit, files: dict[str, tuple[str, int, bool]], committed_s: float) -> None:
    """What a worker asks before it runs anything, by its own clock and name; `committed_s` as in `Gates`. Raises
    GateError."""
    host = os.uname().nodename
    approvals = approvals_of(manifest)
    found = refusals(manifest.policy, ask(manifest, unit, files), approvals, now_s=time.time(), host=host)
    found += over_budget(manifest.policy, unit.name, committed_s)
    if found:
        raise refuse(found, f"{unit.name}: worker {host}")


class Door:
    """The gates as a coordinator asks them: `admit` and `spent` are its callbacks, noted in the ledger, so that the
    budget also counts what a killed run of the same batch has spent."""

    def __init__(self, manifest: Manifest, ledger: Ledger, hashes: StatCache) -> None:
        self._manifest, self._ledger, self._hashes = manifest, ledger, hashes
        self.is_hard = manifest.policy["execution_mode"] != "local"
        approvals = approvals_of(manifest) if self.is_hard else []
        self._gates = Gates(manifest.policy, approvals, before_s=ledger.unsettled_s())

    def check(self, units: list[Unit]) -> None:
        """Before anything is submitted, and before anything is written. Raises GateError."""
        if self.is_hard:
            self._gates.check([self._ask(unit) for unit in units])

    def admit(self, unit: Unit) -> str | None:
        if not self.is_hard:
            return None
        found = self._gates.admit(self._ask(unit))
        if found:
            return "; ".join(f"{item.gate}: {item.why} ({item.cure})" for item in found)
        self._ledger.event("reserved", unit=unit.name, seconds=self._manifest.policy["title_minutes"] * 60)
        return None

    def committed(self) -> dict[str, float]:
        """What a worker is told of the budget, so that it can ask its own policy."""
        return {"committed_s": self._gates.committed_s} if self.is_hard else {}

    def spent(self, unit: Unit, seconds: float) -> None:
        if self.is_hard:
            self._gates.settle(unit.name, seconds)
            self._ledger.event("spent", unit=unit.name, seconds=round(seconds, 3))

    def _ask(self, unit: Unit) -> Asked:
        files = contents(staged(self._manifest, unit, self._hashes), self._hashes)
        return ask(self._manifest, unit, files)
