"""Compare the C of every instruction with an independent CPU model on random words and states, until the time is up.

    python tools/fuzz_isa.py --seconds 600 --seed 7 --group 'load.*pair'

Each difference names word, state and registers; the last line says how much was compared. Exit code 1 if any differed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import numpy as np  # noqa: E402
from tests.a64 import harness  # noqa: E402
from tests.a64.fuzz import compare, groups  # noqa: E402

WORDS, STATES = 40, 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--group", default="", help="regular expression over the groups' names")
    options = parser.parse_args()
    chosen = {name: members for name, members in groups().items() if re.search(options.group, name)}
    with tempfile.TemporaryDirectory() as scratch:
        harness.CACHE = Path(scratch)
        return run(chosen, options.seed, options.seconds)


def run(chosen: dict, seed: int, seconds: float) -> int:
    end, rounds, states, wrong = time.monotonic() + seconds, 0, 0, 0
    while time.monotonic() < end and chosen:
        for number, name in enumerate(sorted(chosen)):
            found = compare(chosen[name], np.random.default_rng([seed, rounds, number]), WORDS, STATES)
            states += len(chosen[name]) * WORDS * STATES
            wrong += len(found)
            for difference in found[:10]:
                print(f"{name}: {difference}", flush=True)
            if time.monotonic() >= end:
                break
        rounds += 1
        for library in harness.CACHE.iterdir():
            library.unlink()
    print(f"{len(chosen)} groups, {rounds} rounds, up to {states} states, {wrong} differences")
    return 1 if wrong or not states else 0


if __name__ == "__main__":
    sys.exit(main())
