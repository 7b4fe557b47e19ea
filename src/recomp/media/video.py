"""Lossless video that ordinary players open, and any video back into pictures.

A capture is Apple Animation (QTRLE) in a .mov: run lengths of what changed since the last picture, which costs next to
nothing to read again; every other name gets H.264 in RGB 4:4:4 at quantiser 0 where the encoder is there, FFV1
otherwise, in Matroska; what comes as Y'CbCr is kept as 4:2:0, by the same encoder. All with 16-bit PCM. Milliseconds
of one core in and out, and KB, for a 720p frame of the sample game: QTRLE 11, 0.3, 218; x264 9, 3.9, 229; PNG
(predictor up) in MOV 6.5, 2.0, 81; FFV1 20, 11, 167; of a recording of it, which has a codec's noise: x264 in RGB 15,
18, 703; in 4:2:0 7, 7, 256. Bytes are the same for the same pictures and the same library: one encoder thread (x264
writes its thread count into the stream and lets it shape the result), and bitexact muxing (no date, no random segment
id, no version).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recomp.errors import FormatError, ToolError
from recomp.media.pixels import Converter, argb

if TYPE_CHECKING:
    import av
    import numpy as np

_ENCODERS = {
    "libx264rgb": {"qp": "0", "preset": "ultrafast", "g": "120"},
    "libx264": {"qp": "0", "preset": "ultrafast", "g": "120"},
    "ffv1": {"level": "3", "slices": "4", "slicecrc": "1", "g": "1"},
    "qtrle": {"g": "120"},
}
_CONTAINERS = {"mov": ("qtrle",), "matroska": ("libx264rgb", "ffv1")}
_TINY_FFV1 = {"level": "1", "g": "1"}  # pictures too small to cut into slices
# Containers that hold what they show. Playlists, patterns of pictures and streams only name other files and addresses.
_FORMATS = (
    "matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,avi,mpegts,mpeg,mpegvideo,flv,ogg,nut,ivf,asf,mxf,wav,w64,aiff,flac,mp3,aac,"
    "h264,hevc,av1,obu,gif,apng,swf,rm,wtv,dv,yuv4mpegpipe,png_pipe,jpeg_pipe"
)
_STRIPES = 16
_QTRLE_NO_CHANGE = 7  # bytes of a packet that is too short to hold its header: the picture stays
_MAX_SIDE = 16384
_MAX_PIXELS = 8192 * 4352


def write_lossless(
    path: Path | str,
    frames: Iterable[np.ndarray],
    size: tuple[int, int],
    rate: int = 60,
    audio: tuple[np.ndarray, int] | None = None,
    *,
    codec: str | None = None,
    container_name: str | None = None,
) -> dict[str, Any]:
    """Write pictures (height, width, 4) uint8 RGBA at `rate` a second, and sound if given, losslessly.

    `container_name` is "mov" or "matroska", None = as the file's name ends. `size` is (width, height); `audio` is
    ((n, channels) int16, Hz). Alpha is not kept. A picture must stay as it is once handed over.
    Returns {"codec", "frames", "width", "height", "rate", "audio_samples"}.
    Raises FormatError for pictures of another shape, ToolError if the encoder fails.
    """
    coding = lossless_coding(container_name or container_of(path), codec)
    return write_coded(path, _pictures(frames, size, coding.codec), size, rate, audio, coding)


class Coding(NamedTuple):
    """How pictures are kept. `colorspace` is FFmpeg's number of a Y'CbCr matrix (2: not said)."""

    container: str
    codec: str
    pixel_format: str
    colorspace: int | None = None


def lossless_coding(container_name: str = "matroska", codec: str | None = None) -> Coding:
    """How RGB is kept in a container, by the best encoder that is there or by the one that is named."""
    import av

    codec = codec or next(name for name in _CONTAINERS[container_name] if name in av.codecs_available)
    return Coding(container_name, codec, "argb" if codec == "qtrle" else "bgr0")


def planar_coding(width: int, height: int, colorspace: int, full_range: bool) -> Coding | None:
    """How 4:2:0 pictures of this size are kept without loss, as yuv420p or, of full range, yuvj420p; None where they
    cannot be. A third of the bytes of RGB, and less than half the time to read."""
    import av

    if width % 2 or height % 2 or "libx264" not in av.codecs_available:
        return None
    return Coding("matroska", "libx264", "yuvj420p" if full_range else "yuv420p", colorspace)


def write_coded(
    path: Path | str,
    pictures: Iterable[av.VideoFrame],
    size: tuple[int, int],
    rate: int,
    audio: tuple[np.ndarray, int] | None,
    coding: Coding,
) -> dict[str, Any]:
    """As `write_lossless`, of pictures in the coding's pixel format; one may come several times."""
    import av

    width, height = size
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE and width * height <= _MAX_PIXELS):
        raise FormatError(f"video: found a size of {width}x{height}, expected 1x1 to 8192x4352")
    count = 0
    try:
        with av.open(str(path), "w", format=coding.container, options={"fflags": "+bitexact"}) as container:
            video = _add_video(container, coding, size, rate)
            sound = _Sound(container, audio, rate)
            for count, picture in enumerate(pictures, start=1):
                picture.pts = count - 1
                picture.time_base = Fraction(1, rate)
                picture.pict_type = av.video.frame.PictureType.NONE  # what it was to a decoder
                container.mux(video.encode(picture))
                sound.write_until(count)
            container.mux(video.encode())
            sound.finish()
    except av.FFmpegError as error:
        _remove(path)
        raise ToolError(f"{path}: cannot write video with {coding.codec}: {error.strerror}") from error
    except BaseException:
        _remove(path)
        raise
    samples = 0 if audio is None else len(audio[0])
    return {
        "codec": coding.codec,
        "frames": count,
        "width": width,
        "height": height,
        "rate": rate,
        "audio_samples": samples,
    }


