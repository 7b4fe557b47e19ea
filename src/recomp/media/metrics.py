"""Picture metrics on 8-bit planes: structural similarity by tiles, PSNR, and what of a deficit a codec explains.

SSIM (Wang et al. 2004) on 8x8 blocks that do not overlap, C1 = (0.01*255)^2, C2 = (0.03*255)^2, in [-1, 1], 1 = equal.
A tile is 32x32 pixels: the mean of its 4x4 blocks. A whole picture's mean hides a missing sprite (0.99); its worst tile
does not. Of the colour planes, which have half the size, a tile is 2x2 blocks.
PSNR in dB against a peak of 255, at most 99.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BLOCK = 8
TILE = 32
PERSISTENT = 9
"""Ticks of the running median that tells a lasting deficit from a codec's blink."""

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_PEAK_DB = 99.0


def block_ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SSIM of each 8x8 block of two (height, width) uint8 planes: (ceil(height / 8), ceil(width / 8)) float32."""
    x, y = _padded(a), _padded(b)
    count = BLOCK * BLOCK
    mean_x, mean_y = _block_sums(x) / count, _block_sums(y) / count
    # Sums of 64 products of 8-bit values stay below 2^24: exact in float32.
    var_x = _block_sums(x * x) / count - mean_x * mean_x
    var_y = _block_sums(y * y) / count - mean_y * mean_y
    covariance = _block_sums(x * y) / count - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    return luminance * (2 * covariance + _C2) / (var_x + var_y + _C2)


def tiles(blocks: np.ndarray, step: int = TILE // BLOCK) -> np.ndarray:
    """Mean of each `step` x `step` blocks; tiles at the right and lower edge are the mean of what they have."""
    import numpy as np

    rows, columns = np.arange(0, blocks.shape[0], step), np.arange(0, blocks.shape[1], step)
    sums = np.add.reduceat(np.add.reduceat(blocks, rows, axis=0), columns, axis=1)
    heights = np.diff([*rows, blocks.shape[0]])[:, None]
    widths = np.diff([*columns, blocks.shape[1]])[None, :]
    return (sums / (heights * widths)).astype(np.float32)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 planes in dB."""
    import numpy as np

    difference = a.astype(np.int16) - b
    error = float(np.square(difference, dtype=np.int32).mean())
    return _PEAK_DB if error == 0 else min(_PEAK_DB, 10 * float(np.log10(255 * 255 / error)))


def excess(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """How much worse each tile is than the codec alone makes it: (ticks, rows, columns), negative = better."""
    return null - observed


def persistent(deficit: np.ndarray) -> np.ndarray:
    """Running median over 9 ticks of each tile, of the same shape; the ends use the ticks they have."""
    import numpy as np

    half = PERSISTENT // 2
    padded = np.pad(deficit, ((half, half), (0, 0), (0, 0)), mode="reflect" if len(deficit) > half else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, PERSISTENT, axis=0)
    return np.median(windows, axis=-1)


def _padded(plane: np.ndarray) -> np.ndarray:
    """Plane as float32, edges repeated up to whole blocks."""
    import numpy as np

    height, width = plane.shape
    down, right = -height % BLOCK, -width % BLOCK
    if down or right:
        plane = np.pad(plane, ((0, down), (0, right)), mode="edge")
    return plane.astype(np.float32)


def _block_sums(plane: np.ndarray) -> np.ndarray:
    height, width = plane.shape
    rows = plane.reshape(height // BLOCK, BLOCK, width).sum(axis=1)
    return rows.reshape(height // BLOCK, width // BLOCK, BLOCK).sum(axis=2)
