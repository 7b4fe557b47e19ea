"""Functions that return more than once: the place behind a call of `setjmp` is entered again by `longjmp`.

Such a function stores most callee-saved registers and sp through a pointer that is not the stack (`setjmp`,
`getcontext`, coroutine switches), or stores the return address through x0 and calls or becomes one that does
(`sigsetjmp`). It is recognised by that, not by its name.
"""

from __future__ import annotations

from recomp.a64.table import decode
from recomp.lift.module import Block
from recomp.lift.words import BL, ORDINARY, Words

#: That many of x19..x30 have to be stored for a block to be a context save.
_SAVED = 8
_MAX_INSNS = 96


def returns_twice(words: Words, blocks_of: dict[int, list[Block]]) -> list[tuple[int, int]]:
    """(place behind the call, function start) of every call whose callee may return again later."""
    savers = {start for start, blocks in blocks_of.items() if saves_context(words, blocks, start)}
    if not savers:
        return []
    # A call may go behind the first instruction: glibc's assembler begins functions with a hint that some callers skip.
    home = {block.start: start for start, blocks in blocks_of.items() for block in blocks}
    targets = {start: {home.get(b.target) for b in blocks if b.target} for start, blocks in blocks_of.items()}
    keepers = {s for s, found in targets.items() if found & savers and keeps_return_address(words, blocks_of[s])}
    grown = True
    while grown:
        tails = {
            start
            for start, blocks in blocks_of.items()
            if start not in savers and any(b.terminator == "tail_call" and home.get(b.target) in savers for b in blocks)
        }
        new = (keepers | tails) - savers
        grown = bool(new)
        savers |= new
    return [
        (block.successors[0], start)
        for start, blocks in blocks_of.items()
        for block in blocks
        if block.terminator == "call" and home.get(block.target) in savers and block.successors
    ]


def saves_context(words: Words, blocks: list[Block], start: int) -> bool:
    """Whether the straight run that a function begins with stores callee-saved registers and sp through an argument."""
    end = max(b.start + 4 * b.insns for b in blocks)
    first = words.index(start)
    stored: dict[int, set[int]] = {}
    takes_sp = False
    for index in range(first, first + min((end - start) // 4, _MAX_INSNS)):
        if words.kind[index] != ORDINARY:
            break
        insn = decode(int(words.code[index]))
        if insn is None:
            break
        if insn.name == "ADD_i" and insn.rn == 31 and insn.rd != 31 and insn.imm12 == 0:
            takes_sp = True
        if insn.name in ("STP_off", "STR_ui", "STP_pre", "STP_post") and insn.rn != 31:
            registers = {insn.rt, insn.f.get("rt2", insn.rt)}
            stored.setdefault(insn.rn, set()).update(r for r in registers if 19 <= r <= 30)
    return takes_sp and any(len(registers) >= _SAVED for registers in stored.values())


def keeps_return_address(words: Words, blocks: list[Block]) -> bool:
    """Whether a function stores x30 through x0 before its first call."""
    for block in blocks:
        first = words.index(block.start)
        for index in range(first, first + block.insns):
            if words.kind[index] == BL:
                return False
            insn = decode(int(words.code[index])) if words.kind[index] == ORDINARY else None
            if insn is not None and insn.name in ("STR_ui", "STP_off") and insn.rn == 0:
                if 30 in (insn.rt, insn.f.get("rt2", -1)):
                    return True
    return False
