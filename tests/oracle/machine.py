"""The guest's memory and CPU: regions over host memory (so that views can share pages), registers, execution."""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from unicorn import UC_ARCH_ARM64, UC_HOOK_INSN, UC_HOOK_INTR, UC_HOOK_MEM_PROT, UC_HOOK_MEM_UNMAPPED, UC_MODE_ARM, Uc
from unicorn import arm64_const as a64

PAGE = 0x1000
ADDRESS_SPACE_END = 1 << 39
COUNTER_HZ = 19_200_000
SUPERVISOR_CALL = 2

UNMAPPED, STATIC, CODE, CODE_DATA, HEAP, SHARED, STACK, THREAD_LOCAL, RESERVED = 0, 2, 3, 4, 5, 6, 0xB, 0xC, 0x10

_X = [getattr(a64, f"UC_ARM64_REG_X{i}") for i in range(31)]
_SAVED = [
    *_X,
    *(a64.UC_ARM64_REG_SP, a64.UC_ARM64_REG_PC, a64.UC_ARM64_REG_NZCV),
    *(a64.UC_ARM64_REG_TPIDRRO_EL0, a64.UC_ARM64_REG_TPIDR_EL0, a64.UC_ARM64_REG_FPCR, a64.UC_ARM64_REG_FPSR),
    *(getattr(a64, f"UC_ARM64_REG_Q{i}") for i in range(32)),
]
SP, PC, THREAD_BLOCK = 31, 32, 34
"""Indexes into a saved context, whose first 31 words are x0-x30."""


