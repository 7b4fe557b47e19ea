"""The coordinator's side of a cluster: what is sent of each unit, and what is brought back."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from recomp.batch.asking import approvals_of
from recomp.batch.executor import Executor
from recomp.batch.ledger import Ledger
from recomp.batch.local_work import unit_folder
from recomp.batch.objects import Objects
from recomp.batch.shipping import pack, segments
from recomp.batch.units import Unit
from recomp.config.batch import Manifest
from recomp.engine.files import write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.errors import ConfigError


def remote_executor(
    manifest: Manifest, ledger: Ledger, cluster: str | None, slurm: str | None, store: str | None, tls: str | None
) -> tuple[Executor, Callable[[Unit], dict[str, Any]], Callable[[Unit, dict[str, Any]], None]]:
    """The executor, what makes a unit's payload, and what puts an outcome's files in their place."""
    if store is None:
        raise ConfigError("--cluster and --slurm need --store, where machines find artifacts",
                          hint="--store file:///shared/folder or --store s3://bucket/prefix")  # fmt: skip
    if cluster is not None and slurm is not None:
        raise ConfigError("--cluster and --slurm: expected one of them")
    objects = Objects(store)
    hashes = StatCache(os.path.join(ledger.folder, "stat-cache"))
    approvals = approvals_of(manifest)
    parts = segments(manifest.defaults["resource"])
    executor: Executor
    if cluster is not None:
        from recomp.batch.dask import DaskExecutor

        executor = DaskExecutor(cluster, store, parts, tls=tls)
    else:
        from recomp.batch.slurm import SlurmExecutor

        executor = SlurmExecutor(os.path.join(ledger.folder, "slurm"), store, parts, (slurm or "").split())

    def payload(unit: Unit) -> dict[str, Any]:
        return pack(manifest, unit, objects, hashes, approvals)

    def arrived(unit: Unit, facts: dict[str, Any]) -> None:
        bring_back(unit_folder(manifest, unit), facts, objects)

    return executor, payload, arrived


def bring_back(folder: str, facts: dict[str, Any], objects: Objects) -> None:
    """Write a unit's manifest and page where a local run has them. Artifacts stay in the store: `recomp automate` in
    that folder, or another batch, finds them there."""
    out = os.path.join(folder, "out")
    text, page = facts.pop("manifest", None), facts.pop("page_sha256", None)
    if text is not None:
        os.makedirs(out, exist_ok=True)
        write_atomic(os.path.join(out, "run-manifest.json"), text.encode(), durable=False)
    data = objects.get_blob(page) if page else None
    if data is not None:
        facts["page"] = os.path.join(out, "report.html")
        write_atomic(facts["page"], data, durable=False)
