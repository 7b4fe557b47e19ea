"""Requests between programs and services: the HIPC envelope, the CMIF payload, domains and session control."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.oracle.kernel import Kernel

CLOSE, REQUEST, CONTROL, REQUEST_WITH_CONTEXT, CONTROL_WITH_CONTEXT = 2, 4, 5, 6, 7
POINTER_BUFFER_SIZE = 0x1000
UNKNOWN_COMMAND, BAD_HEADER, NO_SUCH_OBJECT, SESSION_CLOSED, NOT_ALLOWED = 0x1BA0A, 0xC0B, 0x2120A, 0xF601, 0xF201

Buffer = tuple[int, int]
"""(address, size) in guest memory."""


@dataclass
class Request:
    command: int
    data: bytes
    inputs: list[Buffer]
    outputs: list[Buffer]
    copies: list[Any]
    sends_pid: bool

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """The arguments; those the program left out are zero."""
        layout = "<" + layout
        return struct.unpack_from(layout, self.data.ljust(struct.calcsize(layout), b"\0"))


@dataclass
class Reply:
    data: bytes = b""
    result: int = 0
    copies: tuple[Any, ...] = ()
    moves: tuple[Any, ...] = ()
    objects: tuple[Interface, ...] = ()


Handler = Callable[[Any, Request], Reply]


def command(*numbers: int) -> Callable[[Handler], Handler]:
    """Marks a method of an Interface as the answer to some commands."""

    def mark(handler: Handler) -> Handler:
        handler.numbers = numbers  # type: ignore[attr-defined]
        return handler

    return mark


class Interface:
    """An object that answers commands. `accepts`: commands that succeed without saying or changing anything."""

    name: ClassVar[str] = ""
    accepts: ClassVar[tuple[int, ...]] = ()
    _handlers: ClassVar[dict[int, Handler]] = {}

    def __init_subclass__(cls) -> None:
        own = {n: value for value in vars(cls).values() for n in getattr(value, "numbers", ())}
        cls._handlers = {**cls._handlers, **own}

    def __init__(self, system: System) -> None:
        self.system = system
        self.kernel, self.machine = system.kernel, system.kernel.machine

    def answer(self, request: Request) -> Reply:
        handler = self._handlers.get(request.command)
        if handler is not None:
            return handler(self, request)
        if request.command in self.accepts:
            return Reply()
        self.system.unknown[f"{self.name} {request.command}"] += 1
        return Reply(result=UNKNOWN_COMMAND)

    def closed(self) -> None:
        """The last reference has gone."""

    def read(self, buffer: Buffer) -> bytes:
        return self.machine.read(*buffer)

    def write(self, buffer: Buffer, data: bytes) -> None:
        self.machine.write(buffer[0], data[: buffer[1]])


@dataclass
class System:
    """What all services share."""

    kernel: Kernel
    ipc: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    services: dict[str, Callable[[], Interface]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)


@dataclass(eq=False)
class Domain:
    objects: dict[int, Interface] = field(default_factory=dict)
    last: int = 0

    def add(self, thing: Interface) -> int:
        self.last += 1
        self.objects[self.last] = thing
        return self.last


@dataclass(eq=False)
class Session:
    interface: Interface
    domain: Domain | None = None
    signalled: ClassVar[bool] = False


# ---- reading -------------------------------------------------------------------------------------------------------


@dataclass
class _Envelope:
    kind: int
    statics: list[Buffer]
    sends: list[Buffer]
    receives: list[Buffer]
    exchanges: list[Buffer]
    receive_statics: list[Buffer]
    copies: list[int]
    sends_pid: bool
    payload: bytes


class _Words:
    def __init__(self, message: bytes) -> None:
        self.message, self.at = message, 0

    def take(self, count: int) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{count}I", self.message, self.at)
        self.at += 4 * count
        return found


def _read_envelope(message: bytes) -> _Envelope:
    words = _Words(message)
    first, second = words.take(2)
    sends_pid = False
    copies: tuple[int, ...] = ()
    if second >> 31:
        (special,) = words.take(1)
        sends_pid = bool(special & 1)
        words.at += 8 if sends_pid else 0
        copies = words.take(special >> 1 & 15)
        words.take(special >> 5 & 15)
    statics = [_static(*words.take(2)) for _ in range(first >> 16 & 15)]
    sends, receives, exchanges = (
        [_mapped(*words.take(3)) for _ in range(first >> shift & 15)] for shift in (20, 24, 28)
    )
    start = words.at
    end = start + 4 * (second & 0x3FF)
    words.at = end
    mode = second >> 10 & 15
    receive_statics = [_receive_static(*words.take(2)) for _ in range(max(0, mode - 2))]
    payload = message[-(-start // 16) * 16 : end]
    return _Envelope(
        first & 0xFFFF, statics, sends, receives, exchanges, receive_statics, list(copies), sends_pid, payload
    )


def _static(word: int, low: int) -> Buffer:
    return low | (word >> 12 & 15) << 32 | (word >> 6 & 63) << 36, word >> 16


def _mapped(size: int, low: int, word: int) -> Buffer:
    return low | (word >> 28 & 15) << 32 | (word >> 2 & 0x3FFFFF) << 36, size | (word >> 24 & 15) << 32


def _receive_static(low: int, word: int) -> Buffer:
    return low | (word & 0xFFFF) << 32, word >> 16


def _merge(mapped: list[Buffer], pointed: list[Buffer]) -> list[Buffer]:
    """Buffers that go either way have both descriptors, one of which is empty."""
    merged = [a if a[1] else b for a, b in zip(mapped, pointed, strict=False)]
    return merged + mapped[len(merged) :] + pointed[len(merged) :]


# ---- serving -------------------------------------------------------------------------------------------------------


def serve(kernel: Kernel, session: Session, buffer: int) -> int:
    """Answer the message at `buffer`; the supervisor call's result."""
    envelope = _read_envelope(kernel.machine.read(buffer, 0x100))
    system = session.interface.system
    if envelope.kind == CLOSE:
        system.ipc["close"] += 1
        if session.domain is None:
            session.interface.closed()
        return 0
    if envelope.kind in (CONTROL, CONTROL_WITH_CONTEXT):
        reply = _control(session, envelope)
        data = _pack(kernel, reply, None)
    elif envelope.kind in (REQUEST, REQUEST_WITH_CONTEXT):
        data = _request(kernel, session, envelope)
    else:
        system.unknown[f"message type {envelope.kind}"] += 1
        return NOT_ALLOWED
    kernel.machine.write(buffer, data.ljust(0x100, b"\0")[:0x100])
    return 0


