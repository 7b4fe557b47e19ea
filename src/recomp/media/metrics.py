"""Picture metrics on 8-bit planes: structural similarity by tiles, PSNR, and what of a deficit a codec explains.

SSIM (Wang et al. 2004) on 8x8 blocks that do not overlap, C1 = (0.01*255)^2, C2 = (0.03*255)^2, in [-1, 1], 1 = equal.
A tile is 32x32 pixels: the mean of its 4x4 blocks. A whole picture's mean hides a missing sprite (0.99); its worst tile
does not. Of the colour planes, which have half the size, a tile is 2x2 blocks.
PSNR in dB against a peak of 255, at most 99.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BLOCK = 8
TILE = 32
PERSISTENT = 9
"""Ticks of the running median that tells a lasting deficit from a codec's blink."""

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_PEAK_DB = 99.0
_SEEN_LEVELS = 4.0
_BAND = 120  # rows, whole blocks
_EXACT = 128  # so many squares of 8-bit differences add up exactly in float32


def block_ssim(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SSIM of each 8x8 block of two (height, width) uint8 planes: (ceil(height / 8), ceil(width / 8)) float32."""
    return compare_blocks(a, b)[0]


def compare_blocks(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """SSIM and mean squared error (levels squared) of each 8x8 block, both as `block_ssim` has them."""
    mean_x, mean_y, product, squares = _block_sums(_padded(a), _padded(b)) / (BLOCK * BLOCK)
    means = mean_x * mean_y
    squared_means = mean_x * mean_x + mean_y * mean_y
    luminance = (2 * means + _C1) / (squared_means + _C1)
    ssim = luminance * (2 * (product - means) + _C2) / (squares - squared_means + _C2)
    return ssim, squares - 2 * product


def tile_facts(planes: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[list[np.ndarray], list[float]]:
    """Compare Y, U and V of two pictures. Returns ([SSIM of luma by tiles, of colour, squared error of luma, of
    colour], [mean SSIM of Y, U, V])."""
    ssim, error = zip(*(compare_blocks(a, b) for a, b in planes), strict=True)
    facts = [kind for blocks in (ssim, error) for kind in (tiles(blocks[0]), colour_tiles(blocks[1:]))]
    return facts, [float(blocks.mean()) for blocks in ssim]


def tiles(blocks: np.ndarray, step: int = TILE // BLOCK) -> np.ndarray:
    """Mean of each `step` x `step` blocks; tiles at the right and lower edge are the mean of what they have."""
    import numpy as np

    rows, columns = np.arange(0, blocks.shape[0], step), np.arange(0, blocks.shape[1], step)
    sums = np.add.reduceat(np.add.reduceat(blocks, rows, axis=0), columns, axis=1)
    heights = np.diff([*rows, blocks.shape[0]])[:, None]
    widths = np.diff([*columns, blocks.shape[1]])[None, :]
    return (sums / (heights * widths)).astype(np.float32)


def colour_tiles(chroma: Sequence[np.ndarray]) -> np.ndarray:
    """Tiles of the mean of both colour planes' blocks, over the same pixels as the tiles of luma."""
    return tiles((chroma[0] + chroma[1]) / 2, TILE // BLOCK // 2)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio of two uint8 planes in dB."""
    import numpy as np

    total = 0.0
    for top in range(0, len(a), _BAND):
        difference = np.subtract(a[top : top + _BAND], b[top : top + _BAND], dtype=np.float32).ravel()
        whole = len(difference) // _EXACT * _EXACT
        rows = difference[:whole].reshape(-1, _EXACT)
        total += float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64))
        total += float(np.square(difference[whole:], dtype=np.float64).sum())
    return _PEAK_DB if total == 0 else min(_PEAK_DB, 10 * float(np.log10(255 * 255 * a.size / total)))


def excess(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """How much worse each tile is than the codec alone makes it: (ticks, rows, columns), negative = better."""
    return null - observed


def around(null: np.ndarray) -> np.ndarray:
    """The worst of each tile and its neighbours: at one quality a codec spends its bits in another tile each time."""
    import numpy as np

    padded = np.pad(null, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows, columns = null.shape[1:]
    shifted = [padded[:, y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.minimum.reduce(shifted)


def seen(deficit: np.ndarray, observed_error: np.ndarray, null_error: np.ndarray) -> np.ndarray:
    """A deficit as far as somebody can see it: in a dark or an empty tile SSIM falls with the last bit. What differs by
    less than four levels (root of the mean squared error beyond the codec's own) counts in proportion."""
    import numpy as np

    beyond = np.sqrt(np.maximum(observed_error - null_error, 0)) / _SEEN_LEVELS
    return deficit * np.where(deficit > 0, np.minimum(beyond, 1), 1)


def persistent(deficit: np.ndarray) -> np.ndarray:
    """Running median over 9 ticks of each tile, of the same shape; the ends use the ticks they have."""
    import numpy as np

    half = PERSISTENT // 2
    padded = np.pad(deficit, ((half, half), (0, 0), (0, 0)), mode="reflect" if len(deficit) > half else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, PERSISTENT, axis=0)
    return np.median(windows, axis=-1)


def _padded(plane: np.ndarray) -> np.ndarray:
    """Plane with its edges repeated up to whole blocks."""
    import numpy as np

    down, right = -plane.shape[0] % BLOCK, -plane.shape[1] % BLOCK
    return np.pad(plane, ((0, down), (0, right)), mode="edge") if down or right else plane


def _block_sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sums over each block of a, b, a*b and a*a + b*b: (4, rows, columns) float32, exact since below 2^24.

    A band of the picture at a time, so that what is added up is still in the processor's cache."""
    import numpy as np

    height, width = a.shape
    out = np.empty((4, height // BLOCK, width // BLOCK), np.float32)
    x, y, product = (np.empty((min(_BAND, height), width), np.float32) for _ in range(3))
    ones = np.ones(BLOCK, np.float32)
    for top in range(0, height, _BAND):
        count = min(_BAND, height - top)
        rows = count // BLOCK
        x[:count], y[:count] = a[top : top + count], b[top : top + count]
        np.multiply(x, y, out=product)
        for number, values in enumerate((x, y, product)):
            out[number, top // BLOCK : top // BLOCK + rows] = _summed(values[:count], ones)
        np.multiply(x, x, out=x)
        np.multiply(y, y, out=y)
        np.add(x, y, out=x)
        out[3, top // BLOCK : top // BLOCK + rows] = _summed(x[:count], ones)
    return out


def _summed(values: np.ndarray, ones: np.ndarray) -> np.ndarray:
    """Sum of each block: down the rows first, then along them as a product with ones, which is one pass."""
    import numpy as np

    height, width = values.shape
    columns = np.add.reduce(values.reshape(height // BLOCK, BLOCK, width), axis=1)
    return (columns.reshape(-1, BLOCK) @ ones).reshape(height // BLOCK, width // BLOCK)
