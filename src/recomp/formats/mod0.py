"""Read MOD0 and what it leads to: dynamic section, relocations, dynamic symbols. Offsets are from the module's base.

Source: docs/formats/nro.md, "MOD0"; System V gABI chapter 5; ELF for the Arm 64-bit Architecture (IHI 0056).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

import numpy as np

from recomp.errors import FormatError
from recomp.formats.image import Image

MAGIC = b"MOD0"
DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ = 1, 2, 4, 5, 6, 7, 8
DT_STRSZ, DT_INIT, DT_FINI, DT_SONAME, DT_JMPREL = 10, 12, 13, 14, 23
DT_INIT_ARRAY, DT_FINI_ARRAY, DT_INIT_ARRAYSZ, DT_FINI_ARRAYSZ = 25, 26, 27, 28
DT_RELRSZ, DT_RELR, DT_GNU_HASH = 35, 36, 0x6FFFFEF5
R_NONE, R_ABS64, R_COPY, R_GLOB_DAT, R_JUMP_SLOT, R_RELATIVE = 0, 257, 1024, 1025, 1026, 1027
R_TLS_MODULE, R_TLS_OFFSET, R_TLS_TPREL, R_TLSDESC, R_IRELATIVE = 1028, 1029, 1030, 1031, 1032
STT_FUNC = 2

_RELA = np.dtype([("offset", "<u8"), ("info", "<u8"), ("addend", "<i8")])
_SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("shndx", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_MAX_TAGS = 4096
#: a CIE from its id on: 0, version 1, an augmentation with "z"
_CIE = re.compile(rb"\0\0\0\0\x01z[PLRS]{0,4}\0")
_MAX_CIE = 64
_MAX_NAME = 8192
#: Names may share their ends, but not without measure.
_NAME_SHARING = 16


@dataclass(frozen=True, slots=True)
class Mod0:
    """`extension`: "" or the last of LNY0, LNY1, LNY2 that follows; its ranges are (0, 0) where it has none."""

    offset: int
    dynamic: int
    bss: tuple[int, int]
    eh_frame_hdr: tuple[int, int]
    module_object: int
    extension: str = ""
    got: tuple[int, int] = (0, 0)
    relro: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Relocation:
    """A RELA entry. `symbol` indexes the dynamic symbols; 0 = none."""

    offset: int
    kind: int
    symbol: int
    addend: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """`section` 0 = undefined, to be found in another module; `kind` 2 = function, `bind` 2 = weak."""

    name: str
    value: int
    size: int
    kind: int
    bind: int
    section: int


@dataclass(frozen=True, slots=True)
class Dynamic:
    """`relr`: places whose word gets the base added; `init`, `fini`: (offset, size) of the arrays."""

    tags: tuple[tuple[int, int], ...]
    relocations: tuple[Relocation, ...]
    relr: tuple[int, ...]
    symbols: tuple[Symbol, ...]
    needed: tuple[str, ...]
    soname: str
    init: tuple[int, int]
    fini: tuple[int, int]


def _fail(image: Image, offset: int, what: str, found: object, expected: str) -> FormatError:
    return FormatError(f"{image.form}: image offset {offset:#x}: {what}: found {found}, expected {expected}")


def read_mod0(image: Image) -> Mod0 | None:
    """The module's MOD0, or None for a module that names none. Raises FormatError."""
    at = image.mod0_offset
    if at == 0:
        return None
    raw = image.read(at, 0x1C)
    if raw is None or raw[:4] != MAGIC:
        raise _fail(image, 4, "offset of MOD0", f"{at:#x}", "where a MOD0 block is")
    dynamic, bss, bss_end, eh, eh_end, module = (at + value for value in struct.unpack_from("<6i", raw, 4))
    if image.read(dynamic, 16) is None:
        raise _fail(image, at + 4, "MOD0 dynamic section", f"{dynamic:#x}", "an address in the module")
    if not 0 <= bss <= bss_end <= image.size + 0x1000:
        raise _fail(image, at + 8, "MOD0 bss", f"{bss:#x} to {bss_end:#x}", "a range in the module")
    if eh > eh_end:
        raise _fail(image, at + 0x10, "MOD0 eh_frame_hdr", f"{eh:#x} to {eh_end:#x}", "a range in the module")
    extension, got, relro = _read_extension(image, at)
    return Mod0(at, dynamic, (bss, bss_end), (eh, eh_end), module, extension, got, relro)


def _read_extension(image: Image, at: int) -> tuple[str, tuple[int, int], tuple[int, int]]:
    found, got, relro = "", (0, 0), (0, 0)
    raw = image.read(at + 0x1C, 12)
    if raw and raw[:4] == b"LNY0":
        found, got = "LNY0", _pair(raw, at)
        raw = image.read(at + 0x28, 12)
        if raw and raw[:4] == b"LNY1":
            found, relro = "LNY1", _pair(raw, at)
            found = "LNY2" if image.read(at + 0x34, 4) == b"LNY2" else found
    return found, got, relro


