"""Measure a capture against a recorded reference: the two clips in step, tile by tile, and the codec's own share.

Three passes over each file and a few megabytes at a time: thumbnails to register by, pairs to measure, the capture once
more through the reference's codec. Values only; what they mean is `recomp.media.gates`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.errors import FormatError
from recomp.media.calibration import Calibration, calibrate
from recomp.media.clip import Facts, Planar, plane, read_facts, run_filter, slowness, ticks
from recomp.media.metrics import around, excess, persistent, psnr, seen, tile_facts
from recomp.media.recoded import Recoded
from recomp.media.registration import Registration, normalised, register
from recomp.media.xpsnr import Xpsnr

if TYPE_CHECKING:
    import av
    import numpy as np

_ANCHORS = 9
_BEHIND = 8  # pictures
_MATRIX_PAIRS = 6
_RGB = "flags=bicubic+bitexact+accurate_rnd+full_chroma_int"


@dataclass(frozen=True)
class Measurement:
    """Everything the gates look at. Arrays over the K judged ticks: reference tick, tile SSIM (K, rows, columns) of
    the capture and of the null; how much worse each tile visibly is than the codec alone makes it, in luma and
    (`_colour`) in the mean of both colour planes; mean SSIM of Y, U and V, PSNR of luma and XPSNR of all three in dB.
    """

    reference: Facts
    capture: Facts
    rate: float
    slow: float  # 1.001 where the reference runs on a television's clock and the capture does not, else 1
    matrix: str
    recorded_hz: float  # pictures of its own that the reference has a second, at most
    registration: Registration
    pictured: np.ndarray  # (reference ticks,) bool: the reference's file has a picture, of its own or held
    calibration: Calibration | None
    ticks: np.ndarray
    observed: np.ndarray
    null: np.ndarray
    deficit: np.ndarray
    deficit_colour: np.ndarray
    ssim: np.ndarray
    ssim_colour: np.ndarray  # (K, 2)
    psnr: np.ndarray
    xpsnr: np.ndarray  # (K, 3)
    quality: int | None
    brightness: np.ndarray  # (K, 2): mean luma of reference and capture
    contrast: np.ndarray  # (K, 2): its standard deviation
    black: np.ndarray  # (reference ticks,) bool: the capture is black and the reference, by its last picture, is not
    stuck: np.ndarray  # (K,) bool: the capture repeats itself where the reference moves
    updates_hz: float | None  # how often the capture changes its picture where the reference moves; None: it does not
    captured: int

    @cached_property
    def lasting(self) -> np.ndarray:
        """The deficit as a running median over time: what lasts."""
        return persistent(self.deficit)

    @cached_property
    def lasting_colour(self) -> np.ndarray:
        return persistent(self.deficit_colour)


def measure(
    reference: Path | str,
    capture: Path | str,
    source: Path | str | None = None,
    source_fps: float | None = None,
    source_start: float = 0.0,
) -> Measurement:
    """Measure two video files.

    `source` is the recording that a normalised reference was made of: its codec is the one whose loss is in the
    pictures. `source_fps` is its rate: where the reference holds a picture because the recording had no other, there is
    nothing to compare with. `source_start` is the second of it at which the reference begins. Raises FormatError for
    what cannot be decoded or has no pictures.
    """
    import numpy as np

    ours, theirs = read_facts(reference), read_facts(capture)
    if source is not None and source_fps is None:
        source_fps = read_facts(source).rate
    rate = theirs.rate
    slow = float(slowness(ours.rate)) if slowness(rate) == 1 else 1.0
    clock = rate / slow  # what the reference's pictures are counted by
    size = (ours.width, ours.height)
    matrix = ours.matrix or ("bt709" if ours.height >= 720 else "bt601")
    planar = Planar(size, matrix, ours.full_range)
    thumbs, pictured, _ = _thumbnails(reference, clock, planar)
    recorded = pictured & ~_held_ticks(reference, clock, len(pictured), source_fps)
    shown, _, order = _thumbnails(capture, rate, planar)
    shown = shown[order]
    registration = register(thumbs, shown, recorded)
    if ours.matrix is None and theirs.pixel_format.startswith(("gbr", "bgr", "rgb")):
        matrix = _guess_matrix(reference, capture, registration, (clock, rate), size, ours.full_range)
        planar = Planar(size, matrix, ours.full_range)
    judged = np.flatnonzero(registration.recorded & (registration.capture_of >= 0))
    black = _black_ticks(thumbs, shown, registration)
    anchors = _anchors(thumbs, shown, registration, judged[~black[judged]])
    null = Recoded(source or reference, capture, registration, planar, (rate, slow, source_start))
    weighted = Xpsnr(planar.size, rate)
    observed, ssim, colour, noise, eye, pictures = [], [], [], [], [], []

    def recode(tick: int, a: av.VideoFrame, b: av.VideoFrame) -> None:
        if tick in anchors:
            pictures.append((_rgb(a), _rgb(b)))
        eye.append(weighted.push(a, b))
        null.push(b)

    with _Beside(recode) as beside:  # all that gives a picture another number is done there
        for tick, a, b in _pairs(reference, capture, registration, (clock, rate), planar):
            beside(tick, a, b)
            facts, means = tile_facts([(plane(a, k), plane(b, k)) for k in range(3)])
            observed.append(facts)
            ssim.append(means[0])
            colour.append(means[1:])
            noise.append(psnr(plane(a, 0), plane(b, 0)))
    nothing = np.zeros((0, 1, 1), np.float32)
    found = [np.array(tiled) for tiled in zip(*observed, strict=True)] or [nothing] * 4
    floor = null.finish(found)
    frames = registration.capture_of[judged]
    light = np.stack([thumbs[judged].reshape(len(judged), -1), shown[frames].reshape(len(judged), -1)], axis=1)
    return Measurement(
        reference=ours,
        capture=theirs,
        rate=rate,
        slow=slow,
        matrix=matrix,
        recorded_hz=min(ours.rate, source_fps or ours.rate),
        registration=registration,
        pictured=pictured,
        calibration=calibrate(pictures) if pictures else None,
        ticks=judged,
        observed=found[0],
        null=floor[0],
        deficit=seen(excess(found[0], around(floor[0])), found[2], floor[2]),
        deficit_colour=seen(excess(found[1], around(floor[1])), found[3], floor[3]),
        ssim=np.array(ssim),
        ssim_colour=np.array(colour).reshape(-1, 2),
        psnr=np.array(noise),
        xpsnr=np.array(eye).reshape(-1, 3),
        quality=null.quality,
        brightness=light.mean(axis=2),
        contrast=light.std(axis=2),
        black=black,
        stuck=_still_ticks(thumbs, shown, judged, frames),
        updates_hz=_updates_hz(thumbs, shown, judged, frames, rate),
        captured=len(shown),
    )


class _Beside:
    """Calls a function in a thread of its own, in order and a few calls behind: encoders and filters leave the
    interpreter to this one. What it is given it may only share with who reads it."""

    def __init__(self, work: Callable[..., None]) -> None:
        self._work = work
        self._calls: deque[Future[None]] = deque()
        self._thread = ThreadPoolExecutor(1)

    def __call__(self, *arguments: Any) -> None:
        self._calls.append(self._thread.submit(self._work, *arguments))
        if len(self._calls) > _BEHIND:
            self._calls.popleft().result()

    def __enter__(self) -> _Beside:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(cancel_futures=kind is not None)
        while self._calls and kind is None:
            self._calls.popleft().result()


def _thumbnails(path: Path | str, rate: float, planar: Planar) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ((ticks, 36, 64) uint8, (ticks,) bool: has a picture, ticks that have one)."""
    import numpy as np

    found = [(tick, planar.thumbnail(frame)) for tick, frame in ticks(path, rate)]
    if not found:
        raise FormatError(f"{path}: found no pictures, expected at least one")
    order = np.array([tick for tick, _ in found])
    out = np.zeros((order[-1] + 1, *found[0][1].shape), np.uint8)
    out[order] = [picture for _, picture in found]
    recorded = np.zeros(len(out), bool)
    recorded[order] = True
    return out, recorded, order


