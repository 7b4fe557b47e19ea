"""Supervisor calls of the address space, and what GetInfo says."""

from __future__ import annotations

import struct
from dataclasses import replace

from tests.oracle.kernel import CURRENT_PROCESS, INVALID_HANDLE, Kernel, Process, SharedMemory, TransferMemory
from tests.oracle.machine import CODE, CODE_DATA, HEAP, PAGE, SHARED, STACK, HostPages, Region

ALIAS_REGION, HEAP_REGION, STACK_REGION = (
    (0x10_0000_0000, 64 << 30),
    (0x20_0000_0000, 6 << 30),
    (0x30_0000_0000, 2 << 30),
)
ADDRESS_REGION = (0x800_0000, 0x7F_F800_0000)
HEAP_SIZE, TOTAL_MEMORY = 512 << 20, 0xCD50_0000

_BAD_ADDRESS, _BAD_SIZE, _BAD_STATE, _BAD_PERMISSION, _BAD_RANGE, _UNKNOWN = (
    0xCC01,
    0xCA01,
    0xD401,
    0xD801,
    0xDC01,
    0xF001,
)
_BAD_COMBINATION = 0xE801


class MemoryCalls:
    def __init__(self, kernel: Kernel) -> None:
        self.kernel, self.machine = kernel, kernel.machine
        self._heap = 0
        self._heap_pages: HostPages | None = None

    def _range(self, address: int, size: int) -> int:
        """0, or the error for an address or a size that is no page's."""
        if address % PAGE:
            return _BAD_ADDRESS
        return _BAD_SIZE if size == 0 or size % PAGE else 0

    def call_01(self) -> int:
        size = self.machine.x(1)
        if size % 0x200000 or size > HEAP_REGION[1]:
            return _BAD_SIZE
        if self._heap:
            self.machine.unmap(HEAP_REGION[0], self._heap)
        self._heap_pages = self._heap_pages or HostPages(HEAP_SIZE)
        if size > HEAP_SIZE:
            return 0xD001
        self._heap = size
        if size:
            self.machine.map(HEAP_REGION[0], size, HEAP, 3, self._heap_pages)
        self.machine.set_x(1, HEAP_REGION[0])
        return 0

    def call_02(self) -> int:
        address, size, permission = self.machine.x(0), self.machine.x(1), self.machine.x(2) & 0xFFFFFFFF
        if error := self._range(address, size):
            return error
        if permission not in (0, 1, 3):
            return _BAD_PERMISSION
        if not self.machine.covers(address, size, (HEAP, CODE_DATA, CODE)):
            return _BAD_STATE
        self.machine.protect(address, size, permission)
        return 0

    def call_03(self) -> int:
        address, size = self.machine.x(0), self.machine.x(1)
        mask, value = self.machine.x(2) & 0xFFFFFFFF, self.machine.x(3) & 0xFFFFFFFF
        if error := self._range(address, size):
            return error
        if value & ~mask or mask & ~0x18:
            return _BAD_COMBINATION

        def how(region: Region) -> Region:
            return replace(region, attributes=region.attributes & ~mask | value)

        self.machine.change(address, size, how)
        return 0

    def call_04(self) -> int:
        view, source, size = (self.machine.x(i) for i in range(3))
        if error := self._range(view | source, size):
            return error
        base, length = STACK_REGION
        if not base <= view <= view + size <= base + length:
            return _BAD_RANGE
        region = self.machine.at(source)
        if (
            region is None
            or not self.machine.covers(source, size, (HEAP, CODE_DATA), 3)
            or not self.machine.is_free(view, size)
        ):
            return _BAD_STATE
        self.machine.map(view, size, STACK, 3, region.host, region.offset + source - region.start)
        self.machine.protect(source, size, 0, 1)
        return 0

    def call_05(self) -> int:
        view, source, size = (self.machine.x(i) for i in range(3))
        if error := self._range(view | source, size):
            return error
        base, length = STACK_REGION
        if not base <= view <= view + size <= base + length:
            return _BAD_RANGE
        if not self.machine.covers(view, size, (STACK,)) or not self.machine.covers(source, size, (HEAP, CODE_DATA), 0):
            return _BAD_STATE
        self.machine.unmap(view, size)
        self.machine.protect(source, size, 3, 0)
        return 0

    def call_06(self) -> int:
        base, size, kind, attributes, permission = self.machine.describe(self.machine.x(2))
        record = struct.pack("<QQ6I", base, size & (1 << 64) - 1, kind, attributes, permission, 0, 0, 0)
        self.machine.write(self.machine.x(0), record)
        self.machine.set_x(1, 0)
        return 0

    def call_13(self) -> int:
        memory, address, size = (
            self.kernel.get(self.machine.x(0) & 0xFFFFFFFF, SharedMemory),
            self.machine.x(1),
            self.machine.x(2),
        )
        if error := self._range(address, size):
            return error
        permission = self.machine.x(3) & 0xFFFFFFFF
        if permission not in (1, 3):
            return _BAD_PERMISSION
        if memory is None:
            return INVALID_HANDLE
        if size != memory.host.size:
            return _BAD_SIZE
        if not self.machine.is_free(address, size):
            return _BAD_STATE
        self.machine.map(address, size, SHARED, permission, memory.host)
        return 0

    def call_14(self) -> int:
        memory, address, size = (
            self.kernel.get(self.machine.x(0) & 0xFFFFFFFF, SharedMemory),
            self.machine.x(1),
            self.machine.x(2),
        )
        if error := self._range(address, size):
            return error
        if memory is None:
            return INVALID_HANDLE
        if not self.machine.covers(address, size, (SHARED,)):
            return _BAD_STATE
        self.machine.unmap(address, size)
        return 0

    def call_15(self) -> int:
        address, size, permission = self.machine.x(1), self.machine.x(2), self.machine.x(3) & 0xFFFFFFFF
        if error := self._range(address, size):
            return error
        if permission not in (0, 1, 3):
            return _BAD_PERMISSION
        if not self.machine.covers(address, size, (HEAP, CODE_DATA), 3):
            return _BAD_STATE
        self.machine.set_x(1, self.kernel.add(TransferMemory(address, size)))
        return 0

    def call_29(self) -> int:
        which, handle, sub = self.machine.x(1) & 0xFFFFFFFF, self.machine.x(2) & 0xFFFFFFFF, self.machine.x(3)
        if which == 11:
            if sub > 3:
                return 0xE801
            self.machine.set_x(1, 0x1111111111111111 * (sub + 1))
            return 0
        known = {
            0: 7, 1: (1 << 60) - (1 << 28), 2: ALIAS_REGION[0], 3: ALIAS_REGION[1], 4: HEAP_REGION[0],
            5: HEAP_REGION[1], 6: TOTAL_MEMORY, 7: HEAP_SIZE, 8: 0,
            12: ADDRESS_REGION[0], 13: ADDRESS_REGION[1], 14: STACK_REGION[0],
            15: STACK_REGION[1], 16: 0, 17: 0, 18: 0x0100000000001000, 21: TOTAL_MEMORY, 22: HEAP_SIZE, 23: 1, 28: 0,
        }  # fmt: skip
        if which not in known:
            return _UNKNOWN
        if handle != CURRENT_PROCESS and self.kernel.get(handle, Process) is None and which not in (8,):
            return INVALID_HANDLE
        self.machine.set_x(1, known[which])
        return 0
