"""Loads and stores of general registers (DDI 0487, C4.1.66), exclusives and atomics.

With writeback, the base register changes after the access: a fault leaves it as it was.
"""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder
from recomp.semantics.operands import extended, signed


def based(b: Builder, rn: int, offset: int) -> str:
    """Address Xn|SP + offset."""
    base = b.xsp(rn)
    if offset == 0:
        return base
    return f"{base} {'+' if offset > 0 else '-'} {abs(offset)}u"


def indexed(b: Builder, i: Insn, scale: int) -> str:
    """Address Xn|SP + extended register, shifted by `scale` if the S bit is set."""
    return f"{b.xsp(i.rn)} + {extended(b, 1, i.rm, i.option, scale if i.S else 0)}"


def write_back(b: Builder, rn: int, offset: int) -> None:
    if offset:
        b.set_xsp(rn, based(b, rn, offset))


# --- single registers


def _load(b: Builder, i: Insn, addr: str) -> None:
    b.set_x(i.rt, b.load(8 << i.size, addr))


def _load_signed(b: Builder, i: Insn, addr: str) -> None:
    bits = 8 << i.size
    to = 32 if i.w else 64
    b.set_x(i.rt, f"(uint{to}_t)(int{to}_t)(int{bits}_t){b.load(bits, addr)}")


def _store(b: Builder, i: Insn, addr: str) -> None:
    value = b.r(i.size == 3, i.rt)
    b.store(8 << i.size, addr, value if i.size >= 2 else f"(uint{8 << i.size}_t){value}")


def _imm9(b: Builder, i: Insn) -> str:
    return based(b, i.rn, signed(i.imm9, 9))


def STR_ui(b: Builder, i: Insn) -> None:
    _store(b, i, based(b, i.rn, i.imm12 << i.size))


def LDR_ui(b: Builder, i: Insn) -> None:
    _load(b, i, based(b, i.rn, i.imm12 << i.size))


def LDRS_ui(b: Builder, i: Insn) -> None:
    _load_signed(b, i, based(b, i.rn, i.imm12 << i.size))


def STUR(b: Builder, i: Insn) -> None:
    _store(b, i, _imm9(b, i))


def LDUR(b: Builder, i: Insn) -> None:
    _load(b, i, _imm9(b, i))


def LDURS(b: Builder, i: Insn) -> None:
    _load_signed(b, i, _imm9(b, i))


# At EL0 the unprivileged forms are the unscaled ones.
STTR, LDTR, LDTRS = STUR, LDUR, LDURS


def STR_pre(b: Builder, i: Insn) -> None:
    _store(b, i, _imm9(b, i))
    write_back(b, i.rn, signed(i.imm9, 9))


def LDR_pre(b: Builder, i: Insn) -> None:
    _load(b, i, _imm9(b, i))
    write_back(b, i.rn, signed(i.imm9, 9))


def LDRS_pre(b: Builder, i: Insn) -> None:
    _load_signed(b, i, _imm9(b, i))
    write_back(b, i.rn, signed(i.imm9, 9))


def STR_post(b: Builder, i: Insn) -> None:
    _store(b, i, b.xsp(i.rn))
    write_back(b, i.rn, signed(i.imm9, 9))


def LDR_post(b: Builder, i: Insn) -> None:
    _load(b, i, b.xsp(i.rn))
    write_back(b, i.rn, signed(i.imm9, 9))


def LDRS_post(b: Builder, i: Insn) -> None:
    _load_signed(b, i, b.xsp(i.rn))
    write_back(b, i.rn, signed(i.imm9, 9))


def STR_r(b: Builder, i: Insn) -> None:
    _store(b, i, indexed(b, i, i.size))


def LDR_r(b: Builder, i: Insn) -> None:
    _load(b, i, indexed(b, i, i.size))


def LDRS_r(b: Builder, i: Insn) -> None:
    _load_signed(b, i, indexed(b, i, i.size))


def _literal(b: Builder, i: Insn) -> str:
    return b.imm(1, b.pc + (signed(i.imm19, 19) << 2))


def LDR_l(b: Builder, i: Insn) -> None:
    b.set_x(i.rt, b.load(64 if i.sf else 32, _literal(b, i)))


def LDRSW_l(b: Builder, i: Insn) -> None:
    b.set_x(i.rt, f"(uint64_t)(int64_t)(int32_t){b.load(32, _literal(b, i))}")


def PRFM_ui(b: Builder, i: Insn) -> None:
    """A prefetch is a hint, and never faults."""


PRFUM = PRFM_r = PRFM_l = PRFM_ui

# --- pairs


def _pair_offset(i: Insn) -> int:
    size = 4 if i.name.startswith("LDPSW") or not i.sf else 8
    return signed(i.imm7, 7) * size


def _store_pair(b: Builder, i: Insn, offset: int) -> None:
    bits = 64 if i.sf else 32
    b.store(bits, based(b, i.rn, offset), b.r(i.sf, i.rt))
    b.store(bits, based(b, i.rn, offset + bits // 8), b.r(i.sf, i.rt2))


def _load_pair(b: Builder, i: Insn, offset: int, bits: int, ctype: str, cast: str = "") -> None:
    # Both loads come first: the first register may be the base.
    first = b.tmp(ctype, cast + b.load(bits, based(b, i.rn, offset)))
    b.set_x(i.rt2, cast + b.load(bits, based(b, i.rn, offset + bits // 8)))
    b.set_x(i.rt, first)


def _ldp(b: Builder, i: Insn, offset: int) -> None:
    _load_pair(b, i, offset, 64 if i.sf else 32, "uint64_t")


def _ldpsw(b: Builder, i: Insn, offset: int) -> None:
    _load_pair(b, i, offset, 32, "uint64_t", "(uint64_t)(int64_t)(int32_t)")


def STP_off(b: Builder, i: Insn) -> None:
    _store_pair(b, i, _pair_offset(i))


def STP_pre(b: Builder, i: Insn) -> None:
    _store_pair(b, i, _pair_offset(i))
    write_back(b, i.rn, _pair_offset(i))


def STP_post(b: Builder, i: Insn) -> None:
    _store_pair(b, i, 0)
    write_back(b, i.rn, _pair_offset(i))


def LDP_off(b: Builder, i: Insn) -> None:
    _ldp(b, i, _pair_offset(i))


def LDP_pre(b: Builder, i: Insn) -> None:
    _ldp(b, i, _pair_offset(i))
    write_back(b, i.rn, _pair_offset(i))


def LDP_post(b: Builder, i: Insn) -> None:
    _ldp(b, i, 0)
    write_back(b, i.rn, _pair_offset(i))


def LDPSW_off(b: Builder, i: Insn) -> None:
    _ldpsw(b, i, _pair_offset(i))


def LDPSW_pre(b: Builder, i: Insn) -> None:
    _ldpsw(b, i, _pair_offset(i))
    write_back(b, i.rn, _pair_offset(i))


def LDPSW_post(b: Builder, i: Insn) -> None:
    _ldpsw(b, i, 0)
    write_back(b, i.rn, _pair_offset(i))


STNP, LDNP = STP_off, LDP_off
