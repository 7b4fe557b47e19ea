"""Conditions of A64 branches, as C expressions; where control goes is the emitter's business."""

from __future__ import annotations

from recomp.a64 import Insn
from recomp.semantics.builder import Builder


def taken(b: Builder, i: Insn) -> str:
    """The condition under which a conditional branch is taken."""
    if i.name == "B_cond":
        return b.cond(i.cond)
    if i.name in ("CBZ", "CBNZ"):
        return f"{b.r(i.sf, i.rt)} {'==' if i.name == 'CBZ' else '!='} 0"
    bit = i.b5 << 5 | i.b40
    return f"({b.x(i.rt)} >> {bit} & 1) {'==' if i.name == 'TBZ' else '!='} 0"


CONDITIONAL = frozenset({"B_cond", "CBZ", "CBNZ", "TBZ", "TBNZ"})


def displacement(i: Insn) -> int:
    """From a direct branch to where it goes, taken, in bytes."""
    if i.name in ("B", "BL"):
        value, width = i.imm26, 26
    elif i.name in ("TBZ", "TBNZ"):
        value, width = i.imm14, 14
    else:
        value, width = i.imm19, 19
    return 4 * (value - (1 << width) if value >> width - 1 else value)
