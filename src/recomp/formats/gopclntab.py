"""Read Go's function table (`.gopclntab`), which a stripped Go program keeps for its tracebacks.

Layout since Go 1.18: a header, names, and `functab`: pairs of 32-bit (offset of the function from the start of the
text, offset of its record), closed by the end of the text. Source: Go, `runtime/symtab.go`, type `pcHeader`,
and `runtime/runtime2.go`, type `_func`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from recomp.formats.elf import Elf, ElfSegment

_MAGICS = (b"\xf0\xff\xff\xff", b"\xf1\xff\xff\xff")  # Go 1.18, Go 1.20
#: What follows the magic: two zero bytes, instructions of 4 bytes, pointers of 8.
_TAIL = b"\0\0\4\10"
_HEADER = struct.Struct("<4s4s8Q")
_RECORD = struct.Struct("<IiiI")
_MAX_NAME = 512


@dataclass(frozen=True, slots=True)
class GoFunction:
    """`recover`: where a function goes on that recovers from a panic, 0 where it defers nothing."""

    name: str
    base: int
    size: int
    recover: int = 0


def read_go_functions(elf: Elf) -> tuple[GoFunction, ...]:
    """The functions of a Go program, by address; empty for any other program and for a damaged table."""
    for segment in elf.segments:
        for magic in _MAGICS:
            at = segment.data.find(magic + _TAIL)
            while at >= 0:
                found = _read_table(elf, segment, at)
                if found:
                    return found
                at = segment.data.find(magic + _TAIL, at + 1)
    return ()


def _read_table(elf: Elf, segment: ElfSegment, at: int) -> tuple[GoFunction, ...]:
    data = segment.data[at:]
    if len(data) < _HEADER.size:
        return ()
    _, _, count, _, text, names, _, _, _, table = _HEADER.unpack_from(data)
    # In a position-independent program start-up code stores the address of the text.
    text = dict(elf.relocated).get(segment.base + at + 24, text + elf.bias)
    if not 0 < count < len(data) // 8 or table + 8 * count + 4 > len(data) or names >= len(data):
        return ()
    rows = np.frombuffer(data, "<u4", 2 * count + 1, table).astype(np.int64)
    starts, records = rows[0::2], table + rows[1::2]
    if np.any(np.diff(starts) <= 0) or np.any(records + _RECORD.size > len(data)):
        return ()
    found = []
    ranges = zip(starts.tolist(), starts[1:].tolist(), records.tolist(), strict=False)
    for index, (start, end, record) in enumerate(ranges):
        offset, name, _, deferred = _RECORD.unpack_from(data, record)
        if offset != start or not any(s.execute and s.base <= text + start < s.base + s.size for s in elf.segments):
            return ()
        first = names + name
        last = data.find(b"\0", first, first + _MAX_NAME) if 0 <= first < len(data) else -1
        label = data[first:last].decode("utf-8", "replace") if last > first else f"go_{index}"
        recover = text + start + deferred if 0 < deferred < end - start else 0
        found.append(GoFunction(label, text + start, end - start, recover))
    return tuple(found)
