"""A port that is being played: it tells what each tick showed and sounded, and is told what is played in the next.

The other end of `RECOMP_RT_LIVE` (docs/formats/live.md). The port is as deterministic as without a player: time stands
still in it until `step` is called, and the events given to `step`, written down with their ticks, are an input script
that makes the same run.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from recomp.errors import FormatError, ToolError

if TYPE_CHECKING:
    import numpy as np

MOST_EVENTS = 1024
"""Events that one tick may bring."""

_HEADER = struct.Struct("<4s7I")
_LONGEST_SIDE = 16384
_MOST_SAMPLES = 1 << 24

Event = tuple[int, int, int]
"""(type, code, value) as evdev counts them."""


@dataclass(frozen=True)
class Tick:
    """What one tick showed. `picture`: (height, width, 4) uint8 as blue, green, red, unused; None = as before.
    `sound`: (n, channels) int16 at `rate`, None before the first sound."""

    number: int
    picture: np.ndarray | None
    sound: np.ndarray | None
    rate: int


class LivePort:
    """A running port. Use as a context manager: it is ended when the block is left."""

    def __init__(
        self,
        port: str,
        arguments: Sequence[str] = (),
        *,
        seed: int = 0,
        stderr: int | None = None,
        confine: Callable[[], None] | None = None,
    ) -> None:
        """Start `port`. `stderr` is a file descriptor, None = this process' own. Raises ToolError."""
        ours, theirs = socket.socketpair()
        env = {
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C",
            "RECOMP_RT_LIVE": str(theirs.fileno()),
            "RECOMP_RT_SEED": str(seed),
            "RECOMP_RT_REALTIME": "0",
        }
        try:
            self._process = subprocess.Popen(
                [port, *arguments],
                env=env,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stderr=stderr,
                preexec_fn=confine,
            )
        except (OSError, subprocess.SubprocessError) as error:
            ours.close()
            raise ToolError(f"{port}: cannot be started: {error}") from error
        finally:
            theirs.close()
        self._socket = ours
        self._reader = ours.makefile("rb")
        self.next_tick = 0
        if self._header("OPEN") is None:
            self.close()
            raise ToolError(
                f"{port}: ended before it could be played",
                hint="its message is above; a port of an older runtime has to be built again (recomp automate)",
            )

    def __enter__(self) -> LivePort:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def step(self, events: Sequence[Event] = ()) -> Tick | None:
        """Play `events` in the next tick and let it pass; None when the port has ended."""
        if len(events) > MOST_EVENTS:
            raise FormatError(f"play: found {len(events)} events in tick {self.next_tick}, expected {MOST_EVENTS}")
        packed = b"".join(struct.pack("<HHi", *event) for event in events)
        try:
            self._socket.sendall(struct.pack("<I", len(events)) + packed)
        except OSError:
            return None
        header = self._header("TICK")
        if header is None:
            return None
        self.next_tick = header[0] + 1
        return self._tick(*header)

    def close(self) -> int:
        """End the port if it runs; return its exit code."""
        self._reader.close()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:  # it computes and does not look
            self._process.kill()
            return self._process.wait()

    def _header(self, magic: str) -> tuple[int, ...] | None:
        data = self._read(_HEADER.size)
        if data is None:
            return None
        found, *numbers = _HEADER.unpack(data)
        if found != magic.encode():
            raise FormatError(f"play: found a message {found!r} of the port, expected {magic!r}")
        return tuple(numbers)

    def _tick(
        self, number: int, is_new: int, width: int, height: int, rate: int, channels: int, frames: int
    ) -> Tick | None:
        import numpy as np

        if max(width, height) > _LONGEST_SIDE or channels > 8 or frames > _MOST_SAMPLES:
            raise FormatError(f"play: found {width}x{height} pixels and {frames} samples, expected those of one tick")
        picture = sound = None
        if is_new:
            data = self._read(width * height * 4)
            if data is None:
                return None
            picture = np.frombuffer(data, np.uint8).reshape(height, width, 4)
        if channels:
            data = self._read(frames * channels * 2)
            if data is None:
                return None
            sound = np.frombuffer(data, "<i2").reshape(-1, channels)
        return Tick(number, picture, sound, rate)

    def _read(self, size: int) -> bytes | None:
        try:
            data = self._reader.read(size)
        except OSError:
            return None
        return data if data is not None and len(data) == size else None


def rgba(picture: np.ndarray) -> np.ndarray:
    """A tick's picture as (height, width, 4) uint8 RGBA, alpha 255, as recordings have it."""
    import numpy as np

    out = np.empty_like(picture)
    out[..., 0], out[..., 1], out[..., 2], out[..., 3] = picture[..., 2], picture[..., 1], picture[..., 0], 255
    return out
