"""The service manager, settings, and small services that only have to be there or to refuse."""

from __future__ import annotations

import struct

from tests.oracle.kernel import Event, Finished
from tests.oracle.messages import Interface, Reply, Request, Session, System, command

_LANGUAGES = "ja en-US fr de it es zh-CN ko nl pt ru zh-TW en-GB fr-CA es-419 zh-Hans zh-Hant pt-BR".split()
_NOT_REGISTERED, _INVALID_CLIENT, _NO_SETTING, _NO_CONNECTION = 0xE15, 0x415, 0x3E69, 0xDD2C
ENETDOWN = 100


class Manager(Interface):
    name = "sm:"

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._registered = False

    @command(0)
    def register_client(self, request: Request) -> Reply:
        self._registered = True
        return Reply()

    @command(1)
    def get_service(self, request: Request) -> Reply:
        if not self._registered:
            return Reply(result=_INVALID_CLIENT)
        name = request.unpack("8s")[0].rstrip(b"\0").decode("ascii", "replace")
        self.system.asked[name] += 1
        make = self.system.services.get(name)
        if make is None:
            self.system.unknown[f"service {name}"] += 1
            return Reply(result=_NOT_REGISTERED)
        return Reply(moves=(Session(make()),))


class SystemSettings(Interface):
    name = "set:sys"

    def __init__(self, system: System, version: tuple[int, int, int]) -> None:
        super().__init__(system)
        self._version = version

    @command(3, 4)
    def firmware_version(self, request: Request) -> Reply:
        text = ".".join(map(str, self._version)).encode()
        head = struct.pack("3B5x", *self._version) + struct.pack("32s64s24s", b"NX", b"", text)
        self.write(request.outputs[0], head.ljust(0x100, b"\0"))
        return Reply()

    @command(23)
    def color_set(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0))

    @command(37, 38)
    def item(self, request: Request) -> Reply:
        return Reply(result=_NO_SETTING)


class Settings(Interface):
    name = "set"

    @command(0)
    def language(self, request: Request) -> Reply:
        return Reply(b"en-US\0\0\0")

    @command(1, 5)
    def languages(self, request: Request) -> Reply:
        room = request.outputs[0][1] // 8
        chosen = _LANGUAGES[:room]
        self.write(request.outputs[0], b"".join(code.encode().ljust(8, b"\0") for code in chosen))
        return Reply(struct.pack("<I", len(chosen)))

    @command(3)
    def language_count(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", len(_LANGUAGES)))

    @command(4)
    def region(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 1))


class Performance(Interface):
    name = "apm"

    @command(0)
    def open_session(self, request: Request) -> Reply:
        return Reply(objects=(PerformanceSession(self.system),))

    @command(1)
    def mode(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0))


class PerformanceSession(Interface):
    name = "apm.ISession"
    accepts = (0,)

    @command(1)
    def configuration(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0x20004))


class Sockets(Interface):
    """There is no network: whoever asks for a socket is told so in the way of the socket functions."""

    name = "bsd:u"

    @command(0)
    def register(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", 0))

    @command(1)
    def monitor(self, request: Request) -> Reply:
        return Reply()

    @command(*range(2, 32))
    def refuse(self, request: Request) -> Reply:
        return Reply(struct.pack("<iI", -1, ENETDOWN))


class Network(Interface):
    name = "nifm:u"

    @command(4, 5)
    def general(self, request: Request) -> Reply:
        return Reply(objects=(NetworkGeneral(self.system),))


class NetworkGeneral(Interface):
    name = "nifm.IGeneralService"

    @command(*range(1, 44))
    def refuse(self, request: Request) -> Reply:
        return Reply(result=_NO_CONNECTION)


class Power(Interface):
    name = "psm"

    @command(0)
    def charge(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 100))

    @command(1)
    def charger(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 1))

    @command(7)
    def open_session(self, request: Request) -> Reply:
        return Reply(objects=(PowerSession(self.system),))


class PowerSession(Interface):
    name = "psm.ISession"
    accepts = (1, 2, 3, 4)

    @command(0)
    def event(self, request: Request) -> Reply:
        return Reply(copies=(Event("power"),))


class Log(Interface):
    name = "lm"

    @command(0)
    def open_logger(self, request: Request) -> Reply:
        return Reply(objects=(Logger(self.system),))


class Logger(Interface):
    name = "lm.ILogger"
    accepts = (0, 1)


class Fatal(Interface):
    name = "fatal:u"

    @command(0, 1, 2)
    def throw(self, request: Request) -> Reply:
        raise Finished("fatal", request.unpack("I")[0])


class Random(Interface):
    name = "csrng"

    @command(0)
    def fill(self, request: Request) -> Reply:
        self.write(request.outputs[0], bytes(i * 37 + 11 & 255 for i in range(request.outputs[0][1])))
        return Reply()
