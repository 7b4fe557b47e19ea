"""The commands, as a user sees them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import ProjectFolder
from conftest import SOURCES, run_cli
from recomp.cli.main import main


@pytest.fixture
def project(folder: ProjectFolder) -> ProjectFolder:
    folder.with_reference().with_commands("/usr/bin/true")
    folder.write()
    return folder


def call(project: ProjectFolder, name: str, *arguments: str) -> int:
    return main([name, "--config", str(project.root / "automation.toml"), *arguments])


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_automate_says_a_line_a_stage_and_where_things_lie(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    call(project, "automate")
    lines = out(capsys).splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["pipeline", "run"], ["build", "run"], ["run", "run"]]
    assert any(line.startswith("Sample: succeeded in ") and line.endswith("0 of 8 stages cached") for line in lines)
    call(project, "automate")
    assert "every stage cached" in out(capsys)


def test_automate_json_is_the_manifest_and_nothing_else(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    call(project, "automate", "--json")
    assert json.loads(out(capsys)) == project.manifest()


def test_automate_until_a_stage(project: ProjectFolder) -> None:
    assert call(project, "automate", "--until", "run") == 0
    assert list(project.steps()) == ["pipeline", "build", "run"]
    assert call(project, "automate", "--until", "rum") == 2


def test_dry_run_runs_nothing_and_may_set_the_exit_code(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(project, "automate", "--dry-run") == 0
    assert call(project, "automate", "--dry-run", "--exit-code") == 1
    assert not (project.work_root / "run-manifest.json").exists()
    call(project, "automate")
    capsys.readouterr()
    assert call(project, "automate", "--dry-run", "--exit-code", "--json") == 0
    assert {item["state"] for item in json.loads(out(capsys))} == {"cached"}


def test_explain_names_what_changed_old_to_new(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    call(project, "automate")
    project.config["commands"]["run"] = ["/usr/bin/true", "--new"]
    project.write()
    capsys.readouterr()
    call(project, "explain")
    lines = {line.split()[0]: line for line in out(capsys).splitlines()}
    assert "cached" in lines["build"]
    assert "command changed: run /usr/bin/true → /usr/bin/true --new" in lines["run"]
    assert "will run" in lines["capture"]
    assert "behind a command" in lines["capture"]


def test_explain_against_an_earlier_run(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    call(project, "automate")
    project.config["commands"]["run"] = ["/usr/bin/true", "--new"]
    project.write()
    call(project, "automate")
    capsys.readouterr()
    call(project, "explain", "run", "--against", "1")
    assert "/usr/bin/true → /usr/bin/true --new" in out(capsys)
    call(project, "explain", "run", "--against", "2")
    assert "the same" in out(capsys)
    assert call(project, "explain", "--against", "9") == 2
    run_id = project.manifest()["run_id"]
    assert call(project, "explain", "run", "--against", run_id) == 0


def test_check_says_all_that_is_wrong(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(project, "check") == 0
    (project.root / "module.json").write_text("{}")
    assert call(project, "check") == 2
    error = capsys.readouterr().err
    assert "module.json: found 2 bytes, expected" in error
    assert "provenance.toml:" in error
    assert call(project, "check", "--json") == 2
    found = json.loads(out(capsys))
    assert found["problems"][0]["file"] == "provenance.toml"
    assert found["problems"][0]["line"] > 1


def test_section_5_inputs_are_checked_before_any_stage(project: ProjectFolder) -> None:
    data = (project.root / "module.json").read_bytes()
    (project.root / "module.json").write_bytes(data.replace(b"entry", b"entrY"))
    assert call(project, "automate") == 2
    assert not (project.work_root / "run-manifest.json").exists()


def test_status_runs_and_log(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(project, "status") == 2
    project.config["commands"]["build"] = [project.script("say", "echo 'said \x1b[2J this'")]
    project.write()
    call(project, "automate")
    call(project, "automate")
    capsys.readouterr()
    call(project, "status")
    assert "succeeded" in out(capsys)
    call(project, "runs")
    assert [line.split()[0] for line in out(capsys).splitlines()] == ["1", "2"]
    call(project, "status", "1", "--json")
    assert json.loads(out(capsys))["stages_cached"] == 0
    main(["log", "build", "--config", str(project.root / "automation.toml")])
    assert out(capsys) == "said \\x1b[2J this\n"
    assert main(["log", "nothing", "--config", str(project.root / "automation.toml")]) == 2


def test_gc_only_says_what_it_would_do(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    call(project, "automate")
    capsys.readouterr()
    call(project, "gc", "--max-age", "0s")
    assert out(capsys).startswith("would remove 0 results")
    assert call(project, "gc", "--max-age", "soon") == 2
    call(project, "gc", "--max-size", "1k", "--yes", "--json")
    assert json.loads(out(capsys))["actions"] == 0
    call(project, "automate")
    assert project.ran() == []


def test_disown_forgets_what_a_tool_made_and_what_follows(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    call(project, "automate")
    capsys.readouterr()
    call(project, "disown", "av", "--json")
    assert json.loads(out(capsys))["steps"] == ["archive", "hash_frames", "validate"]
    call(project, "automate")
    assert project.ran() == ["hash_frames", "validate", "archive"]


def test_disown_takes_the_names_of_the_manifest_and_no_others(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    call(project, "automate")
    capsys.readouterr()
    assert call(project, "disown", "avv") == 2
    assert "did you mean av?" in capsys.readouterr().err
    assert call(project, "disown", "recomp_cli@999") == 0
    assert out(capsys) == "dropped 0 results\n"
    call(project, "disown", "recomp_cli", "--json")
    assert {"pipeline", "hash_frames", "archive"} <= set(json.loads(out(capsys))["steps"])


def test_audit_finds_the_first_differing_byte(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    call(project, "automate")
    capsys.readouterr()
    assert call(project, "audit") == 0
    assert "hash_frames     same" in out(capsys)
    key = project.steps()["hash_frames"]["cache_key"]
    from recomp.engine.files import seal
    from recomp.engine.store import Store

    store = Store(str(project.work_root / ".recomp/store"))
    record = store.action(key)
    assert record is not None
    other = store.read_blob(record["outputs"][0]["sha256"]).replace(b"\n", b" ", 1)
    record["outputs"][0].update(sha256=store.put_bytes(other), size=len(other))
    Path(store.record_path(key)).write_bytes(seal(record))
    assert call(project, "audit", "hash_frames") == 1
    assert "hashes: first differing byte at offset 0x40" in out(capsys)


def test_audit_runs_a_command_again_and_puts_back_what_it_made(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    body = (
        'mkdir -p "$RECOMP_BUILD_DIR"; cd "$RECOMP_BUILD_DIR"; [ -e port ] || { echo same > port; date +%N > stamp; }'
    )
    project.config["commands"]["build"] = [project.script("clock", body)]
    project.write()
    call(project, "automate")
    made = (project.work_root / "build" / "stamp").read_bytes()
    capsys.readouterr()
    assert call(project, "audit", "build") == 1
    assert "build_dir/stamp: first differing byte at offset" in out(capsys)
    assert (project.work_root / "build" / "stamp").read_bytes() == made
    call(project, "automate")
    assert project.ran() == []


def test_a_bundle_holds_nothing_of_the_program(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    import tarfile

    path = str(project.root / "bundle.tar")
    call(project, "automate")
    capsys.readouterr()
    call(project, "bundle", "--out", path, "--json")
    assert json.loads(out(capsys))["left_out"] > 0
    classes = {Path(a["path"]).name: a["class"] for a in project.manifest()["artifacts"]}
    with tarfile.open(path) as tar:
        names = [os.path.basename(name) for name in tar.getnames()]
    assert sorted(names) == ["frames.hashes", "provenance.intoto.json", "run-manifest.json", "validation-report.json"]
    assert {classes[name] for name in names if name in classes} == {"generated"}


def test_a_shared_store_takes_only_what_it_may_hold(
    project: ProjectFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "allowed-classes").write_text("generated public\n")
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(store))
    assert call(project, "automate") == 3
    assert "this store may hold generated, public, and the output 'project' is derived" in capsys.readouterr().err
    assert not [path for path in (store / "blobs").rglob("*") if path.is_file()]
    (store / "allowed-classes").write_text("generated derived\n")
    assert call(project, "automate") == 0


def test_init_writes_a_project_that_runs_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For a program that ends at once: exit(0) in two instructions."""
    from builders import elf

    (tmp_path / "program").write_bytes(elf([0xD2800000, 0xD2800BA8, 0xD4000001]))  # mov x0, #0; mov x8, #93; svc #0
    assert main(["init", str(tmp_path / "program"), "--to", str(tmp_path)]) == 0
    config = str(tmp_path / "automation.toml")
    assert main(["check", "--config", config]) == 0
    assert main(["automate", "--config", config]) == 0
    capsys.readouterr()
    assert main(["automate", "--config", config]) == 0
    assert "every stage cached" in out(capsys)
    assert main(["init", str(tmp_path / "program"), "--to", str(tmp_path)]) == 2
    assert "init never overwrites" in capsys.readouterr().err
    assert main(["init", config, "--to", str(tmp_path / "x")]) == 1
    assert not (tmp_path / "x").exists()


