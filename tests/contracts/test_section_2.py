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
