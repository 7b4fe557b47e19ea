"""What a register holds at a place, as a small expression over things unknown.

Values are found on demand, backwards from the place: within the block, then through the predecessors; where those
disagree, or where an instruction is not modelled, the value is a leaf. That is enough to read any jump table whatever
instructions compute its address, and cheap, since only what a `br` needs is looked at.

Nodes are tuples: ("const", v), ("leaf", place, register), ("add", a, b), ("shl", a, n), ("shr", a, n),
("and", a, mask), ("zext", a, bits), ("sext", a, bits), ("load", bytes, extend, address); arithmetic is modulo 2**64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recomp.a64.table import Insn, decode
from recomp.lift.graph import Graph
from recomp.lift.words import BL, BLR, Words

Node = tuple[Any, ...]
#: A register 0..31 (31 is sp here), or a stack slot ("slot", base register, offset, bytes).
Place = Any

MASK = (1 << 64) - 1
#: Block starts looked at for one value, and how deeply they may be nested.
_BUDGET = 10000
_DEPTH = 120
#: Loads and stores whose base register is written back, by the ending of their names.
_WRITEBACK = ("_post", "_pre")


def const(value: int) -> Node:
    return ("const", value & MASK)


def add(a: Node, b: Node) -> Node:
    if a[0] == "const" and b[0] == "const":
        return const(a[1] + b[1])
    if a[0] == "const":
        a, b = b, a
    if b[0] == "const":
        if b[1] == 0:
            return a
        if a[0] == "add" and a[2][0] == "const":
            return add(a[1], const(a[2][1] + b[1]))
    return ("add", a, b)


def shl(a: Node, amount: int) -> Node:
    if amount == 0:
        return a
    return const(a[1] << amount) if a[0] == "const" else ("shl", a, amount)


def zext(a: Node, bits: int) -> Node:
    if bits >= 64 or upper_bound(a) < 1 << bits:
        return a
    if a[0] == "const":
        return const(a[1] & ((1 << bits) - 1))
    if a[0] in ("zext", "sext") and a[2] >= bits:
        return zext(a[1], bits)
    return ("zext", a, bits)


def sext(a: Node, bits: int) -> Node:
    if bits >= 64 or upper_bound(a) < 1 << (bits - 1):
        return a
    if a[0] == "const":
        return const(_signed(a[1], bits))
    if a[0] in ("zext", "sext") and a[2] == bits:
        a = a[1]
    return ("sext", a, bits)


def upper_bound(a: Node) -> int:
    """No value of the node, read as unsigned, is larger."""
    kind = a[0]
    if kind == "const" or kind == "and":
        return a[1] if kind == "const" else a[2]
    if kind == "zext":
        return (1 << a[2]) - 1
    if kind == "load" and a[2] == 0:
        return (1 << 8 * a[1]) - 1
    if kind == "shr":
        return upper_bound(a[1]) >> a[2]
    if kind == "shl":
        return min(upper_bound(a[1]) << a[2], MASK)
    return MASK


def evaluate(a: Node, known: dict[Node, int], read: Callable[[int, int], int | None]) -> int | None:
    """The node's value when the nodes in `known` have the values given there; None when it depends on more."""
    if a in known:
        return known[a]
    kind = a[0]
    if kind == "const":
        return a[1]
    if kind == "leaf":
        return None
    if kind == "load":
        address = evaluate(a[3], known, read)
        raw = None if address is None else read(address, a[1])
        return raw if raw is None or a[2] == 0 else _signed(raw, 8 * a[1]) & ((1 << a[2]) - 1)
    value = evaluate(a[1], known, read)
    if value is None:
        return None
    if kind == "add":
        other = evaluate(a[2], known, read)
        return None if other is None else (value + other) & MASK
    if kind == "shl":
        return value << a[2] & MASK
    if kind == "shr":
        return value >> a[2]
    if kind == "and":
        return value & a[2]
    if kind == "zext":
        return value & ((1 << a[2]) - 1)
    return _signed(value, a[2]) & MASK


def parts(a: Node) -> list[Node]:
    """The node and everything below it, outermost first."""
    found = [a]
    for node in found:
        found += [x for x in node[1:] if isinstance(x, tuple)] if node[0] != "leaf" else []
    return found


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - ((value >> (bits - 1)) << bits)


