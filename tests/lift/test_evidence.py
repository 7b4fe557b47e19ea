"""What counts as an address of code that the program makes."""

from __future__ import annotations

from recomp.lift.lift import lift_elf
from tests.elves import without_headers
from tests.guests import assemble
from tests.lift.listing import block_ending, by_start, labels


def test_an_add_to_another_page_of_the_same_register_is_no_address() -> None:
    """`behind` is `callback`'s page plus `other`'s offset; taken for an address, it had cut `works` off (unxz)."""
    source = """
        .text
        .globl _start
    _start:
        bl      works
        bl      picks
        br      x1
        .p2align 12
    works:
        stp     x29, x30, [sp, #-16]!
        bl      leaf
    behind:
        ldp     x29, x30, [sp], #16
        ret
    leaf:
        ret
    callback:
        ret
    picks:
        adrp    x1, callback
        {second}
        ret
    1:  adrp    x1, other
        add     x1, x1, :lo12:other
        ret
        .p2align 12
        nop
        nop
    other:
        ret
    """
    for second in ("add x1, x1, :lo12:callback", "cbz x0, 1f", "ldr x1, [x1]", "bl leaf", "b 1f"):
        data = assemble(source.format(second=second))
        at = labels(data)
        assert at["behind"] & ~0xFFF == at["callback"] & ~0xFFF and at["behind"] & 0xFFF == at["other"] & 0xFFF
        module = lift_elf(without_headers(data))[0]
        assert block_ending(module, at["behind"] - 4).successors == (at["behind"],), second
        assert by_start(module)[at["other"]].evidence == "constant", second
