"""The controls of the whole loop: a defect planted on either side must be found, at the frame where it begins.

A short flight of Ember Kite (title, first seconds of level one) is recompiled and judged as `make demo` does it. Where
the first divergent frame must lie is worked out without the code under test: by pictures of the native program, by the
place of the planted defect, or by comparing the two recordings picture by picture here.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recomp.semantics import functions
from tests.samples.short import automate, native_frames, report, write_script


def copy_of(short: Path, folder: Path, *, cached: bool = True) -> Path:
    ignored = shutil.ignore_patterns() if cached else shutil.ignore_patterns("run")
    shutil.copytree(short, folder, ignore=ignored, symlinks=True)
    return folder


def assert_found_at(folder: Path, frame: int, reference: np.ndarray | None = None) -> None:
    """The report names `frame` as the first divergent one, and the pair of pictures shows both sides of it."""
    found = report(folder)
    assert found["failed"] >= 1
    comparison = found["video"]["frame_comparison"]
    assert comparison["matched"] < comparison["compared"]
    assert found["video"]["first_divergence"]["reference_index"] == frame, found["video"]["first_divergence"]
    pictures = folder / "run" / "validation" / "pictures"
    a, b = (np.asarray(Image.open(pictures / f"{frame:06}-{side}.png").convert("RGB")) for side in SIDES)
    assert (a != b).any()
    if reference is not None:
        assert (a == reference[..., :3]).all()


SIDES = ("reference", "capture")


def test_an_input_event_moved_by_one_frame_is_found_where_it_first_shows(short: Path, tmp_path: Path) -> None:
    """START is pressed one tick later than in the reference's script."""
    folder = copy_of(short, tmp_path / "moved")
    original = list(native_frames(folder / "out", short / "input_script.toml"))
    write_script(folder / "input_script.toml", 151)
    moved = native_frames(folder / "out", folder / "input_script.toml")
    expected = next(i for i, (a, b) in enumerate(zip(original, moved, strict=False)) if (a != b).any())
    assert automate(folder) == 1
    assert_found_at(folder, expected, original[expected])


def test_a_sprite_missing_from_the_reference_is_found_at_its_frame(short: Path, tmp_path: Path) -> None:
    """From frame 97 on, the reference lacks a patch of the title's kite."""
    from recomp.media.hashing import hash_frame, write_hash_list
    from recomp.media.video import read_audio, write_lossless

    folder = copy_of(short, tmp_path / "sprite")
    frames = [frame.copy() for frame in native_frames(folder / "out", short / "input_script.toml")]
    for frame in frames[97:]:
        frame[350:450, 600:760] = frame[10, 10]
    write_hash_list(folder / "out" / "reference.frames", [hash_frame(f) for f in frames], comment="planted")
    sound = read_audio(short / "out" / "reference.mkv")
    write_lossless(folder / "out" / "reference.mkv", iter(frames), (1280, 720), 60, sound)
    assert automate(folder) == 1
    assert_found_at(folder, 97, frames[97])


def test_a_wrong_instruction_is_found_at_the_first_frame_it_spoils(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`frintm` (floor) rounds up; the frame is checked against the two recordings, picture by picture."""
    from recomp.media.recording import Recording

    folder = copy_of(short, tmp_path / "wrong", cached=False)
    monkeypatch.setitem(functions(), "FRINTM_s", functions()["FRINTP_s"])
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(tmp_path / "cache"))
    assert automate(folder) == 1
    theirs = native_frames(folder / "out", short / "input_script.toml")
    ours = Recording(folder / "run" / "recording").frames()
    pairs = zip(theirs, ours, strict=False)
    expected, reference = next((i, a) for i, (a, b) in enumerate(pairs) if (a != b.pixels).any())
    assert_found_at(folder, expected, reference)
