"""Drops, repeats, leads and tails are found at the very frame, whatever codec recorded the reference."""

from __future__ import annotations

import numpy as np
import pytest
from clips import ENCODINGS, SIZE, film, write_lossy

from recomp.media import clip, video
from recomp.media.registration import register

TICKS = 200
DROPS, REPEATS, LEAD = (40, 90, 140), (31, 71, 131, 181), 11


def thumbnails(path, rate=60) -> tuple[np.ndarray, np.ndarray]:
    """Return ((ticks, 36, 64) uint8, (ticks,) bool: which ticks have a picture)."""
    planar = clip.Planar(SIZE, "bt601", False)
    found = {tick: planar.thumbnail(frame) for tick, frame in clip.ticks(path, rate)}
    out = np.zeros((max(found) + 1, 36, 64), np.uint8)
    recorded = np.zeros(len(out), bool)
    for tick, picture in found.items():
        out[tick], recorded[tick] = picture, True
    return out, recorded


@pytest.fixture(scope="module")
def reference():
    return film(range(TICKS), SIZE)


@pytest.fixture(scope="module")
def disturbed(reference, tmp_path_factory):
    """A capture with 11 boot frames, 3 drops and 4 repeats, and where its frames came from (-1 = boot)."""
    source = [-1] * LEAD
    for tick in range(TICKS):
        if tick not in DROPS:
            source += [tick, tick] if tick in REPEATS else [tick]
    boot = np.full_like(reference[0], 20)
    path = tmp_path_factory.mktemp("capture") / "c.mkv"
    video.write_lossless(path, [boot if k < 0 else reference[k] for k in source], SIZE)
    return thumbnails(path)[0], source


@pytest.mark.parametrize("encoding", [name for name in ENCODINGS if not name.endswith("30fps")])
def test_drops_repeats_and_lead_are_exact(reference, disturbed, tmp_path, encoding):
    pictures, recorded = thumbnails(write_lossy(tmp_path / "r", reference, encoding))
    capture, source = disturbed
    found = register(pictures, capture, recorded)
    assert found.lead == LEAD
    assert found.tail == 0
    assert found.missing == tuple((tick, 1) for tick in DROPS)
    repeats = [k for k in range(1, len(source)) if source[k] == source[k - 1] >= 0]
    assert found.extra == tuple((k, 1) for k in repeats)
    assert all(source[found.capture_of[tick]] == tick for tick in range(TICKS) if tick not in DROPS)


def test_a_reference_of_half_the_rate_is_registered_to_a_frame(reference, disturbed, tmp_path):
    """At 30 fps a drop lies between two recorded ticks: its place is known to a frame, its number exactly."""
    pictures, recorded = thumbnails(write_lossy(tmp_path / "r", reference, "x264-30fps"))
    assert recorded.sum() == TICKS // 2
    found = register(pictures, disturbed[0], recorded)
    assert found.lead == LEAD
    assert [count for _, count in found.missing] == [1, 1, 1]
    assert all(abs(at - tick) <= 1 for (at, _), tick in zip(found.missing, DROPS, strict=True))
    assert sum(count for _, count in found.extra) == len(REPEATS)


def test_a_constant_lag_is_a_lead(reference, tmp_path):
    pictures, _ = thumbnails(write_lossy(tmp_path / "r", reference[:60], "x264-crf23"))
    late = np.concatenate([pictures[:1], pictures])
    found = register(pictures, late)
    assert (found.lead + sum(c for _, c in found.extra), found.missing) == (1, ())


def test_level_range_and_channel_errors_do_not_disturb(reference, tmp_path):
    """Registration sees structure only: a dark, flat or inverted-chroma capture is still in step."""
    pictures, _ = thumbnails(write_lossy(tmp_path / "r", reference[:80], "x264-crf23"))
    dull = (pictures[5:].astype(float) * 0.6 + 30).astype(np.uint8)
    found = register(pictures, dull)
    assert found.missing == ((0, 5),)
    assert found.extra == () and found.lead == 0 and found.tail == 0


def test_wrong_content_stays_in_step_until_the_end(reference):
    """A state that goes wrong opens no gaps: what is wrong is shown beside what it should have been."""
    planar = clip.Planar(SIZE, "bt601", False)
    import av

    thumbs = [planar.thumbnail(av.VideoFrame.from_ndarray(frame, format="rgba")) for frame in reference[:100]]
    pictures = np.array(thumbs)
    wrong = pictures.copy()
    wrong[60:] = 255 - pictures[10:50]
    found = register(pictures, wrong)
    assert found.missing == () and found.extra == ()
    assert np.array_equal(found.capture_of, np.arange(100))


def test_a_still_picture_is_ambiguous_and_says_so(reference):
    still = np.repeat(np.arange(36 * 64, dtype=np.uint32).reshape(1, 36, 64) % 251, 50, axis=0).astype(np.uint8)
    found = register(still, still[:48])
    assert found.ambiguous[1:].all()


def test_nothing_registers_with_nothing():
    empty = np.zeros((0, 36, 64), np.uint8)
    some = np.zeros((3, 36, 64), np.uint8)
    assert register(empty, some).tail == 3
    assert register(some, empty).missing == ((0, 3),)
