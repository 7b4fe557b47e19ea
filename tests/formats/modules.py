"""Small console files, built byte by byte: a module with everything that its tables may name, and archives."""

from __future__ import annotations

import struct
from dataclasses import replace

from recomp.formats.assets import Assets, write_assets
from recomp.formats.image import Image, Part
from recomp.formats.nacp import write_nacp
from recomp.formats.nro import write_nro
from recomp.formats.romfs import write_romfs

PAGE = 0x1000
#: where the parts of `image` are, from the module's base
CODE, MOD0, RODATA, DATA = 0x80, 0x200, 0x1000, 0x2000
DYNSYM, DYNSTR, HASH, RELA, RELR, EH_FRAME_HDR = (RODATA + at for at in (0x100, 0x200, 0x300, 0x400, 0x500, 0x600))
DYNAMIC, INIT_ARRAY, TABLE = DATA, DATA + 0x400, DATA + 0x500
BUILD_ID = bytes(range(1, 21)).ljust(32, b"\0")

RET, NOP = 0xD65F03C0, 0xD503201F
STRINGS = b"\0shared\0wanted\0libother.so\0module\0"


def words(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def quads(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


def filled(size: int, pieces: dict[int, bytes], base: int = 0) -> bytes:
    """Zeros with pieces at these addresses."""
    body = bytearray(size)
    for at, piece in pieces.items():
        body[at - base : at - base + len(piece)] = piece
    return bytes(body)


def mod0(*, extension: bool = True) -> bytes:
    head = struct.pack("<4s6i", b"MOD0", *(at - MOD0 for at in (DYNAMIC, DATA + PAGE, DATA + 2 * PAGE)), *(
        at - MOD0 for at in (EH_FRAME_HDR, EH_FRAME_HDR + 12)), 0)  # fmt: skip
    if not extension:
        return head
    head += struct.pack("<4sii", b"LNY0", DATA + 0x700 - MOD0, DATA + 0x780 - MOD0)
    head += struct.pack("<4sii", b"LNY1", DATA - MOD0, DATA + 0x800 - MOD0)
    return head + struct.pack("<4sII", b"LNY2", 1, 0)


def dynamic(**changes: int) -> bytes:
    """The dynamic section; `changes` by tag name."""
    tags = {
        "needed": (1, STRINGS.index(b"libother")), "soname": (14, STRINGS.index(b"module")), "hash": (4, HASH),
        "strtab": (5, DYNSTR), "symtab": (6, DYNSYM), "strsz": (10, len(STRINGS)), "rela": (7, RELA),
        "relasz": (8, 3 * 24), "relr": (36, RELR), "relrsz": (35, 16), "init_array": (25, INIT_ARRAY),
        "init_arraysz": (27, 8),
    }  # fmt: skip
    return b"".join(quads(tag, changes.get(name, value)) for name, (tag, value) in tags.items()) + quads(0, 0)


def symbol(name: bytes, value: int, *, size: int = 8, section: int = 1, kind: int = 2, bind: int = 1) -> bytes:
    return struct.pack("<IBBHQQ", STRINGS.index(name + b"\0"), bind << 4 | kind, 0, section, value, size)


def image(form: str = "nro", *, with_mod0: bool = True, **changes: int) -> Image:
    """A module with 20 words of code from CODE on, MOD0, dynamic section, two symbols (`shared` defined at CODE + 8,
    `wanted` not), RELA and RELR entries, an init array and a name."""
    code = words(*[NOP] * 19, RET)
    text = filled(PAGE, {0: words(0x14000000 + CODE // 4, MOD0 if with_mod0 else 0), CODE: code, MOD0: mod0()})
    rela = (INIT_ARRAY, 1027, CODE), (TABLE, 1027, CODE + 16), (TABLE + 8, 2 << 32 | 257, 0)
    rodata = filled(
        PAGE,
        {
            RODATA: words(0, 6) + b"module",
            DYNSYM: bytes(24) + symbol(b"shared", CODE + 8) + symbol(b"wanted", 0, section=0),
            DYNSTR: STRINGS,
            HASH: words(1, 3, 1, 0, 0, 0),
            RELA: b"".join(struct.pack("<QQq", *row) for row in rela),
            RELR: quads(TABLE + 16, 0b1011),
            EH_FRAME_HDR: bytes((1, 0x1B, 3, 0x3B)) + words(0x100, 0),
        },
        RODATA,
    )
    table = quads(0, 0, CODE + 4, CODE + 8, 0, CODE + 12)
    data = filled(PAGE, {DYNAMIC: dynamic(**changes), TABLE: table}, DATA)
    return Image(form, Part(0, text), Part(RODATA, rodata), Part(DATA, data), PAGE, BUILD_ID, "module")


ROMFS_FILES = {"hello.txt": b"hello", "level/1.bin": bytes(range(64)), "level/deep/er/2.bin": b"x" * 33, "z": b""}
ICON = b"\xff\xd8\xff\xe0\0\x04AB\xff\xc0\0\x0b\x08\x01\0\x01\0\x01\x01\x11\0\xff\xd9"


def assets() -> bytes:
    return write_assets(Assets(ICON, write_nacp("A title", "Somebody", "1.2.3"), write_romfs(ROMFS_FILES)))


def nro(**changes: int) -> bytes:
    return write_nro(image(**changes), assets())


def with_code(module: Image, *code: int) -> Image:
    """The module with other code at CODE."""
    text = module.text.data
    return replace(module, text=Part(0, text[:CODE] + words(*code) + text[CODE + 4 * len(code) :]))
