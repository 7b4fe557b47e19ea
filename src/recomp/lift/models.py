"""What instructions write, and what the ones that compute addresses leave there.

A model takes the instruction, a function from register to value, and the instruction's address; it gives the value of
its destination, or None where it does not follow.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from recomp.a64.table import Insn
from recomp.lift.expression import Node, add, const, sext, shl, to_signed, zext

#: Loads and stores whose base register is written back, by the ending of their names.
WRITEBACK = ("_post", "_pre")


@functools.lru_cache(maxsize=1 << 16)
def written_registers(insn: Insn) -> int:
    """The general registers an instruction writes (bit 31: sp); in doubt too many: vectors share the numbers."""
    f = insn.f
    name = insn.name
    mask = 0
    if name.startswith("ST") or name in _READ_ONLY:
        if name in _STATUS_STORES:
            mask |= 1 << f["rs"]
    else:
        for field in ("rd", "rt", "rt2"):
            if field in f:
                mask |= 1 << f[field]
        if name not in _WRITES_SP:
            mask &= ~_SP
    if name.startswith("CAS"):
        mask |= 3 << f["rs"] if name == "CASP" else 1 << f["rs"]
    if name.endswith(WRITEBACK):
        mask |= 1 << f["rn"]
    return mask


_SP = 1 << 31
_READ_ONLY = {"MSR", "MSR_i", "PRFM_ui", "PRFUM", "PRFM_r", "PRFM_l", "SYS", "DC_ZVA"}
_STATUS_STORES = {"STXR", "STLXR", "STXP", "STLXP"}
_WRITES_SP = {"ADD_i", "SUB_i", "AND_i", "ORR_i", "EOR_i", "ADD_ext", "SUB_ext"}

Operand = Callable[..., Node]


def _result(insn: Insn, node: Node) -> Node:
    return node if insn.sf else zext(node, 32)


def add_immediate(insn: Insn) -> int:
    return insn.imm12 << (12 * insn.sh)


def _add_i(insn: Insn, operand: Operand, pc: int) -> Node:
    return _result(insn, add(operand(insn.rn), const(add_immediate(insn))))


def _sub_i(insn: Insn, operand: Operand, pc: int) -> Node:
    return _result(insn, add(operand(insn.rn), const(-add_immediate(insn))))


def _source(insn: Insn, operand: Operand) -> Node:
    """rn of a shifted-register form, where 31 is zero."""
    return const(0) if insn.rn == 31 else operand(insn.rn)


def _shifted(insn: Insn, operand: Operand) -> Node | None:
    if insn.rm == 31:
        return const(0)
    node = operand(insn.rm)
    if insn.imm6 == 0:
        return node
    if insn.shift == 0:
        return shl(node, insn.imm6)
    return ("shr", node if insn.sf else zext(node, 32), insn.imm6) if insn.shift == 1 else None


def extended(node: Node, option: int, amount: int) -> Node:
    """ExtendReg(), DDI 0487 J1.1."""
    bits = 8 << (option & 3)
    return shl(sext(node, bits) if option & 4 else zext(node, bits), amount)


def _add_r(insn: Insn, operand: Operand, pc: int) -> Node | None:
    other = _shifted(insn, operand)
    return other and _result(insn, add(_source(insn, operand), other))


def _sub_r(insn: Insn, operand: Operand, pc: int) -> Node | None:
    other = _shifted(insn, operand)
    if other is None or other[0] != "const":
        return None
    return _result(insn, add(_source(insn, operand), const(-other[1])))


def _add_ext(insn: Insn, operand: Operand, pc: int) -> Node:
    other = const(0) if insn.rm == 31 else operand(insn.rm)
    return _result(insn, add(operand(insn.rn), extended(other, insn.option, insn.imm3)))


def _orr_r(insn: Insn, operand: Operand, pc: int) -> Node | None:
    other = _shifted(insn, operand)
    if other is None or insn.rn != 31:
        return None
    return _result(insn, other)


def _and_i(insn: Insn, operand: Operand, pc: int) -> Node:
    return ("and", operand(insn.rn), bit_mask(insn))


def _orr_i(insn: Insn, operand: Operand, pc: int) -> Node | None:
    return const(bit_mask(insn)) if insn.rn == 31 else None


def bit_mask(insn: Insn) -> int:
    """The immediate of a logical instruction: DecodeBitMasks(), DDI 0487 J1.1."""
    length = (insn.N << 6 | (~insn.imms & 0x3F)).bit_length() - 1
    size = 1 << length
    ones = (insn.imms & (size - 1)) + 1
    rotate = insn.immr & (size - 1)
    element = (1 << ones) - 1
    element = (element >> rotate | element << (size - rotate)) & ((1 << size) - 1)
    mask = 0
    for at in range(0, 64 if insn.sf else 32, size):
        mask |= element << at
    return mask


def _ubfm(insn: Insn, operand: Operand, pc: int) -> Node:
    width = 64 if insn.sf else 32
    node = operand(insn.rn)
    if insn.imms >= insn.immr:
        field = node if insn.immr == 0 else ("shr", zext(node, width), insn.immr)
        return zext(field, insn.imms - insn.immr + 1)
    return _result(insn, shl(zext(node, insn.imms + 1), width - insn.immr))


def _sbfm(insn: Insn, operand: Operand, pc: int) -> Node | None:
    width = 64 if insn.sf else 32
    node = operand(insn.rn)
    if insn.immr == 0:
        return _result(insn, sext(node, insn.imms + 1))
    if insn.imms < insn.immr:
        return _result(insn, shl(sext(node, insn.imms + 1), width - insn.immr))
    return None


def _movz(insn: Insn, operand: Operand, pc: int) -> Node:
    return const(insn.imm16 << 16 * insn.hw)


def _movn(insn: Insn, operand: Operand, pc: int) -> Node:
    return _result(insn, const(~(insn.imm16 << 16 * insn.hw)))


def _movk(insn: Insn, operand: Operand, pc: int) -> Node | None:
    node = operand(insn.rd)
    if node[0] != "const":
        return None
    return const(node[1] & ~(0xFFFF << 16 * insn.hw) | insn.imm16 << 16 * insn.hw)


def _adr(insn: Insn, operand: Operand, pc: int) -> Node:
    return const(pc + to_signed(insn.immhi << 2 | insn.immlo, 21))


def _adrp(insn: Insn, operand: Operand, pc: int) -> Node:
    return const((pc & ~0xFFF) + (to_signed(insn.immhi << 2 | insn.immlo, 21) << 12))


def _load(insn: Insn, address: Node) -> Node:
    extend = 0 if "w" not in insn.f else 32 if insn.w else 64
    return ("load", 1 << insn.size, extend, address)


def _ldr_ui(insn: Insn, operand: Operand, pc: int) -> Node:
    return _load(insn, add(operand(insn.rn), const(insn.imm12 << insn.size)))


def _ldur(insn: Insn, operand: Operand, pc: int) -> Node:
    return _load(insn, add(operand(insn.rn), const(to_signed(insn.imm9, 9))))


def _ldr_r(insn: Insn, operand: Operand, pc: int) -> Node:
    index = const(0) if insn.rm == 31 else operand(insn.rm)
    return _load(insn, add(operand(insn.rn), extended(index, insn.option, insn.size if insn.S else 0)))


def _ldr_post(insn: Insn, operand: Operand, pc: int) -> Node:
    return _load(insn, operand(insn.rn))


def _ldr_pre(insn: Insn, operand: Operand, pc: int) -> Node:
    return _ldur(insn, operand, pc)


MODELS: dict[str, Callable[[Insn, Operand, int], Node | None]] = {
    "ADD_i": _add_i,
    "ADDS_i": _add_i,
    "SUB_i": _sub_i,
    "SUBS_i": _sub_i,
    "ADD_r": _add_r,
    "ADDS_r": _add_r,
    "SUB_r": _sub_r,
    "SUBS_r": _sub_r,
    "ADD_ext": _add_ext,
    "ORR_r": _orr_r,
    "AND_i": _and_i,
    "ORR_i": _orr_i,
    "UBFM": _ubfm,
    "SBFM": _sbfm,
    "MOVZ": _movz,
    "MOVN": _movn,
    "MOVK": _movk,
    "ADR": _adr,
    "ADRP": _adrp,
    "LDR_ui": _ldr_ui,
    "LDRS_ui": _ldr_ui,
    "LDUR": _ldur,
    "LDURS": _ldur,
    "LDR_r": _ldr_r,
    "LDRS_r": _ldr_r,
    "LDR_post": _ldr_post,
    "LDRS_post": _ldr_post,
    "LDR_pre": _ldr_pre,
    "LDRS_pre": _ldr_pre,
}