def container_of(path: Path | str) -> str:
    """Tell which container a lossless video of this name is written in."""
    return "mov" if Path(path).suffix.lower() == ".mov" else "matroska"


def read_frames(path: Path | str) -> Iterator[np.ndarray]:
    """Yield each picture of the first video stream, in order, as a fresh (height, width, 4) uint8 RGBA array.

    RGB streams come back bit-exact; others through a pinned conversion. Never seeks. Raises FormatError.
    """
    convert = Converter()
    with _decoding(path):
        for frame in _decoded(path):
            yield convert(frame)


def _decoded(path: Path | str) -> Iterator[av.VideoFrame]:
    with _open(path) as container:
        stream = _video_stream(container, path)
        with _decoding(path):
            yield from container.decode(stream)


def read_for_hashing(path: Path | str) -> Iterator[np.ndarray | None]:
    """As `read_frames`, but ARGB, as in a capture, stays where it was decoded: (height, width) uint32, alpha in the
    first byte, whatever it is; and None stands for a picture that repeats its predecessor, where the file says so.

    Who holds on to such a view while the next one is asked for has the decoder copy the whole picture first, which
    takes three times as long as decoding it.
    """
    convert = Converter()
    with _open(path) as container:
        stream = _video_stream(container, path)
        # with fewer bits a pixel a picture also changes by its palette
        says_repeats = (stream.codec_context.name, stream.codec_context.pix_fmt) == ("qtrle", "argb")
        is_first = True
        with _decoding(path):
            for packet in container.demux(stream):
                frames = packet.decode()
                if says_repeats and 0 < packet.size <= _QTRLE_NO_CHANGE and len(frames) == 1 and not is_first:
                    yield None
                    continue
                while frames:
                    is_first = False
                    yield _for_hashing(frames.pop(0), convert)


def _for_hashing(frame: av.VideoFrame, convert: Converter) -> np.ndarray:
    words = argb(frame)
    return convert(frame) if words is None else words


def read_frame(path: Path | str, index: int) -> np.ndarray:
    """Return picture `index`, by decoding up to it: seeking by index lands on the wrong one in too many files."""
    return FrameReader(path)(index)


class FrameReader:
    """Pictures of a video by their number: cheap in ascending order, since it goes on from where it is."""

    def __init__(self, path: Path | str) -> None:
        self._path = path
        self._convert = Converter()
        self._next, self._frames = 0, _decoded(path)
        self._last: tuple[int, np.ndarray] | None = None

    def __call__(self, index: int) -> np.ndarray:
        """As `read_frame`."""
        if self._last is not None and self._last[0] == index:
            return self._last[1]
        if index < self._next:
            self._next, self._frames = 0, _decoded(self._path)
        for frame in self._frames:
            self._next += 1
            if self._next > index:
                with _decoding(self._path):
                    self._last = (index, self._convert(frame))
                return self._last[1]
        raise FormatError(f"{self._path}: found {self._next} frames, expected frame {index}")