def _held_ticks(reference: Path | str, rate: float, length: int, source_fps: float | None) -> np.ndarray:
    """Mark ticks at which a reference shows its last picture again only because its recording was slower."""
    import numpy as np

    held = np.zeros(length, bool)
    step = math.ceil(rate / (source_fps or rate) - 0.1)  # a rate measured from time stamps is a little off
    if step <= 1:
        return held
    last: Any = None
    since = 0
    for tick, frame in ticks(reference, rate):
        held[tick] = last is not None and tick - since < step and _alike(last, frame)
        if not held[tick]:
            since = tick
        last = frame
    return held


def _alike(a: av.VideoFrame, b: av.VideoFrame) -> bool:
    import numpy as np

    return all(np.array_equal(plane(a, k), plane(b, k)) for k in range(len(a.planes)))


def _pairs(
    reference: Path | str,
    capture: Path | str,
    registration: Registration,
    rates: tuple[float, float],
    planar: Planar,
) -> Iterator[tuple[int, av.VideoFrame, av.VideoFrame]]:
    """Yield (tick, reference, capture) as planar pictures for each judged tick, both clips read once and in order;
    `rates` are those of their ticks."""
    frames = enumerate(frame for _, frame in ticks(capture, rates[1]))
    number = -1
    shown: Any = None
    for tick, frame in ticks(reference, rates[0]):
        wanted = int(registration.capture_of[tick])
        if wanted < 0 or not registration.recorded[tick]:
            continue
        while number < wanted:
            number, picture = next(frames)
            if number == wanted:
                shown = planar(picture)
        yield tick, planar(frame), shown


