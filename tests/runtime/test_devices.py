"""Screen, sound and input in the guest's time, through a recording and back."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from recomp.media.recording import InputEvent, Recording

TICKS = 100
SCRIPT = "0 1 30 1\n3 1 30 0\n50 1 31 1\n50 0 0 0\n"


def picture(tick: int, presses: int) -> np.ndarray:
    """The picture of guests/game.c as (720, 1280, 4) uint8 RGBA."""
    if 40 <= tick < 60:
        tick = 40
    x, y = np.meshgrid(np.arange(1280, dtype=np.uint32), np.arange(720, dtype=np.uint32))
    cell = (x // 4 + np.uint32(tick)) // 16 * 7 + y // 4 // 16 * 13
    xrgb = (cell.astype(np.uint32) * np.uint32(2654435761)) >> np.uint32(8) & np.uint32(0xFFFFFF)
    xrgb[0, 0] = presses
    rgba = np.stack([xrgb >> 16 & 255, xrgb >> 8 & 255, xrgb & 255, np.full_like(xrgb, 255)], axis=-1)
    return rgba.astype(np.uint8)


@pytest.fixture(scope="module")
def recording(guest, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    script = folder / "script"
    script.write_text(SCRIPT)
    result = guest("game")(RECOMP_RT_RECORD=str(folder), RECOMP_RT_INPUT=str(script))
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    return Recording(folder)


def test_run(recording):
    run = recording.run()
    assert (run.exit.kind, run.ticks, run.frames) == ("exit", TICKS, TICKS)
    assert run.video == (1280, 720, 60)
    assert run.audio == (48000, 2, TICKS * 800)


def test_each_frame_is_what_was_drawn(recording):
    reader = recording.frames()
    count = 0
    for frame in reader:
        assert frame.tick == count
        np.testing.assert_array_equal(frame.pixels, picture(frame.tick, 1 if frame.tick < 50 else 2))
        count += 1
    assert count == TICKS
    assert reader.complete


def test_a_still_is_repeated(recording):
    repeats = [frame.tick for frame in recording.frames() if frame.is_repeat]
    assert set(range(41, 50)) | set(range(51, 60)) <= set(repeats)


def test_sound_is_exactly_what_was_written(recording):
    audio = recording.audio()
    tick, i = np.divmod(np.arange(TICKS * 800), 800)
    np.testing.assert_array_equal(audio.samples[:, 0], (tick * 800 + i).astype(np.int16))
    np.testing.assert_array_equal(audio.samples[:, 1], (-tick).astype(np.int16))


def test_inputs_are_recorded_when_they_are_read(recording):
    """The SYN_REPORT that ends a tick's events is added where the script has none, and is not recorded."""
    assert recording.inputs() == [
        InputEvent(0, 1, 30, 1),
        InputEvent(3, 1, 30, 0),
        InputEvent(50, 1, 31, 1),
        InputEvent(50, 0, 0, 0),
    ]


def test_recordings_are_small(recording):
    assert (recording.folder / "frames.rec").stat().st_size < 30_000 * TICKS


def test_two_runs_record_the_same_bytes(guest, recording, tmp_path):
    script = tmp_path / "script"
    script.write_text(SCRIPT)
    guest("game")(RECOMP_RT_RECORD=str(tmp_path), RECOMP_RT_INPUT=str(script))
    for name in ("frames.rec", "audio.pcm", "inputs.jsonl", "misses.jsonl", "run.json"):
        one, two = (hashlib.sha256((folder / name).read_bytes()).hexdigest() for folder in (recording.folder, tmp_path))
        assert one == two, name


def test_limit_of_ticks_ends_in_order(guest, tmp_path):
    result = guest("game")(RECOMP_RT_RECORD=str(tmp_path), RECOMP_RT_MAX_TICKS="10")
    assert result.returncode == 124
    assert result.stderr.decode() == (
        'recomp-rt: {"kind":"limit","code":124,"text":"RECOMP_RT_MAX_TICKS reached after 10 ticks"}\n'
    )
    run = Recording(tmp_path).run()
    assert (run.exit.kind, run.ticks, run.frames, run.audio) == ("limit", 10, 10, (48000, 2, 8000))
    reader = Recording(tmp_path).frames()
    assert len(list(reader)) == 10
    assert reader.complete


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("0 1 2\n", '{path}:1: expected TICK TYPE CODE VALUE, found "0 1 2"'),
        ("0 1 2 3\nfoo\n", '{path}:2: expected TICK TYPE CODE VALUE, found "foo"'),
        ("5 1 2 3\n4 1 2 3\n", "{path}:2: tick 4 after tick 5: expected the ticks in order"),
    ],
)
def test_wrong_scripts_are_named(guest, tmp_path, script, message):
    path = tmp_path / "script"
    path.write_text(script)
    result = guest("game")(RECOMP_RT_INPUT=str(path))
    assert (result.returncode, result.stderr.decode()) == (125, f"recomp-rt: {message.format(path=path)}\n")


def test_waiting_for_several_things(guest, tmp_path):
    """Times are exact: nothing but waiting moves them."""
    path = tmp_path / "script"
    path.write_text("6 1 30 1\n12 1 30 0\n")
    result = guest("poll")(RECOMP_RT_INPUT=str(path), RECOMP_RT_RECORD=str(tmp_path))
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.decode().splitlines() == [
        "event at 100000 us",
        "read at 200000 us, stamped 946684800.200000",
        "written in 97333 us",
        "played in 100000 us",
        "the clock moves",
    ]
    played_ms = 200 + 100 + 25 + 1  # silence before and after the sound, up to the end
    assert (tmp_path / "audio.pcm").stat().st_size == 4 * 48 * played_ms
