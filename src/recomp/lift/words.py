"""All instruction words of a program in one array, classified at once.

Discovery asks two questions a million times: which word ends the block that begins here, and where does that word
go? Both are answered for every word beforehand, from the decode table's masks, so that what follows costs time per
block and not per instruction.
"""

from __future__ import annotations

import numpy as np

from recomp.a64.table import Insn, Pattern, decode, patterns
from recomp.errors import LiftError
from recomp.formats.elf import Elf

#: What a word is to control flow. Everything but ORDINARY ends a block; UNDEFINED is a word that no table knows.
ORDINARY, B, BL, COND, BR, BLR, RET, TRAP, UNDEFINED = range(9)

_KIND_OF = {
    "B": B,
    "BL": BL,
    "B_cond": COND,
    "CBZ": COND,
    "CBNZ": COND,
    "TBZ": COND,
    "TBNZ": COND,
    "BR": BR,
    "BLR": BLR,
    "RET": RET,
    "UDF": TRAP,
    "BRK": TRAP,
    "HLT": TRAP,
}
_DISPLACEMENT_OF = {"B": "imm26", "BL": "imm26", "TBZ": "imm14", "TBNZ": "imm14"}
#: The encoding of nop, the padding between functions.
NOP = 0xD503201F
#: Executable segments further apart than this are not one program's text.
_MAX_CODE_BYTES = 1 << 28


class Words:
    """The words from `base` on: `code: (n,) uint32`, `kind: (n,) bytes`.

    `stop[i]` is the index of the first word at or behind `i` that ends a block (n - 1 when there is none), `target[i]`
    the address a direct branch goes to, else -1. `in_code[i]` says whether code may lie there at all.
    """

    def __init__(self, elf: Elf) -> None:
        self.base, self.code, executable = _flatten(elf)
        self.count = len(self.code)
        self.end = self.base + 4 * self.count
        self.in_code = executable & _section_mask(elf, self.base, self.count)
        kind, target = _classify(self.code, self.base)
        kind[~self.in_code] = UNDEFINED
        ordinary = np.flatnonzero(kind == ORDINARY)
        kind[ordinary[~_are_defined(self.code[ordinary])]] = UNDEFINED
        self.kinds = kind
        self.targets = target
        self.kind = kind.tobytes()
        self._code = self.code.data
        #: whether a word begins a frame or is a landing place for calls, as the first word of many functions
        self.opens = _opening_mask(self.code).tobytes()
        self.target: memoryview = target.data
        self.stop: memoryview = _next_stop(kind).data

    def index(self, address: int) -> int:
        """The index of the word at `address`, -1 when it is misaligned or outside."""
        if address & 3 or not self.base <= address < self.end:
            return -1
        return (address - self.base) >> 2

    def insn(self, index: int) -> Insn | None:
        """The instruction at an index; None for what ends a block, decodable or not."""
        return None if self.kind[index] else decode(self._code[index])

    def opens_function(self, address: int) -> bool:
        """Whether the word at `address` looks like the first of a function: it sets up a frame or takes calls."""
        index = self.index(address)
        return index >= 0 and bool(self.opens[index])

    def is_fallen_into(self, address: int) -> bool:
        """Whether control may run on into `address` from the word before, padding aside."""
        before = self.index(address) - 1
        while before >= 0 and self.code[before] == NOP:
            before -= 1
        return before >= 0 and self.kind[before] in (ORDINARY, COND, BLR)

    def may_be_code(self, address: int) -> bool:
        """Whether code may lie at `address`, decodable or not."""
        index = self.index(address)
        return index >= 0 and bool(self.in_code[index])

    def is_call(self, address: int) -> bool:
        """`bl` or `blr` lies there."""
        return self.is_code(address) and int(self.kind[self.index(address)]) in (BL, BLR)

    def is_code(self, address: int) -> bool:
        """Whether a decodable word lies at `address`."""
        index = self.index(address)
        return index >= 0 and self.kind[index] != UNDEFINED


