"""What a disassembler knows of floating point and Advanced SIMD, the tables know, except for later extensions."""

import struct

import capstone
import numpy as np
import pytest

from recomp.a64 import Insn, decode, patterns
from recomp.semantics import functions

#: Mnemonics of extensions that are not implemented: complex numbers, BFloat16, Int8 matrices, FHM, JSCVT, FRINTTS,
#: SHA3, SHA512, SM3, SM4. CPY* and SET* (MOPS) share the encoding space of vector loads.
LATER = (
    "fcadd fcmla bfcvt bfdot bfml bfmm smmla ummla usmmla usdot sudot fmlal fmlsl fjcvtzs frint32 frint64 "
    "eor3 bcax rax1 xar sha512 sm3 sm4 cpy set"
).split()
#: Bits 28:25 of the encoding classes.
CLASSES = {"data processing": 0x0E000000, "loads and stores": 0x0C000000}
WORDS = 40_000


def _unpredictable(insn: Insn) -> bool:
    """Loads of one register twice, which the disassembler refuses."""
    return insn.name.startswith(("LDP", "LDNP")) and insn.rt == insn.rt2


@pytest.mark.parametrize("name", CLASSES)
def test_tables_and_disassembler_know_the_same_words(name: str) -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(0, 1 << 32, WORDS, np.uint64) & ~np.uint64(0x0E000000) | np.uint64(CLASSES[name])
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    unknown, invented = [], []
    for word in map(int, words):
        text = next(disassembler.disasm_lite(struct.pack("<I", word), 0), None)
        insn = decode(word)
        if text and not insn and not text[2].startswith(tuple(LATER)):
            unknown.append(f"{word:08x} {text[2]} {text[3]}")
        if insn and not text and not _unpredictable(insn):
            invented.append(f"{word:08x} {insn!r}")
    assert not unknown, "\n".join(unknown[:20])
    assert not invented, "\n".join(invented[:20])


def test_every_pattern_has_semantics() -> None:
    mine = [p.name for p in patterns() if p.where.startswith(("fpsimd", "crypto"))]
    assert len(mine) > 600
    assert not [name for name in mine if name not in functions()]
