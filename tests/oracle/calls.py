"""Supervisor calls of threads, time, handles and events. `memory_calls` has those of the address space."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.oracle import messages
from tests.oracle.kernel import (
    CANCELLED,
    CURRENT_PROCESS,
    CURRENT_THREAD,
    INVALID_HANDLE,
    TIMED_OUT,
    WAIT_BIT,
    Again,
    Event,
    EventWriter,
    Finished,
    Kernel,
    Process,
    Thread,
    Wait,
)  # fmt: skip
from tests.oracle.machine import PC, SP, THREAD_BLOCK
from tests.oracle.memory_calls import MemoryCalls

RETURN_TO_LOADER = 0xFFF
"""Not a call of the system: the code at the loader's return address."""

YIELD_NS = 10_000
"""What giving way takes, so that a loop that only gives way sees time pass."""

_NOT_FOUND, _UNKNOWN_ENUM, _NOT_SIGNALLED, _BAD_PRIORITY, _BAD_CORE, _BAD_COMBINATION = (
    0xF201,
    0xF001,
    0xFA01,
    0xE001,
    0xE201,
    0xE801,
)
_BAD_ADDRESS, _OUT_OF_RANGE, _BAD_POINTER, _NOT_IMPLEMENTED = 0xCC01, 0xEE01, 0xE601, 0x4201


