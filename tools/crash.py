#!/usr/bin/env python3
"""Kill `recomp automate` a thousand times and see whether a plain run after it ends right.

    python tools/crash.py [COUNT] [--seed N] [--every-point] [--refuse] [--json]

`--every-point` kills at each single call by which the engine changes files, one after the other, instead of at random.
Exit code 1 if anything was wedged or wrong, or if a kill cost more than one finished stage.
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

from engine.crash import campaign, refusals  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill runs, and look whether the next one ends right.")
    parser.add_argument("count", nargs="?", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every-point", action="store_true", help="kill at each call that changes a file")
    parser.add_argument("--refuse", action="store_true", help="refuse writes, as a full disk does, instead of killing")
    parser.add_argument("--json", action="store_true", help="print the tally as JSON")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("RECOMP_")]:
        del os.environ[name]
    started = time.process_time() + sum(os.times()[2:4])
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        if options.refuse:
            tally = refusals(options.count, options.seed, Path(folder))
        else:
            tally = campaign(options.count, options.seed, Path(folder), every_point=options.every_point)
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


if __name__ == "__main__":
    sys.exit(main())
