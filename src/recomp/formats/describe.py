"""Any file that we read, as plain facts: what `recomp inspect` shows and prints as JSON.

Keys are stable; numbers stay numbers. What is damaged inside an otherwise readable file stands under "problems".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from recomp.errors import FormatError
from recomp.formats.assets import read_assets
from recomp.formats.elf import read_elf
from recomp.formats.hfs0 import read_hfs0
from recomp.formats.image import Image
from recomp.formats.jpeg import jpeg_size
from recomp.formats.mod0 import Dynamic, find_dynamic, find_eh_frame, find_eh_frame_hdr, read_dynamic, read_mod0
from recomp.formats.nacp import SIZE as NACP_SIZE
from recomp.formats.nacp import read_nacp
from recomp.formats.npdm import ADDRESS_SPACES, read_npdm
from recomp.formats.nro import read_nro
from recomp.formats.nso import read_nso
from recomp.formats.pfs0 import ArchiveFile, read_pfs0
from recomp.formats.romfs import HEADER_SIZE as ROMFS_HEADER
from recomp.formats.romfs import read_romfs

Facts = dict[str, Any]

#: what R_AARCH64 relocations of dynamic modules are called
RELOCATIONS = {
    257: "ABS64", 1024: "COPY", 1025: "GLOB_DAT", 1026: "JUMP_SLOT", 1027: "RELATIVE", 1028: "TLS_DTPMOD",
    1029: "TLS_DTPREL", 1030: "TLS_TPREL", 1031: "TLSDESC", 1032: "IRELATIVE",
}  # fmt: skip


def describe(data: bytes) -> Facts:
    """The facts of a file, with "format" first. Raises FormatError for a file of no known format, or a damaged one."""
    for name, matches, read in _KINDS:
        if matches(data):
            return {"format": name, "size": len(data), **read(data)}
    raise FormatError(
        f'unknown format: found "{data[:16].hex()}", expected NRO, NSO, ELF, NPDM, PFS0, HFS0, RomFS, NACP or an image',
    )


class _Gather:
    """Facts of parts that may be damaged on their own."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def attempt(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except FormatError as error:
            self.problems.append(error.message)
            return None

    def finish(self, facts: Facts) -> Facts:
        return {**facts, "problems": self.problems} if self.problems else facts


def _nro(data: bytes) -> Facts:
    nro = read_nro(data)
    gather = _Gather()
    facts: Facts = {}
    assets = gather.attempt(lambda: read_assets(data[nro.assets_offset :])) if nro.assets_offset else None
    nacp = gather.attempt(lambda: read_nacp(assets.nacp)) if assets and assets.nacp else None
    if nacp is not None:
        facts |= _nacp_facts(nacp)
    facts |= _image(nro.image, gather)
    if assets:
        facts["assets"] = {"offset": nro.assets_offset} | _assets(assets, gather)
    return gather.finish(facts)


def _assets(assets: Any, gather: _Gather) -> Facts:
    facts: Facts = {"icon": None, "nacp": len(assets.nacp), "romfs": None}
    if assets.icon:
        pixels = jpeg_size(assets.icon)
        facts["icon"] = {"size": len(assets.icon), "jpeg": list(pixels) if pixels else None}
    romfs = gather.attempt(lambda: read_romfs(assets.romfs)) if assets.romfs else None
    if romfs is not None:
        contents = sum(file.size for file in romfs.files)
        facts["romfs"] = {
            "size": len(assets.romfs), "directories": len(romfs.directories), "files": len(romfs.files),
            "contents": contents,
        }  # fmt: skip
    return facts


def _nso(data: bytes) -> Facts:
    nso = read_nso(data)
    gather = _Gather()
    facts = _image(nso.image, gather)
    for index, row in enumerate(facts["segments"][:3]):
        row["file_size"] = nso.packed_sizes[index]
        row["lz4"], row["hash"] = nso.packed[index], "right" if nso.hashed[index] else "not checked"
    return gather.finish(facts)


def _image(image: Image, gather: _Gather) -> Facts:
    facts: Facts = {
        "module": image.name or None, "build_id": image.build_id.hex().rstrip("0") or None, "memory": image.size,
    }  # fmt: skip
    rows = zip(("text", "rodata", "data"), image.parts, ("r-x", "r--", "rw-"), strict=True)
    facts["segments"] = [
        {"name": name, "offset": part.offset, "size": len(part.data), "permissions": permissions}
        for name, part, permissions in rows
    ]
    bss = {"name": "bss", "offset": image.data.end, "size": image.bss_size, "permissions": "rw-"}
    facts["segments"].append(bss)
    mod0 = gather.attempt(lambda: read_mod0(image))
    facts["mod0"] = None
    if mod0:
        facts["mod0"] = {
            "offset": mod0.offset, "dynamic": mod0.dynamic, "bss_start": mod0.bss[0], "bss_end": mod0.bss[1],
            "extension": mod0.extension or None,
        }  # fmt: skip
    at = mod0.dynamic if mod0 else find_dynamic(image)
    dynamic = gather.attempt(lambda: read_dynamic(image, at)) if at is not None else None
    facts["dynamic"] = _dynamic(at, dynamic) if at is not None and dynamic else None
    start, end = mod0.eh_frame_hdr if mod0 else (0, 0)
    facts["eh_frame_hdr"] = (start if end > start else find_eh_frame_hdr(image)) or None
    facts["eh_frame"] = find_eh_frame(image) or None
    return facts


