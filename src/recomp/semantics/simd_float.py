"""Advanced SIMD floating point: vectors, and the scalar forms that share their encodings.

Forms without a `sz` field whose name ends in `h` are half precision (FEAT_FP16); their helpers take the lane count.
"""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder
from recomp.semantics.float import read, write
from recomp.semantics.simd_operands import Semantics, part, write_half

VECTOR = {0: "f32x4", 1: "f64x2", 3: "f16x8"}
SCALAR = {0: "f32", 1: "f64", 3: "f16"}
SIZE = {0: 2, 1: 3, 3: 1}
UNSIGNED = {0: "u32", 1: "u64", 3: "u16"}


def _format(i: Insn) -> int:
    """0 single, 1 double, 3 half, as `ftype`; of a conversion with fixed point, from immh."""
    if "immh" in i.f:
        return 3 if i.immh < 4 else i.immh >> 3
    return i.f.get("sz", 3 if "h" in i.name.rpartition("_")[2] else 0)


def _count(i: Insn) -> int:
    return (16 if i.Q else 8) >> SIZE[_format(i)]


def _call(op: str, i: Insn, *operands: str, cpu: bool = True, count: bool = False) -> str:
    """The helper on vectors; of a half, or with `count`, it also takes the number of lanes."""
    form = _format(i)
    arguments = ["c"] * cpu + list(operands) + [str(_count(i))] * (count or (form == 3 and cpu))
    return f"rt_{op}_{VECTOR[form]}({', '.join(arguments)})"


def _live(i: Insn, value: str) -> str:
    """An operand whose lanes above must not raise exceptions; helpers of halves see to that themselves."""
    return value if _format(i) == 3 else part(i, value)


def _second(b: Builder, i: Insn) -> str:
    """The second operand: a register, or one element of it in all lanes."""
    if "H" not in i.f:
        return b.v(i.rm)
    form = _format(i)
    if form == 3:
        lane, n = i.H << 2 | i.L << 1 | i.M, i.rm
    else:
        lane, n = (i.H if form else i.H << 1 | i.L), i.M << 4 | i.rm
    kind = ("u16x8", "u32x4", "u64x2")[SIZE[form] - 1]
    return f"rt_dup_{kind}(rt_get_{kind}({b.v(n)}, {lane}))"


def _second_scalar(b: Builder, i: Insn) -> str:
    if "H" not in i.f:
        return read(b, _format(i), i.rm)
    form = _format(i)
    if form == 3:
        return f"rt_get_u16x8({b.v(i.rm)}, {i.H << 2 | i.L << 1 | i.M})"
    n, lane = i.M << 4 | i.rm, i.H if form else i.H << 1 | i.L
    if lane == 0:
        return read(b, form, n)
    kind = "u64x2" if form else "u32x4"
    return f"rt_{SCALAR[form]}(rt_get_{kind}({b.v(n)}, {lane}))"


def _is_vector(i: Insn) -> bool:
    return "Q" in i.f


# --- three same, by element


