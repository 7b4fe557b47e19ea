"""Read and write NSO files: a module whose three parts may be LZ4-packed and hashed. Source: docs/formats/nso.md."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

import lz4.block

from recomp.errors import FormatError
from recomp.formats.image import BUILD_ID_SIZE, MAX_IMAGE_SIZE, Image, Part, check_parts, image_of_elf, module_name
from recomp.formats.view import View

MAGIC = b"NSO0"
HEADER_SIZE = 0x100
_NAMES = ("text", "rodata", "data")
_PARTS_AT = (0x10, 0x20, 0x30)
_PACKED_AT = 0x60
_HASHES_AT = 0xA0
#: An LZ4 block of n bytes unpacks to less than this times n.
_LZ4_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Nso:
    """`packed`, `hashed`: which of text, rodata and data are; `packed_sizes`: their bytes in the file; `api_info`,
    `dynstr`, `dynsym`: (offset, size) relative to .rodata, as the header has them."""

    image: Image
    version: int
    packed: tuple[bool, bool, bool]
    hashed: tuple[bool, bool, bool]
    packed_sizes: tuple[int, int, int]
    api_info: tuple[int, int]
    dynstr: tuple[int, int]
    dynsym: tuple[int, int]


def read_nso(data: bytes) -> Nso:
    """Unpacks the parts and checks their hashes. Raises FormatError; never unpacks more than the header promises, nor
    what could not come out of so few bytes."""
    view = View(data, "nso")
    view.magic(0, MAGIC, "this is not an NSO file")
    view.need(0, HEADER_SIZE, "header")
    version, _, flags = view.unpack("III", 4, "header")
    if version:
        view.fail(4, "version", version, "0")
    sizes = view.unpack("III", _PACKED_AT, "sizes in the file")
    packed = flags & 1 != 0, flags & 2 != 0, flags & 4 != 0
    hashed = flags & 8 != 0, flags & 16 != 0, flags & 32 != 0
    total = sum(view.u32(at + 8, "segment size") for at in _PARTS_AT)
    if total > MAX_IMAGE_SIZE:
        view.fail(_PARTS_AT[0] + 8, "size of all segments", f"{total:#x}", f"at most {MAX_IMAGE_SIZE:#x}")
    parts = [_part(view, index, sizes[index], packed[index]) for index in range(3)]
    for index, part in enumerate(parts):
        if hashed[index]:
            _check_hash(view, index, part.data)
    bss_size = view.u32(0x3C, "bss size")
    name = module_name(parts[1].data) or _header_name(view)
    image = Image("nso", parts[0], parts[1], parts[2], bss_size, data[0x40 : 0x40 + BUILD_ID_SIZE], name)
    check_parts(view, (_PARTS_AT[0] + 4, _PARTS_AT[1] + 4, _PARTS_AT[2] + 4), image)
    api, api_size, dynstr, dynstr_size, dynsym, dynsym_size = view.unpack("6I", 0x88, "header")
    return Nso(
        image, version, packed, hashed, (sizes[0], sizes[1], sizes[2]),
        (api, api_size), (dynstr, dynstr_size), (dynsym, dynsym_size),
    )  # fmt: skip


def _part(view: View, index: int, file_size: int, packed: bool) -> Part:
    at, what = _PARTS_AT[index], f".{_NAMES[index]}"
    offset, memory_offset, size = view.unpack("III", at, what)
    if memory_offset + size > MAX_IMAGE_SIZE:
        view.fail(at + 4, what, f"{memory_offset:#x} + {size:#x}", f"an end within {MAX_IMAGE_SIZE:#x}")
    if not packed:
        return Part(memory_offset, view.piece(offset, size, what))
    if not size:
        return Part(memory_offset, b"")
    raw = view.piece(offset, file_size, what)
    if size > _LZ4_LIMIT * file_size:
        view.fail(
            at + 8, f"{what} size", f"{size:#x} bytes out of {file_size:#x}",
            f"at most {_LZ4_LIMIT} times as many, as LZ4 packs", "the header is damaged, or made to exhaust memory",
        )  # fmt: skip
    try:
        content = lz4.block.decompress(raw, uncompressed_size=size)
    except (lz4.block.LZ4BlockError, ValueError, MemoryError) as error:
        view.fail(offset, what, f"bytes that LZ4 refuses ({error})", "an LZ4 block", "the file is damaged")
    if len(content) != size:
        view.fail(offset, what, f"{len(content):#x} unpacked bytes", f"{size:#x}, as the header says")
    return Part(memory_offset, content)


def _check_hash(view: View, index: int, content: bytes) -> None:
    at = _HASHES_AT + 0x20 * index
    expected, found = view.piece(at, 0x20, "hash"), hashlib.sha256(content).digest()
    if found != expected:
        view.fail(
            at, f".{_NAMES[index]} SHA-256", found.hex(), f"{expected.hex()}, as the header says", "the file is damaged"
        )


def _header_name(view: View) -> str:
    """The module name that old files keep between header and text."""
    offset, size = view.u32(0x1C, "module name"), view.u32(0x2C, "module name")
    if not 1 < size <= 0x200 or offset + size > len(view.data):
        return ""
    raw = view.data[offset : offset + size].rstrip(b"\0")
    if any(byte < 0x20 or byte > 0x7E for byte in raw):
        return ""
    return raw.decode().replace("\\", "/").rpartition("/")[2]


def write_nso(image: Image, *, packed: bool = True, hashed: bool = True) -> bytes:
    """An NSO of an image: the same bytes for the same image and liblz4."""
    header = bytearray(HEADER_SIZE)
    struct.pack_into("<4sIII", header, 0, MAGIC, 0, 0, 0x07 * packed | 0x38 * hashed)
    body = bytearray(b"\0")  # the module name, empty
    for index, part in enumerate(image.parts):
        raw = part.data
        if packed and raw:
            raw = lz4.block.compress(raw, mode="high_compression", store_size=False)
        extra = (HEADER_SIZE, 1, image.bss_size)[index]
        struct.pack_into("<4I", header, _PARTS_AT[index], HEADER_SIZE + len(body), part.offset, len(part.data), extra)
        struct.pack_into("<I", header, _PACKED_AT + 4 * index, len(raw))
        at = _HASHES_AT + 0x20 * index
        header[at : at + 0x20] = hashlib.sha256(part.data).digest()
        body += raw
    header[0x40 : 0x40 + BUILD_ID_SIZE] = image.build_id
    return bytes(header + body)


def nso_of_elf(elf: bytes, *, packed: bool = True) -> bytes:
    """An NSO of a linked ELF. Raises FormatError for one of another shape than `image_of_elf` takes."""
    image = image_of_elf(elf, "nso")
    if len(image.build_id) != BUILD_ID_SIZE:
        raise FormatError(f"elf: build id: found {len(image.build_id)} bytes, expected {BUILD_ID_SIZE}")
    return write_nso(image, packed=packed)
