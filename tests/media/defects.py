"""The defect matrix: what is planted, what it must be called, and at which tick. Shared by the test and the doc table.

A defect is a change to a clean capture; `expected` the triage class, `tick` where it begins (None: the whole clip).
`unseen` names the reference encodings in which it cannot be seen, and why: those are asserted too. `edge` names those
in which it lies within a hair of the limit, where a release of the encoder decides: in the table, but not in the test.
`missed` names those in which it is below what can be told, or between two pictures: the report says nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from clips import ENCODINGS, SIZE, TICKS, film, scene, sound
from PIL import Image

Frames = list[np.ndarray]
Both = Callable[[Frames, np.ndarray], tuple[Frames, np.ndarray]]


@dataclass(frozen=True)
class Defect:
    name: str
    expected: str
    plant: Both
    tick: int | None = None
    within: int = 5
    unseen: dict[str, str] = field(default_factory=dict)
    edge: dict[str, str] = field(default_factory=dict)
    missed: tuple[str, ...] = ()
    evidence: dict[str, object] = field(default_factory=dict)


def picture(change: Callable[[Frames], Frames]) -> Both:
    return lambda frames, samples: (change(frames), samples)


def audio(change: Callable[[np.ndarray], np.ndarray]) -> Both:
    return lambda frames, samples: (frames, np.ascontiguousarray(change(samples)))


def each(change: Callable[[np.ndarray], np.ndarray]) -> Both:
    """Change the colours of every frame; (height, width, 3) in, the same out."""

    def changed(frames: Frames) -> Frames:
        return [np.dstack([np.clip(change(f[..., :3]), 0, 255).astype(np.uint8), f[..., 3]]) for f in frames]

    return picture(changed)


def zoomed(frame: np.ndarray) -> np.ndarray:
    """1 % larger around the middle, bicubic."""
    height, width = frame.shape[:2]
    part = (1 / 1.01, 0, (width - width / 1.01) / 2, 0, 1 / 1.01, (height - height / 1.01) / 2)
    return np.asarray(Image.fromarray(frame).transform((width, height), Image.Transform.AFFINE, part, Image.BICUBIC))


def wrong_block(frames: Frames, first: int = 30, side: int = 16) -> Frames:
    out = [frame.copy() for frame in frames]
    y, x = SIZE[1] // 2, SIZE[0] // 2
    for frame in out[first:]:
        frame[y : y + side, x : x + side, :3] = 255 - frame[y : y + side, x : x + side, :3]
    return out


def late_sprite(frames: Frames, first: int = 48, ticks: int = 10) -> Frames:
    """An input read ten ticks late: from then on the sprite lags behind its world."""
    out = frames[:first]
    for tick in range(first, len(frames)):
        frame = scene(tick, sprite=False)
        ghost = scene(tick - ticks)
        with_sprite = (ghost != scene(tick - ticks, sprite=False)).any(axis=2)
        frame[with_sprite] = ghost[with_sprite]
        out.append(frame)
    return out


def at_speed(samples: np.ndarray, ratio: float) -> np.ndarray:
    """Play sound `ratio` times as fast, by linear interpolation."""
    places = np.arange(int(len(samples) / ratio)) * ratio
    columns = [np.interp(places, np.arange(len(samples)), samples[:, c]) for c in range(2)]
    return np.stack(columns, axis=1).astype(np.int16)


def silenced(samples: np.ndarray, first: float, seconds: float) -> np.ndarray:
    out = samples.copy()
    start = int(first * 48000)
    out[start : start + int(seconds * 48000)] = 0
    return out


def with_tone(samples: np.ndarray, hz: float = 3000, db: float = -32) -> np.ndarray:
    n = np.arange(len(samples))
    tone = 32768 * 10 ** (db / 20) * np.sqrt(2) * np.sin(2 * np.pi * hz * n / 48000)
    return np.clip(samples + tone[:, None], -32768, 32767).astype(np.int16)


def later(samples: np.ndarray, ms: int) -> np.ndarray:
    lead = 48 * ms
    return np.concatenate([np.zeros((lead, 2), np.int16), samples])[: len(samples)]


def one_channel(samples: np.ndarray) -> np.ndarray:
    out = samples.copy()
    out[:, 1] = 0
    return out


LOW = ("x264-crf32", "x264-crf32-30fps", "hevc-30fps")
DROWNED = dict.fromkeys(LOW, "256 pixels drown in what the codec does to the tile around them")
ALL = tuple(ENCODINGS)
SLOW = ("x264-30fps", "x264-crf32-30fps", "hevc-30fps", "vp9-30fps")
HALF = dict.fromkeys(SLOW, "the reference has no picture of the ticks that repeat: it cannot tell whether they should")


def other_hue(frames: Frames) -> Frames:
    """The sprite in another colour of the same brightness."""
    out = [frame.copy() for frame in frames]
    for frame in out:
        frame[(frame[..., :3] == (230, 60, 50)).all(axis=2), :3] = (60, 140, 85)
    return out


DEFECTS = (
    Defect("missing sprite", "local-render", picture(lambda f: film(range(len(f)), sprite=False))),
    Defect(
        "missing sprite from 60", "local-render", picture(lambda f: f[:60] + film(range(60, len(f)), sprite=False)), 60
    ),
    Defect("missing HUD", "local-render", picture(lambda f: film(range(len(f)), hud=False))),
    Defect("16x16 wrong block", "local-render", picture(wrong_block), 30, 5, edge=DROWNED),
    Defect("4x4 wrong block", "local-render", picture(lambda f: wrong_block(f, side=4)), 30, 5, missed=ALL),
    Defect("sprite of another hue, as bright", "local-render", picture(other_hue)),
    Defect("one black frame", "black-or-frozen", picture(lambda f: [*f[:70], f[70] // 255 * 255 * 0, *f[71:]]), 70, 0),
    Defect("one black frame, odd tick", "black-or-frozen", picture(lambda f: [*f[:71], f[71] * 0, *f[72:]]), 71, 0),
    Defect("one wrong picture, odd tick", "glitch", picture(lambda f: [*f[:71], f[20], *f[72:]]), 71, 0, missed=SLOW),
    Defect("black from 80", "black-or-frozen", picture(lambda f: [*f[:80], *[f[0] * 0] * (len(f) - 80)]), 80, 2),
    Defect("frozen from 80", "black-or-frozen", picture(lambda f: [*f[:80], *[f[80]] * (len(f) - 80)]), 80, 2),
    Defect("half rate", "frame-pacing", picture(lambda f: [f[k // 2 * 2] for k in range(len(f))]), None, 0, HALF),
    Defect("one dropped frame", "frame-pacing", picture(lambda f: f[:50] + f[51:]), 50, 1),
    Defect("three dropped frames", "frame-pacing", picture(lambda f: f[:50] + f[53:]), 50, 2),
    Defect("one repeated frame", "frame-pacing", picture(lambda f: f[:61] + f[60:]), 61, 2),
    Defect("late by one", "late-start", picture(lambda f: [f[0], *f])),
    Defect("cut short", "capture-incomplete", picture(lambda f: f[:90]), 90, 1),
    Defect(
        "wrong state from 60", "state-divergence", picture(lambda f: f[:60] + film(range(200, 200 + len(f) - 60))), 60
    ),
    Defect(
        "input moved",
        "input-misalignment",
        picture(late_sprite),
        48,
        0,
        evidence={"inputs_equal": False, "first_input_difference": 48},
    ),
    Defect("limited shown as full range", "colour-range", each(lambda c: (c.astype(float) - 16) * 255 / 219)),
    Defect("full shown as limited range", "colour-range", each(lambda c: c.astype(float) * 219 / 255 + 16)),
    Defect("gamma 1.15", "gamma-or-level", each(lambda c: 255 * (c / 255) ** 1.15)),
    Defect("darker by 12 levels", "gamma-or-level", each(lambda c: c.astype(float) - 12)),
    Defect("red and blue swapped", "channel-swap", each(lambda c: c[..., ::-1])),
    Defect("zoom 1 %", "scale-or-crop", each(zoomed)),
    Defect("one pixel to the right", "scale-or-crop", each(lambda c: np.roll(c, 1, axis=1))),
    Defect("two pixels down", "scale-or-crop", each(lambda c: np.roll(c, 2, axis=0))),
    Defect("silent", "audio-missing", audio(lambda a: a * 0)),
    Defect("sound 40 ms late", "audio-offset", audio(lambda a: later(a, 40))),
    Defect("sound 80 ms early", "audio-offset", audio(lambda a: a[48 * 80 :])),
    Defect("sound 0.1 % fast", "audio-rate", audio(lambda a: at_speed(a, 1.001))),
    Defect("48 kHz played at 44.1", "audio-rate", audio(lambda a: at_speed(a, 44100 / 48000))),
    Defect("one channel dead", "audio-channel", audio(one_channel)),
    Defect("left and right swapped", "audio-channel", audio(lambda a: a[:, ::-1])),
    Defect("mono", "audio-channel", audio(lambda a: np.repeat(a[:, :1], 2, axis=1))),
    Defect("clipped", "audio-level", audio(lambda a: np.clip(a, -5000, 5000))),
    Defect("6 dB quieter", "audio-level", audio(lambda a: a // 2)),
    Defect("parasitic tone, -32 dBFS", "audio-spectral", audio(with_tone)),
    Defect("parasitic tone, -50 dBFS", "audio-spectral", audio(lambda a: with_tone(a, db=-50)), missed=ALL),
    Defect("dropout of 100 ms", "audio-dropout", audio(lambda a: silenced(a, 1.0, 0.1)), 60, 2),
    Defect(
        "wrong music from 1 s", "audio-spectral", audio(lambda a: np.concatenate([a[:48000], a[:20000:-1]])[: len(a)])
    ),
)


def clean() -> tuple[Frames, np.ndarray]:
    return film(range(TICKS)), sound(TICKS)