class HostPages:
    """Zeroed host memory at an address that the emulator can map, several times if need be."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._map = mmap.mmap(-1, size)
        self._buffer = (ctypes.c_char * size).from_buffer(self._map)
        self.address = ctypes.addressof(self._buffer)

    def write(self, offset: int, data: bytes) -> None:
        ctypes.memmove(self.address + offset, data, len(data))


@dataclass(frozen=True)
class Region:
    start: int
    end: int
    kind: int
    permission: int
    host: HostPages
    offset: int
    attributes: int = 0

    def part(self, start: int, end: int) -> Region:
        return replace(self, start=start, end=end, offset=self.offset + start - self.start)


class Fault(Exception):
    """The guest did something that no system call explains."""


class Machine:
    def __init__(self, on_counter: Callable[[], int]) -> None:
        self.regions: list[Region] = []
        self.fault = ""
        self._on_counter = on_counter
        self._stop = 0
        self.uc = Uc(UC_ARCH_ARM64, UC_MODE_ARM)
        self.uc.ctl_set_cpu_model(a64.UC_CPU_ARM64_A57)
        self.uc.reg_write(a64.UC_ARM64_REG_CPACR_EL1, 3 << 20)
        self.uc.hook_add(UC_HOOK_INTR, self._interrupt)
        self.uc.hook_add(UC_HOOK_INSN, self._system_register, None, 1, 0, a64.UC_ARM64_INS_MRS)
        self.uc.hook_add(UC_HOOK_MEM_UNMAPPED | UC_HOOK_MEM_PROT, self._bad_access)

    # ---- execution -------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Until the next supervisor call, whose number is returned. Raises Fault for anything else."""
        self._stop = 0
        pc = self.uc.reg_read(a64.UC_ARM64_REG_PC)
        try:
            self.uc.emu_start(pc, ADDRESS_SPACE_END)
        except Exception as error:  # unicorn's own class says no more than its text
            raise Fault(f"{error} {self.fault}".strip()) from error
        pc = self.uc.reg_read(a64.UC_ARM64_REG_PC)
        if self._stop != SUPERVISOR_CALL:
            raise Fault(f"exception {self._stop} at {pc:#x}")
        return self.u32(pc - 4) >> 5 & 0xFFFF

    def _interrupt(self, uc: Uc, number: int, _: object) -> None:
        self._stop = number
        uc.emu_stop()

    def _system_register(self, uc: Uc, register: int, which: object, _: object) -> bool:
        key = (which.op0, which.op1, which.crn, which.crm, which.op2)  # type: ignore[attr-defined]
        if key in ((3, 3, 14, 0, 1), (3, 3, 14, 0, 2)):
            uc.reg_write(register, self._on_counter())
            return True
        if key == (3, 3, 14, 0, 0):
            uc.reg_write(register, COUNTER_HZ)
            return True
        return False

    def _bad_access(self, uc: Uc, access: int, address: int, size: int, value: int, _: object) -> bool:
        pc = uc.reg_read(a64.UC_ARM64_REG_PC)
        self.fault = f"access {access} of {size} bytes at {address:#x} from {pc:#x}"
        return False

    def go_back(self) -> None:
        """To the supervisor call that was just made."""
        self.uc.reg_write(a64.UC_ARM64_REG_PC, self.uc.reg_read(a64.UC_ARM64_REG_PC) - 4)

    def x(self, index: int) -> int:
        return int(self.uc.reg_read(_X[index]))

    def set_x(self, index: int, value: int) -> None:
        self.uc.reg_write(_X[index], value & (1 << 64) - 1)

    def sp(self) -> int:
        return int(self.uc.reg_read(a64.UC_ARM64_REG_SP))

    def save(self) -> list[int]:
        return [self.uc.reg_read(register) for register in _SAVED]

    def load(self, context: list[int]) -> None:
        for register, value in zip(_SAVED, context, strict=True):
            self.uc.reg_write(register, value)

    @staticmethod
    def fresh_context() -> list[int]:
        return [0] * len(_SAVED)

    # ---- memory ----------------------------------------------------------------------------------------------------

    def map(
        self, start: int, size: int, kind: int, permission: int, host: HostPages | None = None, offset: int = 0
    ) -> HostPages:
        size = -(-size // PAGE) * PAGE
        pages = host or HostPages(size)
        self.uc.mem_map_ptr(start, size, permission, pages.address + offset)
        self.regions.append(Region(start, start + size, kind, permission, pages, offset))
        self.regions.sort(key=lambda region: region.start)
        return pages

    def unmap(self, start: int, size: int) -> None:
        self.change(start, size, lambda region: None)
        self.uc.mem_unmap(start, size)

    def change(self, start: int, size: int, how: Callable[[Region], Region | None]) -> None:
        """Replace the regions between two addresses, cutting those that lie across a border."""
        kept = []
        for region in self.regions:
            if region.end <= start or region.start >= start + size:
                kept.append(region)
                continue
            inner_start, inner_end = max(region.start, start), min(region.end, start + size)
            changed = how(region.part(inner_start, inner_end))
            before = [region.part(region.start, inner_start)] if region.start < inner_start else []
            after = [region.part(inner_end, region.end)] if inner_end < region.end else []
            kept += [*before, *([changed] if changed else []), *after]
        self.regions = kept

    def protect(self, start: int, size: int, permission: int, attributes: int | None = None) -> None:
        def how(region: Region) -> Region:
            extra = region.attributes if attributes is None else attributes
            return replace(region, permission=permission, attributes=extra)

        self.change(start, size, how)
        self.uc.mem_protect(start, size, permission)

    def at(self, address: int) -> Region | None:
        return next((region for region in self.regions if region.start <= address < region.end), None)

    def is_free(self, start: int, size: int) -> bool:
        return all(region.end <= start or region.start >= start + size for region in self.regions)

    def covers(self, start: int, size: int, kinds: tuple[int, ...], permission: int | None = None) -> bool:
        """Whether the whole range is mapped, as one of some kinds (and with just this permission)."""
        while size > 0:
            region = self.at(start)
            if region is None or region.kind not in kinds or permission not in (None, region.permission):
                return False
            size -= region.end - start
            start = region.end
        return True

    def describe(self, address: int) -> tuple[int, int, int, int, int]:
        """(base, size, kind, attributes, permission) of the largest block of one kind around an address."""
        if address >= ADDRESS_SPACE_END:
            return ADDRESS_SPACE_END, (1 << 64) - ADDRESS_SPACE_END, RESERVED, 0, 0
        here = self.at(address)
        if here is None:
            low = max((region.end for region in self.regions if region.end <= address), default=0)
            high = min((region.start for region in self.regions if region.start > address), default=ADDRESS_SPACE_END)
            return low, high - low, UNMAPPED, 0, 0
        first = last = self.regions.index(here)
        while first and self._joins(self.regions[first - 1], self.regions[first]):
            first -= 1
        while last + 1 < len(self.regions) and self._joins(self.regions[last], self.regions[last + 1]):
            last += 1
        start, end = self.regions[first].start, self.regions[last].end
        return start, end - start, here.kind, here.attributes, here.permission

    @staticmethod
    def _joins(a: Region, b: Region) -> bool:
        return a.end == b.start and (a.kind, a.permission, a.attributes) == (b.kind, b.permission, b.attributes)

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.uc.mem_read(address, size)) if size else b""

    def write(self, address: int, data: bytes) -> None:
        if data:
            self.uc.mem_write(address, data)

    def u32(self, address: int) -> int:
        return int(struct.unpack("<I", self.read(address, 4))[0])

    def set_u32(self, address: int, value: int) -> None:
        self.write(address, struct.pack("<I", value & 0xFFFFFFFF))

    def text(self, address: int, size: int) -> str:
        return self.read(address, size).split(b"\0")[0].decode("utf-8", "replace")
