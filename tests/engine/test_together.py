"""Many at once: on one work root each stage runs once and the others learn who holds it; on one store all are right."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from builders import ProjectFolder
from conftest import SOURCES
from engine.crash import begun, differing, project, tree

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
