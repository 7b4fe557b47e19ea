"""Kernel objects, threads and virtual time.

Threads run one at a time, the highest priority first, until they wait, sleep, yield or wake one of higher priority.
Time moves only when every thread waits, and by 500 ns each time the guest reads the counter; after 4,096 supervisor
calls at one instant also by 1 us with each further one, so that no loop of calls stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.oracle.machine import HostPages, Machine

WAIT_BIT = 0x40000000
CURRENT_THREAD, CURRENT_PROCESS = 0xFFFF8000, 0xFFFF8001
TIMED_OUT, CANCELLED = 0xEA01, 0xEC01
INVALID_HANDLE = 0xE401
FOREVER = None
FREE_CALLS = 4096


class Finished(Exception):
    """The program's end: `kind` is "return", "exit", "break", "fatal", "limit", "fault" or "deadlock"."""

    def __init__(self, kind: str, code: int = 0, detail: str = "") -> None:
        super().__init__(kind, code, detail)
        self.kind, self.code, self.detail = kind, code, detail


class Again(Exception):
    """The running thread makes its call again once `event` is signalled: a service keeps it waiting."""

    def __init__(self, event: Event) -> None:
        super().__init__(event)
        self.event = event


@dataclass(eq=False)
class Event:
    name: str = ""
    signalled: bool = False


@dataclass(eq=False)
class EventWriter:
    event: Event


@dataclass(eq=False)
class SharedMemory:
    host: HostPages


@dataclass(eq=False)
class TransferMemory:
    address: int
    size: int


@dataclass(eq=False)
class Process:
    pid: int = 0x51


@dataclass(eq=False)
class Wait:
    """What a thread sleeps for. `kind`: "sleep", "objects", "again", "lock", "key" or "address"."""

    kind: str
    deadline: int | None
    objects: list[Any] = field(default_factory=list)
    address: int = 0
    key: int = 0
    tag: int = 0
    owner: Thread | None = None
    order: int = 0


@dataclass(eq=False)
class Thread:
    identity: int
    priority: int
    block: int
    context: list[int]
    handle: int = 0
    state: str = "new"  # "new", "ready", "waiting" or "dead"
    wait: Wait | None = None
    result: dict[int, int] = field(default_factory=dict)
    turn: int = 0
    core: int = 0
    mask: int = 7
    cancelled: bool = False

    @property
    def signalled(self) -> bool:
        return self.state == "dead"


class Kernel:
    def __init__(self) -> None:
        self.now = 0
        self.machine = Machine(self._read_counter)
        self.handles: dict[int, Any] = {}
        self.threads: list[Thread] = []
        self.current: Thread | None = None
        self.on_time: list[Callable[[], None]] = []
        """Called whenever time may have moved."""
        self.next_times: list[Callable[[], int | None]] = []
        """Each says when it next wants to be called."""
        self._next_handle, self._turn, self._order = 1, 0, 0
        self._calls, self._calls_at = 0, 0

    # ---- time ------------------------------------------------------------------------------------------------------

    def ticks(self) -> int:
        return self.now * 12 // 625

    def _read_counter(self) -> int:
        self.now += 500
        return self.ticks()

    # ---- handles ---------------------------------------------------------------------------------------------------

    def add(self, thing: Any) -> int:
        handle = self._next_handle << 3 | 1
        self._next_handle += 1
        self.handles[handle] = thing
        return handle

    def get(self, handle: int, kind: type) -> Any:
        if handle == CURRENT_THREAD:
            found: Any = self.current
        else:
            found = self.handles.get(handle)
        return found if isinstance(found, kind) else None

    # ---- threads ---------------------------------------------------------------------------------------------------

    def make_ready(self, thread: Thread, result: dict[int, int]) -> None:
        self._turn += 1
        thread.state, thread.wait, thread.result, thread.turn = "ready", None, result, self._turn

    def rotate(self) -> None:
        """The running thread goes behind the others of its priority."""
        assert self.current is not None
        self._turn += 1
        self.current.turn = self._turn

    def sleep(self, wait: Wait) -> None:
        assert self.current is not None
        self._order += 1
        wait.order = self._order
        self.current.state, self.current.wait = "waiting", wait

    def deadline(self, timeout_ns: int) -> int | None:
        signed = timeout_ns - (1 << 64) if timeout_ns >> 63 else timeout_ns
        return FOREVER if signed < 0 else self.now + signed

    def waiters(self, kind: str, **facts: int) -> list[Thread]:
        """Those that wait for this, who is woken first in front."""
        found = [
            thread
            for thread in self.threads
            if thread.wait is not None
            and thread.wait.kind == kind
            and all(getattr(thread.wait, name) == value for name, value in facts.items())
        ]
        return sorted(found, key=lambda thread: (thread.priority, thread.wait.order if thread.wait else 0))

    def run(self, call: Callable[[int], None]) -> None:
        """Schedule for ever; `call` answers supervisor call n of the current thread. Ends with Finished or Fault."""
        loaded: Thread | None = None
        while True:
            for hook in self.on_time:
                hook()
            self._wake()
            ready = [thread for thread in self.threads if thread.state == "ready"]
            if not ready:
                self._advance()
                continue
            thread = min(ready, key=lambda thread: (thread.priority, thread.turn))
            if thread is not loaded:
                if loaded is not None:
                    loaded.context = self.machine.save()
                self.machine.load(thread.context)
                loaded = self.current = thread
            for register, value in thread.result.items():
                self.machine.set_x(register, value)
            thread.result = {}
            number = self.machine.run()
            self._pass_call()
            call(number)

    def _pass_call(self) -> None:
        if self.now != self._calls_at:
            self._calls = 0
        self._calls += 1
        if self._calls > FREE_CALLS:
            self.now += 1000
        self._calls_at = self.now

    def _wake(self) -> None:
        for thread in self.threads:
            wait = thread.wait
            if wait is None:
                continue
            for index, thing in enumerate(wait.objects):
                if thing.signalled:
                    self.make_ready(thread, {} if wait.kind == "again" else {0: 0, 1: index})
                    break
            else:
                if wait.deadline is not None and self.now >= wait.deadline:
                    result = {} if wait.kind == "sleep" else {0: TIMED_OUT, **({1: 0xFFFFFFFF} if wait.objects else {})}
                    self.make_ready(thread, result)

    def _advance(self) -> None:
        times = [thread.wait.deadline for thread in self.threads if thread.wait and thread.wait.deadline is not None]
        times += [time for ask in self.next_times if (time := ask()) is not None]
        if not times:
            raise Finished("deadlock", detail="every thread waits for ever")
        self.now = max(self.now, min(times))
