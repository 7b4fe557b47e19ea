"""The one builder of test clips: a small game scene with everything that gates have to see."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

SIZE = (320, 180)
TICKS = 120


@lru_cache(maxsize=8)
def ground(width: int, height: int) -> np.ndarray:
    """A wide scrolling landscape, (height, 3 * width, 3) uint8: sky in bands, hills, bricks."""
    rng = np.random.default_rng(11)
    out = np.zeros((height, 3 * width, 3), np.uint8)
    y, x = np.mgrid[:height, : 3 * width]
    out[...] = np.stack([60 + y // 8 * 8 // 2, 110 + y // 8 * 8 // 3, 190 - y // 16 * 16 // 4], axis=2)
    hills = height * 0.62 + height * 0.13 * np.sin(x / (width / 7)) + height * 0.05 * np.sin(x / (width / 31))
    out[y > hills] = (70, 130, 60)
    bricks = (y // 8 % 2 * 8 + x) // 16 % 5
    out[y > hills + height * 0.16] = (150, 90, 60)
    out[(y > hills + height * 0.16) & (bricks == 0)] = (110, 60, 40)
    for _ in range(40):
        cx, cy, r = rng.integers(0, 3 * width), rng.integers(0, height // 2), rng.integers(4, 14)
        out[(x - cx) ** 2 + ((y - cy) * 2) ** 2 < r * r] = (225, 230, 235)
    return out


def scene(tick: int, size: tuple[int, int] = SIZE, *, sprite: bool = True, hud: bool = True) -> np.ndarray:
    """One picture, (height, width, 4) uint8 RGBA: scrolling ground, a hopping sprite, a counting HUD."""
    width, height = size
    world = ground(width, height)
    left = tick * 2 % (2 * width)
    out = np.full((height, width, 4), 255, np.uint8)
    out[..., :3] = world[:, left : left + width]
    if sprite:
        w, h = width // 12, height // 8
        x = width // 3 + int(width * 0.15 * np.sin(tick / 19))
        y = int(height * 0.55 - abs(np.sin(tick / 11)) * height * 0.3)
        out[y : y + h, x : x + w, :3] = (230, 60, 50)
        out[y + h // 4 : y + h // 2, x + w // 4 : x + 3 * w // 4, :3] = (250, 240, 200)
    if hud:
        for digit in range(6):
            x = width // 20 + digit * width // 26
            bar = 3 + (tick // (1 + digit) * 7 + digit * 5) % (height // 16)
            out[height // 24 : height // 24 + bar, x : x + width // 40, :3] = (255, 250, 120)
    return out


def film(ticks: Iterable[int] = range(TICKS), size: tuple[int, int] = SIZE, **options: bool) -> list[np.ndarray]:
    return [scene(tick, size, **options) for tick in ticks]


def sound(ticks: int = TICKS, rate: int = 48000) -> np.ndarray:
    """Music of a kind, (ticks * rate / 60, 2) int16: a bass left, a melody right, a beat on both."""
    n = np.arange(ticks * rate // 60)
    t = n / rate
    notes = np.array([220, 277.2, 329.6, 440, 392, 329.6, 293.7, 246.9])
    step = (t * 6).astype(int)
    envelope = np.exp(-(t * 6 % 1) * 3)
    melody = np.sin(2 * np.pi * notes[step * 5 % 8] * 2 * t) * envelope
    bass = np.sign(np.sin(2 * np.pi * notes[step // 4 % 8] / 2 * t)) * 0.5
    hiss = np.random.default_rng(2).standard_normal(len(n)) * np.exp(-(t * 3 % 1) * 18)
    left = 0.30 * bass + 0.10 * melody + 0.25 * hiss
    right = 0.10 * bass + 0.35 * melody + 0.15 * hiss
    return (np.stack([left, right], axis=1) * 20000).clip(-32768, 32767).astype(np.int16)


ENCODINGS = {
    "x264-crf23": ("libx264", {"crf": "23", "preset": "veryfast"}, "mp4", 1),
    "x264-crf32": ("libx264", {"crf": "32", "preset": "veryfast"}, "mp4", 1),
    "hevc-crf30": ("libx265", {"crf": "30", "preset": "ultrafast", "x265-params": "log-level=none"}, "mkv", 1),
    "vp9": ("libvpx-vp9", {"crf": "34", "b": "0", "deadline": "realtime", "cpu-used": "8"}, "webm", 1),
    "x264-30fps": ("libx264", {"crf": "23", "preset": "veryfast"}, "mp4", 2),
    "x264-crf32-30fps": ("libx264", {"crf": "32", "preset": "veryfast"}, "mp4", 2),
    "hevc-30fps": ("libx265", {"crf": "30", "preset": "ultrafast", "x265-params": "log-level=none"}, "mkv", 2),
    "vp9-30fps": ("libvpx-vp9", {"crf": "34", "b": "0", "deadline": "realtime", "cpu-used": "8"}, "webm", 2),
}


def write_lossy(
    path: Path,
    frames: list[np.ndarray],
    encoding: str,
    audio: np.ndarray | None = None,
    slow: Fraction = Fraction(1),
) -> Path:
    """Record a clip as a capture card would: 4:2:0 video of one of `ENCODINGS`, AAC or Opus sound. `slow` is by how
    much its clock is."""
    import av

    codec, options, container_name, every = ENCODINGS[encoding]
    path = path.with_suffix(f".{container_name}")
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=60 // every / slow, options=options)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.codec_context.thread_count = 1
        track = None
        if audio is not None:
            track = container.add_stream("libopus" if container_name == "webm" else "aac", rate=48000, layout="stereo")
            track.bit_rate = 128000
        for number, frame in enumerate(frames[::every]):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgba")
            picture.pts, picture.time_base = number, Fraction(every, 60) * slow
            container.mux(video.encode(picture))
        container.mux(video.encode())
        if track is not None:
            for start in range(0, len(audio), 1024):
                block = np.ascontiguousarray(audio[start : start + 1024]).reshape(1, -1)
                chunk = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
                chunk.sample_rate, chunk.pts, chunk.time_base = 48000, start, Fraction(1, 48000)
                container.mux(track.encode(chunk))
            container.mux(track.encode())
    return path
