"""Each pattern's semantics against the CPU model, on random words and states."""

import numpy as np
import pytest

from tests.a64.fuzz import compare, groups

WORDS, STATES = 10, 200


@pytest.mark.parametrize("group", sorted(groups()))
def test_group_agrees_with_the_model(group: str) -> None:
    found = compare(groups()[group], np.random.default_rng(2024), WORDS, STATES)
    assert not found, "\n".join(map(str, found[:20]))
