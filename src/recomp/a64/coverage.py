"""Which encodings are known and translated, by group of the tables, and which are known to be out of scope.

In scope is what a program at EL0 can run on ARMv8.0-A with CRC32, AES and SHA, and the atomics of ARMv8.1.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Collection
from dataclasses import dataclass

from recomp.a64.table import Pattern, parse_table, patterns

#: Control flow is translated where the blocks are known, by the emitter.
BRANCHES = frozenset(
    ("B", "BL", "B_cond", "CBZ", "CBNZ", "TBZ", "TBNZ", "BR", "BLR", "RET"),
)


@dataclass(frozen=True)
class GroupCoverage:
    """One group of one table: the names of its patterns with and without semantics."""

    table: str
    group: str
    implemented: tuple[str, ...]
    missing: tuple[str, ...]


def coverage(implemented: Collection[str]) -> list[GroupCoverage]:
    """Every group in table order; `implemented` names the patterns that have semantics (`semantics.functions()`)."""
    known = BRANCHES.union(implemented)
    groups: dict[tuple[str, str], list[str]] = {}
    for pattern in patterns():
        groups.setdefault((pattern.where.partition(":")[0], pattern.group), []).append(pattern.name)
    return [
        GroupCoverage(table, group, tuple(n for n in names if n in known), tuple(n for n in names if n not in known))
        for (table, group), names in groups.items()
    ]


@functools.cache
def evidence_kinds() -> dict[str, tuple[str, ...]]:
    """How each pattern is tested: `model` (random states against an independent CPU model), `case` (one-line cases),
    `program`. A test holds this table to the tests themselves."""
    text = importlib.resources.files("recomp.a64").joinpath("evidence.table").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {name: tuple(kinds) for name, *kinds in rows}


@functools.cache
def out_of_scope() -> tuple[Pattern, ...]:
    """Encodings of later architectures; `group` names the extension and where it came in."""
    text = importlib.resources.files("recomp.a64").joinpath("later.table").read_text("utf-8")
    return tuple(parse_table(text, "later.table"))


def later_extension(word: int) -> str | None:
    """The later extension a word belongs to, such as "MTE (ARMv8.5)"; None for words nobody knows."""
    for pattern in out_of_scope():
        if pattern.match(word) is not None:
            return pattern.group
    return None
