"""Loads an NRO as a homebrew loader does, plays it, and says what was shown, heard and asked."""

from __future__ import annotations

import struct
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from unicorn import UcError

from tests.oracle.calls import RETURN_TO_LOADER, Calls
from tests.oracle.kernel import Finished, Kernel, Process, Thread
from tests.oracle.machine import CODE, CODE_DATA, HEAP, PAGE, STACK, STATIC, THREAD_LOCAL, Fault
from tests.oracle.memory_calls import HEAP_REGION, HEAP_SIZE, STACK_REGION
from tests.oracle.messages import Session, System
from tests.oracle.services import hid, register
from tests.oracle.services.screen import Screen
from tests.oracle.services.settings import Manager
from tests.oracle.services.sound import Sound

IMAGE, BLOCKS, CONFIG, LOADER = 0x8_0000_0000, 0x700_0000, 0x710_0000, 0x720_0000
STACK_SIZE, BLOCK_SIZE, BLOCKS_SIZE = 0x100000, 0x200, 0x10000
COMPOSE_NS = 1_000_000
"""The display takes its next picture so long before it shows it."""
SEED = (0x0123456789ABCDEF, 0xFEDCBA9876543210)
KEY_END, KEY_THREAD, KEY_NEXT, KEY_HEAP, KEY_ARGV, KEY_CALLS, KEY_APPLET, KEY_PROCESS = 0, 1, 2, 3, 5, 6, 7, 10
KEY_RESULT, KEY_RANDOM, KEY_VERSION, KEY_CALLS_2 = 11, 14, 16, 17


@dataclass(frozen=True)
class Options:
    """`script`: events (tick, type, code, value), Linux numbers. `ticks`: the most to play. `seconds`: wall clock."""

    script: tuple[tuple[int, int, int, int], ...] = ()
    ticks: int = 600
    seconds: float = 600.0
    version: tuple[int, int, int] = (9, 0, 0)
    argv: str = ""
    say_version: bool = True


@dataclass
class Report:
    exit: Finished
    ticks: int
    frames: list[str]
    pictures: dict[int, np.ndarray]
    samples: np.ndarray
    text: str
    svc: Counter[int]
    ipc: Counter[str]
    services: Counter[str]
    unknown: Counter[str]
    queued: int
    uses_gpu: bool


