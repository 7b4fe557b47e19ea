"""vi, the binder relay with its buffer queue, and nvdrv with its map objects."""

from __future__ import annotations

import struct

from tests.oracle.kernel import Again, Event
from tests.oracle.messages import Interface, Reply, Request, System, command
from tests.oracle.services.screen import Screen, Slot

DISPLAY, LAYER, BINDER = 1, 1, 1
_WOULD_BLOCK, _BAD_VALUE = -11, -22
_NO_FENCES = struct.pack("<I", 0) + struct.pack("<II", 0xFFFFFFFF, 0) * 4


def _window() -> bytes:
    payload = struct.pack("<6I8s8x", 2, 0, BINDER, 0, 0, 0, b"dispdrv")
    return struct.pack("<4I", len(payload), 0x10, 0, 0x10 + len(payload)) + payload


class _Display(Interface):
    def __init__(self, system: System, screen: Screen) -> None:
        super().__init__(system)
        self.screen = screen

    def _stray_layer(self, request: Request) -> Reply:
        self.write(request.outputs[0], _window())
        return Reply(struct.pack("<QQ", LAYER, len(_window())))


class DisplayRoot(_Display):
    name = "vi:m"

    @command(0, 1, 2)
    def services(self, request: Request) -> Reply:
        return Reply(objects=(Services(self.system, self.screen),))


