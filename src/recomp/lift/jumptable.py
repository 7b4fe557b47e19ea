"""Where a `br` goes: read the table behind it.

The register's value is an expression that loads from a table at an index; each index up to the bound gives a target.
The bound comes from the compares that dominate the `br` (`cmp` and `b.hi`, `b.ls`, `b.ge`, ... in whatever block,
either way round), else from how the index was made (`and`, `ubfx`, a byte load), else the table ends at the first
entry that is no place in the function; in a table of bytes, where almost any looks like one, at the latest where the
next address lies that code makes. An emitted `br` compares the computed address with the targets, so a missing
one costs a miss, never a wrong result.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from recomp.a64.table import Insn, decode
from recomp.lift.explore import Explorer, Region
from recomp.lift.expression import MASK, Node, const, evaluate, parts, upper_bound, zext
from recomp.lift.graph import Graph
from recomp.lift.models import extended
from recomp.lift.values import Values
from recomp.lift.words import BL, BLR, Words

MAX_ENTRIES = 4096
#: In a table of bytes almost any entry looks like a target: it is read so far, or to the next address that code makes.
_MAX_BYTE_INDEX = 64
#: The smallest index of such a table is this far below zero at most.
_MAX_BIAS = 8

#: In place of what bounds a table: it could not be read; there is none, a pointer is called; or a known place.
UNREAD, POINTER, CONSTANT = "unread", "pointer", "constant"

Read = Callable[[int, int], int | None]


@dataclass(frozen=True, slots=True)
class Table:
    """`targets` in index order, with repetitions; `spans` are the (address, size) the entries were read from; `bound`
    says what ends it."""

    targets: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    bound: str


@dataclass(frozen=True, slots=True)
class _Constraint:
    """`node` compared with `value` gives `condition`, `bits` wide."""

    node: Node
    condition: int
    value: int
    bits: int


def read_table(explorer: Explorer, region: Region, values: Values, leader: int, read: Read) -> Table:
    """The targets of the `br` that ends the block at `leader`; none when they cannot be told."""
    last = values.last_index(leader)
    goal = values.at_end(int(explorer.words.code[last]) >> 5 & 31, leader)
    ways = values.alternatives(goal)
    if not ways:
        return _read_one(explorer, region, values, leader, goal, read)
    # One `br` for several places that each look up a table, as compilers make of computed gotos when not optimising.
    tables = [_read_one(explorer, region, values, pred, node, read) for pred, node in ways]
    if not all(t.targets for t in tables):
        return Table((), (), UNREAD if any(t.targets or t.bound == UNREAD for t in tables) else POINTER)
    targets = tuple(target for table in tables for target in table.targets)
    return Table(targets, tuple(span for table in tables for span in table.spans), "merge")


def _read_one(explorer: Explorer, region: Region, values: Values, leader: int, goal: Node, read: Read) -> Table:
    """The targets when `goal` is computed in the block at `leader`, or before."""
    if goal[0] == "const":
        return Table((goal[1],), (), CONSTANT) if explorer.words.is_code(goal[1]) else Table((), (), POINTER)
    loads = [node for node in parts(goal) if node[0] == "load"]
    if not loads:
        return Table((), (), POINTER)
    search = _Search(explorer, region, goal, loads[0], read)
    table = search.bounded(_constraints(values, values.graph, leader)) or search.by_extent()
    return table or Table((), (), UNREAD if _is_indexed(goal) else POINTER)


def _is_indexed(goal: Node) -> bool:
    """Whether a computed offset takes part in the address, as in a table and not in a pointer."""
    return any(node[0] == "shl" or node[0] == "load" and node[1] < 8 for node in parts(goal))


def _summand(node: Node) -> Node | None:
    """x of x + constant."""
    return node[1] if node[0] == "add" and node[2][0] == "const" else None


def _knowing(node: Node, value: int) -> dict[Node, int]:
    """What follows from the value of a node. Sums are folded, so that base + (x - 1) has no node for x - 1."""
    known = {node: value}
    summand = _summand(node)
    if summand is not None:
        known[summand] = (value - node[2][1]) & MASK
    return known


class _Search:
    """The table that `goal` goes through: `load` is its outermost load."""

    def __init__(self, explorer: Explorer, region: Region, goal: Node, load: Node, read: Read) -> None:
        self.words = explorer.words
        self.made = explorer.made
        self.start = region.start
        self.limit = explorer.limit_of(region)
        self.goal = goal
        self.load = load
        self.read = read
        #: what may be the index, outermost first
        self.candidates = [node for node in parts(load[3]) if node[0] != "const"]

    def bounded(self, constraints: list[_Constraint]) -> Table | None:
        """Every index that the compares leave gives a target, or most of those that its width leaves."""
        direct = {c.node for c in constraints}
        inward = [node for node in reversed(self.candidates) if node[0] != "shl" and node not in direct]
        compared = [n for n in self.candidates if n in direct]
        compared += [n for n in dict.fromkeys(c.node for c in constraints) if _summand(n) in self.candidates]
        for node in compared + inward:
            low, high = _range(node, constraints)
            high = min(high, upper_bound(node))
            if not 0 <= high - low < MAX_ENTRIES:
                continue
            indices = [i for i in range(low, high + 1) if all(self._allows(c, node, i) for c in constraints)]
            found = [entry for entry in (self._entry(node, i) for i in indices) if entry is not None]
            near = sum(self._is_near(target) for target, _ in found)
            if found and len(found) == len(indices) and 2 * near >= len(found):
                return self._table(found, "compare")
            # A mask bounds more than what is used; such entries may be empty.
            if high == upper_bound(node) and near == len(found) and 2 * near > len(indices):
                return self._table(found, "width")
        return None

    def _is_near(self, target: int) -> bool:
        return self.start <= target < self.limit

    def _allows(self, constraint: _Constraint, node: Node, index: int) -> bool:
        """Whether a compare lets `node` be `index`, as far as one follows from the other."""
        left = evaluate(constraint.node, _knowing(node, index), self.read)
        return left is None or _holds(constraint, left)

    def by_extent(self) -> Table | None:
        """Indices from 0 on, as far as they give places in the function and the index's width allows."""
        for node in self.candidates:
            count = min(upper_bound(node) + 1, MAX_ENTRIES)
            first, second = (evaluate(self.load[3], {node: index}, self.read) for index in (0, 1))
            if first is None or second is None or second - first != self.load[1]:
                continue
            indices = range(count)
            if self.load[1] == 1 and count > _MAX_BYTE_INDEX:
                indices = self._bytes_to_next(first)
            found = []
            for index in indices:
                entry = self._entry(node, index & MASK)
                if entry is None or not self._is_near(entry[0]):
                    break
                found.append(entry)
            if len(found) > 1:
                return self._table(found, "extent")
        return None

    def _bytes_to_next(self, place: int) -> range:
        """The indices of a table of bytes in which index 0 is at `place`: from the address that code makes there, or
        little before, to the next."""
        behind = bisect_right(self.made, place)
        if not behind or place - self.made[behind - 1] > _MAX_BIAS:
            return range(0)
        first = self.made[behind - 1] - place
        size = self.made[behind] - self.made[behind - 1] if behind < len(self.made) else _MAX_BYTE_INDEX
        return range(first, first + min(size, 1 << 8))

    def _entry(self, node: Node, index: int) -> tuple[int, int] | None:
        """(target, place of the entry) when `node` is `index`."""
        known = _knowing(node, index)
        target = evaluate(self.goal, known, self.read)
        place = evaluate(self.load[3], known, self.read)
        if target is None or place is None or not self.words.is_code(target):
            return None
        return target, place

    def _table(self, found: list[tuple[int, int]], bound: str) -> Table:
        return Table(tuple(t for t, _ in found), tuple((place, self.load[1]) for _, place in found), bound)


