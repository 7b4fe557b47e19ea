"""Integer data processing (DDI 0487, C4.1.64 and C4.1.67): no memory, no system state."""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder


def ADD_i(b: Builder, i: Insn) -> None:
    b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} + {i.imm12 << 12 * i.sh}u")