def key_frames(path: Path | str) -> list[tuple[int, np.ndarray]]:
    """Return the key pictures as (number in the stream, RGBA), decoding nothing else: a cheap look through a video."""
    with _open(path) as container:
        stream = _video_stream(container, path)
        stream.codec_context.skip_frame = "NONKEY"
        rate, start = stream.average_rate or stream.guessed_rate or 60, stream.start_time or 0
        convert = Converter()
        found = []
        with _decoding(path):
            for packet in container.demux(stream):
                # Not every decoder heeds skip_frame; what is no key picture is not given to it at all.
                for frame in packet.decode() if packet.is_keyframe or not packet.size else ():
                    time = ((frame.pts or 0) - start) * stream.time_base
                    found.append((round(time * rate), convert(frame)))
    return found


def read_audio(path: Path | str) -> tuple[np.ndarray, int]:
    """Return the first audio stream as ((n, channels) int16, Hz). Raises FormatError, also if there is none."""
    import av
    import numpy as np

    with _open(path) as container:
        streams = audio_streams(container, path)
        if not streams:
            raise FormatError(f"{path}: found no audio stream, expected one")
        stream = streams[0]
        rate, channels = stream.rate, stream.channels
        resampler = av.AudioResampler(format="s16")
        blocks = []
        with _decoding(path):
            for frame in container.decode(stream):
                if (frame.rate, len(frame.layout.channels)) != (rate, channels):
                    raise FormatError(f"{path}: found audio that changes rate or channels midway, expected one of each")
                blocks += [out.to_ndarray().reshape(-1, channels) for out in resampler.resample(frame)]
            blocks += [out.to_ndarray().reshape(-1, channels) for out in resampler.resample(None)]
    return (np.concatenate(blocks) if blocks else np.zeros((0, channels), np.int16)), rate


