"""contracts, section 2: stages and how commands run."""

from __future__ import annotations

from builders import ProjectFolder
from recomp.cli.main import main


def test_a_command_has_a_process_group_of_its_own(folder: ProjectFolder) -> None:
    import os

    script = folder.script("group", "ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; echo $$")
    folder.config["commands"] = {"build": [script], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    group, own = (int(line) for line in (folder.work_root / "logs/build.stdout.log").read_text().split())
    assert group == own
    assert group != os.getpgid(0)


def test_a_command_reads_nothing_from_the_terminal(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": [folder.script("ask", "readlink /proc/$$/fd/0")], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert (folder.work_root / "logs/build.stdout.log").read_text() == "/dev/null\n"


def test_a_stage_that_does_not_apply_has_no_step(folder: ProjectFolder) -> None:
    """No reference and no capture: nothing to capture, extract, hash or validate."""
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert list(folder.steps()) == ["pipeline", "build", "run", "archive"]


def test_steps_are_in_the_order_and_have_the_names_of_the_lifecycle(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["analysis"] = {"command": ["true"]}
    folder.config["capture"]["audio_file"] = "sound.wav"
    (folder.root / "sound.wav").write_bytes(b"sound")
    folder.config["commands"]["extract_audio"] = ["true"]
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert list(folder.steps()) == [
        "analysis", "pipeline", "build", "run", "capture", "extract_frames", "extract_audio", "hash_frames",
        "hash_audio", "validate", "archive",
    ]  # fmt: skip


def test_streams_reach_their_files_while_the_command_runs(folder: ProjectFolder) -> None:
    """The command itself looks, and goes on only once it sees its own words."""
    body = (
        "echo words; echo complaint >&2\n"
        "until grep -q words out/logs/build.stdout.log && grep -q complaint out/logs/build.stderr.log\n"
        "do sleep 0.05; done"
    )
    folder.config["commands"] = {"build": [folder.script("look", body)], "run": ["true"]}
    folder.config["run.timeouts"] = {"build": 100}
    assert main(["automate", "--config", str(folder.write())]) == 0


def test_there_is_no_shell(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": ["echo", "$HOME", "&&", "a;b", "`id`", ">", "x"], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) == 0
    assert (folder.work_root / "logs/build.stdout.log").read_text() == "$HOME && a;b `id` > x\n"