def _three(op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        if _is_vector(i):
            b.set_v(i.rd, part(i, _call(op, i, _live(i, b.v(i.rn)), _live(i, _second(b, i)))))
        else:
            left = read(b, _format(i), i.rn)
            write(b, _format(i), i.rd, f"rt_{op}_{SCALAR[_format(i)]}(c, {left}, {_second_scalar(b, i)})")

    return semantics


def _divide(b: Builder, i: Insn) -> None:
    if i.Q or _format(i) == 3:
        b.set_v(i.rd, part(i, _call("fdiv", i, b.v(i.rn), b.v(i.rm))))
    else:
        b.set_v(i.rd, f"rt_fdiv_f32x2(c, {b.v(i.rn)}, {b.v(i.rm)})")


def _fused(negate: bool) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        form = _format(i)
        if _is_vector(i):
            left = _live(i, b.v(i.rn))
            left = _call("fneg", i, left, cpu=False) if negate else left
            b.set_v(i.rd, part(i, _call("fma", i, _live(i, b.v(i.rd)), left, _live(i, _second(b, i)))))
            return
        left = read(b, form, i.rn)
        left = f"rt_fneg_{SCALAR[form]}({left})" if negate else left
        addend = read(b, form, i.rd)
        write(b, form, i.rd, f"rt_fma_{SCALAR[form]}(c, {addend}, {left}, {_second_scalar(b, i)})")

    return semantics


def _compared(op: str, i: Insn, left: str, right: str) -> str:
    return f"rt_u64_v((uint{8 << SIZE[_format(i)]}_t)-rt_{op}_{SCALAR[_format(i)]}(c, {left}, {right}))"


def _compare(op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        if _is_vector(i):
            b.set_v(i.rd, part(i, _call(op, i, _live(i, b.v(i.rn)), _live(i, b.v(i.rm)))))
        else:
            form = _format(i)
            b.set_v(i.rd, _compared(op, i, read(b, form, i.rn), read(b, form, i.rm)))

    return semantics


def _compare_zero(op: str, *, swapped: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        if _is_vector(i):
            operands = [_live(i, b.v(i.rn)), "(rt_v128){0}"]
        else:
            operands = [read(b, _format(i), i.rn), "0"]
        operands = operands[::-1] if swapped else operands
        b.set_v(i.rd, part(i, _call(op, i, *operands)) if _is_vector(i) else _compared(op, i, *operands))

    return semantics


def _pairs(op: str) -> Semantics:
    """Pairs of neighbours of n, then of m; the scalar form joins the two lanes of n."""

    def semantics(b: Builder, i: Insn) -> None:
        form = _format(i)
        if not _is_vector(i):
            kind = ("u16x8", "u32x4", "u64x2")[SIZE[form] - 1]
            lanes = [f"rt_get_{kind}({b.v(i.rn)}, {k})" for k in (0, 1)]
            lanes = lanes if form == 3 else [f"rt_{SCALAR[form]}({v})" for v in lanes]
            write(b, form, i.rd, f"rt_{op}_{SCALAR[form]}(c, {lanes[0]}, {lanes[1]})")
        elif i.Q:
            b.set_v(i.rd, _call(op + "p", i, b.v(i.rn), b.v(i.rm)))
        else:
            # What the upper half of the result would raise, the lower one raises as well.
            both = b.tmp("rt_v128", f"rt_join({b.v(i.rn)}, {b.v(i.rm)})")
            b.set_v(i.rd, part(i, _call(op + "p", i, both, both)))

    return semantics


def _across(op: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        if _format(i) == 3:
            write(b, 3, i.rd, f"rt_{op}v_f16x8(c, {b.v(i.rn)}, {_count(i)})")
        else:
            write(b, 0, i.rd, f"rt_{op}v_f32x4(c, {b.v(i.rn)})")

    return semantics


# --- two registers


def _two(op: str, *, cpu: bool = True, count: bool = False) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        if _is_vector(i):
            value = b.v(i.rn) if count else _live(i, b.v(i.rn))
            b.set_v(i.rd, part(i, _call(op, i, value, cpu=cpu, count=count)))
        else:
            write(b, _format(i), i.rd, f"rt_{op}_{SCALAR[_format(i)]}(c, {read(b, _format(i), i.rn)})")

    return semantics


def _write_bits(b: Builder, i: Insn, value: str) -> None:
    """Write an integer to lane 0, through the view that a load or store of that size has."""
    form = _format(i)
    write(b, form, i.rd, value if form == 3 else f"rt_{SCALAR[form]}((uint{8 << SIZE[form]}_t){value})")


def _to_integer(mode: str, sign: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        form = _format(i)
        bits = 8 << SIZE[form]
        if _is_vector(i):
            b.set_v(i.rd, part(i, _call(f"fcvt{mode}_{sign}{bits}x{128 // bits}", i, _live(i, b.v(i.rn)))))
        else:
            _write_bits(b, i, f"rt_fcvt{mode}_{sign}{bits}_{SCALAR[form]}(c, {read(b, form, i.rn)})")

    return semantics


def _fraction(i: Insn) -> int:
    """Bits behind the point of a conversion with fixed point, else 0."""
    if "immh" not in i.f:
        return 0
    return (16 << SIZE[_format(i)]) - (i.immh << 3 | i.immb)


def _to_fixed(sign: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        form, scale = _format(i), f"0x1p{_fraction(i)}"
        bits = 8 << SIZE[form]
        if form == 3:
            count = _count(i) if _is_vector(i) else 1
            b.set_v(i.rd, f"rt_fcvtzx_{sign}16x8_f16x8(c, {b.v(i.rn)}, {scale}f, {count})")
        elif _is_vector(i):
            kind = f"{sign}{bits}x{128 // bits}"
            b.set_v(i.rd, part(i, f"rt_fcvtzx_{kind}_{VECTOR[form]}(c, {_live(i, b.v(i.rn))}, {scale})"))
        else:
            value = f"rt_scaled((double){read(b, form, i.rn)}, {scale})"
            _write_bits(b, i, f"rt_fcvtz_{sign}{bits}_f64(c, {value})")

    return semantics


def _from_integer(sign: str) -> Semantics:
    def semantics(b: Builder, i: Insn) -> None:
        form, fraction = _format(i), _fraction(i)
        bits = 8 << SIZE[form]
        scale = f" * 0x1p-{fraction}{'' if form else 'f'}" if fraction else ""
        if form == 3:
            # Also one lane goes through the helper of vectors.
            count = _count(i) if _is_vector(i) else 1
            b.set_v(i.rd, f"rt_{sign}cvtf_f16x8(c, {b.v(i.rn)}, {fraction}, {count})")
        elif _is_vector(i):
            value = f"rt_{sign}cvtf_{VECTOR[form]}({_live(i, b.v(i.rn))})"
            b.set_v(i.rd, part(i, f"(rt_v128)((rt_{VECTOR[form]}){value}{scale})" if fraction else value))
        else:
            ctype = f"{'int' if sign == 's' else 'uint'}{bits}_t"
            value = f"({ctype})rt_bits_{SCALAR[form]}({read(b, form, i.rn)})"
            write(b, form, i.rd, f"rt_{sign}cvtf_{SCALAR[form]}_{sign}{bits}({value}){scale}")

    return semantics


def _half_of(i: Insn, value: str) -> str:
    return f"rt_high({value})" if i.Q else value


def FCVTL_v(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, f"rt_fcvtl_{VECTOR[i.sz]}(c, {_half_of(i, b.v(i.rn))})")


def FCVTN_v(b: Builder, i: Insn) -> None:
    write_half(b, i, f"rt_fcvtn_{VECTOR[i.sz]}(c, {b.v(i.rn)})")


def FCVTXN_v(b: Builder, i: Insn) -> None:
    write_half(b, i, f"rt_fcvtxn_f64x2(c, {b.v(i.rn)})")


def FCVTXN_s(b: Builder, i: Insn) -> None:
    b.set_s(i.rd, f"rt_fcvtxn_f32_f64(c, {b.d(i.rn)})")


def URECPE_v(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, part(i, f"rt_urecpe({b.v(i.rn)})"))


def URSQRTE_v(b: Builder, i: Insn) -> None:
    b.set_v(i.rd, part(i, f"rt_ursqrte({b.v(i.rn)})"))


FADD_v = FADD_vh = _three("fadd")
FSUB_v = FSUB_vh = _three("fsub")
FMUL_v = FMUL_vh = FMUL_vi = FMUL_vih = FMUL_si = FMUL_sih = _three("fmul")
FMULX_v = FMULX_vh = FMULX_s = FMULX_sh = FMULX_vi = FMULX_vih = FMULX_si = FMULX_sih = _three("fmulx")
FDIV_v = FDIV_vh = _divide
FABD_v = FABD_vh = FABD_s = FABD_sh = _three("fabd")
FMAX_v = FMAX_vh = _three("fmax")
FMIN_v = FMIN_vh = _three("fmin")
FMAXNM_v = FMAXNM_vh = _three("fmaxnm")
FMINNM_v = FMINNM_vh = _three("fminnm")
FRECPS_v = FRECPS_vh = FRECPS_s = FRECPS_sh = _three("frecps")
FRSQRTS_v = FRSQRTS_vh = FRSQRTS_s = FRSQRTS_sh = _three("frsqrts")
FMLA_v = FMLA_vh = FMLA_vi = FMLA_vih = FMLA_si = FMLA_sih = _fused(False)
FMLS_v = FMLS_vh = FMLS_vi = FMLS_vih = FMLS_si = FMLS_sih = _fused(True)
FCMEQ_v = FCMEQ_vh = FCMEQ_s = FCMEQ_sh = _compare("fcmeq")
FCMGE_v = FCMGE_vh = FCMGE_s = FCMGE_sh = _compare("fcmge")
FCMGT_v = FCMGT_vh = FCMGT_s = FCMGT_sh = _compare("fcmgt")
FACGE_v = FACGE_vh = FACGE_s = FACGE_sh = _compare("facge")
FACGT_v = FACGT_vh = FACGT_s = FACGT_sh = _compare("facgt")
FCMEQ_vz = FCMEQ_vhz = FCMEQ_sz = FCMEQ_shz = _compare_zero("fcmeq")
FCMGE_vz = FCMGE_vhz = FCMGE_sz = FCMGE_shz = _compare_zero("fcmge")
FCMGT_vz = FCMGT_vhz = FCMGT_sz = FCMGT_shz = _compare_zero("fcmgt")
FCMLE_vz = FCMLE_vhz = FCMLE_sz = FCMLE_shz = _compare_zero("fcmge", swapped=True)
FCMLT_vz = FCMLT_vhz = FCMLT_sz = FCMLT_shz = _compare_zero("fcmgt", swapped=True)
FADDP_v = FADDP_vh = FADDP_s = FADDP_sh = _pairs("fadd")
FMAXP_v = FMAXP_vh = FMAXP_s = FMAXP_sh = _pairs("fmax")
FMINP_v = FMINP_vh = FMINP_s = FMINP_sh = _pairs("fmin")
FMAXNMP_v = FMAXNMP_vh = FMAXNMP_s = FMAXNMP_sh = _pairs("fmaxnm")
FMINNMP_v = FMINNMP_vh = FMINNMP_s = FMINNMP_sh = _pairs("fminnm")
FMAXV = FMAXV_h = _across("fmax")
FMINV = FMINV_h = _across("fmin")
FMAXNMV = FMAXNMV_h = _across("fmaxnm")
FMINNMV = FMINNMV_h = _across("fminnm")

FABS_v = FABS_vh = _two("fabs", cpu=False)
FNEG_v = FNEG_vh = _two("fneg", cpu=False)
FSQRT_v = FSQRT_vh = _two("fsqrt")
FRINTN_v = FRINTN_vh = _two("frintn")
FRINTP_v = FRINTP_vh = _two("frintp")
FRINTM_v = FRINTM_vh = _two("frintm")
FRINTZ_v = FRINTZ_vh = _two("frintz")
FRINTA_v = FRINTA_vh = _two("frinta")
FRINTX_v = FRINTX_vh = _two("frintx")
FRINTI_v = FRINTI_vh = _two("frinti")
FRECPE_v = FRECPE_vh = FRECPE_s = FRECPE_sh = _two("frecpe", count=True)
FRSQRTE_v = FRSQRTE_vh = FRSQRTE_s = FRSQRTE_sh = _two("frsqrte", count=True)
FRECPX_s = FRECPX_sh = _two("frecpx")

FCVTNS_v = FCVTNS_vh = FCVTNS_s = FCVTNS_sh = _to_integer("n", "s")
FCVTNU_v = FCVTNU_vh = FCVTNU_s = FCVTNU_sh = _to_integer("n", "u")
FCVTPS_v = FCVTPS_vh = FCVTPS_s = FCVTPS_sh = _to_integer("p", "s")
FCVTPU_v = FCVTPU_vh = FCVTPU_s = FCVTPU_sh = _to_integer("p", "u")
FCVTMS_v = FCVTMS_vh = FCVTMS_s = FCVTMS_sh = _to_integer("m", "s")
FCVTMU_v = FCVTMU_vh = FCVTMU_s = FCVTMU_sh = _to_integer("m", "u")
FCVTAS_v = FCVTAS_vh = FCVTAS_s = FCVTAS_sh = _to_integer("a", "s")
FCVTAU_v = FCVTAU_vh = FCVTAU_s = FCVTAU_sh = _to_integer("a", "u")
FCVTZS_v = FCVTZS_vh = FCVTZS_s = FCVTZS_sh = _to_integer("z", "s")
FCVTZU_v = FCVTZU_vh = FCVTZU_s = FCVTZU_sh = _to_integer("z", "u")
FCVTZS_vx = FCVTZS_sx = _to_fixed("s")
FCVTZU_vx = FCVTZU_sx = _to_fixed("u")
SCVTF_v = SCVTF_vh = SCVTF_s = SCVTF_sh = SCVTF_vx = SCVTF_sx = _from_integer("s")
UCVTF_v = UCVTF_vh = UCVTF_s = UCVTF_sh = UCVTF_vx = UCVTF_sx = _from_integer("u")
