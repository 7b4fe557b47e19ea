"""Advanced SIMD: moves, rearrangement, integer arithmetic. The work is in `rt_simd.h`; here lies which helper.

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


# --- operands and results


def part(i: Insn, value: str) -> str:
    """`value` with only what this form has: 128 bits, 64 bits, or lane 0."""
    if "Q" in i.f:
        return value if i.Q else f"rt_low({value})"
    return lane0(_size(i), value)


def lane0(size: int, value: str) -> str:
    return f"rt_low({value})" if size == 3 else f"rt_keep{8 << size}({value})"


def half(b: Builder, i: Insn, n: int) -> str:
    """The half of register n that a long or wide form reads, in the low half."""
    if "Q" not in i.f:
        return lane0(_size(i), b.v(n))
    return f"rt_high({b.v(n)})" if i.Q else b.v(n)


def write_half(b: Builder, i: Insn, value: str) -> None:
    """Write a narrowed result: the low half, zeros above; or (Q) the high half, the low one stays."""
    if i.f.get("Q"):
        b.set_v(i.rd, f"rt_join({b.v(i.rd)}, {value})")
    else:
        b.set_v(i.rd, part(i, value))


def _size(i: Insn) -> int:
    """Lane size as a power of two bytes; of a shift by immediate, from the highest one of immh."""
    return i.immh.bit_length() - 1 if "immh" in i.f else i.size


def element(b: Builder, i: Insn) -> str:
    """All lanes the element of a by-element form."""
    if i.f.get("size") == 1:
        lane, n, kind = i.H << 2 | i.L << 1 | i.M, i.rm, "u16x8"
    else:
        lane, n, kind = i.H << 1 | i.L, i.M << 4 | i.rm, "u32x4"
    return f"rt_dup_{kind}(rt_get_{kind}({b.v(n)}, {lane}))"


def _second(b: Builder, i: Insn) -> str:
    return element(b, i) if "H" in i.f else b.v(i.rm)


# --- families


def _three(
    op: str, lanes: tuple[str, ...] = UNSIGNED, *, acc: bool = False, fpsr: bool = False, end: str = ""
) -> Semantics:
    """d = op(n, m), or op(d, n, m) with `acc`; with `fpsr` it may saturate."""

    def semantics(b: Builder, i: Insn) -> None:
        operands = [b.v(i.rd) for _ in range(acc)] + [b.v(i.rn), _second(b, i)]
        operands = [part(i, v) for v in operands] if fpsr else operands
        b.set_v(i.rd, part(i, f"rt_{op}_{lanes[i.size]}({'c, ' * fpsr}{', '.join(operands)}{end})"))

    return semantics


def _logic(text: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, text.format(n=b.v(i.rn), m=b.v(i.rm))))

    return semantics


def _choose(mask: str, one: str, other: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        registers = {"d": b.v(i.rd), "n": b.v(i.rn), "m": b.v(i.rm)}
        b.set_v(i.rd, part(i, f"rt_select({registers[mask]}, {registers[one]}, {registers[other]})"))

    return semantics


def _swapped(semantics_of: str, lanes: tuple[str, ...]) -> Semantics:
    """Compare with zero on the left."""

    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"rt_{semantics_of}_{lanes[i.size]}((rt_v128){{0}}, {b.v(i.rn)})"))

    return semantics


def _with_zero(op: str, lanes: tuple[str, ...]) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"rt_{op}_{lanes[i.size]}({b.v(i.rn)}, (rt_v128){{0}})"))

    return semantics


def _two(op: str, lanes: tuple[str, ...] = UNSIGNED, *, acc: bool = False, fpsr: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        operands = [b.v(i.rd) for _ in range(acc)] + [b.v(i.rn)]
        operands = [part(i, v) for v in operands] if fpsr else operands
        b.set_v(i.rd, part(i, f"rt_{op}_{lanes[i.size]}({'c, ' * fpsr}{', '.join(operands)})"))

    return semantics


def _bytes(op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"rt_{op}({b.v(i.rn)})"))

    return semantics


def _pairs(op: str, lanes: tuple[str, ...] = UNSIGNED) -> Semantics:
    """Pairs of neighbours of n, then of m; the 64-bit form finds both in one register."""

    def semantics(b: Builder, i: Insn) -> None:
        if i.Q:
            b.set_v(i.rd, f"rt_{op}_{lanes[i.size]}({b.v(i.rn)}, {b.v(i.rm)})")
        else:
            both = b.tmp("rt_v128", f"rt_join({b.v(i.rn)}, {b.v(i.rm)})")
            b.set_v(i.rd, f"rt_low(rt_{op}_{lanes[i.size]}({both}, {both}))")

    return semantics


def _pairs_long(lanes: tuple[str, ...], *, acc: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        value = f"rt_addlp_{lanes[i.size]}({b.v(i.rn)})"
        if acc:
            value = f"rt_add_{UNSIGNED[i.size + 1]}({b.v(i.rd)}, {value})"
        b.set_v(i.rd, part(i, value))

    return semantics


def _across(op: str, lanes: tuple[str, ...], *, long: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        count = (16 if i.Q else 8) >> i.size
        if long:
            value = f"rt_addlp_{lanes[i.size]}({b.v(i.rn)})"
            size, count = i.size + 1, count // 2
            value = f"rt_addv_{UNSIGNED[size]}({value}, {count})"
        else:
            size, value = i.size, f"rt_{op}_{lanes[i.size]}({b.v(i.rn)}, {count})"
        b.set_v(i.rd, f"rt_u64_v((uint{8 << size}_t){value})")

    return semantics


def _long(op: str, lanes: tuple[str, ...], *, wide: bool = False, acc: str = "", fpsr: bool = False) -> Semantics:
    """d = op(half of n, half of m), lanes twice as wide; `wide`: n is; `acc`: how the result joins d."""

    def semantics(b: Builder, i: Insn) -> None:
        left = b.v(i.rn) if wide else half(b, i, i.rn)
        right = element(b, i) if "H" in i.f else half(b, i, i.rm)
        if "Q" not in i.f and "H" in i.f:
            right = lane0(i.size, right)
        value = f"rt_{op}_{lanes[i.size]}({'c, ' * fpsr}{left}, {right})"
        if acc:
            kind = SIGNED if fpsr else UNSIGNED
            d = b.v(i.rd) if "Q" in i.f else lane0(i.size + 1, b.v(i.rd))
            value = f"rt_{acc}_{kind[i.size + 1]}({'c, ' * fpsr}{d}, {value})"
        b.set_v(i.rd, value if "Q" in i.f else lane0(i.size + 1, value))

    return semantics


def _high_half(op: str, *, round: bool) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        kind = UNSIGNED[i.size + 1]
        write_half(b, i, f"rt_{'r' * round}hn_{kind}(rt_{op}_{kind}({b.v(i.rn)}, {b.v(i.rm)}))")

    return semantics


def _narrow(op: str, lanes: tuple[str, ...], *, fpsr: bool = True) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        value = b.v(i.rn) if "Q" in i.f else lane0(i.size + 1, b.v(i.rn))
        write_half(b, i, f"rt_{op}_{lanes[i.size + 1]}({'c, ' * fpsr}{value})")

    return semantics


# --- shifts by immediate


def _right_amount(i: Insn) -> int:
    return (16 << _size(i)) - (i.immh << 3 | i.immb)


def _left_amount(i: Insn) -> int:
    return (i.immh << 3 | i.immb) - (8 << _size(i))


def _shift_right(op: str, lanes: tuple[str, ...], *, acc: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size = _size(i)
        value = f"rt_{op}_{lanes[size]}({b.v(i.rn)}, {_right_amount(i)})"
        if acc:
            value = f"rt_add_{UNSIGNED[size]}({b.v(i.rd)}, {value})"
        b.set_v(i.rd, part(i, value))

    return semantics


def _shift_left(op: str, lanes: tuple[str, ...] = UNSIGNED, *, fpsr: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        value = part(i, b.v(i.rn)) if fpsr else b.v(i.rn)
        b.set_v(i.rd, part(i, f"rt_{op}_{lanes[_size(i)]}({'c, ' * fpsr}{value}, {_left_amount(i)})"))

    return semantics


def _shift_insert(op: str, amount: Callable[[Insn], int]) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"rt_{op}_{UNSIGNED[_size(i)]}({b.v(i.rd)}, {b.v(i.rn)}, {amount(i)})"))

    return semantics


def _shift_narrow(shift: str, lanes: tuple[str, ...], narrow: str, *, fpsr: bool = True) -> Semantics:
    """Shift wide lanes right, then narrow them."""

    def semantics(b: Builder, i: Insn) -> None:
        size = _size(i)
        value = b.v(i.rn) if "Q" in i.f else lane0(size + 1, b.v(i.rn))
        value = f"rt_{shift}_{lanes[size + 1]}({value}, {_right_amount(i)})"
        write_half(b, i, f"rt_{narrow}_{lanes[size + 1]}({'c, ' * fpsr}{value})")

    return semantics


def _shift_long(lanes: tuple[str, ...]) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size, amount = _size(i), _left_amount(i)
        value = f"rt_widen_{lanes[size]}({half(b, i, i.rn)})"
        b.set_v(i.rd, f"rt_shl_{UNSIGNED[size + 1]}({value}, {amount})" if amount else value)

    return semantics


def SHLL_v(b: Builder, i: Insn) -> None:
    value = f"rt_widen_{UNSIGNED[i.size]}({half(b, i, i.rn)})"
    b.set_v(i.rd, f"rt_shl_{UNSIGNED[i.size + 1]}({value}, {8 << i.size})")


# --- copies and permutations


def _copy_lane(i: Insn) -> tuple[int, int]:
    """(size as a power of two, lane) of imm5."""
    size = (i.imm5 & -i.imm5).bit_length() - 1
    return size, i.imm5 >> size + 1


def DUP_vi(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    value = f"rt_dup_{UNSIGNED[size]}(rt_get_{UNSIGNED[size]}({b.v(i.rn)}, {lane}))"
    b.set_v(i.rd, part(i, value))


def DUP_si(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    b.set_v(i.rd, f"rt_u64_v(rt_get_{UNSIGNED[size]}({b.v(i.rn)}, {lane}))")


def DUP_vg(b: Builder, i: Insn) -> None:
    size, _ = _copy_lane(i)
    b.set_v(i.rd, part(i, f"rt_dup_{UNSIGNED[size]}((uint{8 << size}_t){b.x(i.rn)})"))


def UMOV(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    b.set_x(i.rd, f"rt_get_{UNSIGNED[size]}({b.v(i.rn)}, {lane})")


def SMOV(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    bits = 64 if i.Q else 32
    b.set_x(i.rd, f"(uint{bits}_t)(int{bits}_t)rt_get_{SIGNED[size]}({b.v(i.rn)}, {lane})")


def INS_g(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    b.set_v(i.rd, f"rt_set_{UNSIGNED[size]}({b.v(i.rd)}, {lane}, (uint{8 << size}_t){b.x(i.rn)})")


def INS_e(b: Builder, i: Insn) -> None:
    size, lane = _copy_lane(i)
    kind = UNSIGNED[size]
    b.set_v(i.rd, f"rt_set_{kind}({b.v(i.rd)}, {lane}, rt_get_{kind}({b.v(i.rn)}, {i.imm4 >> size}))")


def _zip(second: bool) -> Semantics:
    # The 64-bit forms are the halves of the first 128-bit one.
    def semantics(b: Builder, i: Insn) -> None:
        n, m, kind = b.v(i.rn), b.v(i.rm), UNSIGNED[i.size]
        if i.Q:
            b.set_v(i.rd, f"rt_zip{1 + second}_{kind}({n}, {m})")
        else:
            b.set_v(i.rd, f"rt_{'high' if second else 'low'}(rt_zip1_{kind}({n}, {m}))")

    return semantics


ZIP1, ZIP2 = _zip(False), _zip(True)
UZP1, UZP2 = _pairs("uzp1"), _pairs("uzp2")
TRN1, TRN2 = _three("trn1"), _three("trn2")


def EXT(b: Builder, i: Insn) -> None:
    if i.Q:
        b.set_v(i.rd, f"rt_ext({b.v(i.rn)}, {b.v(i.rm)}, {i.imm4})")
    else:
        both = b.tmp("rt_v128", f"rt_join({b.v(i.rn)}, {b.v(i.rm)})")
        b.set_v(i.rd, f"rt_low(rt_ext({both}, {both}, {i.imm4}))")


def _lookup(b: Builder, i: Insn, other: str) -> None:
    table = ", ".join(b.v((i.rn + k) % 32) for k in range(i.len + 1))
    b.set_v(i.rd, part(i, f"rt_table((const rt_v128[]){{{table}}}, {i.len + 1}, {b.v(i.rm)}, {other})"))


def TBL(b: Builder, i: Insn) -> None:
    _lookup(b, i, "(rt_v128){0}")


def TBX(b: Builder, i: Insn) -> None:
    _lookup(b, i, b.v(i.rd))


# --- modified immediates (AdvSIMDExpandImm)


def _constant(bits: int) -> str:
    return f"(rt_v128){{UINT64_C({bits:#x}), UINT64_C({bits:#x})}}"


def _imm8(i: Insn) -> int:
    return i.abc << 5 | i.defgh


def _words(i: Insn) -> int:
    return (_imm8(i) << 8 * i.sh) * 0x0000000100000001


def _halves(i: Insn) -> int:
    return (_imm8(i) << 8 * i.sh) * 0x0001000100010001


def _ones_below(i: Insn) -> int:
    """MSL: shifted left by 8 or 16, ones coming in."""
    shift = 16 if i.sh else 8
    return (_imm8(i) << shift | (1 << shift) - 1) * 0x0000000100000001


def _byte(i: Insn) -> int:
    return _imm8(i) * 0x0101010101010101


def _mask(i: Insn) -> int:
    """Each bit of imm8 is a byte of ones or zeros."""
    return sum(0xFF << 8 * k for k in range(8) if _imm8(i) >> k & 1)


def _single(i: Insn) -> int:
    imm8 = _imm8(i)
    value = (imm8 & 0x80) << 24 | (0x3E000000 if imm8 & 0x40 else 0x40000000) | (imm8 & 0x3F) << 19
    return value * 0x0000000100000001


def _double(i: Insn) -> int:
    imm8 = _imm8(i)
    return (imm8 & 0x80) << 56 | (0x3FC << 52 if imm8 & 0x40 else 0x400 << 52) | (imm8 & 0x3F) << 48


def _half(i: Insn) -> int:
    imm8 = _imm8(i)
    return ((imm8 & 0x80) << 8 | (0x3000 if imm8 & 0x40 else 0x4000) | (imm8 & 0x3F) << 6) * 0x0001000100010001


def _move(expand: Callable[[Insn], int], invert: int = 0) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, _constant(expand(i) ^ invert)))

    return semantics


def _combine(expand: Callable[[Insn], int], op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"{b.v(i.rd)} {op} {_constant(expand(i))}"))

    return semantics


_ALL = (1 << 64) - 1
MOVI_v, MVNI_v, ORR_vi, BIC_vi = _move(_words), _move(_words, _ALL), _combine(_words, "|"), _combine(_words, "& ~")
MOVI_vh, MVNI_vh, ORR_vih, BIC_vih = (
    _move(_halves),
    _move(_halves, _ALL),
    _combine(_halves, "|"),
    _combine(_halves, "& ~"),
)
MOVI_vm, MVNI_vm = _move(_ones_below), _move(_ones_below, _ALL)
MOVI_vb, FMOV_vi, FMOV_vid, FMOV_vih = _move(_byte), _move(_single), _move(_double), _move(_half)


def MOVI_vd(b: Builder, i: Insn) -> None:
    if i.Q:
        b.set_v(i.rd, _constant(_mask(i)))
    else:
        # How compilers write 0.0: a double where doubles follow.
        b.set_d(i.rd, f"rt_f64(UINT64_C({_mask(i):#x}))")


# --- three same

SHADD_v = _three("hadd", SIGNED)
UHADD_v = _three("hadd", UNSIGNED)
SRHADD_v = _three("rhadd", SIGNED)
URHADD_v = _three("rhadd", UNSIGNED)
SHSUB_v = _three("hsub", SIGNED)
UHSUB_v = _three("hsub", UNSIGNED)
SMAX_v = _three("max", SIGNED)
UMAX_v = _three("max", UNSIGNED)
SMIN_v = _three("min", SIGNED)
UMIN_v = _three("min", UNSIGNED)
SABD_v = _three("abd", SIGNED)
UABD_v = _three("abd", UNSIGNED)
SABA_v = _three("aba", SIGNED, acc=True)
UABA_v = _three("aba", UNSIGNED, acc=True)
SMAXP_v = _pairs("maxp", SIGNED)
UMAXP_v = _pairs("maxp", UNSIGNED)
SMINP_v = _pairs("minp", SIGNED)
UMINP_v = _pairs("minp", UNSIGNED)
ADDP_v = _pairs("addp")
ADD_v = ADD_s = _three("add")
SUB_v = SUB_s = _three("sub")
MUL_v = MUL_vi = _three("mul")
MLA_v = MLA_vi = _three("mla", acc=True)
MLS_v = MLS_vi = _three("mls", acc=True)
PMUL_v = _three("pmul")
CMGT_v = CMGT_s = _three("cmgt", SIGNED)
CMHI_v = CMHI_s = _three("cmgt", UNSIGNED)
CMGE_v = CMGE_s = _three("cmge", SIGNED)
CMHS_v = CMHS_s = _three("cmge", UNSIGNED)
CMEQ_v = CMEQ_s = _three("cmeq")
CMTST_v = CMTST_s = _three("cmtst")
SQADD_v = SQADD_s = _three("qadd", SIGNED, fpsr=True)
UQADD_v = UQADD_s = _three("qadd", UNSIGNED, fpsr=True)
SQSUB_v = SQSUB_s = _three("qsub", SIGNED, fpsr=True)
UQSUB_v = UQSUB_s = _three("qsub", UNSIGNED, fpsr=True)
SSHL_v = SSHL_s = _three("sshl", SIGNED, end=", 0")
SRSHL_v = SRSHL_s = _three("sshl", SIGNED, end=", 1")
SQSHL_v = SQSHL_s = _three("sqshl", SIGNED, fpsr=True, end=", 0")
SQRSHL_v = SQRSHL_s = _three("sqshl", SIGNED, fpsr=True, end=", 1")
USHL_v = USHL_s = _three("sshl", UNSIGNED, end=", 0")
URSHL_v = URSHL_s = _three("sshl", UNSIGNED, end=", 1")
UQSHL_v = UQSHL_s = _three("sqshl", UNSIGNED, fpsr=True, end=", 0")
UQRSHL_v = UQRSHL_s = _three("sqshl", UNSIGNED, fpsr=True, end=", 1")
SQDMULH_v = SQDMULH_s = SQDMULH_vi = SQDMULH_si = _three("qdmulh", SIGNED, fpsr=True, end=", 0")
SQRDMULH_v = SQRDMULH_s = SQRDMULH_vi = SQRDMULH_si = _three("qdmulh", SIGNED, fpsr=True, end=", 1")
SQRDMLAH_v = SQRDMLAH_s = SQRDMLAH_vi = SQRDMLAH_si = _three("qrdmla", SIGNED, acc=True, fpsr=True, end=", 1")
SQRDMLSH_v = SQRDMLSH_s = SQRDMLSH_vi = SQRDMLSH_si = _three("qrdmla", SIGNED, acc=True, fpsr=True, end=", -1")
AND_v = _logic("{n} & {m}")
BIC_v = _logic("{n} & ~{m}")
ORR_v = _logic("{n} | {m}")
ORN_v = _logic("{n} | ~{m}")
EOR_v = _logic("{n} ^ {m}")
BSL_v = _choose("d", "n", "m")
BIT_v = _choose("m", "n", "d")
BIF_v = _choose("m", "d", "n")

# --- two registers

REV64_v = _two("rev64")
REV32_v = _two("rev32")
REV16_v = _two("rev16")
CLS_v = _two("cls")
CLZ_v = _two("clz")
CNT_v = _bytes("cnt")
NOT_v = _bytes("not")
RBIT_v = _bytes("rbit")
ABS_v = ABS_s = _two("abs", SIGNED)
NEG_v = NEG_s = _two("neg")
SQABS_v = SQABS_s = _two("qabs", SIGNED, fpsr=True)
SQNEG_v = SQNEG_s = _two("qneg", SIGNED, fpsr=True)
SUQADD_v = SUQADD_s = _two("uqadds", SIGNED, acc=True, fpsr=True)
USQADD_v = USQADD_s = _two("sqaddu", acc=True, fpsr=True)
SADDLP_v = _pairs_long(SIGNED)
SADALP_v = _pairs_long(SIGNED, acc=True)
UADDLP_v = _pairs_long(UNSIGNED)
UADALP_v = _pairs_long(UNSIGNED, acc=True)
CMGT_vz = CMGT_sz = _with_zero("cmgt", SIGNED)
CMGE_vz = CMGE_sz = _with_zero("cmge", SIGNED)
CMEQ_vz = CMEQ_sz = _with_zero("cmeq", UNSIGNED)
CMLE_vz = CMLE_sz = _swapped("cmge", SIGNED)
CMLT_vz = CMLT_sz = _swapped("cmgt", SIGNED)
XTN_v = _narrow("narrow", UNSIGNED, fpsr=False)
SQXTN_v = SQXTN_s = _narrow("qxtn", SIGNED)
UQXTN_v = UQXTN_s = _narrow("qxtn", UNSIGNED)
SQXTUN_v = SQXTUN_s = _narrow("qxtun", SIGNED)

# --- across lanes

SADDLV = _across("", SIGNED, long=True)
SMAXV = _across("maxv", SIGNED)
SMINV = _across("minv", SIGNED)
UADDLV = _across("", UNSIGNED, long=True)
UMAXV = _across("maxv", UNSIGNED)
UMINV = _across("minv", UNSIGNED)
ADDV = _across("addv", UNSIGNED)


def ADDP_s(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"rt_u64_v({b.v(i.rn)}[0] + {b.v(i.rn)}[1])")


# --- three different

SADDL_v = _long("addl", SIGNED)
SADDW_v = _long("addw", SIGNED, wide=True)
SSUBL_v = _long("subl", SIGNED)
SSUBW_v = _long("subw", SIGNED, wide=True)
SABDL_v = _long("abdl", SIGNED)
SABAL_v = _long("abdl", SIGNED, acc="add")
SMULL_v = SMULL_vi = _long("mull", SIGNED)
SMLAL_v = SMLAL_vi = _long("mull", SIGNED, acc="add")
SMLSL_v = SMLSL_vi = _long("mull", SIGNED, acc="sub")
UADDL_v = _long("addl", UNSIGNED)
UADDW_v = _long("addw", UNSIGNED, wide=True)
USUBL_v = _long("subl", UNSIGNED)
USUBW_v = _long("subw", UNSIGNED, wide=True)
UABDL_v = _long("abdl", UNSIGNED)
UABAL_v = _long("abdl", UNSIGNED, acc="add")
UMULL_v = UMULL_vi = _long("mull", UNSIGNED)
UMLAL_v = UMLAL_vi = _long("mull", UNSIGNED, acc="add")
UMLSL_v = UMLSL_vi = _long("mull", UNSIGNED, acc="sub")
SQDMULL_v = SQDMULL_s = SQDMULL_vi = SQDMULL_si = _long("qdmull", SIGNED, fpsr=True)
SQDMLAL_v = SQDMLAL_s = SQDMLAL_vi = SQDMLAL_si = _long("qdmull", SIGNED, acc="qadd", fpsr=True)
SQDMLSL_v = SQDMLSL_s = SQDMLSL_vi = SQDMLSL_si = _long("qdmull", SIGNED, acc="qsub", fpsr=True)
ADDHN_v = _high_half("add", round=False)
RADDHN_v = _high_half("add", round=True)
SUBHN_v = _high_half("sub", round=False)
RSUBHN_v = _high_half("sub", round=True)


def PMULL_v(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"rt_pmull_u8x16({half(b, i, i.rn)}, {half(b, i, i.rm)})")


def _dot(kind: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        right = element(b, i) if "H" in i.f else b.v(i.rm)
        b.set_v(i.rd, part(i, f"rt_dot_{kind}({b.v(i.rd)}, {b.v(i.rn)}, {right})"))

    return semantics


SDOT_v = SDOT_vi = _dot("s8x16")
UDOT_v = UDOT_vi = _dot("u8x16")

# --- shifts by immediate

SSHR_v = SSHR_s = _shift_right("shr", SIGNED)
SSRA_v = SSRA_s = _shift_right("shr", SIGNED, acc=True)
SRSHR_v = SRSHR_s = _shift_right("rshr", SIGNED)
SRSRA_v = SRSRA_s = _shift_right("rshr", SIGNED, acc=True)
SSHLL_v = _shift_long(SIGNED)
SQSHL_vi = SQSHL_si = _shift_left("qshl", SIGNED, fpsr=True)
SQSHRN_v = SQSHRN_s = _shift_narrow("shr", SIGNED, "qxtn")
SQRSHRN_v = SQRSHRN_s = _shift_narrow("rshr", SIGNED, "qxtn")
USHR_v = USHR_s = _shift_right("shr", UNSIGNED)
USRA_v = USRA_s = _shift_right("shr", UNSIGNED, acc=True)
URSHR_v = URSHR_s = _shift_right("rshr", UNSIGNED)
URSRA_v = URSRA_s = _shift_right("rshr", UNSIGNED, acc=True)
USHLL_v = _shift_long(UNSIGNED)
UQSHL_vi = UQSHL_si = _shift_left("qshl", UNSIGNED, fpsr=True)
UQSHRN_v = UQSHRN_s = _shift_narrow("shr", UNSIGNED, "qxtn")
UQRSHRN_v = UQRSHRN_s = _shift_narrow("rshr", UNSIGNED, "qxtn")
SQSHRUN_v = SQSHRUN_s = _shift_narrow("shr", SIGNED, "qxtun")
SQRSHRUN_v = SQRSHRUN_s = _shift_narrow("rshr", SIGNED, "qxtun")
SHRN_v = _shift_narrow("shr", UNSIGNED, "narrow", fpsr=False)
RSHRN_v = _shift_narrow("rshr", UNSIGNED, "narrow", fpsr=False)
SHL_v = SHL_s = _shift_left("shl")
SQSHLU_v = SQSHLU_s = _shift_left("qshlu", SIGNED, fpsr=True)
SRI_v = SRI_s = _shift_insert("sri", _right_amount)
SLI_v = SLI_s = _shift_insert("sli", _left_amount)
