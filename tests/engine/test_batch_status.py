"""A title's status in its batch manifest: right after every run, whole at every instant, nobody else's touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builders import ProjectFolder
from conftest import SOURCES
from recomp.cli.main import main
from recomp.engine.batch_status import set_title_status
from recomp.errors import ConfigError


def manifest(folder: Path, *titles: str) -> Path:
    path = folder / "batch-manifest.json"
    entries = [
        {"title_id": name, "title_name": f"Title {name}", "status": "pending", "artifacts": []} for name in titles
    ]
    path.write_text(json.dumps({"batch_id": "nightly", "titles": entries, "note": "kept – as it is"}))
    return path


def statuses(path: Path) -> dict[str, str]:
    return {title["title_id"]: title["status"] for title in json.loads(path.read_text())["titles"]}


def test_one_title_changes_and_everything_else_stays(tmp_path: Path) -> None:
    path = manifest(tmp_path, "a", "b")
    artifact = {"path": "port", "sha256": "0" * 64}
    set_title_status(str(path), "b", "passed", artifacts=[artifact])
    found = json.loads(path.read_text())
    assert found["note"] == "kept – as it is"
    assert found["titles"][0] == {"title_id": "a", "title_name": "Title a", "status": "pending", "artifacts": []}
    assert found["titles"][1] == {"title_id": "b", "title_name": "Title b", "status": "passed", "artifacts": [artifact]}


def test_a_status_that_is_already_there_writes_nothing(tmp_path: Path) -> None:
    path = manifest(tmp_path, "a")
    before = path.stat().st_ino
    set_title_status(str(path), "a", "pending")
    assert path.stat().st_ino == before


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    names = [f"title{number}" for number in range(12)]
    path = manifest(tmp_path, *names)
    code = (
        "import sys; from recomp.engine.batch_status import set_title_status\n"
        "for status in ('running', 'failed', 'passed'): set_title_status(sys.argv[1], sys.argv[2], status)"
    )
    env = {**os.environ, "PYTHONPATH": SOURCES}
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name], env=env) for name in names]
    assert [writer.wait() for writer in writers] == [0] * len(names)
    assert statuses(path) == dict.fromkeys(names, "passed")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is no batch manifest in JSON"), ('{"titles": [1]}', "is no batch manifest"), (None, "cannot be read")],
)
def test_what_is_no_manifest_is_said(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "batch-manifest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        set_title_status(str(path), "a", "passed")


def automate(folder: ProjectFolder, path: Path, *options: str, **batch: Any) -> int:
    folder.config["batch"] = {"manifest": os.path.relpath(path, folder.root), "title_id": "a", **batch}
    return main(["automate", "--config", str(folder.write()), *options])


def test_a_run_notes_how_it_ended_also_when_it_was_cached(folder: ProjectFolder, tmp_path: Path) -> None:
    path = manifest(tmp_path, "a", "b")
    folder.config["commands"] = {"build": [folder.script("build", "exit 0")], "run": ["true"]}
    assert automate(folder, path, "--until", "build") == 0
    assert statuses(path)["a"] == "pending"
    assert automate(folder, path) == 0
    assert statuses(path) == {"a": "passed", "b": "pending"}
    set_title_status(str(path), "a", "running")
    assert automate(folder, path) == 0
    assert folder.ran() == []
    assert statuses(path)["a"] == "passed"
    folder.script("build", "exit 1")
    assert automate(folder, path) == 1
    assert statuses(path)["a"] == "failed"


def test_a_refused_run_needs_review(folder: ProjectFolder, tmp_path: Path) -> None:
    path = manifest(tmp_path, "a")
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    folder.config["policy"] = {"execution_mode": "cloud"}
    assert automate(folder, path) == 3
    assert statuses(path)["a"] == "needs_review"


def test_it_can_be_switched_off(folder: ProjectFolder, tmp_path: Path) -> None:
    path = manifest(tmp_path, "a")
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert automate(folder, path, update_status=False) == 0
    assert statuses(path)["a"] == "pending"


def test_a_title_that_is_not_in_the_batch_is_said_before_anything_runs(
    folder: ProjectFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(tmp_path, "b", "c")
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert automate(folder, path) == 2
    said = capsys.readouterr().err
    assert 'there is no title "a"' in said and "titles: b, c" in said
    assert not folder.work_root.exists()
