"""Operands and results of Advanced SIMD: what a form has of a register.

A 64-bit form (Q = 0) drops the upper half of its result, and of its operands where they could set FPSR. A scalar form
does the same with all but lane 0.
"""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder

Semantics = Callable[[Builder, Insn], None]
UNSIGNED = ("u8x16", "u16x8", "u32x4", "u64x2")
SIGNED = ("s8x16", "s16x8", "s32x4", "s64x2")


def part(i: Insn, value: str) -> str:
    """`value` with only what this form has: 128 bits, 64 bits, or lane 0."""
    if "Q" in i.f:
        return value if i.Q else f"rt_low({value})"
    return lane0(lane_size(i), value)


def lane0(size: int, value: str) -> str:
    return f"rt_low({value})" if size == 3 else f"rt_keep{8 << size}({value})"


def half(b: Builder, i: Insn, n: int) -> str:
    """The half of register n that a long or wide form reads, in the low half."""
    if "Q" not in i.f:
        return lane0(lane_size(i), b.v(n))
    return f"rt_high({b.v(n)})" if i.Q else b.v(n)


def write_half(b: Builder, i: Insn, value: str) -> None:
    """Write a narrowed result: the low half, zeros above; or (Q) the high half, the low one stays."""
    if i.f.get("Q"):
        b.set_v(i.rd, f"rt_join({b.v(i.rd)}, {value})")
    else:
        b.set_v(i.rd, part(i, value))


def lane_size(i: Insn) -> int:
    """Lane size as a power of two bytes; of a shift by immediate, from the highest one of immh."""
    return i.immh.bit_length() - 1 if "immh" in i.f else i.size


def element(b: Builder, i: Insn) -> str:
    """All lanes the element of a by-element form."""
    if i.f.get("size") == 1:
        lane, n, kind = i.H << 2 | i.L << 1 | i.M, i.rm, "u16x8"
    else:
        lane, n, kind = i.H << 1 | i.L, i.M << 4 | i.rm, "u32x4"
    return f"rt_dup_{kind}(rt_get_{kind}({b.v(n)}, {lane}))"


def second(b: Builder, i: Insn) -> str:
    return element(b, i) if "H" in i.f else b.v(i.rm)
