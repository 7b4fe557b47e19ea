"""Functions that return more than once are known by what they store, not by their names."""

from __future__ import annotations

import pytest

from recomp.lift.lift import LiftOptions, Miss, lift_elf
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


SWITCH = """
    .text
    .globl _start
_start:
    bl      leaf
after_leaf:
    bl      yield
after_yield:
    ret
leaf:
    ret
yield:
    str     x30, [sp, #-16]!
    bl      switch
after_switch:
    ldr     x30, [sp], #16
    ret
switch:
    stp     x29, x30, [x0]
    mov     x9, sp
    str     x9, [x0, #16]
    ldp     x29, x30, [x1]
    ldr     x9, [x1, #16]
    mov     sp, x9
    ret
"""


def test_behind_a_stack_switch_and_whatever_leads_to_it_control_may_enter() -> None:
    """Whoever was on a stack when it was left returns to its caller later, from nowhere; a leaf never is."""
    data = assemble(SWITCH)
    at, functions = labels(data), by_start(lift(data))
    assert functions[at["_start"]].entries == (at["after_yield"],)
    assert functions[at["yield"]].entries == (at["after_switch"],)
    assert not functions[at["leaf"]].entries and not functions[at["switch"]].entries


def test_a_miss_behind_a_call_makes_every_such_place_an_entry() -> None:
    data = assemble(SWITCH.replace("mov     sp, x9", "nop"))
    at = labels(data)
    assert by_start(lift(data))[at["_start"]].entries == ()
    healed = by_start(lift(data, trace=[Miss(0, at["after_yield"])]))
    assert healed[at["_start"]].entries == (at["after_leaf"], at["after_yield"])


def test_what_returns_once_more_says_how() -> None:
    data = assemble(CALLER + SAVERS["by way of another"])
    at, functions = labels(data), by_start(lift(data))
    assert functions[at["_start"]].returns == "again"
    assert functions[at["save"]].returns == "relay"


def test_shown_registers_make_every_place_behind_a_call_an_entry() -> None:
    """A handler may go on anywhere, and its callers' activations are gone then."""
    data = assemble(SWITCH.replace("mov     sp, x9", "nop"))
    at = labels(data)
    module = lift_elf(data, options=LiftOptions(faults="all"))[0]
    assert module.faults == "all"
    assert by_start(module)[at["_start"]].entries == (at["after_leaf"], at["after_yield"])
