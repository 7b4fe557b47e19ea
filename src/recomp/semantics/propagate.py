"""Which instructions hand on a NaN: any NaN operand makes their result NaN. The emitter looks for NaNs once after a
run of them (`recomp.emit.runs`), so their texts come in two more forms; see `rt_fp_runs.h`."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from recomp.a64 import Insn

#: Helpers with twins: rt_OP(c, ...) becomes rt_fast_OP(...) or rt_cold_OP(c, ...).
_CALL = re.compile(
    r"\brt_((?:fadd|fsub|fmul|fdiv|fnmul|fabd|fsqrt|fma)_(?:f32x4|f64x2|f32|f64)|fcvt_f64_f32|fcvt_f32_f64)\(c, "
)
_SCALAR = {
    "FMOV_s FABS_s FNEG_s FSQRT_s FADD_s FSUB_s FMUL_s FDIV_s FNMUL_s FABD_s FMADD FMSUB FNMADD FNMSUB FCVT_s",
    "FADDP_s FMUL_si FMLA_si FMLS_si",
}
_VECTOR = {"FADD_v FSUB_v FMUL_v FDIV_v FABD_v FSQRT_v FMLA_v FMLS_v FMUL_vi FMLA_vi FMLS_vi FABS_v FNEG_v"}
_NAMES = {name: "v" if group in _VECTOR else "s" for group in (*_SCALAR, *_VECTOR) for name in group.split()}


class Propagating(NamedTuple):
    """How an instruction hands on NaNs.

    `shape` of the result: f32, f64, f32x4, f32x2, f64x2; `element` of the operands: f32, f64. `watched`: what it reads
    whole, so that a NaN anywhere in it is a NaN in the result, as (shape, register). `fast`, `cold`: the text's other
    forms; `checks`: the plain text looks for NaNs itself.
    """

    shape: str
    element: str
    watched: tuple[tuple[str, int], ...]
    fast: str
    cold: str
    checks: bool


@functools.lru_cache(maxsize=1 << 14)
def propagating(insn: Insn, text: str) -> Propagating | None:
    """How `insn`, whose C text is `text`, hands on NaNs; None if it need not or its operands are halves."""
    group = _NAMES.get(insn.name)
    if group is None or insn.f.get("ftype") == 3 or insn.f.get("opc") == 3:
        return None
    fast, count = _CALL.subn(r"rt_fast_\1(", text)
    if "(c, " in fast:
        return None
    cold = _CALL.sub(r"rt_cold_\1(c, ", text)
    element = "f64" if _double(insn) else "f32"
    return Propagating(_shape(insn, group), element, _watched(insn, group), fast, cold, count > 0)


def _double(insn: Insn) -> int:
    return insn.f["ftype"] if "ftype" in insn.f else insn.sz


def _shape(insn: Insn, group: str) -> str:
    if insn.name == "FCVT_s":
        return "f64" if insn.opc else "f32"
    if group == "s":
        return "f64" if _double(insn) else "f32"
    return "f64x2" if _double(insn) else "f32x4" if insn.Q else "f32x2"


def _watched(insn: Insn, group: str) -> tuple[tuple[str, int], ...]:
    if insn.name == "FADDP_s":
        return (("f64x2", insn.rn),) if insn.sz else ()
    shape = ("f64" if insn.ftype else "f32") if insn.name == "FCVT_s" else _shape(insn, group)
    registers = [insn.rn]
    if "H" not in insn.f:
        registers += [insn.f[name] for name in ("rm", "ra") if name in insn.f]
    if insn.name.startswith(("FMLA", "FMLS")):
        registers.append(insn.rd)
    return tuple((shape, n) for n in registers)
