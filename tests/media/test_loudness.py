"""Loudness against the published test signals of EBU Tech 3341 and ITU-R BS.1770, and against libavfilter."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from recomp.media.loudness import RATE, block_powers, integrated, lufs


def tone(db: float, seconds: float, hz: float = 1000, channels: int = 2) -> np.ndarray:
    wave = 10 ** (db / 20) * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1)


@pytest.mark.parametrize(
    "parts, expected",
    [
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
    ids=["3341-1", "3341-2", "3341-3", "3341-4", "3341-5"],
)
def test_the_signals_of_ebu_tech_3341(parts, expected):
    """Stereo tones of 1 kHz, levels in dBFS: the meter must show the figure to 0.1 LU."""
    sound = np.concatenate([tone(db, seconds) for db, seconds in parts])
    assert integrated(block_powers(sound)) == pytest.approx(expected, abs=0.1)


def test_a_full_scale_tone_of_997_hz_in_one_channel_is_3_01_below():
    """BS.1770-4, annex 1."""
    assert integrated(block_powers(tone(0, 5, 997, 1))) == pytest.approx(-3.01, abs=0.01)


def test_silence_and_what_is_too_short_have_no_loudness():
    assert integrated(block_powers(np.zeros((RATE, 2)))) == -120
    assert len(block_powers(np.zeros((100, 2)))) == 0 and integrated(np.zeros(0)) == -120


def test_it_agrees_with_another_meter():
    """libavfilter's ebur128 on music of a kind, in which all bands and levels occur."""
    import av
    from clips import sound

    samples = sound(600)
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE, format="s16", layout="stereo", time_base=Fraction(1, RATE))
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    graph.push(frame)
    graph.push(None)
    told = []
    while True:
        try:
            told.append(dict(sink.pull().metadata))
        except (av.BlockingIOError, av.EOFError):
            break
    theirs = float(told[-1]["lavfi.r128.I"])
    powers = block_powers(samples / 32768)
    assert integrated(powers) == pytest.approx(theirs, abs=0.1)
    momentary = [float(entry["lavfi.r128.M"]) for entry in told[3:]]
    assert np.abs(lufs(powers)[: len(momentary)] - momentary[: len(powers)]).max() < 0.15
