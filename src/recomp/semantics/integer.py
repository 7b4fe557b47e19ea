"""Integer arithmetic (DDI 0487, C4.1.64 and C4.1.67): add, subtract, compare, select, multiply, divide."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder
from recomp.semantics.operands import ctype, discard_or_set, extended, shifted, signed

# --- pc-relative addresses


def ADR(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, b.imm(1, b.pc + signed(i.immhi << 2 | i.immlo, 21)))


def ADRP(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, b.imm(1, (b.pc & ~0xFFF) + (signed(i.immhi << 2 | i.immlo, 21) << 12)))


# --- add and subtract


def ADD_i(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} + {i.imm12 << 12 * i.sh:#x}u")


def SUB_i(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} - {i.imm12 << 12 * i.sh:#x}u")


def ADDS_i(b: Builder, i: Insn) -> None:
    value = i.imm12 << 12 * i.sh
    if value:
        # The same flags as subtracting the negative: compilers write `cmn` for compares with negative constants.
        _subs(b, i, b.rsp(i.sf, i.rn), b.imm(i.sf, -value))
    else:
        _adds(b, i, b.rsp(i.sf, i.rn), b.imm(i.sf, 0))


def SUBS_i(b: Builder, i: Insn) -> None:
    _subs(b, i, b.rsp(i.sf, i.rn), b.imm(i.sf, i.imm12 << 12 * i.sh))


def ADD_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} + {shifted(b, i)}")


def SUB_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} - {shifted(b, i)}")


def ADDS_r(b: Builder, i: Insn) -> None:
    _adds(b, i, b.r(i.sf, i.rn), shifted(b, i))


def SUBS_r(b: Builder, i: Insn) -> None:
    _subs(b, i, b.r(i.sf, i.rn), shifted(b, i))


def ADD_ext(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} + {extended(b, i.sf, i.rm, i.option, i.imm3)}")


def SUB_ext(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} - {extended(b, i.sf, i.rm, i.option, i.imm3)}")


def ADDS_ext(b: Builder, i: Insn) -> None:
    _adds(b, i, b.rsp(i.sf, i.rn), extended(b, i.sf, i.rm, i.option, i.imm3))


def SUBS_ext(b: Builder, i: Insn) -> None:
    _subs(b, i, b.rsp(i.sf, i.rn), extended(b, i.sf, i.rm, i.option, i.imm3))


def ADC(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} + {b.r(i.sf, i.rm)} + {b.flag('c')}")


def SBC(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} + ~{b.r(i.sf, i.rm)} + {b.flag('c')}")


def ADCS(b: Builder, i: Insn) -> None:
    _adcs(b, i, b.r(i.sf, i.rm))


def SBCS(b: Builder, i: Insn) -> None:
    _adcs(b, i, f"~{b.r(i.sf, i.rm)}")


def _adds(b: Builder, i: Insn, left: str, right: str) -> None:
    kind = ctype(i.sf)
    result, *flags = _add_flags(b, i.sf, b.tmp(kind, left), b.tmp(kind, right))
    b.set_flags(*flags)
    discard_or_set(b, i, result)


def _subs(b: Builder, i: Insn, left: str, right: str) -> None:
    kind = ctype(i.sf)
    result, *flags = _sub_flags(b, i.sf, b.tmp(kind, left), b.tmp(kind, right))
    b.set_flags(*flags)
    discard_or_set(b, i, result)


def _add_flags(b: Builder, sf: int, left: str, right: str) -> tuple[str, ...]:
    """Sum, N, Z, C, V of left + right."""
    top = 63 if sf else 31
    result = b.tmp(ctype(sf), f"{left} + {right}")
    overflow = f"(({left} ^ {result}) & ({right} ^ {result})) >> {top}"
    return result, f"{result} >> {top}", f"{result} == 0", f"{result} < {left}", overflow


def _sub_flags(b: Builder, sf: int, left: str, right: str) -> tuple[str, ...]:
    """Difference, N, Z, C, V of left - right.

    V is written as "less than" corrected by N, so that the compiler sees lt, ge, gt and le as one compare.
    """
    top, signed = (63, "int64_t") if sf else (31, "int32_t")
    result = b.tmp(ctype(sf), f"{left} - {right}")
    negative = f"{result} >> {top}"
    overflow = f"(({signed}){left} < ({signed}){right}) ^ ({negative})"
    return result, negative, f"{left} == {right}", f"{left} >= {right}", overflow


def _adcs(b: Builder, i: Insn, right: str) -> None:
    kind, top = ctype(i.sf), 63 if i.sf else 31
    left, right, carry = b.tmp(kind, b.r(i.sf, i.rn)), b.tmp(kind, right), b.tmp(kind, b.flag("c"))
    result = b.tmp(kind, f"{left} + {right} + {carry}")
    overflow = f"(({left} ^ {result}) & ({right} ^ {result})) >> {top}"
    # With a carry in, the sum comes back to `left` only by going round once.
    carry_out = f"({result} < {left}) | (({result} == {left}) & {carry})"
    b.set_flags(f"{result} >> {top}", f"{result} == 0", carry_out, overflow)
    discard_or_set(b, i, result)


# --- conditional compare and select


def CCMP_r(b: Builder, i: Insn) -> None:
    _ccmp(b, i, b.r(i.sf, i.rm), _sub_flags)


def CCMP_i(b: Builder, i: Insn) -> None:
    _ccmp(b, i, b.imm(i.sf, i.imm5), _sub_flags)


def CCMN_r(b: Builder, i: Insn) -> None:
    _ccmp(b, i, b.r(i.sf, i.rm), _add_flags)


def CCMN_i(b: Builder, i: Insn) -> None:
    if i.imm5:
        _ccmp(b, i, b.imm(i.sf, -i.imm5), _sub_flags)
    else:
        _ccmp(b, i, b.imm(i.sf, 0), _add_flags)


def _ccmp(b: Builder, i: Insn, right: str, flags: Callable[[Builder, int, str, str], tuple[str, ...]]) -> None:
    kind = ctype(i.sf)
    holds = b.tmp("_Bool", b.cond(i.cond))
    left, right = b.tmp(kind, b.r(i.sf, i.rn)), b.tmp(kind, right)
    _result, *values = flags(b, i.sf, left, right)
    n, z, c, v = (f"{holds} ? {value} : {i.nzcv >> bit & 1}" for value, bit in zip(values, (3, 2, 1, 0), strict=True))
    b.set_flags(n, z, c, v)


def CSEL(b: Builder, i: Insn) -> None:
    _select(b, i, b.r(i.sf, i.rm))


def CSINC(b: Builder, i: Insn) -> None:
    if i.rn == i.rm == 31:  # cset
        b.set_x(i.rd, f"!{b.cond(i.cond)}")
    else:
        _select(b, i, f"{b.r(i.sf, i.rm)} + 1u")


def CSINV(b: Builder, i: Insn) -> None:
    _select(b, i, f"~{b.r(i.sf, i.rm)}")


def CSNEG(b: Builder, i: Insn) -> None:
    _select(b, i, f"0u - {b.r(i.sf, i.rm)}")


def _select(b: Builder, i: Insn, otherwise: str) -> None:
    b.set_r(i.sf, i.rd, f"{b.cond(i.cond)} ? {b.r(i.sf, i.rn)} : {otherwise}")


# --- divide and multiply


def UDIV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_udiv{64 if i.sf else 32}({b.r(i.sf, i.rn)}, {b.r(i.sf, i.rm)})")


def SDIV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_sdiv{64 if i.sf else 32}({b.r(i.sf, i.rn)}, {b.r(i.sf, i.rm)})")


def MADD(b: Builder, i: Insn) -> None:
    product = f"{b.r(i.sf, i.rn)} * {b.r(i.sf, i.rm)}"
    b.set_r(i.sf, i.rd, product if i.ra == 31 else f"{b.r(i.sf, i.ra)} + {product}")


def MSUB(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.ra)} - {b.r(i.sf, i.rn)} * {b.r(i.sf, i.rm)}")


def SMADDL(b: Builder, i: Insn) -> None:
    _long(b, i, "+", signed=True)


def SMSUBL(b: Builder, i: Insn) -> None:
    _long(b, i, "-", signed=True)


def UMADDL(b: Builder, i: Insn) -> None:
    _long(b, i, "+", signed=False)


def UMSUBL(b: Builder, i: Insn) -> None:
    _long(b, i, "-", signed=False)


def _long(b: Builder, i: Insn, sign: str, *, signed: bool) -> None:
    wide = "(uint64_t)(int64_t)(int32_t)" if signed else "(uint64_t)"
    product = f"{wide}{b.w(i.rn)} * {wide}{b.w(i.rm)}"
    b.set_x(i.rd, product if i.ra == 31 and sign == "+" else f"{b.x(i.ra)} {sign} {product}")


def SMULH(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_smulh({b.x(i.rn)}, {b.x(i.rm)})")


def UMULH(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_umulh({b.x(i.rn)}, {b.x(i.rm)})")