class Services(_Display):
    name = "vi.IApplicationDisplayService"
    accepts = (1020, 1101, 2021, 2031, 2101)

    @command(100, 103)
    def relay(self, request: Request) -> Reply:
        return Reply(objects=(Relay(self.system, self.screen),))

    @command(101)
    def system_service(self, request: Request) -> Reply:
        return Reply(objects=(SystemService(self.system, self.screen),))

    @command(102)
    def manager_service(self, request: Request) -> Reply:
        return Reply(objects=(ManagerService(self.system, self.screen),))

    @command(1010, 1011)
    def open_display(self, request: Request) -> Reply:
        if request.command == 1010 and request.unpack("64s")[0].rstrip(b"\0") != b"Default":
            return Reply(result=0xE72)
        return Reply(struct.pack("<Q", DISPLAY))

    @command(1102)
    def resolution(self, request: Request) -> Reply:
        return Reply(struct.pack("<qq", 1280, 720))

    @command(2020)
    def open_layer(self, request: Request) -> Reply:
        self.write(request.outputs[0], _window())
        return Reply(struct.pack("<Q", len(_window())))

    @command(2030)
    def stray_layer(self, request: Request) -> Reply:
        return self._stray_layer(request)

    @command(2102)
    def convert_scaling(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", {0: 0, 1: 1, 2: 2, 3: 3, 4: 4}.get(request.unpack("I")[0], 2)))

    @command(5202)
    def vertical_blank(self, request: Request) -> Reply:
        return Reply(copies=(self.screen.vertical_blank,))


class SystemService(_Display):
    name = "vi.ISystemDisplayService"
    accepts = (1204, 2201, 2203, 2205, 2207)

    @command(1200, 1202)
    def depth(self, request: Request) -> Reply:
        return Reply(struct.pack("<q", 0 if request.command == 1200 else 2))

    @command(1203)
    def resolution(self, request: Request) -> Reply:
        return Reply(struct.pack("<ii", 1280, 720))

    @command(2312)
    def stray_layer(self, request: Request) -> Reply:
        return self._stray_layer(request)


class ManagerService(_Display):
    name = "vi.IManagerDisplayService"
    accepts = (2011, 4201, 4205, 6000, 6001, 6002, 7000)

    @command(2010)
    def managed_layer(self, request: Request) -> Reply:
        return Reply(struct.pack("<Q", LAYER))

    @command(2012)
    def stray_layer(self, request: Request) -> Reply:
        return self._stray_layer(request)


# ---- the buffer queue ----------------------------------------------------------------------------------------------


class Relay(_Display):
    name = "vi.IHOSBinderDriver"
    accepts = (1,)

    @command(2)
    def event(self, request: Request) -> Reply:
        return Reply(copies=(self.screen.buffer_free,))

    @command(0, 3)
    def transact(self, request: Request) -> Reply:
        code = request.unpack("iI")[1]
        parcel = self.read(request.inputs[0])
        size, offset = struct.unpack_from("<II", parcel)
        body = parcel[offset : offset + size]
        length = struct.unpack_from("<I", body, 4)[0]
        arguments = body[8 + ((length + 1) * 2 + 3 & ~3) :]
        self.system.ipc[f"binder {code}"] += 1
        handler = getattr(self, f"_code_{code}", None)
        if handler is None:
            self.system.unknown[f"binder {code}"] += 1
            answer = struct.pack("<i", _BAD_VALUE)
        else:
            answer = handler(arguments)
        header = struct.pack("<4I", len(answer), 0x10, 0, 0x10 + len(answer))
        self.write(request.outputs[0], header + answer)
        return Reply()

    def _sizes(self) -> bytes:
        pending = sum(slot.state == "queued" for slot in self.screen.slots.values())
        return struct.pack("<4I", 1280, 720, 0, pending)

    def _code_1(self, arguments: bytes) -> bytes:
        return struct.pack("<Ii", 0, 0)

    def _code_2(self, arguments: bytes) -> bytes:
        return struct.pack("<i", 0)

    def _code_3(self, arguments: bytes) -> bytes:
        slot = self.screen.dequeue()
        is_asynchronous = struct.unpack_from("<i", arguments)[0]
        if slot is None and not is_asynchronous:
            raise Again(self.screen.buffer_free)
        if slot is None:
            return struct.pack("<iIi", 0, 0, _WOULD_BLOCK)
        return struct.pack("<iIII", slot, 1, len(_NO_FENCES), 0) + _NO_FENCES + struct.pack("<i", 0)

    def _code_4(self, arguments: bytes) -> bytes:
        self.screen.slots.pop(struct.unpack_from("<i", arguments)[0], None)
        return struct.pack("<i", 0)

    def _code_7(self, arguments: bytes) -> bytes:
        slot = struct.unpack_from("<i", arguments)[0]
        _, _, left, top, right, bottom, _, transform = struct.unpack_from("<qi4iiI", arguments, 12)
        ok = self.screen.queue(slot, transform, (left, top, right, bottom))
        return self._sizes() + struct.pack("<i", 0 if ok else _BAD_VALUE)

    def _code_8(self, arguments: bytes) -> bytes:
        self.screen.cancel(struct.unpack_from("<i", arguments)[0])
        return b""

    def _code_9(self, arguments: bytes) -> bytes:
        what = struct.unpack_from("<i", arguments)[0]
        return struct.pack("<ii", {0: 1280, 1: 720, 2: 1, 3: 1}.get(what, 0), 0)

    def _code_10(self, arguments: bytes) -> bytes:
        return self._sizes() + struct.pack("<i", 0)

    def _code_11(self, arguments: bytes) -> bytes:
        self.screen.slots.clear()
        self.screen.buffer_free.signalled = True
        return struct.pack("<i", 0)

    def _code_14(self, arguments: bytes) -> bytes:
        index, given = struct.unpack_from("<iI", arguments)
        if not given:
            self.screen.slots.pop(index, None)
            return b""
        words = arguments[16:]
        width, height, _, kind = struct.unpack_from("<4I", words, 4)
        ints = words[40:]
        plane = ints[0x34:]
        _, _, _, layout, pitch, _, offset, _, gobs = struct.unpack_from("<IIQIIIIII", plane)
        map_id = struct.unpack_from("<I", ints, 4)[0]
        self.screen.slots[index] = Slot(width, height, kind, map_id, offset, pitch, gobs, layout)
        return b""


# ---- the graphics driver -------------------------------------------------------------------------------------------

_MAP_CREATE, _MAP_FROM_ID, _MAP_ALLOC, _MAP_FREE, _MAP_PARAMETER, _MAP_GET_ID = 0x101, 0x103, 0x104, 0x105, 0x109, 0x10E
_SUBMIT = (0x4808, 0x481B)
_BAD_PARAMETER = 4


class Driver(_Display):
    name = "nvdrv"

    def __init__(self, system: System, screen: Screen) -> None:
        super().__init__(system, screen)
        self._files: dict[int, str] = {}

    @command(0)
    def open(self, request: Request) -> Reply:
        path = self.read(request.inputs[0]).split(b"\0")[0].decode("ascii", "replace")
        fd = len(self._files) + 1
        self._files[fd] = path
        self.system.ipc[f"open {path}"] += 1
        return Reply(struct.pack("<II", fd, 0))

    @command(1, 11, 12)
    def control(self, request: Request) -> Reply:
        fd, number = request.unpack("II")
        path = self._files.get(fd)
        if path is None:
            return Reply(struct.pack("<I", _BAD_PARAMETER))
        self.system.ipc[f"ioctl {path} {number:#010x}"] += 1
        argument = bytearray(self.read(request.inputs[0]) if request.inputs else b"")
        out = request.outputs[0] if request.outputs else (0, 0)
        argument = argument.ljust(out[1], b"\0")
        error = self._map(number & 0xFFFF, argument) if path == "/dev/nvmap" else 0
        if number & 0xFFFF in _SUBMIT:
            self.screen.uses_gpu = True
        if out[1]:
            self.write(out, bytes(argument))
        return Reply(struct.pack("<I", error))

    @command(2)
    def close(self, request: Request) -> Reply:
        self._files.pop(request.unpack("I")[0], None)
        return Reply(struct.pack("<I", 0))

    @command(3, 8, 13)
    def success(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0))

    @command(4)
    def query_event(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0), copies=(Event("driver", True),))

    def _map(self, number: int, argument: bytearray) -> int:
        maps = self.screen.maps
        if number == _MAP_CREATE:
            identity = max(maps, default=0) + 1
            maps[identity] = (0, struct.unpack_from("<I", argument)[0])
            struct.pack_into("<I", argument, 4, identity)
            return 0
        at = 4 if number == _MAP_GET_ID else 0
        identity = struct.unpack_from("<I", argument, at)[0]
        if identity not in maps:
            return _BAD_PARAMETER
        address, size = maps[identity]
        if number == _MAP_ALLOC:
            maps[identity] = (struct.unpack_from("<Q", argument, 24)[0], size)
        elif number == _MAP_FROM_ID:
            struct.pack_into("<I", argument, 4, identity)
        elif number == _MAP_GET_ID:
            struct.pack_into("<I", argument, 0, identity)
        elif number == _MAP_FREE:
            struct.pack_into("<QII", argument, 8, address, size, 0)
        elif number == _MAP_PARAMETER:
            which = struct.unpack_from("<I", argument, 4)[0]
            struct.pack_into("<I", argument, 8, {1: size, 2: 0x1000, 4: 0x40000000, 5: 0xFE}.get(which, 0))
        else:
            return 1
        return 0