class Oracle:
    def __init__(self, nro: bytes, card: Path, options: Options, keep: tuple[int, ...] = ()) -> None:
        """`card` is the SD card's folder; the program lies there under its argv[0]. `keep`: ticks whose pictures the
        report holds."""
        self.kernel = Kernel()
        self.options, self._keep = options, keep
        self._tick, self._blocks, self._is_composed = 0, 0, False
        self._pictures: dict[int, np.ndarray] = {}
        self._end_time = time.monotonic() + options.seconds
        self.screen, self.sound = Screen(self.kernel), Sound(self.kernel)
        self.system = System(self.kernel)
        self.pads = hid.Pads(self.kernel, list(options.script))
        register(self.system, card, self.screen, self.sound, self.pads, options.version)
        self.calls = Calls(self.kernel, lambda: Session(Manager(self.system)), self._new_block)
        self.kernel.on_time.insert(0, self._clock)
        self.kernel.next_times.append(self._next_instant)
        self._load(nro)
        self._start(options.argv or "sdmc:/switch/program.nro")
        self.pads.publish(0)

    def run(self) -> Report:
        try:
            self.kernel.run(self.calls)
            raise AssertionError("the kernel runs for ever")
        except Finished as finished:
            end = finished
        except Fault as fault:
            end = Finished("fault", detail=str(fault))
        except (UcError, struct.error, ValueError, OverflowError) as error:
            end = Finished("fault", detail=f"a request makes no sense: {error}")
        return Report(
            end, self._tick, self.screen.frames, self._pictures, self.sound.heard(self._tick),
            self.calls.debug.decode("utf-8", "replace"), self.calls.counts, self.system.ipc, self.system.asked,
            self.system.unknown + self.calls.unknown, self.screen.queued, self.screen.uses_gpu,
        )  # fmt: skip

    # ---- time ------------------------------------------------------------------------------------------------------

    def _next_blank(self) -> int:
        """Tick n ends at (n + 1) / 60 s."""
        return -(-(self._tick + 1) * 1_000_000_000 // 60)

    def _next_instant(self) -> int:
        return self._next_blank() - (0 if self._is_composed else COMPOSE_NS)

    def _clock(self) -> None:
        while self.kernel.now >= self._next_instant():
            if not self._is_composed:
                self._is_composed = True
                self.screen.compose()
                continue
            self._is_composed = False
            self.screen.blank()
            if self._tick in self._keep:
                self._pictures[self._tick] = self.screen.picture.copy()
            self._tick += 1
            if self._tick >= self.options.ticks:
                raise Finished("limit", detail=f"{self._tick} ticks")
            self.pads.publish(self._tick)
        if time.monotonic() > self._end_time:
            raise Finished("limit", detail=f"{self.options.seconds:g} s of this machine's time")

    # ---- loading ---------------------------------------------------------------------------------------------------

    def _load(self, nro: bytes) -> None:
        if len(nro) < 0x80 or nro[0x10:0x14] != b"NRO0":
            raise ValueError("not an NRO")
        size = struct.unpack_from("<I", nro, 0x18)[0]
        (text, text_size, rodata, rodata_size, data, data_size, bss) = struct.unpack_from("<7I", nro, 0x20)
        machine = self.kernel.machine
        end = -(-(data + data_size + bss) // PAGE) * PAGE
        for start, length, kind, permission in (
            (text, text_size, CODE, 5), (rodata, rodata_size, CODE, 1), (data, end - data, CODE_DATA, 3),
        ):  # fmt: skip
            pages = machine.map(IMAGE + start, length, kind, permission)
            pages.write(0, nro[start : min(start + length, size)])

    def _new_block(self) -> int:
        self._blocks += 1
        return BLOCKS + BLOCK_SIZE * self._blocks

    def _start(self, argv: str) -> None:
        machine, kernel = self.kernel.machine, self.kernel
        stack = STACK_REGION[0] + 0x100000
        machine.map(stack, STACK_SIZE, STACK, 3)
        machine.map(BLOCKS, BLOCKS_SIZE, THREAD_LOCAL, 3)
        machine.map(CONFIG, 4 * PAGE, STATIC, 3)
        machine.map(LOADER, PAGE, CODE, 5).write(0, struct.pack("<I", 0xD4000001 | RETURN_TO_LOADER << 5))
        machine.map(HEAP_REGION[0], HEAP_SIZE, HEAP, 3)
        thread = Thread(1, 44, self._new_block(), machine.fresh_context())
        thread.handle = kernel.add(thread)
        kernel.threads.append(thread)
        self._write_config(thread.handle, kernel.add(Process()), argv)
        thread.context[0], thread.context[1], thread.context[30] = CONFIG, (1 << 64) - 1, LOADER
        thread.context[31], thread.context[32], thread.context[34] = stack + STACK_SIZE, IMAGE, thread.block
        kernel.make_ready(thread, {})

    def _write_config(self, thread: int, process: int, argv: str) -> None:
        every, flag = (1 << 64) - 1, 1
        entries = [
            (KEY_THREAD, 0, thread, 0), (KEY_PROCESS, 0, process, 0), (KEY_APPLET, 0, 0, 0),
            (KEY_ARGV, 0, 0, CONFIG + PAGE), (KEY_NEXT, 0, CONFIG + 2 * PAGE, CONFIG + 2 * PAGE + 0x800),
            (KEY_RESULT, 0, 0, 0), (KEY_CALLS, 0, every, every), (KEY_CALLS_2, 0, every, 0), (KEY_RANDOM, 0, *SEED),
            (KEY_HEAP, flag, HEAP_REGION[0], HEAP_SIZE),
        ]  # fmt: skip
        if self.options.say_version:
            major, minor, micro = self.options.version
            entries.append((KEY_VERSION, 0, major << 16 | minor << 8 | micro, 0))
        entries.append((KEY_END, 0, CONFIG + 3 * PAGE, 6))
        machine = self.kernel.machine
        machine.write(CONFIG, b"".join(struct.pack("<IIQQ", *entry) for entry in entries))
        machine.write(CONFIG + PAGE, argv.encode() + b"\0")
        machine.write(CONFIG + 3 * PAGE, b"oracle")
