"""The differential harness sees a planted defect: a judge that never objects proves nothing."""

import numpy as np
import pytest

from recomp import semantics
from recomp.a64 import decode
from tests.a64.harness import Case, differences
from tests.a64.states import random_states

ADD_X0_X1_1 = 0x91000420


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    def off_by_one(b, i) -> None:
        b.set_rsp(i.sf, i.rd, f"{b.rsp(i.sf, i.rn)} + {i.imm12 + 1}u")

    monkeypatch.setitem(semantics.functions(), "ADD_i", off_by_one)


def _states(count: int) -> np.ndarray:
    return random_states(np.random.default_rng(7), count)


def test_a_correct_instruction_has_no_difference() -> None:
    assert differences([Case((ADD_X0_X1_1,), _states(50))]) == []


def test_a_wrong_result_is_a_difference_in_that_register(planted: None) -> None:
    found = differences([Case((ADD_X0_X1_1,), _states(50))], limit=2)
    assert [d.index for d in found] == [0, 1]
    assert found[0].text.strip().startswith("x[0]:") and "\n" not in found[0].text


def test_a_word_without_pattern_is_a_difference() -> None:
    assert decode(0x00010000) is None
    assert "no pattern" in differences([Case((0x00010000,), _states(1))])[0].text


def test_a_word_that_the_model_refuses_is_a_difference() -> None:
    """udf stops the model; whatever ours does, that is no agreement."""
    found = differences([Case((ADD_X0_X1_1, 0x00000000), _states(1))])
    assert found and found[0].index == -1
