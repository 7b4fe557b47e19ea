"""Functions that return more than once: the place behind a call of `setjmp` is entered again by `longjmp`.

Such a function stores both the stack pointer and the return address, possibly mangled, through a pointer that is not
the stack: `setjmp`, `getcontext`, coroutine switches, Go's `morestack` and `mcall`. Or it stores its return address
so and calls, or becomes, one that does (`sigsetjmp`). It is recognised by that, not by its name.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import numpy as np

from recomp.a64.table import Insn
from recomp.formats.gopclntab import GoFunction
from recomp.lift.models import written_registers
from recomp.lift.module import Block
from recomp.lift.words import BR, RET, TRAP, UNDEFINED, Words, field_values, pattern_named

#: How far from its start a function may go on saving.
_MAX_INSNS = 64
_SP, _LR = 31, 30
_STACK = {29, _SP}
_STORES = ("STR_ui", "STUR", "STR_post", "STR_pre", "STP_off", "STP_post", "STP_pre")


def resume_points(functions: Iterable[GoFunction]) -> list[int]:
    """Where Go's runtime enters functions by itself: behind a recovered panic, and where a goroutine's first function
    returns to, which is said to have been called by the first instruction of `goexit`."""
    found = [f.recover for f in functions if f.recover]
    found += [f.base + 4 for f in functions if f.name in ("runtime.goexit", "runtime.goexit.abi0") and f.size > 4]
    return sorted(found)


def find_savers(words: Words, starts: list[int]) -> list[int]:
    """The functions that save a context of which they may return again; `starts` is sorted."""
    pattern = pattern_named("ADD_i")
    moves = (words.code & np.uint32(pattern.mask)) == np.uint32(pattern.value)
    for field, value in (("rn", _SP), ("imm12", 0), ("sh", 0), ("sf", 1)):
        moves &= field_values(words.code, pattern, field) == value
    # Every function with a frame sets up x29 so.
    moves &= field_values(words.code, pattern, "rd") != 29
    places = words.base + 4 * np.flatnonzero(moves & words.in_code)
    table = np.array(starts, np.int64)
    owner = np.searchsorted(table, places, "right") - 1
    near = (owner >= 0) & (places - table[owner] < 4 * _MAX_INSNS)
    return [start for start in table[np.unique(owner[near])].tolist() if _stores(words, start) == {_SP, _LR}]


def keeps_return_address(words: Words, start: int) -> bool:
    """Whether a function stores x30 through a pointer early on."""
    return _LR in _stores(words, start)


def switches_stacks(words: Words, start: int) -> bool:
    """Whether a function that saves a context goes on with another one: it loads sp, and returns."""
    first = words.index(start)
    for index in range(first, min(first + 2 * _MAX_INSNS, words.count)):
        if words.kind[index] in (RET, BR, TRAP, UNDEFINED):
            return False
        insn = words.insn(index)
        if insn is not None and insn.name == "ADD_i" and insn.rd == _SP and insn.rn not in _STACK and not insn.imm12:
            return True
    return False


def places_behind_calls(blocks_of: dict[int, list[Block]], among: Container[int] | None) -> dict[int, set[int]]:
    """Function start → the places behind its calls of the functions in `among`, and of unknown ones; None = of all."""
    home = {block.start: start for start, blocks in blocks_of.items() for block in blocks}

    def counts(block: Block) -> bool:
        known = block.terminator == "call" and (among is None or home.get(block.target) in among)
        return known or block.terminator == "call_indirect"

    return {
        start: {s for b in blocks if counts(b) for s in b.successors if home.get(s) == start}
        for start, blocks in blocks_of.items()
    }


def callers_of(blocks_of: dict[int, list[Block]], switchers: Iterable[int]) -> set[int]:
    """The functions that may be on the stack when one of these runs: they call it, directly or not, or call the
    unknown."""
    home = {block.start: start for start, blocks in blocks_of.items() for block in blocks}
    callers: dict[int, set[int]] = {}
    found = set(switchers)
    for start, blocks in blocks_of.items():
        for block in blocks:
            if block.terminator in ("call_indirect", "jump_indirect"):
                found.add(start)
            elif block.target in home:
                callers.setdefault(home[block.target], set()).add(start)
    pending = list(found)
    while pending:
        new = callers.get(pending.pop(), set()) - found
        found |= new
        pending += new
    return found


def _stores(words: Words, start: int) -> set[int]:
    """Which of sp and x30 the first instructions of a function store through a pointer that is not the stack."""
    origin = {_SP: _SP, _LR: _LR}
    stored: set[int] = set()
    first = words.index(start)
    for index in range(first, min(first + _MAX_INSNS, words.count)):
        if words.kind[index] in (RET, BR, TRAP, UNDEFINED):
            break
        # Calls and branches on the way are taken to be of paths that end (checks that fail).
        insn = words.insn(index)
        if insn is None:
            continue
        if insn.name in _STORES and insn.rn not in _STACK and origin.get(insn.rn) != _SP:
            # Register 31 of a store is zero, not sp.
            stored |= {origin[r] for r in (insn.rt, insn.f.get("rt2", insn.rt)) if r in origin and r != _SP}
        _follow(insn, origin)
    return stored


def _follow(insn: Insn, origin: dict[int, int]) -> None:
    """Keep track of what holds sp and x30: moves, and their mangling with a secret."""
    found = None
    if insn.name == "ADD_i":
        found = origin.get(insn.rn)
    elif insn.name in ("ORR_r", "EOR_r"):
        sources = [insn.rm] if insn.name == "ORR_r" else [insn.rn, insn.rm]
        found = next((origin[r] for r in sources if r in origin and r != _SP), None)
    written = written_registers(insn)
    for register in [r for r in origin if r != _SP and written >> r & 1]:
        del origin[register]
    if found is not None and insn.rd != _SP:
        origin[insn.rd] = found


def returns_twice(
    words: Words, blocks_of: dict[int, list[Block]], savers: list[int]
) -> tuple[list[tuple[int, int]], set[int]]:
    """(place behind the call, function start) of every call whose callee may return again later, and the functions that
    do so because they call, or become, one that does (`sigsetjmp`)."""
    known = set(savers) & blocks_of.keys()
    if not known:
        return [], set()
    # A call may go behind the first instruction: glibc's assembler begins functions with a hint that some callers skip.
    home = {block.start: start for start, blocks in blocks_of.items() for block in blocks}
    targets = {start: {home.get(b.target) for b in blocks if b.target} for start, blocks in blocks_of.items()}
    known |= {s for s, found in targets.items() if found & known and keeps_return_address(words, s)}
    becoming: dict[int | None, list[int]] = {}
    for start, blocks in blocks_of.items():
        for block in blocks:
            if block.terminator == "tail_call":
                becoming.setdefault(home.get(block.target), []).append(start)
    pending = list(known)
    while pending:
        new = set(becoming.get(pending.pop(), ())) - known
        known |= new
        pending += new
    sites = [
        (block.successors[0], start)
        for start, blocks in blocks_of.items()
        for block in blocks
        if block.terminator == "call" and home.get(block.target) in known and block.successors
    ]
    return sites, known - set(savers)
