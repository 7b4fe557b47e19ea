"""A program of our own asks every service it uses, rightly and wrongly, on our runtime and on the oracle.

What is expected stands in its source; both must meet it, and say the same to the letter.
"""

from __future__ import annotations

import re

import numpy as np

from tests.homebrew.programs import Run
from tests.oracle.run import Report

GROUPS = "kernel memory threads messages settings applet input time files audio display waiting network".split()


def wrong_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not re.fullmatch(r"ok .*|\[\w+\]|end", line)]


def test_the_oracle_meets_every_expectation(checks_on_the_oracle: Report) -> None:
    assert wrong_lines(checks_on_the_oracle.text) == []
    assert checks_on_the_oracle.exit.kind == "return"
    assert checks_on_the_oracle.exit.code == 0


def test_the_port_meets_every_expectation(checks_on_the_port: Run) -> None:
    assert wrong_lines(checks_on_the_port.said) == []
    assert checks_on_the_port.facts["exit"]["kind"] == "exit"
    assert checks_on_the_port.facts["exit"]["code"] == 0


def test_both_say_the_same(checks_on_the_port: Run, checks_on_the_oracle: Report) -> None:
    assert checks_on_the_port.said == checks_on_the_oracle.text
    assert re.findall(r"^\[(\w+)\]$", checks_on_the_port.said, re.MULTILINE) == GROUPS
    assert checks_on_the_port.said.count("\nok ") > 550


def test_both_take_as_long_and_sound_the_same(checks_on_the_port: Run, checks_on_the_oracle: Report) -> None:
    assert checks_on_the_port.facts["ticks"] == checks_on_the_oracle.ticks
    ours = np.fromfile(checks_on_the_port.recording / "audio.pcm", "<i2").reshape(-1, 2)
    theirs = checks_on_the_oracle.samples
    assert np.count_nonzero(theirs) > 2000
    both = min(len(ours), len(theirs))  # the oracle hears whole ticks
    assert np.array_equal(ours[:both], theirs[:both])
    assert not theirs[both:].any() and not ours[both:].any()


def test_what_nobody_implements_is_listed(checks_on_the_port: Run, checks_on_the_oracle: Report) -> None:
    unknown = {row["name"]: row["count"] for row in checks_on_the_port.facts["unknown_commands"]}
    assert unknown == {"service nothere": 1, "set:9999": 1, "fs.IFileSystem:9999": 1}
    assert {name.replace(" 9999", ":9999"): n for name, n in checks_on_the_oracle.unknown.items()} == unknown


def test_the_card_is_as_the_program_left_it(checks_on_the_port: Run) -> None:
    """It created a folder with files in it, and deleted them all."""
    assert [path for path in (checks_on_the_port.files / "sdmc").rglob("*") if path.is_file()] == []
    assert not (checks_on_the_port.files / "sdmc" / "checks").exists()