def write_pngs(frames: Iterable[np.ndarray], folder: Path | str) -> int:
    """Write `000000.png`, … (no alpha) into `folder`, which is made; return how many."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for count, frame in enumerate(frames, start=1):
        write_png(folder / f"{count - 1:06d}.png", frame)
    return count


def write_png(path: Path | str, frame: np.ndarray) -> None:
    """Write one picture, (height, width, 3 or 4) uint8; alpha is dropped."""
    import numpy as np
    from PIL import Image

    Image.fromarray(np.ascontiguousarray(frame[..., :3])).save(path, format="PNG", compress_level=6)


def _add_video(container: Any, coding: Coding, size: tuple[int, int], rate: int) -> Any:
    codec = coding.codec
    if codec not in _ENCODERS:
        raise ToolError(f"video: unknown lossless codec {codec!r}, expected one of {', '.join(_ENCODERS)}")
    options = _TINY_FFV1 if codec == "ffv1" and min(size) < 8 else _ENCODERS[codec]
    stream = container.add_stream(codec, rate=rate, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = coding.pixel_format
    if coding.colorspace is not None:
        stream.codec_context.colorspace = coding.colorspace
        stream.codec_context.color_range = 2 if coding.pixel_format.startswith("yuvj") else 1
    stream.codec_context.thread_count = 1
    return stream


def _pictures(frames: Iterable[np.ndarray], size: tuple[int, int], codec: str) -> Iterator[av.VideoFrame]:
    """Arrays to encoder input; a repeated picture is converted once."""
    import av
    import numpy as np

    last: np.ndarray | None = None
    picture: Any = None
    for index, frame in enumerate(frames):
        if frame.shape != (size[1], size[0], 4) or frame.dtype != np.uint8:
            raise FormatError(
                f"video: frame {index}: found {frame.dtype} of shape {frame.shape}, "
                f"expected uint8 of {(size[1], size[0], 4)}"
            )
        if last is None or not (frame is last or same_picture(frame, last)):
            whole = np.ascontiguousarray(frame)
            if codec == "qtrle":  # R G B A, read as a little-endian word, is A B G R: one place on is A R G B
                picture = av.VideoFrame.from_ndarray((whole.view("<u4") << 8 | 255).view(np.uint8), format="argb")
            else:
                picture = av.VideoFrame.from_ndarray(whole, format="rgba").reformat(format="bgr0")  # shuffled: exact
        last = frame
        yield picture


def same_picture(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare two pictures, eight bytes at a time where they lie so."""
    import numpy as np

    if a.shape != b.shape or not (a.flags.c_contiguous and b.flags.c_contiguous) or a.nbytes % 8 or not a.nbytes:
        return np.array_equal(a, b)
    ours, theirs = (x.reshape(-1).view("<u8") for x in (a, b))
    step = max(1, len(ours) // _STRIPES)  # most pictures that differ do so early
    return all(
        np.array_equal(ours[start : start + step], theirs[start : start + step]) for start in range(0, len(ours), step)
    )


class _Sound:
    """The audio track, written along with the pictures so that the muxer need not hold either back."""

    def __init__(self, container: Any, audio: tuple[np.ndarray, int] | None, ticks_rate: int) -> None:
        self.container = container
        self.position = 0
        self.samples: Any = None if audio is None else audio[0]
        self.rate = 0 if audio is None else audio[1]
        self.ticks_rate = ticks_rate
        if self.samples is None:
            return
        if self.samples.ndim != 2 or self.samples.dtype != "int16" or not 1 <= self.samples.shape[1] <= 8:
            raise FormatError(
                f"audio: found {self.samples.dtype} of shape {self.samples.shape}, expected int16 of (n, 1 to 8)"
            )
        self.layout = (
            f"{self.samples.shape[1]}c" if self.samples.shape[1] > 2 else ("mono", "stereo")[self.channels - 1]
        )
        self.stream = container.add_stream("pcm_s16le", rate=self.rate, layout=self.layout)

    @property
    def channels(self) -> int:
        return self.samples.shape[1]

    def write_until(self, tick: int) -> None:
        if self.samples is not None:
            self._write(min(tick * self.rate // self.ticks_rate, len(self.samples)))

    def finish(self) -> None:
        if self.samples is None:
            return
        while self.position < len(self.samples):
            self._write(min(self.position + self.rate, len(self.samples)))
        self.container.mux(self.stream.encode())

    def _write(self, end: int) -> None:
        import av
        import numpy as np

        if end <= self.position:
            return
        block = np.ascontiguousarray(self.samples[self.position : end], dtype=np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout=self.layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self.position, Fraction(1, self.rate)
        self.position = end
        self.container.mux(self.stream.encode(frame))


def _open(path: Path | str) -> Any:
    import av

    if not Path(path).is_file():
        raise FormatError(f"{path}: found {'a folder' if Path(path).is_dir() else 'no file'}, expected a video")
    try:
        # Absolute, so that no name is taken for a protocol.
        return av.open(os.path.abspath(path), "r", options={"protocol_whitelist": "file", "format_whitelist": _FORMATS})
    except (av.FFmpegError, ValueError) as error:
        raise FormatError(f"{path}: cannot open as video: {getattr(error, 'strerror', error)}") from error


def audio_streams(container: Any, path: Path | str) -> list[Any]:
    """Return the audio streams of an open file. Raises FormatError if one of them cannot be decoded at all."""
    streams = list(container.streams.audio)
    if any(stream.codec_context is None for stream in streams):
        raise FormatError(f"{path}: found an audio stream of an unknown codec, expected one that can be decoded")
    return streams


def _video_stream(container: Any, path: Path | str) -> Any:
    if not container.streams.video:
        raise FormatError(f"{path}: found no video stream, expected one")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise FormatError(f"{path}: found a video stream of an unknown codec, expected one that can be decoded")
    if not (0 < stream.width <= _MAX_SIDE and 0 < stream.height <= _MAX_SIDE):
        raise FormatError(f"{path}: found pictures of {stream.width}x{stream.height}, expected 1x1 to 8192x4352")
    # Several threads decode a damaged file to other pictures each time: who is first decides what conceals the damage.
    stream.codec_context.thread_count = 1
    stream.codec_context.options = {**stream.codec_context.options, "max_pixels": str(_MAX_PIXELS)}
    return stream


@contextlib.contextmanager
def _decoding(path: Path | str) -> Iterator[None]:
    import av

    try:
        yield
    except (av.FFmpegError, ValueError) as error:
        raise FormatError(f"{path}: cannot decode: {getattr(error, 'strerror', error)}") from error


def _remove(path: Path | str) -> None:
    with contextlib.suppress(OSError):
        Path(path).unlink()
