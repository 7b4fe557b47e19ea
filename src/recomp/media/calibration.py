"""What a whole capture has wrong alike in every picture: place, size, level, channels (the terms of ITU-T J.244).

Measured on a few well-registered pictures, medians over them, and reported: never silently corrected. A range error has
an SSIM of 0.99 and a VMAF of 100; here it is a gain of 1.16.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_BLOCK = 8


@dataclass(frozen=True)
class Calibration:
    """Capture against reference. Shifts in pixels (positive: right, down), scales as a share (0.01 = 1 % larger).

    `gain`, `offset`: luma of the capture = gain * reference + offset, offset in levels; `bend`: levels by which the
    middle tones leave that line (gamma). `channels[r][c]`: correlation of reference channel r with capture channel c,
    R, G, B; None where a channel is too flat to tell.
    """

    shift_x: float
    shift_y: float
    scale_x: float
    scale_y: float
    gain: float
    offset: float
    bend: float
    channels: tuple[tuple[float | None, ...], ...]

    def facts(self) -> dict[str, Any]:
        """Return the values as plain JSON, rounded."""
        return {
            name: round(value, 4) if isinstance(value, float) else [list(row) for row in value]
            for name, value in asdict(self).items()
        }


def calibrate(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> Calibration:
    """Measure on pairs of (reference, capture) pictures, (height, width, 3) uint8 RGB of one size each."""
    import numpy as np

    shifts = np.array([_place(luma(a), luma(b)) for a, b in pairs])
    levels = np.array([_levels(luma(a), luma(b)) for a, b in pairs])
    shift_x, shift_y, scale_x, scale_y = (float(x) for x in np.median(shifts, axis=0))
    gain, offset, bend = (float(x) for x in np.median(levels, axis=0))
    channels = _channels([(block_means(a), block_means(b)) for a, b in pairs])
    return Calibration(shift_x, shift_y, scale_x, scale_y, gain, offset, bend, channels)


def luma(picture: np.ndarray) -> np.ndarray:
    """BT.601 luma of RGB: (height, width) float32 in [0, 255]."""
    import numpy as np

    return picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def block_means(picture: np.ndarray) -> np.ndarray:
    """Mean of each whole 8x8 block: (rows, columns, ...) float32."""
    import numpy as np

    rows, columns = picture.shape[0] // _BLOCK, picture.shape[1] // _BLOCK
    whole = picture[: rows * _BLOCK, : columns * _BLOCK].astype(np.float32)
    return whole.reshape(rows, _BLOCK, columns, _BLOCK, *picture.shape[2:]).mean(axis=(1, 3))


def displacement(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Return (x, y, peak) by which `b` is displaced against `a`, by phase correlation; x, y in pixels, peak in [0, 1].

    Sub-pixel by the centre of gravity around the peak; both planes float, of one shape.
    """
    import numpy as np

    height, width = a.shape
    window = np.hanning(height)[:, None] * np.hanning(width)[None, :]
    spectra = [np.fft.rfft2((p - p.mean()) * window) for p in (a, b)]
    cross = spectra[1] * np.conj(spectra[0])
    surface = np.fft.irfft2(cross / (np.abs(cross) + 1e-3 * np.abs(cross).max() + 1e-12), s=a.shape)
    peak_y, peak_x = np.unravel_index(int(np.argmax(surface)), surface.shape)
    around = np.roll(surface, (2 - peak_y, 2 - peak_x), axis=(0, 1))[:5, :5].clip(0)
    grid = np.arange(-2, 3)
    total = around.sum() or 1.0
    x = peak_x + float((around.sum(axis=0) * grid).sum() / total)
    y = peak_y + float((around.sum(axis=1) * grid).sum() / total)
    x = x - width if x > width / 2 else x
    y = y - height if y > height / 2 else y
    return float(x), float(y), float(surface.max())


def _place(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float, float]:
    """Return (shift x, shift y, scale x, scale y) from the displacements of the picture's halves."""
    height, width = a.shape
    left, right = slice(0, width // 2), slice(width - width // 2, width)
    top, bottom = slice(0, height // 2), slice(height - height // 2, height)
    x_left, x_right = displacement(a[:, left], b[:, left])[0], displacement(a[:, right], b[:, right])[0]
    y_top, y_bottom = displacement(a[top], b[top])[1], displacement(a[bottom], b[bottom])[1]
    shift_x, shift_y, _ = displacement(a, b)
    return shift_x, shift_y, (x_right - x_left) / (width - width // 2), (y_bottom - y_top) / (height - height // 2)


def _levels(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float]:
    """Return (gain, offset, bend) of block means, outliers (a missing sprite) left out of the fit."""
    import numpy as np

    x, y = block_means(a).ravel(), block_means(b).ravel()
    keep = np.ones(len(x), bool)
    gain, offset = 1.0, float(np.median(y - x))
    for _ in range(3):
        if np.ptp(x[keep]) < 8:
            return 1.0, float(np.median((y - x)[keep])), 0.0
        gain, offset = (float(k) for k in np.polyfit(x[keep], y[keep], 1))
        error = np.abs(y - gain * x - offset)
        keep = error <= max(2.0, 3 * float(np.median(error)))
    centre, half = (x[keep].max() + x[keep].min()) / 2, max(float(np.ptp(x[keep])) / 2, 1.0)
    unit = (x[keep] - centre) / half
    bend = -float(np.polyfit(unit, y[keep], 2)[0])
    return gain, offset, bend


def _channels(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[tuple[float | None, ...], ...]:
    """Correlate colour differences, not colours: all channels follow brightness, and only what is left tells them."""
    import numpy as np

    ours = np.concatenate([(a - a.mean(axis=2, keepdims=True)).reshape(-1, 3) for a, _ in pairs])
    theirs = np.concatenate([(b - b.mean(axis=2, keepdims=True)).reshape(-1, 3) for _, b in pairs])
    ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    spread_a, spread_b = np.sqrt((ours**2).mean(axis=0)), np.sqrt((theirs**2).mean(axis=0))
    covariance = ours.T @ theirs / len(ours)
    return tuple(
        tuple(
            round(float(covariance[r, c] / (spread_a[r] * spread_b[c])), 4)
            if min(spread_a[r], spread_b[c]) > 2
            else None
            for c in range(3)
        )
        for r in range(3)
    )
