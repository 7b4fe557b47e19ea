"""Integer data processing (DDI 0487, C4.1.64 and C4.1.67): no memory, no system state."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.a64.text import bit_mask
from recomp.semantics.builder import Builder

# --- pc-relative addresses


def ADR(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, b.imm(1, b.pc + _signed(i.immhi << 2 | i.immlo, 21)))


def ADRP(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, b.imm(1, (b.pc & ~0xFFF) + (_signed(i.immhi << 2 | i.immlo, 21) << 12)))


def _signed(value: int, width: int) -> int:
    return value - (value >> width - 1 << width)


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
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} + {_shifted(b, i)}")


def SUB_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} - {_shifted(b, i)}")


def ADDS_r(b: Builder, i: Insn) -> None:
    _adds(b, i, b.r(i.sf, i.rn), _shifted(b, i))


def SUBS_r(b: Builder, i: Insn) -> None:
    _subs(b, i, b.r(i.sf, i.rn), _shifted(b, i))


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


def _ctype(sf: int) -> str:
    return "uint64_t" if sf else "uint32_t"


def _shifted(b: Builder, i: Insn) -> str:
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
        value = f"({_ctype(sf)})(uint{width}_t){b.x(rm)}"
    return f"(({value}) << {amount})" if amount else value


def _adds(b: Builder, i: Insn, left: str, right: str) -> None:
    ctype = _ctype(i.sf)
    result, *flags = _add_flags(b, i.sf, b.tmp(ctype, left), b.tmp(ctype, right))
    b.set_flags(*flags)
    _result(b, i, result)


def _subs(b: Builder, i: Insn, left: str, right: str) -> None:
    ctype = _ctype(i.sf)
    result, *flags = _sub_flags(b, i.sf, b.tmp(ctype, left), b.tmp(ctype, right))
    b.set_flags(*flags)
    _result(b, i, result)


def _add_flags(b: Builder, sf: int, left: str, right: str) -> tuple[str, ...]:
    """Sum, N, Z, C, V of left + right."""
    top = 63 if sf else 31
    result = b.tmp(_ctype(sf), f"{left} + {right}")
    overflow = f"(({left} ^ {result}) & ({right} ^ {result})) >> {top}"
    return result, f"{result} >> {top}", f"{result} == 0", f"{result} < {left}", overflow


def _sub_flags(b: Builder, sf: int, left: str, right: str) -> tuple[str, ...]:
    """Difference, N, Z, C, V of left - right.

    V is written as "less than" corrected by N, so that the compiler sees lt, ge, gt and le as one compare.
    """
    top, signed = (63, "int64_t") if sf else (31, "int32_t")
    result = b.tmp(_ctype(sf), f"{left} - {right}")
    negative = f"{result} >> {top}"
    overflow = f"(({signed}){left} < ({signed}){right}) ^ ({negative})"
    return result, negative, f"{left} == {right}", f"{left} >= {right}", overflow


def _adcs(b: Builder, i: Insn, right: str) -> None:
    ctype, top = _ctype(i.sf), 63 if i.sf else 31
    left, right, carry = b.tmp(ctype, b.r(i.sf, i.rn)), b.tmp(ctype, right), b.tmp(ctype, b.flag("c"))
    result = b.tmp(ctype, f"{left} + {right} + {carry}")
    overflow = f"(({left} ^ {result}) & ({right} ^ {result})) >> {top}"
    # With a carry in, the sum comes back to `left` only by going round once.
    carry_out = f"({result} < {left}) | (({result} == {left}) & {carry})"
    b.set_flags(f"{result} >> {top}", f"{result} == 0", carry_out, overflow)
    _result(b, i, result)


def _result(b: Builder, i: Insn, value: str) -> None:
    """Write rd, where 31 discards (flag-setting forms: cmp, cmn, tst)."""
    if i.rd != 31:
        b.set_x(i.rd, value)


# --- logical


def _mask(b: Builder, i: Insn) -> str:
    return b.imm(i.sf, bit_mask(i.sf, i.N, i.imms, i.immr))


def AND_i(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.r(i.sf, i.rn)} & {_mask(b, i)}")


def ORR_i(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, _mask(b, i) if i.rn == 31 else f"{b.r(i.sf, i.rn)} | {_mask(b, i)}")


def EOR_i(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.r(i.sf, i.rn)} ^ {_mask(b, i)}")


def ANDS_i(b: Builder, i: Insn) -> None:
    _ands(b, i, f"{b.r(i.sf, i.rn)} & {_mask(b, i)}")


def AND_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} & {_shifted(b, i)}")


def BIC_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} & ~{_shifted(b, i)}")


def ORR_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, _shifted(b, i) if i.rn == 31 else f"{b.r(i.sf, i.rn)} | {_shifted(b, i)}")


def ORN_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"~{_shifted(b, i)}" if i.rn == 31 else f"{b.r(i.sf, i.rn)} | ~{_shifted(b, i)}")


def EOR_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} ^ {_shifted(b, i)}")


def EON_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} ^ ~{_shifted(b, i)}")


def ANDS_r(b: Builder, i: Insn) -> None:
    _ands(b, i, f"{b.r(i.sf, i.rn)} & {_shifted(b, i)}")


def BICS_r(b: Builder, i: Insn) -> None:
    _ands(b, i, f"{b.r(i.sf, i.rn)} & ~{_shifted(b, i)}")


def _ands(b: Builder, i: Insn, value: str) -> None:
    result = b.tmp(_ctype(i.sf), value)
    b.set_flags(f"{result} >> {63 if i.sf else 31}", f"{result} == 0", "0", "0")
    _result(b, i, result)


# --- move wide


def MOVZ(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, b.imm(1, i.imm16 << 16 * i.hw))


def MOVN(b: Builder, i: Insn) -> None:
    value = ~(i.imm16 << 16 * i.hw)
    b.set_x(i.rd, b.imm(1, value if i.sf else value & 0xFFFFFFFF))


def MOVK(b: Builder, i: Insn) -> None:
    keep = b.imm(i.sf, ~(0xFFFF << 16 * i.hw))
    b.set_r(i.sf, i.rd, f"({b.r(i.sf, i.rd)} & {keep}) | {b.imm(i.sf, i.imm16 << 16 * i.hw)}")


# --- bitfield and extract


def UBFM(b: Builder, i: Insn) -> None:
    bits, value = 64 if i.sf else 32, b.r(i.sf, i.rn)
    if i.imms >= i.immr:
        value = shift(i.sf, value, 1, i.immr)
        if i.imms != bits - 1:
            value = f"{value} & {b.imm(i.sf, (1 << i.imms - i.immr + 1) - 1)}"
    else:
        # lsl pushes everything above imms out by itself
        if i.imms + 1 != i.immr:
            value = f"({value} & {b.imm(i.sf, (1 << i.imms + 1) - 1)})"
        value = f"{value} << {bits - i.immr}"
    b.set_r(i.sf, i.rd, value)


def SBFM(b: Builder, i: Insn) -> None:
    bits = 64 if i.sf else 32
    signed = f"int{bits}_t"
    if i.immr == 0 and i.imms in (7, 15, 31):
        b.set_r(i.sf, i.rd, f"(u{signed})({signed})(int{i.imms + 1}_t){b.r(i.sf, i.rn)}")
        return
    up = bits - 1 - i.imms
    value = shift(i.sf, b.r(i.sf, i.rn), 0, up)
    if i.imms >= i.immr:
        b.set_r(i.sf, i.rd, f"(u{signed})(({signed}){value} >> {up + i.immr})")
    else:
        b.set_r(i.sf, i.rd, f"(u{signed})(({signed}){value} >> {up}) << {bits - i.immr}")


def BFM(b: Builder, i: Insn) -> None:
    bits, source = 64 if i.sf else 32, b.r(i.sf, i.rn)
    if i.imms >= i.immr:
        mask = (1 << i.imms - i.immr + 1) - 1
        source = shift(i.sf, source, 1, i.immr)
    else:
        mask = (1 << i.imms + 1) - 1 << bits - i.immr
        source = shift(i.sf, source, 0, bits - i.immr)
    b.set_r(i.sf, i.rd, f"({b.r(i.sf, i.rd)} & {b.imm(i.sf, ~mask)}) | ({source} & {b.imm(i.sf, mask)})")


def EXTR(b: Builder, i: Insn) -> None:
    bits, low = 64 if i.sf else 32, b.r(i.sf, i.rm)
    if i.imms == 0:
        b.set_r(i.sf, i.rd, low)
    elif i.rn == i.rm:
        b.set_r(i.sf, i.rd, shift(i.sf, low, 3, i.imms))
    else:
        b.set_r(i.sf, i.rd, f"({low} >> {i.imms}) | ({b.r(i.sf, i.rn)} << {bits - i.imms})")


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
    ctype = _ctype(i.sf)
    holds = b.tmp("_Bool", b.cond(i.cond))
    left, right = b.tmp(ctype, b.r(i.sf, i.rn)), b.tmp(ctype, right)
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


# --- shifts, division, bits


def LSLV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} << {_amount(b, i)}")


def LSRV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} >> {_amount(b, i)}")


def ASRV(b: Builder, i: Insn) -> None:
    bits = 64 if i.sf else 32
    b.set_r(i.sf, i.rd, f"(uint{bits}_t)((int{bits}_t){b.r(i.sf, i.rn)} >> {_amount(b, i)})")


def RORV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_ror{64 if i.sf else 32}({b.r(i.sf, i.rn)}, {_amount(b, i)})")


def _amount(b: Builder, i: Insn) -> str:
    return f"({b.r(i.sf, i.rm)} & {63 if i.sf else 31})"


def UDIV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_udiv{64 if i.sf else 32}({b.r(i.sf, i.rn)}, {b.r(i.sf, i.rm)})")


def SDIV(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_sdiv{64 if i.sf else 32}({b.r(i.sf, i.rn)}, {b.r(i.sf, i.rm)})")


def CRC32(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_crc32({b.w(i.rn)}, {b.x(i.rm)}, {1 << i.sz})")


def CRC32C(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_crc32c({b.w(i.rn)}, {b.x(i.rm)}, {1 << i.sz})")


def RBIT(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_rbit{64 if i.sf else 32}({b.r(i.sf, i.rn)})")


def REV16(b: Builder, i: Insn) -> None:
    value, low = b.tmp(_ctype(i.sf), b.r(i.sf, i.rn)), b.imm(i.sf, 0x00FF00FF00FF00FF)
    b.set_r(i.sf, i.rd, f"({value} >> 8 & {low}) | ({value} & {low}) << 8")


def REV_w(b: Builder, i: Insn) -> None:
    b.set_w(i.rd, f"__builtin_bswap32({b.w(i.rn)})")


def REV32(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_ror64(__builtin_bswap64({b.x(i.rn)}), 32)")


def REV_x(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"__builtin_bswap64({b.x(i.rn)})")


def CLZ(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_clz{64 if i.sf else 32}({b.r(i.sf, i.rn)})")


def CLS(b: Builder, i: Insn) -> None:
    # Bit n of value ^ value << 1 says that bits n and n - 1 differ; the lowest bit bounds the count.
    value = b.tmp(_ctype(i.sf), b.r(i.sf, i.rn))
    b.set_x(i.rd, f"rt_clz{64 if i.sf else 32}(({value} ^ {value} << 1) | 1)")


# --- multiply


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
