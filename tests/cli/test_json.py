"""`--json`: exactly one JSON document on stdout, whatever comes of the command."""

from __future__ import annotations

import json

import pytest

from builders import ProjectFolder, elf
from recomp.cli.arguments import COMMANDS, parser_of
from recomp.cli.main import main

WITH_JSON = [name for name in COMMANDS if "--json" in parser_of(name)._option_string_actions]
WITH_CONFIG = [name for name in WITH_JSON if "--config" in parser_of(name)._option_string_actions]
#: what else a command wants
ARGUMENTS = {
    "input": ["check", "input_script.toml"],
    "disown": ["zig"],
    "inspect": ["program.elf"],
    "bundle": ["--out", "bundle.tar"],
}


@pytest.fixture
def project(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> ProjectFolder:
    """A project that has run, and is the current folder."""
    monkeypatch.chdir(folder.root)
    folder.with_reference().with_commands("/usr/bin/true")
    (folder.root / "program.elf").write_bytes(elf([0xD65F03C0]))
    assert main(["automate", "--config", str(folder.write())]) == 0
    return folder


@pytest.mark.parametrize("name", WITH_JSON)
def test_the_answer_is_one_document(project: ProjectFolder, capsys: pytest.CaptureFixture[str], name: str) -> None:
    capsys.readouterr()
    main([name, "--json", *ARGUMENTS.get(name, [])])
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", WITH_CONFIG)
def test_an_error_is_one_too(project: ProjectFolder, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Beside what stands on stderr in words."""
    (project.root / "automation.toml").write_text("nonsense = 1\n")
    (project.root / "input_script.toml").write_text("nonsense = 1\n")
    capsys.readouterr()
    code = main([name, "--json", *ARGUMENTS.get(name, [])])
    streams = capsys.readouterr()
    assert code == 2
    found = json.loads(streams.out)
    if name != "check":  # which answers with all problems
        assert found["exit_code"] == 2 and found["error"] in streams.err
        assert len(found["problems"]) > 1 and {"file", "line", "column", "message"} <= found["problems"][1].keys()
        assert "recomp: error: " in streams.err


def test_a_run_that_fails_a_refused_one_and_a_full_disk(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer() -> dict:
        capsys.readouterr()
        code = main(["automate", "--json", "--config", str(project.write())])
        found = json.loads(capsys.readouterr().out)
        return {"code": code, **found}

    project.config["commands"]["run"] = ["false"]
    assert answer()["status"] == "failed"
    project.config["policy"] = {"execution_mode": "cloud"}
    assert answer()["code"] == 3
    project.config["policy"] = {}
    project.config["outputs"]["work_root"] = "/proc/nothing"
    refused = answer()
    assert refused["code"] == 1 and "/proc/nothing" in refused["error"]


def test_a_usage_error_is_one_too(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["runs", "--bogus", "--json"], ["status", "1", "2", "--json"]):
        assert main(arguments) == 2
        streams = capsys.readouterr()
        found = json.loads(streams.out)
        assert found["exit_code"] == 2 and found["error"] in streams.err


def test_an_interrupt_is_one_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("recomp.cli.main._dispatch", interrupted)
    assert main(["automate", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["exit_code"] == 130


def test_every_command_that_reports_has_it() -> None:
    """Those that write a file, a script or a log have not."""
    without = {"log", "accept", "reference", "port", "init", "schema", "completion"}
    assert without <= set(COMMANDS) - set(WITH_JSON)
    assert {"automate", "explain", "check", "status", "runs", "gc", "disown", "audit", "doctor"} <= set(WITH_JSON)
