"""Exclusives, acquire and release, and the atomics of LSE (DDI 0487, C4.1.66).

An exclusive load remembers address and value; the exclusive store is a compare-exchange with that value, which
differs from a monitor only in that it does not see a value that went away and came back (as user-mode emulators do).
Every atomic is sequentially consistent: stronger than its acquire and release bits ask for, and free on x86-64.
"""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder


def _bits(i: Insn) -> int:
    return 8 << i.size


def _value(b: Builder, i: Insn, n: int) -> str:
    value = b.r(i.size == 3, n)
    return value if i.size >= 2 else f"(uint{_bits(i)}_t){value}"


def LDXR(b: Builder, i: Insn) -> None:
    b.set_x(i.rt, f"rt_ldxr{_bits(i)}(c, M, {b.xsp(i.rn)})")


def STXR(b: Builder, i: Insn) -> None:
    b.set_x(i.rs, f"rt_stxr{_bits(i)}(c, M, {b.xsp(i.rn)}, {_value(b, i, i.rt)})")


LDAXR, STLXR = LDXR, STXR


def LDXP(b: Builder, i: Insn) -> None:
    if i.sf:
        pair = b.tmp("rt_v128", f"rt_ldxr128(c, M, {b.xsp(i.rn)})")
        low, high = f"{pair}[0]", f"{pair}[1]"
    else:
        pair = b.tmp("uint64_t", f"rt_ldxr64(c, M, {b.xsp(i.rn)})")
        low, high = f"(uint32_t){pair}", f"{pair} >> 32"
    b.set_x(i.rt, low)
    b.set_x(i.rt2, high)


def STXP(b: Builder, i: Insn) -> None:
    pair = _pair(b, i.sf, i.rt, i.rt2)
    b.set_x(i.rs, f"rt_stxr{128 if i.sf else 64}(c, M, {b.xsp(i.rn)}, {pair})")


LDAXP, STLXP = LDXP, STXP


def _pair(b: Builder, sf: int, low: int, high: int) -> str:
    if sf:
        return f"(rt_v128){{{b.x(low)}, {b.x(high)}}}"
    return f"{b.w(low)} | (uint64_t){b.w(high)} << 32"


def LDAR(b: Builder, i: Insn) -> None:
    b.set_x(i.rt, f"rt_ldar{_bits(i)}(M, {b.xsp(i.rn)})")


def STLR(b: Builder, i: Insn) -> None:
    b.line(f"rt_stlr{_bits(i)}(M, {b.xsp(i.rn)}, {_value(b, i, i.rt)});")


LDLAR = LDAPR = LDAR
STLLR = STLR


def CAS(b: Builder, i: Insn) -> None:
    b.set_x(i.rs, f"rt_cas{_bits(i)}(M, {b.xsp(i.rn)}, {_value(b, i, i.rs)}, {_value(b, i, i.rt)})")


def CASP(b: Builder, i: Insn) -> None:
    bits, ctype = (128, "rt_v128") if i.sf else (64, "uint64_t")
    expected, desired = _pair(b, i.sf, i.rs, i.rs + 1), _pair(b, i.sf, i.rt, i.rt + 1)
    old = b.tmp(ctype, f"rt_cas{bits}(M, {b.xsp(i.rn)}, {expected}, {desired})")
    b.set_x(i.rs, f"{old}[0]" if i.sf else f"(uint32_t){old}")
    b.set_x(i.rs + 1, f"{old}[1]" if i.sf else f"{old} >> 32")


def _fetch(b: Builder, i: Insn, name: str) -> None:
    """Rt = what was there; [Xn] = `name` of it and Rs."""
    b.set_x(i.rt, f"rt_{name}{_bits(i)}(M, {b.xsp(i.rn)}, {_value(b, i, i.rs)})")


def LDADD(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldadd")


def LDCLR(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldclr")


def LDEOR(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldeor")


def LDSET(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldset")


def LDSMAX(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldsmax")


def LDSMIN(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldsmin")


def LDUMAX(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldumax")


def LDUMIN(b: Builder, i: Insn) -> None:
    _fetch(b, i, "ldumin")


def SWP(b: Builder, i: Insn) -> None:
    _fetch(b, i, "swp")
