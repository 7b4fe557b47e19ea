"""Read and write the asset section of an NRO: icon (JPEG), NACP and RomFS. Source: docs/formats/nro.md."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from recomp.formats.view import View, align

MAGIC = b"ASET"
HEADER_SIZE = 0x38
_NAMES = ("icon", "nacp", "romfs")
#: RomFS contents are aligned so, from the section's start.
_ROMFS_ALIGNMENT = 0x10


@dataclass(frozen=True, slots=True)
class Assets:
    """Each is empty where the section has none. `romfs_offset` is from the start of the section."""

    icon: bytes
    nacp: bytes
    romfs: bytes
    romfs_offset: int = 0


def read_assets(data: bytes) -> Assets:
    """`data` begins with the section (an NRO's bytes from `assets_offset` on). Raises FormatError."""
    view = View(data, "assets")
    view.magic(0, MAGIC)
    version = view.u32(4, "version")
    if version:
        view.fail(4, "version", version, "0")
    found: list[bytes] = []
    offset = 0
    for index, name in enumerate(_NAMES):
        offset, size = view.unpack("QQ", 8 + 16 * index, f"{name} record")
        found.append(view.piece(offset, size, name) if size else b"")
    icon, nacp, romfs = found
    return Assets(icon, nacp, romfs, offset if romfs else 0)


def write_assets(assets: Assets) -> bytes:
    """An asset section, without holes but the RomFS's alignment."""
    body = bytearray(HEADER_SIZE)
    struct.pack_into("<4sI", body, 0, MAGIC, 0)
    for index, content in enumerate((assets.icon, assets.nacp, assets.romfs)):
        if index == 2:
            body += bytes(align(len(body), _ROMFS_ALIGNMENT) - len(body))
        struct.pack_into("<QQ", body, 8 + 16 * index, len(body), len(content))
        body += content
    return bytes(body)
