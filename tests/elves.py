"""Small static AArch64 ELF files, built byte by byte, and what a stripper takes from real ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_GNU_EH_FRAME = 1, 2, 3, 0x6474E550
R, W, X = 4, 2, 1
TEXT_BASE = 0x400000
PAGE = 0x1000

NOP, RET = 0xD503201F, 0xD65F03C0


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@dataclass(frozen=True)
class Load:
    """A segment: `data` at `base`, of `size` bytes in memory (default: the data's)."""

    base: int
    data: bytes
    flags: int
    size: int = 0
    kind: int = PT_LOAD


@dataclass(frozen=True)
class Section:
    name: str
    kind: int
    flags: int
    base: int
    data: bytes
    link: int = 0


def elf(
    *loads: Load,
    entry: int = TEXT_BASE,
    kind: int = 2,
    sections: tuple[Section, ...] = (),
    machine: int = 183,
) -> bytes:
    """An ELF64 file whose segments are laid out page by page behind the headers."""
    count = len(loads)
    body = bytearray(64 + 56 * count)
    headers = []
    for load in loads:
        body += bytes(-len(body) % PAGE + load.base % PAGE)
        offset = len(body)
        body += load.data
        size = load.size or len(load.data)
        headers.append(
            struct.pack("<IIQQQQQQ", load.kind, load.flags, offset, load.base, load.base, len(load.data), size, PAGE)
        )
    shoff, shnum, shstrndx = 0, 0, 0
    if sections:
        shoff, shnum, shstrndx = _append_sections(body, sections)
    head = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    head += struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, entry, 64, shoff, 0, 64, 56, count, 64, shnum, shstrndx)
    body[:64] = head
    body[64 : 64 + 56 * count] = b"".join(headers)
    return bytes(body)


def _append_sections(body: bytearray, sections: tuple[Section, ...]) -> tuple[int, int, int]:
    names = b"\0" + b"".join(s.name.encode() + b"\0" for s in sections) + b".shstrtab\0"
    rows = [bytes(64)]
    for section in sections:
        where = names.index(section.name.encode() + b"\0")
        rows.append(
            struct.pack(
                "<IIQQQQIIQQ", where, section.kind, section.flags, section.base, len(body), len(section.data),
                section.link, 0, 8, 24,
            )
        )  # fmt: skip
        body += section.data
    where = names.index(b".shstrtab\0")
    rows.append(struct.pack("<IIQQQQIIQQ", where, 3, 0, 0, len(body), len(names), 0, 0, 1, 0))
    body += names
    body += bytes(-len(body) % 8)
    shoff = len(body)
    body += b"".join(rows)
    return shoff, len(rows), len(rows) - 1


def program(*code: int, data: bytes = b"", data_base: int = 0x500000) -> bytes:
    """A program of one text segment at TEXT_BASE and, if there is data, a segment with it."""
    loads = [Load(TEXT_BASE, words(*code), R | X)]
    if data:
        loads.append(Load(data_base, data, R | W))
    return elf(*loads)


def without_symbols(data: bytes) -> bytes:
    """The same file after `strip`: code, sections and unwind information stay where they are."""
    out = bytearray(data)
    (shoff,) = struct.unpack_from("<Q", out, 40)
    (count,) = struct.unpack_from("<H", out, 60)
    for index in range(count):
        if struct.unpack_from("<I", out, shoff + 64 * index + 4)[0] == 2:
            struct.pack_into("<I", out, shoff + 64 * index + 4, 1)
    return bytes(out)


def without_headers(data: bytes) -> bytes:
    """The same program without section headers and without a way to its unwind information."""
    out = bytearray(data)
    struct.pack_into("<Q", out, 40, 0)
    struct.pack_into("<HHH", out, 58, 0, 0, 0)
    (phoff,) = struct.unpack_from("<Q", out, 32)
    for index in range(struct.unpack_from("<H", out, 56)[0]):
        if struct.unpack_from("<I", out, phoff + 56 * index)[0] == PT_GNU_EH_FRAME:
            struct.pack_into("<I", out, phoff + 56 * index, 0)
    return bytes(out)
