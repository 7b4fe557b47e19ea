"""Read a static AArch64 ELF program: any bytes give an `Elf` or one FormatError.

Headers come from pyelftools; tables that may be long (symbols, relocations) are read as numpy arrays. Everything in
the record is a guest address: a position-independent program (static PIE, whose own start-up code relocates it) is
placed at `PIE_BASE`. Source: System V gABI chapter 4 and 5; ELF for the Arm 64-bit Architecture (IHI 0056).
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from elftools.elf.elffile import ELFFile

from recomp.errors import FormatError

#: Where a static PIE is placed; above the usual fixed link addresses, far below 4 GiB.
PIE_BASE = 0x1000_0000
#: Guest memory is 32 bits wide.
ADDRESS_LIMIT = 1 << 32
MAX_PROGRAM_HEADERS = 256
MAX_SECTIONS = 65535
#: Code beyond this size is refused: the lifter holds all of it at once.
MAX_FILE_SIZE = 1 << 30

DT_NEEDED, DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_JMPREL, DT_RELRSZ, DT_RELR = 1, 2, 7, 8, 23, 35, 36
R_AARCH64_RELATIVE = 1027
R_AARCH64_IRELATIVE = 1032

_SYMBOL = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("shndx", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_CUT_SHORT = "the file may be cut short or damaged; compare its size and hash with their source"
_DYN = np.dtype([("tag", "<i8"), ("value", "<u8")])
_RELA = np.dtype([("offset", "<u8"), ("info", "<u8"), ("addend", "<i8")])


@dataclass(frozen=True, slots=True)
class ElfSegment:
    """A PT_LOAD: `data` are the bytes from the file, at guest address `base`; memory up to `size` bytes is zero."""

    base: int
    size: int
    read: bool
    write: bool
    execute: bool
    file_offset: int
    data: bytes
    name: str = ""


@dataclass(frozen=True, slots=True)
class ElfSection:
    """A section that occupies guest memory."""

    name: str
    base: int
    size: int
    execute: bool


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """A defined function symbol; `size` may be 0."""

    name: str
    base: int
    size: int


@dataclass(frozen=True, slots=True)
class Elf:
    """A static program. `relocated` are (place, value) pairs that start-up code will store (RELATIVE, RELR);
    `resolvers` are the IRELATIVE targets; `bias` is what was added to the file's addresses."""

    entry: int
    bias: int
    segments: tuple[ElfSegment, ...]
    sections: tuple[ElfSection, ...]
    symbols: tuple[ElfSymbol, ...]
    relocated: tuple[tuple[int, int], ...]
    resolvers: tuple[int, ...]
    #: addresses of .eh_frame_hdr, one a module that has it
    eh_frame_hdrs: tuple[int, ...]
    phdr: int
    phent: int
    phnum: int

    def read(self, address: int, size: int) -> bytes | None:
        """`size` initialised bytes at a guest address, or None when not all of them come from the file."""
        return _read(self.segments, address, size)

    def section(self, name: str) -> ElfSection | None:
        return next((s for s in self.sections if s.name == name), None)


def read_elf(data: bytes) -> Elf:
    """Read a static ELF64 little-endian AArch64 program (ET_EXEC or static-PIE ET_DYN).

    Raises FormatError naming the file offset, what was found and what was expected.
    """
    _check_identity(data)
    try:
        return _Reader(data).read()
    except FormatError:
        raise
    except Exception as error:  # noqa: BLE001  pyelftools raises whatever its parsers stumble over
        raise FormatError(
            f"elf: cannot be read: found {type(error).__name__} ({error}), expected well-formed headers",
            hint=_CUT_SHORT,
        ) from None


def _fail(offset: int, what: str, found: object, expected: str, hint: str | None = None) -> NoReturn:
    raise FormatError(f"elf: file offset {offset:#x}: {what}: found {found}, expected {expected}", hint=hint)


def _check_identity(data: bytes) -> None:
    """The first 64 bytes, in the order in which they would surprise someone."""
    if data[:4] != b"\x7fELF":
        _fail(0, "magic", f'"{data[:4].hex()}"', '"7f454c46"', "this is not an ELF file")
    if len(data) < 64:
        _fail(len(data), "ELF header", f"{len(data)} bytes", "64 bytes", "the file is cut short")
    if len(data) > MAX_FILE_SIZE:
        _fail(0, "file size", f"{len(data):#x}", f"at most {MAX_FILE_SIZE:#x}")
    if data[4] != 2:
        _fail(4, "class", data[4], "2 (ELF64)", "only AArch64 programs are recompiled")
    if data[5] != 1:
        _fail(5, "byte order", data[5], "1 (little-endian)")
    kind, machine = struct.unpack_from("<HH", data, 16)
    if machine != 183:
        _fail(18, "machine", machine, "183 (AArch64)", "only AArch64 programs are recompiled")
    if kind not in (2, 3):
        hint = "link the object into a static program first" if kind == 1 else None
        _fail(16, "type", kind, "2 (ET_EXEC) or 3 (ET_DYN)", hint)
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phent, phnum, shent, shnum = struct.unpack_from("<HHHH", data, 54)
    if not 0 < phnum <= MAX_PROGRAM_HEADERS:
        _fail(56, "number of program headers", phnum, f"1 to {MAX_PROGRAM_HEADERS}")
    if phent != 56:
        _fail(54, "size of a program header", phent, "56")
    if phoff + phnum * phent > len(data):
        _fail(32, "program headers", f"{phoff:#x} + {phnum * phent:#x}", f"an end within {len(data):#x}", _CUT_SHORT)
    if shnum and shent != 64:
        _fail(58, "size of a section header", shent, "64")
    if shnum and shoff + shnum * shent > len(data):
        _fail(40, "section headers", f"{shoff:#x} + {shnum * shent:#x}", f"an end within {len(data):#x}", _CUT_SHORT)


