"""A module as it lies in memory: text, rodata, data and bss, relative to its base.

NRO and NSO are two containers of the same thing. `image_of_elf` makes one from a linked ELF, as the writers of both
need it. Source: docs/formats/nro.md, docs/formats/nso.md.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from recomp.errors import FormatError
from recomp.formats.view import View, align

PAGE = 0x1000
#: Larger modules are refused: the lifter holds all of a program's code at once.
MAX_IMAGE_SIZE = 1 << 28
#: bss counts towards the guest's 32-bit memory, not towards ours.
MAX_MEMORY_SIZE = 1 << 31
BUILD_ID_SIZE = 0x20

_PT_LOAD, _PT_NOTE, _PT_DYNAMIC = 1, 4, 2
_NT_GNU_BUILD_ID = 3
_SHAPE_HINT = "link it with the linker script of the samples: text at address 0, then rodata, then data, page by page"


@dataclass(frozen=True, slots=True)
class Part:
    """Initial bytes at an offset from the module's base."""

    offset: int
    data: bytes

    @property
    def end(self) -> int:
        return self.offset + len(self.data)


@dataclass(frozen=True, slots=True)
class Image:
    """`name` is the module's own, "" without one; `bss_size` zero bytes follow the data; `build_id` has 0x20 bytes."""

    form: str
    text: Part
    rodata: Part
    data: Part
    bss_size: int
    build_id: bytes
    name: str = ""

    @property
    def parts(self) -> tuple[Part, Part, Part]:
        return self.text, self.rodata, self.data

    @property
    def size(self) -> int:
        """Bytes of memory that the module takes, whole pages."""
        return align(self.data.end + self.bss_size, PAGE)

    @property
    def mod0_offset(self) -> int:
        """Where the image says its MOD0 block is; 0 = nowhere."""
        word = self.read(self.text.offset + 4, 4)
        return int.from_bytes(word, "little") if word else 0

    def read(self, offset: int, size: int) -> bytes | None:
        """Initial bytes, or None where not all of them are."""
        for part in self.parts:
            if part.offset <= offset and 0 <= size and offset + size <= part.end:
                return part.data[offset - part.offset : offset - part.offset + size]
        return None

    def part_at(self, offset: int) -> Part | None:
        return next((part for part in self.parts if part.offset <= offset < part.end), None)


def check_parts(view: View, where: tuple[int, int, int], image: Image) -> Image:
    """The image, once its parts begin at pages, in order and disjoint. `where`: file offsets of their records."""
    behind = 0
    for name, offset, part in zip(("text", "rodata", "data"), where, image.parts, strict=True):
        if part.offset % PAGE:
            view.fail(offset, f".{name} offset", f"{part.offset:#x}", f"a multiple of {PAGE:#x}")
        if part.offset < behind:
            view.fail(offset, f".{name} offset", f"{part.offset:#x}", f"at least {behind:#x}: parts overlap")
        behind = part.end
    if not image.text.data:
        view.fail(where[0], ".text size", 0, "at least one page of code")
    if image.data.end + image.bss_size > MAX_MEMORY_SIZE:
        view.fail(where[2], ".bss size", f"{image.bss_size:#x}", f"an end within {MAX_MEMORY_SIZE:#x}")
    return image


def module_name(rodata: bytes) -> str:
    """The name record that may open .rodata: {u32 0, u32 length, bytes}; "" without one. A path's last part counts."""
    if len(rodata) < 8:
        return ""
    zero, length = struct.unpack_from("<II", rodata)
    raw = rodata[8 : 8 + length]
    if zero or not 0 < length <= 0x200 or len(raw) != length or any(byte < 0x20 or byte > 0x7E for byte in raw):
        return ""
    return raw.decode().replace("\\", "/").rpartition("/")[2]


