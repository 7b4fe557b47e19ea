"""Conditions of A64 branches, as C expressions; where control goes is the emitter's business."""

from __future__ import annotations

from collections.abc import Callable

from recomp.a64 import Insn
from recomp.semantics.builder import Builder

CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al", "nv")


def condition(b: Builder, cond: int) -> str:
    """Whether condition `cond` holds: a C expression that is 0 or 1. Source: ConditionHolds(), DDI 0487 J1.3."""
    if cond >= 14:  # al, and nv, which holds as well
        return "1"
    base = _BASE[cond >> 1](b)
    return f"!({base})" if cond & 1 else base


_BASE: tuple[Callable[[Builder], str], ...] = (
    lambda b: b.flag("z"),
    lambda b: b.flag("c"),
    lambda b: b.flag("n"),
    lambda b: b.flag("v"),
    lambda b: f"({b.flag('c')} & ({b.flag('z')} ^ 1u))",
    lambda b: f"({b.flag('n')} == {b.flag('v')})",
    lambda b: f"(({b.flag('n')} == {b.flag('v')}) & ({b.flag('z')} ^ 1u))",
)


def taken(b: Builder, i: Insn) -> str:
    """The condition under which a conditional branch is taken."""
    if i.name == "B_cond":
        return condition(b, i.cond)
    if i.name in ("CBZ", "CBNZ"):
        return f"{b.r(i.sf, i.rt)} {'==' if i.name == 'CBZ' else '!='} 0"
    bit = i.b5 << 5 | i.b40
    return f"({b.x(i.rt)} >> {bit} & 1) {'==' if i.name == 'TBZ' else '!='} 0"


CONDITIONAL = frozenset({"B_cond", "CBZ", "CBNZ", "TBZ", "TBNZ"})


def branch_target(i: Insn, pc: int) -> int:
    """Guest address a direct branch goes to, taken."""
    if i.name in ("B", "BL"):
        value, width = i.imm26, 26
    elif i.name in ("TBZ", "TBNZ"):
        value, width = i.imm14, 14
    else:
        value, width = i.imm19, 19
    offset = value - (1 << width) if value >> width - 1 else value
    return (pc + 4 * offset) & 0xFFFFFFFFFFFFFFFF
