"""Recordings of a port: what the screen showed at each tick, what was played, and how the run ended.

Format: docs/formats/recording.md. A recording that was cut off (the port was killed) is read up to its last whole
record and says so; any other damage is a FormatError.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import lz4.block
import numpy as np
import numpy.typing as npt

from recomp.errors import FormatError

Pixels = npt.NDArray[np.uint8]

_FILE_HEADER = struct.Struct("<8sIIIIII")
_RECORD_HEADER = struct.Struct("<4sIIIII")
_MAGIC = b"RCFRAMES"
_RECORD_MAGIC = b"FRAM"
_VERSION = 1
_LONGEST_SIDE = 16384
_MOST_PIXELS = 1 << 26
_KEY, _DELTA, _REPEAT, _END = range(4)
_SAME, _ABOVE, _DATA, _XOR = range(4)


@dataclass(frozen=True)
class Frame:
    """One tick's picture.

    `pixels`: (height, width, 4) uint8 RGBA, alpha 255, top row first; not writable. `is_repeat`: the same picture as
    the frame before (and then the very same array).
    """

    tick: int
    pixels: Pixels
    is_repeat: bool


@dataclass(frozen=True)
class _Record:
    kind: int
    tick: int
    count: int
    payload: memoryview
    offset: int


class FrameReader:
    """The frames of `frames.rec`, in order; iterate over it.

    `complete` becomes true when the end record was reached: the run ended in order.
    """

    def __init__(self, data: bytes, *, name: str = "frames.rec") -> None:
        """`data`: the file's bytes (or a memory map). Raises FormatError for a wrong file header."""
        self._data = memoryview(data)
        self._name = name
        self.complete = False
        if len(data) < _FILE_HEADER.size:
            raise FormatError(f"{name}: file header: found {len(data)} bytes, expected {_FILE_HEADER.size}")
        magic, version, self.width, self.height, rate, per, checksum = _FILE_HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise FormatError(f"{name}: file offset 0x0: found {bytes(magic)!r}, expected {_MAGIC!r}")
        if zlib.crc32(self._data[: _FILE_HEADER.size - 4]) != checksum:
            raise FormatError(f"{name}: file header: checksum differs")
        if version != _VERSION:
            raise FormatError(f"{name}: found version {version}, expected {_VERSION}")
        sides = (self.width, self.height)
        if not all(0 < side <= _LONGEST_SIDE for side in sides) or self.width * self.height > _MOST_PIXELS:
            raise FormatError(f"{name}: picture size {self.width}x{self.height}: expected 1..{_LONGEST_SIDE} each")
        if rate == 0 or per == 0:
            raise FormatError(f"{name}: frame rate {rate}/{per}: expected two positive numbers")
        self.rate = rate / per

    def __iter__(self) -> Iterator[Frame]:
        pixels: Pixels = np.zeros((self.height, self.width, 4), dtype=np.uint8)
        pixels[..., 3] = 255
        pixels.flags.writeable = False
        expected = 0
        for record in self._records():
            where = f"{self._name}: file offset {record.offset:#x}"
            if record.tick != expected:
                raise FormatError(f"{where}: found tick {record.tick}, expected {expected}")
            if record.kind == _END:
                self.complete = True
                return
            expected += record.count
            if record.kind == _REPEAT:
                for tick in range(record.tick, record.tick + record.count):
                    yield Frame(tick, pixels, True)
                continue
            pixels = self._unpack(record, pixels, where)
            yield Frame(record.tick, pixels, False)

    def _records(self) -> Iterator[_Record]:
        """Whole records; stops where the file was cut off."""
        at = _FILE_HEADER.size
        while len(self._data) - at >= _RECORD_HEADER.size:
            magic, kind, tick, count, size, checksum = _RECORD_HEADER.unpack_from(self._data, at)
            where = f"{self._name}: file offset {at:#x}"
            if magic != _RECORD_MAGIC:
                raise FormatError(f"{where}: found {bytes(magic)!r}, expected {_RECORD_MAGIC!r}")
            start = at + _RECORD_HEADER.size
            if kind > _END or size > self._largest_payload():
                raise FormatError(f"{where}: record kind {kind} with {size} bytes: expected kinds 0..{_END}")
            if len(self._data) - start < size:
                return
            payload = self._data[start : start + size]
            if zlib.crc32(payload, zlib.crc32(self._data[at : start - 4])) != checksum:
                raise FormatError(f"{where}: record of tick {tick}: checksum differs")
            self._check_counts(kind, count, size, where)
            yield _Record(kind, tick, count, payload, at)
            at = start + size

    def _largest_payload(self) -> int:
        plain = self.height + self.height * self.width * 4
        return 4 + plain + plain // 255 + 16

    def _check_counts(self, kind: int, count: int, size: int, where: str) -> None:
        expected = {_REPEAT: count > 0 and size == 0, _END: count == 0 and size == 0}
        if not expected.get(kind, count == 1 and size >= 4):
            raise FormatError(f"{where}: record kind {kind} with count {count} and {size} bytes")

    def _unpack(self, record: _Record, before: Pixels, where: str) -> Pixels:
        """Source: docs/formats/recording.md, "Frames"."""
        row_size = self.width * 4
        (plain_size,) = struct.unpack_from("<I", record.payload)
        if not self.height <= plain_size <= self.height * (1 + row_size):
            raise FormatError(f"{where}: frame of {plain_size} bytes: expected at least {self.height}")
        try:
            plain = lz4.block.decompress(record.payload[4:], uncompressed_size=plain_size)
        except (lz4.block.LZ4BlockError, ValueError, MemoryError) as error:
            raise FormatError(f"{where}: frame does not unpack: {error}") from None
        kinds = np.frombuffer(plain, dtype=np.uint8, count=self.height) if len(plain) == plain_size else None
        if kinds is None or int(kinds.max()) > _XOR:
            raise FormatError(f"{where}: frame of tick {record.tick} is malformed")
        if record.kind == _KEY and bool(((kinds == _SAME) | (kinds == _XOR)).any()):
            raise FormatError(f"{where}: key frame refers to the frame before")
        told = np.flatnonzero(kinds >= _DATA)
        if plain_size != self.height + len(told) * row_size:
            raise FormatError(f"{where}: frame of {plain_size} bytes: expected {len(told)} rows of {row_size}")
        rows = np.frombuffer(plain, dtype=np.uint8, offset=self.height).reshape(len(told), self.width, 4)
        return self._compose(kinds, told, rows, before, where)

    def _compose(self, kinds: Pixels, told: npt.NDArray[np.intp], rows: Pixels, before: Pixels, where: str) -> Pixels:
        pixels = before.copy()
        is_xor = kinds[told] == _XOR
        pixels[told[~is_xor]] = rows[~is_xor]
        pixels[told[is_xor]] ^= rows[is_xor]
        above = kinds == _ABOVE
        if above[0]:
            raise FormatError(f"{where}: the first row refers to a row above it")
        if above.any():
            source = np.maximum.accumulate(np.where(above, 0, np.arange(self.height)))
            pixels[above] = pixels[source[above]]
        pixels.flags.writeable = False
        return pixels


