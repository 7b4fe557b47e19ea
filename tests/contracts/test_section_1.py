"""contracts, section 1: `automation.toml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from builders import ProjectFolder
from recomp.cli.main import main
from recomp.config.automation import AUTOMATION
from recomp.config.types import Table


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


#: section → key → default; what is required has none
KEYS: dict[str, dict[str, Any]] = {
    "inputs": dict.fromkeys("mode nro elf xci keys module_json provenance config runtime_path".split()) | {"nso": []},
    "outputs": dict.fromkeys(
        "work_root intake_dir lift_dir build_dir assets_dir validation_dir log_dir run_manifest "
        "lifted_module_json".split()
    ),
    "reference": dict.fromkeys(
        "reference_video_toml capture_video_toml validation_config_toml input_script_toml".split()
    ),
    "capture": dict.fromkeys("video_path frames_dir audio_file".split()),
    "commands": dict.fromkeys("lift build run capture extract_frames extract_audio".split()),
    "tools": {"xci_tool": "auto", "xci_tool_path": None, "ffmpeg_path": None},
    "analysis": {"command": None, "expected_outputs": [], "name_map_json": None, "runtime_trace_manifest": None},
    "policy": {
        "execution_mode": "local", "requires_approval": False, "max_cost_usd": None, "max_runtime_minutes": None,
        "redaction_profile": None, "allowed_models": None, "run_windows": None,
    },
    "run": {"resume": True, "lift_entry": "entry", "lift_mode": "decode"},
}  # fmt: skip
REQUIRED = {("inputs", "mode"), ("inputs", "provenance"), ("inputs", "config"), ("outputs", "work_root")}


def fields(section: str) -> dict[str, Any]:
    found = AUTOMATION.fields[section].type
    assert isinstance(found, Table)
    return found.fields


@pytest.mark.parametrize("section", sorted(KEYS))
def test_every_key_of_the_table_is_known_with_its_default(section: str) -> None:
    known = fields(section)
    for key, default in KEYS[section].items():
        assert known[key].default == default, key
        assert known[key].required == ((section, key) in REQUIRED), key


def test_no_section_beyond_the_table_is_required() -> None:
    """What is added is optional, so that files of earlier tools stay right."""
    for section in AUTOMATION.fields.keys() - KEYS.keys() - {"schema_version"}:
        assert not any(field.required for field in fields(section).values())
    assert AUTOMATION.fields["schema_version"].required


@pytest.mark.parametrize(
    ("section", "key", "good", "bad"),
    [
        ("inputs", "mode", ("homebrew", "xci", "lifted", "elf"), "nsp"),
        ("tools", "xci_tool", ("auto", "hactool", "hactoolnet", "mock"), "other"),
        ("policy", "execution_mode", ("local", "cloud", "hybrid"), "remote"),
        ("run", "lift_mode", ("decode", "stub"), "jit"),
    ],
)
def test_a_key_of_several_choices_takes_these_and_no_other(
    section: str, key: str, good: tuple[str, ...], bad: str
) -> None:
    for value in (*good, bad):
        problems: list[str] = []
        fields(section)[key].type.check(value, (section, key), lambda *said, found=problems, **_: found.append(said[1]))
        assert bool(problems) == (value == bad)


def test_another_runtime_source_tree_than_the_packaged_one(folder: ProjectFolder) -> None:
    (folder.root / "runtime/include").mkdir(parents=True)
    (folder.root / "runtime/include/rt.h").write_text("/* another runtime */\n")
    folder.config["inputs"]["runtime_path"] = "runtime"
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    project = folder.work_root / "build/project/rt"
    assert [str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()] == ["include/rt.h"]
    (folder.root / "runtime/include/rt.h").write_text("/* changed */\n")
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert folder.ran()[0] == "pipeline"


def test_an_unlisted_key_is_an_error_with_the_nearest_listed_one_and_its_place(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.config["inputs"]["provenence"] = "provenance.toml"
    path = folder.write()
    line = path.read_text().splitlines().index('provenence = "provenance.toml"') + 1
    assert main(["automate", "--config", str(path)]) == 2
    said = capsys.readouterr().err
    assert f'automation.toml:{line}:1: inputs.provenence: unknown key "provenence"' in said
    assert 'did you mean "provenance"?' in said


@pytest.mark.parametrize("name", ["build", "run", "capture", "extract_frames"])
def test_a_command_is_never_a_shell_string(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder.config["commands"] = {name: "make && make install"}
    assert main(["automate", "--config", str(folder.write())]) == 2
    assert "expected an array of strings" in capsys.readouterr().err
