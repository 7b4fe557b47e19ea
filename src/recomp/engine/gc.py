"""What the store may forget: results that no manifest names, oldest first, within limits of age and size."""

from __future__ import annotations

import fcntl
import json
import os
import time
from typing import Any, NamedTuple

from recomp.engine import manifest as man
from recomp.engine.canonical import digest
from recomp.engine.files import has_keys, remove_quietly, write_atomic
from recomp.engine.store import Store
from recomp.errors import LockError

_ROOT = {"work_root": str, "run_manifest": str, "runs_dir": str}


class Sweep(NamedTuple):
    """What was, or would be, removed. Sizes in bytes."""

    actions: int
    blobs: int
    freed: int
    kept: int


def register(store: Store, work_root: str, run_manifest: str, runs_dir: str) -> None:
    """Tell a store whose manifests may name what it holds."""
    path = os.path.join(store.root, "roots", digest(work_root))
    entry = json.dumps({"work_root": work_root, "run_manifest": run_manifest, "runs_dir": runs_dir}).encode()
    try:
        with open(path, "rb") as file:
            if file.read() == entry:
                return
    except OSError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, entry)


def collect(
    store: Store, *, max_age_s: float | None, max_bytes: int | None, dry_run: bool, now: float | None = None
) -> Sweep:
    """Forget results that no manifest names and that are too old or too many. Raises LockError while a run uses the
    store."""
    fd = os.open(os.path.join(store.root, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockError(f"{store.root}: a run uses the store", hint="try again when it has ended") from None
        return _sweep(store, max_age_s, max_bytes, dry_run, time.time() if now is None else now)
    finally:
        os.close(fd)


def _sweep(store: Store, max_age_s: float | None, max_bytes: int | None, dry_run: bool, now: float) -> Sweep:
    named = _named_keys(store)
    records = sorted(((_age_of(store, r), r["cache_key"], r) for r in store.actions()), key=lambda item: item[:2])
    sizes = _blob_sizes(store)
    kept = {key: record for _, key, record in records}
    for used_at, key, _ in records:  # oldest first
        too_old = max_age_s is not None and now - used_at > max_age_s
        too_many = max_bytes is not None and _total(kept.values(), sizes) > max_bytes
        if key not in named and (too_old or too_many):
            del kept[key]
    dropped = [key for _, key, _ in records if key not in kept]
    wanted = {sha256 for record in kept.values() for sha256 in _blobs_of(record)}
    orphans = [sha256 for sha256 in sizes if sha256 not in wanted]
    if not dry_run:
        for key in dropped:
            store.drop_action(key)
        for sha256 in orphans:
            remove_quietly(store.blob_path(sha256))
        _drop_pointers(store, kept)
        _drop_temporaries(store)
    freed = sum(sizes[sha256] for sha256 in orphans)
    return Sweep(len(dropped), len(orphans), freed, sum(sizes.values()) - freed)


def _named_keys(store: Store) -> set[str]:
    """Cache keys in the manifests of every work root that uses this store; one that is gone names nothing."""
    roots = os.path.join(store.root, "roots")
    names: set[str] = set()
    for name in sorted(os.listdir(roots)) if os.path.isdir(roots) else []:
        try:
            with open(os.path.join(roots, name), "rb") as file:
                entry = json.load(file)
        except (OSError, ValueError, RecursionError):
            continue
        if not has_keys(entry, _ROOT):
            continue  # its work root writes it again with its next run
        if not os.path.isdir(entry["work_root"]):
            remove_quietly(os.path.join(roots, name))
            continue
        for path in [entry["run_manifest"], *_old_manifests(entry["runs_dir"])]:
            manifest = man.read(path) or {}
            names.update(step["cache_key"] for step in manifest.get("steps", []))
    return names


def _old_manifests(runs_dir: str) -> list[str]:
    try:
        return [os.path.join(runs_dir, name, "manifest.json") for name in sorted(os.listdir(runs_dir))]
    except OSError:
        return []


def _age_of(store: Store, record: dict[str, Any]) -> float:
    return os.stat(store.record_path(record["cache_key"])).st_mtime


def _blobs_of(record: dict[str, Any]) -> set[str]:
    return {entry["sha256"] for entry in record["outputs"]} | set(record["logs"].values())


def _total(records: Any, sizes: dict[str, int]) -> int:
    return sum(sizes.get(sha256, 0) for sha256 in {sha256 for record in records for sha256 in _blobs_of(record)})


def _blob_sizes(store: Store) -> dict[str, int]:
    root = os.path.join(store.root, "blobs")
    return {
        prefix + name: os.stat(os.path.join(root, prefix, name)).st_size
        for prefix in sorted(os.listdir(root))
        for name in sorted(os.listdir(os.path.join(root, prefix)))
    }


def _drop_pointers(store: Store, kept: dict[str, Any]) -> None:
    wanted = {record.get("content_key") for record in kept.values()}
    root = os.path.join(store.root, "contents")
    for prefix in os.listdir(root):
        for name in os.listdir(os.path.join(root, prefix)):
            if prefix + name not in wanted:
                remove_quietly(os.path.join(root, prefix, name))


def _drop_temporaries(store: Store) -> None:
    for folder in ("tmp", "quarantine"):
        path = os.path.join(store.root, folder)
        for name in os.listdir(path) if os.path.isdir(path) else []:
            remove_quietly(os.path.join(path, name))
