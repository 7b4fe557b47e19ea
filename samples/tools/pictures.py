#!/usr/bin/env python3
"""Makes the README's pictures of a sample from its native program: one still, and a short film.

    python pictures.py PROGRAM SCRIPT OUT --still TICK --scene FROM TO [--scene FROM TO ...]

The still is OUT/NAME.png (640x360), the film OUT/NAME.webp (480x270, 15 pictures a second), NAME the program's name
without "-native".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2] / "src")]

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from record_reference import frames_of  # noqa: E402

ZOOM, FILM_SIZE, FILM_STEP = 4, (480, 270), 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("script", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--still", type=int, required=True, metavar="TICK")
    parser.add_argument("--scene", type=int, nargs=2, action="append", default=[], metavar=("FROM", "TO"))
    options = parser.parse_args()
    name = options.program.name.removesuffix("-native")
    wanted = {tick for start, end in options.scene for tick in range(start, end, FILM_STEP)}
    film = []
    for tick, frame in enumerate(frames_of(options.program, options.script)):
        if tick == options.still:
            write_still(frame, options.out / f"{name}.png")
        if tick in wanted:
            film.append(small(frame).resize(FILM_SIZE, Image.Resampling.BICUBIC))
    write_film(film, options.out / f"{name}.webp")


def small(frame: np.ndarray) -> Image.Image:
    """The picture as it was drawn, one pixel a pixel."""
    return Image.fromarray(np.ascontiguousarray(frame[::ZOOM, ::ZOOM, :3]))


def write_still(frame: np.ndarray, path: Path) -> None:
    picture = small(frame)
    picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.NEAREST).save(path, optimize=True)


def write_film(film: Sequence[Image.Image], path: Path) -> None:
    if film:
        film[0].save(path, save_all=True, append_images=film[1:], duration=1000 * FILM_STEP // 60, quality=58, method=6)


if __name__ == "__main__":
    main()