def _range(node: Node, constraints: list[_Constraint]) -> tuple[int, int]:
    """The unsigned values of `node` that the constraints leave."""
    low, high = 0, MASK
    signed_high = None
    floor = False
    for c in constraints:
        if c.node != node:
            continue
        value, top = c.value, (1 << c.bits) - 1
        small = value < 1 << (c.bits - 1)
        if c.condition == _EQ:
            low, high = max(low, value), min(high, value)
        elif c.condition == _CC and value:
            high = min(high, value - 1)
        elif c.condition == _LS:
            high = min(high, value)
        elif c.condition == _CS:
            low = max(low, value)
        elif c.condition == _HI and value < top:
            low = max(low, value + 1)
        elif c.condition in (_GE, _GT) and small:
            low, floor = max(low, value + (c.condition == _GT)), True
        elif c.condition in (_LT, _LE) and small and value + (c.condition == _LE):
            bound = value - (c.condition == _LT)
            signed_high = bound if signed_high is None else min(signed_high, bound)
    if signed_high is not None and (floor or upper_bound(node) < 1 << 31):
        high = min(high, signed_high)
    return low, high


def _holds(c: _Constraint, left: int) -> bool:
    sign = 1 << (c.bits - 1)
    signed_left, signed_right = (left ^ sign) - sign, (c.value ^ sign) - sign
    outcomes = {
        _EQ: left == c.value,
        _NE: left != c.value,
        _CS: left >= c.value,
        _CC: left < c.value,
        _HI: left > c.value,
        _LS: left <= c.value,
        _GE: signed_left >= signed_right,
        _LT: signed_left < signed_right,
        _GT: signed_left > signed_right,
        _LE: signed_left <= signed_right,
    }
    return outcomes.get(c.condition, True)


