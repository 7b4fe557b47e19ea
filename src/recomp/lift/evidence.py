"""Why an address is held to be a function: kinds of evidence by rank, and how each is collected.

The first kind that names an address wins and is kept with the function. Up to `call` the evidence makes a function of
its address in any case; the weaker kinds do so only where no function has been found to reach that address already
(they also point at the middle of functions: case labels, jump-table bases).
"""

from __future__ import annotations

import numpy as np

from recomp.formats.eh_frame import Fde
from recomp.formats.elf import Elf
from recomp.lift.words import (
    BL,
    BLR,
    BR,
    ORDINARY,
    RET,
    TRAP,
    UNDEFINED,
    B,
    Words,
    field_values,
    pattern_named,
    signed_field,
)

EVIDENCE = (
    "name_map",  # the caller's name map
    "entry",  # the ELF header
    "symbol",  # a function symbol
    "unwind",  # an FDE in .eh_frame
    "init",  # .init_array, .fini_array, .preinit_array, .init, .fini, IRELATIVE resolvers
    "call",  # target of a bl
    "trace",  # an earlier run branched there
    "relocation",  # a code pointer that start-up code stores (RELATIVE, RELR)
    "constant",  # adr, or adrp + add
    "pointer",  # an aligned data word
    "tail",  # target of a branch out of another function
    "gap",  # code that nothing else explains
)
RANK = {kind: rank for rank, kind in enumerate(EVIDENCE)}

#: How far behind an adrp its add may stand, in words.
_ADD_REACH = 8
#: The first register that calls leave alone.
_KEPT_BY_CALLS = 19


def call_targets(words: Words) -> list[int]:
    """Targets of every bl that decodes, ascending."""
    sites = np.flatnonzero(words.kinds == BL)
    return plausible(words, words.targets[sites])


def init_targets(elf: Elf, words: Words) -> list[int]:
    """What start-up and exit code call through tables, and ifunc resolvers."""
    relocated = dict(elf.relocated)
    found = list(elf.resolvers)
    for section in elf.sections:
        if section.name in (".init", ".fini"):
            found.append(section.base)
        elif section.name.startswith((".init_array", ".fini_array", ".preinit_array")):
            for place in range(section.base, section.base + section.size - 7, 8):
                raw = elf.read(place, 8) or b""
                found.append(relocated.get(place, int.from_bytes(raw, "little")))
    return plausible(words, np.array(sorted(found), np.int64))


def relocation_targets(elf: Elf, words: Words) -> list[int]:
    """Code pointers among the words that start-up code relocates."""
    return plausible(words, np.array([value for _, value in elf.relocated], np.int64))


def pointer_targets(elf: Elf, words: Words) -> list[int]:
    """Aligned 64-bit words of initialised data that hold the address of a decodable word."""
    if elf.bias:
        # Before relocation the data of a position-independent program holds no addresses.
        return []
    found = []
    for segment in elf.segments:
        skip = -segment.base % 8
        aligned = segment.data[skip:]  # nothing, where a segment is all .bss
        data = np.frombuffer(aligned, "<u8", len(aligned) // 8)
        keep = (data >= words.base) & (data < words.end)
        if segment.execute:
            places = (segment.base + skip - words.base) // 4 + 2 * np.arange(len(data))
            keep &= ~words.in_code[np.clip(places, 0, words.count - 1)]
        found.append(data[keep].astype(np.int64))
    return plausible(words, np.concatenate(found)) if found else []


def constant_references(words: Words) -> tuple[np.ndarray, np.ndarray]:
    """(address of the adr or adrp, address that it computes), not sorted."""
    code = words.code
    adr, adrp, add = pattern_named("ADR"), pattern_named("ADRP"), pattern_named("ADD_i")
    at = np.flatnonzero(((code & adr.mask) == adr.value) & words.in_code)
    sites = [words.base + 4 * at]
    found = [words.base + 4 * at + _adr_displacement(code[at], adr)]
    at = np.flatnonzero(((code & adrp.mask) == adrp.value) & words.in_code)
    page = ((words.base + 4 * at) & ~0xFFF) + (_adr_displacement(code[at], adrp) << 12)
    register = field_values(code[at], adrp, "rd")
    holds = np.ones(len(at), bool)
    for distance in range(1, _ADD_REACH + 1):
        index = np.minimum(at + distance, words.count - 1)
        word = code[index]
        is_add = ((word & add.mask) == add.value) & (field_values(word, add, "rn") == register) & holds
        is_add &= (field_values(word, add, "sf") == 1) & (field_values(word, add, "sh") == 0)
        sites.append((words.base + 4 * at)[is_add])
        found.append((page + field_values(word, add, "imm12"))[is_add])
        holds &= ~_loses(words.kinds[index], word, register)
    return np.concatenate(sites), np.concatenate(found)


def _loses(kinds: np.ndarray, code: np.ndarray, register: np.ndarray) -> np.ndarray:
    """Whether a general register no longer holds a page behind each word: it is the word's first operand (nobody stores
    a bare page), a call may change it, or control does not run on."""
    is_vector = code >> 26 & 3 == 3
    is_call = (kinds == BL) | (kinds == BLR)
    first = ((kinds == ORDINARY) & (code & 31 == register) & ~is_vector) | (is_call & (register < _KEPT_BY_CALLS))
    return first | np.isin(kinds, (B, BR, RET, TRAP, UNDEFINED))


def _adr_displacement(code: np.ndarray, pattern: object) -> np.ndarray:
    return (signed_field(code, pattern, "immhi") << 2) | field_values(code, pattern, "immlo")  # type: ignore[arg-type]


def plausible(words: Words, addresses: np.ndarray) -> list[int]:
    """The distinct addresses at which a decodable word lies."""
    addresses = np.unique(addresses)
    addresses = addresses[(addresses >= words.base) & (addresses < words.end) & (addresses & 3 == 0)]
    return addresses[words.kinds[(addresses - words.base) >> 2] != UNDEFINED].tolist()


def literal_words(words: Words, reached: np.ndarray) -> np.ndarray:
    """Words that reached code loads as literals: (n,) bool."""
    mask = np.zeros(words.count, bool)
    for name in ("LDR_l", "LDRSW_l"):
        pattern = pattern_named(name)
        at = np.flatnonzero(((words.code & np.uint32(pattern.mask)) == np.uint32(pattern.value)) & reached)
        place = at + signed_field(words.code[at], pattern, "imm19")
        for offset in (0, 1):
            inside = place[(place >= 0) & (place + offset < words.count)] + offset
            mask[inside] = True
    return mask & ~reached


def ends_of(elf: Elf, fdes: tuple[Fde, ...]) -> dict[int, int]:
    """Function start -> end, where unwind information or a sized symbol knows it."""
    ends = {s.base: s.base + s.size for s in elf.symbols if s.size}
    ends.update({f.start: f.start + f.size for f in fdes if not f.cold})
    return ends
