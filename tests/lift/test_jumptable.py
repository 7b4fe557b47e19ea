"""Jump tables in the forms that compilers write, and in some that they do not: every target, no other."""

from __future__ import annotations

import struct

import pytest

from recomp.lift.lift import lift_elf
from tests.elves import without_headers
from tests.guests import assemble, build
from tests.lift.listing import block_ending, by_start, check_module, labels, lift

#: Five cases and a default; each case is another function's worth of code.
CASES = """
c0: mov w0, #10
    ret
c1: mov w0, #11
    b   done
c2: bl  other
    b   done
c3: add w0, w0, #13
c4: add w0, w0, #14
done: add sp, sp, #32
    ret
default: mov w0, #-1
    ret
other: ret
"""

BYTES = "tab: .byte (c0-base)/4, (c1-base)/4, (c2-base)/4, (c3-base)/4, (c4-base)/4\n"
HALVES = "tab: .hword (c0-base)/4, (c1-base)/4, (c2-base)/4, (c3-base)/4, (c4-base)/4\n"
WORDS = "tab: .word c0-tab, c1-tab, c2-tab, c3-tab, c4-tab\n"
POINTERS = "tab: .quad c0, c1, c2, c3, c4\n"
TAB = "adrp x1, tab\n add x1, x1, :lo12:tab\n"
NEXT = "adrp x3, next\n add x3, x3, :lo12:next\n"

FORMS = {
    "clang, bytes": (
        f"cmp w0, #4\n b.hi default\n mov w8, w0\n {TAB} adr x10, base\n ldrb w11, [x1, x8]\n"
        " add x10, x10, x11, lsl #2\n br x10\n base:",
        BYTES,
    ),
    "clang, halves": (
        f"cmp w0, #4\n b.hi default\n mov w8, w0\n {TAB} adr x10, base\n ldrh w11, [x1, x8, lsl #1]\n"
        " add x10, x10, x11, lsl #2\n br x10\n base:",
        HALVES,
    ),
    "clang, words": (
        f"subs w8, w0, #4\n b.hi default\n mov w0, w0\n {TAB} ldrsw x11, [x1, x0, lsl #2]\n"
        " add x10, x1, x11\n br x10\n base:",
        WORDS,
    ),
    "gcc, signed bytes": (
        f"cmp w0, #4\n b.hi default\n {TAB} ldrb w0, [x1, w0, uxtw]\n adr x1, base\n"
        " add x0, x1, w0, sxtb #2\n br x0\n c9: nop\n base:",
        BYTES,
    ),
    "gcc, signed halves": (
        f"cmp w0, #4\n b.hi default\n {TAB} ldrh w0, [x1, w0, uxtw #1]\n adr x1, base\n"
        " add x0, x1, w0, sxth #2\n br x0\n base:",
        HALVES,
    ),
    "absolute, with a bias": (
        f"sub w0, w0, #97\n cmp w0, #4\n b.hi default\n {TAB} ldr x1, [x1, w0, uxtw #3]\n br x1\n base:",
        POINTERS,
    ),
    "64-bit index with a bias": (
        f"sub x8, x0, #1\n cmp x8, #4\n b.hi default\n adr x10, base\n {TAB} ldrb w11, [x1, x8]\n"
        " add x10, x10, x11, lsl #2\n br x10\n base:",
        BYTES,
    ),
    "inverted branch, compare blocks away": (
        f"cmp w0, #4\n b.ls 2f\n b default\n 1: ret\n 2: mov w8, w0\n cbz x5, 1b\n {TAB} cbz x6, 3f\n bl other\n"
        f" 3: {TAB} ldr x1, [x1, w8, uxtw #3]\n br x1\n base:",
        POINTERS,
    ),
    "index kept across a call": (
        f"mov w19, w0\n cmp w19, #4\n b.hi default\n bl other\n {TAB} ldr x1, [x1, w19, uxtw #3]\n br x1\n base:",
        POINTERS,
    ),
    "index through the stack": (
        f"sub sp, sp, #32\n mov w8, w0\n str x8, [sp, #8]\n subs x8, x8, #4\n b.hi default\n ldr x11, [sp, #8]\n"
        f" {TAB} ldrsw x9, [x1, x11, lsl #2]\n add x9, x9, x1\n br x9\n base:",
        WORDS,
    ),
    "signed compares from both sides": (
        f"cmp w0, #0\n b.lt default\n cmp w0, #5\n b.ge default\n {TAB} ldr x1, [x1, w0, sxtw #3]\n br x1\n base:",
        POINTERS,
    ),
    "bound in a register": (
        f"mov w9, #4\n cmp w0, w9\n b.hi default\n {TAB} ldr x1, [x1, w0, uxtw #3]\n br x1\n base:",
        POINTERS,
    ),
    "compared to less than": (
        f"cmp w0, #5\n b.lo 1f\n b default\n 1: {TAB} add x1, x1, w0, uxtw #3\n ldr x1, [x1]\n br x1\n base:",
        POINTERS,
    ),
    "compare of the byte that is the index": (
        f"ldrb w0, [x0]\n cmp w0, #4\n b.hi default\n {TAB} ldr x1, [x1, x0, lsl #3]\n br x1\n base:",
        POINTERS,
    ),
    "byte translated by another table": (
        f"ldrb w0, [x0]\n sub w0, w0, #32\n and w2, w0, #255\n cmp w2, #5\n b.hi default\n adrp x3, kinds\n"
        f" add x3, x3, :lo12:kinds\n ldrb w0, [x3, w0, sxtw]\n {TAB} ldr x0, [x1, x0, lsl #3]\n br x0\n base:",
        POINTERS + "kinds: .byte 3, 0, 1, 2, 4, 1\n",
    ),
    "no compare: the entries end it": (
        f"cbz x7, default\n ldrb w0, [x0]\n {TAB} ldr x1, [x1, x0, lsl #3]\n br x1\n base:",
        POINTERS + ".quad 0\n",
    ),
    "rustc: the next address that code makes ends bytes": (
        f"cbz x7, default\n ldr x9, [x0]\n {NEXT} mov w8, #4\n eor x10, x9, #0x8000000000000000\n cmp x9, #0\n {TAB}"
        " csel x8, x10, x8, mi\n adr x10, base\n ldrb w11, [x1, x8]\n add x10, x10, x11, lsl #2\n br x10\n base:",
        BYTES + "next: .byte (c1-base)/4 + 1, (c2-base)/4 + 1\n",
    ),
    "rustc: bytes from a negative index on": (
        f"cbz x7, default\n {NEXT} bl other\n add x9, x0, #1\n {TAB} adr x10, base\n ldrb w11, [x1, x9]\n"
        " add x10, x10, x11, lsl #2\n br x10\n base:",
        BYTES + "next: .byte (c1-base)/4 + 1, (c2-base)/4 + 1\n",
    ),
    "table address hoisted out of the loop": (
        f"{TAB} mov x19, x1\n 1: ldr w0, [x20], #4\n cmp w0, #4\n b.hi default\n cbz x21, 1b\n bl other\n"
        " ldr w0, [x20]\n cmp w0, #4\n b.hi default\n ldr x1, [x19, w0, uxtw #3]\n br x1\n base:",
        POINTERS,
    ),
}


