"""The whole lift: entries, cold parts, traces, names, and the laws that hold for any program."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.a64.table import decode, patterns
from recomp.emit import EmitOptions, emit_project
from recomp.errors import FormatError, LiftError
from recomp.lift.lift import Miss, lift_elf, read_misses
from recomp.lift.module import decode_module, encode_module
from tests.elves import NOP, RET, TEXT_BASE, program, without_symbols
from tests.guests import assemble, compile_c
from tests.lift.listing import block_ending, by_start, check_module, labels, lift

COLD = """
    .text
    .globl _start
_start:
    bl      f
    ret
f:  cbz     x0, f_cold
    ldr     x1, [x0]
back:
    cbz     x1, f_cold_2
    ret
    .balign 64
g:  ret
f_cold:
    mov     x1, #1
    b       back
f_cold_2:
    bl      g
    b       back
"""


def test_a_part_moved_away_is_joined_with_its_function() -> None:
    data = assemble(COLD)
    at = labels(data)
    module = lift(data)
    check_module(module)
    functions = by_start(module)
    assert set(functions) == {at["_start"], at["f"], at["g"]}
    f = functions[at["f"]]
    assert {at["f_cold"], at["f_cold_2"], at["back"]} <= {b.start for b in f.blocks} and f.entries == ()
    first = block_ending(module, at["f"])
    assert (first.terminator, first.successors) == ("cond", (at["f_cold"], at["f"] + 4))
    assert block_ending(module, at["f_cold"] + 4).terminator == "branch"


def test_a_part_whose_frame_is_set_up_is_joined_by_its_unwind_information() -> None:
    """It is branched to once, plainly, and does not come back: by itself it could be a function."""
    data = assemble("""
        .text
        .globl _start
    _start:
        .cfi_startproc
        stp     x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        cbnz    x0, 1f
        b       part
    1:  ldp     x29, x30, [sp], #16
        ret
        .cfi_endproc
    g:  .cfi_startproc
        ret
        .cfi_endproc
    part:
        .cfi_startproc
        .cfi_def_cfa_offset 16
        ldp     x29, x30, [sp], #16
        b       g
        .cfi_endproc
    """)
    at = labels(data)
    module = lift(data)
    check_module(module)
    assert set(by_start(module)) == {at["_start"], at["g"]}
    assert block_ending(module, at["_start"] + 8).terminator == "branch"


def test_a_part_that_two_functions_share_is_a_function() -> None:
    data = assemble("""
        .text
        .globl _start
    _start:
        bl      f
        bl      g
        ret
    f:  cbz     x0, shared
        ret
    g:  cbz     x0, shared
        ret
    shared:
        mov     x0, #1
        ret
    """)
    at = labels(data)
    functions = by_start(lift(data))
    assert set(functions) == {at[n] for n in ("_start", "f", "g", "shared")}
    assert functions[at["shared"]].evidence == "tail"


def test_a_branch_into_the_middle_of_a_function_makes_an_entry() -> None:
    data = assemble("""
        .text
        .globl _start
    _start:
        bl      f
        bl      g
        ret
    f:  add     x0, x0, #1
    inside:
        add     x0, x0, #2
        ret
    g:  cbz     x1, inside
        ret
    """)
    at = labels(data)
    functions = by_start(lift(data))
    assert functions[at["f"]].entries == (at["inside"],)
    assert [b.start for b in functions[at["f"]].blocks] == [at["f"], at["inside"]]


SETJMP = r"""
#include <setjmp.h>
int work(int);
jmp_buf plain;
sigjmp_buf masked;
__attribute__((noinline)) int first(int x) { if (setjmp(plain)) return x; return work(x); }
__attribute__((noinline)) int second(int x) { if (sigsetjmp(masked, x)) return x; return work(x); }
__attribute__((noinline)) int work(int x) { if (x > 2) longjmp(plain, 1); return x + 1; }
int main(int argc, char **argv) { return first(argc) + second(argc); }
"""


def test_control_may_come_back_behind_setjmp() -> None:
    data = compile_c(SETJMP)
    at = labels(data)
    functions = by_start(lift(data))
    for name, callee in (("first", "setjmp"), ("second", "sigsetjmp")):
        function = functions[at[name]]
        calls = [b for b in function.blocks if b.terminator == "call" and b.target == at[callee]]
        assert function.entries == tuple(b.start + 4 * b.insns for b in calls) != ()
    assert not functions[at["work"]].entries and not functions[at["main"]].entries


def test_landing_pads_are_entries() -> None:
    data = assemble("""
        .text
        .globl _start
    _start:
        .cfi_startproc
        .cfi_lsda 0x1b, table
        bl      thrower
        ret
    pad:
        mov     x0, #1
        ret
        .cfi_endproc
    thrower:
        ret
        .section .gcc_except_table, "a"
    table:
        .byte   0xff, 0xff, 0x01, 4
        .byte   0, 4, pad - _start, 0
    """)
    at = labels(data)
    assert by_start(lift(data))[at["_start"]].entries == (at["pad"],)


def test_a_trace_adds_entries_inside_functions_and_functions_outside() -> None:
    code = (0x94000003, RET, 0xFFFFFFFF, 0xD2800000, 0xD2800021, 0xD2800042, RET, 0xFFFFFFFF, 0x00000000, RET)
    data = program(*code)
    inside, outside = TEXT_BASE + 16, TEXT_BASE + 36
    plain = by_start(lift_elf(data)[0])
    assert len(plain[TEXT_BASE + 12].blocks) == 1
    misses = read_misses(b'{"site": 4194304, "target": %d, "count": 3}\n\n{"site": 1, "target": 6}\n' % inside)
    assert misses == (Miss(TEXT_BASE, inside, 3), Miss(1, 6, 1))
    module = lift_elf(data, trace=(*misses, Miss(0, outside)))[0]
    check_module(module)
    functions = by_start(module)
    assert functions[TEXT_BASE + 12].entries == (inside,)
    assert [b.start for b in functions[TEXT_BASE + 12].blocks] == [TEXT_BASE + 12, inside]
    assert outside in functions


def test_a_damaged_trace_names_its_line() -> None:
    with pytest.raises(FormatError, match=r"^misses.jsonl:2: "):
        read_misses(b'{"site": 1, "target": 2}\n{"site": "x"}\n')


def test_segments_and_their_bytes() -> None:
    data = program(RET, data=b"0123456789")
    module, blobs, _ = lift_elf(data)
    assert [(s.name, s.base, s.size, s.write, s.execute) for s in module.segments] == [
        ("segment0", TEXT_BASE, 4, False, True),
        ("segment1", 0x500000, 10, True, False),
    ]
    assert {s.init_path: blobs[s.init_path][: s.init_size] for s in module.segments} == blobs
    assert blobs["segment1.bin"] == b"0123456789"


def test_the_module_survives_its_file() -> None:
    module = lift_elf(program(NOP, 0x54000040, RET, RET))[0]
    assert decode_module(encode_module(module)) == module


def random_code() -> st.SearchStrategy[bytes]:
    """Words that look like code: drawn from the table's encodings, branches short, some bytes of anything between."""
    table = [p for p in patterns() if p.name not in ("B", "BL")]
    plain = st.builds(
        lambda p, bits: p.value | bits & ~p.mask & 0xFFFFFFFF, st.sampled_from(table), st.integers(0, 2**32 - 1)
    )
    near = st.integers(-12, 12)
    branches = st.one_of(
        near.map(lambda d: 0x14000000 | d & 0x3FFFFFF),
        near.map(lambda d: 0x94000000 | d & 0x3FFFFFF),
        near.map(lambda d: 0x54000000 | (d & 0x7FFFF) << 5),
        near.map(lambda d: 0x10000000 | (d & 0x7FFFF) << 5),
        st.sampled_from((RET, NOP, 0xD61F0000, 0xD63F0000, 0xD4200000, 0x1F2003D5)),
    )
    word = st.one_of(plain, branches, branches, st.integers(0, 2**32 - 1))
    return st.lists(word, min_size=1, max_size=60).map(lambda ws: b"".join(w.to_bytes(4, "little") for w in ws))


