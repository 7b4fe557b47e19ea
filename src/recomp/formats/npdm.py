"""Read and write NPDM: what a process may do and how it begins. Source: docs/formats/npdm.md."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from recomp.formats.view import View, text_of

MAGIC = b"META"
HEADER_SIZE = 0x80
ADDRESS_SPACES = ("32 bits", "36 bits", "32 bits without alias region", "39 bits")
_MAX_CONTROL = 1 << 16


@dataclass(frozen=True, slots=True)
class Service:
    """A service that the process may use (`server` False) or register (True); `*` stands for any ending."""

    name: str
    server: bool


@dataclass(frozen=True, slots=True)
class KernelAccess:
    """`svcs`: numbers of the calls allowed. `threads`: lowest and highest priority, first and last core, or None.
    `unknown`: descriptors of other kinds, as they stand."""

    svcs: tuple[int, ...] = ()
    threads: tuple[int, int, int, int] | None = None
    handle_table_size: int | None = None
    kernel_version: tuple[int, int] | None = None
    program_type: int | None = None
    debug: tuple[bool, bool] | None = None
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Npdm:
    """`program_ids`: what ACID allows, first and last."""

    name: str
    product_code: str
    version: int
    is_64_bit: bool
    address_space: int
    priority: int
    core: int
    stack_size: int
    system_resource_size: int
    program_id: int
    program_ids: tuple[int, int]
    filesystem_flags: int
    services: tuple[Service, ...]
    kernel: KernelAccess


def read_npdm(data: bytes) -> Npdm:
    """Raises FormatError. Signatures are not checked: that is the console's business."""
    view = View(data, "npdm")
    view.magic(0, MAGIC, "this is not an NPDM file")
    view.need(0, HEADER_SIZE, "header")
    flags, priority, core = data[0x0C], data[0x0E], data[0x0F]
    resource_size, version, stack_size = view.unpack("III", 0x14, "header")
    aci, aci_size, acid, acid_size = view.unpack("IIII", 0x70, "header")
    view.need(aci, max(aci_size, 0x40), "ACI0")
    view.need(acid, max(acid_size, 0x240), "ACID")
    view.magic(aci, b"ACI0")
    view.magic(acid + 0x200, b"ACID")
    access, access_size, services, services_size, kernel, kernel_size = view.unpack("6I", aci + 0x20, "ACI0")
    first, last = view.unpack("QQ", acid + 0x210, "ACID program ids")
    filesystem = view.piece(aci + access, access_size, "filesystem access")
    return Npdm(
        name=text_of(data[0x20:0x30]),
        product_code=text_of(data[0x30:0x40]),
        version=version,
        is_64_bit=bool(flags & 1),
        address_space=flags >> 1 & 7,
        priority=priority,
        core=core,
        stack_size=stack_size,
        system_resource_size=resource_size,
        program_id=view.u64(aci + 0x10, "program id"),
        program_ids=(first, last),
        filesystem_flags=int.from_bytes(filesystem[4:12], "little"),
        services=_read_services(view, aci + services, services_size),
        kernel=_read_kernel(view, aci + kernel, kernel_size),
    )


def _read_services(view: View, at: int, size: int) -> tuple[Service, ...]:
    """Records of a control byte (bit 7: server; bits 0-2: length - 1) and a name."""
    if size > _MAX_CONTROL:
        view.fail(at, "size of the service list", f"{size:#x}", f"at most {_MAX_CONTROL:#x}")
    raw = view.piece(at, size, "service access")
    found, index = [], 0
    while index < len(raw):
        length = (raw[index] & 7) + 1
        name = raw[index + 1 : index + 1 + length]
        if len(name) != length:
            view.fail(at + index, "service name", f"{len(name)} bytes", f"{length}")
        found.append(Service(name.decode("ascii", "replace"), bool(raw[index] & 0x80)))
        index += 1 + length
    return tuple(found)


def _read_kernel(view: View, at: int, size: int) -> KernelAccess:
    """32-bit descriptors whose kind is the number of their low ones."""
    if size % 4 or size > _MAX_CONTROL:
        view.fail(at, "size of the kernel access list", f"{size:#x}", f"a multiple of 4, at most {_MAX_CONTROL:#x}")
    svcs: set[int] = set()
    unknown: list[int] = []
    facts: dict = {}
    for (word,) in struct.iter_unpack("<I", view.piece(at, size, "kernel access")):
        kind = (~word & word + 1).bit_length() - 1
        if kind == 3:
            facts["threads"] = (word >> 4 & 63, word >> 10 & 63, word >> 16 & 255, word >> 24)
        elif kind == 4:
            svcs |= {(word >> 29) * 24 + bit for bit in range(24) if word >> (5 + bit) & 1}
        elif kind == 13:
            facts["program_type"] = word >> 14 & 7
        elif kind == 14:
            facts["kernel_version"] = (word >> 19, word >> 15 & 15)
        elif kind == 15:
            facts["handle_table_size"] = word >> 16 & 0x3FF
        elif kind == 16:
            facts["debug"] = (bool(word >> 17 & 1), bool(word >> 18 & 1))
        elif word != 0xFFFFFFFF:
            unknown.append(word)
    return KernelAccess(svcs=tuple(sorted(svcs)), unknown=tuple(unknown), **facts)


def write_npdm(name: str, program_id: int, services: tuple[Service, ...], descriptors: tuple[int, ...]) -> bytes:
    """An unsigned NPDM of a 64-bit process with 39 bits of address space, for tests and mock images."""
    control = b"".join(
        bytes([len(s.name) - 1 | 0x80 * s.server]) + s.name.encode("ascii") for s in services if 1 <= len(s.name) <= 8
    )
    kernel = struct.pack(f"<{len(descriptors)}I", *descriptors)
    filesystem = struct.pack("<IQ", 1, 0).ljust(0x1C, b"\0")
    at = 0x40
    spans = []
    for content in (filesystem, control, kernel):
        spans += [at, len(content)]
        at += -(-len(content) // 0x10) * 0x10
    aci = bytearray(at)
    aci[:4] = b"ACI0"
    struct.pack_into("<Q", aci, 0x10, program_id)
    struct.pack_into("<6I", aci, 0x20, *spans)
    for content, place in zip((filesystem, control, kernel), spans[::2], strict=True):
        aci[place : place + len(content)] = content
    acid = bytearray(0x240)
    acid[0x200:0x204] = b"ACID"
    struct.pack_into("<QQ", acid, 0x210, program_id, program_id)
    header = bytearray(HEADER_SIZE)
    header[:4] = MAGIC
    header[0x0C], header[0x0E] = 0b0111, 44
    struct.pack_into("<I", header, 0x1C, 0x100000)
    header[0x20:0x30] = name.encode()[:15].ljust(16, b"\0")
    struct.pack_into("<4I", header, 0x70, HEADER_SIZE + len(acid), len(aci), HEADER_SIZE, len(acid))
    return bytes(header + acid + aci)
