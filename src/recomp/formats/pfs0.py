"""Read and write PFS0, the flat archive that an ExeFS is. HFS0 is the same with hashes (`recomp.formats.hfs0`).

Source: docs/formats/pfs0.md.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recomp.formats.romfs import checked_name
from recomp.formats.view import View, align

MAGIC = b"PFS0"
MAX_FILES = 1 << 16
_ENTRY = 0x18


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """`offset` is where its bytes begin in the archive."""

    name: str
    offset: int
    size: int


def read_pfs0(data: bytes) -> tuple[ArchiveFile, ...]:
    """The files by their order in the archive; `data[file.offset:][: file.size]` is a file's content.

    Raises FormatError for names that no file can have or that stand there twice, and for files that share bytes.
    """
    view = View(data, "pfs0")
    view.magic(0, MAGIC, "this is not a PFS0 archive")
    return tuple(file for file, _ in read_entries(view, _ENTRY))


def read_entries(view: View, entry_size: int) -> list[tuple[ArchiveFile, int]]:
    """Files with the places of their entries: what PFS0 and HFS0 have in common."""
    count, strings_size = view.unpack("II", 4, "header")
    if count > MAX_FILES:
        view.fail(4, "number of files", count, f"at most {MAX_FILES}")
    strings_at = 0x10 + entry_size * count
    view.need(0x10, entry_size * count, "entries")
    strings = view.piece(strings_at, strings_size, "names")
    data_at = strings_at + strings_size
    found, names = [], set()
    for at in range(0x10, strings_at, entry_size):
        offset, size, name_at = view.unpack("QQI", at, "entry")
        end = strings.find(b"\0", name_at, name_at + 256)
        if end < 0:
            view.fail(at, "name", f"offset {name_at:#x}", "a terminated string")
        name = checked_name(strings[name_at:end], f"{view.name}: file offset {at:#x}: name")
        if name in names:
            view.fail(at, "name", f'"{name}" twice', "each name once")
        names.add(name)
        view.need(data_at + offset, size, f'contents of "{name}"')
        found.append((ArchiveFile(name, data_at + offset, size), at))
    _check_disjoint(view, [file for file, _ in found])
    return found


def _check_disjoint(view: View, files: list[ArchiveFile]) -> None:
    ordered = sorted((file for file in files if file.size), key=lambda file: (file.offset, file.name))
    for before, after in zip(ordered, ordered[1:], strict=False):
        if before.offset + before.size > after.offset:
            view.fail(after.offset, "contents", f'"{after.name}" inside "{before.name}"', "files that share no bytes")


def write_pfs0(files: Mapping[str, bytes]) -> bytes:
    """An archive of files in name order. Raises FormatError for names that no file can have."""
    return write_entries(MAGIC, files, _ENTRY, lambda content: b"\0" * 4)


def write_entries(
    magic: bytes, files: Mapping[str, bytes], entry_size: int, rest_of: Callable[[bytes], bytes]
) -> bytes:
    """`rest_of(content)`: what follows offset, size and name in an entry."""
    entries, strings, contents = bytearray(), bytearray(), bytearray()
    for name in sorted(files):
        raw = name.encode()
        checked_name(raw, f"{magic.decode().lower()}: name")
        entry = struct.pack("<QQI", len(contents), len(files[name]), len(strings)) + rest_of(files[name])
        entries += entry
        strings += raw + b"\0"
        contents += files[name]
    assert len(entries) == entry_size * len(files)
    strings += bytes(align(0x10 + len(entries) + len(strings), 0x20) - (0x10 + len(entries) + len(strings)))
    return struct.pack("<4sIII", magic, len(files), len(strings), 0) + bytes(entries + strings + contents)
