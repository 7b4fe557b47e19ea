"""Readers of console files given damaged ones; `make fuzz-formats` does the same a hundred times as often."""

from __future__ import annotations

from collections import Counter

from tests.formats import fuzz


def test_every_seed_is_sound() -> None:
    for seed in fuzz.seeds():
        assert fuzz.check(seed, seed.data) == "read", seed.name


def test_ten_thousand_mutated_files_are_read_or_refused_with_one_clear_error() -> None:
    seen: Counter[str] = Counter()

    def report(_: int, counts: Counter[str]) -> None:
        seen.update(counts - seen)

    assert list(fuzz.run(10_000, 1, report)) == []
    assert sum(seen.values()) == 10_000
    for seed in fuzz.seeds():
        assert seen[f"{seed.name} read"] > 20 and seen[f"{seed.name} refused"] > 20, seen


def test_a_reader_that_crashes_is_found() -> None:
    """The control: what is not a FormatError counts as a finding."""
    seeds = fuzz.seeds
    try:
        fuzz.seeds = lambda: [fuzz.Seed("broken", b"abcd", ((0, 4),), lambda data: data[9])]
        assert len(list(fuzz.run(3, 0))) == 3
    finally:
        fuzz.seeds = seeds
