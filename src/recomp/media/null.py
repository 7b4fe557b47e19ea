"""The codec-matched null: what the reference's codec alone would do to the capture's own pictures.

No fixed SSIM limit is right: a clean low-rate recording scores below a defect in a good one. So the capture is encoded
the way the reference was, to the same size, and compared with itself; only what the comparison with the reference lacks
beyond that is held against the capture (docs/validation.md, section on the null).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recomp.errors import ToolError
from recomp.media.video import _decoding, _open, _video_stream

if TYPE_CHECKING:
    import av

_QUALITIES = (8, 51)
_STEP = 2
# Encoder of each family, its fast settings, and where its constant-quality scale ends.
_ENCODERS: dict[str, tuple[str, dict[str, str], int]] = {
    "h264": ("libx264", {"preset": "veryfast"}, 51),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:frame-threads=1"}, 51),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "b": "0"}, 63),
    "vp8": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "b": "40000000"}, 63),
    "av1": ("libsvtav1", {"preset": "12", "svtav1-params": "lp=1"}, 63),
}
_DECODERS = {"libx264": "h264", "libx265": "hevc", "libvpx-vp9": "vp9", "libvpx": "vp8", "libsvtav1": "libdav1d"}
_FAMILIES = {"libdav1d": "av1", "libaom-av1": "av1", "libvpx-vp9": "vp9", "libvpx": "vp8"}


class Packet(NamedTuple):
    """A coded picture: seconds since the first one is shown, bytes."""

    time: float
    size: int
    is_key: bool


def read_packets(path: Path | str) -> list[Packet]:
    """Return the packets of the first video stream in the order in which they are shown."""
    with _open(path) as container, _decoding(path):
        stream = _video_stream(container, path)
        unit = float(stream.time_base or 0)
        found = [Packet((p.pts or 0) * unit, p.size, p.is_keyframe) for p in container.demux(stream) if p.size]
    found.sort(key=lambda packet: packet.time)
    return [packet._replace(time=packet.time - found[0].time) for packet in found]


class NullCodec:
    """Encodes pictures as the reference was encoded. `quality` is found once, on a few pictures."""

    def __init__(self, codec: str, rate: float) -> None:
        import av

        family = _FAMILIES.get(codec, codec)
        self.encoder, self.options, self.worst = _ENCODERS.get(family, _ENCODERS["h264"])
        if self.encoder not in av.codecs_available:
            self.encoder, self.options, self.worst = _ENCODERS["h264"]
        self.rate = Fraction(rate).limit_denominator(1001)
        self.quality = 0

    def search(self, probe: Sequence[av.VideoFrame], target: float, *, whole: bool) -> int:
        """Find the quality at which `probe` takes `target` bytes, all of it (`whole`, from a key picture on), or a
        picture that is no key; return it.

        What a picture that is no key takes goes up and down with the quality: the worst that still takes as much is
        right, since a better one would allow the recording less than it needed.
        """
        low, high = _QUALITIES[0], self.worst
        if whole:
            while low < high:
                middle = (low + high) // 2
                low, high = (middle + 1, high) if self._bytes(probe, middle, whole) > target else (low, middle)
        else:
            grid = range(high, low - 1, -_STEP)
            low = next((q for q in grid if self._bytes(probe, q, whole) >= 0.9 * target), low)
        self.quality = low
        return low

    def _bytes(self, probe: Sequence[av.VideoFrame], quality: int, whole: bool) -> float:
        self.quality = quality
        packets = self._packets(probe)
        sizes = [size for size, key in packets if whole or not key] or [size for size, _ in packets]
        return sum(sizes) if whole else sum(sizes) / len(sizes)

    def recoder(self) -> Recoder:
        """Return a coder of one run of pictures at the quality that was found."""
        return Recoder(self)

    def _packets(self, pictures: Sequence[av.VideoFrame]) -> list[tuple[int, bool]]:
        import av

        out = []
        with av.open(io.BytesIO(), "w", format="null") as container:
            stream = self._stream(container, pictures[0])
            for number, picture in enumerate(pictures):
                out += [(p.size, p.is_keyframe) for p in stream.encode(self._stamped(picture, number))]
            out += [(p.size, p.is_keyframe) for p in stream.encode()]
        return out

    def _stream(self, container: Any, picture: av.VideoFrame) -> Any:
        import av

        try:
            stream = container.add_stream(
                self.encoder, rate=self.rate, options={**self.options, "crf": str(self.quality)}
            )
        except (av.FFmpegError, ValueError) as error:
            raise ToolError(f"validation: cannot start {self.encoder}: {error}") from error
        stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, "yuv420p"
        stream.codec_context.thread_count = 1
        return stream

    def _stamped(self, picture: av.VideoFrame, number: int) -> av.VideoFrame:
        import av

        picture.pts, picture.time_base = number, 1 / self.rate
        picture.pict_type = av.video.frame.PictureType.NONE
        return picture


class Recoder:
    """Pictures in, the same pictures as the codec gives them back out, in order and a few behind."""

    def __init__(self, codec: NullCodec) -> None:
        self.codec = codec
        self.encoder: Any = None
        self.decoder: Any = None
        self.count = 0

    def push(self, picture: av.VideoFrame) -> list[av.VideoFrame]:
        """Take one yuv420p picture; return those that are done."""
        if self.encoder is None:
            self._start(picture)
        stamped = self.codec._stamped(picture, self.count)
        self.count += 1
        return self._decode(self.encoder.encode(stamped))

    def finish(self) -> list[av.VideoFrame]:
        """Return the rest."""
        if self.encoder is None:
            return []
        return self._decode(self.encoder.encode(None)) + list(self.decoder.decode(None))

    def _start(self, picture: av.VideoFrame) -> None:
        import av

        self.encoder = av.CodecContext.create(self.codec.encoder, "w")
        self.encoder.width, self.encoder.height, self.encoder.pix_fmt = picture.width, picture.height, "yuv420p"
        self.encoder.time_base, self.encoder.framerate = 1 / self.codec.rate, self.codec.rate
        self.encoder.options = {**self.codec.options, "crf": str(self.codec.quality)}
        self.encoder.thread_count = 1
        self.decoder = av.CodecContext.create(_DECODERS[self.codec.encoder], "r")
        self.decoder.thread_count = 1

    def _decode(self, packets: Iterable[Any]) -> list[av.VideoFrame]:
        return [frame for packet in packets for frame in self.decoder.decode(packet)]
