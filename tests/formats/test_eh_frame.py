"""Unwind information: function ranges, cold parts and landing pads, as an assembler writes them."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.formats.eh_frame import read_fdes, read_landing_pads
from recomp.formats.elf import read_elf
from tests.elves import without_symbols
from tests.guests import assemble

SOURCE = """
    .text
    .globl _start
_start:
    .cfi_startproc
    .cfi_lsda 0x1b, table
    bl      second
pad:
    ret
    .cfi_endproc
second:
    .cfi_startproc
    stp     x29, x30, [sp, #-16]!
    .cfi_def_cfa_offset 16
    ldp     x29, x30, [sp], #16
    ret
    .cfi_endproc
part:
    .cfi_startproc
    .cfi_def_cfa_offset 16
    b       second
    .cfi_endproc

    .section .gcc_except_table, "a"
table:
    .byte   0xff, 0xff, 0x01, 4
    .byte   0, 4, pad - _start, 0
"""


def symbols(data: bytes) -> dict[str, int]:
    import io

    from elftools.elf.elffile import ELFFile

    table = ELFFile(io.BytesIO(data)).get_section_by_name(".symtab")
    return {s.name: s["st_value"] for s in table.iter_symbols() if s.name}


def test_fdes_give_ranges_cold_parts_and_landing_pads() -> None:
    data = assemble(SOURCE)
    at = symbols(data)
    elf = read_elf(data)
    fdes = read_fdes(elf)
    assert [(f.start, f.size, f.cold) for f in fdes] == [
        (at["_start"], 8, False),
        (at["second"], 12, False),
        (at["part"], 4, True),
    ]
    assert [read_landing_pads(elf, f) for f in fdes] == [(at["pad"],), (), ()]


def test_the_header_segment_is_enough() -> None:
    """Without section headers, PT_GNU_EH_FRAME leads to the same records."""
    data = bytearray(assemble(SOURCE))
    expected = read_fdes(read_elf(bytes(data)))
    struct.pack_into("<Q", data, 40, 0)
    struct.pack_into("<HHH", data, 58, 0, 0, 0)
    elf = read_elf(bytes(data))
    assert not elf.sections
    assert read_fdes(elf) == expected and len(expected) == 3


@given(st.integers(0, 1 << 20), st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_damaged_unwind_information_never_raises(where: int, value: int) -> None:
    data = without_symbols(assemble(SOURCE))
    elf = read_elf(data)
    spans = [s for s in elf.sections if s.name in (".eh_frame", ".gcc_except_table")]
    segment = elf.segments[0]
    place = [base for s in spans for base in range(s.base, s.base + s.size)]
    raw = bytearray(data)
    raw[segment.file_offset + place[where % len(place)] - segment.base] = value
    damaged = read_elf(bytes(raw))
    for fde in read_fdes(damaged):
        read_landing_pads(damaged, fde)
