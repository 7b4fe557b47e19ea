#!/usr/bin/env python3
"""Kill `recomp automate` a thousand times and see whether a plain run after it ends right.

    python tools/crash.py [COUNT] [--seed N] [--every-point] [--refuse] [--seconds N] [--json]
    python tools/crash.py --damage [--only PATTERN] [--jobs N] [--seconds N] [--json]

`--every-point` kills at each single call by which the engine changes files, one after the other, instead of at random.
`--refuse` refuses every write from a random call on. `--damage` kills nothing: it cuts a file of each kind that the
engine keeps, and flips a bit of it, at every byte; `--only` takes some of them (of `OWNED` in tests/engine/damage.py):
`--only "*/store/*"`. Exit code 1 if anything was wedged or wrong, or if a kill cost more than one finished stage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from engine.crash import Tally, campaign, refusals  # noqa: E402
from engine.damage import damage_everything  # noqa: E402

TOLD_EVERY = 50


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill runs, and look whether the next one ends right.")
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every-point", action="store_true", help="kill at each call that changes a file")
    parser.add_argument("--refuse", action="store_true", help="refuse writes, as a full disk does, instead of killing")
    parser.add_argument("--damage", action="store_true", help="damage every file of the engine at every byte instead")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="for --damage: only these of the engine's files")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="for --damage: so many at once")
    parser.add_argument("--seconds", type=float, help="stop after so long, with what was seen by then")
    parser.add_argument("--json", action="store_true", help="print the tally as JSON, and nothing meanwhile")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("RECOMP_")]:
        del os.environ[name]
    started = time.process_time() + sum(os.times()[2:4])
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    told = Teller(options)
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        if options.refuse:
            tally = refusals(options.count, options.seed, Path(folder), told=told)
        elif options.damage:
            tally = damage_everything(Path(folder), options.jobs, options.only, told=told)
        else:
            tally = campaign(options.count, options.seed, Path(folder), every_point=options.every_point, told=told)
    seconds = time.process_time() + sum(os.times()[2:4]) - started
    if options.json:
        print(json.dumps(tally._asdict()))
        return 0
    print(
        f"{tally.trials} trials: {len(tally.problems)} problems, at most {tally.most_repeated} finished stages lost, "
        f"{seconds:.0f} s of processor time"
    )
    for line in tally.problems[:20]:
        print(f"  {line}")
    return 1 if tally.problems or tally.most_repeated > 1 else 0


class Teller:
    """Says how it stands every now and then, and whether there is time left."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.every = None if options.json else TOLD_EVERY * (20 if options.damage else 1)
        self.until = None if options.seconds is None else time.monotonic() + options.seconds

    def __call__(self, tally: Tally) -> bool:
        if self.every and tally.trials % self.every == 0:
            print(f"{tally.trials} trials, {len(tally.problems)} problems so far", file=sys.stderr, flush=True)
        return self.until is None or time.monotonic() < self.until


if __name__ == "__main__":
    sys.exit(main())
