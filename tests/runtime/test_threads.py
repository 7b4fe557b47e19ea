"""Guest threads and signals."""

from __future__ import annotations

import pytest


def test_threads_take_turns_in_the_same_way_each_time(guest):
    """Each holds the lock while it sleeps 1, 2 or 3 ms, three times: 18 ms of the guest's time pass, and 1 us for each
    yield of the last thread, which has nobody to yield to."""
    results = [guest("threads")() for _ in range(5)]
    assert {result.returncode for result in results} == {0}
    assert len({result.stdout for result in results}) == 1
    order, summary = results[0].stdout.decode().splitlines()
    assert sorted(order.split()) == ["1"] * 3 + ["2"] * 3 + ["3"] * 3
    assert summary == "count 9, 18003000 ns"


def test_threads_in_real_time(guest):
    result = guest("threads")(RECOMP_RT_REALTIME="1")
    assert (result.returncode, result.stderr) == (0, b"")
    order, summary = result.stdout.decode().splitlines()
    assert sorted(order.split()) == ["1"] * 3 + ["2"] * 3 + ["3"] * 3
    assert summary.startswith("count 9, ")


def test_handlers_run_and_return(guest):
    result = guest("signals")()
    assert result.stdout.decode() == "elsewhere, x19 7\n"
    assert result.returncode == 130
    assert b"signal 2 SIGINT" in result.stderr


@pytest.mark.parametrize("realtime", ["0", "1"])
def test_a_pipe_between_two_threads(guest, realtime):
    """Neither waits with the other's turn in its hands."""
    result = guest("pipe")(RECOMP_RT_REALTIME=realtime)
    assert result.stdout.decode() == "1048576 bytes, then 0\n"
