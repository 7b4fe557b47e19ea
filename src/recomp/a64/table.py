"""Read the `*.decode` tables beside this file; decode 32-bit words with them.

One encoding a line, most significant bit first, fields under the Arm manual's names:

    ADD_i    sf:1 00 100010 sh:1 imm12:12 rn:5 rd:5
    LDP_x    opc:2 101 0 010 L:1 imm7:7 rt2:5 rn:5 rt:5 | opc != 3

`.` is a bit that does not matter. What follows `|` is a Python expression over the fields; where it is false the
word is unallocated as far as this line goes. `#` starts a comment, `## name` opens a group. Where two lines overlap,
the one with more fixed bits is tried first; lines with equally many fixed bits must not overlap unless both carry a
constraint. Everything that must know an encoding reads these tables: decoder, semantics, tests, coverage.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a table. `fields` are (name, lowest bit, width)."""

    name: str
    mask: int
    value: int
    fields: tuple[tuple[str, int, int], ...]
    constraint: str
    group: str
    where: str
    fields_of: Callable[[int], dict[str, int]] = field(compare=False)
    holds: Callable[[dict[str, int]], bool] | None = field(default=None, compare=False)

    def match(self, word: int) -> dict[str, int] | None:
        """The fields of a word; None if it is another instruction's."""
        if word & self.mask != self.value:
            return None
        fields = self.fields_of(word)
        if self.holds is not None and not self.holds(fields):
            return None
        return fields


class Insn:
    """A decoded word: its pattern's name, and its fields `f`, also as attributes (`insn.rd`)."""

    __slots__ = ("name", "word", "pattern", "f", "__dict__")

    def __init__(self, pattern: Pattern, word: int, fields: dict[str, int]) -> None:
        self.name = pattern.name
        self.word = word
        self.pattern = pattern
        self.f = self.__dict__ = fields

    def __getattr__(self, key: str) -> int:
        raise AttributeError(f"{self.name} has no field {key!r}")

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v:#x}' for k, v in self.f.items())})"


_RESERVED = ("name", "word", "pattern", "f")


class TableError(Exception):
    """A line of a table is wrong; the message starts with file:line."""


def parse_table(text: str, file: str) -> list[Pattern]:
    """Parse one table. Raises TableError naming `file:line`."""
    result: list[Pattern] = []
    group = ""
    for number, raw in enumerate(text.splitlines(), 1):
        where = f"{file}:{number}"
        if raw.startswith("## "):
            group = raw[3:].strip()
            continue
        line = raw.split("#", 1)[0].strip()
        if line:
            result.append(_parse_line(line, group, where))
    return result


def _parse_line(line: str, group: str, where: str) -> Pattern:
    head, _, constraint = line.partition("|")
    name, *tokens = head.split()
    mask = value = 0
    low = 32
    fields: list[tuple[str, int, int]] = []
    for token in tokens:
        if ":" in token:
            field_name, _, width_text = token.partition(":")
            if not width_text.isdigit():
                raise TableError(f"{where}: {name}: expected name:width, got {token!r}")
            width = int(width_text)
            low -= width
            if any(field_name == f[0] for f in fields):
                raise TableError(f"{where}: {name}: field {field_name!r} appears twice")
            if field_name in _RESERVED:
                raise TableError(f"{where}: {name}: field {field_name!r} is an attribute of every instruction")
            fields.append((field_name, low, width))
            continue
        for bit in token:
            low -= 1
            if bit not in "01.":
                raise TableError(f"{where}: {name}: expected 0, 1 or ., got {bit!r}")
            if bit != "." and low >= 0:
                mask |= 1 << low
                value |= int(bit) << low
    if low != 0:
        raise TableError(f"{where}: {name}: {abs(low)} bits {'missing' if low > 0 else 'too many'}, expected 32")
    constraint = constraint.strip()
    holds = _compile(constraint, [f[0] for f in fields], where) if constraint else None
    return Pattern(name, mask, value, tuple(fields), constraint, group, where, _extractor(fields), holds)


def _extractor(fields: list[tuple[str, int, int]]) -> Callable[[int], dict[str, int]]:
    """A function from a word to the values of its fields, written out: it runs for every distinct word of a program."""
    items = (f"{name!r}: word >> {low} & {(1 << width) - 1:#x}" for name, low, width in fields)
    return eval(f"lambda word: {{{', '.join(items)}}}")  # noqa: S307


def _compile(text: str, names: list[str], where: str) -> Callable[[dict[str, int]], bool]:
    try:
        code = compile(text, where, "eval")
    except SyntaxError as error:
        raise TableError(f"{where}: constraint {text!r}: {error.msg}") from None
    unknown = set(code.co_names) - set(names)
    if unknown:
        raise TableError(f"{where}: constraint uses unknown field(s) {', '.join(sorted(unknown))}")
    # The tables are part of the package, never input.
    return eval(f"lambda f: {_with_fields(text, names)}")  # noqa: S307


def _with_fields(text: str, names: list[str]) -> str:
    import re

    return re.sub(r"[A-Za-z_]\w*", lambda m: f"f[{m[0]!r}]" if m[0] in names else m[0], text)


def check_overlaps(table: list[Pattern]) -> None:
    """Raise TableError where two lines claim a word and neither is more specific."""
    for i, a in enumerate(table):
        for b in table[i + 1 :]:
            common = a.mask & b.mask
            if a.value & common != b.value & common:
                continue
            if a.mask == b.mask and not (a.constraint and b.constraint):
                raise TableError(f"{b.where}: {b.name} overlaps {a.name} ({a.where})")
            if common not in (a.mask, b.mask) and not (a.constraint or b.constraint):
                raise TableError(f"{b.where}: {b.name} overlaps {a.name} ({a.where}) and neither is more specific")


@functools.cache
def patterns() -> tuple[Pattern, ...]:
    """All lines of all tables, in file order."""
    found: list[Pattern] = []
    folder = importlib.resources.files("recomp.a64")
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".decode"):
            found += parse_table(entry.read_text("utf-8"), entry.name)
    names: dict[str, Pattern] = {}
    for pattern in found:
        if pattern.name in names:
            raise TableError(f"{pattern.where}: {pattern.name} is already defined at {names[pattern.name].where}")
        names[pattern.name] = pattern
    return tuple(found)


@functools.cache
def _index() -> tuple[tuple[Pattern, ...], ...]:
    """Patterns that can match, for each value of bits 31:21 (most fixed bits first)."""
    found: list[list[Pattern]] = [[] for _ in range(1 << 11)]
    for pattern in sorted(patterns(), key=lambda p: -p.mask.bit_count()):
        free = ~pattern.mask >> 21 & 0x7FF
        key = 0  # each value of the free bits in turn
        while True:
            found[pattern.value >> 21 | key].append(pattern)
            key = (key - free) & free
            if key == 0:
                break
    return tuple(map(tuple, found))


@functools.lru_cache(maxsize=1 << 18)
def decode(word: int) -> Insn | None:
    """The instruction a 32-bit word encodes, or None if no line of the tables matches."""
    for pattern in _index()[word >> 21]:
        if word & pattern.mask == pattern.value:
            fields = pattern.fields_of(word)
            if pattern.holds is None or pattern.holds(fields):
                return Insn(pattern, word, fields)
    return None
