"""What an attempt's process of the local executor does: stage the unit into its folder, then run it there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from recomp.batch.asking import check_here, staged
from recomp.batch.attempt import attempt
from recomp.batch.executor import Task
from recomp.batch.local import Tell, Work
from recomp.batch.staging import contents, write_files
from recomp.batch.units import Unit
from recomp.config.batch import Manifest
from recomp.engine.canonical import digest
from recomp.engine.fingerprint import StatCache


def unit_folder(manifest: Manifest, unit: Unit) -> str:
    return os.path.join(manifest.work_root, "titles", unit.title, unit.variant)


def store_folder(manifest: Manifest) -> str:
    """The store that all titles share: the user's own, or one in the batch's work root."""
    return os.environ.get("RECOMP_CACHE_DIR") or os.path.join(manifest.work_root, "store")


def local_work(manifest: Manifest, find: Callable[[str], Unit], known: StatCache) -> Work:
    """`find` gives a task's unit by its name; `known` are hashes that all attempts begin with."""
    store = store_folder(manifest)

    def work(task: Task, tell: Tell, admit: Callable[[str], None]) -> dict[str, Any]:
        unit = find(task.name)
        folder = unit_folder(manifest, unit)
        hashes = StatCache(known=known)
        files = staged(manifest, unit, hashes)
        if manifest.policy["execution_mode"] != "local":
            check_here(manifest, unit, contents(files, hashes), task.payload["committed_s"])
        config = write_files(folder, files)
        os.environ["RECOMP_CACHE_DIR"] = store
        limit_s = manifest.policy["title_minutes"] * 60
        outcome = attempt(config, tell, admit=admit, deadline_s=limit_s, known=known)
        outcome.pop("manifest", None)  # it lies where the unit does
        return outcome

    return work


def stat_fingerprint(manifest: Manifest, unit: Unit) -> str:
    """What a unit is made from, as far as it can be told without reading anything."""
    inputs = unit.entry["inputs"]
    paths = [inputs[key] for key in ("automation", "elf", "nro") if inputs[key]] + (
        [unit.script] if unit.script else []
    )
    stats = []
    for path in paths:
        try:
            info = os.stat(os.path.join(manifest.folder, path))
            stats.append([info.st_size, info.st_mtime_ns])
        except OSError:
            stats.append([0, 0])
    return digest([unit.title, unit.variant, unit.entry["inputs"], unit.overrides, stats])