class Calls:
    """Answers call n from the registers of the running thread."""

    def __init__(self, kernel: Kernel, connect: Callable[[], Any], new_block: Callable[[], int]) -> None:
        self.kernel, self.machine = kernel, kernel.machine
        self.counts: Counter[int] = Counter()
        self.unknown: Counter[str] = Counter()
        self.debug = bytearray()
        self.memory = MemoryCalls(kernel)
        self._connect, self._new_block = connect, new_block

    def __call__(self, number: int) -> None:
        if number == RETURN_TO_LOADER:
            raise Finished("return", self.machine.x(0) & 0xFFFFFFFF)
        self.counts[number] += 1
        handler = getattr(self, f"call_{number:02x}", None) or getattr(self.memory, f"call_{number:02x}", None)
        if handler is None:
            self.unknown[f"svc {number:#04x}"] += 1
            self.machine.set_x(0, _NOT_IMPLEMENTED)
            return
        result = handler()
        if result is not None:
            self.machine.set_x(0, result)

    def _w(self, index: int) -> int:
        return self.machine.x(index) & 0xFFFFFFFF

    def _me(self) -> Thread:
        assert self.kernel.current is not None
        return self.kernel.current

    # ---- process and threads ---------------------------------------------------------------------------------------

    def call_07(self) -> None:
        raise Finished("exit")

    def call_08(self) -> int:
        entry, argument, stack = (self.machine.x(i) for i in (1, 2, 3))
        priority, core = self._w(4), self._w(5)
        if core != 0xFFFFFFFE and core > 2:
            return _BAD_CORE
        if not 28 <= priority <= 59:
            return _BAD_PRIORITY
        thread = Thread(len(self.kernel.threads) + 1, priority, self._new_block(), self.machine.fresh_context())
        thread.core = 0 if core == 0xFFFFFFFE else core
        thread.context[0], thread.context[SP], thread.context[PC] = argument, stack, entry
        thread.context[THREAD_BLOCK] = thread.block
        thread.handle = self.kernel.add(thread)
        self.kernel.threads.append(thread)
        self.machine.set_x(1, thread.handle)
        return 0

    def call_09(self) -> int:
        thread = self.kernel.get(self._w(0), Thread)
        if thread is None:
            return INVALID_HANDLE
        if thread.state != "new":
            return _NOT_SIGNALLED  # "invalid state", the same number
        self.kernel.make_ready(thread, {})
        return 0

    def call_0a(self) -> None:
        self._me().state = "dead"

    def call_0b(self) -> None:
        ns = self.machine.x(0)
        if ns == 0 or ns >> 63:
            self.kernel.now += YIELD_NS
            self.kernel.rotate()
        else:
            self.kernel.sleep(Wait("sleep", self.kernel.deadline(ns)))

    def call_0c(self) -> int:
        thread = self.kernel.get(self._w(1), Thread)
        self.machine.set_x(1, thread.priority if thread else 0)
        return 0 if thread else INVALID_HANDLE

    def call_0d(self) -> int:
        thread, priority = self.kernel.get(self._w(0), Thread), self._w(1)
        if not 28 <= priority <= 59:
            return _BAD_PRIORITY
        if thread is None:
            return INVALID_HANDLE
        thread.priority = priority
        return 0

    def call_0e(self) -> int:
        thread = self.kernel.get(self._w(2), Thread)
        if thread is None:
            return INVALID_HANDLE
        self.machine.set_x(1, thread.core)
        self.machine.set_x(2, thread.mask)
        return 0

    def call_0f(self) -> int:
        thread, core, mask = self.kernel.get(self._w(0), Thread), self._w(1), self.machine.x(2)
        if thread is None:
            return INVALID_HANDLE
        if core < 3 and not mask >> core & 1:
            return _BAD_COMBINATION
        if core >= 3 and core < 0xFFFFFFFD or mask & ~7:
            return _BAD_CORE
        thread.core, thread.mask = core if core < 3 else thread.core, mask
        return 0

    def call_10(self) -> int:
        return self._me().core

    def call_24(self) -> int:
        handle = self._w(1)
        known = handle == CURRENT_PROCESS or self.kernel.get(handle, Process) or self.kernel.get(handle, Thread)
        self.machine.set_x(1, 0x51 if known else 0)
        return 0 if known else INVALID_HANDLE

    def call_25(self) -> int:
        thread = self.kernel.get(self._w(1), Thread)
        self.machine.set_x(1, thread.identity if thread else 0)
        return 0 if thread else INVALID_HANDLE

    # ---- handles, events, waiting ----------------------------------------------------------------------------------

    def call_16(self) -> int:
        handle = self._w(0)
        if self.kernel.handles.pop(handle, None) is None:
            return 0 if handle in (CURRENT_THREAD, CURRENT_PROCESS) else INVALID_HANDLE
        return 0

    def call_11(self) -> int:
        writer = self.kernel.get(self._w(0), EventWriter)
        if writer is None:
            return INVALID_HANDLE
        writer.event.signalled = True
        return 0

    def call_12(self) -> int:
        found = self.kernel.get(self._w(0), EventWriter) or self.kernel.get(self._w(0), Event)
        if found is None:
            return INVALID_HANDLE
        (found.event if isinstance(found, EventWriter) else found).signalled = False
        return 0

    def call_17(self) -> int:
        event = self.kernel.get(self._w(0), Event)
        if event is None:
            return INVALID_HANDLE
        if not event.signalled:
            return _NOT_SIGNALLED
        event.signalled = False
        return 0

    def call_18(self) -> int | None:
        address, count, timeout = self.machine.x(1), self._w(2), self.machine.x(3)
        if count > 0x40:
            return _OUT_OF_RANGE
        handles = struct.unpack(f"<{count}I", self.machine.read(address, 4 * count))
        things = [self.kernel.get(handle, (Event, Thread, messages.Session)) for handle in handles]  # type: ignore[arg-type]
        if any(thing is None for thing in things):
            return INVALID_HANDLE
        for index, thing in enumerate(things):
            if thing.signalled:
                self.machine.set_x(1, index)
                return 0
        if timeout == 0:
            return TIMED_OUT
        if self._me().cancelled:
            self._me().cancelled = False
            return CANCELLED
        self.kernel.sleep(Wait("objects", self.kernel.deadline(timeout), objects=things))
        return None

    def call_19(self) -> int:
        thread = self.kernel.get(self._w(0), Thread)
        if thread is None:
            return INVALID_HANDLE
        if thread.wait is not None and thread.wait.kind == "objects":
            self.kernel.make_ready(thread, {0: CANCELLED})
        else:
            thread.cancelled = True
        return 0

    def call_45(self) -> int:
        event = Event("of the program")
        self.machine.set_x(1, self.kernel.add(EventWriter(event)))
        self.machine.set_x(2, self.kernel.add(event))
        return 0

    # ---- locks -----------------------------------------------------------------------------------------------------

    def call_1a(self) -> int | None:
        owner, address, tag = self._w(0), self.machine.x(1), self._w(2)
        if address & 3:
            return _BAD_ADDRESS
        if self.machine.u32(address) != owner | WAIT_BIT:
            return 0
        thread = self.kernel.get(owner, Thread)
        if thread is None:
            return INVALID_HANDLE
        self.kernel.sleep(Wait("lock", None, address=address, tag=tag, owner=thread))
        return None

    def call_1b(self) -> int:
        address = self.machine.x(0)
        if address & 3:
            return _BAD_ADDRESS
        self._release(address)
        return 0

    def _release(self, address: int) -> None:
        waiting = [
            t for t in self.kernel.waiters("lock", address=address) if t.wait and t.wait.owner is self.kernel.current
        ]
        if not waiting:
            self.machine.set_u32(address, 0)
            return
        heir, others = waiting[0], waiting[1:]
        assert heir.wait is not None
        self.machine.set_u32(address, heir.wait.tag | (WAIT_BIT if others else 0))
        self.kernel.make_ready(heir, {0: 0})
        for thread in others:
            assert thread.wait is not None
            thread.wait.owner = heir

    def call_1c(self) -> int | None:
        address, key, tag, timeout = self.machine.x(0), self.machine.x(1), self._w(2), self.machine.x(3)
        if address & 3:
            return _BAD_ADDRESS
        self._release(address)
        self.machine.set_u32(key, 1)
        if timeout == 0:
            return TIMED_OUT
        self.kernel.sleep(Wait("key", self.kernel.deadline(timeout), address=address, key=key, tag=tag))
        return None

    def call_1d(self) -> None:
        key, count = self.machine.x(0), self._w(1)
        waiting = self.kernel.waiters("key", key=key)
        chosen = waiting if count == 0 or count >> 31 else waiting[:count]
        for thread in chosen:
            self._take_or_queue(thread)
        if len(chosen) == len(waiting):
            self.machine.set_u32(key, 0)

    def _take_or_queue(self, thread: Thread) -> None:
        """A woken sleeper owns the mutex, or waits for it as if it had asked for it."""
        wait = thread.wait
        assert wait is not None
        value = self.machine.u32(wait.address)
        if value == 0:
            self.machine.set_u32(wait.address, wait.tag)
            self.kernel.make_ready(thread, {0: 0})
            return
        self.machine.set_u32(wait.address, value | WAIT_BIT)
        owner = self.kernel.get(value & ~WAIT_BIT, Thread)
        thread.wait = Wait("lock", None, address=wait.address, tag=wait.tag, owner=owner, order=wait.order)

    def call_34(self) -> int | None:
        address, kind, value, timeout = self.machine.x(0), self._w(1), self._w(2), self.machine.x(3)
        if address & 3:
            return _BAD_ADDRESS
        found = self.machine.u32(address)
        if kind > 2:
            return _UNKNOWN_ENUM
        holds = found == value if kind == 2 else _signed(found) < _signed(value)
        if not holds:
            return _NOT_SIGNALLED
        if kind == 1:
            self.machine.set_u32(address, found - 1)
        if timeout == 0:
            return TIMED_OUT
        self.kernel.sleep(Wait("address", self.kernel.deadline(timeout), address=address))
        return None

    def call_35(self) -> int:
        address, kind, value, count = self.machine.x(0), self._w(1), self._w(2), _signed(self._w(3))
        if address & 3:
            return _BAD_ADDRESS
        if kind > 2:
            return _UNKNOWN_ENUM
        waiting = self.kernel.waiters("address", address=address)
        if kind and self.machine.u32(address) != value:
            return _NOT_SIGNALLED
        if kind == 1:
            self.machine.set_u32(address, value + 1)
        if kind == 2:
            all_go = bool(waiting) and (count <= 0 or len(waiting) <= count)
            step = -1 if all_go else 1 if not waiting else 0
            self.machine.set_u32(address, value + step)
        for thread in waiting if count <= 0 else waiting[:count]:
            self.kernel.make_ready(thread, {0: 0})
        return 0

    # ---- the rest --------------------------------------------------------------------------------------------------

    def call_1e(self) -> int:
        return self.kernel.ticks()

    def call_1f(self) -> int:
        if self.machine.text(self.machine.x(1), 12) != "sm:":
            return _NOT_FOUND
        self.machine.set_x(1, self.kernel.add(self._connect()))
        return 0

    def call_21(self) -> int | None:
        return self._send(self._me().block, self._w(0))

    def call_22(self) -> int | None:
        return self._send(self.machine.x(0), self._w(2))

    def _send(self, buffer: int, handle: int) -> int | None:
        session = self.kernel.get(handle, messages.Session)
        try:
            return messages.serve(self.kernel, session, buffer) if session else INVALID_HANDLE
        except Again as again:
            self.kernel.sleep(Wait("again", None, [again.event]))
            self.machine.go_back()
            return None

    def call_26(self) -> int:
        reason, address, size = self.machine.x(0), self.machine.x(1), self.machine.x(2)
        if reason >> 31 & 1:
            return 0
        code = self.machine.u32(address) if size == 4 else 0
        raise Finished("break", code, f"reason {reason:#x}")

    def call_27(self) -> int:
        self.debug += self.machine.read(self.machine.x(0), min(self.machine.x(1), 0x10000))
        return 0


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value