def _flatten(elf: Elf) -> tuple[int, np.ndarray, np.ndarray]:
    segments = [s for s in elf.segments if s.execute and s.data]
    if not segments:
        raise LiftError("lift: found no executable segment, expected at least one")
    base = min(s.base for s in segments) & ~3
    end = max(s.base + len(s.data) for s in segments)
    if end - base > _MAX_CODE_BYTES:
        raise LiftError(f"lift: executable segments span {end - base:#x} bytes, expected at most {_MAX_CODE_BYTES:#x}")
    count = (end - base + 3) >> 2
    image = bytearray(count * 4)
    executable = np.zeros(count, bool)
    for segment in segments:
        start = segment.base - base
        image[start : start + len(segment.data)] = segment.data
        executable[(start + 3) >> 2 : (start + len(segment.data)) >> 2] = True
    return base, np.frombuffer(bytes(image), "<u4"), executable


def _section_mask(elf: Elf, base: int, count: int) -> np.ndarray:
    """Where code may lie: the executable sections if the file still has them, else everywhere."""
    sections = [s for s in elf.sections if s.execute]
    mask = np.full(count, not sections)
    for section in sections:
        low = max(section.base - base, 0)
        mask[(low + 3) >> 2 : max(section.base + section.size - base, 0) >> 2] = True
    return mask


def _classify(code: np.ndarray, base: int) -> tuple[np.ndarray, np.ndarray]:
    kind = np.zeros(len(code), np.uint8)
    target = np.full(len(code), -1, np.int64)
    for name, value in _KIND_OF.items():
        pattern = pattern_named(name)
        found = np.flatnonzero((code & np.uint32(pattern.mask)) == np.uint32(pattern.value))
        kind[found] = value
        if value in (B, BL, COND):
            displacement = signed_field(code[found], pattern, _DISPLACEMENT_OF.get(name, "imm19"))
            target[found] = base + 4 * (found + displacement)
    return kind, target


def pattern_named(name: str) -> Pattern:
    """The table line of that name."""
    return next(p for p in patterns() if p.name == name)


def field_values(words: np.ndarray, pattern: Pattern, name: str) -> np.ndarray:
    """A field of many words, unsigned: (n,) int64."""
    low, width = next((low, width) for field, low, width in pattern.fields if field == name)
    return (words >> np.uint32(low)).astype(np.int64) & ((1 << width) - 1)


def signed_field(words: np.ndarray, pattern: Pattern, name: str) -> np.ndarray:
    """A field of many words, sign-extended: (n,) int64."""
    width = next(width for field, _, width in pattern.fields if field == name)
    value = field_values(words, pattern, name)
    return value - ((value >> (width - 1)) << width)


def _opening_mask(code: np.ndarray) -> np.ndarray:
    """stp, str or sub that lower sp; paciasp, pacibsp, bti c, bti jc."""
    mask = np.isin(code, (0xD503233F, 0xD503237F, 0xD503245F, 0xD50324DF))
    for name, fields in (("STP_pre", ("rn",)), ("STR_pre", ("rn",)), ("SUB_i", ("rn", "rd"))):
        pattern = pattern_named(name)
        found = (code & np.uint32(pattern.mask)) == np.uint32(pattern.value)
        for field in fields:
            found &= field_values(code, pattern, field) == 31
        mask |= found
    return mask


def _are_defined(words: np.ndarray) -> np.ndarray:
    """Which words decode; each distinct word is decoded once (a fifth of the words of real code are distinct)."""
    distinct, inverse = np.unique(words, return_inverse=True)
    return np.fromiter((decode(word) is not None for word in distinct.tolist()), bool, len(distinct))[inverse]


def _next_stop(kind: np.ndarray) -> np.ndarray:
    stops = np.append(np.flatnonzero(kind), max(len(kind) - 1, 0))
    return stops[np.searchsorted(stops[:-1], np.arange(len(kind)))]
