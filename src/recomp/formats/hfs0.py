"""Read and write HFS0, the archive of a game card's partitions: PFS0 with a hash of each file's beginning.

Source: docs/formats/pfs0.md, "HFS0".
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping

from recomp.formats.pfs0 import ArchiveFile, read_entries, write_entries
from recomp.formats.view import View

MAGIC = b"HFS0"
_ENTRY = 0x40
#: What writers hash of a file at most.
_HASHED = 0x200


def read_hfs0(data: bytes) -> tuple[ArchiveFile, ...]:
    """As `read_pfs0`; the hashes are checked. Raises FormatError."""
    view = View(data, "hfs0")
    view.magic(0, MAGIC, "this is not an HFS0 partition")
    found = read_entries(view, _ENTRY)
    for file, at in found:
        hashed = view.u32(at + 0x14, "hashed size")
        if hashed > file.size:
            view.fail(at + 0x14, f'hashed size of "{file.name}"', f"{hashed:#x}", f"at most {file.size:#x}")
        expected = view.piece(at + 0x20, 0x20, "hash")
        actual = hashlib.sha256(data[file.offset : file.offset + hashed]).digest()
        if actual != expected:
            view.fail(at + 0x20, f'SHA-256 of "{file.name}"', actual.hex(), f"{expected.hex()}, as its entry says")
    return tuple(file for file, _ in found)


def write_hfs0(files: Mapping[str, bytes]) -> bytes:
    """A partition of files in name order."""

    def rest_of(content: bytes) -> bytes:
        hashed = min(len(content), _HASHED)
        return struct.pack("<IQ", hashed, 0) + hashlib.sha256(content[:hashed]).digest()

    return write_entries(MAGIC, files, _ENTRY, rest_of)
