"""Read and write NRO files: a module that lies in the file as it lies in memory, with assets behind it.

The header stands inside the text, behind the first instruction. Source: docs/formats/nro.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from recomp.errors import FormatError
from recomp.formats.image import (
    BUILD_ID_SIZE,
    MAX_IMAGE_SIZE,
    PAGE,
    Image,
    Part,
    check_parts,
    image_of_elf,
    module_name,
)
from recomp.formats.view import View

MAGIC = b"NRO0"
HEADER_SIZE = 0x80
_PARTS_AT = (0x20, 0x28, 0x30)


@dataclass(frozen=True, slots=True)
class Nro:
    """`assets_offset`: where the asset section begins in the file, 0 when the file ends with the image. `api_info`,
    `dynstr`, `dynsym`: (offset, size) relative to .rodata, as the header has them."""

    image: Image
    version: int
    flags: int
    assets_offset: int
    api_info: tuple[int, int]
    dynstr: tuple[int, int]
    dynsym: tuple[int, int]


def read_nro(data: bytes) -> Nro:
    """Raises FormatError naming the file offset, what was found and what was expected."""
    view = View(data, "nro")
    view.magic(0x10, MAGIC, "this is not an NRO file")
    view.need(0, HEADER_SIZE, "header")
    version, size, flags = view.unpack("III", 0x14, "header")
    if version:
        view.fail(0x14, "version", version, "0")
    if size > MAX_IMAGE_SIZE:
        view.fail(0x18, "image size", f"{size:#x}", f"at most {MAX_IMAGE_SIZE:#x}")
    view.need(0, size, "image")
    text, rodata, rest = (_part(view, at, size) for at in _PARTS_AT)
    (bss_size,) = view.unpack("I", 0x38, "bss size")
    build_id = data[0x40 : 0x40 + BUILD_ID_SIZE]
    image = Image("nro", text, rodata, rest, bss_size, build_id, module_name(rodata.data))
    check_parts(view, (0x20, 0x28, 0x30), image)
    if text.offset:
        view.fail(0x20, ".text offset", f"{text.offset:#x}", "0: the header is part of the text")
    api, api_size, dynstr, dynstr_size, dynsym, dynsym_size = view.unpack("6I", 0x68, "header")
    assets = size if data[size : size + 4] == b"ASET" else 0
    return Nro(image, version, flags, assets, (api, api_size), (dynstr, dynstr_size), (dynsym, dynsym_size))


def _part(view: View, at: int, image_size: int) -> Part:
    offset, size = view.unpack("II", at, "segment")
    if offset + size > image_size:
        view.fail(at, "segment", f"{offset:#x} + {size:#x}", f"an end within the image, {image_size:#x}")
    if size % PAGE:
        view.fail(at + 4, "segment size", f"{size:#x}", f"a multiple of {PAGE:#x}")
    return Part(offset, view.data[offset : offset + size])


def write_nro(image: Image, assets: bytes = b"") -> bytes:
    """An NRO of an image whose text leaves 0x80 bytes for the header and whose first two words are its own (a branch,
    the offset of MOD0); `assets` is a whole asset section.

    Raises FormatError if the header's place holds something else.
    """
    parts = image.parts
    reserved = image.text.data[0x10:HEADER_SIZE]
    if len(reserved) != HEADER_SIZE - 0x10 or any(reserved) and reserved[:4] != MAGIC:
        raise FormatError(
            "nro: image offset 0x10: expected zeros where the header goes",
            hint="the start-up code must begin with a branch over 0x80 bytes",
        )
    for before, after in zip(parts, parts[1:], strict=False):
        if before.end != after.offset or after.offset % PAGE or len(after.data) % PAGE:
            raise FormatError(f"nro: segment at {after.offset:#x}: expected whole pages without gaps")
    body = bytearray(b"".join(part.data for part in parts))
    struct.pack_into("<4sIII", body, 0x10, MAGIC, 0, len(body), 0)
    for at, part in zip(_PARTS_AT, parts, strict=True):
        struct.pack_into("<II", body, at, part.offset, len(part.data))
    struct.pack_into("<II", body, 0x38, image.bss_size, 0)
    body[0x40 : 0x40 + BUILD_ID_SIZE] = image.build_id
    struct.pack_into("<8I", body, 0x60, *(0,) * 8)
    return bytes(body) + assets


def nro_of_elf(elf: bytes, assets: bytes = b"") -> bytes:
    """An NRO of a linked ELF. Raises FormatError for one of another shape than `image_of_elf` takes."""
    return write_nro(_without_gaps(image_of_elf(elf, "nro")), assets)


def _without_gaps(image: Image) -> Image:
    """Pages between parts belong to the part before, as the file must hold them."""
    text, rodata, data = image.parts
    text = Part(text.offset, text.data.ljust(rodata.offset - text.offset, b"\0"))
    rodata = Part(rodata.offset, rodata.data.ljust(data.offset - rodata.offset, b"\0"))
    return Image(image.form, text, rodata, data, image.bss_size, image.build_id, image.name)
