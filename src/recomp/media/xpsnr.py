"""XPSNR: PSNR weighted by what an eye sees (Helmrich et al. 2020), by libavfilter, picture by picture.

Errors in flat and still parts weigh more than those in busy ones. In dB, larger is better, at most 99 here. Pairs are
made by our own numbers and handed over one by one, so that no filter can pair other pictures (docs/validation.md).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av

_BEST_DB = 99.0
_UNIT = Fraction(1, 60)


class Xpsnr:
    """Push pairs in order, yuv420p of one size; each gives (Y, U, V) in dB. The first picture has no motion yet."""

    def __init__(self, size: tuple[int, int], rate: float) -> None:
        import av

        self.count = 0
        self.graph = av.filter.Graph()
        sides = [
            self.graph.add_buffer(
                width=size[0], height=size[1], format=av.VideoFormat("yuv420p", *size), time_base=_UNIT,
            )
            for _ in range(2)
        ]  # fmt: skip
        metric, self.sink = self.graph.add("xpsnr"), self.graph.add("buffersink")
        for number, side in enumerate(sides):
            side.link_to(metric, 0, number)
        metric.link_to(self.sink)
        self.graph.configure()
        self.sides = sides

    def push(self, reference: av.VideoFrame, capture: av.VideoFrame) -> tuple[float, float, float]:
        """Measure one pair."""
        for side, frame in zip(self.sides, (reference, capture), strict=True):
            picture = _plain(frame)
            picture.pts, picture.time_base = self.count, _UNIT
            side.push(picture)
        self.count += 1
        told: Any = self.sink.pull().metadata
        y, u, v = (min(_BEST_DB, float(told[f"lavfi.xpsnr.xpsnr.{plane}"])) for plane in "yuv")
        return y, u, v


def _plain(frame: av.VideoFrame) -> av.VideoFrame:
    """The same planes as limited-range yuv420p, whatever they are called: a filter must not convert them."""
    import av
    import numpy as np

    if frame.format.name == "yuv420p":
        return frame
    planes: list[Any] = list(frame.planes)
    rows = [np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[: p.height, : p.width] for p in planes]
    out: Any = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for plane, source in zip(out.planes, rows, strict=True):
        padded = np.zeros((plane.height, plane.line_size), np.uint8)
        padded[:, : plane.width] = source
        plane.update(padded.tobytes())
    return out
