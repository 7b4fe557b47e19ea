"""What a register holds at a place, as an expression.

Values are found on demand, backwards from the place: within the block, then through the predecessors; where those
disagree, or where an instruction is not modelled, the value is a leaf. That is enough to read any jump table whatever
instructions compute its address, and cheap, since only what a `br` needs is looked at.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

from recomp.a64.table import Insn
from recomp.lift.expression import Node, const, to_signed, zext
from recomp.lift.graph import Graph
from recomp.lift.models import MODELS, WRITEBACK, add_immediate, written_registers
from recomp.lift.words import BL, BLR, Words

#: A register 0..31 (31 is sp here), or a stack slot ("slot", base register, offset, bytes).
Place = Any

#: Block starts looked at for one value, and how deeply they may be nested.
_BUDGET = 10000
_DEPTH = 120
#: What a call may change: x0..x18 and x30.
_CLOBBERED = 0x4007FFFF
#: Loads and stores that are followed through the stack frame.
_LOADS = {"LDR_ui", "LDUR"}
_STORES = {"STR_ui", "STUR", "STP_off"}
#: In a mask of registers: a store through sp or x29.
_FRAME = 1 << 32


def _mask_of(place: Place) -> int:
    """What may change a place."""
    return 1 << place if isinstance(place, int) else _FRAME | 1 << place[1]


class Values:
    """Values of registers at places of one region."""

    def __init__(self, words: Words, graph: Graph) -> None:
        self.words = words
        self.graph = graph
        self._budget = 0
        self._visiting: set[tuple[int, Place]] = set()
        self._known: dict[tuple[int, Place], Node | None] = {}
        self._effects: dict[int, tuple[int, list[int]]] = {}

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
        _, effects = self._effects_of(leader)
        wanted = _mask_of(place)
        for at in range(index - 1, first - 1, -1):
            if effects[at - first] & wanted:
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
        chain = set()
        wanted = _mask_of(place)
        while not self._effects_of(leader)[0] & wanted:
            preds = self.graph.preds[leader]
            if len(preds) != 1 or leader == self.graph.start or leader in chain:
                return self._at_start(place, leader, depth)
            chain.add(leader)
            leader = preds[0]
        return self._before(place, self.last_index(leader) + 1, leader, depth)

    def _effects_of(self, leader: int) -> tuple[int, list[int]]:
        """What a block's instructions may write, as masks of registers and _FRAME: all together, and one by one."""
        found = self._effects.get(leader)
        if found is None:
            first = (leader - self.words.base) >> 2
            masks = [self._effect(at, leader) for at in range(first, self.last_index(leader) + 1)]
            found = self._effects[leader] = functools.reduce(operator.or_, masks), masks
        return found

    def _effect(self, at: int, leader: int) -> int:
        insn = self.words.insn(at)
        if insn is None:
            return _CLOBBERED if self.words.kind[at] in (BL, BLR) else 0
        stores = insn.name in _STORES and self._slot_of(insn, at, leader) is not None
        return written_registers(insn) | stores * _FRAME

    def _written(self, place: Place, at: int, leader: int, depth: int) -> Node | None:
        """What the instruction at index `at` leaves in `place`; None when it does not write it."""
        kind = self.words.kind[at]
        if kind in (BL, BLR):
            return ("leaf", at, place) if isinstance(place, int) and _CLOBBERED >> place & 1 else None
        insn = self.words.insn(at)
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
        model = MODELS.get(insn.name)
        if model is None or insn.name.endswith(WRITEBACK) and insn.f.get("rn") == place:
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
            offset = to_signed(insn.imm7, 7) * (4 << insn.sf)
        elif insn.name.endswith("_ui"):
            offset = insn.imm12 << insn.size
        else:
            offset = to_signed(insn.imm9, 9)
        if insn.rn in (29, 31):
            return insn.rn, offset
        for index in range(at - 1, ((leader - self.words.base) >> 2) - 1, -1):
            other = self.words.insn(index)
            if other is None or not written_registers(other) >> insn.rn & 1:
                continue
            if other.name not in ("ADD_i", "SUB_i") or other.rn not in (29, 31):
                return None
            part = add_immediate(other) if other.name == "ADD_i" else -add_immediate(other)
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
