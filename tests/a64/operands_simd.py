"""Memory operands, UNPREDICTABLE words and models of the floating-point and Advanced SIMD instructions."""

from __future__ import annotations

import numpy as np

from recomp.a64 import Insn, patterns
from recomp.semantics.memory import signed
from recomp.semantics.simd_memory import lane_of
from tests.a64.words import FIELDS, MEMORY, MODEL, TOLERATED, VALID, Memory

_MINE = [p for p in patterns() if p.where.startswith(("fpsimd", "crypto"))]


def _bytes(i: Insn) -> int:
    return 16 if i.q else 1 << i.size


for _m in ("LDR", "STR"):
    _u = _m.replace("R", "UR")
    MEMORY[f"{_m}_v_ui"] = lambda i: Memory(i.rn, _bytes(i), i.imm12 * _bytes(i))
    MEMORY[f"{_m}_v_pre"] = MEMORY[f"{_u}_v"] = lambda i: Memory(i.rn, _bytes(i), signed(i.imm9, 9))
    MEMORY[f"{_m}_v_post"] = lambda i: Memory(i.rn, _bytes(i))
    MEMORY[f"{_m}_v_r"] = lambda i: Memory(i.rn, _bytes(i), 0, i.rm, i.option, i.S * (_bytes(i).bit_length() - 1))
FIELDS["LDR_v_lit"] = {"imm19": [n & 0x7FFFF for n in range(-40, 100)]}

for _name in ("LDP_v", "STP_v", "LDNP_v", "STNP_v", "LDP_v_pre", "STP_v_pre", "LDP_v_post", "STP_v_post"):
    _post = _name.endswith("_post")
    MEMORY[_name] = lambda i, post=_post: Memory(i.rn, 8 << i.opc, 0 if post else signed(i.imm7, 7) * (4 << i.opc))
    if _name.startswith("LD"):
        VALID[_name] = lambda i: i.rt != i.rt2


def _whole(i: Insn) -> int:
    registers = int(i.name[5:6]) if i.name.startswith(("LD1_m", "ST1_m")) else int(i.name[2])
    return registers * (16 if i.Q else 8)


for _p in _MINE:
    if _p.group.startswith("load and store of multiple"):
        MEMORY[_p.name] = lambda i: Memory(i.rn, _whole(i))
    elif _p.group.startswith("load and store of one structure"):
        MEMORY[_p.name] = lambda i: Memory(i.rn, int(i.name[2]) << (i.size if "_r" in i.name else lane_of(i)[0]))
    if "FEAT_" in _p.group or _p.name.startswith(("SDOT", "UDOT", "SQRDMLAH", "SQRDMLSH")):
        MODEL[_p.name] = "max"
    if _p.name.endswith(("_vh", "_sh", "_vih", "_sih", "_vhz", "_shz", "_vx", "_sx")) or _p.name.endswith("V_h"):
        MODEL[_p.name] = "max"
    names = {f[0] for f in _p.fields}
    # Half precision came later; half the words of a pattern would be that.
    if "ftype" in names:
        MODEL[_p.name] = "max"
    # The compiler drops a conversion whose result is dead, and the inexact flag with it.
    if _p.group.startswith("conversion") and _p.name.startswith("FCVT"):
        VALID[_p.name] = lambda i: i.rd != 31

# The model extends the sign of a scalar half past 16 bits; see cases/fp.txt.
VALID["FCVTZS_sx"] = lambda i: i.immh >= 4


_FORMATS = ((np.uint32, 23), (np.uint64, 52))


def _tiny_before_rounding(i: Insn, expected: np.void, actual: np.void) -> bool:
    """The smallest normal number, rounded up to: tiny for Arm, which looks before rounding, not for x86. Arm raises
    underflow, or (FZ) makes it zero. See rt_fp.h."""
    if int(expected["fpcr"]) >> 24 & 1:
        return any(_flushed(expected["v"].view(t), actual["v"].view(t), width) for t, width in _FORMATS)
    if int(expected["fpsr"]) != int(actual["fpsr"]) | 0x18 or not np.array_equal(expected["v"], actual["v"]):
        return False
    return any(_smallest(actual["v"][i.rd].view(t), width).any() for t, width in _FORMATS)


def _smallest(lanes: np.ndarray, width: int) -> np.ndarray:
    return lanes << 1 == 2 << width


def _flushed(expected: np.ndarray, actual: np.ndarray, width: int) -> bool:
    return bool(((expected == actual) | (expected << 1 == 0) & _smallest(actual, width)).all())


for _p in _MINE:
    if _p.name.startswith(("FMUL", "FDIV", "FM", "FNM", "FCVT_s", "FCVTN_v", "FCVTXN", "FNMUL")):
        TOLERATED[_p.name] = _tiny_before_rounding
