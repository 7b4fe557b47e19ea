"""A region's basic blocks: sorted, disjoint, each with one terminator; successors, predecessors and dominators."""

from __future__ import annotations

from bisect import bisect_left

from recomp.lift.explore import Explorer, Region
from recomp.lift.module import Block
from recomp.lift.words import BL, BLR, BR, COND, ORDINARY, RET, B


def build_blocks(explorer: Explorer, region: Region) -> list[Block]:
    """The blocks of a region as explored so far, by address.

    A successor that is no block of the region is the start or an entry of another function: control leaves there.
    """
    words = explorer.words
    leaders = sorted(region.leaders)
    stops = sorted(region.stops)
    blocks = []
    for leader, following in zip(leaders, leaders[1:] + [words.end], strict=True):
        first = (leader - words.base) >> 2
        end = min(following, words.base + 4 * stops[bisect_left(stops, first)] + 4)
        if end - 4 < words.base + 4 * words.stop[first]:
            blocks.append(Block(start=leader, insns=(end - leader) >> 2, terminator="fallthrough", successors=(end,)))
        else:
            blocks.append(_block(explorer, region, leader, (end - leader) >> 2, words.stop[first]))
    return blocks


def _block(explorer: Explorer, region: Region, leader: int, insns: int, stop: int) -> Block:
    words = explorer.words
    kind, target = words.kind[stop], words.target[stop]
    site = words.base + 4 * stop
    following = site + 4
    terminator, to = "trap", 0
    successors: tuple[int, ...] = ()
    if kind == B:
        inside = target in region.leaders
        terminator, successors, to = ("branch", (target,), 0) if inside else ("tail_call", (), target)
    elif kind == COND:
        inside = target in region.leaders
        terminator = "cond" if inside else "tail_call"
        successors, to = ((target, following), 0) if inside else ((following,), target)
    elif kind == BL:
        terminator, to = "call", target
        successors = (following,) if explorer.passes_call(region, site, target) else ()
    elif kind == BLR:
        terminator, successors = "call_indirect", region.stops[stop]
    elif kind == BR:
        targets = region.tables.get(site)
        terminator = "jump_indirect" if targets is None else "jump_table"
        successors = tuple(sorted(set(targets or ())))
    elif kind == RET:
        terminator = "ret"
    elif kind == ORDINARY:
        terminator, successors = "fallthrough", (following,)
    return Block(start=leader, insns=insns, terminator=terminator, successors=successors, target=to)


class Graph:
    """Predecessors and immediate dominators over a region's blocks."""

    def __init__(self, start: int, blocks: list[Block]) -> None:
        self.start = start
        self.blocks = {block.start: block for block in blocks}
        self.sorted = [block.start for block in blocks]
        self.preds: dict[int, list[int]] = {block.start: [] for block in blocks}
        for block in blocks:
            for successor in block.successors:
                if successor in self.preds:
                    self.preds[successor].append(block.start)
        self._dominators: dict[int, int] | None = None

    def dominator(self, leader: int) -> int | None:
        """The immediate dominator of a block; None for the start and what it does not reach."""
        if self._dominators is None:
            self._dominators = self._find_dominators()
        found = self._dominators.get(leader)
        return None if found == leader else found

    def _postorder(self) -> list[int]:
        seen = {self.start}
        order: list[int] = []
        stack = [(self.start, iter(self.blocks[self.start].successors))]
        while stack:
            leader, successors = stack[-1]
            for successor in successors:
                if successor in self.blocks and successor not in seen:
                    seen.add(successor)
                    stack.append((successor, iter(self.blocks[successor].successors)))
                    break
            else:
                order.append(leader)
                stack.pop()
        return order

    def _find_dominators(self) -> dict[int, int]:
        """Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm (2001)."""
        order = self._postorder()
        rank = {leader: i for i, leader in enumerate(order)}
        dominator = {self.start: self.start}
        changed = True
        while changed:
            changed = False
            for leader in reversed(order[:-1]):
                new: int | None = None
                for pred in self.preds[leader]:
                    if pred not in dominator:
                        continue
                    new = pred if new is None else _common(dominator, rank, pred, new)
                if new is not None and dominator.get(leader) != new:
                    dominator[leader] = new
                    changed = True
        return dominator


def _common(dominator: dict[int, int], rank: dict[int, int], a: int, b: int) -> int:
    while a != b:
        while rank[a] < rank[b]:
            a = dominator[a]
        while rank[b] < rank[a]:
            b = dominator[b]
    return a
