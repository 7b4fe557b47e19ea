"""The status of a title in a batch manifest: changed in one step, by many runs at once, and nothing else with it."""

from __future__ import annotations

import fcntl
import json
import os
from typing import Any

from recomp.engine.files import has_keys, naming, write_atomic
from recomp.errors import ConfigError

STATUSES = ("pending", "running", "passed", "failed", "needs_review")


def set_title_status(path: str, title_id: str, status: str, *, artifacts: list[dict[str, Any]] | None = None) -> None:
    """Write the status (and, if given, the artifacts) of a title into the batch manifest at `path`, which is JSON.

    Readers see the manifest before or after, whole; two writers follow each other. A status that is already there
    writes nothing. Raises ConfigError for what is no such manifest or has no such title, OSError if it cannot be
    written.
    """
    assert status in STATUSES, status
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        with naming(path):
            fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = read_batch_manifest(path)
        title = find_title(path, manifest, title_id)
        changed = {**title, "status": status, **({} if artifacts is None else {"artifacts": artifacts})}
        if changed != title:
            title.update(changed)
            write_atomic(path, json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n")
    finally:
        os.close(lock)


def read_batch_manifest(path: str) -> dict[str, Any]:
    """Raises ConfigError."""
    try:
        with open(path, "rb") as file:
            manifest = json.load(file)
    except OSError as error:
        raise ConfigError(f"{path}: the batch manifest cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        manifest = None
    if not has_keys(manifest, {"titles": list}) or not all(has_keys(t, {"title_id": str}) for t in manifest["titles"]):
        raise ConfigError(
            f"{path}: is no batch manifest in JSON", hint="a batch keeps its status in batch-manifest.json"
        )
    return manifest


def find_title(path: str, manifest: dict[str, Any], title_id: str) -> dict[str, Any]:
    """Raises ConfigError naming the titles that there are."""
    titles = [title for title in manifest["titles"] if title["title_id"] == title_id]
    if not titles:
        known = ", ".join(title["title_id"] for title in manifest["titles"][:20]) or "none"
        raise ConfigError(f'{path}: there is no title "{title_id}"', hint=f"titles: {known}")
    return titles[0]
