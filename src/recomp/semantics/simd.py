"""Advanced SIMD: integer arithmetic and logic. The work is in `rt_simd.h`; here lies which helper does it."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder
from recomp.semantics.simd_operands import (
    SIGNED,
    UNSIGNED,
    Semantics,
    element,
    half,
    lane0,
    lane_size,
    part,
    second,
    write_half,
)

# --- families


def three(
    op: str, lanes: tuple[str, ...] = UNSIGNED, *, acc: bool = False, fpsr: bool = False, end: str = ""
) -> Semantics:
    """d = op(n, m), or op(d, n, m) with `acc`; with `fpsr` it may saturate."""

    def semantics(b: Builder, i: Insn) -> None:
        operands = [b.v(i.rd) for _ in range(acc)] + [b.v(i.rn), second(b, i)]
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


def pairs(op: str, lanes: tuple[str, ...] = UNSIGNED) -> Semantics:
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
    return (16 << lane_size(i)) - (i.immh << 3 | i.immb)


def _left_amount(i: Insn) -> int:
    return (i.immh << 3 | i.immb) - (8 << lane_size(i))


def _shift_right(op: str, lanes: tuple[str, ...], *, acc: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size = lane_size(i)
        value = f"rt_{op}_{lanes[size]}({b.v(i.rn)}, {_right_amount(i)})"
        if acc:
            value = f"rt_add_{UNSIGNED[size]}({b.v(i.rd)}, {value})"
        b.set_v(i.rd, part(i, value))

    return semantics


def _shift_left(op: str, lanes: tuple[str, ...] = UNSIGNED, *, fpsr: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        value = part(i, b.v(i.rn)) if fpsr else b.v(i.rn)
        b.set_v(i.rd, part(i, f"rt_{op}_{lanes[lane_size(i)]}({'c, ' * fpsr}{value}, {_left_amount(i)})"))

    return semantics


def _shift_insert(op: str, amount: Callable[[Insn], int]) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        b.set_v(i.rd, part(i, f"rt_{op}_{UNSIGNED[lane_size(i)]}({b.v(i.rd)}, {b.v(i.rn)}, {amount(i)})"))

    return semantics


def _shift_narrow(shift: str, lanes: tuple[str, ...], narrow: str, *, fpsr: bool = True) -> Semantics:
    """Shift wide lanes right, then narrow them."""

    def semantics(b: Builder, i: Insn) -> None:
        size = lane_size(i)
        value = b.v(i.rn) if "Q" in i.f else lane0(size + 1, b.v(i.rn))
        value = f"rt_{shift}_{lanes[size + 1]}({value}, {_right_amount(i)})"
        write_half(b, i, f"rt_{narrow}_{lanes[size + 1]}({'c, ' * fpsr}{value})")

    return semantics


def _shift_long(lanes: tuple[str, ...]) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        size, amount = lane_size(i), _left_amount(i)
        value = f"rt_widen_{lanes[size]}({half(b, i, i.rn)})"
        b.set_v(i.rd, f"rt_shl_{UNSIGNED[size + 1]}({value}, {amount})" if amount else value)

    return semantics


def SHLL_v(b: Builder, i: Insn) -> None:
    value = f"rt_widen_{UNSIGNED[i.size]}({half(b, i, i.rn)})"
    b.set_v(i.rd, f"rt_shl_{UNSIGNED[i.size + 1]}({value}, {8 << i.size})")


# --- three same

SHADD_v = three("hadd", SIGNED)
UHADD_v = three("hadd", UNSIGNED)
SRHADD_v = three("rhadd", SIGNED)
URHADD_v = three("rhadd", UNSIGNED)
SHSUB_v = three("hsub", SIGNED)
UHSUB_v = three("hsub", UNSIGNED)
SMAX_v = three("max", SIGNED)
UMAX_v = three("max", UNSIGNED)
SMIN_v = three("min", SIGNED)
UMIN_v = three("min", UNSIGNED)
SABD_v = three("abd", SIGNED)
UABD_v = three("abd", UNSIGNED)
SABA_v = three("aba", SIGNED, acc=True)
UABA_v = three("aba", UNSIGNED, acc=True)
SMAXP_v = pairs("maxp", SIGNED)
UMAXP_v = pairs("maxp", UNSIGNED)
SMINP_v = pairs("minp", SIGNED)
UMINP_v = pairs("minp", UNSIGNED)
ADDP_v = pairs("addp")
ADD_v = ADD_s = three("add")
SUB_v = SUB_s = three("sub")
MUL_v = MUL_vi = three("mul")
MLA_v = MLA_vi = three("mla", acc=True)
MLS_v = MLS_vi = three("mls", acc=True)
PMUL_v = three("pmul")
CMGT_v = CMGT_s = three("cmgt", SIGNED)
CMHI_v = CMHI_s = three("cmgt", UNSIGNED)
CMGE_v = CMGE_s = three("cmge", SIGNED)
CMHS_v = CMHS_s = three("cmge", UNSIGNED)
CMEQ_v = CMEQ_s = three("cmeq")
CMTST_v = CMTST_s = three("cmtst")
SQADD_v = SQADD_s = three("qadd", SIGNED, fpsr=True)
UQADD_v = UQADD_s = three("qadd", UNSIGNED, fpsr=True)
SQSUB_v = SQSUB_s = three("qsub", SIGNED, fpsr=True)
UQSUB_v = UQSUB_s = three("qsub", UNSIGNED, fpsr=True)
SSHL_v = SSHL_s = three("sshl", SIGNED, end=", 0")
SRSHL_v = SRSHL_s = three("sshl", SIGNED, end=", 1")
SQSHL_v = SQSHL_s = three("sqshl", SIGNED, fpsr=True, end=", 0")
SQRSHL_v = SQRSHL_s = three("sqshl", SIGNED, fpsr=True, end=", 1")
USHL_v = USHL_s = three("sshl", UNSIGNED, end=", 0")
URSHL_v = URSHL_s = three("sshl", UNSIGNED, end=", 1")
UQSHL_v = UQSHL_s = three("sqshl", UNSIGNED, fpsr=True, end=", 0")
UQRSHL_v = UQRSHL_s = three("sqshl", UNSIGNED, fpsr=True, end=", 1")
SQDMULH_v = SQDMULH_s = SQDMULH_vi = SQDMULH_si = three("qdmulh", SIGNED, fpsr=True, end=", 0")
SQRDMULH_v = SQRDMULH_s = SQRDMULH_vi = SQRDMULH_si = three("qdmulh", SIGNED, fpsr=True, end=", 1")
SQRDMLAH_v = SQRDMLAH_s = SQRDMLAH_vi = SQRDMLAH_si = three("qrdmla", SIGNED, acc=True, fpsr=True, end=", 1")
SQRDMLSH_v = SQRDMLSH_s = SQRDMLSH_vi = SQRDMLSH_si = three("qrdmla", SIGNED, acc=True, fpsr=True, end=", -1")
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
