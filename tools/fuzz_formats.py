"""Mutated console files against their readers (`make fuzz-formats`): a record or one clear error, nothing else.

Input N of a seed is the same wherever it is made, so that a finding is its number: `--only N` shows what it does.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / part) for part in (".", "src", "tests")]

from tests.formats import fuzz  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="how many inputs (default: 1,000,000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="N", help="write input N to stdout instead")
    options = parser.parse_args()
    if options.only is not None:
        kinds = fuzz.seeds()
        data = fuzz.mutate(kinds[options.only % len(kinds)], random.Random(f"{options.seed}:{options.only}"))
        sys.stdout.buffer.write(data)
        return 0
    started = time.monotonic()
    findings = 0

    def report(done: int, counts: Counter[str]) -> None:
        if done % 100_000 == 0 or done == options.count:
            print(f"{done:,} inputs, {findings} findings, {time.monotonic() - started:.0f} s", flush=True)
        if done == options.count:
            for name, number in sorted(counts.items()):
                print(f"  {name:<24} {number:>9,}")

    for line in fuzz.run(options.count, options.seed, report):
        findings += 1
        print(line, flush=True)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