@given(random_code(), st.lists(st.integers(0, 63), max_size=3))
@settings(max_examples=400, deadline=None)
def test_any_code_gives_a_module_that_keeps_the_laws(code: bytes, targets: list[int]) -> None:
    values = [int.from_bytes(code[i : i + 4], "little") for i in range(0, len(code), 4)]
    pointers = b"".join((TEXT_BASE + 4 * t).to_bytes(8, "little") for t in targets)
    trace = [Miss(0, TEXT_BASE + 4 * t) for t in targets]
    data = program(*values, data=pointers + b"\0")
    module, _, summary = lift_elf(data, trace=trace)
    check_module(module)
    assert encode_module(module) == encode_module(lift_elf(data, trace=trace)[0])
    assert summary.functions == len(module.functions)
    assert summary.instructions * 4 + summary.uncovered_bytes == summary.code_bytes


def test_classification_agrees_with_the_decoder() -> None:
    """The vectorised answers against the scalar ones, word for word."""
    from recomp.formats.elf import read_elf
    from recomp.lift.words import BL, COND, UNDEFINED, B, Words

    rng = np.random.default_rng(5)
    table = [p for p in patterns() if p.where.startswith("branch")]
    values = [int(p.value | int(rng.integers(2**32)) & ~p.mask & 0xFFFFFFFF) for p in table for _ in range(40)]
    values += rng.integers(0, 2**32, 500).tolist()
    words = Words(read_elf(program(*values)))
    for index, value in enumerate(values):
        insn = decode(value)
        assert (words.kind[index] == UNDEFINED) == (insn is None)
        if words.kind[index] in (B, BL, COND):
            assert insn is not None
            name = {"B": "imm26", "BL": "imm26", "TBZ": "imm14", "TBNZ": "imm14"}.get(insn.name, "imm19")
            width = int(name[3:])
            offset = insn.f[name] - (insn.f[name] >> (width - 1) << width)
            assert words.target[index] == TEXT_BASE + 4 * (index + offset)


