"""contracts, section 3: what a cache key holds, and what it does not."""

from __future__ import annotations

from builders import ProjectFolder, toml
from recomp.cli.main import main


def automate(folder: ProjectFolder) -> dict[str, str]:
    """The cache key of each step."""
    assert main(["automate", "--config", str(folder.write())]) == 0
    return {name: step["cache_key"] for name, step in folder.steps().items()}


def test_the_attempt_number_is_not_in_the_key(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    folder.config["run"] = {"resume": False}
    first, second = automate(folder), automate(folder)
    assert folder.steps()["build"]["stage_attempt"] == 2
    assert first == second


def test_the_place_of_the_work_root_is_not_in_the_key_of_a_built_in_stage(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    first = automate(folder)
    folder.config["outputs"]["work_root"] = "another"
    assert automate(folder)["pipeline"] == first["pipeline"]


def test_a_changed_reference_reruns_the_comparison_and_nothing_before_it(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    automate(folder)
    text = (folder.root / "reference.hashes").read_text()
    (folder.root / "reference.hashes").write_text("# another comment\n" + text)
    automate(folder)
    assert folder.ran() == ["validate"] or folder.ran() == ["validate", "archive"]


def test_a_changed_input_script_reruns_the_run_and_what_follows(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["reference"]["input_script_toml"] = "input_script.toml"
    script = {"schema_version": "1", "metadata": {"title": "t", "controller": "c", "timing_mode": "frames"}}
    for value in (1, 0):
        events = [{"frame": 3, "control": "A", "value": value}]
        (folder.root / "input_script.toml").write_text(toml({**script, "events": events}))
        automate(folder)
    assert folder.ran()[0] == "run"
    assert not {"pipeline", "build"} & set(folder.ran())


def test_a_key_holds_the_tools_that_its_stage_uses_and_no_others(folder: ProjectFolder) -> None:
    """Another program behind one command changes that key and those behind it."""
    script = folder.script("tool", "true")
    folder.config["commands"] = {"build": ["true"], "run": [script]}
    first = automate(folder)
    folder.script("tool", "true # another version")
    second = automate(folder)
    assert {name for name in first if first[name] != second[name]} == {"run", "archive"}


def test_a_key_is_that_of_its_stage_alone(folder: ProjectFolder) -> None:
    """Two stages with the same command and the same inputs have keys of their own."""
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    keys = automate(folder)
    assert len(set(keys.values())) == len(keys)


def test_a_hit_needs_every_recorded_output(folder: ProjectFolder) -> None:
    """Present, and with its recorded hash: without the store's copy the stage runs again."""
    body = 'mkdir -p "$RECOMP_BUILD_DIR"; echo port > "$RECOMP_BUILD_DIR/port"'
    folder.config["commands"] = {"build": [folder.script("build", body)], "run": ["true"]}
    automate(folder)
    blobs = folder.work_root / ".recomp/store/blobs"
    for wrong in (None, b"flipped"):
        for path in [path for path in blobs.rglob("*") if path.is_file()]:
            path.unlink()
        port = folder.work_root / "build/port"
        port.unlink() if wrong is None else port.write_bytes(wrong)
        automate(folder)
        assert "build" in folder.ran()
        assert port.read_bytes() == b"port\n"


def test_a_timeout_is_no_part_of_what_is_made(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    first = automate(folder)
    folder.config["run.timeouts"] = {"build": 100}
    assert automate(folder) == first
    assert folder.ran() == []
