"""What each scene looked like in earlier runs: its digests, oldest first, from the manifests that the journal kept."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from recomp.engine.journal import list_runs, run_folder
from recomp.engine.store import Store
from recomp.errors import FormatError

_RUNS = 20
_SHOWN = 8


def digest_history(runs_dir: str, store: Store, timeline: Mapping[str, Any] | None, fps: float) -> dict[str, list[str]]:
    """scene → the last digests that differ from their predecessor. A run that repeats the one before adds nothing, so
    that a page made again is the same page; lists that the store no longer has are passed over."""
    from recomp.media.approvals import scene_digests

    history: dict[str, list[str]] = {}
    seen: dict[tuple[str | None, str | None], dict[str, str]] = {}
    for number in list_runs(runs_dir)[-_RUNS:]:
        key = _lists(os.path.join(run_folder(runs_dir, number), "manifest.json"))
        if key[0] is None:
            continue
        if key not in seen:
            lists = _read(store, *key)
            seen[key] = {} if lists is None else scene_digests(lists, timeline, fps)
        for scene, digest in seen[key].items():
            found = history.setdefault(scene, [])
            if not found or found[-1] != digest:
                found.append(digest)
    return {scene: found[-_SHOWN:] for scene, found in history.items()}


def _lists(path: str) -> tuple[str | None, str | None]:
    """The contents of a run's hash lists, by their own hashes."""
    try:
        with open(path, "rb") as file:
            artifacts = json.load(file)["artifacts"]
        found = {entry["role"]: entry["sha256"] for entry in artifacts}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None, None
    return found.get("frame-hashes"), found.get("audio-hashes")


def _read(store: Store, frames: str | None, audio: str | None) -> Any:
    from recomp.media.compare import HashLists
    from recomp.media.hashing import read_hash_list

    wanted = [sha for sha in (frames, audio) if sha is not None]
    if not all(store.has_blob(sha) for sha in wanted):
        return None
    try:
        read = [read_hash_list(store.blob_path(sha)) for sha in wanted]
    except FormatError:
        return None
    return HashLists(read[0], read[1] if audio is not None else None)
