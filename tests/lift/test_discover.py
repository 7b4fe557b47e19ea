"""Function starts without symbols, against the symbols of the same file; what counts as evidence for one."""

from __future__ import annotations

import pytest

from recomp.lift.lift import lift_elf
from recomp.lift.names import NamedAddress
from tests.elves import NOP, RET, TEXT_BASE, Load, R, W, X, elf, program, without_headers, without_symbols, words
from tests.guests import assemble, compile_c
from tests.lift.listing import block_ending, by_start, check_module, functions, labels, lift

PROGRAM = r"""
#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static jmp_buf place;
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static int pick(int x) {
    switch (x) {
    case 0: return printf("zero\n");
    case 1: return puts("one");
    case 2: return rand();
    case 3: longjmp(place, 2);
    case 4: return (int)(sin(x) * 100);
    case 7: abort();
    case 8: exit(2);
    default: return putchar(x);
    }
}
static int (*const table[])(int) = {pick, putchar, abs};
int main(int argc, char **argv) {
    int a[10];
    for (int i = 0; i < 10; i++) a[i] = rand();
    qsort(a, 10, sizeof *a, compare);
    if (setjmp(place)) return 3;
    time_t now = time(0);
    char text[80];
    strftime(text, sizeof text, "%c", localtime(&now));
    return table[argc % 3](pick(argc)) + printf("%s %f %s\n", text, pow(argc, 1.5), argv[0]);
}
"""


@pytest.mark.parametrize("flags", [(), ("-O0", "-fno-sanitize=undefined"), ("-O3",), ("-static-pie", "-fPIE")], ids=str)
def test_a_stripped_program_has_the_functions_of_its_symbols(flags: tuple[str, ...]) -> None:
    data = compile_c(PROGRAM, *flags)
    truth = functions(data)
    module, _, summary = lift_elf(without_symbols(data))
    check_module(module)
    bias = min(s.base for s in module.segments) & ~0xFFFFFF if flags[:1] == ("-static-pie",) else 0
    found = {f.start - bias for f in module.functions}
    # Some functions in assembly have symbols without a size, some only unwind information.
    known = set(labels(data).values()) | {f.start - bias for f in module.functions if f.evidence == "unwind"}
    assert set(truth) <= found <= known
    assert summary.undefined == 0 and summary.uncovered_bytes <= summary.code_bytes // 100


@pytest.mark.parametrize("flags", [(), ("-O3",), ("-static-pie", "-fPIE")], ids=str)
def test_recall_without_sections_and_unwind_information(flags: tuple[str, ...]) -> None:
    """What is missed is a function that its only caller falls or jumps into: it is part of the caller, then."""
    data = compile_c(PROGRAM, *flags)
    truth = functions(data)
    module = lift_elf(without_headers(data))[0]
    check_module(module)
    bias = min(s.base for s in module.segments) & ~0xFFFFFF if flags[:1] == ("-static-pie",) else 0
    found = {f.start - bias for f in module.functions} - (set(labels(data).values()) - set(truth))
    covered = {a - bias for f in module.functions for b in f.blocks for a in range(b.start, b.start + 4 * b.insns, 4)}
    assert len(found & set(truth)) >= 0.95 * len(truth)
    assert len(found & set(truth)) >= 0.98 * len(found)
    assert set(truth) <= covered


def test_each_kind_of_evidence() -> None:
    source = """
        .text
        .globl _start
    _start:
        bl      called
        adrp    x0, constant
        add     x0, x0, :lo12:constant
        b       tailed
        nop
    constant:
        mov     w0, #1
        ret
    pointed:
        sub     sp, sp, #16
        add     sp, sp, #16
        ret
    called:
        ret
    between:
        cbz     x0, 1f
        nop
    1:  ret
    tailed:
        ret
        .data
        .balign 8
        .quad   pointed
    """
    data = assemble(source)
    at = labels(data)
    functions = by_start(lift(data))
    names = ("_start", "constant", "pointed", "called", "between", "tailed")
    found = {name: functions[at[name]].evidence for name in names}
    assert found == {
        "_start": "entry",
        "constant": "constant",
        "pointed": "pointer",
        "called": "call",
        "between": "gap",
        "tailed": "tail",
    }
    assert len(functions) == len(names)


