"""What a lift found, in figures."""

from __future__ import annotations

import msgspec


class LiftSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over a module. `uncovered_bytes` of `code_bytes` belong to no function (padding, literals, tables and
    code that nothing reaches); `undefined_words` lists up to 100 reached words that no table knows, most frequent
    first, with their counts and the first guest address."""

    functions: int
    blocks: int
    instructions: int
    undefined: int
    unresolved_jumps: int
    jump_tables: int
    jump_table_entries: int
    noreturn_functions: int
    entries: int
    code_bytes: int
    uncovered_bytes: int
    evidence: dict[str, int]
    unresolved_sites: tuple[int, ...]
    undefined_words: tuple[tuple[str, int, int], ...]
