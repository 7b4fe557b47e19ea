"""NRO, NSO, MOD0 and what writers make of them, against bytes built by hand."""

from __future__ import annotations

import struct
from dataclasses import replace

import lz4.block
import pytest

from recomp.errors import FormatError
from recomp.formats.assets import Assets, read_assets, write_assets
from recomp.formats.eh_frame import read_fdes
from recomp.formats.image import PAGE, Image, Part, module_name
from recomp.formats.mod0 import find_dynamic, find_eh_frame, find_eh_frame_hdr, read_dynamic, read_mod0
from recomp.formats.nro import read_nro, write_nro
from recomp.formats.nso import read_nso, write_nso
from recomp.lift.place import FIRST_BASE, place_modules, program_of
from tests.formats import modules
from tests.formats.modules import (
    BUILD_ID,
    CODE,
    DYNAMIC,
    EH_FRAME_HDR,
    INIT_ARRAY,
    MOD0,
    RELR,
    RODATA,
    TABLE,
    dynamic,
    filled,
    image,
    nro,
    quads,
    words,
)


def changed(data: bytes, at: int, *values: int, layout: str = "I") -> bytes:
    raw = struct.pack(f"<{len(values)}{layout}", *values)
    return data[:at] + raw + data[at + len(raw) :]


def test_an_nro_is_its_image_with_assets_behind() -> None:
    read = read_nro(nro())
    assert read.image.rodata == image().rodata and read.image.data == image().data
    assert read.image.text.data[CODE:] == image().text.data[CODE:]
    assert (read.image.bss_size, read.image.build_id, read.image.name) == (PAGE, BUILD_ID, "module")
    assert (read.assets_offset, read.image.size, read.image.mod0_offset) == (0x3000, 0x4000, MOD0)
    assert read_nro(nro()[:0x3000]).assets_offset == 0


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0x10, 0, 'file offset 0x10: magic: found "00000000", expected "4e524f30" (\'NRO0\')'),
        (0x14, 1, "file offset 0x14: version: found 1, expected 0"),
        (0x18, 0x90000, "file offset 0x0: image: found 0x0 + 0x90000, expected an end within"),
        (0x18, 0xFFFFFFFF, "file offset 0x18: image size: found 0xffffffff, expected at most 0x10000000"),
        (0x20, 0x1000, "file offset 0x28: .rodata offset: found 0x1000, expected at least 0x2000: parts overlap"),
        (0x24, 0x1001, "file offset 0x24: segment size: found 0x1001, expected a multiple of 0x1000"),
        (0x24, 0xFFFFF000, "file offset 0x20: segment: found 0x0 + 0xfffff000, expected an end within the image"),
        (0x28, 0, "file offset 0x28: .rodata offset: found 0x0, expected at least 0x1000: parts overlap"),
        (0x2C, 0x2000, "file offset 0x30: .data offset: found 0x2000, expected at least 0x3000: parts overlap"),
        (0x30, 0xFFFFFFFF, "file offset 0x30: segment: found 0xffffffff + 0x1000, expected an end within the image"),
        (0x38, 0xFFFFFFFF, "file offset 0x30: .bss size: found 0xffffffff, expected an end within 0x80000000"),
    ],
)
def test_a_damaged_nro_is_refused_by_the_number_that_is_wrong(at: int, value: int, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_nro(changed(nro(), at, value))
    assert caught.value.message.startswith("nro: " + message)


def test_the_first_0x80_bytes_of_the_text_are_the_headers() -> None:
    occupied = replace(image(), text=Part(0, words(*[modules.NOP] * 0x400)))
    with pytest.raises(FormatError, match="expected zeros where the header goes"):
        write_nro(occupied)


@pytest.mark.parametrize("packed", [True, False])
def test_an_nso_gives_its_image_back(packed: bool) -> None:
    data = write_nso(image("nso"), packed=packed)
    read = read_nso(data)
    assert read.image == image("nso")
    assert read.packed == (packed,) * 3 and read.hashed == (True,) * 3
    assert (len(data) < 0x1000) == packed


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0x18, 0x0FFFFFFF, "size of all segments: found 0x10001fff, expected at most 0x10000000"),
        (0x18, 0x01000000, ".text size: found 0x1000000 bytes out of"),
        (0x60, 0xFFFFFFF0, ".text: found 0x101 + 0xfffffff0, expected an end within"),
        (0x60, 2, ".text size: found 0x1000 bytes out of 0x2, expected at most 255 times as many, as LZ4 packs"),
        (0x24, 0x800, ".rodata offset: found 0x800, expected a multiple of 0x1000"),
        (0x24, 0, ".rodata offset: found 0x0, expected at least 0x1000: parts overlap"),
        (0x34, 0xFFFFF000, ".data: found 0xfffff000 + 0x1000, expected an end within 0x10000000"),
        (0x3C, 0xFFFFF000, ".bss size: found 0xfffff000, expected an end within 0x80000000"),
        (0xA0, 0, ".text SHA-256: found"),
    ],
)
def test_a_damaged_nso_is_refused_by_the_number_that_is_wrong(at: int, value: int, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_nso(changed(write_nso(image("nso")), at, value))
    assert message in caught.value.message


def test_an_lz4_bomb_is_refused_before_it_is_unpacked() -> None:
    """16 MiB of zeros in 64 KiB, said to be a page: LZ4 stops at the page's end."""
    bomb = lz4.block.compress(bytes(1 << 24), store_size=False)
    sound = write_nso(image("nso"))
    body = changed(changed(sound, 0x10, len(sound)), 0x60, len(bomb)) + bomb
    with pytest.raises(FormatError, match="found bytes that LZ4 refuses"):
        read_nso(body)
    with pytest.raises(FormatError, match=r"\.text size: found 0xff00000 bytes out of 0x1....?, expected at most 255"):
        read_nso(changed(body, 0x18, 0xFF00000))


def test_mod0_and_what_it_leads_to() -> None:
    module = image()
    mod0 = read_mod0(module)
    assert mod0 is not None
    assert (mod0.dynamic, mod0.bss, mod0.eh_frame_hdr) == (DYNAMIC, (0x3000, 0x4000), (EH_FRAME_HDR, EH_FRAME_HDR + 12))
    assert (mod0.extension, mod0.got, mod0.relro) == ("LNY2", (0x2700, 0x2780), (0x2000, 0x2800))
    dynamic = read_dynamic(module, mod0.dynamic)
    assert [(r.offset, r.kind, r.symbol, r.addend) for r in dynamic.relocations] == [
        (INIT_ARRAY, 1027, 0, CODE), (TABLE, 1027, 0, CODE + 16), (TABLE + 8, 257, 2, 0),
    ]  # fmt: skip
    # An address, then a bitmap over the words behind it: bits 0 and 2.
    assert dynamic.relr == (TABLE + 16, TABLE + 24, TABLE + 40)
    assert [(s.name, s.value, s.section) for s in dynamic.symbols[1:]] == [("shared", CODE + 8, 1), ("wanted", 0, 0)]
    assert (dynamic.needed, dynamic.soname, dynamic.init) == (("libother.so",), "module", (INIT_ARRAY, 8))


def test_a_module_without_mod0_is_read_by_the_shape_of_its_tables() -> None:
    module = image(with_mod0=False)
    assert read_mod0(module) is None
    assert find_dynamic(module) == DYNAMIC
    assert find_eh_frame_hdr(module) == 0
    pointing = changed(module.rodata.data, EH_FRAME_HDR - RODATA + 4, 0x100, 1)
    assert find_eh_frame_hdr(replace(module, rodata=Part(RODATA, pointing))) == EH_FRAME_HDR


def test_numbers_in_front_of_the_tables_are_not_taken_for_tags() -> None:
    """As in a program of early 2018, whose unwind records begin with the length 16 and end where the tags begin."""
    in_front = quads(16, 0x11E780400527A01, 0x10001F0C1B, 0x18)
    module = image(with_mod0=False)
    data = filled(module.data.end - DYNAMIC, {DYNAMIC: in_front + dynamic()}, DYNAMIC)
    assert find_dynamic(replace(module, data=Part(DYNAMIC, data))) == DYNAMIC + len(in_front)


def test_unwind_records_without_a_header_are_found_and_make_functions() -> None:
    """A CIE (version 1, "zR", pc-relative 4-byte pointers) and an FDE of 5 words at CODE + 8, as in many programs."""
    at = RODATA + 0x700
    cie = words(13 + 7) + words(0) + b"\x01zR\0\x04\x78\x1e\x01\x1b\x0c\x1f\0" + bytes(4)
    pointer = at + len(cie) + 8
    fde = words(16, len(cie) + 4) + words((CODE + 8 - pointer) & 0xFFFFFFFF, 20) + bytes(4)
    module = mutated(image(), at, cie + fde)
    assert find_eh_frame(module) == at
    assert find_eh_frame(image()) == find_eh_frame(mutated(image(), at, cie)) == 0
    empty = mutated(module, MOD0 + 16, words(0x600, 0x600))  # an .eh_frame_hdr without a byte
    program = program_of(place_modules([("m", empty)]), FIRST_BASE, {})
    assert [(f.start, f.size) for f in read_fdes(program)] == [(FIRST_BASE + CODE + 8, 20)]


def mutated(module: Image, at: int, raw: bytes) -> Image:
    parts = {}
    for name, part in zip(("text", "rodata", "data"), module.parts, strict=True):
        if part.offset <= at < part.end:
            start = at - part.offset
            parts[name] = Part(part.offset, part.data[:start] + raw + part.data[start + len(raw) :])
    return replace(module, **parts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"relasz": 1 << 40}, "relocations: found 0x1400 + 0xfffffffff0, expected a range in the module"),
        ({"strtab": 0xFFFFFFFF}, ".dynstr: found 0xffffffff + "),
        ({"symtab": 0x7FFFFFFFFFFFFFFF}, ".dynsym: found"),
        ({"needed": 0x5000}, "name in .dynstr: found offset 0x5000, expected a terminated string"),
        ({"relrsz": 1 << 33}, "RELR relocations: found 0x1500 + 0x200000000, expected a range in the module"),
    ],
)
def test_tables_that_run_out_of_the_module_are_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_dynamic(image(**change), DYNAMIC)
    assert message in caught.value.message


