"""Words for hand-made guest programs, and the modules around them."""

from __future__ import annotations

import struct

from recomp.lift.module import Block, Function, Module, Segment

BASE = 0x10000
NOP = 0xD503201F
SVC = 0xD4000001


def movz(rd: int, imm: int) -> int:
    return 0xD2800000 | imm << 5 | rd


def mov(rd: int, rm: int) -> int:
    return 0xAA0003E0 | rm << 16 | rd


def add(rd: int, rn: int, rm: int) -> int:
    return 0x8B000000 | rm << 16 | rn << 5 | rd


def add_imm(rd: int, rn: int, imm: int) -> int:
    return 0x91000000 | imm << 10 | rn << 5 | rd


def sub_imm(rd: int, rn: int, imm: int) -> int:
    return 0xD1000000 | imm << 10 | rn << 5 | rd


def push_lr() -> int:
    """str x30, [sp, #-16]!"""
    return 0xF81F0FFE


def pop_lr() -> int:
    """ldr x30, [sp], #16"""
    return 0xF84107FE


def _pair(opcode: int, rt: int, rt2: int, offset: int) -> int:
    return opcode | (offset // 8 & 0x7F) << 15 | rt2 << 10 | 31 << 5 | rt


def stp(rt: int, rt2: int, offset: int) -> int:
    """stp rt, rt2, [sp, #offset]"""
    return _pair(0xA9000000, rt, rt2, offset)


def stp_pre(rt: int, rt2: int, offset: int) -> int:
    """stp rt, rt2, [sp, #offset]!"""
    return _pair(0xA9800000, rt, rt2, offset)


def ldp(rt: int, rt2: int, offset: int) -> int:
    """ldp rt, rt2, [sp, #offset]"""
    return _pair(0xA9400000, rt, rt2, offset)


def ldp_post(rt: int, rt2: int, offset: int) -> int:
    """ldp rt, rt2, [sp], #offset"""
    return _pair(0xA8C00000, rt, rt2, offset)


def fadd_d(rd: int, rn: int, rm: int) -> int:
    return 0x1E602800 | rm << 16 | rn << 5 | rd


def add_2d(rd: int, rn: int, rm: int) -> int:
    return 0x4EE08400 | rm << 16 | rn << 5 | rd


def _offset(pc: int, to: int, width: int) -> int:
    return (to - pc) // 4 & (1 << width) - 1


def b(pc: int, to: int) -> int:
    return 0x14000000 | _offset(pc, to, 26)


def bl(pc: int, to: int) -> int:
    return 0x94000000 | _offset(pc, to, 26)


def cbz(pc: int, rt: int, to: int) -> int:
    return 0xB4000000 | _offset(pc, to, 19) << 5 | rt


def cbnz(pc: int, rt: int, to: int) -> int:
    return 0xB5000000 | _offset(pc, to, 19) << 5 | rt


def br(rn: int) -> int:
    return 0xD61F0000 | rn << 5


def blr(rn: int) -> int:
    return 0xD63F0000 | rn << 5


def ret(rn: int = 30) -> int:
    return 0xD65F0000 | rn << 5


def function(start: int, blocks: list[Block], name: str = "", entries: tuple[int, ...] = ()) -> Function:
    end = max(block.start + 4 * block.insns for block in blocks)
    return Function(
        name=name or f"fn_{start:x}", start=start, end=end, evidence="test", blocks=tuple(blocks), entries=entries
    )


def module(words: list[int], functions: list[Function]) -> tuple[Module, dict[str, bytes]]:
    """A module of one executable segment at BASE, entered at its first function."""
    data = struct.pack(f"<{len(words)}I", *words)
    text = Segment(
        name="text",
        base=BASE,
        size=len(data),
        read=True,
        write=False,
        execute=True,
        init_path="text.bin",
        init_size=len(data),
    )
    return Module(entry=functions[0].start, segments=(text,), functions=tuple(functions)), {"text.bin": data}
