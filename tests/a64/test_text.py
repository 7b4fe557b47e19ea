"""Disassembly reads as an independent disassembler writes it, wherever that uses no alias."""

import re

import numpy as np
import pytest

from recomp.a64 import decode, patterns
from recomp.a64.text import insn_text, word_text
from tests.a64.operands_integer import INTEGER_TABLES
from tests.a64.test_coverage import disassemble
from tests.a64.words import is_testable, load_operands, random_words

#: Names or operands that the disassembler replaces by words of its own (barrier domains, register names, ...).
_WORDY = {"barriers", "system registers", "hints", "cache maintenance"}


def _groups() -> list[str]:
    load_operands()
    return sorted({p.group for p in patterns() if p.where.partition(":")[0] in INTEGER_TABLES} - _WORDY)


@pytest.mark.parametrize("group", _groups())
def test_text_is_what_the_disassembler_writes(group: str) -> None:
    rng = np.random.default_rng(3)
    words = [w for p in patterns() if p.group == group for w in random_words(p, rng, 60)]
    pairs = [(insn_text(decode(w), 0x1000), disassemble(w)) for w in words if is_testable(decode(w))]
    pairs = [(_numbers(a), _numbers(b)) for a, b in pairs]
    same_name = [(a, b) for a, b in pairs if a.split(" ")[0] == b.split(" ")[0] and "prf" not in a]
    assert [(a, b) for a, b in same_name if a != b] == []
    assert len(same_name) >= 10 or group == "bitfield", "nothing was compared"  # bitfields have aliases only


def _numbers(text: str) -> str:
    """Every immediate as its value modulo 2^64: the disassembler prints some signed ones unsigned and the reverse."""
    return re.sub(r"#(-?\w+)", lambda m: f"#{int(m[1], 0) & (1 << 64) - 1}", text)


def test_unknown_words_and_patterns_without_formatter() -> None:
    assert word_text(0x00010000, 0) == ".word 0x00010000"
    assert word_text(0xD5033BBF, 0) == "dmb #0xb"
    assert word_text(0xD53BD040, 0) == "mrs x0, s3_3_c13_c0_2"
    assert word_text(0xD50B7421, 0) == "dc zva, x1"
    assert re.fullmatch(r"[a-z0-9_]+( \w+=\d+)+", word_text(0x6E22DC20, 0))


def test_every_word_has_text() -> None:
    rng = np.random.default_rng(4)
    for pattern in patterns():
        for word in random_words(pattern, rng, 3):
            assert word_text(word, 0x1000)
