"""A remembered run as files: what `recomp report` and `recomp accept` look at."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recomp.cli.open import open_layout
from recomp.engine.journal import run_folder
from recomp.engine.layout import Layout
from recomp.engine.store import Store
from recomp.errors import ConfigError


@contextmanager
def stored_run(config: str, number: int | None) -> Iterator[Path]:
    """The run-manifest.json of the last run, or of one that `recomp runs` lists, and around it the files that it names.

    Those of an earlier run come out of the store; what the store no longer has is not there. Raises ConfigError.
    """
    layout = open_layout(config)
    if number is None:
        path = Path(layout.run_manifest)
        if not path.exists():
            raise ConfigError(f"{path}: there is no run yet", hint="run recomp automate first")
        yield path
        return
    manifest = _remembered(layout, number)
    with tempfile.TemporaryDirectory(prefix="recomp-run-") as folder:
        yield _laid_out(Path(folder), manifest, layout)


def _remembered(layout: Layout, number: int) -> dict[str, Any]:
    from recomp.report.from_run import read_json

    path = Path(run_folder(layout.runs_dir, number)) / "manifest.json"
    if not path.exists():
        raise ConfigError(f"no run {number} is remembered, or it never began", hint="recomp runs lists them")
    return read_json(path)


def _laid_out(folder: Path, manifest: dict[str, Any], layout: Layout) -> Path:
    """Links into the store under the names that the manifest has for them."""
    store = Store(layout.store_dir, make=False)
    for entry in manifest.get("artifacts") or ():
        if store.has_blob(entry["sha256"]):
            entry["path"] = _link(folder, entry["path"], store.blob_path(entry["sha256"]))
    if manifest.get("validation_report"):
        manifest["validation_report"] = _place(manifest["validation_report"])
        _link_reference(folder, folder / manifest["validation_report"], layout)
    path = folder / "run-manifest.json"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return path


def _link(folder: Path, name: str, target: str) -> str:
    place = _place(name)
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_symlink():
        path.symlink_to(os.path.abspath(target))
    return place


def _place(name: str) -> str:
    """A path of the manifest as one below a folder: it may be absolute, or lie beside the config's."""
    return os.path.join(*(part for part in Path(name).parts if part not in ("/", "..")))


def _link_reference(folder: Path, report: Path, layout: Layout) -> None:
    """The reference is no artifact of the run: it is where it was."""
    from recomp.report.from_run import read_json

    if not report.exists():
        return
    name = ((read_json(report).get("video") or {}).get("reference") or {}).get("path")
    if isinstance(name, str) and name and not os.path.isabs(name) and ".." not in Path(name).parts:
        _link(folder, name, os.path.join(layout.config_dir, name))
