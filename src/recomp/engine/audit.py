"""Whether stages do the same twice: each is run again and held against its recorded result, a built-in in a scratch
folder, a command where it belongs, with what it made put back afterwards."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from recomp.engine import outputs as out
from recomp.engine.context import Context
from recomp.engine.files import remove_quietly, remove_tree
from recomp.engine.fingerprint import StatCache
from recomp.engine.plan import Keyed, Plan, Progress, find_record, learnt_before
from recomp.engine.reporter import Reporter
from recomp.engine.stage import Stage
from recomp.engine.store import BlobMissing, Store
from recomp.errors import ConfigError, RecompError


class Finding(NamedTuple):
    """`verdict`: "same", "differs" or "skipped"; `detail` names the first differing byte, or why not."""

    stage: str
    verdict: str
    detail: str


def audit(plan: Plan, store: Store, hashes: StatCache, only: str | None = None) -> list[Finding]:
    """Audit every stage with a result (or `only` one). The caller holds the lock of the work root."""
    evidence, _ = learnt_before(plan, store, hashes)
    stages = plan.stages(evidence)
    if only is not None and only not in [stage.name for stage in stages]:
        raise ConfigError(f"audit: found {only!r}, expected one of {', '.join(s.name for s in stages)}")
    progress = Progress()
    settled: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    findings = []
    for stage in stages:
        keyed = progress.key(stage, hashes)
        record = find_record(keyed, store)
        if record is None:
            findings.append(Finding(stage.name, "skipped", "it has no result: run recomp automate first"))
            break
        if only in (None, stage.name):
            findings.append(_audit_one(plan, keyed, record, store, hashes, list(settled)))
        progress.settle(keyed, record, ran=False)
        settled.append((record, []))
    return findings


def _audit_one(
    plan: Plan, keyed: Keyed, record: dict[str, Any], store: Store, hashes: StatCache, settled: list
) -> Finding:
    stage, layout = keyed.stage, plan.layout
    try:
        out.put_in_place(stage, record["outputs"], layout.roots, store, hashes, None)
    except BlobMissing:
        return Finding(stage.name, "skipped", "its result is not whole: run recomp automate first")
    scratch = os.path.join(layout.scratch_dir, f"audit-{stage.name}")
    remove_tree(scratch)
    os.makedirs(os.path.join(scratch, ".logs"))
    env = {
        **plan.env,
        "RECOMP_RUN_ID": record["origin"]["run_id"],
        "RECOMP_STAGE": stage.name,
        "RECOMP_STAGE_ATTEMPT": str(record["origin"]["stage_attempt"]),
        "RECOMP_CACHE_KEY": keyed.key,
    }
    context = Context(
        stage, scratch=scratch, log_dir=os.path.join(scratch, ".logs"), cwd=layout.config_dir, env=env, store=store,
        reporter=Reporter(), settled=lambda: settled, is_audit=True, secrets=plan.secrets,
    )  # fmt: skip
    try:
        if stage.command:
            entries = _repeat_command(plan, stage, record, store, hashes, context)
        else:
            stage.run(context)
            entries = out.collect(stage, scratch, store)
        return _compare(stage, record["outputs"], entries, store)
    except RecompError as error:
        return Finding(stage.name, "differs", f"it fails now: {error.message}")
    finally:
        remove_tree(scratch)


def _repeat_command(
    plan: Plan, stage: Stage, record: dict[str, Any], store: Store, hashes: StatCache, context: Context
) -> list[out.Entry]:
    """Run a command where it belongs, without what it made there, and put that back; returns what it makes now."""
    layout = plan.layout
    skip = (layout.engine_dir, layout.log_dir, layout.run_manifest)
    for path in out.places(stage, record["outputs"], layout.roots):
        remove_quietly(path)
    before = out.snapshot(stage.watch, skip)
    try:
        stage.run(context)
        after = out.snapshot(stage.watch, skip)
        return out.collect_written(stage, before, after, layout.roots, store, [], hashes)
    finally:
        for path in out.snapshot(stage.watch, skip).keys() - before.keys():
            remove_quietly(path)
        out.put_in_place(stage, record["outputs"], layout.roots, store, hashes, None)


def _compare(stage: Stage, old: list[out.Entry], new: list[out.Entry], store: Store) -> Finding:
    before = {(e["base"], e["path"]): e for e in old}
    after = {(e["base"], e["path"]): e for e in new}
    for place in sorted(before.keys() | after.keys()):
        name = "/".join(part for part in place if part).removeprefix("@")
        if place not in after or place not in before:
            return Finding(stage.name, "differs", f"{name}: made only {'once' if place in before else 'now'}")
        if before[place]["sha256"] != after[place]["sha256"]:
            offset = _first_difference(store, before[place]["sha256"], after[place]["sha256"])
            return Finding(stage.name, "differs", f"{name}: first differing byte at offset {offset:#x}")
    return Finding(stage.name, "same", f"{len(old)} file{'s'[: len(old) != 1]}")


def _first_difference(store: Store, old: str, new: str) -> int:
    a, b = store.read_blob(old), store.read_blob(new)
    length = min(len(a), len(b))
    if a[:length] == b[:length]:
        return length
    low, high = 0, length  # the shortest common prefix that is none
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if a[:middle] == b[:middle] else (low, middle)
    return low