def _pair(raw: bytes, at: int) -> tuple[int, int]:
    first, second = struct.unpack_from("<ii", raw, 4)
    return at + first, at + second


def find_dynamic(image: Image) -> int | None:
    """The offset of the dynamic section of a module without MOD0 (SDKs before 1.4): found by its shape."""
    usual = (16, DT_INIT_ARRAY, DT_RELA, DT_HASH, DT_INIT, DT_SYMTAB)  # one of them stands among the first
    for part in (image.rodata, image.data):
        words = np.frombuffer(part.data, "<u8", len(part.data) // 8)
        for index in np.flatnonzero(np.isin(words, usual))[:_MAX_TAGS].tolist():
            at = part.offset + 8 * index
            tags = _read_tags(image, at, 64) or ()
            known = dict(tags)
            if not all(0 < tag <= DT_RELR or tag >> 28 == 6 for tag, _ in tags):
                continue  # records of .eh_frame_hdr and .eh_frame in front of it also begin with small numbers
            if {DT_STRTAB, DT_SYMTAB, DT_RELA, DT_RELASZ} <= known.keys() and image.part_at(known[DT_SYMTAB]):
                while index >= 2 and DT_NEEDED <= words[index - 2] <= DT_RELR:
                    index -= 2
                return part.offset + 8 * index
    return None


def find_eh_frame_hdr(image: Image) -> int:
    """The offset of .eh_frame_hdr where no MOD0 tells it: its encoding bytes, a table that fits. 0 = none."""
    part = image.rodata
    at = part.data.find(b"\x01\x1b\x03\x3b")
    while at >= 0:
        if at % 4 == 0 and at + 12 <= len(part.data):
            pointer, count = struct.unpack_from("<iI", part.data, at + 4)
            if 0 < count <= (len(part.data) - at) // 8 and image.part_at(part.offset + at + 4 + pointer) is part:
                return part.offset + at
        at = part.data.find(b"\x01\x1b\x03\x3b", at + 1)
    return 0


def find_eh_frame(image: Image) -> int:
    """The offset of .eh_frame where no header leads to it: a first CIE, and a record behind it that belongs to it. 0 =
    none."""
    data, base = image.rodata.data, image.rodata.offset
    for match in _CIE.finditer(data):
        at = match.start() - 4
        if at < 0 or at % 4:
            continue
        length = int.from_bytes(data[at : at + 4], "little")
        behind = at + 4 + length
        if length <= _MAX_CIE and behind + 8 <= len(data):
            pointer = int.from_bytes(data[behind + 4 : behind + 8], "little")
            if behind + 4 - pointer == at:
                return base + at
    return 0


def _read_tags(image: Image, at: int, limit: int = _MAX_TAGS) -> list[tuple[int, int]] | None:
    """Tags up to DT_NULL; None when there is no such end."""
    part = image.part_at(at)
    if part is None:
        return None
    count = min((part.end - at) // 16, limit)
    table = struct.iter_unpack("<qQ", part.data[at - part.offset :][: 16 * count])
    found: list[tuple[int, int]] = []
    for tag, value in table:
        if tag == 0:
            return found
        found.append((tag, value))
    return None


def read_dynamic(image: Image, at: int) -> Dynamic:
    """Everything that the dynamic section at `at` names. Raises FormatError for tables that run out of the module."""
    tags = _read_tags(image, at)
    if tags is None:
        raise _fail(image, at, "dynamic section", "no DT_NULL", "tags up to one")
    known: dict[int, int] = {}
    for tag, value in tags:
        known.setdefault(tag, value)
    strings = _table(image, known.get(DT_STRTAB, 0), known.get(DT_STRSZ, 0), ".dynstr")
    symbols = _read_symbols(image, known, strings)
    relocations = _read_relocations(image, known, len(symbols))
    names = _Names(image, strings)
    return Dynamic(
        tags=tuple(tags),
        relocations=relocations,
        relr=_read_relr(image, known),
        symbols=symbols,
        needed=tuple(names.at(value) for tag, value in tags if tag == DT_NEEDED),
        soname=names.at(known[DT_SONAME]) if DT_SONAME in known else "",
        init=_array(image, known, DT_INIT_ARRAY, DT_INIT_ARRAYSZ),
        fini=_array(image, known, DT_FINI_ARRAY, DT_FINI_ARRAYSZ),
    )


def _array(image: Image, known: dict[int, int], at: int, size: int) -> tuple[int, int]:
    """(offset, size) of an array of functions; (0, 0) without one."""
    if not known.get(at) or not known.get(size):
        return 0, 0
    _table(image, known[at], known[size], "array of start-up or exit functions")
    return known[at], known[size]


def _table(image: Image, offset: int, size: int, what: str) -> bytes:
    if not size:
        return b""
    data = image.read(offset, size)
    if data is None:
        raise _fail(image, offset, what, f"{offset:#x} + {size:#x}", "a range in the module")
    return data


class _Names:
    """Strings of a table by offset, each read once; all together no more than the table's size allows for."""

    def __init__(self, image: Image, strings: bytes) -> None:
        self.image, self.strings = image, strings
        self.known: dict[int, str] = {}
        self.left = _NAME_SHARING * len(strings) + (1 << 16)

    def at(self, offset: int) -> str:
        if offset not in self.known:
            end = self.strings.find(b"\0", offset, offset + _MAX_NAME)
            if offset >= len(self.strings) or end < 0:
                raise _fail(self.image, offset, "name in .dynstr", f"offset {offset:#x}", "a terminated string")
            self.left -= end - offset
            if self.left < 0:
                raise _fail(self.image, offset, "names", "more than .dynstr could hold", "names of ordinary length")
            self.known[offset] = self.strings[offset:end].decode("utf-8", "replace")
        return self.known[offset]


def _read_symbols(image: Image, known: dict[int, int], strings: bytes) -> tuple[Symbol, ...]:
    at = known.get(DT_SYMTAB, 0)
    if not at:
        return ()
    count = _symbol_count(image, known)
    table = np.frombuffer(_table(image, at, 24 * count, ".dynsym"), _SYMBOL, count)
    names = _Names(image, strings)
    return tuple(
        Symbol(names.at(name) if name else "", value, size, info & 15, info >> 4, section)
        for name, info, _, section, value, size in table.tolist()
    )


def _symbol_count(image: Image, known: dict[int, int]) -> int:
    """From DT_HASH, whose chain has one entry a symbol; else from DT_GNU_HASH; else up to the strings behind it."""
    raw = image.read(known[DT_HASH], 8) if DT_HASH in known else None
    if raw:
        return struct.unpack("<II", raw)[1]
    if DT_GNU_HASH in known:
        return _gnu_symbol_count(image, known[DT_GNU_HASH])
    return max(known.get(DT_STRTAB, 0) - known[DT_SYMTAB], 0) // 24


def _gnu_symbol_count(image: Image, at: int) -> int:
    """One behind the last symbol of the last chain (the hash table leaves undefined symbols out, which stand first)."""
    buckets, first, bloom, _ = struct.unpack("<4I", _table(image, at, 16, ".gnu.hash"))
    start = at + 16 + 8 * bloom
    heads = np.frombuffer(_table(image, start, 4 * buckets, ".gnu.hash"), "<u4")
    last = int(heads.max()) if len(heads) else 0
    if last < first:
        return first
    chain = start + 4 * buckets + 4 * (last - first)
    part = image.part_at(chain)
    rest = part.data[chain - part.offset :] if part else b""
    ends = np.flatnonzero(np.frombuffer(rest, "<u4", len(rest) // 4) & 1)
    if not len(ends):
        raise _fail(image, chain, ".gnu.hash", "no end of a chain", "one in the module")
    return last + int(ends[0]) + 1


def _read_relocations(image: Image, known: dict[int, int], symbols: int) -> tuple[Relocation, ...]:
    found = []
    spans = {(known.get(DT_RELA, 0), known.get(DT_RELASZ, 0)), (known.get(DT_JMPREL, 0), known.get(DT_PLTRELSZ, 0))}
    for at, size in sorted(spans):
        table = np.frombuffer(_table(image, at, size - size % 24, "relocations"), _RELA)
        for offset, info, addend in table.tolist():
            row = Relocation(offset, info & 0xFFFFFFFF, info >> 32, addend)
            if row.kind == R_NONE:
                continue
            if row.symbol and row.symbol >= symbols:
                raise _fail(image, at, "relocation symbol", row.symbol, f"less than {symbols}")
            if image.part_at(offset) is None or image.part_at(offset + 7) is None:
                if not image.data.end <= offset <= image.size - 8:
                    raise _fail(image, at, "relocation", f"{offset:#x}", "a place in the module")
            found.append(row)
    return tuple(sorted(found, key=lambda r: (r.offset, r.kind, r.symbol, r.addend)))


def _read_relr(image: Image, known: dict[int, int]) -> tuple[int, ...]:
    """DT_RELR: an address, then bitmaps of the 63 words behind it (gABI, "Relative Relocation Table")."""
    at, size = known.get(DT_RELR, 0), known.get(DT_RELRSZ, 0)
    places: list[int] = []
    following = 0
    for (entry,) in struct.iter_unpack("<Q", _table(image, at, size & ~7, "RELR relocations")):
        if entry & 1 == 0:
            following = entry + 8
            places.append(entry)
        else:
            places += [following + 8 * bit for bit in range(63) if entry >> (bit + 1) & 1]
            following += 63 * 8
        if places and places[-1] > image.size - 8 or len(places) > image.size // 8:
            raise _fail(image, at, "RELR relocation", f"{places[-1]:#x}", "places in the module, each once")
    return tuple(places)