def _dynamic(at: int, dynamic: Dynamic) -> Facts:
    kinds = Counter(RELOCATIONS.get(r.kind, f"type {r.kind}") for r in dynamic.relocations)
    if dynamic.relr:
        kinds["RELR"] = len(dynamic.relr)
    symbols = dynamic.symbols[1:]
    return {
        "offset": at,
        "soname": dynamic.soname or None,
        "needed": list(dynamic.needed),
        "relocations": dict(sorted(kinds.items())),
        "exports": sum(1 for s in symbols if s.section and s.name),
        "imports": [s.name for s in symbols if not s.section and s.name],
    }


def _nacp(data: bytes) -> Facts:
    return _nacp_facts(read_nacp(data))


def _nacp_facts(nacp: Any) -> Facts:
    """One row for languages that say the same."""
    groups: dict[tuple[str, str], list[str]] = {}
    for title in nacp.titles:
        groups.setdefault((title.name, title.publisher), []).append(title.language)
    rows = [
        {"title": name, "publisher": publisher, "languages": "all" if len(languages) == 16 else " ".join(languages)}
        for (name, publisher), languages in groups.items()
    ]
    return {"titles": rows, "version": nacp.version}


def _elf(data: bytes) -> Facts:
    elf = read_elf(data)
    return {
        "entry": elf.entry,
        "position_independent": bool(elf.bias),
        "segments": [
            {
                "name": f"segment{index}", "offset": s.base, "size": s.size,
                "permissions": ("r" if s.read else "-") + ("w" if s.write else "-") + ("x" if s.execute else "-"),
                "file_size": len(s.data),
            }
            for index, s in enumerate(elf.segments)
        ],
        "sections": len(elf.sections),
        "functions": len(elf.symbols),
        "relocations": len(elf.relocated),
        "resolvers": len(elf.resolvers),
    }  # fmt: skip


def _npdm(data: bytes) -> Facts:
    npdm = read_npdm(data)
    known = npdm.address_space < len(ADDRESS_SPACES)
    kernel = npdm.kernel
    return {
        "name": npdm.name,
        "program_id": f"{npdm.program_id:016x}",
        "program_ids": [f"{value:016x}" for value in npdm.program_ids],
        "version": npdm.version,
        "instructions": "64 bits" if npdm.is_64_bit else "32 bits",
        "address_space": ADDRESS_SPACES[npdm.address_space] if known else f"unknown ({npdm.address_space})",
        "main_thread": {"priority": npdm.priority, "core": npdm.core, "stack": npdm.stack_size},
        "system_resource": npdm.system_resource_size,
        "filesystem_flags": f"{npdm.filesystem_flags:016x}",
        "services": [{"name": s.name, "role": "server" if s.server else "client"} for s in npdm.services],
        "kernel": {
            "svcs": [f"{number:#04x}" for number in kernel.svcs],
            "priorities": list(kernel.threads[:2]) if kernel.threads else None,
            "cores": list(kernel.threads[2:]) if kernel.threads else None,
            "handle_table": kernel.handle_table_size,
            "minimum_version": ".".join(map(str, kernel.kernel_version)) if kernel.kernel_version else None,
            "other_descriptors": [f"{word:08x}" for word in kernel.unknown],
        },
    }


def _archive(read: Callable[[bytes], tuple[ArchiveFile, ...]]) -> Callable[[bytes], Facts]:
    return lambda data: {"files": [{"name": f.name, "offset": f.offset, "size": f.size} for f in read(data)]}


def _romfs(data: bytes) -> Facts:
    romfs = read_romfs(data)
    return {
        "directories": len(romfs.directories),
        "contents": sum(file.size for file in romfs.files),
        "files": [{"name": file.path, "offset": file.offset, "size": file.size} for file in romfs.files],
    }


def _xci(data: bytes) -> Facts:
    return {"note": "a game card image: only the external tool of mode xci reads it"}


def _is(offset: int, magic: bytes) -> Callable[[bytes], bool]:
    return lambda data: data[offset : offset + len(magic)] == magic


_KINDS: tuple[tuple[str, Callable[[bytes], bool], Callable[[bytes], Facts]], ...] = (
    ("ELF", _is(0, b"\x7fELF"), _elf),
    ("NSO", _is(0, b"NSO0"), _nso),
    ("PFS0", _is(0, b"PFS0"), _archive(read_pfs0)),
    ("HFS0", _is(0, b"HFS0"), _archive(read_hfs0)),
    ("NPDM", _is(0, b"META"), _npdm),
    ("NRO", _is(0x10, b"NRO0"), _nro),
    ("RomFS", _is(0, ROMFS_HEADER.to_bytes(8, "little")), _romfs),
    ("XCI", _is(0x100, b"HEAD"), _xci),
    ("NACP", lambda data: len(data) == NACP_SIZE, _nacp),
)
