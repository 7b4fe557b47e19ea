"""A batch on a cluster whose parts are killed: it must end, with nothing lost and nothing done twice.

    python tools/batch_chaos.py [--titles 40] [--every 4] [--seed 1] [--workers 3] [--generated]

Workers are killed at random every few seconds, the scheduler twice, and the store is cut off for a while. Each stage
writes down when it begins and when it ended; in the end every title must have passed, every result must lie in the
store once and whole, and a run on one machine must have made the same. --generated uses programs that are really
lifted, built and played. Prints the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from batch.catalogue import command_titles, write_programs  # noqa: E402
from batch.machines import Bucket, Cluster, bucket, cluster, wait_until  # noqa: E402
from recomp.engine.files import unseal  # noqa: E402


class Chaos(threading.Thread):
    """Kills a worker whenever `every_s` seconds (more or less) of work have gone by; the scheduler and the network each
    at their turn. `figures` counts what it did."""

    def __init__(self, machines: Cluster, s3: Bucket, every_s: float, seed: int) -> None:
        super().__init__(daemon=True)
        self._machines, self._s3, self._every_s = machines, s3, every_s
        self._random = random.Random(seed)
        self._over = threading.Event()
        self.figures = {"workers killed": 0, "schedulers killed": 0, "store cut off, times": 0}

    def run(self) -> None:
        turn = 0
        while not self._over.wait(self._every_s * self._random.uniform(0.5, 1.5)):
            turn += 1
            if turn in (3, 6):
                self.figures["schedulers killed"] += self._machines.kill("dask_scheduler")
            elif turn == 4:
                self.figures["store cut off, times"] += 1
                self._s3.network.cut()
                self._over.wait(self._every_s)
                self._s3.network.mend()
            else:
                self.figures["workers killed"] += self._machines.kill("dask_worker")

    def end(self) -> None:
        self._over.set()
        self.join()
        self._s3.network.mend()


def prepare(folder: Path, titles: int, generated: bool) -> Path:
    """The batch; with commands, each run takes a while and writes down that it ended."""
    if generated:
        write_programs(folder, titles)
        subprocess.run(recomp("batch", "init", str(folder)), env=environment(), check=True, capture_output=True)
        path = folder / "batch.toml"
        path.write_text(path.read_text().replace("retries = 3", "retries = 20"))
        return path
    path, made = command_titles(folder, titles)
    for number, project in enumerate(made):
        # a marker of its own makes each title's result another one
        body = f"sleep 0.3; echo {number} > $RECOMP_BUILD_DIR/made; echo {number} >> {folder}/ran"
        project.config["commands"]["build"] = [project.script("build.sh", body)]
        project.write()
    values = json.loads(path.read_text())
    values["global_defaults"]["retries"] = 20
    path.write_text(json.dumps(values))
    return path


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}


def recomp(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "recomp", *arguments]


def check_store(s3: Bucket) -> dict[str, int]:
    """Every record in the store is whole, and what it names is there and what its hash says."""
    blobs = set(s3.names("blobs/"))
    actions = s3.names("actions/")
    checked: set[str] = set()
    for name in actions:
        data = s3.client.get_object(Bucket="titles", Key=f"shared/{name}")["Body"].read()
        record = unseal(data)
        assert record is not None and record["cache_key"] == name.removeprefix("actions/").replace("/", ""), name
        for sha256 in [entry["sha256"] for entry in record["outputs"]] + list(record["logs"].values()):
            assert f"blobs/{sha256[:2]}/{sha256[2:]}" in blobs, f"{name} names a blob that is not there"
            checked.add(sha256)
    for sha256 in checked:
        key = f"shared/blobs/{sha256[:2]}/{sha256[2:]}"
        data = s3.client.get_object(Bucket="titles", Key=key)["Body"].read()
        assert hashlib.sha256(data).hexdigest() == sha256, f"{key} is torn"
    return {"results": len(actions), "distinct keys": len(set(actions)), "blobs checked": len(checked)}


def storm(
    folder: Path, *, titles: int, workers: int, every_s: float, seed: int, generated: bool = False
) -> dict[str, Any]:
    """The whole test; returns its figures. Raises AssertionError where something was lost, torn or done twice."""
    path = prepare(folder / "batch", titles, generated)
    with bucket() as s3, cluster(folder / "cluster", workers=workers, env=s3.env) as machines:
        wait_until(lambda: len(machines.pids("dask_worker")) == workers, "the workers")
        chaos = Chaos(machines, s3, every_s, seed)
        started = time.monotonic()
        where = ["--cluster", machines.address, "--store", s3.url, "--json"]
        process = subprocess.Popen(
            recomp("batch", "run", str(path), *where), env=environment(**s3.env), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        chaos.start()
        try:
            said, errors = process.communicate()
        finally:
            process.kill()
            chaos.end()
        answer = json.loads(said) if said else {}
        assert process.returncode == 0 and answer["counts"]["passed"] == titles, errors
        figures = {"titles": titles, "passed": answer["counts"]["passed"], "seconds": round(time.monotonic() - started),
                   "attempts again": answer["retries"], **chaos.figures, **check_store(s3)}  # fmt: skip
    if not generated:
        ran = (folder / "batch" / "ran").read_text().split()
        assert set(ran) == {str(number) for number in range(titles)}
        figures["builds that ended"] = len(ran)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--titles", type=int, default=40)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--generated", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recomp-chaos-"))
    try:
        figures = storm(folder, titles=options.titles, workers=options.workers, every_s=options.every,
                        seed=options.seed, generated=options.generated)  # fmt: skip
        print("\n".join(f"{value:>8}  {name}" for name, value in figures.items()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
