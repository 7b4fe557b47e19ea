"""The samples' icons: 256x256 JPEG, drawn here."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw

SIZE = 256
_Colour = tuple[int, int, int]


def draw_kite() -> bytes:
    """A burning kite over a dusk sky and its light on the water."""
    picture = _sky((20, 8, 40), (230, 110, 60))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 190, SIZE, SIZE), fill=(22, 14, 48))
    for row in range(8):
        half = 56 - row * 6
        pen.rectangle((128 - half, 196 + row * 7, 128 + half, 198 + row * 7), fill=(240 - row * 14, 130 - row * 8, 60))
    pen.polygon(((128, 28), (176, 88), (128, 168), (80, 88)), fill=(255, 176, 72))
    pen.polygon(((128, 28), (176, 88), (128, 88)), fill=(255, 228, 150))
    pen.polygon(((80, 88), (128, 88), (128, 168)), fill=(214, 70, 50))
    for step in range(5):
        left = 128 + (-1) ** step * 10
        pen.ellipse((left - 6, 166 + step * 6, left + 6, 172 + step * 6), fill=(255, 210, 110))
    return _jpeg(picture)


def draw_letters(lines: Sequence[Sequence[int]], ink: _Colour, paper: _Colour) -> bytes:
    """Rows of bits, the most significant of 16 on the left, as large square dots: a small picture made of text."""
    picture = _sky(paper, tuple(channel // 2 for channel in paper))  # type: ignore[arg-type]
    pen = ImageDraw.Draw(picture)
    rows = [row for line in lines for row in line]
    for y, bits in enumerate(rows):
        for x in range(16):
            if bits >> (15 - x) & 1:
                left, top = 16 + x * 14, 128 - len(rows) * 7 + y * 14
                pen.rectangle((left, top, left + 11, top + 11), fill=ink)
    return _jpeg(picture)


def _sky(top: _Colour, bottom: _Colour) -> Image.Image:
    picture = Image.new("RGB", (SIZE, SIZE))
    pen = ImageDraw.Draw(picture)
    for y in range(SIZE):
        mix = tuple(a + (b - a) * y // (SIZE - 1) for a, b in zip(top, bottom, strict=True))
        pen.line((0, y, SIZE, y), fill=mix)
    return picture


def _jpeg(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=90)
    return data.getvalue()
