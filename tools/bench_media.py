#!/usr/bin/env python3
"""What judging a clip costs, in CPU seconds of one core, and SSIM beside the `ffmpeg` program on the same files.

    python tools/bench_media.py [--ticks 1200] [--rounds 3]

A synthetic game of 1280x720 at 60 pictures a second, as a lossless capture and as an H.264 recording of it. `ffmpeg` is
Debian's, where it is installed (apt-get install ffmpeg); without it its row says so.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "media"), str(ROOT / "src")]

SIZE = (1280, 720)
LIMITS = {"exact": 4.0, "perceptual": 60.0}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ticks", type=int, default=1200, help="length of the clip in pictures (default: 20 s)")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many counts")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # two threads of one core slow each other down
    with tempfile.TemporaryDirectory(prefix="recomp-bench-") as folder:
        run(Path(folder), options.ticks, options.rounds)
    return 0


def run(folder: Path, ticks: int, rounds: int) -> None:
    from clips import sound, write_lossy

    from recomp.media.hashing import hash_frames
    from recomp.media.perceptual import compare_perceptual
    from recomp.media.video import read_for_hashing, write_lossless

    capture, samples = folder / "capture.mov", sound(ticks)
    made = spent(lambda: write_lossless(capture, film(ticks), SIZE, audio=(samples, 48000)))
    reference = write_lossy(folder / "reference", list(film(ticks)), "x264-crf23", samples)
    share = ticks / 1200
    print(f"{ticks} pictures of {SIZE[0]}x{SIZE[1]}; capture {capture.stat().st_size / 1e6:.0f} MB, drawn and written "
          f"in {made:.1f} CPU s; recording {reference.stat().st_size / 1e6:.1f} MB")  # fmt: skip
    exact = median(rounds, lambda: hash_frames(read_for_hashing(capture)))
    row("exact: decode and hash the capture", exact, share, "exact")
    row("perceptual: judge it against the recording", median(1, lambda: compare_perceptual(reference, capture)), share,
        "perceptual")  # fmt: skip
    ours = median(rounds, lambda: ssim_by_tiles(reference, capture))
    print(f"{'SSIM of every tile, all three planes (recomp)':<48}{ours:8.2f} CPU s {ticks / ours:8.0f} pictures/s")
    beside(reference, capture, ticks, rounds, ours)


def film(ticks: int) -> Iterator:
    from clips import scene

    return (scene(tick, SIZE) for tick in range(ticks))


def ssim_by_tiles(reference: Path, capture: Path) -> float:
    """Both files decoded, the capture converted, SSIM of Y, U and V by tiles: what the filter does."""
    from recomp.media.clip import Planar, plane, read_facts, ticks
    from recomp.media.metrics import block_ssim, tiles

    facts = read_facts(reference)
    planar = Planar(SIZE, facts.matrix or "bt709", facts.full_range)
    total = 0.0
    for (_, a), (_, b) in zip(ticks(reference, 60), ticks(capture, 60), strict=False):
        x, y = planar(a), planar(b)
        total += sum(float(tiles(block_ssim(plane(x, k), plane(y, k))).mean()) for k in range(3))
    return total


def beside(reference: Path, capture: Path, ticks: int, rounds: int, ours: float) -> None:
    """The same by the program; pairs by number, or it would hold the wrong pictures against each other."""
    program = shutil.which("ffmpeg")
    if program is None:
        print(f"{'SSIM by the ffmpeg program':<48}  not installed: apt-get install ffmpeg")
        return
    graph = "[0:v]settb=1/60,setpts=N[a];[1:v]settb=1/60,setpts=N,format=yuv420p[b];[a][b]ssim"
    command = [program, "-v", "error", "-threads", "1", "-i", str(reference), "-threads", "1", "-i", str(capture)]
    command += ["-filter_threads", "1", "-filter_complex_threads", "1", "-lavfi", graph, "-an", "-f", "null", "-"]

    def call() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    theirs = median(rounds, call)
    print(f"{'SSIM by the ffmpeg program':<48}{theirs:8.2f} CPU s {ticks / theirs:8.0f} pictures/s")
    print(f"recomp takes {ours / theirs:.2f} times as long")


def row(name: str, seconds: float, share: float, limit: str) -> None:
    allowed = LIMITS[limit] * share
    verdict = "within" if seconds <= allowed else "above"
    print(f"{name:<48}{seconds:8.2f} CPU s, {verdict} {allowed:.1f}", flush=True)


def median(rounds: int, work: Callable[[], object]) -> float:
    return statistics.median(spent(work) for _ in range(rounds))


def spent(work: Callable[[], object]) -> float:
    """CPU seconds of this process, all its threads, and of the programs it ran."""
    before = cpu()
    work()
    return cpu() - before


def cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    sys.exit(main())
