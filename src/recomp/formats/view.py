"""Bytes with a name: numbers and pieces at offsets, or one FormatError that says where."""

from __future__ import annotations

import struct
from typing import NoReturn

from recomp.errors import FormatError

CUT_SHORT = "the file may be cut short or damaged; compare its size and hash with their source"


class View:
    """`data`, called `name` in errors. All numbers are little-endian; offsets and sizes are bytes."""

    __slots__ = ("data", "name")

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.name = name

    def fail(self, offset: int, what: str, found: object, expected: str, hint: str | None = None) -> NoReturn:
        raise FormatError(
            f"{self.name}: file offset {offset:#x}: {what}: found {found}, expected {expected}", hint=hint
        )

    def need(self, offset: int, size: int, what: str) -> None:
        """Raises FormatError unless `size` bytes lie at `offset`."""
        if offset < 0 or size < 0 or offset + size > len(self.data):
            self.fail(offset, what, f"{offset:#x} + {size:#x}", f"an end within {len(self.data):#x}", CUT_SHORT)

    def piece(self, offset: int, size: int, what: str) -> bytes:
        self.need(offset, size, what)
        return self.data[offset : offset + size]

    def unpack(self, layout: str, offset: int, what: str) -> tuple[int, ...]:
        """The numbers of a `struct` layout (without its byte order)."""
        self.need(offset, struct.calcsize("<" + layout), what)
        return struct.unpack_from("<" + layout, self.data, offset)

    def u32(self, offset: int, what: str) -> int:
        return self.unpack("I", offset, what)[0]

    def u64(self, offset: int, what: str) -> int:
        return self.unpack("Q", offset, what)[0]

    def magic(self, offset: int, expected: bytes, hint: str | None = None) -> None:
        found = self.data[offset : offset + len(expected)]
        if found != expected:
            self.fail(offset, "magic", f'"{found.hex()}"', f'"{expected.hex()}" ({expected.decode()!r})', hint)


def text_of(raw: bytes) -> str:
    """The text before the first zero byte; bytes that are no UTF-8 become U+FFFD."""
    return raw.split(b"\0", 1)[0].decode("utf-8", "replace")


def align(value: int, step: int) -> int:
    """`value` rounded up to a multiple of `step`."""
    return (value + step - 1) // step * step
