"""Two runs of a port under other settings of the machine: same pictures, same sound, same words, to the byte."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.homebrew.conftest import CHECKS_SCRIPT, CHECKS_TICKS
from tests.homebrew.programs import Run, run_port

SCRIPT = "".join(f"{' '.join(map(str, event))}\n" for event in CHECKS_SCRIPT)
OTHER = {
    "LC_ALL": "tr_TR.UTF-8",
    "LANG": "ja_JP.UTF-8",
    "TZ": "Pacific/Chatham",
    "PYTHONHASHSEED": "77",
    "HOME": "/nowhere",
}


@contextmanager
def busy_machine() -> Iterator[None]:
    """As many loops as there are processors, all of them together on one beside the port."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextmanager
def one_nice_processor() -> Iterator[None]:
    """Children run on one processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def left_by(run: Run) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in run.recording.iterdir()}
    files = {str(path.relative_to(run.files)): path.read_bytes() for path in run.files.rglob("*") if path.is_file()}
    return found | files | {"said": run.said.encode()}


def test_locale_zone_processors_and_load_change_nothing(
    checks_port: Path, checks_on_the_port: Run, tmp_path: Path
) -> None:
    with one_nice_processor(), busy_machine():
        again = run_port(checks_port, tmp_path, SCRIPT, CHECKS_TICKS, OTHER, nice=10)
    first = left_by(checks_on_the_port)
    assert {"frames.rec", "audio.pcm", "run.json", "said"} <= first.keys()
    assert left_by(again) == first
