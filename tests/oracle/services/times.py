"""Clocks and the calendar. The time of day at the program's start is fixed; the zone is UTC."""

from __future__ import annotations

import calendar
import struct
import time

from tests.oracle.kernel import SharedMemory
from tests.oracle.machine import HostPages
from tests.oracle.messages import Interface, Reply, Request, System, command

START_OF_DAY = 1_700_000_000
_SOURCE = b"\x11" * 16
_LAST_SECOND = 253_402_300_799


def shared_memory() -> SharedMemory:
    """The page that programs read the time from: each object twice behind a counter."""
    page = HostPages(0x1000)
    steady = struct.pack("<q16s", 0, _SOURCE)
    context = struct.pack("<qq16s", START_OF_DAY, 0, _SOURCE)
    page.write(0x00, bytes(8) + steady * 2)
    for offset in (0x38, 0x80):
        page.write(offset, bytes(8) + context * 2)
    page.write(0xC8, bytes(8) + b"\1\1")
    return SharedMemory(page)


class Clocks(Interface):
    name = "time:u"

    def __init__(self, system: System, shared: SharedMemory) -> None:
        super().__init__(system)
        self._shared = shared

    @command(0, 1, 4)
    def clock(self, request: Request) -> Reply:
        return Reply(objects=(SystemClock(self.system),))

    @command(2)
    def steady(self, request: Request) -> Reply:
        return Reply(objects=(SteadyClock(self.system),))

    @command(3)
    def zones(self, request: Request) -> Reply:
        return Reply(objects=(Zones(self.system),))

    @command(20)
    def memory(self, request: Request) -> Reply:
        return Reply(copies=(self._shared,))


class SystemClock(Interface):
    name = "time.ISystemClock"

    @command(0)
    def now(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", START_OF_DAY + self.kernel.now // 10**9))

    @command(1, 3)
    def set(self, request: Request) -> Reply:
        return Reply(result=0x274)

    @command(2)
    def context(self, request: Request) -> Reply:
        return Reply(struct.pack("<qq16s", START_OF_DAY, 0, _SOURCE))


class SteadyClock(Interface):
    name = "time.ISteadyClock"

    @command(0)
    def now(self, request: Request) -> Reply:
        return Reply(struct.pack("<q16s", self.kernel.now // 10**9, _SOURCE))

    @command(200)
    def offset(self, request: Request) -> Reply:
        return Reply(struct.pack("<q", 0))


class Zones(Interface):
    name = "time.ITimeZoneService"

    @command(0)
    def location(self, request: Request) -> Reply:
        return Reply(b"UTC".ljust(0x24, b"\0"))

    @command(4)
    def load_rule(self, request: Request) -> Reply:
        self.write(request.outputs[0], bytes(request.outputs[0][1]))
        return Reply()

    @command(100, 101)
    def to_calendar(self, request: Request) -> Reply:
        t = time.gmtime(min(request.unpack("Q")[0], _LAST_SECOND))
        date = struct.pack("<H6B", t.tm_year, t.tm_mon, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, 0)
        return Reply(date + struct.pack("<II8sIi", (t.tm_wday + 1) % 7, t.tm_yday - 1, b"UTC", 0, 0))

    @command(201, 202)
    def to_posix(self, request: Request) -> Reply:
        seconds = calendar.timegm((*request.unpack("H5B"), 0, 0, 0))
        self.write(request.outputs[0], struct.pack("<Q", seconds))
        return Reply(struct.pack("<I", 1))