_EQ, _NE, _CS, _CC = 0, 1, 2, 3
_HI, _LS, _GE, _LT, _GT, _LE = 8, 9, 10, 11, 12, 13


def _constraints(values: Values, graph: Graph, leader: int) -> list[_Constraint]:
    """What the branches on every way to the block at `leader` say."""
    found = []
    block: int | None = leader
    while block is not None:
        above = graph.dominator(block)
        if above is not None and graph.preds[block] == [above]:
            found += _edge_constraint(values, graph, above, block)
        block = above
    return found


def _edge_constraint(values: Values, graph: Graph, leader: int, successor: int) -> list[_Constraint]:
    block = graph.blocks[leader]
    if block.terminator not in ("cond", "tail_call") or not block.successors:
        return []
    taken = block.terminator == "cond" and block.successors[0] == successor
    if block.terminator == "cond" and block.successors[0] == block.successors[1]:
        return []
    last = values.last_index(leader)
    insn = decode(int(values.words.code[last]))
    if insn is None or insn.name != "B_cond" or insn.cond >= 14:
        return []
    found = _compare(values, graph, last, leader)
    if found is None:
        return []
    node, value, bits = found
    return [_Constraint(node, insn.cond if taken else insn.cond ^ 1, value, bits)]


def _compare(values: Values, graph: Graph, index: int, leader: int) -> tuple[Node, int, int] | None:
    """The (node, value, width) whose comparison set the flags in front of `index`."""
    words: Words = values.words
    while True:
        for at in range(index - 1, ((leader - words.base) >> 2) - 1, -1):
            if words.kind[at] in (BL, BLR):
                return None
            insn = words.insn(at)
            if insn is not None and insn.name in _FLAG_WRITERS:
                return _operands(values, insn, at, leader)
        preds = graph.preds[leader]
        if len(preds) != 1 or preds[0] >= leader:
            return None
        leader = preds[0]
        index = values.last_index(leader) + 1


_FLAG_WRITERS = {
    "ADDS_i", "ADDS_r", "ADDS_ext", "SUBS_i", "SUBS_r", "SUBS_ext", "ANDS_i", "ANDS_r", "BICS_r", "ADCS", "SBCS",
    "CCMN_r", "CCMP_r", "CCMN_i", "CCMP_i", "MSR", "FCMP", "FCMPE", "FCCMP", "FCCMPE",
}  # fmt: skip


def _operands(values: Values, insn: Insn, at: int, leader: int) -> tuple[Node, int, int] | None:
    bits = 64 if insn.f.get("sf") else 32
    if insn.name == "SUBS_i":
        right: Node = const(insn.imm12 << 12 * insn.sh)
    elif insn.name == "SUBS_r" and insn.imm6 == 0:
        right = const(0) if insn.rm == 31 else zext(values.before(insn.rm, at, leader), bits)
    elif insn.name == "SUBS_ext":
        right = extended(values.before(insn.rm, at, leader), insn.option, insn.imm3)
    elif insn.name == "ADDS_i":
        right = zext(const(-(insn.imm12 << 12 * insn.sh)), bits)
    else:
        return None
    left = const(0) if insn.rn == 31 and insn.name == "SUBS_r" else values.before(insn.rn, at, leader)
    if right[0] != "const":
        return None
    return zext(left, bits), right[1], bits
