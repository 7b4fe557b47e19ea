"""From evidence to functions: add starts by rank, explore, read jump tables, settle what is left.

Strong evidence comes first and all at once, so that the limits of functions are known when exploration begins. Weaker
evidence is then asked only about addresses that no function has reached, and what remains is swept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np

from recomp.formats.eh_frame import read_fdes, read_landing_pads
from recomp.formats.elf import Elf
from recomp.lift.contexts import find_savers
from recomp.lift.evidence import (
    RANK,
    call_targets,
    constant_references,
    ends_of,
    init_targets,
    literal_words,
    plausible,
    pointer_targets,
    relocation_targets,
)
from recomp.lift.explore import Explorer, Region
from recomp.lift.graph import Graph, build_blocks
from recomp.lift.jumptable import CONSTANT, UNREAD, Table, read_table
from recomp.lift.values import Values
from recomp.lift.words import NOP, ORDINARY, TRAP, UNDEFINED, Words


class Discovery:
    """The regions of a program and why each is one. `run` does everything."""

    def __init__(
        self,
        elf: Elf,
        words: Words,
        named: Iterable[int],
        traced: Iterable[int],
        sweep: bool,
        resumed: Iterable[int] = (),
    ) -> None:
        """Addresses: `named` functions, `traced` as runs missed them, `resumed` where the guest's runtime enters."""
        self.elf = elf
        self.words = words
        self.named = [a for a in sorted(named) if words.may_be_code(a)]
        self.traced = [a for a in sorted(set(traced)) if words.is_code(a)]
        self.resumed = [a for a in resumed if words.is_code(a)]
        self.sweep = sweep
        self.fdes = read_fdes(elf)
        self.explorer = Explorer(words, ends_of(elf, self.fdes))
        self.evidence: dict[int, str] = {}
        self.tables: dict[int, Table] = {}
        self.cold = {f.start for f in self.fdes if f.cold}
        #: functions that may return more than once
        self.savers: list[int] = []
        #: entries that no branch of the program leads to
        self.outside: set[int] = set()
        self.relocated = dict(elf.relocated)
        #: (address of the instruction, address that it and the next make)
        self.constants = constant_references(words)
        self.explorer.made = np.unique(self.constants[1]).tolist()

    def run(self) -> None:
        weak = self._weak_targets()
        self.explorer.barriers = frozenset(weak)
        self._add_strong()
        self._settle()
        self._add_savers()
        self._add_landing_pads()
        self._add_resumed()
        self._add_weak(weak)
        self._add_traced()
        self._settle()
        if self.sweep:
            # What lies behind a call of a saver is not left over.
            self._add_savers()
            self._sweep(weak)
        self._add_referred(weak)
        self._add_savers()

    def read(self, address: int, size: int) -> int | None:
        """Initialised guest memory as start-up code leaves it."""
        if size == 8 and address in self.relocated:
            return self.relocated[address]
        raw = self.elf.read(address, size)
        return None if raw is None else int.from_bytes(raw, "little")

    def _note(self, kind: str, address: int) -> None:
        known = self.evidence.get(address)
        if known is None or RANK[kind] < RANK[known]:
            self.evidence[address] = kind

    def _add_strong(self) -> None:
        may_be_code = self.words.may_be_code
        kinds = {
            "name_map": self.named,
            "entry": [self.elf.entry],
            "symbol": [s.base for s in self.elf.symbols if may_be_code(s.base)],
            "unwind": [f.start for f in self.fdes if may_be_code(f.start)],
            "init": init_targets(self.elf, self.words),
            "call": call_targets(self.words),
        }
        for kind, addresses in kinds.items():
            for address in addresses:
                self._note(kind, address)
        self.explorer.add_starts(list(self.evidence))

    def _weak_targets(self) -> dict[int, str]:
        """Address -> kind of what data and code refer to: functions, but case labels and table bases as well."""
        found: dict[int, str] = {}
        for kind, targets in (
            ("pointer", pointer_targets(self.elf, self.words)),
            ("constant", plausible(self.words, self.constants[1])),
            ("relocation", relocation_targets(self.elf, self.words)),
        ):
            found.update(dict.fromkeys(targets, kind))
        return dict(sorted(found.items()))

    def _add_weak(self, weak: dict[int, str]) -> None:
        """Those that look like the start of a function become one; what looks like less is left to the sweep."""
        new = []
        for target, kind in weak.items():
            if target in self.explorer.regions:
                self._note(kind, target)
            elif self.explorer.owner_of(target) is None and self.words.opens_function(target):
                if self._extent_around(target) is None and not self.words.is_fallen_into(target):
                    new.append(target)
                    self._note(kind, target)
        self.explorer.add_starts(new)
        self._settle()

    def _extent_around(self, address: int) -> Region | None:
        """The function whose unwind information or symbol covers `address` behind its start."""
        explorer = self.explorer
        at = bisect_right(explorer.starts, address) - 1
        region = explorer.regions[explorer.starts[at]] if at >= 0 else None
        return region if region is not None and region.start < address < region.end else None

    def _add_traced(self) -> None:
        for target in self.traced:
            owner = self.explorer.owner_of(target)
            if owner is None:
                self._note("trace", target)
                self.explorer.add_start(target)
            elif target != owner.start:
                self._add_outside(owner, target)

    def _add_landing_pads(self) -> None:
        for fde in self.fdes:
            region = self.explorer.regions.get(fde.start)
            if region is None or not fde.lsda:
                continue
            for pad in read_landing_pads(self.elf, fde):
                if self.words.is_code(pad) and pad not in self.explorer.regions:
                    self._add_outside(region, pad)
        self._settle()

    def _add_resumed(self) -> None:
        for address in self.resumed:
            owner = self.explorer.owner_of(address) or self._extent_around(address)
            if owner is not None and owner.start != address:
                self._add_outside(owner, address)
        self._settle()

    def _add_outside(self, region: Region, address: int) -> None:
        self.outside.add(address)
        self.explorer.add_entry(region, address)

    def _settle(self) -> None:
        """Explore until every branch is accounted for."""
        self._explore()
        while self._resolve_foreign():
            self._explore()

    def _explore(self) -> None:
        self.explorer.run()
        while self._resolve_jumps():
            self.explorer.run()

    def _resolve_jumps(self) -> bool:
        """Read the tables behind the `br`s found since the last call; True when there were any."""
        regions = self.explorer.take_jumping()
        for region in regions:
            new = [site for site in region.indirect if site not in self.tables]
            for site, table in zip(new, self._read_tables(region, new), strict=True):
                self.tables[site] = table
                if table.bound == CONSTANT:
                    self._add_constant_target(table.targets[0])
            for site in list(region.indirect):
                if self.tables[site].targets:
                    self.explorer.resolve(region, site, self.tables[site].targets)
                else:
                    self.explorer.set_returns(region)
        return bool(regions)

    def _read_tables(self, region: Region, sites: list[int]) -> list[Table]:
        if not sites:
            return []
        blocks = build_blocks(self.explorer, region)
        values = Values(self.words, Graph(region.start, blocks))
        leader_of = {b.start + 4 * b.insns - 4: b.start for b in blocks}
        return [read_table(self.explorer, region, values, leader_of[site], self.read) for site in sites]

    def _add_constant_target(self, target: int) -> None:
        """A `br` to one known place is a call by other means (the compiler was kept from seeing through it)."""
        if self.explorer.owner_of(target) is None and self._extent_around(target) is None:
            self._note("constant", target)
            self.explorer.add_start(target)

    def _resolve_foreign(self) -> bool:
        """Branches out of functions to places that are no starts: inside another function they become its entry,
        elsewhere a function."""
        explorer = self.explorer
        targets = sorted(explorer.foreign)
        explorer.foreign.clear()
        for target in targets:
            if target in explorer.regions or target in explorer.entries:
                continue
            owner = explorer.owner_of(target)
            if owner is not None and explorer.split(owner, target):
                self._note("tail", target)
                self._explore()
                continue
            owner = owner or self._extent_around(target)
            if owner is None:
                self._note("tail", target)
                explorer.add_start(target)
            else:
                explorer.add_entry(owner, target)
        return bool(targets)

    def _add_savers(self) -> None:
        """What saves a context returns, whether or not a path to a `ret` is known."""
        self.savers = find_savers(self.words, self.explorer.starts)
        for start in self.savers:
            self.explorer.set_returns(self.explorer.regions[start])
        self._settle()

    def _add_referred(self, weak: dict[int, str]) -> None:
        """What lies inside a function and is referred to from elsewhere may be called: a function that another one
        becomes at its end. Case labels and the bases of tables are referred to by their own function or table alone."""
        explorer = self.explorer
        sites, targets = self.constants
        inside = {target: owner for target in weak if (owner := explorer.owner_of(target)) is not None}
        for site, target in sorted(zip(sites.tolist(), targets.tolist(), strict=True)):
            owner = inside.get(target)
            user = explorer.owner_of(site)
            if owner is not None and owner.start != target and user is not None and user is not owner:
                self._add_outside(owner, target)
        tabled = {target for table in self.tables.values() for target in table.targets}
        for target, kind in weak.items():
            owner = inside.get(target)
            if kind != "constant" and owner is not None and owner.start != target and target not in tabled:
                self._add_outside(owner, target)
        self._settle()

    def _sweep(self, weak: dict[int, str]) -> None:
        """Go through the code that nothing has reached, upwards: its first word begins a function, which is explored
        before the next is looked for, so that what follows is seen with all its case labels claimed."""
        explorer, words = self.explorer, self.words
        skip = ~words.in_code | (words.code == NOP) | (words.kinds == UNDEFINED) | (words.kinds == TRAP)
        referred = np.array([words.index(address) for address in weak], np.int64)
        skip[referred] = False
        skip |= self._data_words()
        behind = 0
        for index in np.flatnonzero((explorer.owner < 0) & ~skip).tolist():
            if index < behind or explorer.owner[index] >= 0:
                continue
            address = words.base + 4 * index
            around = self._extent_around(address)
            if around is not None:
                # Code in a known function that nothing reaches is dead, unless something refers to it or a table could
                # not be read.
                if address in weak or any(self.tables[site].bound == UNREAD for site in around.indirect):
                    self._add_outside(around, address)
                    self._settle()
            elif words.kind[words.stop[index]] in (UNDEFINED, TRAP, ORDINARY):
                behind = words.stop[index] + 1
            else:
                self._note(weak.get(address, "gap"), address)
                explorer.add_start(address)
                self._settle()

    def _data_words(self) -> np.ndarray:
        """Words of the text that jump tables and literals occupy."""
        words = self.words
        mask = literal_words(words, self.explorer.owner >= 0)
        for table in self.tables.values():
            for address, size in table.spans:
                index = words.index(address & ~3)
                if index >= 0:  # a table in the text
                    mask[index : index + max(size // 4, 1)] = True
        return mask
