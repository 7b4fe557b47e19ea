"""The crash campaign: kill -9 at random, run again plainly, look whether anything is wedged, wrong or lost.

`python crash.py COUNT [SEED]` runs it; `test_crash.py` runs a hundred.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "src")]  # also as a program of its own

from engine.toy import Toy  # noqa: E402

MODES = ("group", "engine alone", "twice")


class Tally(NamedTuple):
    kills: int
    wedged: list[str]
    wrong: list[str]
    most_lost: int


def build(folder: Path) -> Toy:
    """Eight stages, commands and built-ins mixed, with one input file at the start."""
    toy = Toy(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input").write_text("input\n")
    toy.add("s0", inputs=("input",))
    for number in range(1, 8):
        toy.add(f"s{number}", after=(f"s{number - 1}",), kind="command" if number % 3 == 2 else "builtin")
    toy.write()
    return toy


def campaign(count: int, seed: int, folder: Path) -> Tally:
    chance = random.Random(seed)
    wedged: list[str] = []
    wrong: list[str] = []
    most_lost = 0
    started = time.monotonic()
    _start(build(folder / "undisturbed")).wait()
    whole_s = time.monotonic() - started
    for number in range(count):
        toy = build(folder / f"{number:04d}")
        mode = chance.choice(MODES)
        for _ in range(2 if mode == "twice" else 1):
            finished = _start_and_kill(toy, chance.uniform(0.1, 1.1) * whole_s, alone=mode == "engine alone")
        begun = len(toy.ran())
        done = _start(toy).wait()
        label = f"kill {number} of seed {seed} ({mode})"
        if done != 0:
            wedged.append(f"{label}: exit code {done}")
            continue
        wrong += [f"{label}: {stage['name']}" for stage in toy.stages if not _is_right(toy, stage["name"])]
        repeated = begun + len(toy.ran()) - len(toy.stages)
        if mode != "twice":
            most_lost = max(most_lost, repeated - (not finished))
        if _start(toy).wait() != 0 or toy.ran():
            wrong.append(f"{label}: the run after it was not all cached")
    return Tally(count, wedged, wrong, most_lost)


def _start(toy: Toy) -> subprocess.Popen:
    paths = os.pathsep.join([str(HERE.parents[1] / "src"), str(HERE.parent)])
    env = {**os.environ, "PYTHONPATH": paths, "TOY_SLEEP": "0.02"}
    command = [sys.executable, str(HERE / "toy.py"), str(toy.folder)]
    return subprocess.Popen(command, env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _start_and_kill(toy: Toy, delay_s: float, *, alone: bool) -> bool:
    """Kill a run after a while; whether it had ended by itself."""
    process = _start(toy)
    time.sleep(delay_s)
    finished = process.poll() is not None
    try:
        if alone:
            process.send_signal(signal.SIGKILL)
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    return finished


def _is_right(toy: Toy, name: str) -> bool:
    try:
        return toy.product(name).read_bytes() == toy.expected(name)
    except OSError:
        return False


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        tally = campaign(count, seed, Path(folder))
    found = f"{len(tally.wedged)} wedged, {len(tally.wrong)} wrong, at most {tally.most_lost} stages lost"
    print(f"{tally.kills} kills: {found}")
    for line in [*tally.wedged, *tally.wrong][:20]:
        print(f"  {line}")
    return 1 if tally.wedged or tally.wrong or tally.most_lost > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
