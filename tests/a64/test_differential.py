"""Each pattern's semantics against the CPU model, on random words and states."""

import numpy as np
import pytest

import tests.a64.operands_integer
import tests.a64.operands_simd  # noqa: F401
from recomp.a64 import Pattern, decode, patterns
from recomp.semantics import functions
from tests.a64.harness import Case, differences
from tests.a64.words import MODEL, NOT_IN_MODEL, random_words, states_for

WORDS, STATES = 10, 200


def groups() -> dict[str, list[Pattern]]:
    """Patterns that have semantics and that the model can judge."""
    found: dict[str, list[Pattern]] = {}
    for pattern in patterns():
        if pattern.name in functions() and pattern.name not in NOT_IN_MODEL:
            found.setdefault(pattern.group, []).append(pattern)
    return found


def cases_of(members: list[Pattern], rng: np.random.Generator, words: int, states: int) -> dict[str, list[Case]]:
    """Random cases, by the model they need."""
    cases: dict[str, list[Case]] = {}
    for pattern in members:
        chosen = random_words(pattern, rng, words)
        assert chosen, f"{pattern.name}: no word to test it with"
        for word in chosen:
            case = Case((word,), states_for(decode(word), rng, states))
            cases.setdefault(MODEL.get(pattern.name, "a72"), []).append(case)
    return cases


@pytest.mark.parametrize("group", sorted(groups()))
def test_group_agrees_with_the_model(group: str) -> None:
    rng = np.random.default_rng(2024)
    found = []
    for model, cases in cases_of(groups()[group], rng, WORDS, STATES).items():
        found += differences(cases, model=model)
    assert not found, "\n".join(map(str, found[:20]))
