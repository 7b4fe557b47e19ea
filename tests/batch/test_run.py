"""`recomp batch` from end to end, on titles whose stages are commands."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from batch.catalogue import command_titles, manifest, title, write_manifest, write_programs
from builders import ProjectFolder
from conftest import SOURCES, run_cli
from recomp.config.schema import schema


def batch(action: str, path: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON answer, stderr."""
    done = run_cli("batch", action, str(path), "--json", *options)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def start(path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "recomp", "batch", "run", str(path), "--jobs", "2"]
    env = {**os.environ, "PYTHONPATH": SOURCES}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(condition: Any, process: subprocess.Popen[str]) -> None:
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)


def breaks(project: ProjectFolder, body: str = "echo no >&2; exit 7") -> None:
    project.config["commands"]["run"] = [project.script("run.sh", body)]
    project.write()


def statuses(answer: dict[str, Any]) -> dict[str, str]:
    return {unit["unit"]: unit["status"] for unit in answer["units"]}


def test_one_failure_stops_nobody_and_is_a_regression_once(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 3)
    code, answer, _ = batch("run", path)
    assert code == 0 and answer["counts"] == {"passed": 3, "failed": 0, "needs_review": 0, "pending": 0}
    breaks(made[1])
    code, answer, said = batch("run", path)
    assert code == 1 and statuses(answer) == {"t0": "passed", "t1": "failed", "t2": "passed"}
    assert [(r["unit"], r["before"], r["after"]) for r in answer["regressions"]] == [("t1", "passed", "failed")]
    assert "exit code 7" in answer["regressions"][0]["error"] and "exit code 7" in said
    code, answer, _ = batch("run", path)
    assert code == 0 and statuses(answer)["t1"] == "failed"  # as bad as last time, not worse
    breaks(made[1], "true")
    code, answer, _ = batch("retry", path, "--failed")
    assert code == 0 and statuses(answer) == {"t1": "passed"}
    code, answer, _ = batch("status", path)
    assert {title["status"] for title in answer["titles"]} == {"passed"}
    done = run_cli("batch", "retry", str(path), "--failed")
    assert done.returncode == 0 and "no title of the batch has failed" in done.stdout


def test_what_failed_comes_with_what_to_do(tmp_path: Path) -> None:
    write_programs(tmp_path, 1)
    wrong = title("one", elf="p0001", sha256="0" * 64)
    path = write_manifest(tmp_path, manifest([wrong]))
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 1
    assert "hint: this is not the program that the batch manifest lists" in done.stdout
    assert "next: recomp batch report " in done.stdout
    assert "hint: this is not the program" in run_cli("batch", "status", str(tmp_path)).stdout


def test_a_title_that_cannot_even_be_read_fails_alone(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 2)
    (made[0].root / "automation.toml").write_text("colour = 1")
    code, answer, _ = batch("run", path)
    assert code == 1 and statuses(answer) == {"t0": "failed", "t1": "passed"}
    assert 'automation.toml:1:1: colour: unknown key "colour"' in answer["units"][0]["error"]


def test_a_second_run_is_cached_whole_and_changes_nothing(tmp_path: Path) -> None:
    path, _ = command_titles(tmp_path, 3)
    batch("run", path)
    before = (tmp_path / "out" / "batch-manifest.json").read_bytes()
    code, answer, _ = batch("run", path)
    assert code == 0 and answer["stages"] == {"settled": 21, "cached": 21}
    assert (tmp_path / "out" / "batch-manifest.json").read_bytes() == before
    written = json.loads(before)
    assert [title["status"] for title in written["titles"]] == ["passed"] * 3
    assert {item["role"] for title in written["titles"] for item in title["artifacts"]} == {"provenance-statement"}
    jsonschema.validate(written, schema("batch"))


def test_a_unit_is_a_project_that_other_commands_understand(tmp_path: Path) -> None:
    path, _ = command_titles(tmp_path, 1)
    batch("run", path)
    config = str(tmp_path / "out" / "titles" / "t0" / "default" / "automation.toml")
    done = run_cli("automate", "--config", config, RECOMP_CACHE_DIR=str(tmp_path / "out" / "store"))
    assert done.returncode == 0 and "every stage cached" in done.stdout


def test_variants_share_the_stages_that_they_agree_on(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 1)
    made[0].config["commands"] = {"run": ["/usr/bin/true"], "build": ["/usr/bin/true"]}
    made[0].write()
    values = json.loads(path.read_text())
    values["titles"][0]["matrix"] = {"lift_mode": ["decode", "stub"], "seed": [1, 2]}
    path.write_text(json.dumps(values))
    code, answer, _ = batch("run", path, "--jobs", "2")
    assert code == 0 and len(answer["units"]) == 4
    ran: dict[str, int] = {}
    for written in sorted((tmp_path / "out" / "titles" / "t0").glob("*/out/run-manifest.json")):
        for step in json.loads(written.read_text())["steps"]:
            ran[step["name"]] = ran.get(step["name"], 0) + (not step["cache_hit"])
    assert ran["pipeline"] == 2  # once for each lift mode, not for each seed
    assert ran["build"] == 1  # both modes emit the same for an entry that returns at once


