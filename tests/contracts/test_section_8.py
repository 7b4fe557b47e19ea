"""contracts, section 8: the environment of stage commands. The whole list at once is in
tests/stages/test_contract_stages.py."""

from __future__ import annotations

import os

import pytest

from builders import ProjectFolder, toml
from recomp.cli.main import main

ALWAYS = (
    "WORK_ROOT INTAKE_DIR LIFT_DIR BUILD_DIR ASSETS_DIR VALIDATION_DIR RUN_MANIFEST LIFTED_MODULE_JSON "
    "REFERENCE_VIDEO_TOML CAPTURE_VIDEO_TOML CAPTURE_VIDEO CAPTURE_FRAMES_DIR EXECUTION_MODE POLICY_REQUIRES_APPROVAL "
    "RUN_ID STAGE STAGE_ATTEMPT CACHE_KEY"
).split()
CONFIGURED = {
    "CAPTURE_AUDIO_FILE": ("capture", "audio_file", "sound.wav"),
    "VALIDATION_CONFIG_TOML": ("reference", "validation_config_toml", "validation_config.toml"),
    "INPUT_SCRIPT_TOML": ("reference", "input_script_toml", "input_script.toml"),
    "ANALYSIS_NAME_MAP_JSON": ("analysis", "name_map_json", "names.json"),
    "ANALYSIS_RUNTIME_TRACE_MANIFEST": ("analysis", "runtime_trace_manifest", "misses.jsonl"),
    "POLICY_MAX_COST_USD": ("policy", "max_cost_usd", 2.5),
    "POLICY_MAX_RUNTIME_MINUTES": ("policy", "max_runtime_minutes", 30),
    "POLICY_REDACTION_PROFILE": ("policy", "redaction_profile", "strict"),
    "POLICY_ALLOWED_MODELS": ("policy", "allowed_models", ["one", "two"]),
    "POLICY_RUN_WINDOWS": ("policy", "run_windows", ["daily:00:00-24:00", "weekend:09:00-18:00"]),
}
PATHS = (*ALWAYS[:12], *list(CONFIGURED)[:5])


@pytest.fixture
def asking(folder: ProjectFolder) -> ProjectFolder:
    """A project whose run tells its environment."""
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["commands"]["run"] = [folder.script("tell", "env > told")]
    (folder.root / "validation_config.toml").write_text('schema_version = "1"\n')
    (folder.root / "input_script.toml").write_text(
        toml({"schema_version": "1", "metadata": {"title": "t", "controller": "c", "timing_mode": "ms"}})
    )
    (folder.root / "names.json").write_text("{}")
    (folder.root / "misses.jsonl").write_text("")
    return folder


def told(folder: ProjectFolder) -> dict[str, str]:
    assert main(["automate", "--config", str(folder.write())]) == 0
    lines = (folder.root / "told").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line.startswith("RECOMP_"))
    return {name.removeprefix("RECOMP_"): value for name, value in pairs}


def with_all(folder: ProjectFolder) -> ProjectFolder:
    for section, key, value in CONFIGURED.values():
        folder.config.setdefault(section, {})[key] = value
    (folder.root / "sound.wav").write_bytes(b"sound")
    folder.config["commands"]["extract_audio"] = ["true"]
    return folder


def test_what_is_always_there_is_there_and_nothing_else(asking: ProjectFolder) -> None:
    assert set(told(asking)) == set(ALWAYS)


def test_what_is_there_where_it_is_configured(asking: ProjectFolder) -> None:
    assert set(told(with_all(asking))) == {*ALWAYS, *CONFIGURED}


def test_paths_are_absolute(asking: ProjectFolder) -> None:
    found = told(with_all(asking))
    for name in PATHS:
        assert os.path.isabs(found[name]), name
        assert found[name].startswith(str(asking.root))


def test_lists_are_joined_by_commas(asking: ProjectFolder) -> None:
    found = told(with_all(asking))
    assert found["POLICY_ALLOWED_MODELS"] == "one,two"
    assert found["POLICY_RUN_WINDOWS"] == "daily:00:00-24:00,weekend:09:00-18:00"


@pytest.mark.parametrize("approval", [True, False])
def test_whether_approval_is_required_is_true_or_false(asking: ProjectFolder, approval: bool) -> None:
    asking.config["policy"] = {"requires_approval": approval}
    assert told(asking)["POLICY_REQUIRES_APPROVAL"] == str(approval).lower()


def test_run_stage_attempt_and_key_are_those_of_the_manifest(asking: ProjectFolder) -> None:
    asking.config["run"] = {"resume": False}
    told(asking)
    found, step = told(asking), asking.steps()["run"]
    assert found["RUN_ID"] == asking.manifest()["run_id"]
    assert (found["STAGE"], found["STAGE_ATTEMPT"], found["CACHE_KEY"]) == ("run", "2", step["cache_key"])


def test_what_the_caller_has_set_does_not_reach_a_command(
    asking: ProjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOMP_CAPTURE_AUDIO_FILE", "/nonsense")
    monkeypatch.setenv("RECOMP_STAGE", "nonsense")
    found = told(asking)
    assert "CAPTURE_AUDIO_FILE" not in found
    assert found["STAGE"] == "run"
