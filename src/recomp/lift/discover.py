"""From evidence to functions: add starts by rank, explore, read jump tables, settle what is left.

Strong evidence comes first and all at once, so that the limits of functions are known when exploration begins. Weaker
evidence is then asked only about addresses that no function has reached, and what remains is swept.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recomp.formats.eh_frame import Fde, read_fdes, read_landing_pads
from recomp.formats.elf import Elf
from recomp.lift.evidence import (
    NOP,
    RANK,
    begins_function,
    call_targets,
    constant_targets,
    ends_of,
    init_targets,
    pointer_targets,
    relocation_targets,
)
from recomp.lift.explore import Explorer, Region
from recomp.lift.graph import Graph, build_blocks
from recomp.lift.module import Block
from recomp.lift.jumptable import Table, read_table
from recomp.lift.words import TRAP, UNDEFINED, Words


class Discovery:
    """The regions of a program and why each is one. `run` does everything."""

    def __init__(self, elf: Elf, words: Words, named: Iterable[int], traced: Iterable[int], sweep: bool) -> None:
        self.elf = elf
        self.words = words
        self.named = [a for a in sorted(named) if words.is_code(a)]
        self.traced = [a for a in sorted(set(traced)) if words.is_code(a)]
        self.sweep = sweep
        self.fdes = read_fdes(elf)
        self.explorer = Explorer(words, ends_of(elf, self.fdes))
        self.evidence: dict[int, str] = {}
        self.tables: dict[int, Table] = {}
        self.cold = {f.start for f in self.fdes if f.cold}
        self.relocated = dict(elf.relocated)
        #: addresses inside functions that data or code refers to
        self.labels: set[int] = set()

    def run(self) -> None:
        self._add_strong()
        self._settle()
        self._add_landing_pads()
        for kind, targets in (
            ("relocation", relocation_targets(self.elf, self.words)),
            ("constant", constant_targets(self.words)),
            ("pointer", pointer_targets(self.elf, self.words)),
        ):
            self._add_weak(kind, targets)
            self._settle()
        self._add_traced()
        self._settle()
        while self.sweep and self._add_gaps():
            self._settle()

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
        is_code = self.words.is_code
        kinds = {
            "name_map": self.named,
            "entry": [self.elf.entry],
            "symbol": [s.base for s in self.elf.symbols if is_code(s.base)],
            "unwind": [f.start for f in self.fdes if is_code(f.start)],
            "init": init_targets(self.elf, self.words),
            "call": call_targets(self.words),
        }
        for kind, addresses in kinds.items():
            for address in addresses:
                self._note(kind, address)
        self.explorer.add_starts(list(self.evidence))

    def _add_weak(self, kind: str, targets: list[int]) -> None:
        """Targets that no function has reached become functions where one may begin, the others labels."""
        new = []
        for target in targets:
            owner = self.explorer.owner_of(target)
            if owner is None and begins_function(self.words, target):
                new.append(target)
                self._note(kind, target)
            elif target in self.explorer.regions:
                self._note(kind, target)
            elif kind != "constant":
                self.labels.add(target)
        self.explorer.add_starts(new)

    def _add_traced(self) -> None:
        for target in self.traced:
            owner = self.explorer.owner_of(target)
            if owner is None:
                self._note("trace", target)
                self.explorer.add_start(target)
            elif target != owner.start:
                self.explorer.add_entry(owner, target)

    def _add_landing_pads(self) -> None:
        for fde in self.fdes:
            region = self.explorer.regions.get(fde.start)
            if region is None or not fde.lsda:
                continue
            for pad in read_landing_pads(self.elf, fde):
                if self.words.is_code(pad) and pad not in self.explorer.regions:
                    self.explorer.add_entry(region, pad)
        self._settle()

    def _settle(self) -> None:
        """Explore until every branch is accounted for."""
        explorer = self.explorer
        explorer.run()
        while self._resolve_jumps() or self._resolve_foreign():
            explorer.run()

    def _resolve_jumps(self) -> bool:
        """Read the tables behind the `br`s found since the last call; True when there were any."""
        progress = False
        for region in self.explorer.by_number:
            open_sites = [site for site in region.indirect if site not in self.tables]
            if not open_sites:
                continue
            progress = True
            blocks = build_blocks(self.explorer, region)
            graph = Graph(region.start, blocks, tuple(region.entries))
            enders = {b.start + 4 * b.insns - 4: b.start for b in blocks}
            for site in open_sites:
                table = read_table(self.explorer, region, graph, enders[site], self.read) if site in enders else None
                if table is None:
                    self.tables[site] = Table((), (), "")
                    self.explorer.set_returns(region)
                else:
                    self.tables[site] = table
                    self.explorer.resolve(region, site, table.targets)
        return progress

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
            if owner is None:
                self._note("tail", target)
                explorer.add_start(target)
            else:
                explorer.add_entry(owner, target)
        return bool(targets)

    def _add_gaps(self) -> bool:
        """Functions for code that nothing reached: the first word behind padding in each gap that decodes well."""
        explorer, words = self.explorer, self.words
        data = self._data_words()
        taken = (explorer.owner >= 0) | ~words.in_code | (words.kinds == UNDEFINED) | (words.code == NOP) | data
        taken |= words.kinds == TRAP
        edges = np.flatnonzero(np.diff(np.concatenate(([True], taken)).astype(np.int8)) == -1)
        new = [words.base + 4 * int(i) for i in edges if self._decodes_well(int(i), taken)]
        new = [a for a in new if a not in explorer.regions]
        for address in new:
            self._note("gap", address)
        explorer.add_starts(new)
        return bool(new)

    def _data_words(self) -> np.ndarray:
        """Words that jump tables in the text occupy."""
        words = self.words
        mask = np.zeros(words.count, bool)
        for table in self.tables.values():
            for address, size in table.spans:
                index = words.index(address & ~3)
                if index >= 0:
                    mask[index : index + max(size // 4, 1)] = True
        return mask

    def _decodes_well(self, index: int, taken: np.ndarray) -> bool:
        """Whether the code at `index` ends in a branch before anything undefined."""
        stop = self.words.stop[index]
        return self.words.kind[stop] not in (UNDEFINED, TRAP, 0)

    def entries_by_region(self, blocks_of: dict[int, list[Block]]) -> dict[int, set[int]]:
        """Function start -> its entries: what was found on the way, and labels that lead a block."""
        entries: dict[int, set[int]] = {}
        for address, region in self.explorer.entries.items():
            entries.setdefault(region.start, set()).add(address)
        for label in sorted(self.labels):
            owner = self.explorer.owner_of(label)
            if owner is not None and label in owner.leaders:
                entries.setdefault(owner.start, set()).add(label)
        return entries
