"""Slurm as an executor, against a stand-in for its commands: what they are asked, and what becomes of their answers.

The stand-in runs each job at once as a process of its own. That real controllers behave so is not shown here.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from batch.catalogue import command_titles
from batch.machines import wait_until
from conftest import run_cli

SBATCH = """\
#!/usr/bin/env python3
import json, os, pathlib, subprocess, sys
home = pathlib.Path(__file__).parent
if (home / "away").exists():
    sys.exit("sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)")
number = len(list(home.glob("job-*"))) + 1
options = dict(part.removeprefix("--").partition("=")[::2] for part in sys.argv[1:])
(home / f"job-{number}").write_text(json.dumps(sys.argv[1:]))
if (home / "lose").exists():
    (home / "lose").unlink()
else:
    with open(options["output"], "wb") as log:
        subprocess.Popen(["/bin/sh", "-c", options["wrap"]], stdout=log, stderr=log, start_new_session=True)
print(f"{number};cluster")
"""

SQUEUE = """\
#!/usr/bin/env python3
import pathlib, sys
home = pathlib.Path(__file__).parent
assert "--me" in sys.argv
if (home / "away").exists():
    (home / "asked").touch()
    sys.exit("slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
lost = (home / "lost").read_text().split() if (home / "lost").exists() else []
for number in range(len(list(home.glob("job-*")))):
    print(number + 1, "NODE_FAIL" if str(number + 1) in lost else "RUNNING")
"""


@pytest.fixture
def slurm(tmp_path: Path) -> Path:
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in (("sbatch", SBATCH), ("squeue", SQUEUE), ("scancel", "#!/bin/sh\n")):
        (folder / name).write_text(text)
        (folder / name).chmod((folder / name).stat().st_mode | stat.S_IXUSR)
    return folder


def run(path: Path, slurm: Path, *options: str) -> tuple[int, Any, str]:
    env = {"PATH": f"{slurm}:{os.environ['PATH']}", "RECOMP_WORKER_DIR": str(slurm / "worker")}
    store = f"file://{slurm}/shared"
    done = run_cli("batch", "run", str(path), "--json", f"--slurm={' '.join(options)}", "--store", store, **env)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


def test_each_title_is_a_job_with_its_limit_and_its_kind(tmp_path: Path, slurm: Path) -> None:
    path, _ = command_titles(tmp_path, 1)
    values = json.loads(path.read_text())
    values["global_defaults"]["resource"] = {"run": "capture"}
    path.write_text(json.dumps(values))
    code, answer, said = run(path, slurm, "--partition=night")
    assert code == 0 and answer["counts"]["passed"] == 1, said
    jobs = [json.loads(job.read_text()) for job in sorted(slurm.glob("job-*"))]
    kinds = [next(word for word in job if word.startswith("--constraint")) for job in jobs]
    assert kinds == ["--constraint=build", "--constraint=capture", "--constraint=build"]
    assert all({"--partition=night", "--parsable", "--no-requeue", "--time=35"} <= set(job) for job in jobs)


def test_a_job_that_ends_without_a_result_is_tried_again(tmp_path: Path, slurm: Path) -> None:
    path, _ = command_titles(tmp_path, 1)
    (slurm / "lose").touch()
    (slurm / "lost").write_text("1")
    code, answer, said = run(path, slurm)
    assert code == 0 and answer["retries"] == 1 and "its job ended without a result" in said


def test_a_controller_that_is_away_is_waited_for(tmp_path: Path, slurm: Path) -> None:
    """Its jobs go on without it: none is taken for lost, and what could not be submitted is submitted later."""
    path, made = command_titles(tmp_path, 2)
    for number, project in enumerate(made):
        wait = f"touch {tmp_path}/begun; while [ ! -e {tmp_path}/free ]; do sleep 0.05; done"
        project.config["commands"]["run"] = [project.script("run.sh", f"{wait}; echo {number} >> {tmp_path}/ran")]
        project.write()
    values = json.loads(path.read_text())
    values["global_defaults"]["resource"] = {"run": "capture"}
    path.write_text(json.dumps(values))
    (slurm / "away").touch()
    done: list[tuple[int, Any, str]] = []
    batch = threading.Thread(target=lambda: done.append(run(path, slurm)))
    batch.start()
    wait_until((slurm / "asked").exists, "the controller to be asked while it is away")
    assert not list(slurm.glob("job-*"))
    (slurm / "away").unlink()
    wait_until((tmp_path / "begun").exists, "a run to begin")
    (slurm / "asked").unlink()
    (slurm / "away").touch()
    wait_until((slurm / "asked").exists, "the controller to be asked while it is away again")
    (tmp_path / "free").touch()
    (slurm / "away").unlink()
    batch.join()
    ((code, answer, said),) = done
    assert code == 0 and answer["counts"]["passed"] == 2 and answer["retries"] == 0, said
    assert sorted((tmp_path / "ran").read_text().split()) == ["0", "1"]


def test_without_slurm_it_is_said(tmp_path: Path) -> None:
    path, _ = command_titles(tmp_path, 1)
    done = run_cli("batch", "run", str(path), "--slurm", "--store", f"file://{tmp_path}/s", PATH="/nowhere")
    assert done.returncode == 1 and "is Slurm installed" in done.stderr
    done = run_cli("batch", "run", str(path), "--slurm")
    assert done.returncode == 2 and "need --store" in done.stderr
