"""ELF files: what the record says, and that everything else is one clear error."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.errors import FormatError
from recomp.formats.elf import PIE_BASE, Elf, read_elf
from tests.elves import NOP, PT_DYNAMIC, PT_INTERP, RET, TEXT_BASE, Load, R, Section, W, X, elf, program, words

SMALL = program(NOP, RET, data=bytes(range(16)))


def test_segments_are_as_in_the_file() -> None:
    record = read_elf(elf(Load(TEXT_BASE, words(RET), R | X), Load(0x500008, b"abc", R | W, size=100)))
    text, data = record.segments
    assert (text.base, text.data, text.execute, text.write) == (TEXT_BASE, words(RET), True, False)
    assert (data.base, data.data, data.size, data.write) == (0x500008, b"abc", 100, True)
    assert record.entry == TEXT_BASE and record.bias == 0 and record.phnum == 2


def test_program_headers_have_an_address_where_a_segment_holds_them() -> None:
    raw = bytearray(SMALL)
    assert read_elf(SMALL).phdr == 0
    struct.pack_into("<QQQQQ", raw, 64 + 8, 0, TEXT_BASE, TEXT_BASE, 0x1008, 0x1008)
    assert read_elf(bytes(raw)).phdr == TEXT_BASE + 64


def test_position_independent_programs_get_a_fixed_place() -> None:
    record = read_elf(elf(Load(0x1000, words(RET), R | X), entry=0x1000, kind=3))
    assert record.bias == PIE_BASE and record.entry == PIE_BASE + 0x1000
    assert record.segments[0].base == PIE_BASE + 0x1000


def test_relocations_of_a_static_pie() -> None:
    """RELA gives (place, addend); RELR an address, a bitmap of the words behind it, and the addend in place."""
    rela = struct.pack("<QQq", 0x3000, 1027, 0x1000) + struct.pack("<QQq", 0x3008, 1032, 0x1004)
    relr = struct.pack("<QQ", 0x3010, 0b101)
    tags = struct.pack("<10q", 7, 0x2000, 8, len(rela), 36, 0x2100, 35, len(relr), 0, 0)
    data = rela + bytes(0x100 - len(rela)) + relr
    record = read_elf(
        elf(
            Load(0x1000, words(RET, RET), R | X),
            Load(0x2000, data, R),
            Load(0x3000, bytes(16) + struct.pack("<QQQ", 0x1004, 7, 0x1000), R | W),
            Load(0x4000, tags, R, kind=PT_DYNAMIC),
            entry=0x1000,
            kind=3,
        )
    )
    moved = [(place - PIE_BASE, value - PIE_BASE) for place, value in record.relocated]
    assert moved == [(0x3000, 0x1000), (0x3010, 0x1004), (0x3020, 0x1000)]
    assert record.resolvers == (PIE_BASE + 0x1004,)


def test_function_symbols() -> None:
    strings = b"\0main\0data\0"
    table = bytes(24)
    table += struct.pack("<IBBHQQ", 1, 0x12, 0, 1, TEXT_BASE, 4) + struct.pack("<IBBHQQ", 6, 0x11, 0, 1, 0x500000, 8)
    sections = (
        Section(".text", 1, 6, TEXT_BASE, words(RET)),
        Section(".symtab", 2, 0, 0, table, link=3),
        Section(".strtab", 3, 0, 0, strings),
    )
    record = read_elf(elf(Load(TEXT_BASE, words(RET), R | X), sections=sections))
    assert [(s.name, s.base, s.size) for s in record.symbols] == [("main", TEXT_BASE, 4)]
    assert [(s.name, s.execute) for s in record.sections] == [(".text", True)]


def refused(data: bytes) -> str:
    with pytest.raises(FormatError) as caught:
        read_elf(data)
    return caught.value.message


def patched(offset: int, form: str, *values: int) -> bytes:
    raw = bytearray(SMALL)
    struct.pack_into(form, raw, offset, *values)
    return bytes(raw)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", 'elf: file offset 0x0: magic: found "", expected "7f454c46"'),
        (b"MZ\x90\0" * 20, 'elf: file offset 0x0: magic: found "4d5a9000", expected "7f454c46"'),
        (SMALL[:20], "elf: file offset 0x14: ELF header: found 20 bytes, expected 64 bytes"),
        (patched(4, "B", 1), "elf: file offset 0x4: class: found 1, expected 2 (ELF64)"),
        (patched(5, "B", 2), "elf: file offset 0x5: byte order: found 2, expected 1 (little-endian)"),
        (patched(18, "<H", 62), "elf: file offset 0x12: machine: found 62, expected 183 (AArch64)"),
        (patched(16, "<H", 1), "elf: file offset 0x10: type: found 1, expected 2 (ET_EXEC) or 3 (ET_DYN)"),
        (patched(56, "<H", 0), "elf: file offset 0x38: number of program headers: found 0, expected 1 to 256"),
        (patched(54, "<H", 32), "elf: file offset 0x36: size of a program header: found 32, expected 56"),
        (
            patched(32, "<Q", 1 << 40),
            "elf: file offset 0x20: program headers: found 0x10000000000 + 0x70,"
            f" expected an end within {len(SMALL):#x}",
        ),
        (
            patched(64 + 8, "<Q", 0x100000),
            f"elf: file offset 0x40: segment: found 0x100000 + 0x8, expected an end within {len(SMALL):#x}",
        ),
        (
            patched(64 + 40, "<Q", 4),
            "elf: file offset 0x40: segment file size: found 0x8, expected at most its memory size, 0x4",
        ),
        (
            patched(64 + 16, "<Q", 1 << 32),
            "elf: file offset 0x40: segment: found 0x100000000 + 0x8,"
            " expected an end within 0x100000000 (32-bit guest memory)",
        ),
        (
            patched(24, "<Q", 0x500000),
            "elf: file offset 0x18: entry point: found 0x500000,"
            " expected a word-aligned address in an executable segment",
        ),
        (
            patched(64 + 56 + 16, "<Q", TEXT_BASE),
            "elf: segments overlap: found 0x400000 + 0x8 and 0x400000, expected disjoint segments",
        ),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value.split(":")[-2].strip()[:30],
)
def test_refusals_say_where_what_and_what_else(data: bytes, message: str) -> None:
    assert refused(data) == message


def test_dynamically_linked_programs_are_refused_with_a_hint() -> None:
    data = elf(Load(TEXT_BASE, words(RET), R | X), Load(0x500000, b"/lib/ld.so\0", R, kind=PT_INTERP))
    with pytest.raises(FormatError) as caught:
        read_elf(data)
    assert "PT_INTERP (a dynamically linked program)" in caught.value.message
    assert caught.value.hint == 'link it statically: "-static" or "-static-pie"'
    needed = elf(
        Load(TEXT_BASE, words(RET), R | X), Load(0x500000, struct.pack("<4q", 1, 1, 0, 0), R, kind=PT_DYNAMIC), kind=3
    )
    assert "DT_NEEDED" in refused(needed)


def read_or_refuse(data: bytes) -> Elf | None:
    try:
        return read_elf(data)
    except FormatError as error:
        assert error.message.startswith("elf: ")
        return None


@given(st.integers(0, len(SMALL) - 1))
@settings(max_examples=150, deadline=None)
def test_any_truncation_is_a_record_or_a_format_error(length: int) -> None:
    read_or_refuse(SMALL[:length])


RICH = elf(
    Load(0x1000, words(RET, RET), R | X),
    Load(0x2000, struct.pack("<QQq", 0x3000, 1027, 0x1000) + struct.pack("<QQ", 0x3010, 5), R),
    Load(0x3000, bytes(64), R | W),
    Load(0x4000, struct.pack("<10q", 7, 0x2000, 8, 24, 36, 0x2018, 35, 16, 0, 0), R, kind=PT_DYNAMIC),
    entry=0x1000,
    kind=3,
    sections=(
        Section(".text", 1, 6, 0x1000, words(RET, RET)),
        Section(".symtab", 2, 0, 0, bytes(24) + struct.pack("<IBBHQQ", 1, 18, 0, 1, 0x1000, 4), link=3),
        Section(".strtab", 3, 0, 0, b"\0main\0"),
    ),
)


@given(st.lists(st.tuples(st.integers(0, len(RICH) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=400, deadline=None)
def test_any_mutation_is_a_record_or_a_format_error(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(RICH)
    for offset, value in changes:
        # Most bytes are padding; the headers, tables and strings are what matters.
        raw[offset % 512 if offset % 3 else offset] = value
    read_or_refuse(bytes(raw))


@given(st.integers(len(RICH) - 64 * 5, len(RICH) - 1), st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_any_section_header_is_a_record_or_a_format_error(offset: int, value: int) -> None:
    raw = bytearray(RICH)
    raw[offset] = value
    read_or_refuse(bytes(raw))


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_behind_a_good_magic_are_a_record_or_a_format_error(tail: bytes) -> None:
    read_or_refuse(SMALL[:20] + tail)
