"""A cluster of real processes: a scheduler and workers with TLS between them, artifacts on an S3 server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batch.catalogue import command_titles, title, write_programs
from batch.machines import Bucket, Cluster, Network, bucket, cluster, finish, wait_until
from builders import ProjectFolder
from conftest import SOURCES, run_cli
from recomp.batch.dask import GONE, DaskExecutor
from recomp.batch.executor import Event, Task

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls") / "certs"
    assert run_cli("cluster", "certs", str(folder), "--name", "127.0.0.1").returncode == 0
    return folder


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory, certificates: Path, s3: Bucket) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder, "--tls", str(certificates), "--tags", "build,capture,private", env=s3.env) as made:
        wait_until(lambda: len(made.pids("dask_worker")) == 2, "the workers")
        yield made


def options(machines: Cluster, s3: Bucket, certificates: Path) -> list[str]:
    return ["--cluster", machines.address, "--store", s3.url, "--tls", str(certificates)]


def comparable(root: Path) -> dict[str, Any]:
    """Every run manifest below `root`, without what may differ."""
    found = {}
    for path in sorted((root / "out" / "titles").glob("*/*/out/run-manifest.json")):
        manifest = json.loads(path.read_text())
        for step in manifest["steps"]:
            for key in ("duration_ms", "stage_attempt", "cache_hit", "origin"):
                step.pop(key)
        found[str(path.relative_to(root))] = manifest
    return found


def mixed(root: Path) -> Path:
    path, _ = command_titles(root, 2)
    write_programs(root, 1)
    values = json.loads(path.read_text())
    commands = {"commands": {"build": ["/usr/bin/true"], "run": ["/usr/bin/true"]}}
    values["titles"].append({**title("program", elf="p0001"), "automation": commands})
    path.write_text(json.dumps(values))
    return path


def start(path: Path, arguments: list[str], env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "recomp", "batch", "run", str(path), "--json", *arguments]
    merged = {**os.environ, "PYTHONPATH": SOURCES, **env}
    return subprocess.Popen(command, env=merged, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def blocks(project: ProjectFolder, root: Path) -> None:
    """Its run waits for the file `free`; `begun` and `ran` have a line for each time that it began and ended."""
    body = f"echo x >> {root}/begun; while [ ! -e {root}/free ]; do sleep 0.05; done; echo x >> {root}/ran"
    project.config["commands"]["run"] = [project.script("run.sh", body)]
    project.write()


def test_a_cluster_makes_what_one_machine_makes(
    tmp_path: Path, machines: Cluster, s3: Bucket, certificates: Path
) -> None:
    """Two titles of commands, and a program that is really read, lifted and emitted."""
    here, there = mixed(tmp_path / "here"), mixed(tmp_path / "there")
    assert run_cli("batch", "run", str(here)).returncode == 0
    done = run_cli("batch", "run", str(there), *options(machines, s3, certificates), **s3.env)
    assert done.returncode == 0, done.stderr
    assert len(comparable(here.parent)) == 3 and comparable(here.parent) == comparable(there.parent)
    manifests = [(root / "out" / "batch-manifest.json").read_bytes() for root in (here.parent, there.parent)]
    assert manifests[0] == manifests[1]
    again = run_cli("batch", "run", str(there), "--json", *options(machines, s3, certificates), **s3.env)
    answer = json.loads(again.stdout)
    assert answer["stages"]["cached"] == answer["stages"]["settled"] > 14
    assert os.path.exists(answer["units"][0]["page"])


def test_stages_land_on_the_kind_of_worker_that_they_need(
    tmp_path: Path, machines: Cluster, s3: Bucket, certificates: Path
) -> None:
    path, _ = command_titles(tmp_path, 1)
    values = json.loads(path.read_text())
    values["global_defaults"]["resource"] = {"run": "capture"}
    path.write_text(json.dumps(values))
    done = run_cli("batch", "run", str(path), "--json", *options(machines, s3, certificates), **s3.env)
    assert done.returncode == 0 and json.loads(done.stdout)["counts"]["passed"] == 1


def test_a_client_without_a_certificate_is_refused(tmp_path: Path, machines: Cluster, s3: Bucket) -> None:
    path, _ = command_titles(tmp_path, 1)
    plain = machines.address.replace("tls://", "tcp://")
    other = tmp_path / "other"
    assert run_cli("cluster", "certs", str(other), "--name", "127.0.0.1").returncode == 0
    for address, more in ((plain, []), (machines.address, ["--tls", str(other)])):
        done = run_cli("batch", "run", str(path), "--cluster", address, "--store", s3.url, *more, **s3.env)
        assert done.returncode == 1 and "no scheduler answers" in done.stderr, done.stderr
    assert not (tmp_path / "out" / "titles").exists()


def test_a_killed_worker_and_a_killed_scheduler_cost_nothing_that_was_finished(
    tmp_path: Path, machines: Cluster, s3: Bucket, certificates: Path
) -> None:
    """The worker's task dies with it; every stage that was published is found again, once."""
    path, made = command_titles(tmp_path, 2)
    for project in made:
        blocks(project, tmp_path)
    process = start(path, options(machines, s3, certificates), s3.env)
    begun = tmp_path / "begun"
    try:
        wait_until(lambda: begun.exists() and len(begun.read_text().split()) >= 2, "both runs to begin")
        assert machines.kill("dask_worker") == 1
        wait_until(lambda: len(begun.read_text().split()) >= 3, "the run to begin again")
        assert machines.kill("dask_scheduler") == 1
        wait_until(lambda: len(begun.read_text().split()) >= 4, "a run to begin under the new scheduler")
        (tmp_path / "free").touch()
        said, errors = finish(process, "the batch to end")
    finally:
        process.kill()
    answer = json.loads(said)
    assert process.returncode == 0 and answer["counts"]["passed"] == 2, errors
    assert "its worker died" in errors and "the scheduler is gone" in errors
    builds = [name for name in s3.names("actions/")]
    assert len(builds) == len(set(builds))