def _anchors(thumbs: np.ndarray, shown: np.ndarray, registration: Registration, judged: np.ndarray) -> set[int]:
    """Choose well-registered ticks with something to see, spread over the clip: calibration looks at these."""
    import numpy as np

    if not len(judged):
        return set()
    a, b = normalised(thumbs[judged]), normalised(shown[registration.capture_of[judged]])
    alike = ((a[0] * b[0]).mean(axis=1) + 16.0) / (a[1] * b[1] + 16.0)
    good = alike >= np.median(alike) - 1e-6
    good &= a[1] >= min(8.0, float(np.median(a[1])))
    candidates = judged[good] if good.any() else judged
    chosen = np.linspace(0, len(candidates) - 1, min(_ANCHORS, len(candidates))).round().astype(int)
    return set(candidates[chosen].tolist())


def _black_ticks(thumbs: np.ndarray, shown: np.ndarray, registration: Registration) -> np.ndarray:
    """Also at ticks that a slower reference has no picture of: black between two pictures is seen without one."""
    import numpy as np

    total = len(registration.capture_of)
    last = np.maximum.accumulate(np.where(registration.recorded, np.arange(total), 0))
    lit = thumbs.reshape(total, -1).std(axis=1)[last] > 8
    flat = shown.reshape(len(shown), -1)
    dark = (flat.std(axis=1) < 3) & (flat.mean(axis=1) < 24)
    return lit & (registration.capture_of >= 0) & dark[registration.capture_of]


def _still_ticks(thumbs: np.ndarray, shown: np.ndarray, judged: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Mark judged ticks at which the capture repeats its last picture though the reference has moved on."""
    import numpy as np

    stuck = np.zeros(len(judged), bool)
    if len(judged) < 2:
        return stuck
    a, b = shown[frames].astype(np.int16), thumbs[judged].astype(np.int16)
    still = np.abs(a[1:] - a[:-1]).reshape(len(a) - 1, -1).max(axis=1) <= 1
    moves = np.abs(b[1:] - b[:-1]).reshape(len(b) - 1, -1)
    stuck[1:] = still & (moves.max(axis=1) > 24) & (moves.mean(axis=1) > 0.5)
    return stuck


def _updates_hz(
    thumbs: np.ndarray, shown: np.ndarray, judged: np.ndarray, frames: np.ndarray, rate: float
) -> float | None:
    """Count how often the capture changes its picture a second, in the stretches in which the reference moves.

    Also of frames between the reference's own: a reference of 30 a second says nothing of each second one, but what a
    capture of 60 shows there can be counted."""
    import numpy as np

    if len(judged) < 2:
        return None
    moves = np.abs(np.diff(thumbs[judged].astype(np.int16), axis=0)).reshape(len(judged) - 1, -1)
    moving = (moves.max(axis=1) > 24) & (moves.mean(axis=1) > 0.5)
    changes = np.abs(np.diff(shown.astype(np.int16), axis=0)).reshape(len(shown) - 1, -1).max(axis=1) > 1
    counted = np.concatenate([[0], np.cumsum(changes)])
    length = int((frames[1:] - frames[:-1])[moving].sum())
    if not length:
        return None
    return float((counted[frames[1:]] - counted[frames[:-1]])[moving].sum() / length * rate)


def _guess_matrix(
    reference: Path | str,
    capture: Path | str,
    registration: Registration,
    rates: tuple[float, float],
    size: tuple[int, int],
    full_range: bool,
) -> str:
    """A file that does not name its matrix was made with one of two: take the one that the colours fit better."""
    import numpy as np

    errors = {}
    for matrix in ("bt601", "bt709"):
        planar = Planar(size, matrix, full_range)
        error = []
        for _, a, b in _pairs(reference, capture, registration, rates, planar):
            error += [float(np.abs(plane(a, k).astype(np.int16) - plane(b, k)).mean()) for k in (1, 2)]
            if len(error) >= 2 * _MATRIX_PAIRS:
                break
        errors[matrix] = float(np.median(error)) if error else 0.0
    return min(errors, key=lambda name: (errors[name], name))


def _rgb(frame: av.VideoFrame) -> np.ndarray:
    """A planar picture as (height, width, 3) uint8 RGB, by the same conversion for both sides."""
    return run_filter({}, frame, f"{frame.width}:{frame.height}:{_RGB}", "rgb24").to_ndarray()
