"""What EL0 asks the kernel for, and what it may not do: the CPU model, which has no kernel, cannot judge that."""

import numpy as np
import pytest

from recomp.a64 import decode, patterns
from recomp.semantics import functions, lift_insn
from tests.a64.harness import compile_words
from tests.a64.states import zero_states
from tests.a64.trampoline import word_pc
from tests.a64.words import random_words

UNDEFINED, BREAKPOINT, SVC = 1, 2, 0x10000


def run(word: int) -> np.ndarray:
    compiled, missing = compile_words([(word,)])
    assert not missing
    return compiled.run(0, zero_states(1))[0]


def test_svc_passes_its_address_and_immediate() -> None:
    after = run(0xD4000001 | 0x1234 << 5)
    assert (after["trap"], after["x"][30]) == (SVC + 0x1234, word_pc(0))


@pytest.mark.parametrize("word", [0xD4200020, 0xD4400020])
def test_brk_and_hlt_are_breakpoints(word: int) -> None:
    after = run(word)
    assert (after["trap"], after["x"][30], after["x"][29]) == (BREAKPOINT, word_pc(0), word)


@pytest.mark.parametrize("name", ["UDF", "HVC", "SMC", "DCPS", "ERET", "DRPS", "MSR_i", "SYSL"])
def test_what_needs_privilege_is_undefined(name: str) -> None:
    pattern = next(p for p in patterns() if p.name == name)
    for word in random_words(pattern, np.random.default_rng(1), 3):
        after = run(word)
        assert (after["trap"], after["x"][29]) == (UNDEFINED, word)


@pytest.mark.parametrize(
    "word",
    [
        0xD5381000,  # mrs x0, sctlr_el1
        0xD5384240,  # mrs x0, currentel
        0xD53B4220,  # mrs x0, daif
        0xD518D040,  # msr tpidr_el1, x0
        0xD51BD060,  # msr tpidrro_el0, x0: EL0 only reads it
        0xD5087E40,  # dc cisw, x0
    ],
)
def test_privileged_registers_are_undefined(word: int) -> None:
    assert run(word)["trap"] == UNDEFINED


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (0xD53BD060, 0x7250),  # tpidrro_el0
        (0xD53BE040, 0x7251),  # cntvct_el0, from the runtime
        (0xD53BE020, 0x7251),  # cntpct_el0, the same
        (0xD53BE000, 19_200_000),  # cntfrq_el0
        (0xD53B0020, 0x8444C004),  # ctr_el0
        (0xD5380000, 0x410FD083),  # midr_el1
        (0xD5380600, 0x11120),  # id_aa64isar0_el1: AES, SHA1, SHA2, CRC32
        (0xD5380620, 0),  # id_aa64isar1_el1
        (0xD5380700, 0),  # id_aa64mmfr0_el1
    ],
)
def test_readable_registers(word: int, value: int) -> None:
    after = run(word)
    assert (after["trap"], after["x"][0]) == (0, value)


def test_traps_and_supervisor_calls_ask_for_registers_in_the_cpu() -> None:
    for pattern in patterns():
        if pattern.name in functions():
            for word in random_words(pattern, np.random.default_rng(2), 2):
                builder = lift_insn(decode(word), 0)
                assert builder is not None
                calls = "rt_svc(" in builder.text or "rt_trap(" in builder.text
                assert builder.sync >= calls, f"{pattern.name}: {builder.text}"


@pytest.mark.parametrize("word", [0xD503203F, 0xD503205F, 0xD503207F, 0xD50330FF])
def test_yield_wfe_wfi_and_sb_change_nothing(word: int) -> None:
    before, after = zero_states(1)[0], run(word)
    assert after.tobytes() == before.tobytes()