def _control(session: Session, envelope: _Envelope) -> Reply:
    number = struct.unpack_from("<I", envelope.payload, 8)[0]
    system, interface = session.interface.system, session.interface
    system.ipc[f"{interface.name} control {number}"] += 1
    if number == 0:
        if session.domain is None:
            session.domain = Domain()
            session.domain.add(interface)
        return Reply(struct.pack("<I", 1))
    if number == 1 and session.domain is not None:
        chosen = session.domain.objects.get(struct.unpack_from("<I", envelope.payload, 16)[0])
        return Reply(moves=(Session(chosen),)) if chosen else Reply(result=NO_SUCH_OBJECT)
    if number in (2, 4):
        return Reply(moves=(Session(interface, session.domain),))
    if number == 3:
        return Reply(struct.pack("<H", POINTER_BUFFER_SIZE))
    return Reply(result=UNKNOWN_COMMAND)


def _request(kernel: Kernel, session: Session, envelope: _Envelope) -> bytes:
    payload, domain, interface = envelope.payload, session.domain, session.interface
    if domain is not None:
        kind, _, size, identity = struct.unpack_from("<BBHI", payload)
        if kind == 2:
            session.interface.system.ipc["close object"] += 1
            gone = domain.objects.pop(identity, None)
            if gone is not None:
                gone.closed()
            return _pack(kernel, Reply(), domain)
        if identity not in domain.objects:
            return _pack(kernel, Reply(result=NO_SUCH_OBJECT), domain)
        interface, payload = domain.objects[identity], payload[16 : 16 + size]
    if payload[:4] != b"SFCI":
        return _pack(kernel, Reply(result=BAD_HEADER), domain)
    number = struct.unpack_from("<I", payload, 8)[0]
    interface.system.ipc[f"{interface.name} {number}"] += 1
    request = Request(
        number, payload[16:], _merge(envelope.sends, envelope.statics) + envelope.exchanges,
        _merge(envelope.receives, envelope.receive_statics) + envelope.exchanges,
        [kernel.handles.get(handle) for handle in envelope.copies], envelope.sends_pid,
    )  # fmt: skip
    return _pack(kernel, interface.answer(request), domain)


def _pack(kernel: Kernel, reply: Reply, domain: Domain | None) -> bytes:
    if reply.result:
        reply = Reply(result=reply.result)
    moves = list(reply.moves)
    identities: list[int] = []
    if domain is not None:
        identities = [domain.add(thing) for thing in reply.objects]
    else:
        moves = [Session(thing) for thing in reply.objects] + moves
    body = struct.pack("<4sIII", b"SFCO", 0, reply.result, 0) + reply.data
    if domain is not None:
        body = struct.pack("<4I", len(identities), 0, 0, 0) + body + struct.pack(f"<{len(identities)}I", *identities)
    handles = [kernel.add(thing) for thing in (*reply.copies, *moves)]
    special = b""
    if handles:
        special = struct.pack(f"<{len(handles) + 1}I", len(reply.copies) << 1 | len(moves) << 5, *handles)
    words = (16 + len(body) + 3) // 4
    head = struct.pack("<II", 0, words | (1 << 31 if handles else 0)) + special
    return head.ljust(-(-len(head) // 16) * 16, b"\0") + body
