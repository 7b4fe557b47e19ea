"""Modules in one address space: where each is placed, and what discovery then sees of them.

The first module lies at `FIRST_BASE`, each further one at the next multiple of `STEP` behind it: all below 4 GiB, the
same for the same files. Each keeps its own order of text, rodata, data and bss, as on a console.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recomp.errors import LiftError
from recomp.formats.elf import ADDRESS_LIMIT, Elf, ElfSection, ElfSegment, ElfSymbol
from recomp.formats.image import Image
from recomp.formats.mod0 import (
    R_RELATIVE,
    STT_FUNC,
    Dynamic,
    Mod0,
    find_dynamic,
    find_eh_frame,
    find_eh_frame_hdr,
    read_dynamic,
    read_mod0,
)
from recomp.formats.view import align

FIRST_BASE = 0x1000_0000
STEP = 0x20_0000
#: What modules may take; the rest of the guest's 4 GiB is for its heap, stacks and shared memory.
LAST_END = 0x2000_0000
#: Where a few instructions stand in for rtld, where they are needed.
STARTUP_BASE, STARTUP_TABLE = 0x0FFE_0000, 0x0FFF_0000

_NOTHING = Dynamic((), (), (), (), (), "", (0, 0), (0, 0))


@dataclass(frozen=True, slots=True)
class Placed:
    """A module at its base; `name` is unique in the program. `mod0` is None and `dynamic` empty where it has none;
    `is_stored`: its words are as relocation leaves them, nothing is left to do for start-up code."""

    name: str
    image: Image
    base: int
    mod0: Mod0 | None
    dynamic: Dynamic
    is_stored: bool = False


def place_modules(images: Sequence[tuple[str, Image]]) -> tuple[Placed, ...]:
    """Place modules in the given order, the program's own first. Raises FormatError, LiftError for too many or two of
    the same name."""
    placed: list[Placed] = []
    base = FIRST_BASE
    for name, image in images:
        if any(other.name == name for other in placed):
            raise LiftError(f'module "{name}": found two of that name, expected each once')
        if base + image.size > LAST_END:
            raise LiftError(f'module "{name}": ends at {base + image.size:#x}, expected at most {LAST_END:#x}')
        mod0 = read_mod0(image)
        at = mod0.dynamic if mod0 else find_dynamic(image)
        placed.append(Placed(name, image, base, mod0, read_dynamic(image, at) if at is not None else _NOTHING))
        base = align(base + image.size, STEP)
    return tuple(placed)


def program_of(
    modules: Sequence[Placed], entry: int, stored: Mapping[int, int], startup: tuple[bytes, bytes] | None = None
) -> Elf:
    """What discovery needs to know, in the form of a program: segments, symbols, relocated words, unwind tables.

    `stored`: place → value of the words of modules that do not relocate themselves; `startup`: code for STARTUP_BASE,
    and the table of functions that it calls, for STARTUP_TABLE.
    """
    segments, sections, symbols = [], [], []
    relocated = dict(stored)
    unwind = []
    if startup:
        code, table = startup
        segments.append(ElfSegment(STARTUP_BASE, len(code), True, False, True, 0, code, name="startup.text"))
        segments.append(ElfSegment(STARTUP_TABLE, len(table), True, False, False, 0, table, name="startup.rodata"))
        sections.append(ElfSection(".init_array", STARTUP_TABLE, len(table), False))
    for module in modules:
        segments += _segments(module)
        sections += _sections(module)
        symbols += [
            ElfSymbol(s.name, module.base + s.value, s.size)
            for s in module.dynamic.symbols
            if s.kind == STT_FUNC and s.section and s.value + s.size <= module.image.size
        ]
        if not module.is_stored:
            relocated |= relocated_words(module)
        start, end = module.mod0.eh_frame_hdr if module.mod0 else (0, 0)
        header = start if end > start else find_eh_frame_hdr(module.image)
        if header:
            unwind.append(module.base + header)
        elif frames := find_eh_frame(module.image):
            sections.append(ElfSection(".eh_frame", module.base + frames, module.image.rodata.end - frames, False))
    return Elf(
        entry=entry,
        bias=modules[0].base,
        segments=tuple(segments),
        sections=tuple(sections),
        symbols=tuple(sorted(set(symbols), key=lambda s: (s.base, s.name, s.size))),
        relocated=tuple(sorted(item for item in relocated.items() if max(item) < ADDRESS_LIMIT)),
        resolvers=(),
        eh_frame_hdrs=tuple(unwind),
        phdr=0,
        phent=0,
        phnum=0,
    )


def _segments(module: Placed) -> list[ElfSegment]:
    found = []
    for name, part in zip(("text", "rodata", "data"), module.image.parts, strict=True):
        bss = module.image.bss_size if name == "data" else 0
        if part.data or bss:
            segment = ElfSegment(
                base=module.base + part.offset,
                size=len(part.data) + bss,
                read=True,
                write=name == "data",
                execute=name == "text",
                file_offset=part.offset,
                data=part.data,
                name=f"{module.name}.{name}",
            )
            found.append(segment)
    return found


def _sections(module: Placed) -> list[ElfSection]:
    """The arrays of start-up and exit functions."""
    arrays = ((".init_array", module.dynamic.init), (".fini_array", module.dynamic.fini))
    return [ElfSection(name, module.base + at, size, False) for name, (at, size) in arrays if size]


def relocated_words(module: Placed) -> dict[int, int]:
    """Place → value of every word that gets the module's base added (RELATIVE, RELR)."""
    base, mask = module.base, (1 << 64) - 1
    found = {base + r.offset: base + r.addend & mask for r in module.dynamic.relocations if r.kind == R_RELATIVE}
    for place in module.dynamic.relr:
        word = module.image.read(place, 8)
        if word is not None:
            found[base + place] = base + int.from_bytes(word, "little") & mask
    return found
