"""How a function keeps its vector registers: as rt_v128, double or float locals.

The uses of a vector register fall into webs: values that flow into each other. A web that is only ever read as a
double (or a float) lives in a `double` (`float`) local, so that arithmetic carried round a loop stays in one
representation; any other web lives in an `rt_v128` local. Accesses of another kind convert. Where the upper half of a
double's register may be more than zero and `*c` needs it, it is kept beside it in `u<n>`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from recomp.emit.code import Piece
from recomp.emit.flow import Flow
from recomp.emit.placement import Placement
from recomp.semantics.builder import V0

VECTORS = ((1 << 32) - 1) << V0
_READ = {"d": 1, "s": 2, "v": 4}
_WRITTEN = {"d": 8, "s": 16, "v": 32}
_LOADED, _STORED = 64, 128


@functools.lru_cache(maxsize=1 << 16)
def bits(mask: int) -> tuple[int, ...]:
    """Numbers of the set bits, lowest first."""
    result = []
    while mask:
        low = mask & -mask
        result.append(low.bit_length() - 1)
        mask ^= low
    return tuple(result)


class Webs:
    """Union-find over webs, and what is known about each."""

    def __init__(self) -> None:
        self.parent: list[int] = []
        self.facts: list[int] = []

    def new(self, facts: int = 0) -> int:
        self.parent.append(len(self.parent))
        self.facts.append(facts)
        return len(self.parent) - 1

    def find(self, node: int) -> int:
        parent = self.parent
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    def add(self, node: int, facts: int) -> None:
        self.facts[self.find(node)] |= facts

    def join(self, a: int, b: int) -> None:
        a, b = self.find(a), self.find(b)
        if a != b:
            self.parent[b] = a
            self.facts[a] |= self.facts[b]

    def kind(self, node: int) -> str:
        """ "d", "du" (double, with the upper half kept), "s" or "v"."""
        facts = self.facts[self.find(node)]
        read, written = facts & 7, facts >> 3 & 7
        if (read or written) == 1:
            return "du" if facts & _STORED and (facts & _LOADED and written or written != 1) else "d"
        if (read or written) == 2 and not (facts & _STORED and (facts & _LOADED or written != 2)):
            return "s"
        return "v"


#: (view that the text names, register, web)
Access = tuple[str, int, int]


@dataclass(slots=True, eq=False)
class PartViews:
    """Webs of one part: by register at its start and end, and for each piece with views in order:
    (before reading, after writing)."""

    at_start: dict[int, int]
    at_end: dict[int, int]
    pieces: list[tuple[list[Access], list[Access]]]


@dataclass(slots=True, eq=False)
class Views:
    webs: Webs
    parts: list[PartViews]

    def kind(self, web: int) -> str:
        return self.webs.kind(web)


def build_views(flow: Flow, placement: Placement) -> Views | None:
    """The webs of a function; None if it uses no vector register."""
    if not any((part.uses | part.defines) & VECTORS for part in flow.parts) and not any(
        mask & VECTORS for mask in placement.held
    ):
        return None
    webs = Webs()
    at_start = [{bit - V0: webs.new() for bit in bits(held & VECTORS)} for held in placement.held]
    parts = []
    for index, part in enumerate(flow.parts):
        touches = (part.uses | part.defines) & VECTORS
        views = _walk(part.pieces if touches else [], at_start[index], webs)
        stores = placement.stores[index] | placement.cold[index] | placement.values[index]
        for bit in bits(stores & VECTORS):
            webs.add(views.at_end[bit - V0], _STORED)
        loads = placement.loads[index] | placement.results[index]
        for successor in part.successors:
            for n, web in at_start[successor].items():
                if loads >> V0 + n & 1:
                    webs.add(web, _LOADED)
                else:
                    webs.join(web, views.at_end[n])
        parts.append(views)
    for entry in (flow.start, *flow.entries.values()):
        for web in at_start[entry].values():
            webs.add(web, _LOADED)
    return Views(webs, parts)


def _walk(pieces: list[Piece], at_start: dict[int, int], webs: Webs) -> PartViews:
    now = dict(at_start)
    result = PartViews(at_start, now, [])
    for piece in pieces:
        if not piece.views:
            continue
        before: list[tuple[str, int, int]] = []
        after: list[tuple[str, int, int]] = []
        for is_write, kind, n in piece.views:
            if is_write:
                now[n] = webs.new(_WRITTEN[kind])
                after.append((kind, n, now[n]))
            else:
                webs.add(now[n], _READ[kind])
                before.append((kind, n, now[n]))
        result.pieces.append((before, after))
    return result
