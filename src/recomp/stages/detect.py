"""What kind of file something is, by its bytes: enough to notice that a listed input is not what it is said to be."""

from __future__ import annotations

import re
from collections.abc import Callable

HEAD_BYTES = 4096

_KEY_LINE = re.compile(rb"^[A-Za-z0-9_]+\s*=\s*[0-9A-Fa-f]+\s*$")


def _magic(offset: int, *values: bytes) -> Callable[[bytes], bool]:
    return lambda head: any(head[offset : offset + len(value)] == value for value in values)


def _is_keyset(head: bytes) -> bool:
    """Lines `name = hex digits`; nothing of a line ever leaves this function."""
    lines = [line.strip() for line in head.splitlines()[:-1] or head.splitlines()]
    kept = [line for line in lines if line and line[:1] not in b"#;"]
    return bool(kept) and all(_KEY_LINE.match(line) for line in kept)


def _is_mock_image(head: bytes) -> bool:
    """A synthetic image for tools.xci_tool = "mock"."""
    return bool(re.match(rb'\s*\{\s*"mock_image"', head))


def _is_nca(head: bytes) -> bool:
    """Its header is encrypted, so that only its size and the absence of any other format speak for it."""
    return head[0x200:0x203] == b"NCA" or (len(head) >= 0xC00 and _known(head) is None)


_FORMATS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("elf", _magic(0, b"\x7fELF")),
    ("nso0", _magic(0, b"NSO0")),
    ("nro0", _magic(0x10, b"NRO0")),
    ("nrr0", _magic(0, b"NRR0")),
    ("npdm", _magic(0, b"META")),
    ("exefs", _magic(0, b"PFS0")),
    ("xci", lambda head: head[0x100:0x104] == b"HEAD" or _is_mock_image(head)),
    ("video_mp4", _magic(4, b"ftyp")),
    ("lifted_json", lambda head: head.lstrip()[:1] == b"{"),
    ("keyset", _is_keyset),
)


def _known(head: bytes) -> str | None:
    return next((name for name, test in _FORMATS if test(head)), None)


def detect(head: bytes) -> str | None:
    """The format of a file that begins with `head` (its first HEAD_BYTES), or None."""
    return _known(head) or ("nca" if _is_nca(head) else None)


def is_format(head: bytes, expected: str) -> bool:
    """Whether a file may be what it is listed as."""
    tests = dict(_FORMATS)
    return tests[expected](head) if expected in tests else _is_nca(head)
