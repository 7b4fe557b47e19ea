"""Many at once: on one work root each stage runs once and the others learn who holds it; on one store all are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from builders import ProjectFolder, sha256
from conftest import SOURCES
from engine.crash import begun, differing, project, tree
from recomp.engine.store import Store

AT_ONCE = 50


def start(made: ProjectFolder, *options: str, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "recomp", "automate", "--config", str(made.root / "automation.toml"), *options]
    env = {**os.environ, "PYTHONPATH": SOURCES, **environment}
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_fifty_invocations_run_each_stage_once(tmp_path: Path) -> None:
    """Every tenth waits for its turn; of the others one works and the rest name it."""
    made = project(tmp_path / "project")
    started = [start(made, *(["--wait"] if number % 10 == 0 else [])) for number in range(AT_ONCE)]
    answers = [(process.communicate()[1], process.returncode) for process in started]
    numbers = {process.pid for process in started}
    for said, code in answers:
        holder = re.search(r"locked by process (\d+) on ", said)
        assert code == 0 or (code == 4 and holder and int(holder[1]) in numbers), said
    assert all(code == 0 for _, code in answers[::10])
    ran = (made.root / "ran").read_text().splitlines()
    assert sorted(ran) == sorted(f"{what} {name}" for name in made.config["commands"] for what in ("begin", "end"))
    assert len(begun(made)) == len(set(begun(made))) == len(made.steps())


def test_runs_of_several_work_roots_share_one_store(tmp_path: Path) -> None:
    """At the same time, with the same stages: every root ends as if it were alone."""
    alone = project(tmp_path / "alone")
    assert start(alone).wait() == 0
    several = [project(tmp_path / str(number)) for number in range(4)]
    started = [start(made, RECOMP_CACHE_DIR=str(tmp_path / "store")) for made in several]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 4
    for made in several:
        assert differing(tree(made), tree(alone)) == []


@pytest.mark.parametrize("text", ["same", "of process $$"])
def test_two_runs_that_meet_in_one_command_build_on_one_result(tmp_path: Path, text: str) -> None:
    """Whoever publishes second takes over the first result: a third run finds everything that follows it, too. They
    meet in every command, or the one that falls behind would find results of the other and make them again."""
    store = str(tmp_path / "store")
    made = []
    for number in range(3):
        one = project(tmp_path / str(number))
        for name, work in (
            ("build", f"mkdir -p out/build; echo {text} > out/build/port.txt"),
            ("run", f"mkdir -p out/recording; echo {text} > out/recording/run.txt"),
            ("capture", "cp out/recording/run.txt capture.mp4"),
            ("extract_frames", "mkdir -p frames; echo 1 > frames/0001.png"),
        ):
            meet = f"> {tmp_path}/{name}.$$; until [ $(ls {tmp_path}/{name}.* | wc -l) -ge 2 ]; do sleep 0.01; done"
            one.config["commands"][name] = ["sh", "-c", f"{meet}; {work}"]
        (one.root / "reference.hashes").write_text(sha256(b"1\n") + "\n")
        one.write()
        made.append(one)
    started = [start(one, RECOMP_CACHE_DIR=store) for one in made[:2]]
    assert [(process.communicate()[1], process.returncode) for process in started] == [("", 0)] * 2
    assert start(made[2], RECOMP_CACHE_DIR=store).wait() == 0
    assert [name for name, step in made[2].steps().items() if not step["cache_hit"]] == []
    for path in ("out/build/port.txt", "out/recording/run.txt", "capture.mp4"):
        assert len({(one.root / path).read_bytes() for one in made}) == 1


def test_a_result_made_from_another_upstream_is_no_first(tmp_path: Path) -> None:
    """Nor is the one that lay there before the run, nor one whose content is gone."""
    store = Store(str(tmp_path))
    blob = store.put_bytes(b"content")

    def record(number: int, made_from: str = "this", sha256: str = blob) -> dict:
        return {"cache_key": "ab" * 32, "made_from": {"build": made_from}, "outputs": [{"sha256": sha256}], "n": number}

    assert store.publish(record(1), None) == record(1)
    assert store.publish(record(2), None) == record(1) == store.action("ab" * 32)
    assert store.publish(record(3), record(1)) == record(3) == store.action("ab" * 32)
    assert store.publish(record(4, "another"), None) == record(4, "another")
    assert store.publish(record(5, sha256="0" * 64), record(4, "another"))["n"] == 5
    assert store.publish(record(6), None) == record(6)
