"""Operands that several families of instructions share."""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder


def signed(value: int, width: int) -> int:
    """A two's complement field as a Python integer."""
    return value - (value >> width - 1 << width)


def ctype(sf: int) -> str:
    return "uint64_t" if sf else "uint32_t"


def shifted(b: Builder, i: Insn) -> str:
    return shift(i.sf, b.r(i.sf, i.rm), i.shift, i.imm6)


def shift(sf: int, value: str, kind: int, amount: int) -> str:
    """`value` shifted by a constant: kind 0 lsl, 1 lsr, 2 asr, 3 ror."""
    if amount == 0:
        return value
    bits = 64 if sf else 32
    if kind == 3:
        return f"rt_ror{bits}({value}, {amount})"
    if kind == 2:
        return f"(uint{bits}_t)((int{bits}_t){value} >> {amount})"
    return f"({value} {'>>' if kind else '<<'} {amount})"


def extended(b: Builder, sf: int, rm: int, option: int, amount: int) -> str:
    """Register `rm` extended by `option` (uxtb uxth uxtw uxtx sxtb ...) and shifted left: ExtendReg(), J1.1."""
    width = 8 << (option & 3)
    if width == 64:
        value = b.r(sf, rm)
    elif option & 4:
        to = 64 if sf else 32
        value = f"(uint{to}_t)(int{to}_t)(int{width}_t){b.x(rm)}"
    else:
        value = f"({ctype(sf)})(uint{width}_t){b.x(rm)}"
    return f"(({value}) << {amount})" if amount else value


def discard_or_set(b: Builder, i: Insn, value: str) -> None:
    """Write rd, where 31 discards (flag-setting forms: cmp, cmn, tst)."""
    if i.rd != 31:
        b.set_x(i.rd, value)