def test_the_same_bytes_whatever_the_hash_seed(tmp_path: Path) -> None:
    path = tmp_path / "guest.elf"
    path.write_bytes(without_symbols(compile_c(SETJMP)))
    script = (
        "import sys, hashlib; from recomp.lift.lift import lift_elf; from recomp.lift.module import encode_module;"
        "m, b, s = lift_elf(open(sys.argv[1], 'rb').read());"
        "print(hashlib.sha256(encode_module(m) + repr(s).encode()).hexdigest())"
    )
    seen = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], env=environment, capture_output=True, text=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1 and len(seen.pop().strip()) == hashlib.sha256().digest_size * 2


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_program_is_translated_or_refused(seed: int) -> None:
    """Bytes of headers, tables and code replaced, or the end cut off: laws kept, and C for it, or one clear error."""
    rng = np.random.default_rng(seed)
    raw = bytearray(compile_c(SETJMP))
    reach = (len(raw), 512, 0x8000)[seed % 3]
    for offset in rng.integers(0, reach, rng.choice([1, 4, 30, 300])).tolist():
        raw[offset] = int(rng.integers(256))
    if seed % 4 == 3:
        del raw[int(rng.integers(len(raw))) :]
    try:
        module, segments, _ = lift_elf(bytes(raw))
    except (FormatError, LiftError) as error:
        assert error.message.startswith(("elf: ", "lift: "))
    else:
        check_module(module)
        assert "module.c" in emit_project(module, segments, EmitOptions(source="damaged", sha256="0" * 64))
