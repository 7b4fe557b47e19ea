"""Read `.eh_frame`: where functions start and end, and where exceptions land in them.

Records are CIEs (what a group of functions has in common) and FDEs (one a function, or one a cold part of it). Only
what discovery needs is read; unwinding itself is done by the guest's own code. A damaged record ends the list: this
is evidence, not a promise. Source: Linux Standard Base Core 5.0, "Exception Frames"; DWARF 5, 6.4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from recomp.errors import FormatError
from recomp.formats.elf import Elf

_DW_EH_PE_omit = 0xFF
_MAX_CALL_SITES = 1 << 16


@dataclass(frozen=True, slots=True)
class Fde:
    """A code range with unwind information; `lsda` is 0 without exception handlers. `cold`: the frame is already set
    up at its first instruction, so that it is a part split off from a function rather than one."""

    start: int
    size: int
    lsda: int
    cold: bool


@dataclass(frozen=True, slots=True)
class _Cie:
    pointer_encoding: int
    lsda_encoding: int
    augmented: bool


class _Cursor:
    """Reads numbers at a guest address; raises FormatError past the end."""

    def __init__(self, data: bytes, base: int, at: int) -> None:
        self.data = data
        self.base = base
        self.at = at

    def fixed(self, size: int, signed: bool = False) -> int:
        raw = self.data[self.at : self.at + size]
        if len(raw) != size:
            raise FormatError(f"eh_frame: guest {self.base + self.at:#x}: found the end, expected {size} more bytes")
        self.at += size
        return int.from_bytes(raw, "little", signed=signed)

    def uleb(self) -> int:
        value = shift = 0
        while True:
            byte = self.fixed(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 63:
                return value

    def sleb(self) -> int:
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) & 1 else value

    def encoded(self, encoding: int) -> int:
        """A DW_EH_PE pointer: absolute or pc-relative; 0 for forms that static code does not use."""
        if encoding == _DW_EH_PE_omit:
            return 0
        where = self.base + self.at
        form = encoding & 0x0F
        if form == 1:
            value = self.uleb()
        elif form == 9:
            value = self.sleb()
        else:
            size = {0: 8, 2: 2, 3: 4, 4: 8, 10: 2, 11: 4, 12: 8}.get(form)
            if size is None:
                raise FormatError(
                    f"eh_frame: guest {where:#x}: pointer encoding: found {encoding:#x}, expected a known form"
                )
            value = self.fixed(size, signed=form >= 8)
        if value and encoding & 0x70 == 0x10:
            value += where
        return value & 0xFFFFFFFFFFFFFFFF


def read_fdes(elf: Elf) -> tuple[Fde, ...]:
    """All FDEs of a program, by start address; empty when it has no `.eh_frame`."""
    found: dict[int, Fde] = {}
    for base in _find_eh_frames(elf):
        _read_section(elf, base, found)
    return tuple(found[start] for start in sorted(found))


def _read_section(elf: Elf, base: int, found: dict[int, Fde]) -> None:
    segment = next((s for s in elf.segments if s.base <= base < s.base + len(s.data)), None) if base else None
    if segment is None:
        return
    section = next((s for s in elf.sections if s.name == ".eh_frame" and s.base == base), None)
    data = segment.data
    end = section.base + section.size - segment.base if section else len(data)
    cies: dict[int, _Cie] = {}
    try:
        at = base - segment.base
        while at + 8 <= min(end, len(data)):
            length = int.from_bytes(data[at : at + 4], "little")
            if length == 0 or length >= 0xFFFFFFF0:
                break
            fde = _read_record(data, segment.base, at, cies)
            if fde is not None and fde.size:
                found.setdefault(fde.start, fde)
            at += 4 + length
    except FormatError:
        pass


def _find_eh_frames(elf: Elf) -> list[int]:
    found = [section.base for section in elf.sections if section.name == ".eh_frame"]
    for place in elf.eh_frame_hdrs:
        header = elf.read(place, 12)
        if header is not None and header[0] == 1:
            found.append(_Cursor(header, place, 4).encoded(header[1]))
    return list(dict.fromkeys(found))


def _read_record(data: bytes, base: int, at: int, cies: dict[int, _Cie]) -> Fde | None:
    cursor = _Cursor(data, base, at + 4)
    pointer = cursor.fixed(4)
    if pointer == 0:
        cies[at] = _read_cie(cursor)
        return None
    # The pointer counts back from its own place.
    cie = cies.get(at + 4 - pointer)
    if cie is None:
        return None
    start = cursor.encoded(cie.pointer_encoding)
    size = cursor.encoded(cie.pointer_encoding & 0x0F)
    lsda = 0
    if cie.augmented:
        behind = cursor.uleb() + cursor.at
        if cie.lsda_encoding != _DW_EH_PE_omit:
            lsda = cursor.encoded(cie.lsda_encoding)
        cursor.at = behind
    return Fde(start, size, lsda, _starts_with_frame(cursor))


def _read_cie(cursor: _Cursor) -> _Cie:
    cursor.fixed(1)
    end = cursor.data.find(b"\0", cursor.at)
    augmentation = cursor.data[cursor.at : end] if end >= 0 else b""
    cursor.at = end + 1
    cursor.uleb()
    cursor.sleb()
    cursor.uleb()
    pointer_encoding, lsda_encoding = 0, _DW_EH_PE_omit
    if augmentation[:1] == b"z":
        cursor.uleb()
        for letter in augmentation[1:]:
            if letter == ord("R"):
                pointer_encoding = cursor.fixed(1)
            elif letter == ord("L"):
                lsda_encoding = cursor.fixed(1)
            elif letter == ord("P"):
                cursor.encoded(cursor.fixed(1))
    return _Cie(pointer_encoding, lsda_encoding, augmentation[:1] == b"z")


def _starts_with_frame(cursor: _Cursor) -> bool:
    """Whether the FDE sets a CFA offset before it advances the location."""
    code = cursor.data[cursor.at : cursor.at + 2]
    # DW_CFA_def_cfa_offset (0x0e) or DW_CFA_def_cfa (0x0c) first, and not the offset 0 of a plain entry
    if code[:1] == b"\x0e":
        return code[1:2] != b"\0"
    return code[:1] == b"\x0c"


def read_landing_pads(elf: Elf, fde: Fde) -> tuple[int, ...]:
    """Guest addresses of an FDE's landing pads, ascending; empty when its LSDA is absent or damaged.

    Source: the call-site table as GCC's and LLVM's exception tables lay it out (Itanium C++ ABI: Exception Handling).
    """
    segment = next((s for s in elf.segments if s.base <= fde.lsda < s.base + len(s.data)), None)
    if not fde.lsda or segment is None:
        return ()
    cursor = _Cursor(segment.data, segment.base, fde.lsda - segment.base)
    pads = set()
    try:
        landing_base = fde.start
        encoding = cursor.fixed(1)
        if encoding != _DW_EH_PE_omit:
            landing_base = cursor.encoded(encoding)
        if cursor.fixed(1) != _DW_EH_PE_omit:
            cursor.uleb()
        encoding = cursor.fixed(1)
        end = cursor.uleb() + cursor.at
        for _ in range(_MAX_CALL_SITES):
            if cursor.at >= end:
                break
            cursor.encoded(encoding)
            cursor.encoded(encoding)
            pad = cursor.encoded(encoding)
            cursor.uleb()
            if pad:
                pads.add(landing_base + pad)
    except FormatError:
        pass
    return tuple(sorted(pads))
