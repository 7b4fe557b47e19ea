"""Integer data processing on bits (DDI 0487, C4.1.64 and C4.1.67): logical, moves, bitfields, shifts, counts, CRC."""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.a64.text import bit_mask
from recomp.semantics.builder import Builder
from recomp.semantics.operands import ctype, discard_or_set, shift, shifted

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
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} & {shifted(b, i)}")


def BIC_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} & ~{shifted(b, i)}")


def ORR_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, shifted(b, i) if i.rn == 31 else f"{b.r(i.sf, i.rn)} | {shifted(b, i)}")


def ORN_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"~{shifted(b, i)}" if i.rn == 31 else f"{b.r(i.sf, i.rn)} | ~{shifted(b, i)}")


def EOR_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} ^ {shifted(b, i)}")


def EON_r(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"{b.r(i.sf, i.rn)} ^ ~{shifted(b, i)}")


def ANDS_r(b: Builder, i: Insn) -> None:
    _ands(b, i, f"{b.r(i.sf, i.rn)} & {shifted(b, i)}")


def BICS_r(b: Builder, i: Insn) -> None:
    _ands(b, i, f"{b.r(i.sf, i.rn)} & ~{shifted(b, i)}")


def _ands(b: Builder, i: Insn, value: str) -> None:
    result = b.tmp(ctype(i.sf), value)
    b.set_flags(f"{result} >> {63 if i.sf else 31}", f"{result} == 0", "0", "0")
    discard_or_set(b, i, result)


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


def CRC32(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_crc32({b.w(i.rn)}, {b.x(i.rm)}, {1 << i.sz})")


def CRC32C(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"rt_crc32c({b.w(i.rn)}, {b.x(i.rm)}, {1 << i.sz})")


def RBIT(b: Builder, i: Insn) -> None:
    b.set_r(i.sf, i.rd, f"rt_rbit{64 if i.sf else 32}({b.r(i.sf, i.rn)})")


def REV16(b: Builder, i: Insn) -> None:
    value, low = b.tmp(ctype(i.sf), b.r(i.sf, i.rn)), b.imm(i.sf, 0x00FF00FF00FF00FF)
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
    value = b.tmp(ctype(i.sf), b.r(i.sf, i.rn))
    b.set_x(i.rd, f"rt_clz{64 if i.sf else 32}(({value} ^ {value} << 1) | 1)")
