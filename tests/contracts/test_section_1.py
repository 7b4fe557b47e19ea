"""contracts, section 1: `automation.toml`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builders import ProjectFolder
from recomp.cli.main import main


def test_paths_are_relative_to_the_folder_of_the_file(
    folder: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command line is run from."""
    folder.config["commands"] = {"build": [folder.script("say", "pwd")], "run": ["true"]}
    path = folder.write()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert main(["automate", "--config", os.path.relpath(path)]) == 0
    assert os.listdir(elsewhere) == []
    assert (folder.root / "out/logs/build.stdout.log").read_text() == f"{folder.root}\n"


@pytest.mark.parametrize("key", ["build_dir", "log_dir", "validation_dir"])
def test_stage_folders_default_to_the_work_root_and_may_be_moved(folder: ProjectFolder, key: str) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["commands"]["build"] = [
        folder.script("make", 'mkdir -p "$RECOMP_BUILD_DIR"; : > "$RECOMP_BUILD_DIR/x"')
    ]
    folder.config["outputs"][key] = "moved"
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert any(path.is_file() for path in (folder.root / "moved").iterdir())
    assert not (folder.work_root / {"log_dir": "logs"}.get(key, key.removesuffix("_dir"))).exists()


def test_the_manifest_may_be_moved(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["outputs"]["run_manifest"] = "made/manifest.json"
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert (folder.root / "made/manifest.json").is_file()
    assert not (folder.work_root / "run-manifest.json").exists()


def test_absent_commands_are_built_in(folder: ProjectFolder) -> None:
    """Without [commands] the stages are there all the same, and none of them has a command."""
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    steps = folder.steps()
    assert {name for name, step in steps.items() if "command" in step} == {"build", "run"}
    assert {"pipeline", "archive"} <= steps.keys()