def test_relr_that_names_a_place_over_and_over_is_refused() -> None:
    """A few kilobytes of bitmaps that would make as many places as one likes."""
    full = quads(*(value for _ in range(100) for value in (TABLE, (1 << 64) - 1)))
    module = mutated(image(relrsz=len(full)), RELR, full)
    with pytest.raises(FormatError, match="expected places in the module, each once"):
        read_dynamic(module, DYNAMIC)


def test_relocations_name_symbols_that_exist_and_places_in_the_module() -> None:
    module = mutated(image(), modules.RELA, struct.pack("<QQq", TABLE, 9 << 32 | 257, 0))
    with pytest.raises(FormatError, match="relocation symbol: found 9, expected less than 3"):
        read_dynamic(module, DYNAMIC)
    module = mutated(image(), modules.RELA, struct.pack("<QQq", 1 << 33, 1027, 0))
    with pytest.raises(FormatError, match="relocation: found 0x200000000, expected a place in the module"):
        read_dynamic(module, DYNAMIC)


def test_mod0_out_of_the_module_is_refused() -> None:
    with pytest.raises(FormatError, match="offset of MOD0: found 0xfffffffc, expected where a MOD0 block is"):
        read_mod0(mutated(image(), 4, words(0xFFFFFFFC)))
    with pytest.raises(FormatError, match="MOD0 dynamic section: found"):
        read_mod0(mutated(image(), MOD0 + 4, words(0x7FFFFFFF)))
    with pytest.raises(FormatError, match="MOD0 bss: found 0x3000 to"):
        read_mod0(mutated(image(), MOD0 + 12, words(0x7FFFFFFF)))


def test_names_of_modules() -> None:
    assert module_name(words(0, 4) + b"main") == "main"
    assert module_name(words(0, 15) + b"C:\\build\\a.nss ") == "a.nss "
    assert module_name(words(1, 4) + b"main") == module_name(words(0, 4) + b"ma") == module_name(b"") == ""
    assert module_name(words(0, 4) + b"ma\0n") == ""


def test_assets_in_and_out() -> None:
    assets = read_assets(modules.assets())
    assert assets.icon == modules.ICON and len(assets.nacp) == 0x4000 and assets.romfs_offset % 16 == 0
    assert read_assets(write_assets(Assets(b"", b"", b"r"))) == Assets(b"", b"", b"r", 0x40)
    with pytest.raises(FormatError, match="assets: file offset 0x[0-9a-f]+: romfs: found"):
        read_assets(changed(modules.assets(), 0x30, (1 << 64) - 1, layout="Q"))
