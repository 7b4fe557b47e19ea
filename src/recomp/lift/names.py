"""Function names: from a name map, from symbols, else `f_<hex address>`; always unique C identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from recomp.errors import FormatError
from recomp.formats.elf import Elf

#: Names that C or the runtime claims; a guest function of that name gets its address appended.
_RESERVED = frozenset(
    """auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    main bool true false nullptr constexpr typeof thread_local static_assert alignas alignof""".split()
)
_MAX_LENGTH = 120


class NamedAddress(msgspec.Struct, frozen=True):
    """What a name map says about an address."""

    name: str
    evidence: str = ""


def read_name_map(data: bytes) -> dict[int, NamedAddress]:
    """Read a name map: `{"0x401000": "main", "0x401200": {"name": "draw", "evidence": "ghidra"}}`.

    Addresses are guest addresses as in the ELF (before a position-independent program is placed), hexadecimal with
    `0x` or decimal. Raises FormatError.
    """
    try:
        rows = msgspec.json.decode(data, type=dict[str, str | NamedAddress])
    except msgspec.MsgspecError as error:
        raise FormatError(f"name map: {error}", hint='expected {"0xADDRESS": "name", ...}') from None
    names = {}
    for key, value in rows.items():
        try:
            address = int(key, 0)
        except ValueError:
            raise FormatError(f'name map: address: found "{key}", expected a number such as "0x401000"') from None
        names[address] = NamedAddress(value) if isinstance(value, str) else value
    return dict(sorted(names.items()))


def sanitise(name: str) -> str:
    """The name as a C identifier; the same name always gives the same one, the empty name gives `_`."""
    clean = re.sub(r"[^0-9A-Za-z_]", "_", name)[:_MAX_LENGTH] or "_"
    return f"_{clean}" if clean[0].isdigit() or clean in _RESERVED else clean


def name_functions(starts: Iterable[int], elf: Elf, names: Mapping[int, NamedAddress]) -> dict[int, str]:
    """A unique name for each start; a name that two addresses claim gets the address appended at both but the first."""
    wanted: dict[int, str] = {}
    for symbol in elf.symbols:
        # Mapping symbols and local labels say nothing; of aliases the first in name order is kept.
        if symbol.name and not symbol.name.startswith("$"):
            wanted.setdefault(symbol.base, symbol.name)
    wanted.update({address: named.name for address, named in names.items()})
    taken: set[str] = set()
    result = {}
    for start in sorted(starts):
        name = sanitise(wanted[start]) if start in wanted else f"f_{start:x}"
        if name in taken:
            name = f"{name}_{start:x}"
        while name in taken:
            name += "_"
        taken.add(name)
        result[start] = name
    return result
