"""appletOE and appletAE: the program's proxies, its messages, focus and layer."""

from __future__ import annotations

import struct

from tests.oracle.kernel import Event
from tests.oracle.messages import Interface, Reply, Request, System, command

_NO_MESSAGES, _REFUSED = 0x680, 0x1A80
FOCUS_CHANGED, IN_FOCUS, HANDHELD = 15, 1, 0
USER, LAYER = 0x51, 1


class Applets(Interface):
    name = "appletOE"

    @command(0, 100, 200, 201, 300, 350)
    def open_proxy(self, request: Request) -> Reply:
        return Reply(objects=(Proxy(self.system),))


class Proxy(Interface):
    name = "am.IApplicationProxy"

    @command(0)
    def common(self, request: Request) -> Reply:
        return Reply(objects=(CommonState(self.system),))

    @command(1)
    def self_controller(self, request: Request) -> Reply:
        return Reply(objects=(SelfController(self.system),))

    @command(2)
    def window(self, request: Request) -> Reply:
        return Reply(objects=(WindowController(self.system),))

    @command(3, 4, 10, 11, 21, 22, 23, 1000)
    def others(self, request: Request) -> Reply:
        return Reply(objects=(Plain(self.system),))

    @command(20)
    def functions(self, request: Request) -> Reply:
        return Reply(objects=(Functions(self.system),))


class Plain(Interface):
    """Parts that programs open and seldom ask."""

    name = "am.other"

    @command(*range(11), 60)
    def refuse(self, request: Request) -> Reply:
        return Reply(result=_REFUSED)


class CommonState(Interface):
    name = "am.ICommonStateGetter"
    accepts = (66,)

    def __init__(self, system: System) -> None:
        super().__init__(system)
        self._messages = [FOCUS_CHANGED]
        self._event = Event("applet message", True)

    @command(0)
    def event(self, request: Request) -> Reply:
        return Reply(copies=(self._event,))

    @command(1)
    def message(self, request: Request) -> Reply:
        if not self._messages:
            return Reply(result=_NO_MESSAGES)
        message = self._messages.pop(0)
        self._event.signalled = bool(self._messages)
        return Reply(struct.pack("<I", message))

    @command(5)
    def operation_mode(self, request: Request) -> Reply:
        return Reply(struct.pack("<B", HANDHELD))

    @command(6, 8)
    def performance_mode(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0))

    @command(7, 50)
    def no(self, request: Request) -> Reply:
        return Reply(struct.pack("<B", 0))

    @command(9)
    def focus(self, request: Request) -> Reply:
        return Reply(struct.pack("<B", IN_FOCUS))

    @command(60)
    def resolution(self, request: Request) -> Reply:
        return Reply(struct.pack("<ii", 1280, 720))

    @command(61)
    def resolution_event(self, request: Request) -> Reply:
        return Reply(copies=(Event("resolution"),))


class SelfController(Interface):
    name = "am.ISelfController"
    accepts = (0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 18, 19, 50, 51, 60, 61, 62, 64, 65, 68, 80, 1000)

    @command(9, 91)
    def event(self, request: Request) -> Reply:
        return Reply(copies=(Event("applet"),))

    @command(40)
    def create_layer(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", LAYER))

    @command(63)
    def idle_time(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0))

    @command(69)
    def auto_sleep(self, request: Request) -> Reply:
        return Reply(struct.pack("<B", 0))

    @command(90)
    def suspended_ticks(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", 0))


class WindowController(Interface):
    name = "am.IWindowController"
    accepts = (10, 11, 12)

    @command(1, 2)
    def user(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", USER))


class Functions(Interface):
    name = "am.IApplicationFunctions"
    accepts = (22, 60, 65, 66, 67, 100, 101, 102)

    @command(1)
    def launch_parameter(self, request: Request) -> Reply:
        return Reply(result=0x480)

    @command(20)
    def ensure_save_data(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", 0))

    @command(21)
    def language(self, request: Request) -> Reply:
        return Reply(b"en-US\0\0\0")

    @command(23)
    def display_version(self, request: Request) -> Reply:
        return Reply(b"1.0".ljust(16, b"\0"))

    @command(40)
    def notify_running(self, request: Request) -> Reply:
        return Reply(b"\1")

    @command(50)
    def pseudo_device(self, request: Request) -> Reply:
        return Reply(struct.pack("<QQ", 1, 2))