@dataclass(frozen=True)
class Audio:
    """`samples`: (n, channels) int16; sample frame k was played at k / rate seconds of the guest's time."""

    rate: int
    channels: int
    samples: npt.NDArray[np.int16]


@dataclass(frozen=True)
class Exit:
    """How the run ended: `kind` is exit, signal, trap, miss or limit; `code` the port's exit code."""

    kind: str
    code: int
    detail: str


@dataclass(frozen=True)
class Run:
    """`run.json`. `video` is (width, height, rate) or None, `audio` (rate, channels, sample frames) or None,
    `unknown_svcs` maps a supervisor call's number to how often it was made,
    `unknown_commands` the name of a service, or of a command as NAME:NUMBER, to how often it was asked for."""

    exit: Exit
    ticks: int
    frames: int
    video: tuple[int, int, int] | None
    audio: tuple[int, int, int] | None
    unknown_svcs: dict[int, int]
    unknown_commands: dict[str, int]


_KINDS = ("exit", "signal", "trap", "miss", "limit")


def parse_run(data: bytes, *, name: str = "run.json") -> Run:
    """Raises FormatError for anything but a complete run.json."""
    try:
        run = json.loads(data)
        ended = run["exit"]
        result = Run(
            exit=Exit(_one_of(ended["kind"], _KINDS), _whole(ended["code"]), _text(ended["detail"])),
            ticks=_whole(run["ticks"]),
            frames=_whole(run["frames"]),
            video=_triple(run["video"], ("width", "height", "rate")),
            audio=_triple(run["audio"], ("rate", "channels", "samples")),
            unknown_svcs={_whole(call["number"]): _whole(call["count"]) for call in run["unknown_svcs"]},
            unknown_commands={_text(call["name"]): _whole(call["count"]) for call in run.get("unknown_commands", ())},
        )
    except KeyError as error:
        raise FormatError(f"{name}: key {error.args[0]!r} is missing") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise FormatError(f"{name}: not a run's record: {error}") from None
    return result


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 64:
        raise ValueError(f"found {value!r}, expected a whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"found {value!r}, expected a string")
    return value


def _one_of(value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError(f"found {value!r}, expected one of {', '.join(allowed)}")
    return _text(value)


def _triple(value: object, keys: tuple[str, str, str]) -> tuple[int, int, int] | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError(f"found {value!r}, expected an object")
    first, second, third = (_whole(value[key]) for key in keys)
    return first, second, third


@dataclass(frozen=True)
class InputEvent:
    """An event as the guest read it, with evdev's numbers."""

    tick: int
    type: int
    code: int
    value: int


@dataclass(frozen=True)
class Miss:
    """An indirect branch at guest address `site` (0 = a return) to `target`, where no code was discovered."""

    site: int
    target: int
    count: int


def parse_inputs(data: bytes, *, name: str = "inputs.jsonl") -> list[InputEvent]:
    """Raises FormatError with the line; a last line without its end (the port was killed) is left out."""
    return [
        InputEvent(tick, type_, code, value)
        for tick, type_, code, value in _lines(data, name, ("tick", "type", "code", "value"), signed="value")
    ]


def read_input_log(path: Path | str) -> list[InputEvent]:
    """Read what was played: a recording's inputs.jsonl, or a compiled input script (TICK TYPE CODE VALUE a line).

    Raises FormatError for a file that cannot be read or is neither."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"{path}: cannot read the input log: {error.strerror}") from error
    if data.lstrip()[:1] in (b"{", b""):
        return parse_inputs(data, name=str(path))
    events = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            tick, kind, code, value = map(int, line.split())
            if not (0 <= tick < 1 << 64 and 0 <= kind < 1 << 16 and 0 <= code < 1 << 16):
                raise ValueError
        except ValueError:
            raise FormatError(f"{path}:{number}: found {line[:40]!r}, expected TICK TYPE CODE VALUE") from None
        events.append(InputEvent(tick, kind, code, value))
    return events


def first_input_difference(ours: Sequence[InputEvent], theirs: Sequence[InputEvent]) -> int | None:
    """Return the tick of the first event that one side read and the other did not, or read at another tick or in
    another order; None if they are equal. Reports (EV_SYN) do not count: a device may add them."""
    a, b = ([event for event in side if event.type != 0] for side in (ours, theirs))
    for one, other in zip(a, b, strict=False):
        if one != other:
            return min(one.tick, other.tick)
    rest = (a if len(a) > len(b) else b)[min(len(a), len(b)) :]
    return rest[0].tick if rest else None


def parse_misses(data: bytes, *, name: str = "misses.jsonl") -> list[Miss]:
    """As parse_inputs."""
    return [Miss(site, target, count) for site, target, count in _lines(data, name, ("site", "target", "count"))]


def _lines(data: bytes, name: str, keys: tuple[str, ...], signed: str = "") -> Iterator[list[int]]:
    """The numbers under `keys` in each whole line; only `signed` may be negative."""
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            item = json.loads(line)
            if not isinstance(item, dict) or not item.keys() >= set(keys):
                raise ValueError(f"expected an object with {', '.join(keys)}")
            yield [item[key] if key == signed and _is_negative(item[key]) else _whole(item[key]) for key in keys]
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{name}:{number}: {error}") from None


def _is_negative(value: object) -> bool:
    return isinstance(value, int) and -(1 << 31) <= value < 0


class Recording:
    """A folder that a port recorded into. Files are read when asked for; a missing one is a FormatError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise FormatError(
                f"{self.folder / name}: cannot be read: {error.strerror}",
                hint="a port writes it when it ends; one that was killed leaves none",
            ) from None

    def run(self) -> Run:
        return parse_run(self._read("run.json"), name=str(self.folder / "run.json"))

    def frames(self) -> FrameReader:
        return FrameReader(self._read("frames.rec"), name=str(self.folder / "frames.rec"))

    def inputs(self) -> list[InputEvent]:
        return parse_inputs(self._read("inputs.jsonl"), name=str(self.folder / "inputs.jsonl"))

    def misses(self) -> list[Miss]:
        return parse_misses(self._read("misses.jsonl"), name=str(self.folder / "misses.jsonl"))

    def audio(self) -> Audio | None:
        """None where nothing was ever played."""
        run = self.run()
        if run.audio is None:
            return None
        rate, channels, count = run.audio
        data = self._read("audio.pcm")
        if not 1 <= channels <= 2 or rate == 0 or len(data) != count * channels * 2:
            raise FormatError(
                f"{self.folder / 'audio.pcm'}: found {len(data)} bytes, expected {count} sample frames of "
                f"{channels} channels"
            )
        return Audio(rate, channels, np.frombuffer(data, dtype="<i2").astype(np.int16).reshape(count, channels))
