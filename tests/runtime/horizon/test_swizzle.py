"""Block-linear images, with places worked out by hand from the GOB's layout."""

from __future__ import annotations

import ctypes

import pytest

CONSOLE = 2560  # bytes a row of 1280 pixels with 16 bits; blocks of 16 GOBs: 128 rows


@pytest.mark.parametrize(
    ("x", "y", "pitch", "log2", "offset"),
    [
        (0, 0, 64, 0, 0),
        (15, 0, 64, 0, 15),
        (16, 0, 64, 0, 32),  # the second sixteen bytes lie behind the first of the row below
        (0, 1, 64, 0, 16),
        (16, 1, 64, 0, 48),
        (32, 0, 64, 0, 256),  # the right half of the GOB
        (0, 2, 64, 0, 64),  # the next pair of rows
        (63, 7, 64, 0, 511),  # its last byte: 256 + 3 * 64 + 32 + 16 + 15
        (0, 8, 64, 0, 512),  # one GOB to a block: the next row of blocks
        (64, 0, 128, 0, 512),  # two GOBs side by side
        (0, 8, 128, 0, 1024),
        (0, 8, 128, 1, 512),  # two GOBs to a block: first down, then to the right
        (64, 0, 128, 1, 1024),
        (64, 8, 128, 1, 1536),
        (0, 16, 128, 1, 2048),
        (64, 0, CONSOLE, 4, 16 * 512),
        (0, 128, CONSOLE, 4, 40 * 16 * 512),  # 40 blocks a row of them
        (CONSOLE - 1, 719, CONSOLE, 4, ((5 * 40 + 39) * 16 + 9) * 512 + 511),  # row 719 = 5 * 128 + 9 * 8 + 7
    ],
)
def test_places(parts: ctypes.CDLL, x: int, y: int, pitch: int, log2: int, offset: int) -> None:
    assert parts.hz_swizzle_offset(x, y, pitch, log2) == offset


@pytest.mark.parametrize(
    ("pitch", "height", "log2", "size"),
    [(2560, 720, 4, 0x1E0000), (5120, 720, 4, 0x3C0000), (7680, 1080, 4, 0x870000), (64, 1, 0, 512)],
)
def test_sizes_are_whole_blocks(parts: ctypes.CDLL, pitch: int, height: int, log2: int, size: int) -> None:
    assert parts.hz_swizzle_size(pitch, height, log2) == size


@pytest.mark.parametrize("log2", [0, 1, 4])
def test_rows_go_in_and_come_out(parts: ctypes.CDLL, log2: int) -> None:
    """Each byte of an image of 128 x 40 bytes has a place of its own, and both directions agree on it."""
    pitch, height = 128, 40
    image = (ctypes.c_uint8 * parts.hz_swizzle_size(pitch, height, log2))()
    rows = [bytes((17 * y + x) % 251 for x in range(pitch)) for y in range(height)]
    for y, row in enumerate(rows):
        parts.hz_swizzle_row(image, row, y, pitch, pitch, log2)
    for y, row in enumerate(rows):
        back = (ctypes.c_uint8 * pitch)()
        parts.hz_deswizzle_row(back, image, y, pitch, pitch, log2)
        assert bytes(back) == row
        assert all(image[parts.hz_swizzle_offset(x, y, pitch, log2)] == row[x] for x in range(pitch))


def test_part_of_a_row_leaves_the_rest_alone(parts: ctypes.CDLL) -> None:
    image = (ctypes.c_uint8 * 512)()
    parts.hz_swizzle_row(image, bytes([7] * 20), 0, 20, 64, 0)
    assert sum(image) == 7 * 20
    assert (image[15], image[32], image[35], image[36]) == (7, 7, 7, 0)
