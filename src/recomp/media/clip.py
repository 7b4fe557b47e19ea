"""A video as ticks: each decoded picture with the tick of a fixed grid that its own time stamp falls on.

Pairs are made by our tick numbers, never by a container's time stamps: Matroska rounds to 1 ms and MP4 to its own base,
and pairing the two by time puts a third of the frames beside the wrong one (docs/validation.md, "the pairing trap").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.errors import FormatError
from recomp.media.video import _decoding, _open, _video_stream

if TYPE_CHECKING:
    import av
    import numpy as np

THUMB = (64, 36)
"""Width and height of the luma pictures that registration looks at."""

MATRICES = {1: "bt709", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}  # AVCOL_SPC_*
_MAX_TICKS = 200_000


@dataclass(frozen=True)
class Facts:
    """What a container says of its first video stream; rates in frames a second, None = not said."""

    codec: str
    width: int
    height: int
    pixel_format: str
    rate: float
    matrix: str | None
    full_range: bool
    lossless: bool


def read_facts(path: Path | str) -> Facts:
    """Open a video and tell what it is. Raises FormatError."""
    with _open(path) as container:
        stream = _video_stream(container, path)
        context = stream.codec_context
        rate = stream.average_rate or stream.guessed_rate
        if not rate or not 1 <= rate <= 1000:
            raise FormatError(f"{path}: found a frame rate of {rate}, expected 1 to 1000 a second")
        name = stream.format.name if stream.format else ""
        rgb = name.startswith(("gbr", "rgb", "bgr", "0rgb"))
        # H.264 has a profile of that name for what is not subsampled, and for what is without loss
        exact = context.name == "h264" and "4:4:4" in (context.profile or "") and name in ("yuv420p", "yuvj420p")
        return Facts(
            codec=context.name,
            width=stream.width,
            height=stream.height,
            pixel_format=name,
            rate=float(rate),
            matrix=MATRICES.get(int(context.colorspace or 2)),
            full_range=int(context.color_range or 0) == 2 or name.startswith("yuvj"),
            lossless=rgb or exact or context.name in ("ffv1", "utvideo", "huffyuv", "rawvideo"),
        )


def slowness(rate: float) -> Fraction:
    """Return 1001/1000 for the rates of television (59.94, 29.97, 23.976), else 1.

    A console draws picture after picture; that the television's clock is a thousandth slow is no fault of the capture:
    such a recording is taken as one of 60, 30 or 24, picture by picture, with its sound."""
    nearest = round(rate * 1.001)
    near = abs(rate * 1.001 - nearest) < 0.01 < abs(rate - nearest) and nearest
    return Fraction(1001, 1000) if near else Fraction(1)


def ticks(path: Path | str, rate: float) -> Iterator[tuple[int, av.VideoFrame]]:
    """Yield (tick, picture), ticks of 1/`rate` s from the first picture on, strictly increasing.

    A picture whose time rounds to a tick already taken is left out: the grid is finer than no video's own rate.
    """
    with _open(path) as container:
        stream = _video_stream(container, path)
        start = None
        last = -1
        with _decoding(path):
            for frame in container.decode(stream):
                time = Fraction(0) if frame.pts is None else frame.pts * frame.time_base
                start = time if start is None else start
                tick = round((time - start) * Fraction(rate).limit_denominator(1001))
                if frame.pts is None:
                    tick = last + 1
                if tick > _MAX_TICKS:
                    raise FormatError(f"{path}: found a picture at tick {tick}, expected at most {_MAX_TICKS}")
                if tick > last:
                    last = tick
                    yield tick, frame


class Planar:
    """Pictures of one clip as 8-bit Y, U, V planes of a given size, matrix and range, and as luma thumbnails."""

    def __init__(self, size: tuple[int, int], matrix: str, full_range: bool) -> None:
        range_name = "full" if full_range else "limited"
        flags = "flags=bicubic+bitexact+accurate_rnd+full_chroma_int"
        self.size = size
        # Only RGB has no matrix of its own; what is Y'CbCr already must not be converted on the way.
        self.rgb_filter = f"{size[0]}:{size[1]}:{flags}:out_color_matrix={matrix}:out_range={range_name}"
        self.yuv_filter = f"{size[0]}:{size[1]}:{flags}"
        area = f"{THUMB[0]}:{THUMB[1]}:flags=area+bitexact+accurate_rnd"
        self.rgb_thumb = f"{area}:out_color_matrix={matrix}:out_range={range_name}"
        self.yuv_thumb = f"{area}:in_range={range_name}:out_range={range_name}"
        self.graphs: dict[Any, Any] = {}

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the picture as yuv420p of this size."""
        if frame.format.name in ("yuv420p", "yuvj420p") and (frame.width, frame.height) == self.size:
            return frame
        description = self.rgb_filter if frame.format.is_rgb else self.yuv_filter
        return run_filter(self.graphs, frame, description, "yuv420p")

    def thumbnail(self, frame: av.VideoFrame) -> np.ndarray:
        """Return the luma of any picture, as `self(picture)` has it, as (36, 64) uint8: the mean of each area."""
        description = self.rgb_thumb if frame.format.is_rgb else self.yuv_thumb
        return plane(run_filter(self.graphs, frame, description, "yuv420p"), 0)


def plane(frame: av.VideoFrame, index: int) -> np.ndarray:
    """View plane `index` of an 8-bit planar picture without its padding: (height, width) uint8."""
    import numpy as np

    source: Any = frame.planes[index]
    rows = np.frombuffer(source, np.uint8).reshape(-1, source.line_size)
    return rows[: source.height, : source.width]


def run_filter(graphs: dict[Any, Any], frame: av.VideoFrame, scale: str, pixel_format: str) -> av.VideoFrame:
    """Put one picture through `scale` into a pixel format; graphs are kept by what comes in."""
    import av

    key = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, scale, pixel_format)
    graph: Any = graphs.get(key)
    if graph is None:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )
        nodes = [source, graph.add("scale", scale), graph.add("format", pixel_format), graph.add("buffersink")]
        graph.link_nodes(*nodes).configure()
        graphs[key] = graph
    frame.pts = None
    graph.push(frame)
    picture: av.VideoFrame = graph.pull()
    return picture