def test_an_interrupted_coordinator_takes_its_tasks_along(
    tmp_path: Path, machines: Cluster, s3: Bucket, certificates: Path
) -> None:
    path, made = command_titles(tmp_path, 1)
    blocks(made[0], tmp_path)
    process = start(path, options(machines, s3, certificates), s3.env)
    try:
        wait_until((tmp_path / "begun").exists, "the run to begin")
        process.send_signal(signal.SIGINT)
        finish(process, "the batch to end")
        assert process.returncode == 130
        wait_until(lambda: not machines.pids("recomp.batch.worker"), "the task to be gone")
    finally:
        process.kill()
    assert not (tmp_path / "ran").exists()


def test_the_store_may_be_away_for_a_while(tmp_path: Path, machines: Cluster, s3: Bucket, certificates: Path) -> None:
    path, made = command_titles(tmp_path, 1)
    blocks(made[0], tmp_path)
    process = start(path, options(machines, s3, certificates), s3.env)
    try:
        wait_until((tmp_path / "begun").exists, "the run to begin")
        s3.network.cut()
        (tmp_path / "free").touch()
        wait_until((tmp_path / "ran").exists, "the run to end")
        s3.network.mend()
        said, errors = finish(process, "the batch to end")
    finally:
        s3.network.mend()
        process.kill()
    assert process.returncode == 0, errors
    assert (tmp_path / "ran").read_text() == "x\n"  # published late, and not run again


def test_two_batches_with_titles_of_one_name_are_kept_apart(
    tmp_path: Path, machines: Cluster, s3: Bucket, certificates: Path
) -> None:
    """Both have a t0 under way at the same time; one of them is to fail."""
    processes = []
    try:
        for name, ending in (("good", 0), ("bad", 7)):
            path, made = command_titles(tmp_path / name, 1)
            body = f"touch {tmp_path}/{name}-begun; while [ ! -e {tmp_path}/free ]; do sleep 0.05; done; exit {ending}"
            made[0].config["commands"]["run"] = [made[0].script("run.sh", body)]
            made[0].write()
            processes.append(start(path, options(machines, s3, certificates), s3.env))
        for name in ("good", "bad"):
            wait_until((tmp_path / f"{name}-begun").exists, f"the run of the {name} title")
        (tmp_path / "free").touch()
        answers = [json.loads(finish(process, "both batches to end")[0]) for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [answer["counts"]["passed"] for answer in answers] == [1, 0]
    assert [answer["stages"]["settled"] for answer in answers] == [7, 3]


def test_a_slow_scheduler_is_found_again(machines: Cluster, s3: Bucket, certificates: Path) -> None:
    """It takes seconds to say hello, and the line breaks once: a task that was lost is given back, and goes again."""
    host, _, port = machines.address.removeprefix("tls://").rpartition(":")
    network = Network(int(port), delay_s=0.3)
    address = f"tls://{host}:{network.port}"
    executor = DaskExecutor(address, s3.url, [("build", ())], tls=str(certificates), patience_s=120)
    heard: list[Event] = []

    def hears(kind: str) -> bool:
        heard.extend(executor.poll(0.1))
        return any(event.kind == kind for event in heard)

    try:
        network.cut()
        wait_until(lambda: executor.poll(0.1) == [] and executor.capacity() == 0, "the line to be found broken")
        network.mend()
        wait_until(lambda: executor.poll(0.1) == [] and executor.capacity() > 0, "the scheduler to be found again")
        executor.submit(Task("t0", 1, {}))
        network.cut()
        wait_until(lambda: hears("died"), "the task to be given back")
        assert heard == [Event("t0", "died", {"error": GONE, "is_ours": True})]
        network.mend()
        wait_until(lambda: executor.poll(0.1) == [] and executor.capacity() > 0, "the scheduler to be found again")
        executor.submit(Task("t0", 2, {}))
        wait_until(lambda: hears("ended"), "the task to end")
        assert heard[-1].facts["status"] == "failed"  # there is nothing in it
    finally:
        executor.close()
        network.close()
