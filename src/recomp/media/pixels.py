"""A decoded picture as an array: RGB by copying planes, to the bit; everything else through one pinned conversion."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import av
    import numpy as np

_PLANAR_RGB = {"gbrp": (2, 0, 1), "gbrap": (2, 0, 1)}  # plane that holds R, G, B
_PACKED_RGB = {"bgr0": (2, 1, 0), "bgra": (2, 1, 0), "rgb0": (0, 1, 2), "rgba": (0, 1, 2), "0rgb": (1, 2, 3)}
# Conversion of anything that is not RGB: pinned, because swscale's defaults differ between releases.
_EXACT_SCALE = "flags=bitexact+accurate_rnd+full_chroma_int"


class Converter:
    """Decoded picture to RGBA array; RGB formats by copying planes, others through one pinned filter graph."""

    def __init__(self) -> None:
        self.key: tuple[Any, ...] | None = None
        self.graph: Any = None

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        import numpy as np

        name = frame.format.name
        if name == "argb":
            words: Any = _plane(frame, 0, 4)
            out = np.empty((frame.height, frame.width, 4), np.uint8)
            shifted = out.view("<u4")
            np.right_shift(words.view("<u4"), 8, out=shifted)
            np.bitwise_or(shifted, 0xFF000000, out=shifted)
            return out
        if name in _PLANAR_RGB or name in _PACKED_RGB:
            out = np.empty((frame.height, frame.width, 4), np.uint8)
            if name in _PLANAR_RGB:
                for channel, plane in enumerate(_PLANAR_RGB[name]):
                    out[..., channel] = _plane(frame, plane, 1)[..., 0]
            else:
                packed = _plane(frame, 0, 4)
                for channel, position in enumerate(_PACKED_RGB[name]):
                    out[..., channel] = packed[..., position]
            out[..., 3] = 255
            return out
        out = self._filtered(frame)
        out[..., 3] = 255
        return out

    def _filtered(self, frame: av.VideoFrame) -> np.ndarray:
        import av

        key = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range)
        if key != self.key:
            graph = av.filter.Graph()
            source = graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
            )
            graph.link_nodes(
                source,
                graph.add("scale", _EXACT_SCALE),
                graph.add("format", "rgba"),
                graph.add("buffersink"),
            ).configure()
            self.key, self.graph = key, graph
        frame.pts = None
        self.graph.push(frame)
        return self.graph.pull().to_ndarray()


def argb(frame: av.VideoFrame) -> np.ndarray | None:
    """View a picture's words where they lie, (height, width) uint32, if they are ARGB without padding."""
    import numpy as np

    plane: Any = frame.planes[0]
    if frame.format.name != "argb" or plane.line_size != 4 * frame.width:
        return None
    return np.frombuffer(plane, "<u4", frame.width * frame.height).reshape(frame.height, frame.width)


def _plane(frame: av.VideoFrame, index: int, bytes_per_pixel: int) -> np.ndarray:
    """View one plane without its padding: (height, width, bytes_per_pixel) uint8."""
    import numpy as np

    plane: Any = frame.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height]
    return rows[:, : frame.width * bytes_per_pixel].reshape(frame.height, frame.width, bytes_per_pixel)
