"""Damage media files and give them to every reader, until enough were read or refused.

    python tools/fuzz_media.py --count 10000 --seed 0

Files are read in batches, each in a process of its own with bounds on its memory and time, so that a crash or a hang
of a codec is seen and named: the file that was being read is kept. The last line says how many files there were, how
much memory the largest process took and how long the slowest batch ran. Exit code 1 if any file was not read or refused
in order.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "media"), str(ROOT / "src")]

BATCH = 250
MEMORY_BYTES = 3 << 30
BATCH_SECONDS = 600


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-media"), metavar="FOLDER", help="for files that fail")
    parser.add_argument("--batch", type=int, nargs=2, metavar=("FIRST", "COUNT"), help=argparse.SUPPRESS)
    parser.add_argument("--scratch", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch:
        return read_batch(options.scratch, options.seed, *options.batch)
    return run(options)


def run(options: argparse.Namespace) -> int:
    wrong, slowest = 0, 0.0
    for first in range(0, options.count, BATCH):
        size = min(BATCH, options.count - first)
        with tempfile.TemporaryDirectory(prefix="recomp-fuzz-") as scratch:
            begun = time.monotonic()
            problem = run_batch(options.seed, first, size, Path(scratch))
            slowest = max(slowest, time.monotonic() - begun)
            if problem:
                wrong += 1
                kept = keep(Path(scratch), options, first)
                print(f"{kept}: {problem}", flush=True)
        if first // BATCH % 10 == 9:
            print(f"{first + size} files, {wrong} wrong", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{options.count} files, seed {options.seed}: {wrong} wrong; at most {peak:.0f} MiB, {slowest:.0f} s a batch")
    return 1 if wrong else 0


def run_batch(seed: int, first: int, size: int, scratch: Path) -> str | None:
    """What went wrong in one process, by its last words; None if nothing did."""
    command = [sys.executable, __file__, "--seed", str(seed), "--scratch", str(scratch)]
    try:
        done = subprocess.run(
            [*command, "--batch", str(first), str(size)], capture_output=True, text=True, timeout=BATCH_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"not read within {BATCH_SECONDS} s"
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return f"ended with {done.returncode}: {last[:300]}"


def keep(scratch: Path, options: argparse.Namespace, first: int) -> Path:
    """Copy the file that was being read out of the scratch folder."""
    options.keep.mkdir(parents=True, exist_ok=True)
    kept = options.keep / f"seed-{options.seed}-batch-{first}.bin"
    shutil.copy(scratch / "mutated.bin", kept)
    return kept


def read_batch(scratch: Path, seed: int, first: int, count: int) -> int:
    """In a process of its own: make and read `count` files. The n-th file of a seed is the same in every batch size."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    from mutations import mutated, originals, read_everything

    files = originals(scratch)
    path = scratch / "mutated.bin"
    for number in range(first, first + count):
        rng = random.Random(f"{seed} {number}")
        path.write_bytes(mutated(files[number % len(files)], rng))
        read_everything(path, scratch)
    return 0


if __name__ == "__main__":
    sys.exit(main())
