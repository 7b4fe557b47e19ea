"""Read and write NACP: what a program is called, by whom, and its version. Source: docs/formats/nro.md, "NACP"."""

from __future__ import annotations

from dataclasses import dataclass

from recomp.errors import FormatError
from recomp.formats.view import View, text_of

SIZE = 0x4000
LANGUAGES = (
    "en-US", "en-GB", "ja", "fr", "de", "es-419", "es", "it", "nl", "fr-CA", "pt", "ru", "ko", "zh-Hant", "zh-Hans",
    "pt-BR",
)  # fmt: skip
_RECORD, _TITLE, _VERSION_AT, _VERSION_SIZE = 0x300, 0x200, 0x3060, 0x10


@dataclass(frozen=True, slots=True)
class Title:
    language: str
    name: str
    publisher: str


@dataclass(frozen=True, slots=True)
class Nacp:
    """`titles` holds the languages that have a name or a publisher."""

    titles: tuple[Title, ...]
    version: str

    @property
    def title(self) -> Title | None:
        """The first, which is American English where there is one."""
        return self.titles[0] if self.titles else None


def read_nacp(data: bytes) -> Nacp:
    """Raises FormatError for anything but 0x4000 bytes. Text that is no UTF-8 has U+FFFD in it."""
    view = View(data, "nacp")
    if len(data) != SIZE:
        view.fail(len(data), "size", f"{len(data):#x} bytes", f"{SIZE:#x}")
    titles = []
    for index, language in enumerate(LANGUAGES):
        record = data[index * _RECORD : (index + 1) * _RECORD]
        name, publisher = text_of(record[:_TITLE]), text_of(record[_TITLE:])
        if name or publisher:
            titles.append(Title(language, name, publisher))
    return Nacp(tuple(titles), text_of(data[_VERSION_AT : _VERSION_AT + _VERSION_SIZE]))


def write_nacp(name: str, publisher: str, version: str) -> bytes:
    """The same title in every language, as homebrew tools write it. Raises FormatError for text that is too long."""
    record = _field(name, _TITLE, "title") + _field(publisher, _RECORD - _TITLE, "publisher")
    body = bytearray(SIZE)
    body[: len(record) * len(LANGUAGES)] = record * len(LANGUAGES)
    body[_VERSION_AT : _VERSION_AT + _VERSION_SIZE] = _field(version, _VERSION_SIZE, "version")
    return bytes(body)


def _field(text: str, size: int, what: str) -> bytes:
    raw = text.encode()
    if len(raw) >= size or b"\0" in raw:
        raise FormatError(f"nacp: {what}: found {len(raw)} bytes, expected less than {size} without a zero byte")
    return raw.ljust(size, b"\0")
