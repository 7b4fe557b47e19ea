"""Follow control flow from function starts: which words belong to which function, and who returns.

A function is explored from its start along branches and falls; a call is passed only once its callee is known to
return, so that code behind a call that never comes back is not mistaken for part of the caller (the least fixed
point; `returns` spreads along waiting callers). A branch to another function's start leaves the function. Work is
done in queue order, nothing iterates over a set, so the result depends on the program alone.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import deque

import numpy as np

from recomp.lift.words import BL, BLR, BR, COND, ORDINARY, RET, UNDEFINED, B, Words


class Region:
    """One function while it is being explored. `stops` maps the index of each block-ending word that was reached to
    the addresses control may go on to inside the function; `leaves` lists (site, target) of branches out of it."""

    __slots__ = (
        "start",
        "number",
        "end",
        "leaders",
        "stops",
        "leaves",
        "calls",
        "indirect",
        "tables",
        "returns",
        "reads_unknown",
    )

    def __init__(self, start: int, number: int, end: int) -> None:
        self.start = start
        self.number = number
        #: where unwind information or a symbol says it ends, else 0
        self.end = end
        self.leaders: set[int] = set()
        self.stops: dict[int, tuple[int, ...]] = {}
        self.leaves: list[tuple[int, int]] = []
        self.calls: list[tuple[int, int]] = []
        #: sites of `br` whose targets are not (yet) known
        self.indirect: list[int] = []
        #: site of a resolved `br` -> targets
        self.tables: dict[int, tuple[int, ...]] = {}
        self.returns = False
        self.reads_unknown = False


class Explorer:
    """All regions of a program, growing as starts are added and `run` is called."""

    def __init__(self, words: Words, ends: dict[int, int]) -> None:
        self.words = words
        self.ends = ends
        self.starts: list[int] = []
        self.regions: dict[int, Region] = {}
        self.by_number: list[Region] = []
        #: per word: number of the region that reached it, -1 for none
        self.owner = np.full(words.count, -1, np.int32)
        #: branches to places that are neither a start nor inside the function: (region, site, target)
        self.foreign: list[tuple[Region, int, int]] = []
        #: foreign target inside another function -> that function
        self.entries: dict[int, Region] = {}
        self._queue: deque[tuple[Region, int]] = deque()
        self._waiting: dict[int, list[tuple[Region, int]]] = {}

    def add_start(self, start: int) -> Region:
        """Make `start` a function; it is explored by the next `run`."""
        region = self.regions.get(start)
        if region is None:
            region = Region(start, len(self.by_number), self.ends.get(start, 0))
            self.regions[start] = region
            self.by_number.append(region)
            insort(self.starts, start)
            self._queue.append((region, start))
        return region

    def add_starts(self, starts: list[int]) -> None:
        """`add_start` for many: one sort."""
        new = sorted(set(starts) - self.regions.keys())
        for start in new:
            self.regions[start] = Region(start, len(self.by_number), self.ends.get(start, 0))
            self.by_number.append(self.regions[start])
            self._queue.append((self.regions[start], start))
        self.starts = sorted(self.starts + new)

    def add_entry(self, region: Region, address: int) -> None:
        """Control may come in at `address` inside `region`."""
        self.entries[address] = region
        self._queue.append((region, address))
        if region.returns:
            self._wake(address)
        else:
            self._wait(region.start, region, address, alias=address)

    def run(self) -> None:
        """Explore until nothing is left to do."""
        while self._queue:
            region, leader = self._queue.popleft()
            if leader not in region.leaders:
                self._visit(region, leader)

    def owner_of(self, address: int) -> Region | None:
        """The region that reached the word at `address`."""
        index = self.words.index(address)
        number = int(self.owner[index]) if index >= 0 else -1
        return self.by_number[number] if number >= 0 else None

    def next_start(self, address: int) -> int:
        """The first function start behind `address`, or the end of the code."""
        at = bisect_right(self.starts, address)
        return self.starts[at] if at < len(self.starts) else self.words.end

    def limit_of(self, region: Region) -> int:
        """Branches to addresses from the start up to here stay in the function."""
        return region.end or self.next_start(region.start)

    def resolve(self, region: Region, site: int, targets: tuple[int, ...]) -> None:
        """The `br` at `site` goes to one of `targets`."""
        region.tables[site] = targets
        region.indirect.remove(site)
        inside = []
        for target in targets:
            self._go(region, site, target, inside)
        region.stops[self.words.index(site)] = tuple(inside)

    def set_returns(self, region: Region) -> None:
        """The function may come back to its caller; callers that wait for it go on."""
        if not region.returns:
            region.returns = True
            self._wake(region.start)

    def _wake(self, callee: int) -> None:
        for region, address in self._waiting.pop(callee, ()):
            if address == -1:
                self.set_returns(region)
            elif address in self.entries and self.entries[address] is region:
                self._wake(address)
            else:
                self._queue.append((region, address))

    def _wait(self, callee: int, region: Region, address: int, alias: int = -1) -> None:
        """Once `callee` returns, so does `region` (address -1), or it goes on at `address`."""
        known = self.regions.get(callee) or self.entries.get(callee)
        if known is None or not known.returns or alias >= 0:
            self._waiting.setdefault(callee, []).append((region, address))
        elif address == -1:
            self.set_returns(region)
        else:
            self._queue.append((region, address))

    def _visit(self, region: Region, leader: int) -> None:
        words = self.words
        region.leaders.add(leader)
        first = (leader - words.base) >> 2
        stop = words.stop[first]
        following = self.next_start(leader)
        site = words.base + 4 * stop
        if following <= site:
            # It falls into another function before any branch.
            self.owner[first : (following - words.base) >> 2] = region.number
            stop = ((following - words.base) >> 2) - 1
            if stop not in region.stops:
                region.stops[stop] = ()
                self._leave(region, following - 4, following)
            return
        self.owner[first : stop + 1] = region.number
        if stop not in region.stops:
            region.stops[stop] = ()
            self._end_block(region, stop, site)

    def _end_block(self, region: Region, stop: int, site: int) -> None:
        words = self.words
        kind = words.kind[stop]
        inside: list[int] = []
        if kind == B:
            self._go(region, site, words.target[stop], inside)
        elif kind == COND:
            self._go(region, site, words.target[stop], inside)
            self._go(region, site, site + 4, inside)
        elif kind == BL:
            callee = words.target[stop]
            region.calls.append((site, callee))
            if words.index(callee) < 0:
                self._go(region, site, site + 4, inside)
            elif not self.ends_in_call(region, site):
                self._wait(callee, region, site + 4)
        elif kind == BLR:
            if not self.ends_in_call(region, site):
                self._go(region, site, site + 4, inside)
        elif kind == BR:
            region.indirect.append(site)
        elif kind == RET:
            self.set_returns(region)
        elif kind == UNDEFINED:
            # Nobody knows what it does: callers must not be cut short because of it.
            region.reads_unknown = True
            self.set_returns(region)
        elif kind == ORDINARY:
            self._leave(region, site, site + 4)
        region.stops[stop] = tuple(inside)

    def ends_in_call(self, region: Region, site: int) -> bool:
        """Whether nothing of this function can follow the call at `site`: another start or no code comes next."""
        following = site + 4
        return (following in self.regions and following != region.start) or not self.words.is_code(following)

    def passes_call(self, region: Region, site: int, callee: int) -> bool:
        """Whether control goes on behind the `bl` at `site`."""
        if self.words.index(callee) < 0:
            return True
        known = self.regions.get(callee) or self.entries.get(callee)
        return known is not None and known.returns and not self.ends_in_call(region, site)

    def _go(self, region: Region, site: int, target: int, inside: list[int]) -> None:
        if self.words.index(target) < 0:
            region.leaves.append((site, target))
            self.set_returns(region)
        elif target in self.regions and target != region.start:
            self._leave(region, site, target)
        elif region.start <= target < self.limit_of(region) or target == site + 4:
            inside.append(target)
            if target not in region.leaders:
                self._queue.append((region, target))
        elif self.entries.get(target) is region:
            inside.append(target)
        else:
            self._leave(region, site, target)
            if target not in self.entries:
                self.foreign.append((region, site, target))

    def _leave(self, region: Region, site: int, target: int) -> None:
        region.leaves.append((site, target))
        if self.words.index(target) < 0:
            self.set_returns(region)
        else:
            self._wait(target, region, -1)
