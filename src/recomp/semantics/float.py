"""Scalar floating point. Values are in the `d` and `s` views; a half is the low 16 bits of the whole register."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder

#: Name of each `ftype` in helpers, and the type of its values in C.
FORMAT = {0: "f32", 1: "f64", 3: "f16"}
CTYPE = {0: "float", 1: "double", 3: "uint16_t"}
Semantics = Callable[[Builder, Insn], None]


def read(b: Builder, ftype: int, n: int) -> str:
    """Lane 0 of register n: a double, a float, or the bits of a half."""
    if ftype == 3:
        return f"(uint16_t){b.v(n)}[0]"
    return b.d(n) if ftype else b.s(n)


def write(b: Builder, ftype: int, n: int, value: str) -> None:
    """Write lane 0 of register n, zeros above."""
    if ftype == 3:
        b.set_v(n, f"rt_u64_v((uint16_t)({value}))")
    elif ftype:
        b.set_d(n, value)
    else:
        b.set_s(n, value)


# --- data processing


def _unary(op: str, cpu: str = "c, ") -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        write(b, i.ftype, i.rd, f"rt_{op}_{FORMAT[i.ftype]}({cpu}{read(b, i.ftype, i.rn)})")

    return semantics


def _binary(op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        left, right = read(b, i.ftype, i.rn), read(b, i.ftype, i.rm)
        write(b, i.ftype, i.rd, f"rt_{op}_{FORMAT[i.ftype]}(c, {left}, {right})")

    return semantics


def _fused(negate_addend: bool, negate_product: bool) -> Semantics:
    # The negation comes first, so that it reaches a NaN operand as well.
    def negated(b: Builder, i: Insn, n: int, negate: bool) -> str:
        value = read(b, i.ftype, n)
        return f"rt_fneg_{FORMAT[i.ftype]}({value})" if negate else value

    def semantics(b: Builder, i: Insn) -> None:
        addend = negated(b, i, i.ra, negate_addend)
        left, right = negated(b, i, i.rn, negate_product), read(b, i.ftype, i.rm)
        write(b, i.ftype, i.rd, f"rt_fma_{FORMAT[i.ftype]}(c, {addend}, {left}, {right})")

    return semantics


def FMOV_s(b: Builder, i: Insn) -> None:
    write(b, i.ftype, i.rd, read(b, i.ftype, i.rn))


FABS_s = _unary("fabs", "")
FNEG_s = _unary("fneg", "")
FSQRT_s = _unary("fsqrt")
FRINTN_s = _unary("frintn")
FRINTP_s = _unary("frintp")
FRINTM_s = _unary("frintm")
FRINTZ_s = _unary("frintz")
FRINTA_s = _unary("frinta")
FRINTX_s = _unary("frintx")
FRINTI_s = _unary("frinti")
FMUL_s = _binary("fmul")
FDIV_s = _binary("fdiv")
FADD_s = _binary("fadd")
FSUB_s = _binary("fsub")
FMAX_s = _binary("fmax")
FMIN_s = _binary("fmin")
FMAXNM_s = _binary("fmaxnm")
FMINNM_s = _binary("fminnm")
FNMUL_s = _binary("fnmul")
FMADD = _fused(False, False)
FMSUB = _fused(False, True)
FNMADD = _fused(True, True)
FNMSUB = _fused(True, False)


def FCVT_s(b: Builder, i: Insn) -> None:
    value = f"rt_fcvt_{FORMAT[i.opc]}_{FORMAT[i.ftype]}(c, {read(b, i.ftype, i.rn)})"
    write(b, i.opc, i.rd, value)


# --- compare and select


def _compare(b: Builder, i: Insn, right: str, holds: str = "") -> None:
    """Set the flags; where the condition `holds` is false, to the bits of nzcv."""
    kind = FORMAT[i.ftype]
    wide = "rt_value_f16" if i.ftype == 3 else ""
    left = b.tmp(CTYPE[i.ftype], read(b, i.ftype, i.rn))
    right = b.tmp(CTYPE[i.ftype], right)
    x, y = f"{wide}({left})" if wide else left, f"{wide}({right})" if wide else right
    guard = f"{holds} && " if holds else ""
    if i.e or i.ftype == 3:
        # A quiet compare leaves signalling NaNs to the host.
        unlikely = f"{guard}RT_UNLIKELY(__builtin_isunordered({x}, {y}))"
        b.line(f"if ({unlikely}) rt_unordered_{kind}(c, {left}, {right}, {1 - i.e});")
    less = f"__builtin_isless({x}, {y})"
    # Unordered in these words, so that the compiler folds every condition into one compare.
    values = (less, f"{x} == {y}", f"!{less}", f"!__builtin_isgreaterequal({x}, {y}) & !{less}")
    if not holds:
        b.set_flags(*(f"(uint32_t)({v})" for v in values))
        return
    bits = [i.nzcv >> k & 1 for k in (3, 2, 1, 0)]
    b.set_flags(*(f"{holds} ? (uint32_t)({v}) : {bit}u" for v, bit in zip(values, bits, strict=True)))


def FCMP(b: Builder, i: Insn) -> None:
    _compare(b, i, read(b, i.ftype, i.rm))


def FCMP_z(b: Builder, i: Insn) -> None:
    _compare(b, i, "0")


def FCCMP(b: Builder, i: Insn) -> None:
    holds = b.tmp("uint32_t", b.cond(i.cond))
    _compare(b, i, read(b, i.ftype, i.rm), holds)


def FCSEL(b: Builder, i: Insn) -> None:
    left, right = read(b, i.ftype, i.rn), read(b, i.ftype, i.rm)
    write(b, i.ftype, i.rd, f"{b.cond(i.cond)} ? {left} : {right}")


# --- moves


def expand_immediate(imm8: int) -> float:
    """VFPExpandImm(): n / 16 * 2^r with n in 16..31 and r in -3..4."""
    exponent = (imm8 >> 4 & 3) + (-3 if imm8 & 0x40 else 1)
    value = (16 + (imm8 & 15)) / 16 * 2.0**exponent
    return -value if imm8 & 0x80 else value


def half_immediate(imm8: int) -> int:
    """The bits of VFPExpandImm() in half precision."""
    return (imm8 & 0x80) << 8 | (0x3000 if imm8 & 0x40 else 0x4000) | (imm8 & 0x3F) << 6


def FMOV_si(b: Builder, i: Insn) -> None:
    if i.ftype == 3:
        write(b, 3, i.rd, f"{half_immediate(i.imm8):#x}")
    else:
        write(b, i.ftype, i.rd, f"{expand_immediate(i.imm8)!r}{'' if i.ftype else 'f'}")


def FMOV_gf(b: Builder, i: Insn) -> None:
    value = read(b, i.ftype, i.rn)
    b.set_r(i.sf, i.rd, value if i.ftype == 3 else f"rt_bits_{FORMAT[i.ftype]}({value})")


def FMOV_fg(b: Builder, i: Insn) -> None:
    value = b.r(i.sf, i.rn)
    write(b, i.ftype, i.rd, value if i.ftype == 3 else f"rt_{FORMAT[i.ftype]}({value})")


def FMOV_gtop(b: Builder, i: Insn) -> None:
    b.set_x(i.rd, f"{b.v(i.rn)}[1]")


def FMOV_topg(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"(rt_v128){{{b.v(i.rd)}[0], {b.x(i.rn)}}}")


# --- conversions with general registers


def _to_integer(mode: str, sign: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        kind = f"{sign}{64 if i.sf else 32}_{FORMAT[i.ftype]}"
        value = f"rt_fcvt{mode}_{kind}(c, {read(b, i.ftype, i.rn)})"
        b.set_r(i.sf, i.rd, f"(uint64_t){value}" if i.sf else value)

    return semantics


FCVTNS_g = _to_integer("n", "s")
FCVTNU_g = _to_integer("n", "u")
FCVTAS_g = _to_integer("a", "s")
FCVTAU_g = _to_integer("a", "u")
FCVTPS_g = _to_integer("p", "s")
FCVTPU_g = _to_integer("p", "u")
FCVTMS_g = _to_integer("m", "s")
FCVTMU_g = _to_integer("m", "u")
FCVTZS_g = _to_integer("z", "s")
FCVTZU_g = _to_integer("z", "u")


def _to_fixed(sign: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        value = read(b, i.ftype, i.rn)
        value = f"rt_value_f16({value})" if i.ftype == 3 else value
        value = f"rt_scaled((double){value}, 0x1p{64 - i.scale})"
        b.set_r(i.sf, i.rd, f"{'(uint64_t)' * i.sf}rt_fcvtz_{sign}{64 if i.sf else 32}_f64(c, {value})")

    return semantics


FCVTZS_gx = _to_fixed("s")
FCVTZU_gx = _to_fixed("u")


def integer_to_float(ftype: int, sign: str, bits: int, value: str, fraction: int = 0) -> str:
    """`value` (an integer of `bits`, the lowest `fraction` ones behind the point), rounded once."""
    ctype = f"{'int' if sign == 's' else 'uint'}{bits}_t"
    if ftype == 3:
        return f"rt_{sign}cvtf_f16_{sign}64(c, ({ctype})({value}), {fraction})"
    scale = f" * 0x1p-{fraction}{'' if ftype else 'f'}" if fraction else ""
    return f"rt_{sign}cvtf_{FORMAT[ftype]}_{sign}{bits}(({ctype})({value})){scale}"


def _from_integer(sign: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        fraction = 64 - i.f.get("scale", 64)
        write(b, i.ftype, i.rd, integer_to_float(i.ftype, sign, 64 if i.sf else 32, b.r(i.sf, i.rn), fraction))

    return semantics


SCVTF_g = SCVTF_gx = _from_integer("s")
UCVTF_g = UCVTF_gx = _from_integer("u")
