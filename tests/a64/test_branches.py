"""Conditional branches against the CPU model: a taken one skips an addition."""

import numpy as np
import pytest

from recomp.a64 import patterns
from recomp.semantics.branch import CONDITIONAL
from tests.a64.harness import Case, differences
from tests.a64.states import random_states
from tests.a64.words import random_words

ADD_X28_1 = 0x9100079C
OVER_ONE = 2


def _over_one(word: int, name: str) -> int:
    """The word with its offset set to two words."""
    pattern = next(p for p in patterns() if p.name == name)
    low, width = next((low, width) for field, low, width in pattern.fields if field in ("imm19", "imm14"))
    return word & ~((1 << width) - 1 << low) | OVER_ONE << low


@pytest.mark.parametrize("name", sorted(CONDITIONAL))
def test_taken_exactly_when_the_model_takes_it(name: str) -> None:
    rng = np.random.default_rng(6)
    pattern = next(p for p in patterns() if p.name == name)
    words = sorted({_over_one(word, name) for word in random_words(pattern, rng, 60)})
    if name == "B_cond":
        words = [words[0] & ~15 | cond for cond in range(16)]
    cases = [Case((word, ADD_X28_1), random_states(rng, 300)) for word in words]
    assert not differences(cases)