MERGED = f"""
    cmp     w0, #2
    b.hi    default
    cbz     x7, 1f
    {TAB} ldr x9, [x1, w0, uxtw #3]
    str     x9, [sp, #8]
    b       2f
1:  cmp     w3, #1
    b.hi    default
    {TAB} add x1, x1, #24
    ldr     x9, [x1, w3, uxtw #3]
    str     x9, [sp, #8]
2:  ldr     x9, [sp, #8]
    br      x9
base:
"""

BIG_FRAME = f"""
    sub     sp, sp, #8, lsl #12
    mov     x29, sp
    {TAB}   mov x19, x1
    sub     x9, x29, #4, lsl #12
    str     x19, [x9, #128]
    cbz     x7, 1f
    bl      other
1:  cmp     w0, #4
    b.hi    default
    sub     x10, x29, #4, lsl #12
    ldr     x1, [x10, #128]
    ldr     x1, [x1, w0, uxtw #3]
    br      x1
base:
"""


def program(head: str, table: str, section: str = ".rodata") -> str:
    return (
        f"    .text\n    .globl _start\n_start:\n {head}\n{CASES}\n"
        f"    .section {section}\n    .balign 8\n{table}\n    .quad 0x123456789\n"
    )


def check_targets(data: bytes, indices: str = "01234") -> None:
    at = labels(data)
    for image in (data, without_headers(data)):
        module = lift(image) if image is data else lift_elf(image)[0]
        check_module(module)
        blocks = [b for f in module.functions for b in f.blocks if b.terminator in ("jump_table", "jump_indirect")]
        assert [b.terminator for b in blocks] == ["jump_table"]
        assert blocks[0].successors == tuple(at[f"c{i}"] for i in indices)
        assert set(by_start(module)) == {at["_start"], at["other"]}


@pytest.mark.parametrize("name", FORMS)
def test_all_targets_are_found(name: str) -> None:
    check_targets(assemble(program(*FORMS[name])))


def test_one_jump_for_two_tables() -> None:
    check_targets(assemble(program(MERGED, POINTERS)))


def test_a_table_address_kept_in_a_large_frame() -> None:
    check_targets(assemble(program(BIG_FRAME, POINTERS)))


def test_a_table_in_the_text_is_not_code() -> None:
    head, table = FORMS["gcc, signed halves"]
    data = assemble(program(head, table, '.text, "ax"'))
    check_targets(data)