def test_doctor_and_completion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    assert {check["name"] for check in json.loads(out(capsys))} >= {"compiler", "codecs", "disk", "memory", "git"}
    main(["completion", "bash"])
    script = out(capsys)
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    ask = script + "\nCOMP_WORDS=(recomp aut); COMP_CWORD=1; _recomp; echo ${COMPREPLY[@]}"
    assert subprocess.run(["bash"], input=ask, text=True, capture_output=True).stdout.split() == ["automate"]


def test_section_9_usage_errors_exit_2() -> None:
    for arguments in (["automat"], ["automate", "--nonsense"], [], ["log"], ["automate", "--config", "/nowhere.toml"]):
        done = run_cli(*arguments)
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("recomp: error: ")
        assert "Traceback" not in done.stderr


def test_the_short_way_and_the_parser_agree(project: ProjectFolder) -> None:
    """`automate --config FILE` is read without a parser; with one it must do the same."""
    from recomp.cli.arguments import parse
    from recomp.cli.automate import Options

    parsed = vars(parse(["automate", "--config", "x"]))
    del parsed["function"]
    assert parsed == Options(config="x")._asdict()


def test_help_and_version() -> None:
    assert run_cli("--version").stdout.startswith("recomp ")
    for name in ("automate", "explain", "gc"):
        assert run_cli(name, "--help").stdout.startswith(f"usage: recomp {name}")


