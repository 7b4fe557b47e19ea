"""Planted edits are found where they were planted, and the script found is never longer than the one planted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recomp.media.align import Run, _edit_distance, align

UNIQUE = [f"{k:064x}" for k in range(1200)]
LOOPED = [f"{k % 40:064x}" for k in range(1200)]  # an animation loop: no hash is unique, only edit distance can tell
OTHER = "f" * 64


@pytest.mark.parametrize("reference", [UNIQUE, LOOPED], ids=["unique", "looped"])
@pytest.mark.parametrize("at", [0, 1, 600, 1198, 1199])
@pytest.mark.parametrize("kind", ["substitute", "delete", "insert"])
def test_one_edit_is_found_where_it_is(reference, at, kind):
    capture = list(reference)
    if kind == "substitute":
        capture[at] = OTHER
    elif kind == "delete":
        del capture[at]
    else:
        capture.insert(at, OTHER)
    found = align(reference, capture)
    assert found.runs == (Run(kind, at, at, 1),)
    assert found.matched == 1200 - (kind != "insert")


def test_equal_lists_have_no_edits():
    assert align(UNIQUE, list(UNIQUE)).runs == ()
    assert align(UNIQUE, list(UNIQUE)).matched == 1200
    assert align([], []).matched == 0


def test_an_edit_within_a_still_picture_is_at_the_first_difference():
    """Nobody can say which of equal frames is missing; the first position where the lists differ is named."""
    assert align(["a"] * 4 + ["b"], ["a"] * 3 + ["b"]).runs == (Run("delete", 3, 3, 1),)
    assert align(["a"] * 3 + ["b"], ["a"] * 5 + ["b"]).runs == (Run("insert", 3, 3, 2),)


def test_several_edits_keep_apart():
    """Drops, a repeat and a changed frame in one list, at the distances they were made."""
    capture = list(UNIQUE)
    capture[900] = OTHER
    capture.insert(501, capture[500])
    del capture[100:103]
    assert align(UNIQUE, capture).runs == (
        Run("delete", 100, 100, 3),
        Run("insert", 501, 498, 1),
        Run("substitute", 900, 898, 1),
    )


def test_divergence_to_the_end_is_one_run():
    capture = UNIQUE[:700] + [f"{k + 5000:064x}" for k in range(450)]
    assert align(UNIQUE, capture).runs == (Run("substitute", 700, 700, 450), Run("delete", 1150, 1150, 50))


def test_swapped_frames_cost_no_more_than_two_edits():
    capture = list(UNIQUE)
    capture[40], capture[41] = capture[41], capture[40]
    found = align(UNIQUE, capture)
    assert found.runs[0].reference_start == 40
    assert sum(run.count for run in found.runs) == 2


def distance(a: str, b: str) -> int:
    """Textbook Levenshtein distance, the judge."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        left, row = row, [i]
        for j, y in enumerate(b):
            row.append(min(left[j] + (x != y), left[j + 1] + 1, row[j] + 1))
    return row[-1]


def replay(reference: str, capture: str) -> str:
    """Apply the script to the reference, taking what is new from the capture."""
    out, r = [], 0
    for run in align(reference, capture).runs:
        out.append(reference[r : run.reference_start])
        r = run.reference_start + (run.count if run.kind != "insert" else 0)
        if run.kind != "delete":
            out.append(capture[run.capture_start : run.capture_start + run.count])
    return "".join(out) + reference[r:]


@settings(max_examples=300, deadline=None)
@given(st.text("ab", min_size=1, max_size=14), st.text("ab", min_size=1, max_size=14))
def test_between_anchors_the_script_is_shortest(reference, capture):
    assert len(_edit_distance(reference, capture)) == distance(reference, capture)


@settings(max_examples=200, deadline=None)
@given(st.text("abcdefgh", max_size=20), st.text("abcdefgh", max_size=20))
def test_every_script_turns_reference_into_capture_from_the_first_difference(reference, capture):
    found = align(reference, capture)
    assert replay(reference, capture) == capture
    first = next((k for k, (x, y) in enumerate(zip(reference, capture, strict=False)) if x != y), None)
    if first is None and len(reference) != len(capture):
        first = min(len(reference), len(capture))
    assert (found.runs[0].reference_start if found.runs else None) == first


def test_random_defects_never_cost_more_than_planted():
    random.seed(4)
    for _ in range(20):
        capture = list(UNIQUE)
        for _ in range(12):
            at = random.randrange(len(capture))
            random.choice([lambda: capture.pop(at), lambda: capture.insert(at, OTHER)])()  # noqa: B023
        assert sum(run.count for run in align(UNIQUE, capture).runs) <= 12


def test_positions_are_plain_integers_that_json_knows() -> None:
    """Two lists that share frames out of order once gave numpy integers, and validate could not write its report."""
    found = align(["a", "x", "b", "y", "a"], ["b", "q", "a", "r", "b"])
    assert found.runs
    assert all(type(n) is int for run in found.runs for n in (run.reference_start, run.capture_start, run.count))