def test_a_mask_bounds_an_index() -> None:
    head = f"cbz x7, default\n and w0, w0, #7\n {TAB} ldr x1, [x1, w0, uxtw #3]\n br x1\n base:"
    table = "tab: .quad c0, c1, c2, c3, c4, c0, c0, c4\n .quad c0+4\n"
    check_targets(assemble(program(head, table)))


def test_a_bit_field_bounds_an_index() -> None:
    head = f"ubfx x0, x0, #5, #2\n {TAB} ldr x1, [x1, x0, lsl #3]\n br x1\n base:"
    data = assemble(program(head, POINTERS))
    module = lift(data)
    at = labels(data)
    assert block_ending(module, at["c0"] - 4).successors == tuple(at[f"c{i}"] for i in "0123")


def test_only_what_the_compare_lets_through() -> None:
    """A table of five of which two may be reached: the other labels are no blocks of their own accord."""
    head = f"sub w0, w0, #7\n cmp w0, #1\n b.hi default\n {TAB} ldr x1, [x1, w0, uxtw #3]\n br x1\n base:"
    data = assemble(program(head, POINTERS))
    at = labels(data)
    assert block_ending(lift(data), at["base"] - 4).successors == (at["c0"], at["c1"])


def test_a_pointer_is_not_a_table() -> None:
    data = assemble("    .text\n    .globl _start\n_start: ldr x16, [x0, #8]\n    br x16\n")
    (function,) = lift(data).functions
    assert [b.terminator for b in function.blocks] == ["jump_indirect"]


SWITCHES = """
#define MARK(n) __asm__ volatile("movz w9, %0" :: "i"((n) & 0xffff) : "x9")
#define CASE(n) case n: MARK(n); x = f(x, n); break;
#define FIVE(n) CASE(n) CASE(n + 1) CASE(n + 2) CASE(n + 3) CASE(n + 4)
#define TEN(n) FIVE(n) FIVE(n + 5)
#define FUNCTION __attribute__((noinline)) static int
int f(int, int);
FUNCTION few(unsigned x) { switch (x) { FIVE(0) CASE(5) default: x = f(x, 9); } return x; }
FUNCTION many(unsigned x) { switch (x) { TEN(1000) TEN(1010) TEN(1020) TEN(1030) TEN(1040) TEN(1050) } return x; }
FUNCTION gaps(int x) { switch (x) { CASE(-3) CASE(-1) CASE(2) CASE(3) CASE(4) CASE(9) CASE(11) CASE(12) } return x; }
FUNCTION chars(unsigned char x) { switch (x) { TEN('a') TEN('k') CASE('-') CASE('+') } return x; }
FUNCTION wide(unsigned long x) { switch (x) { FIVE(2005) CASE(2010) CASE(2011) } return x; }
FUNCTION go(const unsigned char *p, int x) {
    static const void *const to[] = {&&a, &&b, &&c, &&d};
    for (;;) {
        goto *to[*p++ & 3];
        a: MARK(3001); x = f(x, 1); continue;
        b: MARK(3002); x = f(x, 2); goto *to[*p++ & 3];
        c: MARK(3003); x = f(x, 3); continue;
        d: MARK(3004); return x;
    }
}
int f(int x, int n) { return __builtin_rotateleft32(x ^ n, 5) * 77 + n; }
int run(int n) {
    int x = n;
    for (int i = 0; i < n; i++)
        x += few(x) + many(x & 0xffff) + gaps(x % 16) + chars(x) + wide(x) + go((void *)0x1000, x);
    return x;
}
void _start(void) { for (;;) run(*(volatile int *)0x1000); }
"""

#: Every number that a case of SWITCHES marks its code with.
MARKS = {
    *range(6), *range(1000, 1060), 0xFFFD, 0xFFFF, 2, 3, 4, 9, 11, 12, *range(97, 117), 43, 45, *range(2005, 2012),
    *range(3001, 3005),
}  # fmt: skip


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3", "-Os"])
def test_switches_of_a_compiler(level: str) -> None:
    """No `br` stays open, and every case's code is reached: without its tables a program would lose it."""
    data = build(SWITCHES, ".c", level, "-nostdlib", "-fno-sanitize=undefined")
    module, blobs, summary = lift_elf(without_headers(data))
    check_module(module)
    assert summary.unresolved_jumps == 0 and summary.undefined == 0
    assert summary.jump_tables >= 3
    text = next(s for s in module.segments if s.execute)
    found = set()
    for block in (b for f in module.functions if f.evidence != "gap" for b in f.blocks):
        at = block.start - text.base
        for (word,) in struct.iter_unpack("<I", blobs[text.init_path][at : at + 4 * block.insns]):
            if word & 0xFFE0001F == 0x52800009:  # movz w9, #n
                found.add(word >> 5 & 0xFFFF)
    assert found >= MARKS
