"""contracts, section 4: `run-manifest.json`."""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from builders import ProjectFolder, sha256, toml
from recomp.cli.main import main
from recomp.engine.files import write_atomic

HEX = re.compile(r"[0-9a-f]{64}")


@pytest.fixture
def whole(folder: ProjectFolder) -> ProjectFolder:
    """A project with every kind of step that commands and small files reach."""
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["commands"]["build"] = [folder.script("build", "echo made; echo port > out/build/port")]
    return folder


def automate(folder: ProjectFolder) -> int:
    return main(["automate", "--config", str(folder.write())])


def test_every_required_key_is_there_and_of_its_kind(whole: ProjectFolder) -> None:
    assert automate(whole) == 0
    manifest = whole.manifest()
    assert manifest["schema_version"] == "1"
    assert re.fullmatch(r"run-[0-9a-f]{16}", manifest["run_id"])
    assert manifest["execution_mode"] == "local"
    for key in ("host_fingerprint", "input_fingerprint"):
        assert HEX.fullmatch(manifest[key])
    assert isinstance(manifest["tool_versions"]["recomp_cli"], str)
    assert all(value is None or isinstance(value, str) for value in manifest["tool_versions"].values())
    assert manifest["inputs"] and manifest["steps"] and manifest["artifacts"]
    assert manifest["validation_report"] == "out/validation/validation-report.json"


def test_inputs_have_name_path_hash_and_size_of_the_very_files(whole: ProjectFolder) -> None:
    automate(whole)
    for item in whole.manifest()["inputs"]:
        data = (whole.root / item["path"]).read_bytes()
        assert item == {"name": item["name"], "path": item["path"], "sha256": sha256(data), "size": len(data)}


def test_artifacts_have_path_hash_size_and_role_of_the_very_files(whole: ProjectFolder) -> None:
    automate(whole)
    artifacts = whole.manifest()["artifacts"]
    for item in artifacts:
        data = (whole.root / item["path"]).read_bytes()
        assert (item["sha256"], item["size"]) == (sha256(data), len(data))
        assert item["role"]
    assert "out/build/port" in [item["path"] for item in artifacts]


def test_a_step_has_its_required_keys_and_of_the_optional_ones_those_that_apply(whole: ProjectFolder) -> None:
    automate(whole)
    for name, step in whole.steps().items():
        assert step["name"] == name
        assert step["status"] == "succeeded"
        assert isinstance(step["duration_ms"], int) and step["duration_ms"] >= 0
        assert step["stage_attempt"] == 1
        assert step["cache_hit"] is False
        assert HEX.fullmatch(step["cache_key"])
    build = whole.steps()["build"]
    assert build["command"] == ["./build"]
    assert (whole.root / build["stdout_path"]).read_text() == "made\n"
    assert (whole.root / build["stderr_path"]).read_text() == ""
    assert build["outputs"] == ["out/build/port"]
    assert "command" not in whole.steps()["pipeline"]


def test_a_failed_step_says_so_and_why(whole: ProjectFolder) -> None:
    whole.script("build", "exit 3")
    assert automate(whole) == 1
    steps = whole.manifest()["steps"]
    assert [(step["name"], step["status"]) for step in steps] == [("pipeline", "succeeded"), ("build", "failed")]
    assert "ended with exit code 3" in steps[-1]["notes"][0]


def test_the_attempt_counts_the_runs_of_its_stage_in_this_work_root(whole: ProjectFolder) -> None:
    """Failed ones, too; what is reused is no attempt."""
    whole.script("build", "exit 3")
    automate(whole)
    automate(whole)
    whole.script("build", "exit 0")
    automate(whole)
    automate(whole)
    steps = whole.steps()
    assert steps["build"]["stage_attempt"] == 3
    assert steps["pipeline"]["stage_attempt"] == 1


def test_the_run_id_is_derived_and_stable(whole: ProjectFolder, tmp_path: Path) -> None:
    """The same question has the same one, wherever and how often it is asked; another question another one."""
    automate(whole)
    first = whole.manifest()["run_id"]
    automate(whole)
    assert whole.manifest()["run_id"] == first
    twin = ProjectFolder(tmp_path / "twin").with_reference()
    twin.config = json.loads(json.dumps(whole.config))
    twin.script("build", "echo made; echo port > out/build/port")
    assert automate(twin) == 0
    assert twin.manifest()["run_id"] == first
    twin.config["run"] = {"lift_entry": "other"}
    automate(twin)
    assert twin.manifest()["run_id"] != first


def comparable(value: Any, leave_out: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: comparable(item, leave_out) for key, item in value.items() if key not in leave_out}
    return [comparable(item, leave_out) for item in value] if isinstance(value, list) else value


