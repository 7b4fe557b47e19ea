"""What the console's own loader (rtld) does, done ahead of time: modules linked against each other by dynamic symbols.

The program's own module relocates itself if all it needs is its base added; every other one is linked here, its words
stored as relocation leaves them. Symbols are looked for in the module itself if it asks for that (DT_SYMBOLIC), then in
all modules in their order: the first strong definition counts, else the first weak one. What those modules' start-up
arrays name is called by a few instructions that take the place of rtld's (`startup_code`).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recomp.errors import LiftError
from recomp.formats.image import Image, Part
from recomp.formats.mod0 import (
    DT_INIT,
    R_ABS64,
    R_GLOB_DAT,
    R_JUMP_SLOT,
    R_RELATIVE,
    Relocation,
    Symbol,
)
from recomp.lift.place import STARTUP_BASE, STARTUP_TABLE, Placed, relocated_words

_DT_SYMBOLIC, _DT_FLAGS, _DF_SYMBOLIC = 16, 30, 2
_WEAK = 2
_SYMBOLIC = (R_ABS64, R_GLOB_DAT, R_JUMP_SLOT)
#: symbols that a program without code at its start may begin at
_ENTRIES = ("_start", "nnMain", "main")
#: how many missing symbols an error names
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Link:
    """A symbol that `module` takes from `provider` ("" for a weak one that nobody defines), and at how many places."""

    module: str
    symbol: str
    provider: str
    address: int
    places: int


@dataclass(frozen=True, slots=True)
class Linked:
    """The modules with their words stored, what was linked, place → value of every word stored, and the start-up
    functions to call before the entry, in order; `entry` is where control begins, `startup` what stands for rtld."""

    modules: tuple[Placed, ...]
    links: tuple[Link, ...]
    words: dict[int, int]
    init: tuple[int, ...]
    entry: int
    startup: tuple[bytes, bytes] | None


def relocates_itself(module: Placed) -> bool:
    """Whether a program's start-up code can do all its relocation: there is nothing but the base to add."""
    return all(r.kind == R_RELATIVE for r in module.dynamic.relocations)


def link_modules(modules: Sequence[Placed]) -> Linked:
    """Raises LiftError for symbols that nobody defines, relocations of another kind, and places that cannot be."""
    scope = _Scope(modules)
    done: list[Placed] = []
    links: list[Link] = []
    words: dict[int, int] = {}
    for index, module in enumerate(modules):
        if index == 0 and relocates_itself(module):
            done.append(module)
            continue
        own, uses = _relocate(module, scope)
        words |= own
        links += [Link(module.name, *use, places) for use, places in uses.items()]
        done.append(_stored(module, own))
    if scope.missing:
        _fail_missing(scope.missing)
    init = tuple(pc for module in _init_order(done[1:]) for pc in _init_functions(module, words))
    entry = program_entry(done[0])
    startup = startup_code(init, entry) if init else None
    ordered = tuple(sorted(links, key=lambda link: (link.module, link.symbol)))
    return Linked(tuple(done), ordered, words, init, STARTUP_BASE if startup else entry, startup)


class _Scope:
    """Definitions by name over all modules."""

    def __init__(self, modules: Sequence[Placed]) -> None:
        self.missing: list[tuple[str, str]] = []
        self._strong: dict[str, tuple[str, int]] = {}
        self._weak: dict[str, tuple[str, int]] = {}
        self._own: dict[tuple[str, str], tuple[str, int]] = {}
        for module in modules:
            for symbol in module.dynamic.symbols:
                if symbol.name and symbol.section and symbol.bind:
                    found = module.name, module.base + symbol.value
                    (self._weak if symbol.bind == _WEAK else self._strong).setdefault(symbol.name, found)
                    self._own.setdefault((module.name, symbol.name), found)

    def find(self, module: Placed, symbol: Symbol, own_first: bool) -> tuple[str, int]:
        """(providing module, address); ("", 0) for a weak symbol that nobody defines."""
        if symbol.section and not symbol.bind:  # local
            return module.name, module.base + symbol.value
        found = self._own.get((module.name, symbol.name)) if own_first else None
        found = found or self._strong.get(symbol.name) or self._weak.get(symbol.name)
        if found is None:
            if symbol.bind != _WEAK:
                self.missing.append((module.name, symbol.name))
            return "", 0
        return found


def _relocate(module: Placed, scope: _Scope) -> tuple[dict[int, int], dict[tuple[str, str, int], int]]:
    """Place → value of the module's words, and (symbol, provider, address) → number of places."""
    tags = dict(module.dynamic.tags)
    own_first = _DT_SYMBOLIC in tags or bool(tags.get(_DT_FLAGS, 0) & _DF_SYMBOLIC)
    words = relocated_words(module)
    uses: dict[tuple[str, str, int], int] = {}
    for row in module.dynamic.relocations:
        if row.kind == R_RELATIVE:
            continue
        if row.kind not in _SYMBOLIC:
            raise LiftError(
                f'module "{module.name}": relocation at {row.offset:#x}: found type {row.kind}, expected one of'
                f" {', '.join(map(str, (*_SYMBOLIC, R_RELATIVE)))}",
                hint="thread-local and indirect symbols are not linked ahead of time",
            )
        symbol = module.dynamic.symbols[row.symbol]
        provider, address = scope.find(module, symbol, own_first) if row.symbol else (module.name, module.base)
        words[module.base + row.offset] = _value(module, row, address)
        if provider != module.name:
            use = symbol.name, provider, address
            uses[use] = uses.get(use, 0) + 1
    return words, uses


