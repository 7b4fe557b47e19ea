"""Temporal registration: which frame of the capture shows which tick of the reference.

The two clips are aligned like two texts. The distance between a reference and a capture picture is the structure term
of SSIM on 64x36 luma thumbnails (a zero-normalised correlation that a flat picture cannot fool), less what the codec
alone costs, in units of one frame of motion. A missing or an extra frame costs more than any mismatch, so that a wrong
picture stays beside what it should have been and only a true drop opens a gap. The capture's ends are free:
a lead of boot frames and a tail cost nothing. Blind to gain, gamma and swapped channels by construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from recomp.errors import FormatError

if TYPE_CHECKING:
    import numpy as np

_GAP = 2.5  # units of motion: a drop and a repeat eight frames apart are still told from a run of late frames
_NOISY_GAP = 6.0  # where the codec's noise reaches a unit of motion
_CAP = 0.9  # gaps: no mismatch may cost more than a gap, see above
_EPSILON = 16.0  # variance floor in squared levels: noise of a flat picture is not structure
_MAX_CELLS = 100_000_000  # reference ticks x capture frames: 10,000 by 10,000 (2.7 minutes at 60 a second), about 1 GB
_STATIC = 0.25  # units of motion below which a drop or a repeat cannot be seen


@dataclass(frozen=True)
class Registration:
    """`capture_of[t]`: capture frame that shows reference tick t, -1 if none. `recorded[t]`: the reference has it.

    `lead` and `tail` count capture frames before the first and after the last match; `missing` are reference ticks
    without a capture frame, `extra` capture frames without a tick (between lead and tail), both as (start, count) runs.
    `ambiguous[t]`: the reference stands still around t, where a missing or extra frame would leave no trace.
    """

    capture_of: np.ndarray
    recorded: np.ndarray
    ambiguous: np.ndarray
    lead: int
    tail: int
    missing: tuple[tuple[int, int], ...]
    extra: tuple[tuple[int, int], ...]
    slope_ppm: float


def register(reference: np.ndarray, capture: np.ndarray, recorded: np.ndarray | None = None) -> Registration:
    """Align thumbnails: reference (n, h, w) uint8 on the capture's tick grid, capture (m, h, w) uint8.

    `recorded` (n,) bool: ticks that the reference has a picture of (its rate may be lower); others match anything.
    """
    import numpy as np

    n, m = len(reference), len(capture)
    recorded = np.ones(n, bool) if recorded is None else recorded
    if not n or not m:
        nothing = np.full(n, -1)
        return Registration(nothing, recorded, np.zeros(n, bool), 0, m, ((0, n),) if n else (), (), 0.0)
    if n * m > _MAX_CELLS:
        raise FormatError(
            f"validation: found {n} ticks of reference and {m} frames of capture, expected at most about "
            f"{int(_MAX_CELLS**0.5)} of each",
            hint="judge a long recording in parts: `recomp reference normalize` with a start and an end",
        )
    rows = np.flatnonzero(recorded)
    ours, theirs = normalised(reference[rows]), normalised(capture)
    distances = 1.0 - similarity(ours, theirs)
    nearest = distances.min(axis=1)
    floor = float(np.median(nearest))
    motion = _motion(*ours)
    unit = _unit_of_motion(motion, floor) / (float(np.median(np.diff(rows))) if len(rows) > 1 else 1.0)
    noise = (float(np.percentile(nearest, 90)) - floor) / unit
    gap = min(_NOISY_GAP, _GAP * (1.0 + 4.0 * noise)) * len(rows) / n  # only recorded ticks can speak against a gap
    # A tick without a picture fits any frame, but a little worse than one that is seen to fit.
    scaled = np.full((n, m), min(0.5, gap / 2), np.float32)
    scaled[rows] = np.clip((distances - floor) / unit, 0.0, _CAP * gap).round(4)
    capture_of = _align(scaled, gap)
    _cut_loose_ends(capture_of, recorded)
    still = np.ones(n, bool)
    still[rows] = np.append(motion, 0.0) < floor + _STATIC * unit
    moving_before = np.zeros(n, bool)
    moving_before[rows[1:]] = ~still[rows[:-1]]
    return _describe(capture_of, recorded, still & ~moving_before & recorded, m)


def normalised(thumbnails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ((n, pixels) float32 with zero mean, (n,) standard deviations)."""
    import numpy as np

    flat = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat, np.sqrt((flat * flat).mean(axis=1))