def start(project: ProjectFolder, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "recomp", "automate", "--config", str(project.root / "automation.toml"), *options]
    env = {**os.environ, "PYTHONPATH": SOURCES}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> int:
    """The process number that a script has written to a file."""
    for _ in range(1000):
        if path.exists() and path.read_text().strip():
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"{path} was never written")


@pytest.fixture
def sleeping(folder: ProjectFolder) -> ProjectFolder:
    """A project whose build waits in a child process until it is ended, unless `go` is there."""
    body = "if [ -e go ]; then exit 0; fi\nsleep 77 & echo $! > child\nwait"
    folder.config["commands"] = {"build": [folder.script("sleeper", body)], "run": ["true"]}
    folder.write()
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_section_9_an_interrupt_ends_the_group_records_it_and_exits_130(
    sleeping: ProjectFolder, number: signal.Signals
) -> None:
    process = start(sleeping)
    child = wait_for(sleeping.root / "child")
    process.send_signal(number)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in error and "Traceback" not in error
    assert not Path(f"/proc/{child}").exists()
    assert sleeping.manifest()["status"] == "interrupted"
    assert [(s["name"], s["status"]) for s in sleeping.manifest()["steps"]] == [
        ("pipeline", "succeeded"), ("build", "failed"),
    ]  # fmt: skip
    (sleeping.root / "go").touch()
    assert call(sleeping, "automate") == 0
    assert sleeping.steps()["pipeline"]["cache_hit"]


