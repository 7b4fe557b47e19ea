"""The search for garbage cycles stops for a translation, and goes on after it however it ended."""

from __future__ import annotations

import gc

import pytest

from recomp.errors import LiftError
from recomp.lift.collector import collector_paused


def test_it_goes_on_after_an_error() -> None:
    @collector_paused()
    def fails() -> None:
        assert not gc.isenabled()
        raise LiftError("lift: found nothing")

    assert gc.isenabled()
    with pytest.raises(LiftError):
        fails()
    assert gc.isenabled()


def test_whoever_has_stopped_it_finds_it_stopped() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
