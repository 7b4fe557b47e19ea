"""audout:u: streams of blocks."""

from __future__ import annotations

import struct

import numpy as np

from tests.oracle.messages import Interface, Reply, Request, System, command
from tests.oracle.services.sound import RATE, Sound, Track

_DEVICE = b"DeviceOut"
_STARTED, _STOPPED, _S16 = 0, 1, 2
_TOO_MANY, _BAD_RATE = 0x1099, 0x699
MOST_BLOCKS = 32


class AudioService(Interface):
    name = "audout:u"

    def __init__(self, system: System, sound: Sound) -> None:
        super().__init__(system)
        self._sound = sound

    @command(0, 2)
    def list_devices(self, request: Request) -> Reply:
        self.write(request.outputs[0], _DEVICE.ljust(0x100, b"\0"))
        return Reply(struct.pack("<I", 1))

    @command(1, 3)
    def open(self, request: Request) -> Reply:
        rate, _ = request.unpack("II")
        if rate not in (0, RATE):
            return Reply(result=_BAD_RATE)
        self.write(request.outputs[0], _DEVICE.ljust(0x100, b"\0"))
        stream = Stream(self.system, self._sound.open())
        return Reply(struct.pack("<4I", RATE, 2, _S16, _STOPPED), objects=(stream,))


class Stream(Interface):
    name = "audout.IAudioOut"
    accepts = (12,)

    def __init__(self, system: System, track: Track) -> None:
        super().__init__(system)
        self._track = track

    def _held(self) -> list[int]:
        return [tag for tag, _ in self._track.playing] + [tag for tag, _ in self._track.pending]

    @command(0)
    def state(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", _STARTED if self._track.running else _STOPPED))

    @command(1)
    def start(self, request: Request) -> Reply:
        self._track.running = True
        self._track.schedule()
        return Reply()

    @command(2)
    def stop(self, request: Request) -> Reply:
        self._track.stop()
        return Reply()

    @command(3, 7)
    def append(self, request: Request) -> Reply:
        (tag,) = request.unpack("Q")
        if len(self._held()) >= MOST_BLOCKS:
            return Reply(result=_TOO_MANY)
        _, data, _, size, offset = struct.unpack("<5Q", self.read((request.inputs[0][0], 0x28)))
        samples = np.frombuffer(self.machine.read(data + offset, size & ~3), "<i2").reshape(-1, 2)
        self._track.append(tag, samples.astype(np.int32))
        return Reply()

    @command(4)
    def event(self, request: Request) -> Reply:
        return Reply(copies=(self._track.event,))

    @command(5, 8)
    def released(self, request: Request) -> Reply:
        self._track.tick()
        room = request.outputs[0][1] // 8
        tags, self._track.released = self._track.released[:room], self._track.released[room:]
        self.write(request.outputs[0], struct.pack(f"<{len(tags)}Q", *tags))
        return Reply(struct.pack("<I", len(tags)))

    @command(6)
    def contains(self, request: Request) -> Reply:
        return Reply(struct.pack("<B", request.unpack("Q")[0] in self._held()))

    @command(9)
    def count(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", len(self._held())))

    @command(10)
    def played(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", self._track.played))

    @command(11)
    def flush(self, request: Request) -> Reply:
        self._track.released += self._held()
        self._track.playing.clear()
        self._track.pending.clear()
        return Reply(b"\1")

    @command(13)
    def volume(self, request: Request) -> Reply:
        return Reply(struct.pack("<f", 1.0))