def image_of_elf(data: bytes, form: str) -> Image:
    """The image of a linked AArch64 ELF (shared or static-pie) whose segments are text at 0, rodata, data.

    Raises FormatError for any other shape. Segments behind the rodata that are writable make up the data together.
    """
    view = View(data, "elf")
    view.magic(0, b"\x7fELF")
    if view.unpack("BB", 4, "class and byte order") != (2, 1):
        view.fail(4, "class and byte order", data[4:6].hex(), "0201 (ELF64, little-endian)")
    kind, machine = view.unpack("HH", 16, "type and machine")
    if (kind, machine) != (3, 183):
        view.fail(16, "type and machine", f"{kind} and {machine}", "3 (ET_DYN) and 183 (AArch64)")
    loads, build_id = _load_headers(view)
    if not loads or loads[0][1] != 0 or not loads[0][0] & 1:
        raise FormatError("elf: first segment: expected executable code at address 0", hint=_SHAPE_HINT)
    groups: list[list[tuple[int, int, bytes, int]]] = [[], [], []]
    for flags, address, content, size in loads:
        group = 0 if flags & 1 else 2 if flags & 2 else 1
        if any(groups[group + 1 :]) or (flags & 3) == 3:
            raise FormatError(f"elf: segment at {address:#x}: found it out of order", hint=_SHAPE_HINT)
        groups[group].append((flags, address, content, size))
    text, rodata, rest = (_join(group) for group in groups)
    rodata = rodata if groups[1] else Part(align(text.end, PAGE), b"")
    rest = rest if groups[2] else Part(align(rodata.end, PAGE), b"")
    end = max((address + size for _, address, _, size in groups[2]), default=rest.end)
    rest = _padded(rest)
    bss = align(max(end - rest.end, 0), PAGE)
    return Image(form, _padded(text), _padded(rodata), rest, bss, build_id, module_name(rodata.data))


def _load_headers(view: View) -> tuple[list[tuple[int, int, bytes, int]], bytes]:
    """(flags, address, bytes, memory size) of each PT_LOAD, and the GNU build id."""
    phoff = view.u64(32, "program header offset")
    entry_size, count = view.unpack("HH", 54, "program header count")
    if entry_size != 56:
        view.fail(54, "size of a program header", entry_size, "56")
    loads = []
    build_id = bytes(BUILD_ID_SIZE)
    for index in range(count):
        at = phoff + 56 * index
        kind, flags, offset, address, _, file_size, size, _ = view.unpack("IIQQQQQQ", at, "program header")
        if kind == _PT_LOAD and size:
            if size < file_size or address + size > MAX_IMAGE_SIZE:
                view.fail(at, "segment", f"{address:#x} + {size:#x}", f"an end within {MAX_IMAGE_SIZE:#x}")
            loads.append((flags, address, view.piece(offset, file_size, "segment"), size))
        elif kind == _PT_NOTE:
            build_id = _build_id(view.piece(offset, file_size, "note")) or build_id
    return sorted(loads, key=lambda load: load[1]), build_id


def _build_id(note: bytes) -> bytes | None:
    at = 0
    while at + 12 <= len(note):
        name_size, size, kind = struct.unpack_from("<III", note, at)
        start = at + 12 + align(name_size, 4)
        if kind == _NT_GNU_BUILD_ID and note[at + 12 : at + 16] == b"GNU\0":
            return note[start : start + size][:BUILD_ID_SIZE].ljust(BUILD_ID_SIZE, b"\0")
        at = start + align(size, 4)
    return None


def _join(loads: list[tuple[int, int, bytes, int]]) -> Part:
    """Segments of one kind as one part, zeros between them."""
    if not loads:
        return Part(0, b"")
    base = loads[0][1]
    content = bytearray()
    for _, address, data, _ in loads:
        if address < base + len(content):
            raise FormatError(f"elf: segment at {address:#x}: overlaps the one before", hint=_SHAPE_HINT)
        content += bytes(address - base - len(content)) + data
    if base % PAGE:
        raise FormatError(f"elf: segment at {base:#x}: expected a multiple of {PAGE:#x}", hint=_SHAPE_HINT)
    return Part(base, bytes(content))


def _padded(part: Part) -> Part:
    return Part(part.offset, part.data + bytes(-len(part.data) % PAGE))