class Values:
    """Values of registers at places of one region."""

    def __init__(self, words: Words, graph: Graph) -> None:
        self.words = words
        self.graph = graph
        self._budget = 0
        self._visiting: set[tuple[int, Place]] = set()
        self._known: dict[tuple[int, Place], Node | None] = {}
        self._effects: dict[int, tuple[int, bool]] = {}

    def at_end(self, place: Place, leader: int) -> Node:
        """The value in front of the last instruction of the block at `leader`."""
        return self.before(place, self.last_index(leader), leader)

    def last_index(self, leader: int) -> int:
        block = self.graph.blocks[leader]
        return ((leader - self.words.base) >> 2) + block.insns - 1

    def before(self, place: Place, index: int, leader: int) -> Node:
        """The value in front of the instruction at `index`, which lies in the block at `leader`."""
        self._budget = _BUDGET
        self._visiting.clear()
        self._known.clear()
        return self._before(place, index, leader, 0) or ("leaf", index, place)

    def alternatives(self, node: Node) -> list[tuple[int, Node]]:
        """What a value is on each way, when it is not the same on all: (leader of the way's last block, value)."""
        if node[0] != "leaf" or node[1] not in self.graph.preds or len(self.graph.preds[node[1]]) < 2:
            return []
        found = []
        for pred in self.graph.preds[node[1]]:
            self._budget = _BUDGET
            self._visiting.clear()
            self._known.clear()
            found.append((pred, self._at_exit(node[2], pred, 0) or node))
        return found

    def _before(self, place: Place, index: int, leader: int, depth: int) -> Node | None:
        """As `before`; None when nothing is known on this way: it leads back to itself, or begins at an entry."""
        first = (leader - self.words.base) >> 2
        for at in range(index - 1, first - 1, -1):
            node = self._written(place, at, leader, depth)
            if node is not None:
                return node
        return self._at_start(place, leader, depth)

    def _at_start(self, place: Place, leader: int, depth: int) -> Node | None:
        """The value at the start of a block: that of all its predecessors, if they agree."""
        self._budget -= 1
        if self._budget < 0 or depth > _DEPTH or leader == self.graph.start:
            return ("leaf", leader, place)
        key = (leader, place)
        if key in self._visiting:
            return None
        if key in self._known:
            return self._known[key]
        self._visiting.add(key)
        found: Node | None = None
        for pred in self.graph.preds[leader]:
            node = self._at_exit(place, pred, depth + 1)
            if node is not None and found is not None and node != found:
                found = ("leaf", leader, place)
                break
            found = found or node
        self._visiting.discard(key)
        self._known[key] = found
        return found

    def _at_exit(self, place: Place, leader: int, depth: int) -> Node | None:
        """The value behind the last instruction of a block; blocks that leave the place alone are skipped over."""
        chain = []
        while not self._touches(place, leader):
            preds = self.graph.preds[leader]
            if len(preds) != 1 or leader == self.graph.start or leader in chain:
                return self._at_start(place, leader, depth)
            chain.append(leader)
            leader = preds[0]
        return self._before(place, self.last_index(leader) + 1, leader, depth)

    def _touches(self, place: Place, leader: int) -> bool:
        """Whether any instruction of the block may write the place."""
        effects = self._effects.get(leader)
        if effects is None:
            effects = self._effects[leader] = self._find_effects(leader)
        written, stores = effects
        if isinstance(place, int):
            return bool(written >> place & 1)
        return stores or bool(written >> place[1] & 1)

    def _find_effects(self, leader: int) -> tuple[int, bool]:
        """(mask of the registers written, whether it stores through sp or x29)."""
        written, stores = 0, False
        for at in range((leader - self.words.base) >> 2, self.last_index(leader) + 1):
            kind = self.words.kind[at]
            if kind in (BL, BLR):
                written |= _CLOBBERED
            insn = decode(int(self.words.code[at])) if kind == 0 else None
            if insn is not None:
                written |= written_registers(insn)
                stores = stores or insn.name in _STORES and self._slot_of(insn, at, leader) is not None
        return written, stores

    def _written(self, place: Place, at: int, leader: int, depth: int) -> Node | None:
        """What the instruction at index `at` leaves in `place`; None when it does not write it."""
        kind = self.words.kind[at]
        if kind in (BL, BLR):
            return ("leaf", at, place) if isinstance(place, int) and _CLOBBERED >> place & 1 else None
        insn = decode(int(self.words.code[at])) if kind == 0 else None
        if insn is None:
            return None
        if not isinstance(place, int):
            return self._stored(place, insn, at, leader, depth)
        if not written_registers(insn) >> place & 1:
            return None
        if insn.name in _LOADS:
            slot = self._slot_of(insn, at, leader)
            if slot is not None:
                return self._before(("slot", *slot, 1 << insn.size), at, leader, depth + 1) or ("leaf", at, place)
        model = _MODELS.get(insn.name)
        if model is None or insn.name.endswith(_WRITEBACK) and insn.f.get("rn") == place:
            return ("leaf", at, place)

        def operand(register: int, wide: int = 1) -> Node:
            node = self._before(register, at, leader, depth + 1) or ("leaf", at, register)
            return node if wide else zext(node, 32)

        return model(insn, operand, self.words.base + 4 * at) or ("leaf", at, place)

    def _stored(self, slot: Place, insn: Insn, at: int, leader: int, depth: int) -> Node | None:
        """What a store leaves in a stack slot."""
        _, base, offset, size = slot
        if written_registers(insn) >> base & 1:
            return ("leaf", at, slot)
        found = self._slot_of(insn, at, leader) if insn.name in _STORES else None
        if found is None or found[0] != base:
            return None
        if found[1] == offset:
            width = 4 << insn.sf if insn.name == "STP_off" else 1 << insn.size
            return self._stored_value(insn.rt, width, size, at, leader, depth, slot)
        if insn.name == "STP_off" and found[1] + (4 << insn.sf) == offset:
            return self._stored_value(insn.rt2, 4 << insn.sf, size, at, leader, depth, slot)
        return None

    def _slot_of(self, insn: Insn, at: int, leader: int) -> tuple[int, int] | None:
        """(sp or x29, offset) of a load or store in the frame, also through a register that was just set to part of
        the offset, as in frames larger than an immediate."""
        if insn.name == "STP_off":
            offset = _signed(insn.imm7, 7) * (4 << insn.sf)
        elif insn.name.endswith("_ui"):
            offset = insn.imm12 << insn.size
        else:
            offset = _signed(insn.imm9, 9)
        if insn.rn in (29, 31):
            return insn.rn, offset
        for index in range(at - 1, ((leader - self.words.base) >> 2) - 1, -1):
            other = decode(int(self.words.code[index]))
            if other is None or not written_registers(other) >> insn.rn & 1:
                continue
            if other.name not in ("ADD_i", "SUB_i") or other.rn not in (29, 31):
                return None
            part = _immediate(other) if other.name == "ADD_i" else -_immediate(other)
            return other.rn, offset + part
        return None

    def _stored_value(
        self, register: int, width: int, size: int, at: int, leader: int, depth: int, slot: Place
    ) -> Node:
        if register == 31:
            return const(0)
        if width < size:
            return ("leaf", at, slot)
        node = self._before(register, at, leader, depth + 1) or ("leaf", at, register)
        return zext(node, 8 * size)


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
    if name.endswith(_WRITEBACK):
        mask |= 1 << f["rn"]
    return mask