def similarity(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Structure term of SSIM of every picture against every other: (n, m) float32 in [-1, 1]."""
    covariance = a[0] @ b[0].T / a[0].shape[1]
    return (covariance + _EPSILON) / (a[1][:, None] * b[1][None, :] + _EPSILON)


def _motion(flat: np.ndarray, deviations: np.ndarray) -> np.ndarray:
    """Return the distance of each picture to the next, (n - 1,) float32."""
    covariances = (flat[:-1] * flat[1:]).mean(axis=1)
    return 1.0 - (covariances + _EPSILON) / (deviations[:-1] * deviations[1:] + _EPSILON)


def _unit_of_motion(motion: np.ndarray, floor: float) -> float:
    """Return the median distance between consecutive pictures that differ by more than the codec's floor."""
    import numpy as np

    moving = motion[motion > max(floor, 1e-5)]
    return max(float(np.median(moving)) if len(moving) else 0.0, floor, 1e-4)


def _align(cost: np.ndarray, gap: float) -> np.ndarray:
    """Return for each row its column, -1 = none, by dynamic programming over rows; the columns' ends are free."""
    import numpy as np

    rows, columns = cost.shape
    ramp = np.arange(columns + 1, dtype=np.float64) * gap
    steps = np.empty((rows, columns + 1), np.uint8)  # 0 match, 1 row has no column, 2 column has no row
    above = np.zeros(columns + 1)
    for row in range(rows):
        down = above + gap
        best = down.copy()
        best[1:] = np.minimum(above[:-1] + cost[row], down[1:])
        here = np.minimum.accumulate(best - ramp) + ramp
        matched = np.zeros(columns + 1, bool)
        matched[1:] = here[1:] >= above[:-1] + cost[row] - 1e-6
        skipped = np.zeros(columns + 1, bool)  # of two equal frames the second is the extra one: skip where even
        skipped[1:] = here[1:] >= here[:-1] + gap - 1e-6
        steps[row] = np.where(skipped, 2, np.where(matched, 0, 1))
        above = here
    out = np.full(rows, -1)
    row, column = rows - 1, int(np.argmin(above))
    while row >= 0:
        step = steps[row, column]
        if step == 2:
            column -= 1
        else:
            if step == 0:
                column -= 1
                out[row] = column
            row -= 1
    return out


def _cut_loose_ends(capture_of: np.ndarray, recorded: np.ndarray) -> None:
    """Take back matches of unrecorded ticks beyond the last recorded one that matches: they cost nothing anywhere."""
    matched = (recorded & (capture_of >= 0)).nonzero()[0]
    if not len(matched):
        return
    first, last = int(matched[0]), int(matched[-1])
    if recorded[last + 1 :].any():
        capture_of[last + 1 :] = -1
    if recorded[:first].any():
        capture_of[:first] = -1


def _describe(capture_of: np.ndarray, recorded: np.ndarray, ambiguous: np.ndarray, captured: int) -> Registration:
    import numpy as np

    matched = np.flatnonzero(capture_of >= 0)
    if not len(matched):
        return Registration(capture_of, recorded, ambiguous, 0, captured, ((0, len(capture_of)),), (), 0.0)
    first, last = int(capture_of[matched[0]]), int(capture_of[matched[-1]])
    shown = np.zeros(captured, bool)
    shown[capture_of[matched]] = True
    extra = np.flatnonzero(~shown[first : last + 1]) + first
    slope = 0.0
    if len(matched) > 1:
        slope = (last - first) / (matched[-1] - matched[0]) - 1.0
    return Registration(
        capture_of,
        recorded,
        ambiguous,
        lead=first,
        tail=captured - 1 - last,
        missing=runs(np.flatnonzero(capture_of < 0)),
        extra=runs(extra),
        slope_ppm=round(1e6 * slope, 1),
    )


def runs(indices: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Collapse sorted indices into (start, count) runs."""
    out: list[list[int]] = []
    for index in indices.tolist():
        if out and index == out[-1][0] + out[-1][1]:
            out[-1][1] += 1
        else:
            out.append([index, 1])
    return tuple((start, count) for start, count in out)
