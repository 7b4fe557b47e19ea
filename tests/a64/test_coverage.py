"""Nothing of ARMv8.0-A at EL0 is missing, as an independent disassembler sees it."""

import struct
import sys
from collections.abc import Iterator

import capstone
import numpy as np

from recomp.a64 import decode, patterns
from recomp.a64.coverage import BRANCHES, coverage, evidence_kinds, later_extension, out_of_scope
from recomp.semantics import functions
from tests.a64.evidence import TABLE, evidence
from tests.a64.operands_integer import INTEGER_TABLES
from tests.a64.words import is_testable, random_words

#: The disassembler refuses these where a should-be-one field is not ones, or (LDTR) where no rule says so.
_STRICTER = {
    "STXR",
    "STLXR",
    "LDXR",
    "LDAXR",
    "LDXP",
    "LDAXP",
    "STLLR",
    "STLR",
    "LDLAR",
    "LDAR",
    "STTR",
    "LDTR",
    "LDTRS",
}
_DISASSEMBLER = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)


def integer_words(rng: np.random.Generator, per_class: int) -> Iterator[int]:
    """Words of every value of bits 31..21 outside SVE, SME and SIMD&FP; the fields below often zeros or ones."""
    for top in range(1 << 11):
        word = top << 21
        op0 = word >> 25 & 15
        integer = op0 in (5, 8, 9, 10, 11, 13) or op0 & 5 == 4 and not word >> 26 & 1 or op0 == 0 and top < 1 << 10
        if integer:
            kind = rng.integers(0, 6, (per_class, 4))
            bits = rng.integers(0, 1 << 21, per_class)
            for row, low in zip(kind, bits, strict=True):
                for choice, mask in zip(row, (0x1F, 0x3E0, 0xFC00, 0x1F0000), strict=True):
                    low = low & ~mask if choice == 0 else low | mask if choice == 1 else low
                yield word | int(low)


def disassemble(word: int) -> str:
    """Text of a word, "" if the disassembler does not know it."""
    for _, _, mnemonic, operands in _DISASSEMBLER.disasm_lite(struct.pack("<I", word), 0x1000):
        return f"{mnemonic} {operands}".strip()
    return ""


def test_every_integer_encoding_is_known_or_out_of_scope() -> None:
    rng = np.random.default_rng(11)
    unknown, extra = set(), set()
    for word in integer_words(rng, 250):
        insn, text = decode(word), disassemble(word)
        if insn is None and text and later_extension(word) is None and not _system_space_zero(word):
            unknown.add(f"{word:08x} {text}")
        if insn is not None and not text and is_testable(insn) and insn.name not in _STRICTER:
            extra.add(f"{word:08x} {insn}")
    assert not unknown, f"{len(unknown)} words, such as {sorted(unknown)[:10]}"
    assert not extra, f"{len(extra)} words, such as {sorted(extra)[:10]}"


def _system_space_zero(word: int) -> bool:
    """MSR and MRS with op0 = 0 name no register: unallocated (DDI 0487, C4.1.65)."""
    return word >> 22 == 0b1101010100 and word >> 19 & 3 == 0


def test_every_integer_pattern_is_implemented() -> None:
    missing = {name for row in coverage(functions()) if row.table in INTEGER_TABLES for name in row.missing}
    assert not missing


def test_branches_are_patterns_without_semantics() -> None:
    assert {p.name for p in patterns()} >= BRANCHES
    assert not BRANCHES & functions().keys()


def test_every_semantics_function_has_a_pattern() -> None:
    """A function under a misspelt name would be dead code."""
    names = {p.name for p in patterns()}
    modules = {sys.modules[function.__module__] for function in functions().values()}
    stray = [n for module in modules for n, value in vars(module).items() if _takes_insn(value) and n not in names]
    assert not stray


def _takes_insn(value: object) -> bool:
    code = getattr(value, "__code__", None)
    return code is not None and code.co_name[0].isupper() and code.co_varnames[:2] == ("b", "i")


def test_later_encodings_are_not_ours() -> None:
    rng = np.random.default_rng(12)
    for pattern in out_of_scope():
        for word in _words_of(pattern, rng):
            assert decode(word) is None, f"{pattern.where}: {pattern.name}: {word:08x} is {decode(word)}"


def _words_of(pattern, rng: np.random.Generator) -> Iterator[int]:
    for free in rng.integers(0, 1 << 32, 200):
        word = pattern.value | int(free) & ~pattern.mask
        if pattern.match(word) is not None:
            yield word


def test_every_pattern_has_words() -> None:
    """A constraint that nothing satisfies, or a line hidden by another, would be a dead line."""
    rng = np.random.default_rng(13)
    assert [p.name for p in patterns() if not random_words(p, rng, 1)] == []


def test_what_is_said_to_be_tested_is() -> None:
    assert TABLE.read_text("utf-8") == evidence(), "python -m tests.a64.evidence rewrites the table"
    assert [name for name, kinds in evidence_kinds().items() if not kinds] == []
    assert evidence_kinds().keys() == functions().keys() | BRANCHES