def test_two_runs_differ_in_durations_attempts_and_hits_alone(whole: ProjectFolder) -> None:
    """Fresh against cached against forced: nothing else, byte for byte and in the same order."""
    texts = []
    for resume in (True, True, False):
        whole.config["run"] = {"resume": resume}
        automate(whole)
        manifest = whole.manifest()
        manifest["inputs"] = [item for item in manifest["inputs"] if item["name"] != "automation"]  # it was edited
        texts.append(json.dumps(comparable(manifest, ("duration_ms", "stage_attempt", "cache_hit"))))
    assert len(set(texts)) == 1


def test_there_is_no_time_of_day_in_it(whole: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    found = []
    for day in (0, 40):
        monkeypatch.setattr(time, "time", lambda day=day: 1_800_000_000.0 + 86400 * day)
        whole.config["outputs"]["work_root"] = f"out{day}"
        whole.script("build", "mkdir -p $RECOMP_BUILD_DIR; echo port > $RECOMP_BUILD_DIR/port")
        assert automate(whole) == 0
        manifest = whole.manifest()
        manifest["inputs"] = [item for item in manifest["inputs"] if item["name"] != "automation"]
        found.append(json.dumps(comparable(manifest, ("duration_ms",))).replace(f"out{day}/", "out/"))
    keys = re.compile(r'"cache_key": "[0-9a-f]+"|"run_id": "run-[0-9a-f]+"|"sha256": "[0-9a-f]+"')
    assert keys.sub("", found[0]) == keys.sub("", found[1])


def test_paths_inside_the_folder_of_the_config_are_relative_to_it(whole: ProjectFolder, tmp_path: Path) -> None:
    whole.config["outputs"]["validation_dir"] = str(tmp_path / "apart")
    automate(whole)
    text = json.dumps(whole.manifest())
    assert f'"{whole.root}' not in text
    assert f'"{tmp_path}/apart/validation-report.json"' in text


def test_what_went_wrong_is_told_with_relative_paths_too(whole: ProjectFolder) -> None:
    (whole.root / "reference.hashes").write_text("garbage\n")
    assert automate(whole) == 1
    manifest = whole.manifest()
    assert [step["notes"] for step in manifest["steps"] if step["status"] == "failed"] == [
        ["reference.hashes:1: found 'garbage', expected a lower-case SHA-256 (64 hex digits) or INDEX HASH"]
    ]
    told = [path.read_text() for path in (whole.work_root / ".recomp/runs").glob("*/*.json*")]
    assert any("garbage" in text for text in told)
    assert not any(str(whole.root) in text for text in told)


def test_it_is_whole_at_every_instant(whole: ProjectFolder) -> None:
    """A reader that never stops looking, while runs replace it, sees nothing else than whole manifests."""
    path = whole.work_root / "run-manifest.json"
    torn: list[bytes] = []
    seen = 0
    done = threading.Event()

    def look() -> None:
        nonlocal seen
        while not done.is_set():
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            seen += 1
            try:
                json.loads(data)
            except ValueError:
                torn.append(data)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        for number in range(3):
            whole.config["commands"]["run"] = ["true", str(number)]
            assert automate(whole) == 0
    finally:
        done.set()
        reader.join()
    assert seen and torn == []


def test_it_is_written_to_another_name_synced_and_renamed(
    whole: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, str]] = []
    names: dict[int, str] = {}
    real = {name: getattr(os, name) for name in ("open", "fsync", "replace")}

    def opened(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        fd = real["open"](path, flags, *rest, **more)
        names[fd] = str(path)
        return fd

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(("sync", names.get(fd, ""))), real["fsync"](fd))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append(("rename", f"{a} {b}")), real["replace"](a, b))[1])
    path = whole.work_root / "run-manifest.json"
    path.parent.mkdir()
    write_atomic(str(path), b"{}")
    temporary = f"{path.parent}/.run-manifest.json.{os.getpid()}.tmp"
    assert calls == [("sync", temporary), ("rename", f"{temporary} {path}"), ("sync", str(path.parent))]


def test_a_provenance_with_other_comments_has_the_same_identity(whole: ProjectFolder) -> None:
    automate(whole)
    first = whole.manifest()
    path = whole.root / "provenance.toml"
    path.write_text("# a comment\n" + path.read_text())
    (whole.root / "title.toml").write_text(toml({"stubs": {}, "abi_version": "1.0.0", "entry": "entry"}) + "")
    text = (whole.root / "title.toml").read_text()
    (whole.root / "title.toml").write_text('title = "Sample"\n' + text)
    automate(whole)
    assert whole.manifest()["input_fingerprint"] == first["input_fingerprint"]
    assert whole.ran() == []