class _Reader:
    """One pass over the headers; `self.bias` is added to every address of the file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.elf = ELFFile(io.BytesIO(data))
        self.headers = [self.elf.get_segment(i).header for i in range(self.elf.num_segments())]
        self.bias = self._choose_bias()

    def read(self) -> Elf:
        dynamic = self._dynamic()
        self._refuse_dynamic(dynamic)
        segments = self._segments()
        entry = self.elf.header["e_entry"] + self.bias
        if not any(s.execute and s.base <= entry < s.base + len(s.data) for s in segments) or entry % 4:
            _fail(24, "entry point", f"{entry:#x}", "a word-aligned address in an executable segment")
        sections = self._sections()
        relocated, resolvers = self._relocations(dynamic, segments)
        return Elf(
            entry=entry,
            bias=self.bias,
            segments=segments,
            sections=sections,
            symbols=self._symbols(),
            relocated=relocated,
            resolvers=resolvers,
            eh_frame_hdrs=tuple(
                h["p_vaddr"] + self.bias for h in self.headers if h["p_type"] == "PT_GNU_EH_FRAME" and h["p_vaddr"]
            )[:1],
            phdr=self._phdr(segments),
            phent=self.elf.header["e_phentsize"],
            phnum=len(self.headers),
        )

    def _choose_bias(self) -> int:
        lowest = min((h["p_vaddr"] for h in self.headers if h["p_type"] == "PT_LOAD"), default=0)
        return PIE_BASE if self.elf.header["e_type"] == "ET_DYN" and lowest < PIE_BASE else 0

    def _offset_of_header(self, index: int) -> int:
        return self.elf.header["e_phoff"] + index * 56

    def _refuse_dynamic(self, dynamic: dict[int, int]) -> None:
        for index, header in enumerate(self.headers):
            if header["p_type"] == "PT_INTERP":
                _fail(
                    self._offset_of_header(index),
                    "program header",
                    "PT_INTERP (a dynamically linked program)",
                    "a static program",
                    'link it statically: "-static" or "-static-pie"',
                )
        if DT_NEEDED in dynamic:
            _fail(
                self._offset_of_header(0),
                "dynamic section",
                "DT_NEEDED (needs shared libraries)",
                "a static program",
                'link it statically: "-static" or "-static-pie"',
            )

    def _dynamic(self) -> dict[int, int]:
        """The dynamic section's tags; of repeated tags the first."""
        tags: dict[int, int] = {}
        for header in self.headers:
            if header["p_type"] == "PT_DYNAMIC":
                size = header["p_filesz"] & ~15
                for tag, value in self._table(header["p_offset"], size, _DYN, "dynamic section").tolist():
                    if tag == 0:
                        break
                    tags.setdefault(tag, value)
        return tags

    def _segments(self) -> tuple[ElfSegment, ...]:
        found = [self._segment(i, h) for i, h in enumerate(self.headers) if h["p_type"] == "PT_LOAD" and h["p_memsz"]]
        found.sort(key=lambda s: s.base)
        for low, high in zip(found, found[1:], strict=False):
            if low.base + low.size > high.base:
                raise FormatError(
                    f"elf: segments overlap: found {low.base:#x} + {low.size:#x} and {high.base:#x},"
                    " expected disjoint segments"
                )
        return tuple(found)

    def _segment(self, index: int, header: Any) -> ElfSegment:
        where = self._offset_of_header(index)
        offset, file_size, size = header["p_offset"], header["p_filesz"], header["p_memsz"]
        base = header["p_vaddr"] + self.bias
        if offset + file_size > len(self.data):
            _fail(where, "segment", f"{offset:#x} + {file_size:#x}", f"an end within {len(self.data):#x}", _CUT_SHORT)
        if file_size > size:
            _fail(where, "segment file size", f"{file_size:#x}", f"at most its memory size, {size:#x}")
        if base + size > ADDRESS_LIMIT:
            _fail(where, "segment", f"{base:#x} + {size:#x}", f"an end within {ADDRESS_LIMIT:#x} (32-bit guest memory)")
        flags = header["p_flags"]
        return ElfSegment(
            base=base,
            size=size,
            read=bool(flags & 4),
            write=bool(flags & 2),
            execute=bool(flags & 1),
            file_offset=offset,
            data=self.data[offset : offset + file_size],
        )

    def _phdr(self, segments: tuple[ElfSegment, ...]) -> int:
        """Guest address of the program headers, 0 when no segment holds them."""
        offset = self.elf.header["e_phoff"]
        for segment in segments:
            if segment.file_offset <= offset < segment.file_offset + len(segment.data):
                return segment.base + offset - segment.file_offset
        return 0

    def _sections(self) -> tuple[ElfSection, ...]:
        found = []
        for section in self.elf.iter_sections():
            flags, size = section["sh_flags"], section["sh_size"]
            base = section["sh_addr"] + self.bias
            if flags & 2 and size and section["sh_type"] != "SHT_NOBITS" and base + size <= ADDRESS_LIMIT:
                found.append(ElfSection(section.name, base, size, bool(flags & 4)))
        return tuple(sorted(found, key=lambda s: (s.base, s.size, s.name)))

    def _table(self, offset: int, size: int, dtype: np.dtype, what: str) -> np.ndarray:
        if offset + size > len(self.data):
            _fail(offset, what, f"{offset:#x} + {size:#x}", f"an end within {len(self.data):#x}", _CUT_SHORT)
        return np.frombuffer(self.data, dtype, size // dtype.itemsize, offset)

    def _symbols(self) -> tuple[ElfSymbol, ...]:
        """Defined STT_FUNC and STT_GNU_IFUNC symbols."""
        found = set()
        for section in self.elf.iter_sections():
            if section["sh_type"] != "SHT_SYMTAB" or not section["sh_size"]:
                continue
            table = self._table(section["sh_offset"], section["sh_size"], _SYMBOL, "symbol table")
            strings = self.elf.get_section(section["sh_link"])
            low, high = strings["sh_offset"], strings["sh_offset"] + strings["sh_size"]
            kind = table["info"] & 15
            for symbol in table[((kind == 2) | (kind == 10)) & (table["shndx"] != 0)].tolist():
                start = low + symbol[0]
                end = self.data.find(b"\0", start, min(high, len(self.data)))
                name = self.data[start:end].decode("utf-8", "replace") if end > start else ""
                found.add(ElfSymbol(name, symbol[4] + self.bias, symbol[5]))
        return tuple(sorted(found, key=lambda s: (s.base, s.name, s.size)))

    def _relocations(
        self, dynamic: dict[int, int], segments: tuple[ElfSegment, ...]
    ) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
        places = {}
        resolvers = set()
        for table in self._rela_tables(dynamic, segments):
            kind = table["info"] & 0xFFFFFFFF
            for offset, _, addend in table[kind == R_AARCH64_RELATIVE].tolist():
                places[offset + self.bias] = addend + self.bias
            resolvers |= {int(a) + self.bias for a in table["addend"][kind == R_AARCH64_IRELATIVE]}
        for place in self._relr_places(dynamic, segments):
            word = _read(segments, place, 8)
            if word is not None:
                places[place] = int.from_bytes(word, "little") + self.bias
        return tuple(sorted(places.items())), tuple(sorted(resolvers))

    def _rela_tables(self, dynamic: dict[int, int], segments: tuple[ElfSegment, ...]) -> list[np.ndarray]:
        spans = {(dynamic.get(DT_RELA, 0), dynamic.get(DT_RELASZ, 0))}
        spans |= {(dynamic.get(DT_JMPREL, 0), dynamic.get(DT_PLTRELSZ, 0))}
        for section in self.elf.iter_sections():
            if section["sh_type"] == "SHT_RELA" and section["sh_flags"] & 2:
                spans.add((section["sh_addr"], section["sh_size"]))
        tables = []
        for address, size in sorted(spans):
            data = _read(segments, address + self.bias, size) if size else None
            if data is not None:
                tables.append(np.frombuffer(data, _RELA, size // _RELA.itemsize))
        return tables

    def _relr_places(self, dynamic: dict[int, int], segments: tuple[ElfSegment, ...]) -> list[int]:
        """DT_RELR: an address, then bitmaps of the 63 words behind it (gABI, "Relative Relocation Table")."""
        size = dynamic.get(DT_RELRSZ, 0)
        data = _read(segments, dynamic.get(DT_RELR, 0) + self.bias, size) if size else None
        places: list[int] = []
        following = 0
        for (entry,) in struct.iter_unpack("<Q", (data or b"")[: size & ~7]):
            if entry & 1 == 0:
                following = entry + self.bias
                places.append(following)
                following += 8
                continue
            places += [following + 8 * bit for bit in range(63) if entry >> (bit + 1) & 1]
            following += 63 * 8
        return places


def _read(segments: tuple[ElfSegment, ...], address: int, size: int) -> bytes | None:
    for segment in segments:
        start = address - segment.base
        if 0 <= start and start + size <= len(segment.data):
            return segment.data[start : start + size]
    return None
