"""Damage media files and give them to every reader: each is read, or refused with one clear error.

    python tools/fuzz_media.py --count 10000 --seed 0

Files are read in a process of its own with bounds on its memory, so that a crash or a hang of a codec is seen and
named: the file that was being read is kept, and a new process goes on with the next one. The last lines say how many
files there were, what came of them, how much memory the largest process took and what the slowest file cost. Exit code
1 if any file was not read or refused in order, or took too long.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "media"), str(ROOT / "src")]

LIFE = 1000
"""Files that one process reads: what leaks is seen in its memory, and gone with it."""
MEMORY_BYTES = 3 << 30
FILE_SECONDS = 60
FILE_CPU_SECONDS = 10
START_SECONDS = 120
PLANTS = ("crash", "hang", "memory", "error")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first file (default: 0)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-media"), metavar="FOLDER", help="for files that fail")
    parser.add_argument("--patience", type=float, default=FILE_SECONDS, help="seconds that a file may take")
    parser.add_argument("--plant", choices=PLANTS, help="let the reader do this at the second file: it must be told")
    parser.add_argument("--worker", type=Path, metavar="SCRATCH", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(options)
    return run(options)


def run(options: argparse.Namespace) -> int:
    """Start workers until every file was read; print what went wrong as it does."""
    wrong, outcomes, slowest, begun = 0, collections.Counter(), (0.0, 0), time.monotonic()
    number, end = options.first, options.first + options.count
    while number < end:
        with tempfile.TemporaryDirectory(prefix="recomp-fuzz-") as scratch:
            for told in listen(Path(scratch), options, number, min(LIFE, end - number)):
                number = told["number"] + 1
                if "wrong" in told:
                    wrong += 1
                    print(f"{keep(Path(scratch), options, told['number'])}: {told['wrong']}", flush=True)
                else:
                    outcomes.update(told["outcomes"])
                    slowest = max(slowest, (told["cpu"], told["number"]))
                if (number - options.first) % 1000 == 0:
                    print(f"{number - options.first} files, {wrong} wrong", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN)
    for outcome, count in sorted(outcomes.items()):
        print(f"{count:8} {outcome}")
    print(
        f"{options.count} files, seed {options.seed}: {wrong} wrong; at most {peak.ru_maxrss / 1024:.0f} MiB, "
        f"{slowest[0]:.1f} CPU s a file (number {slowest[1]}); {peak.ru_utime + peak.ru_stime:.0f} CPU s, "
        f"{time.monotonic() - begun:.0f} s in all"
    )
    return 1 if wrong else 0


def listen(scratch: Path, options: argparse.Namespace, first: int, count: int):
    """Yield what a worker says of each file; if it dies or hangs, what the file that it was reading did to it."""
    command = [sys.executable, __file__, "--worker", str(scratch), "--seed", str(options.seed)]
    command += ["--first", str(first), "--count", str(count)]
    if options.plant and first == options.first:
        command += ["--plant", options.plant]
    with open(scratch / "stderr", "w+b") as errors:
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        number = first
        assert worker.stdout is not None
        for line in lines(worker.stdout.fileno(), options.patience):
            if line is None:
                worker.kill()
                worker.wait()
                yield {"number": number, "wrong": f"was not read within {options.patience:g} s"}
                return
            told = json.loads(line)
            number = told["number"] + 1
            yield told
        code = worker.wait()
        if number < first + count:
            errors.seek(0)
            last = (errors.read().decode(errors="replace").strip().splitlines() or ["no message"])[-1]
            name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            yield {"number": number, "wrong": f"ended the reader with {name}: {last[:300]}"}


def lines(descriptor: int, patience_s: float):
    """Yield the lines of a pipe; None, as the last, when none comes for too long."""
    buffer = b""
    patience = float(START_SECONDS)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if not selector.select(patience):
                yield None
                return
            patience = patience_s
            data = os.read(descriptor, 1 << 16)
            if not data:
                return
            *whole, buffer = (buffer + data).split(b"\n")
            yield from whole


def keep(scratch: Path, options: argparse.Namespace, number: int) -> Path:
    """Make the file once more, where it stays."""
    options.keep.mkdir(parents=True, exist_ok=True)
    kept = options.keep / f"seed-{options.seed}-file-{number}.bin"
    shutil.copy(scratch / "mutated.bin", kept)
    return kept


def work(options: argparse.Namespace) -> int:
    """In a process of its own: make and read files, a line about each. The n-th file of a seed is always the same."""
    import numpy  # noqa: F401  # what is loaded is no file's doing
    from mutations import mutated, originals, read_everything

    scratch, seed, first = options.worker, options.seed, options.first
    files = originals(scratch)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    path = scratch / "mutated.bin"
    for number in range(first, first + options.count):
        path.write_bytes(mutated(files[number % len(files)], random.Random(f"{seed} {number}")))
        if options.plant and number == first + 1:
            misbehave(options.plant)
        before = time.process_time()
        told: dict[str, Any] = {"number": number, "outcomes": read_everything(path, scratch)}
        told["cpu"] = time.process_time() - before
        if told["cpu"] > FILE_CPU_SECONDS:
            told["wrong"] = f"took {told['cpu']:.0f} CPU s to read"
        print(json.dumps(told), flush=True)
    return 0


def misbehave(how: str) -> None:
    """What a codec may do: the campaign's own control."""
    if how == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "hang":
        time.sleep(1000)
    if how == "memory":
        bytearray(MEMORY_BYTES)
    raise ValueError("planted")


if __name__ == "__main__":
    sys.exit(main())