def test_kill_at_any_stage_and_the_next_run_is_right(tmp_path: Path) -> None:
    """The whole group is killed once in each title's run; what was finished before is not done again."""
    path, made = command_titles(tmp_path, 4)
    for project in made:
        breaks(
            project, f"echo x >> {tmp_path}/begun; [ -e {tmp_path}/free ] || exec sleep 1000; echo x >> {tmp_path}/ran"
        )
    process = start(path)
    wait_for(lambda: (tmp_path / "begun").exists(), process)
    process.kill()
    process.communicate()
    _, answer, _ = batch("status", path)
    assert not answer["running"] and {t["status"] for t in answer["titles"]} == {"pending"}
    (tmp_path / "free").touch()
    code, answer, _ = batch("run", path)
    assert code == 0 and set(statuses(answer).values()) == {"passed"}
    assert (tmp_path / "ran").read_text() == "x\n" * 4


def test_cancel_ends_what_is_under_way_and_the_next_run_goes_on(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 3)
    breaks(made[2], f"touch {tmp_path}/begun; [ -e {tmp_path}/free ] || exec sleep 1000")
    process = start(path)
    wait_for((tmp_path / "begun").exists, process)
    assert run_cli("batch", "cancel", str(path)).returncode == 0
    said, _ = process.communicate()
    assert process.returncode == 130 and "cancelled" in said
    (tmp_path / "free").touch()
    code, answer, _ = batch("run", path)
    assert code == 0 and set(statuses(answer).values()) == {"passed"}
    done = run_cli("batch", "cancel", str(path))
    assert done.returncode == 2 and "no run of test is under way" in done.stderr


def test_an_interrupt_ends_the_batch_in_order(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 2)
    breaks(made[0], f"touch {tmp_path}/begun; exec sleep 1000")
    process = start(path)
    wait_for((tmp_path / "begun").exists, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate()
    assert process.returncode == 130 and "interrupted" in said
    written = json.loads((tmp_path / "out" / "batch-manifest.json").read_text())
    assert written["titles"][0]["status"] == "pending"


def test_two_runs_of_one_batch_do_not_meet(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 1)
    breaks(made[0], f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/free ]; do sleep 0.02; done")
    process = start(path)
    wait_for((tmp_path / "begun").exists, process)
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 4 and f"process {process.pid}" in done.stderr
    (tmp_path / "free").touch()
    process.communicate()
    assert process.returncode == 0


def test_two_batches_that_share_titles_and_a_store_may_run_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each result is published once, whole: a third batch of the same titles finds everything."""
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(tmp_path / "store"))
    paths = []
    for name in ("one", "two", "three"):
        folder = tmp_path / name
        write_programs(folder, 3)
        lifted = {"commands": {"build": ["/usr/bin/true"], "run": ["/usr/bin/true"]}}
        titles = [title(f"p{n}", elf=f"p{n:04d}") for n in (1, 2, 3)]
        paths.append(write_manifest(folder, manifest(titles, defaults={"automation": lifted})))
    processes = [start(path) for path in paths[:2]]
    for process in processes:
        said, _ = process.communicate()
        assert process.returncode == 0, said
    code, answer, _ = batch("run", paths[2])
    assert code == 0 and answer["counts"]["passed"] == 3
    assert answer["stages"]["cached"] == answer["stages"]["settled"]
    leftovers = list((tmp_path / "store" / "tmp").iterdir())
    assert leftovers == []


def test_a_title_that_kills_its_workers_is_set_aside_with_its_log(tmp_path: Path) -> None:
    path, made = command_titles(tmp_path, 2)
    breaks(made[0], 'ppid=$(cut -d" " -f4 /proc/$PPID/stat); kill -9 $ppid')  # past the supervisor, to the attempt
    values = json.loads(path.read_text())
    values["global_defaults"]["retries"] = 1
    path.write_text(json.dumps(values))
    code, answer, said = batch("run", path)
    assert code == 1 and statuses(answer) == {"t0": "needs_review", "t1": "passed"}
    assert "set aside after 2 workers died of it: its process was ended by signal 9" in answer["units"][0]["error"]
    assert answer["retries"] == 1 and "tried again in" in said
    code, answer, said = batch("run", path)
    assert code == 0 and answer["retries"] == 0  # set aside: not tried until it changes, or is retried
    breaks(made[0], "true")
    code, answer, _ = batch("run", path)
    assert code == 0 and set(statuses(answer).values()) == {"passed"}
