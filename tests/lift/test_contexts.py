"""Functions that return more than once are known by what they store, not by their names."""

from __future__ import annotations

import pytest

from tests.guests import assemble
from tests.lift.listing import by_start, labels, lift

CALLER = """
    .text
    .globl _start
_start:
    bl      save
after:
    ret
"""

SAVERS = {
    "musl's setjmp": """
    save:
        stp     x19, x20, [x0]
        stp     x29, x30, [x0, #80]
        mov     x2, sp
        str     x2, [x0, #104]
        mov     x0, #0
        ret
    """,
    "glibc's, with mangled pointers": """
    save:
        stp     x19, x20, [x0]
        ldr     x3, [x18]
        eor     x4, x30, x3
        stp     x29, x4, [x0, #80]
        mov     x4, sp
        eor     x4, x4, x3
        str     x4, [x0, #104]
        b       1f
    1:  ret
    """,
    "Go's morestack: behind checks, and never back by a path of its own": """
    save:
        cbnz    x0, 1f
        bl      fail
    1:  mov     x0, sp
        str     x0, [x28, #56]
        str     x29, [x28, #96]
        str     x30, [x28, #64]
        bl      fail
        .word   0
    fail:
        b       fail
    """,
    "by way of another": """
    save:
        cbz     x1, inner
        str     x30, [x0, #176]
        bl      inner
        ldr     x30, [x0, #176]
        ret
    inner:
        mov     x2, sp
        stp     x2, x30, [x0]
        ret
    """,
}

OTHERS = {
    "an ordinary frame": """
    save:
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x30, [x29, #16]
        ldp     x29, x30, [sp], #32
        ret
    """,
    "a pointer to a local stored away": """
    save:
        sub     sp, sp, #16
        mov     x8, sp
        str     x8, [x0]
        add     sp, sp, #16
        ret
    """,
    "x30 used as any other register": """
    save:
        mov     x9, x30
        mov     x30, #5
        mov     x8, sp
        stp     x8, x30, [x0]
        ret     x9
    """,
    "zero is not sp": """
    save:
        mov     x8, sp
        stp     xzr, x30, [x0]
        ret
    """,
}


@pytest.mark.parametrize("name", SAVERS)
def test_the_place_behind_the_call_is_an_entry(name: str) -> None:
    data = assemble(CALLER + SAVERS[name])
    at = labels(data)
    start = by_start(lift(data))[at["_start"]]
    assert start.entries == (at["after"],)
    assert [b.start for b in start.blocks] == [at["_start"], at["after"]]


@pytest.mark.parametrize("name", OTHERS)
def test_other_stores_are_no_contexts(name: str) -> None:
    data = assemble(CALLER + OTHERS[name])
    assert not any(f.entries for f in lift(data).functions)


def test_a_saver_may_be_called_behind_its_first_hint() -> None:
    """glibc's `_setjmp` branches to `__sigsetjmp` behind the hint that it begins with."""
    data = assemble("""
        .text
        .globl _start
    _start:
        .cfi_startproc
        bl      outer
    after:
        ret
        .cfi_endproc
    outer:
        .cfi_startproc
        mov     x1, #0
        b       inner
        .cfi_endproc
    save:
        .cfi_startproc
        nop
    inner:
        stp     x19, x20, [x0]
        stp     x29, x30, [x0, #80]
        mov     x2, sp
        str     x2, [x0, #104]
        mov     x0, #0
        ret
        .cfi_endproc
    """)
    at = labels(data)
    assert by_start(lift(data))[at["_start"]].entries == (at["after"],)
