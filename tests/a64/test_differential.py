"""Each pattern's semantics against the CPU model, on random words and states."""

import numpy as np
import pytest

from recomp.a64 import decode, patterns
from recomp.semantics import functions
from tests.a64.harness import Case, differences
from tests.a64.words import random_words, states_for

WORDS, STATES = 12, 250


def groups() -> dict[str, list]:
    found: dict[str, list] = {}
    for pattern in patterns():
        if pattern.name in functions():
            found.setdefault(pattern.group, []).append(pattern)
    return found


@pytest.mark.parametrize("group", sorted(groups()))
def test_group_agrees_with_the_model(group: str) -> None:
    rng = np.random.default_rng(2024)
    cases = [
        Case((word,), states_for(decode(word), rng, STATES))
        for pattern in groups()[group]
        for word in random_words(pattern, rng, WORDS)
    ]
    assert cases
    found = differences(cases)
    assert not found, "\n".join(map(str, found[:20]))
