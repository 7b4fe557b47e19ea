"""contracts, section 9: exit codes, and which stream says what. Interrupts and locks of real processes are in
tests/cli/test_commands.py."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from pathlib import Path

import pytest

from builders import ProjectFolder
from recomp.cli.main import main


def automate(folder: ProjectFolder, *options: str) -> int:
    return main(["automate", "--config", str(folder.write()), *options])


@pytest.fixture
def project(folder: ProjectFolder) -> ProjectFolder:
    return folder.with_reference().with_commands("/usr/bin/true")


def test_0_success(project: ProjectFolder) -> None:
    assert automate(project) == 0


def test_1_a_stage_failed(project: ProjectFolder) -> None:
    project.config["commands"]["run"] = ["false"]
    assert automate(project) == 1


def test_1_the_validation_failed(project: ProjectFolder) -> None:
    (project.root / "frames/0000.png").write_bytes(b"another")
    assert automate(project) == 1
    assert project.manifest()["steps"][-1]["name"] == "validate"


@pytest.mark.parametrize("arguments", [["nonsense"], ["automate", "--nonsense"], []])
def test_2_usage_error(arguments: list[str]) -> None:
    assert main(arguments) == 2


def test_2_configuration_error(project: ProjectFolder) -> None:
    project.config["inputs"]["mode"] = "nonsense"
    assert automate(project) == 2


def test_3_a_policy_gate_refused(project: ProjectFolder) -> None:
    project.config["policy"] = {"execution_mode": "hybrid"}
    assert automate(project) == 3


def test_4_the_work_root_is_locked(project: ProjectFolder) -> None:
    assert automate(project) == 0
    with open(project.work_root / ".recomp/lock", "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        holder = {"pid": os.getpid(), "host": os.uname().nodename, "started": 1, "pid_started": _started()}
        (project.work_root / ".recomp/lock-holder.json").write_text(json.dumps(holder))
        assert automate(project) == 4


def _started() -> int:
    return int(Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_130_interrupted(project: ProjectFolder, number: int) -> None:
    """By the stage itself, so that it is certain to be running."""
    project.config["commands"]["run"] = [project.script("interrupt", f"kill -{int(number)} {os.getpid()}; sleep 77")]
    assert automate(project) == 130
    assert project.manifest()["status"] == "interrupted"
    assert [(step["name"], step["status"]) for step in project.manifest()["steps"]][-1] == ("run", "failed")


def test_errors_go_to_stderr_and_results_to_stdout(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    project.config["commands"]["run"] = ["false"]
    automate(project)
    streams = capsys.readouterr()
    assert "recomp: error: run: command 'false' ended with exit code 1" in streams.err
    assert "recomp: error" not in streams.out
    assert "build" in streams.out and "build" not in streams.err
    project.config["inputs"]["mode"] = "nonsense"
    automate(project)
    assert capsys.readouterr().out == ""
