"""Random cases for whole groups of patterns: what CI runs briefly and `tools/fuzz_isa.py` for as long as asked."""

from __future__ import annotations

import functools

import numpy as np

from recomp.a64 import Pattern, decode, patterns
from recomp.semantics import functions
from tests.a64.harness import Case, Difference, differences
from tests.a64.words import MODEL, NOT_IN_MODEL, load_operands, random_words, states_for


@functools.cache
def groups() -> dict[str, list[Pattern]]:
    """Patterns that have semantics and that the model can judge, by group."""
    load_operands()
    found: dict[str, list[Pattern]] = {}
    for pattern in patterns():
        if pattern.name in functions() and pattern.name not in NOT_IN_MODEL:
            found.setdefault(pattern.group, []).append(pattern)
    return found


def random_cases(members: list[Pattern], rng: np.random.Generator, words: int, states: int) -> dict[str, list[Case]]:
    """Cases of `words` random words a pattern and `states` states each, by the model they need."""
    cases: dict[str, list[Case]] = {}
    for pattern in members:
        chosen = random_words(pattern, rng, words)
        assert chosen, f"{pattern.name}: no word to test it with"
        for word in chosen:
            case = Case((word,), states_for(decode(word), rng, states))
            cases.setdefault(MODEL.get(pattern.name, "a72"), []).append(case)
    return cases


def compare(members: list[Pattern], rng: np.random.Generator, words: int, states: int) -> list[Difference]:
    """Differences between the C and the model on random cases."""
    found = []
    for model, cases in random_cases(members, rng, words, states).items():
        found += differences(cases, model=model)
    return found
