"""Picture metrics against figures worked out by hand and against libavfilter."""

from __future__ import annotations

import math

import av
import numpy as np
import pytest

from recomp.media.metrics import around, block_ssim, compare_blocks, psnr, seen, tiles
from recomp.media.xpsnr import Xpsnr


def picture(luma: np.ndarray, u: int = 128, v: int = 128, name: str = "yuv420p") -> av.VideoFrame:
    height, width = luma.shape
    chroma = [np.full((height // 2, width // 2), level, np.uint8) for level in (u, v)]
    planar = np.concatenate([luma.reshape(-1), *(plane.reshape(-1) for plane in chroma)]).reshape(
        height * 3 // 2, width
    )
    return av.VideoFrame.from_ndarray(planar, format=name)


def test_ssim_of_two_flat_blocks_is_its_luminance_term():
    """(2 * 100 * 150 + C1) / (100^2 + 150^2 + C1), C1 = 6.5025; the structure term of flat blocks is 1."""
    a, b = np.full((8, 8), 100, np.uint8), np.full((8, 8), 150, np.uint8)
    assert block_ssim(a, b)[0, 0] == pytest.approx((30000 + 6.5025) / (32500 + 6.5025), abs=1e-6)


def test_ssim_of_a_checkerboard_and_its_inverse_by_hand():
    """Mean 127.5 both, variance 127.5^2, covariance -127.5^2: (-2 * 127.5^2 + C2) / (2 * 127.5^2 + C2)."""
    board = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)
    square, c2 = 127.5**2, (0.03 * 255) ** 2
    assert block_ssim(board, 255 - board)[0, 0] == pytest.approx((-2 * square + c2) / (2 * square + c2), abs=1e-5)


def test_a_tile_of_colour_lies_over_the_tile_of_luma():
    luma = np.zeros((180, 320), np.uint8)
    spoilt = luma.copy()
    spoilt[64:96, 128:160] = 200
    small = spoilt[::2, ::2]
    ours = tiles(block_ssim(luma, spoilt))
    theirs = tiles(block_ssim(luma[::2, ::2], small), 2)
    assert ours.shape == theirs.shape == (6, 10)
    assert np.argmin(ours) == np.argmin(theirs) == 2 * 10 + 4


def test_what_nobody_sees_is_no_deficit():
    """Two levels off in a dark tile: SSIM falls to nothing, and half of that counts; 16 levels count in full."""
    deficit = np.array([0.8, 0.8, -0.1])
    error = np.array([4.0 + 1.0, 256.0, 1.0])
    assert seen(deficit, error, np.array([1.0, 0.0, 1.0])) == pytest.approx([0.4, 0.8, -0.1])


def test_a_codec_may_spend_its_bits_in_the_tile_beside():
    null = np.ones((1, 4, 5))
    null[0, 1, 1] = 0.5
    found = around(null)[0]
    assert (found[:3, :3] == 0.5).all() and (found[3] == 1).all() and (found[:, 3:] == 1).all()


def test_squared_error_of_blocks_by_hand():
    a = np.full((8, 16), 10, np.uint8)
    b = a.copy()
    b[:, 8:] += 3
    assert compare_blocks(a, b)[1].tolist() == [[0.0, 9.0]]


def test_psnr_by_hand():
    a = np.full((4, 4), 10, np.uint8)
    assert psnr(a, a) == 99
    assert psnr(a, a + 5) == pytest.approx(10 * math.log10(255**2 / 25))


@pytest.mark.parametrize("width, height, weight", [(1920, 1080, 16.0), (960, 540, math.sqrt(512))])
def test_xpsnr_of_flat_pictures_by_hand(width, height, weight):
    """A still, flat block has the least activity there is, 4; a picture's is the root of 16 * 128 *
    sqrt(3840 * 2160 / (w * h)): a squared error weighs picture / block. Five levels off: 10 log10(255^2 / (25 * w))."""
    meter = Xpsnr((width, height), 60)
    a, b = (picture(np.full((height, width), level, np.uint8)) for level in (100, 105))
    meter.push(a, b)  # before the first picture there is black: that is motion
    y, u, v = meter.push(*(picture(np.full((height, width), level, np.uint8)) for level in (100, 105)))
    assert y == pytest.approx(10 * math.log10(255**2 / (25 * weight)), abs=0.01)
    assert (u, v) == (99, 99)


def test_xpsnr_takes_planes_as_they_are_in_any_range():
    """yuvj420p is full range: a filter that converted it would see other levels."""
    rng = np.random.default_rng(3)
    luma = rng.integers(0, 256, (64, 96)).astype(np.uint8)
    other = np.clip(luma.astype(int) + 4, 0, 255).astype(np.uint8)
    plain = Xpsnr((96, 64), 60).push(picture(luma), picture(other))
    full = Xpsnr((96, 64), 60).push(picture(luma, name="yuvj420p"), picture(other))
    assert plain == full


def test_xpsnr_hears_of_each_pair_in_turn():
    meter = Xpsnr((64, 64), 60)
    base = np.full((64, 64), 90, np.uint8)
    values = [meter.push(picture(base), picture(base + k))[0] for k in (0, 1, 2, 0, 8)]
    assert values[0] == values[3] == 99 and values[1] > values[2] > values[4]