def test_section_9_a_locked_work_root_exits_4_and_names_the_holder(sleeping: ProjectFolder) -> None:
    process = start(sleeping)
    wait_for(sleeping.root / "child")
    second = run_cli("automate", "--config", str(sleeping.root / "automation.toml"))
    assert second.returncode == 4
    assert f"locked by process {process.pid} on " in second.stderr
    assert run_cli("status", "--config", str(sleeping.root / "automation.toml")).stdout.count("running") == 1
    process.terminate()
    process.communicate(timeout=60)


def states(project: ProjectFolder) -> list[str]:
    done = run_cli("runs", "--json", "--config", str(project.root / "automation.toml"))
    return [run["state"] for run in json.loads(done.stdout)]


def wait_until(what: Callable[[], bool]) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")


def test_a_waiting_run_is_queued_says_for_whom_and_has_its_turn(sleeping: ProjectFolder) -> None:
    first = start(sleeping)
    child = wait_for(sleeping.root / "child")
    second, third = start(sleeping, "--wait"), start(sleeping, "--wait")
    wait_until(lambda: states(sleeping) == ["running", "queued", "queued"])
    status = run_cli("status", "--json", "--config", str(sleeping.root / "automation.toml"))
    assert json.loads(status.stdout)["state"] == "running"  # the one at work, not the one that came last
    third.terminate()
    said = third.communicate(timeout=300)[1]
    assert third.returncode == 130
    assert f"waiting for process {first.pid} on " in said and "interrupted while it waited" in said
    (sleeping.root / "go").touch()
    os.kill(child, signal.SIGTERM)
    for process in (first, second):
        process.communicate(timeout=300)
        assert process.returncode == 0
    assert sorted(states(sleeping)) == ["interrupted", "succeeded", "succeeded"]


def test_a_killed_run_leaves_no_lock(sleeping: ProjectFolder) -> None:
    process = start(sleeping)
    child = wait_for(sleeping.root / "child")
    process.kill()
    process.communicate()
    (sleeping.root / "go").touch()
    assert call(sleeping, "automate") == 0
    assert not Path(f"/proc/{child}").exists()


def test_a_work_root_that_git_would_pick_up_is_refused(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    assert call(project, "automate") == 2
    assert "lies in a git work tree and git does not ignore it" in capsys.readouterr().err
    assert not project.work_root.exists()
    (project.root / ".gitignore").write_text("/out/\n/frames/\n/*.mp4\n")
    assert call(project, "automate") == 2  # capture.mp4 itself is ignored, its folder is not


def test_a_read_only_work_root_is_an_error_and_no_traceback(project: ProjectFolder) -> None:
    if os.geteuid() == 0:
        project.config["outputs"]["work_root"] = "/proc/nothing"
    else:
        project.work_root.mkdir()
        project.work_root.chmod(0o500)
    done = run_cli("automate", "--config", str(project.write()))
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("recomp: error: ") and "Traceback" not in done.stderr


def test_a_terminal_without_unicode_ends_no_run(project: ProjectFolder) -> None:
    """What it cannot show is shown escaped; it was a UnicodeEncodeError."""
    path = project.root / "title.toml"
    path.write_text(path.read_text("utf-8").replace('"Sample"', '"Fuchs \u2026"'), "utf-8")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_cli("automate", "--config", str(project.root / "automation.toml"), **plain)
    assert done.returncode == 0, done.stderr
    assert r"Fuchs \u2026: succeeded" in done.stdout


def test_explain_against_a_run_that_was_cut_short(sleeping: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    process = start(sleeping)
    wait_for(sleeping.root / "child")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    sleeping.config["run"] = {"lift_entry": "other"}
    sleeping.write()
    capsys.readouterr()
    assert call(sleeping, "explain", "pipeline", "--against", "1") == 0
    assert "other" in out(capsys)


def test_a_log_that_is_not_there(project: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    call(project, "automate")
    capsys.readouterr()
    assert call(project, "log", "biuld") == 2
    assert "did you mean build?" in capsys.readouterr().err
    assert call(project, "log", "pipeline") == 2
    assert "is built in and starts no program" in capsys.readouterr().err
