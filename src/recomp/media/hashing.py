"""What a frame's and a tick's hash is, and the text files that lists of them are kept in.

Pixels and samples are hashed behind a descriptor of their shape, so that no container, encoder, stride or alpha can
change a hash and no two shapes can share one (ARCHITECTURE.md, "hash lists"). Schema v1 hashed file bytes instead;
both are here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recomp.errors import FormatError

if TYPE_CHECKING:
    import numpy as np

AUDIO_FILE_CHUNK = 4096
"""Bytes of an audio file under one hash, schema v1."""

_LINE = re.compile(r"(?:(?P<index>[0-9]+)[ \t]+)?(?P<hash>[0-9a-f]{64})")
_READ_SIZE = 1 << 20
_MAX_LIST_BYTES = 256 << 20


def hash_frame(frame: np.ndarray) -> str:
    """SHA-256 of one picture, (height, width, 4) uint8 RGBA; its alpha is taken as 255 whatever it is.

    Also of opaque ARGB as `video.read_for_hashing` leaves it: from its second byte on that is RGBA, but for the last.
    """
    import numpy as np

    is_argb = frame.ndim == 2 and frame.dtype == np.uint32
    if not is_argb:
        _check_frame(frame)
    height, width = frame.shape[:2]
    digest = hashlib.sha256(b"rgba8888\0" + width.to_bytes(4, "little") + height.to_bytes(4, "little"))
    pixels = np.ascontiguousarray(frame)
    if is_argb:
        digest.update(pixels.reshape(-1).view(np.uint8).data[1:])
        digest.update(b"\xff")
        return digest.hexdigest()
    if pixels.size and not _is_opaque(pixels):
        pixels = pixels.copy()
        pixels[..., 3] = 255
    digest.update(pixels.reshape(-1).data)
    return digest.hexdigest()


def _is_opaque(pixels: np.ndarray) -> bool:
    """Whether every fourth byte is 255; looked at eight at a time where there is an even number of pixels."""
    import numpy as np

    words = pixels.reshape(-1).view("<u8" if pixels.size % 8 == 0 else "<u4")
    mask = 0xFF000000_FF000000 if words.itemsize == 8 else 0xFF000000
    return int(np.bitwise_and.reduce(words)) & mask == mask


def hash_frames(frames: Iterable[np.ndarray]) -> list[str]:
    """Hash every picture in order. One that repeats its predecessor is compared (10x cheaper) instead of hashed.

    In this thread: a second one took a third more processor time to save a seventh of the wait. A picture must stay as
    it is until the next one.
    """
    from recomp.media.video import same_picture

    hashes: list[str] = []
    last = None
    for frame in frames:
        repeats = last is not None and (frame is last or same_picture(frame, last))
        hashes.append(hashes[-1] if repeats else hash_frame(frame))
        last = frame
    return hashes


def hash_audio(samples: np.ndarray, rate: int, ticks_rate: int = 60) -> list[str]:
    """Hash sound by ticks of 1/`ticks_rate` s; samples: (n, channels) int16, `rate` in Hz.

    Tick k covers the sample frames from k*rate//ticks_rate up to (k+1)*rate//ticks_rate: 800 at 48 kHz, and alternating
    lengths where the rate is no multiple of 60. The last tick is as long as it is.
    """
    import numpy as np

    if samples.ndim != 2 or samples.dtype != np.int16:
        raise FormatError(f"audio: found {samples.dtype} of shape {samples.shape}, expected int16 of (n, channels)")
    if rate < ticks_rate:
        raise FormatError(f"audio: found a rate of {rate} Hz, expected at least {ticks_rate}")
    channels = samples.shape[1]
    prefix = hashlib.sha256(b"s16le\0" + rate.to_bytes(4, "little") + channels.to_bytes(4, "little"))
    data = np.ascontiguousarray(samples, dtype="<i2")
    hashes = []
    start = tick = 0
    while start < len(data):
        tick += 1
        end = tick * rate // ticks_rate
        digest = prefix.copy()
        digest.update(data[start:end].data)
        hashes.append(digest.hexdigest())
        start = end
    return hashes


def hash_frame_files(folder: Path | str) -> list[str]:
    """Schema v1: SHA-256 of each frame file's bytes, in name order; hidden files and subfolders do not count."""
    folder = Path(folder)
    try:
        files = sorted(
            (p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")), key=lambda p: p.name
        )
    except OSError as error:
        raise FormatError(f"{folder}: cannot list frame files: {error.strerror}") from error
    return [_hash_file(path) for path in files]


def hash_audio_file(path: Path | str, chunk: int = AUDIO_FILE_CHUNK) -> list[str]:
    """Schema v1: SHA-256 of each `chunk` bytes of a file, header and all; the last one as long as it is."""
    try:
        with open(path, "rb") as file:
            return [hashlib.sha256(block).hexdigest() for block in iter(lambda: file.read(chunk), b"")]
    except OSError as error:
        raise FormatError(f"{path}: cannot read audio: {error.strerror}") from error


def write_hash_list(path: Path | str, hashes: Sequence[str], *, comment: str = "") -> None:
    """Write one hash a line under `#` comment lines."""
    head = [f"# {line}\n" for line in comment.splitlines()]
    Path(path).write_text("".join([*head, *(f"{digest}\n" for digest in hashes)]), encoding="ascii")


def read_hash_list(path: Path | str) -> list[str]:
    """Read a list of `HASH` or `INDEX HASH` lines; `#` starts a comment, blank lines are skipped.

    Indices must run 0, 1, 2, … or 1, 2, 3, … without a gap, on all lines or on none: a hole would silently shift
    everything behind it. Raises FormatError naming file and line.
    """
    hashes: list[str] = []
    first_index: int | None = None
    for number, line in enumerate(_lines(Path(path)), start=1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise FormatError(
                f"{path}:{number}: found {_shorten(text)}, expected a lower-case SHA-256 (64 hex digits) or INDEX HASH"
            )
        index = None if match["index"] is None else int(match["index"][:12])
        if not hashes:
            first_index = index
            if index not in (None, 0, 1):
                raise FormatError(f"{path}:{number}: found index {index}, expected the first to be 0 or 1")
        expected = None if first_index is None else first_index + len(hashes)
        if index != expected:
            found = "no index" if index is None else f"index {index}"
            wanted = "none, as above" if expected is None else str(expected)
            raise FormatError(f"{path}:{number}: found {found}, expected {wanted}")
        hashes.append(match["hash"])
    return hashes


def _lines(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > _MAX_LIST_BYTES:
            raise FormatError(f"{path}: found {path.stat().st_size} bytes, expected a hash list of at most 256 MiB")
        data = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot read hash list: {error.strerror}") from error
    return iter(data.decode("utf-8", "backslashreplace").removeprefix("\ufeff").split("\n"))


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(_READ_SIZE), b""):
                digest.update(block)
    except OSError as error:
        raise FormatError(f"{path}: cannot read frame: {error.strerror}") from error
    return digest.hexdigest()


def _check_frame(frame: np.ndarray) -> None:
    if frame.ndim != 3 or frame.shape[2] != 4 or frame.dtype != "uint8":
        raise FormatError(f"frame: found {frame.dtype} of shape {frame.shape}, expected uint8 of (height, width, 4)")


def _shorten(text: str, limit: int = 80) -> str:
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
