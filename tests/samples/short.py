"""A short flight of Ember Kite (title, first seconds of level one), judged as `make demo` does it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from recomp.cli.main import main
from tests.samples.sample import SAMPLE

LAST = 232  # the tick at which ESC is pressed


def write_script(path: Path, start: int) -> None:
    """START at tick `start`, a turn to the right, sparks, ESC: frames 0 to LAST."""
    keys = [(start, "START", 1), (start + 6, "START", 0), (185, "RIGHT", 1), (200, "A", 1), (LAST, "KEY_ESC", 1)]
    events = "".join(f'[[events]]\nframe = {f}\ncontrol = "{c}"\nvalue = {v}\n\n' for f, c, v in keys)
    path.write_text(
        'schema_version = "1"\n\n[metadata]\ntitle = "short"\ncontroller = "keyboard"\ntiming_mode = "frames"\n\n'
        + events
        + '[[markers]]\nname = "title"\nframe = 0\n',
        encoding="utf-8",
    )


def native_frames(out: Path, script: Path) -> Iterator[np.ndarray]:
    from input_lines import input_lines
    from record_reference import frames_of

    lines = script.with_suffix(".txt")
    lines.write_text(input_lines(script), encoding="ascii")
    return frames_of(out / "emberkite-native", lines)


def make_short(built: Path, folder: Path) -> Path:
    """A project like the sample's with a short script, its reference recorded, and one run of it that passed."""
    from input_lines import input_lines
    from record_reference import record

    for name in ("automation.toml", "title.toml", "reference_video.toml", "capture_video.toml"):
        shutil.copy(SAMPLE / name, folder / name)
    shutil.copytree(built, folder / "out")
    write_script(folder / "input_script.toml", 150)
    (folder / "out" / "input.txt").write_text(input_lines(folder / "input_script.toml"), encoding="ascii")
    facts = record(folder / "out" / "emberkite-native", folder / "out" / "input.txt", folder / "out")
    assert facts["frames"] == LAST
    assert automate(folder) == 0
    assert report(folder)["video"]["frame_comparison"]["matched"] == LAST
    return folder


def automate(folder: Path) -> int:
    return main(["automate", "--config", str(folder / "automation.toml")])


def report(folder: Path) -> dict:
    return json.loads((folder / "run" / "validation" / "validation-report.json").read_text("utf-8"))