def _value(module: Placed, row: Relocation, address: int) -> int:
    addend = row.addend
    if row.kind != R_ABS64 and not addend:
        return address
    return (address + addend) & (1 << 64) - 1


def _stored(module: Placed, words: dict[int, int]) -> Placed:
    """The module with these words in its bytes; the part of bss that has some becomes data."""
    image = module.image
    raw = [bytearray(part.data) for part in image.parts]
    highest = max((place - module.base + 8 for place in words), default=0)
    grown = max(highest - image.data.end, 0)
    raw[2] += bytes(grown)
    for place, value in words.items():
        at = place - module.base
        spans = enumerate((part.offset, part.offset + len(raw[i]) - 8) for i, part in enumerate(image.parts))
        index = next((i for i, (low, high) in spans if low <= at <= high), -1)
        if index < 0:
            raise LiftError(f'module "{module.name}": relocation at {at:#x}: expected a place in the module')
        struct.pack_into("<Q", raw[index], at - image.parts[index].offset, value)
    parts = [Part(part.offset, bytes(data)) for part, data in zip(image.parts, raw, strict=True)]
    bss = max(image.bss_size - grown, 0)
    stored = Image(image.form, parts[0], parts[1], parts[2], bss, image.build_id, image.name)
    if module.mod0 is not None:
        stored = _without_mod0_magic(stored, module.mod0.offset)
    return replace(module, image=stored, is_stored=True)


def _without_mod0_magic(image: Image, at: int) -> Image:
    """Start-up code that would relocate the module a second time stops where it finds no MOD0."""
    parts = [
        Part(p.offset, p.data[: at - p.offset] + bytes(4) + p.data[at - p.offset + 4 :])
        if p.offset <= at < p.end
        else p
        for p in image.parts
    ]
    return Image(image.form, parts[0], parts[1], parts[2], image.bss_size, image.build_id, image.name)


def _fail_missing(missing: list[tuple[str, str]]) -> None:
    names = [f'"{symbol}" of module "{module}"' for module, symbol in dict.fromkeys(sorted(missing))]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    raise LiftError(
        f"link: found no module that defines {', '.join(names[:_NAMED])}{more}",
        hint="list the missing module in inputs.nso, or extract the whole program",
    )


def _init_order(modules: Sequence[Placed]) -> list[Placed]:
    """Modules after those that they need (DT_NEEDED by soname or name); else the later before the earlier."""
    by_name = {name: m for m in modules for name in (m.name, m.dynamic.soname) if name}
    order: list[Placed] = []
    visited: set[str] = set()
    for first in reversed(modules):
        stack = [(first, False)]
        while stack:
            module, is_ready = stack.pop()
            if is_ready:
                order.append(module)
            elif module.name not in visited:
                visited.add(module.name)
                needed = [by_name[name] for name in module.dynamic.needed if name in by_name]
                stack += [(module, True), *((other, False) for other in needed if other.name not in visited)]
    return order


def _init_functions(module: Placed, words: dict[int, int]) -> list[int]:
    """DT_INIT, then the array's entries; 0 and -1 stand for none."""
    found = [module.base + value for tag, value in module.dynamic.tags if tag == DT_INIT and value][:1]
    at, size = module.dynamic.init
    for place in range(at, at + size - 7, 8):
        raw = module.image.read(place, 8) or b""
        found.append(words.get(module.base + place, int.from_bytes(raw, "little")))
    return [pc for pc in found if pc not in (0, (1 << 64) - 1)]


def program_entry(module: Placed) -> int:
    """Where a program whose own module this is begins. Raises LiftError."""
    if any(module.image.text.data[:4]):
        return module.base + module.image.text.offset
    for name in _ENTRIES:
        for symbol in module.dynamic.symbols:
            if symbol.name == name and symbol.section:
                return module.base + symbol.value
    raise LiftError(f'module "{module.name}": found no code at its start and no symbol {" or ".join(_ENTRIES)}')


def startup_code(init: Sequence[int], entry: int) -> tuple[bytes, bytes]:
    """Code for STARTUP_BASE that calls each of `init` and goes on at `entry` with the registers that it got, and the
    table of addresses that it goes through, for STARTUP_TABLE."""
    code = [
        0xA9BD7BFD,  # stp x29, x30, [sp, #-48]!
        0xA90107E0,  # stp x0, x1, [sp, #16]
        0xA90253F3,  # stp x19, x20, [sp, #32]
        _adr(19, STARTUP_TABLE - (STARTUP_BASE + 4 * 3)),
        _adr(20, STARTUP_TABLE + 8 * len(init) - (STARTUP_BASE + 4 * 4)),
        0xEB14027F,  # cmp x19, x20
        0x54000080,  # b.eq +4 words
        0xF8408670,  # ldr x16, [x19], #8
        0xD63F0200,  # blr x16
        0x17FFFFFC,  # b -4 words
        0xA94253F3,  # ldp x19, x20, [sp, #32]
        0xA94107E0,  # ldp x0, x1, [sp, #16]
        0xA8C37BFD,  # ldp x29, x30, [sp], #48
        0xD2800010 | (entry & 0xFFFF) << 5,  # movz x16, #entry
        0xF2A00010 | (entry >> 16 & 0xFFFF) << 5,  # movk x16, #entry, lsl #16
        0xD61F0200,  # br x16
    ]
    return struct.pack("<16I", *code), struct.pack(f"<{len(init)}Q", *init)


def _adr(register: int, distance: int) -> int:
    return 0x10000000 | (distance & 3) << 29 | (distance >> 2 & 0x7FFFF) << 5 | register
