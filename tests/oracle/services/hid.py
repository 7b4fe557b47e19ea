"""hid: the input script's events become the states that programs read from shared memory, one entry a tick."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.oracle.kernel import Event, Kernel, SharedMemory
from tests.oracle.machine import HostPages
from tests.oracle.messages import Interface, Reply, Request, System, command

SIZE = 0x40000
_TOUCH, _KEYBOARD, _PADS, _PAD_SIZE = 0x400, 0x3800, 0x9A00, 0x5000
_FULL_KEY, _EXTERNAL = 0x28, 0x1408
_ENTRIES = 17

_KEY, _ABSOLUTE = 1, 3
#: Linux key code → bit of the pad's buttons
_BUTTONS = {
    44: 0, 45: 1, 30: 2, 31: 3, 46: 4, 47: 5, 16: 6, 17: 7, 2: 8, 3: 9, 28: 10, 1: 11,
    105: 12, 103: 13, 106: 14, 108: 15,
    0x130: 1, 0x131: 0, 0x133: 2, 0x134: 3, 0x136: 6, 0x137: 7, 0x138: 8, 0x139: 9, 0x13A: 11, 0x13B: 10,
    0x13D: 4, 0x13E: 5, 0x220: 13, 0x221: 15, 0x222: 12, 0x223: 14,
}  # fmt: skip
_AXES = {0: 0, 1: 1, 3: 2, 4: 3}
_THRESHOLD = 0x4000


def read_script(path: Path) -> list[tuple[int, int, int, int]]:
    """Lines `TICK TYPE CODE VALUE` in order of time. Raises ValueError with the line that is none."""
    events = []
    for line in path.read_text(encoding="ascii").splitlines():
        fields = line.split()
        if len(fields) != 4 or not all(field.lstrip("-").isdigit() for field in fields):
            raise ValueError(f"{path}: found {line!r}, expected TICK TYPE CODE VALUE")
        tick, kind, code, value = map(int, fields)
        events.append((tick, kind, code, value))
    return events


class Pads:
    """Player 1's pad. `publish` is called when a tick begins."""

    def __init__(self, kernel: Kernel, events: list[tuple[int, int, int, int]]) -> None:
        self._kernel, self._events = kernel, events
        self.memory = SharedMemory(HostPages(SIZE))
        self._held, self._axes = 0, [0, 0, 0, 0]
        self._count = 0
        page = self.memory.host
        page.write(_PADS, struct.pack("<II", 1 | 1 << 29, 0))
        page.write(_PADS + 0x4188, struct.pack("<I", 1))

    def publish(self, tick: int) -> None:
        while self._events and self._events[0][0] <= tick:
            _, kind, code, value = self._events.pop(0)
            if kind == _KEY and code in _BUTTONS:
                bit = 1 << _BUTTONS[code]
                self._held = self._held | bit if value else self._held & ~bit
            elif kind == _ABSOLUTE and code in _AXES:
                # A stick's vertical axis grows downwards in scripts and upwards on the pad.
                limited = max(-32768, min(32767, value))
                self._axes[_AXES[code]] = -max(limited, -32767) if code in (1, 4) else limited
        state = struct.pack("<Q4iI4x", self._held | self._stick_bits(), *self._axes, 1 | 2)
        for ring in (_FULL_KEY, _EXTERNAL):
            self._add(_PADS + ring, state)
        self._add(_KEYBOARD, struct.pack("<Q4Q", 0, 0, 0, 0, 0))
        self._add(_TOUCH, bytes(0x288))
        self._count += 1

    def _stick_bits(self) -> int:
        bits = 0
        for index, (x, y) in enumerate((self._axes[:2], self._axes[2:])):
            pressed = (x < -_THRESHOLD, y > _THRESHOLD, x > _THRESHOLD, y < -_THRESHOLD)
            bits |= sum(1 << 16 + 4 * index + place for place, on in enumerate(pressed) if on)
        return bits

    def _add(self, ring: int, state: bytes) -> None:
        """One more entry at the ring's tail; `state` is what follows the inner sampling number."""
        number, slot = self._count + 1, self._count % _ENTRIES
        page = self.memory.host
        page.write(ring + 0x20 + slot * (16 + len(state)), struct.pack("<QQ", number, number) + state)
        page.write(ring, struct.pack("<4Q", self._kernel.ticks(), _ENTRIES, slot, min(number, _ENTRIES - 1)))


class Hid(Interface):
    name = "hid"
    accepts = (
        1, 11, 21, 31, 40, 66, 67, 68, 69, *range(70, 84), 91, 100, 102, 103, 104, 107, 109, 120, 122, 123, 124, 125,
        126, 127, 128, 130, 201, 204, 206, *range(300, 309), 1000,
    )  # fmt: skip

    def __init__(self, system: System, pads: Pads) -> None:
        super().__init__(system)
        self._pads = pads

    @command(0)
    def resource(self, request: Request) -> Reply:
        return Reply(objects=(AppletResource(self.system, self._pads),))

    @command(101)
    def styles(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0x1F))

    @command(106)
    def style_event(self, request: Request) -> Reply:
        return Reply(copies=(Event("style", True),))

    @command(108, 121)
    def word(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", 0))

    @command(200)
    def vibration_device(self, request: Request) -> Reply:
        return Reply(struct.pack("<II", 1, 0))

    @command(202)
    def vibration(self, request: Request) -> Reply:
        return Reply(bytes(16))

    @command(203)
    def vibration_list(self, request: Request) -> Reply:
        return Reply(objects=(VibrationList(self.system),))


class VibrationList(Interface):
    name = "hid.IActiveVibrationDeviceList"
    accepts = (0,)


class AppletResource(Interface):
    name = "hid.IAppletResource"

    def __init__(self, system: System, pads: Pads) -> None:
        super().__init__(system)
        self._pads = pads

    @command(0)
    def memory(self, request: Request) -> Reply:
        return Reply(copies=(self._pads.memory,))