def test_symbols_and_name_map_come_first() -> None:
    data = compile_c("int main(void) { return 0; }")
    main = labels(data)["main"]
    assert by_start(lift_elf(data)[0])[main].evidence == "symbol"
    named = lift_elf(data, name_map={main: NamedAddress("begin", "by hand")})[0]
    assert (by_start(named)[main].evidence, by_start(named)[main].name) == ("name_map", "begin")


def test_without_a_sweep_only_what_is_referred_to() -> None:
    from recomp.lift.lift import LiftOptions

    data = program(RET, NOP, 0xD2800000, RET)
    assert len(lift_elf(data)[0].functions) == 2
    assert len(lift_elf(data, options=LiftOptions(sweep=False))[0].functions) == 1


def test_code_behind_a_call_that_never_returns_is_not_the_callers() -> None:
    """`stop` loops, so does what calls it; no successor leads to what stands behind the calls."""
    source = """
        .text
        .globl _start
    _start:
        bl      works
        bl      fails
        mov     w0, #1
        ret
    works:
        ret
    fails:
        cbz     x0, 1f
        bl      stop
    1:  b       stop
    stop:
        mov     x8, #93
        svc     #0
        b       stop
    """
    data = assemble(source)
    at = labels(data)
    module = lift(data)
    functions = by_start(module)
    assert [functions[at[n]].noreturn for n in ("_start", "works", "fails", "stop")] == [True, False, True, True]
    assert block_ending(module, at["_start"]).successors == (at["_start"] + 4,)
    assert block_ending(module, at["_start"] + 4).successors == ()
    assert block_ending(module, at["fails"] + 4).successors == ()


def test_functions_that_call_each_other_return_if_one_does() -> None:
    source = """
        .text
        .globl _start
    _start:
        bl      even
        ret
    even:
        cbz     x0, 1f
        bl      odd
    1:  ret
    odd:
        bl      even
        bl      never
        ret
    never:
        bl      never
        ret
    """
    data = assemble(source)
    functions = by_start(lift(data))
    returns = {name: not functions[labels(data)[name]].noreturn for name in ("_start", "even", "odd", "never")}
    assert returns == {"_start": True, "even": True, "odd": False, "never": False}


def test_a_call_at_the_very_end_of_a_function_does_not_return() -> None:
    """The callee returns as far as anybody can see, but another function begins right behind."""
    data = assemble("""
        .text
        .globl _start
    _start:
        bl      next
        bl      last
    next:
        ret
    last:
        br      x16
    """)
    module = lift(data)
    assert block_ending(module, labels(data)["_start"] + 4).successors == ()


def test_a_branch_to_another_start_is_a_tail_call() -> None:
    data = assemble("""
        .text
        .globl _start
    _start:
        bl      f
        cbnz    w0, f
        b       g
    f:  b       f
    g:  bl      g
        ret
    """)
    at = labels(data)
    module = lift(data)
    conditional, plain = block_ending(module, at["_start"] + 4), block_ending(module, at["_start"] + 8)
    assert (conditional.terminator, conditional.target) == ("tail_call", at["f"])
    assert conditional.successors == (at["_start"] + 8,)
    assert (plain.terminator, plain.target, plain.successors) == ("tail_call", at["g"], ())
    itself = block_ending(module, at["f"])
    assert (itself.terminator, itself.successors) == ("branch", (at["f"],))


def test_code_that_falls_into_another_function_leaves_by_a_fall() -> None:
    data = assemble("""
        .text
        .globl _start
    _start:
        bl      g
    f:  add     x0, x0, #1
    g:  ret
    """)
    at = labels(data)
    module = lift(data)
    assert by_start(module)[at["_start"]].end == at["g"]
    block = block_ending(module, at["f"])
    assert (block.terminator, block.successors) == ("fallthrough", (at["g"],))


