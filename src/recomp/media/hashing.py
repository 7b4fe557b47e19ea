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
_PIXELS_AT_ONCE = 1 << 17  # half a MB: what any processor's second cache holds
_MAX_LIST_BYTES = 256 << 20


def hash_frame(frame: np.ndarray) -> str:
    """SHA-256 of one picture, (height, width, 4) uint8 RGBA; its alpha is taken as 255 whatever it is.

    Also of ARGB as `video.read_for_hashing` leaves it: from its second byte on that is RGBA, but for the last.
    """
    import numpy as np

    is_argb = frame.ndim == 2 and frame.dtype == np.uint32
    if not is_argb:
        _check_frame(frame)
    height, width = frame.shape[:2]
    head = b"rgba8888\0" + width.to_bytes(4, "little") + height.to_bytes(4, "little")
    pixels = np.ascontiguousarray(frame).reshape(-1).view("<u4")
    alpha = 0xFF if is_argb else 0xFF000000
    digest = _hash_opaque(head, pixels, alpha) or _hash_opaque(head, pixels | np.uint32(alpha), alpha)
    assert digest is not None, "a picture without transparent pixels has one"
    return digest


def _hash_opaque(head: bytes, pixels: np.ndarray, alpha: int) -> str | None:
    """The hash of a picture whose alpha (a mask of its words) is 255 everywhere; None if it is not.

    That is looked at piece by piece once it is hashed and in the processor's cache: half the time of a look before.
    """
    import numpy as np

    digest = hashlib.sha256(head)
    is_argb = alpha == 0xFF
    for start in range(0, len(pixels), _PIXELS_AT_ONCE):
        some = pixels[start : start + _PIXELS_AT_ONCE]
        digest.update(some.view(np.uint8).data[is_argb and not start :])
        words = some.view("<u8") if len(some) % 2 == 0 else some  # two at a time
        mask = alpha << 32 | alpha if words.itemsize == 8 else alpha
        if int(np.bitwise_and.reduce(words)) & mask != mask:
            return None
    if is_argb:
        digest.update(b"\xff")
    return digest.hexdigest()


def hash_frames(frames: Iterable[np.ndarray | None]) -> list[str]:
    """Hash every picture in order, as `iter_hashes` does."""
    return list(iter_hashes(frames))


def iter_hashes(frames: Iterable[np.ndarray | None]) -> Iterator[str]:
    """Hash every picture in order; None is one that repeats its predecessor. Of RGBA, one that repeats its predecessor
    is compared (10x cheaper) instead of hashed, so that a picture must stay as it is until the next one.

    In this thread: a second one took a third more processor time to save a seventh of the wait.
    """
    from recomp.media.video import same_picture

    digest, last = "", None
    for frame in frames:
        if frame is not None and not (last is not None and (frame is last or same_picture(frame, last))):
            digest = hash_frame(frame)
        # a view of what the decoder made must be gone before it makes the next
        last = frame if frame is not None and frame.ndim == 3 else None
        del frame
        yield digest


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