_SP = 1 << 31
#: What a call may change: x0..x18 and x30.
_CLOBBERED = 0x4007FFFF
_READ_ONLY = {"MSR", "MSR_i", "PRFM_ui", "PRFUM", "PRFM_r", "PRFM_l", "SYS", "DC_ZVA"}
#: Loads and stores that are followed through the stack frame.
_LOADS = {"LDR_ui", "LDUR"}
_STORES = {"STR_ui", "STUR", "STP_off"}
_STATUS_STORES = {"STXR", "STLXR", "STXP", "STLXP"}
_WRITES_SP = {"ADD_i", "SUB_i", "AND_i", "ORR_i", "EOR_i", "ADD_ext", "SUB_ext"}

Operand = Callable[..., Node]


def _result(insn: Insn, node: Node) -> Node:
    return node if insn.sf else zext(node, 32)


def _immediate(insn: Insn) -> int:
    return insn.imm12 << (12 * insn.sh)


def _add_i(insn: Insn, operand: Operand, pc: int) -> Node:
    return _result(insn, add(operand(insn.rn), const(_immediate(insn))))


def _sub_i(insn: Insn, operand: Operand, pc: int) -> Node:
    return _result(insn, add(operand(insn.rn), const(-_immediate(insn))))


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
    return const(pc + _signed(insn.immhi << 2 | insn.immlo, 21))


def _adrp(insn: Insn, operand: Operand, pc: int) -> Node:
    return const((pc & ~0xFFF) + (_signed(insn.immhi << 2 | insn.immlo, 21) << 12))


def _load(insn: Insn, address: Node) -> Node:
    extend = 0 if "w" not in insn.f else 32 if insn.w else 64
    return ("load", 1 << insn.size, extend, address)


def _ldr_ui(insn: Insn, operand: Operand, pc: int) -> Node:
    return _load(insn, add(operand(insn.rn), const(insn.imm12 << insn.size)))


def _ldur(insn: Insn, operand: Operand, pc: int) -> Node:
    return _load(insn, add(operand(insn.rn), const(_signed(insn.imm9, 9))))


def _ldr_r(insn: Insn, operand: Operand, pc: int) -> Node:
    index = const(0) if insn.rm == 31 else operand(insn.rm)
    return _load(insn, add(operand(insn.rn), extended(index, insn.option, insn.size if insn.S else 0)))


def _ldr_post(insn: Insn, operand: Operand, pc: int) -> Node:
    return _load(insn, operand(insn.rn))


def _ldr_pre(insn: Insn, operand: Operand, pc: int) -> Node:
    return _ldur(insn, operand, pc)


_MODELS: dict[str, Callable[[Insn, Operand, int], Node | None]] = {
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
