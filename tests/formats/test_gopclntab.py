"""Go's function table, built as the Go linker lays it out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.formats.elf import read_elf
from recomp.formats.gopclntab import GoFunction, read_go_functions
from recomp.lift.lift import lift_elf
from tests.elves import NOP, RET, TEXT_BASE, program
from tests.lift.listing import check_module

CODE = (RET, NOP, 0xD2800000, RET, RET)
FUNCTIONS = [("main.main", 0, 4), ("runtime.(*g).stop", 8, 0), ("type..eq.x", 16, 0)]


def table(magic: int = 0xFFFFFFF1) -> bytes:
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in FUNCTIONS)
    names += bytes(-len(names) % 8)
    functab = 80 + len(names)
    rows = 8 * len(FUNCTIONS) + 8
    head = struct.pack("<I4s8Q", magic, b"\0\0\4\10", len(FUNCTIONS), 1, TEXT_BASE, 80, 0, 0, 0, functab)
    head += bytes(80 - len(head))
    pairs, records = b"", b""
    for name, offset, recover in FUNCTIONS:
        pairs += struct.pack("<II", offset, rows + len(records))
        records += struct.pack("<IiiI", offset, names.index(b"\0" + name.encode() + b"\0") + 1, 0, recover)
    pairs += struct.pack("<II", 4 * len(CODE), 0)
    return head + names + pairs + records


EXPECTED = (
    GoFunction("main.main", TEXT_BASE, 8, TEXT_BASE + 4),
    GoFunction("runtime.(*g).stop", TEXT_BASE + 8, 8),
    GoFunction("type..eq.x", TEXT_BASE + 16, 4),
)


@pytest.mark.parametrize("magic", [0xFFFFFFF0, 0xFFFFFFF1], ids=["1.18", "1.20"])
def test_starts_sizes_and_names(magic: int) -> None:
    assert read_go_functions(read_elf(program(*CODE, data=b"#" * 24 + table(magic)))) == EXPECTED


def test_other_programs_have_no_table() -> None:
    assert read_go_functions(read_elf(program(*CODE, data=table(0xFFFFFFFB)))) == ()
    assert read_go_functions(read_elf(program(*CODE, data=table()[:100]))) == ()


def test_a_lift_takes_its_functions_and_names() -> None:
    module = lift_elf(program(*CODE, data=table()))[0]
    check_module(module)
    assert [(f.name, f.start, f.evidence) for f in module.functions] == [
        ("main_main", TEXT_BASE, "entry"),
        ("runtime___g__stop", TEXT_BASE + 8, "symbol"),
        ("type__eq_x", TEXT_BASE + 16, "symbol"),
    ]


@given(st.lists(st.tuples(st.integers(0, len(table()) - 1), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=200, deadline=None)
def test_damaged_tables_never_raise(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(table())
    for offset, value in changes:
        raw[offset] = value
    found = read_go_functions(read_elf(program(*CODE, data=bytes(raw))))
    assert all(TEXT_BASE <= s.base < TEXT_BASE + 4 * len(CODE) for s in found)
