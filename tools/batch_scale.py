"""What a batch costs beside its stages: many titles with trivial stages, run here, and what that means for more.

    python tools/batch_scale.py [--titles 1000] [--simulate 1000,10000,100000]

Prints a line for each: titles, seconds, overhead a title (wall clock times workers, less what the stages themselves
took), CPU a title, and the coordinator's memory; then what an attempt's process itself spends in and beside its stages,
in CPU time, which other work on the machine hardly changes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]


def measure(count: int, jobs: int) -> None:
    """A first run and one that is cached whole, of so many titles whose stages are /usr/bin/true."""
    from batch.catalogue import command_titles

    folder = Path(tempfile.mkdtemp(prefix="recomp-scale-"))
    try:
        path, _ = command_titles(folder, count)
        for name in ("first", "second"):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = time.monotonic()
            command = [sys.executable, "-m", "recomp", "batch", "run", str(path), "--jobs", str(jobs), "--json"]
            environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
            peak = watch_memory(process)
            assert process.stdout is not None
            answer = json.loads(process.stdout.read())
            process.wait()
            seconds = time.monotonic() - started
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            stages = stage_seconds(folder)
            overhead = max(0.0, answer["seconds"] * jobs - stages) / count
            print(
                f"{name:<7} {count} titles: {seconds:.1f} s, {answer['stages']['cached']} of "
                f"{answer['stages']['settled']} stages cached; a title: {1000 * overhead:.1f} ms beside its stages "
                f"({1000 * stages / count:.1f} ms), {1000 * cpu / count:.1f} ms CPU in all; coordinator {peak} MB",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


def split(count: int) -> None:
    """CPU in and beside the stages of so many attempts, in this process, new and cached."""
    from batch.catalogue import command_titles
    from recomp.batch.executor import Task
    from recomp.batch.local_work import local_work
    from recomp.batch.units import units
    from recomp.config.batch import load
    from recomp.engine.fingerprint import StatCache
    from recomp.stages.preload import preload
    from recomp.stages.tools import look_at_tools

    folder = Path(tempfile.mkdtemp(prefix="recomp-scale-"))
    try:
        path, _ = command_titles(folder, count)
        batch, known = load(str(path)), StatCache()
        everything = {unit.name: unit for unit in units(batch)}
        preload()
        look_at_tools(known)
        work = local_work(batch, everything.__getitem__, known)
        for name in ("first", "second"):
            inside, begun = 0.0, 0.0

            def tell(kind: str, facts: dict[str, Any]) -> None:
                nonlocal inside, begun
                if kind == "stage":
                    begun = cpu_seconds()
                elif kind == "step" and not facts["cache_hit"]:
                    inside += cpu_seconds() - begun

            started = cpu_seconds()
            for unit in everything:
                outcome = work(Task(unit, 1, {}), tell, lambda stage: None)
                assert outcome["status"] == "passed", outcome
            total = cpu_seconds() - started
            print(
                f"{name:<7} {count} attempts: {1000 * inside / count:.1f} ms CPU in their stages, "
                f"{1000 * (total - inside) / count:.1f} ms beside them",
                flush=True,
            )
    finally:
        shutil.rmtree(folder)


def cpu_seconds() -> float:
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in found)


def watch_memory(process: subprocess.Popen[bytes]) -> str:
    """The coordinator's resident memory when a tenth of its time was over, and at the end, as "a → b"."""
    seen: list[int] = []
    while process.poll() is None and not _has_output(process):
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            seen.append(int(status.split("VmRSS:")[1].split()[0]) // 1024)
        except (OSError, IndexError):
            break
        time.sleep(0.2)
    return f"{seen[len(seen) // 10]} → {seen[-1]}" if seen else "?"


def _has_output(process: subprocess.Popen[bytes]) -> bool:
    import select

    return bool(select.select([process.stdout], [], [], 0)[0])


def stage_seconds(folder: Path) -> float:
    total = 0
    for path in folder.glob("out/titles/*/*/out/run-manifest.json"):
        total += sum(step["duration_ms"] for step in json.loads(path.read_text())["steps"])
    return total / 1000


class Instant:
    """An executor whose tasks are over as soon as they are asked for: what is left is the coordinator."""

    def __init__(self, slots: int) -> None:
        self.slots, self._waiting = slots, list[Any]()

    def submit(self, task: Any) -> None:
        self._waiting.append(task)

    def poll(self, timeout_s: float) -> list[Any]:
        from recomp.batch.executor import Event

        steps = [{"name": f"s{n}", "status": "succeeded", "cache_hit": False, "duration_ms": 1} for n in range(10)]
        facts = {"status": "passed", "seconds": 1.0, "error": None, "hint": None, "exit_code": 0, "steps": steps,
                 "run_id": "run-0123456789abcdef", "artifacts": [], "page": None}  # fmt: skip
        done, self._waiting = self._waiting, []
        events = []
        for task in done:
            for step in steps:
                events += [Event(task.name, "stage", {"stage": step["name"]}), Event(task.name, "step", step)]
            events.append(Event(task.name, "ended", dict(facts)))
        return events

    def cancel(self, name: str) -> None: ...

    def logs(self, name: str) -> str:
        return ""

    def capacity(self) -> int:
        return self.slots - len(self._waiting)


def simulate(count: int) -> None:
    """The real coordinator and ledger over so many titles, with an executor that takes no time."""
    from batch.catalogue import manifest, title, write_manifest, write_programs
    from recomp.batch.coordinator import Coordinator, View
    from recomp.batch.ledger import Ledger, snapshot
    from recomp.batch.units import Unit, units
    from recomp.config.batch import load

    folder = Path(tempfile.mkdtemp(prefix="recomp-scale-"))
    try:
        write_programs(folder, 1)
        path = write_manifest(folder, manifest([title(f"t{number}", elf="p0001") for number in range(count)]))
        began = time.monotonic()
        batch = load(str(path))
        everything = list(units(batch))
        loaded = time.monotonic() - began
        ledger = Ledger(batch.work_root)
        ledger.begin()
        tracemalloc.start()
        began = time.monotonic()
        run = Coordinator(everything, ledger, Instant(200), View(), payload=lambda unit: {},
                          fingerprint=lambda unit: "", retries=3).run()  # fmt: skip
        took = time.monotonic() - began
        memory = tracemalloc.get_traced_memory()[0] / count
        tracemalloc.stop()
        began = time.monotonic()
        ledger.finish({"counts": run.counts})
        grouped: dict[str, list[Unit]] = {unit.title: [unit] for unit in everything}
        size = len(snapshot(batch.raw, grouped, ledger))
        closed = time.monotonic() - began
        began = time.monotonic()
        Ledger(batch.work_root)
        opened = time.monotonic() - began
        resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(
            f"coordinator, {count} titles: manifest {loaded:.2f} s, loop {1000 * took / count:.2f} ms and "
            f"{memory / 1024:.1f} KiB a title, end {closed:.2f} s ({size / 1e6:.1f} MB), next start {opened:.2f} s, "
            f"{resident} MB resident at most",
            flush=True,
        )
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--titles", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--simulate", default="1000,10000,100000")
    options = parser.parse_args()
    if options.titles:
        measure(options.titles, options.jobs)
        split(min(options.titles, 100))
    for count in filter(None, options.simulate.split(",")):
        simulate(int(count))


if __name__ == "__main__":
    main()