def test_data_between_functions_is_no_code_and_aborts_nothing() -> None:
    source = """
        .text
        .globl _start
    _start:
        ldr     x0, 1f
        bl      g
        ret
        .balign 8
    1:  .quad   0x1234567812345678
        .word   0xffffffff, 0x00000000, 0xd503201f
    g:  ret
        .word   0xffffffff
    """
    data = assemble(source)
    module, _, summary = lift_elf(without_symbols(data))
    assert set(by_start(module)) == {labels(data)["_start"], labels(data)["g"]}
    assert summary.undefined == 0 and summary.uncovered_bytes == 4 * 7


def test_an_unknown_word_traps_where_it_stands() -> None:
    """The words before it are code; callers of the function go on, since nobody knows what the word does."""
    sve = 0x04E0E3E0  # cntd x0
    module, _, summary = lift_elf(program(0x94000002, RET, NOP, sve))
    first, second = module.functions
    assert [b.terminator for b in second.blocks] == ["trap"] and second.blocks[0].insns == 2
    assert [b.terminator for b in first.blocks] == ["call", "ret"] and not second.noreturn
    assert summary.undefined == 1 and summary.undefined_words == (("04e0e3e0", 1, TEXT_BASE + 12),)


def test_branches_out_of_the_text_stay_as_they_are() -> None:
    module = lift_elf(program(0x94400000, 0x54800000, 0x17000000))[0]
    assert [(b.terminator, b.successors) for b in module.functions[0].blocks] == [
        ("call", (TEXT_BASE + 4,)),
        ("tail_call", (TEXT_BASE + 8,)),
        ("tail_call", ()),
    ]


def test_code_may_end_with_the_segment() -> None:
    (function,) = lift_elf(program(NOP, NOP))[0].functions
    assert [(b.terminator, b.successors) for b in function.blocks] == [("fallthrough", (TEXT_BASE + 8,))]


def test_two_executable_segments_are_one_program() -> None:
    data = elf(
        Load(TEXT_BASE, words(0x94000000 | 0x4000 // 4, RET), R | X),
        Load(TEXT_BASE + 0x1000, bytes(64), R | W),
        Load(TEXT_BASE + 0x4000, words(RET), R | X),
    )
    assert [f.start for f in lift_elf(data)[0].functions] == [TEXT_BASE, TEXT_BASE + 0x4000]


def test_a_pointer_behind_a_call_marks_the_next_function_unless_the_function_goes_there() -> None:
    source = """
        .text
        .globl _start
    _start:
        adrp    x0, next
        add     x0, x0, :lo12:next
        adrp    x1, label
        add     x1, x1, :lo12:label
        cbz     x2, label
        bl      f
    label:
        bl      g
    next:
        ldr     w0, [x0]
        ret
    f:  ret
    g:  br      x30
    """
    data = assemble(source)
    at = labels(data)
    module = lift_elf(without_headers(data))[0]
    assert block_ending(module, at["label"] - 4).successors == (at["label"],)
    assert block_ending(module, at["label"]).successors == ()
    assert by_start(module)[at["next"]].evidence == "constant"


def test_what_another_function_refers_to_inside_a_function_is_an_entry() -> None:
    """The end that a function shares with others by branches may be called through a pointer as well. What only its own
    function refers to, like the base of a jump table, is no entry."""
    data = assemble("""
        .text
        .globl _start
    _start:
        stp     x29, x30, [sp, #-16]!
        bl      first
        adr     x1, shared
        blr     x1
        ldp     x29, x30, [sp], #16
        ret
    first:
        cbz     x0, shared
        adr     x2, own
        add     x0, x0, x2
    own:
        cbz     x1, shared
        ret
    shared:
        mov     x2, x1
        cbz     x1, first
        ret
    """)
    at = labels(data)
    function = by_start(lift(data))[at["first"]]
    assert function.entries == (at["shared"],)


def test_a_segment_without_a_byte_in_the_file_is_no_evidence() -> None:
    bss = Load(0x500001, b"", R | W, 64)
    module, _, _ = lift_elf(elf(Load(TEXT_BASE, words(NOP, RET), R | X), bss))
    assert [f.start for f in module.functions] == [TEXT_BASE]
