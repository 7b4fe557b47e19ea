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

#: In place of an address: nothing to visit, but the region returns.
_RETURNS = -1


class Region:
    """One function while it is being explored. `stops` maps the index of each block-ending word that was reached to
    the addresses control may go on to inside the function."""

    __slots__ = (
        "start",
        "number",
        "end",
        "leaders",
        "stops",
        "indirect",
        "tables",
        "returns",
        "entries",
    )

    def __init__(self, start: int, number: int, end: int) -> None:
        self.start = start
        self.number = number
        #: where unwind information or a symbol says it ends, else 0
        self.end = end
        self.leaders: set[int] = set()
        self.stops: dict[int, tuple[int, ...]] = {}
        #: sites of `br` whose targets are not (yet) known
        self.indirect: list[int] = []
        #: site of a resolved `br` -> targets
        self.tables: dict[int, tuple[int, ...]] = {}
        self.returns = False
        self.entries: list[int] = []

    def forget(self) -> None:
        """Back to what was known before exploration, except for what callers were told."""
        self.leaders.clear()
        self.stops.clear()
        self.indirect.clear()
        self.tables.clear()


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
        self._owner = self.owner.data  # the same, for single words
        #: where functions branch to although it is neither a start nor inside them
        self.foreign: set[int] = set()
        #: foreign target inside another function -> that function
        self.entries: dict[int, Region] = {}
        #: addresses that data or code refers to: behind a call that does not return, the start of the next function
        self.barriers: frozenset[int] = frozenset()
        #: addresses that code makes, ascending: each is the start of something
        self.made: list[int] = []
        self._jumping: dict[int, Region] = {}
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
        region.entries.append(address)
        self._queue.append((region, address))
        if region.returns:
            self._wake(address)

    def run(self) -> None:
        """Explore until nothing is left to do."""
        while self._queue:
            region, leader = self._queue.popleft()
            if leader == _RETURNS:
                self.set_returns(region)
            elif leader not in region.leaders:
                self._visit(region, leader)

    def owner_of(self, address: int) -> Region | None:
        """The region that reached the word at `address`."""
        index = self.words.index(address)
        number = self._owner[index] if index >= 0 else -1
        return self.by_number[number] if number >= 0 else None

    def next_start(self, address: int) -> int:
        """The first function start behind `address`, or the end of the code."""
        at = bisect_right(self.starts, address)
        return self.starts[at] if at < len(self.starts) else self.words.end

    def limit_of(self, region: Region) -> int:
        """Branches to addresses from the start up to here stay in the function."""
        return region.end or self.next_start(region.start)

    def take_jumping(self) -> list[Region]:
        """The regions in which a `br` was reached since the last call."""
        found = list(self._jumping.values())
        self._jumping.clear()
        return found

    def resolve(self, region: Region, site: int, targets: tuple[int, ...]) -> None:
        """The `br` at `site` goes to one of `targets`."""
        region.tables[site] = targets
        region.indirect.remove(site)
        inside: list[int] = []
        for target in targets:
            self._go(region, site, target, inside)
        region.stops[self.words.index(site)] = tuple(inside)

    def split(self, region: Region, target: int) -> bool:
        """Make the part of a function from `target` on a function, if the rest goes there by branches to `target` alone
        and it does not go back; what was found of the function is found again."""
        if region.end or region.entries or target == region.start or self.words.is_fallen_into(target):
            return False
        words = self.words
        for stop, inside in region.stops.items():
            above = words.base + 4 * stop >= target
            if any(to != target and (to >= target) != above for to in inside):
                return False
            if not above and words.kind[stop] in (BL, BLR) and words.base + 4 * stop + 4 >= target:
                return False
        for leader in region.leaders:
            first = (leader - words.base) >> 2
            part = self.owner[first : words.stop[first] + 1]
            part[part == region.number] = -1
        region.forget()
        self._queue.append((region, region.start))
        self.add_start(target)
        return True

    def set_returns(self, region: Region) -> None:
        """The function may come back to its caller; callers that wait for it go on."""
        if not region.returns:
            region.returns = True
            self._wake(region.start)
            for entry in region.entries:
                self._wake(entry)

    def _wake(self, callee: int) -> None:
        for region, address in self._waiting.pop(callee, ()):
            # The call may have become another function's since (see `split`).
            if address == _RETURNS or self._owner[self.words.index(address) - 1] == region.number:
                self._queue.append((region, address))

    def _wait(self, callee: int, region: Region, address: int) -> None:
        """Once `callee` returns, `region` goes on at `address`, or returns as well (_RETURNS)."""
        known = self.regions.get(callee) or self.entries.get(callee)
        if known is not None and known.returns:
            self._queue.append((region, address))
        else:
            self._waiting.setdefault(callee, []).append((region, address))

    def _visit(self, region: Region, leader: int) -> None:
        words = self.words
        first = (leader - words.base) >> 2
        if self._belongs_elsewhere(region, first):
            self._leave(region, leader)
            return
        region.leaders.add(leader)
        stop = words.stop[first]
        end = min(self.next_start(leader), words.base + 4 * stop + 4)
        if self._belongs_elsewhere(region, stop):
            # It falls into code that another function has already claimed.
            others = self.owner[first : stop + 1]
            end = min(end, leader + 4 * int(np.argmax((others >= 0) & (others != region.number))))
        last = ((end - words.base) >> 2) - 1
        self.owner[first : last + 1] = region.number
        if last not in region.stops:
            region.stops[last] = ()
            if last < stop:
                self._leave(region, end)
            else:
                self._end_block(region, stop, end - 4)

    def _belongs_elsewhere(self, region: Region, index: int) -> bool:
        return self._owner[index] not in (-1, region.number)

    def _end_block(self, region: Region, stop: int, site: int) -> None:
        words = self.words
        kind = words.kind[stop]
        inside: list[int] = []
        if kind == B:
            target = words.target[stop]
            if self._is_tail_call(region, target):
                self._leave(region, target)
            else:
                self._go(region, site, target, inside)
        elif kind == COND:
            self._go(region, site, words.target[stop], inside)
            self._go(region, site, site + 4, inside)
        elif kind == BL:
            callee = words.target[stop]
            if words.index(callee) < 0:
                self._go(region, site, site + 4, inside)
            else:
                # Where nothing can follow although the callee returns, it may go on in whatever does.
                self._wait(callee, region, _RETURNS if self.ends_in_call(region, site) else site + 4)
        elif kind == BLR:
            if self.ends_in_call(region, site):
                self.set_returns(region)
            else:
                self._go(region, site, site + 4, inside)
        elif kind == BR:
            region.indirect.append(site)
            self._jumping[region.number] = region
        elif kind == RET:
            self.set_returns(region)
        elif kind == UNDEFINED:
            # Nobody knows what it does: callers must not be cut short because of it.
            self.set_returns(region)
        elif kind == ORDINARY:
            self._leave(region, site + 4)
        region.stops[stop] = tuple(inside)

    def _is_tail_call(self, region: Region, target: int) -> bool:
        """Whether a plain branch inside the known limits goes to a function nobody has named: one that begins with a
        frame, behind code that does not run on into it."""
        words = self.words
        if region.end or target == region.start or target in region.leaders or not words.opens_function(target):
            return False
        return not words.is_fallen_into(target)

    def ends_in_call(self, region: Region, site: int) -> bool:
        """Whether nothing of this function can follow the call at `site`: another start or no code comes next."""
        following = site + 4
        if following in self.regions:
            return not region.start <= following < region.end
        if following in self.barriers:
            # Unless the function turns out to go there by other ways as well.
            return following not in region.leaders and not region.start <= following < region.end
        return not self.words.is_code(following)

    def passes_call(self, region: Region, site: int, callee: int) -> bool:
        """Whether control goes on behind the `bl` at `site`."""
        if self.words.index(callee) < 0:
            return True
        known = self.regions.get(callee) or self.entries.get(callee)
        return known is not None and known.returns and not self.ends_in_call(region, site)

    def _go(self, region: Region, site: int, target: int, inside: list[int]) -> None:
        """Control goes from `site` to `target`, which is appended to `inside` when it stays in the function."""
        index = self.words.index(target)
        stays = (
            index >= 0
            and self._owner[index] in (-1, region.number)
            and (target not in self.regions or target == region.start)
            and (target == site + 4 or region.start <= target < self.limit_of(region))
        )
        if stays or self.entries.get(target) is region:
            inside.append(target)
            if target not in region.leaders:
                self._queue.append((region, target))
        else:
            self._leave(region, target)

    def _leave(self, region: Region, target: int) -> None:
        """Control goes to `target` outside the function, and back to its caller from there if at all."""
        if target in self.regions or target in self.entries:
            self._wait(target, region, _RETURNS)
            return
        # Whose code it is will be settled once everything else is explored; callers do not wait for that.
        self.set_returns(region)
        if self.words.index(target) >= 0:
            self.foreign.add(target)
