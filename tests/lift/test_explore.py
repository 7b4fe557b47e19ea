"""Who returns, where nothing of a function can follow its last call."""

from __future__ import annotations

from recomp.lift.lift import lift_elf
from tests.elves import without_headers
from tests.guests import assemble
from tests.lift.listing import block_ending, by_start, labels


def test_a_function_returns_if_what_it_calls_last_does() -> None:
    """Nothing of `caller` follows its call, so what comes next may be what it goes on in."""
    source = """
        .text
        .globl _start
    _start:
        adrp    x1, behind
        add     x1, x1, :lo12:behind
        bl      caller
        b       _start
    caller:
        mov     x29, x30
        bl      leaf
    behind:
        ret     x29
    leaf:
        ret
    """
    data = assemble(source)
    at = labels(data)
    module = lift_elf(without_headers(data))[0]
    assert block_ending(module, at["behind"] - 4).successors == ()
    assert not by_start(module)[at["caller"]].noreturn
