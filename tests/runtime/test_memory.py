"""The guest's address space, and what happens at its edges."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest


def test_mappings_and_wrong_pointers(guest):
    one, two = guest("memory")(), guest("memory")("with", "arguments")
    assert (one.returncode, one.stderr) == (0, b"")
    assert one.stdout == two.stdout == b"first mapping ff7fb000\n"


@pytest.mark.parametrize(
    ("what", "code", "kind", "pc", "text"),
    [
        ("null", 139, "signal", "0x10000", "guest accessed address 0x10 (not mapped), in the function at 0x10000"),
        ("rodata", 139, "signal", "0x10000", "guest accessed address 0x10000 (not permitted there), in the function at 0x10000"),  # noqa: E501
        ("end", 139, "signal", "0x10000", "guest accessed address 0xffffffff (not mapped), in the function at 0x10000"),
        ("above", 139, "signal", "0x10000", "guest accessed address 0x8 (not mapped), in the function at 0x10000"),
        ("wrapped", 139, "signal", "0x10000", "guest accessed address 0xfffffff8 (not mapped), in the function at 0x10000"),  # noqa: E501
        ("undefined", 132, "trap", "0x10008", "undefined instruction"),
        ("breakpoint", 133, "trap", "0x10008", "breakpoint"),
        ("miss", 125, "miss", "0x1000c", "branch to 0x1234560, where no code was discovered"),
        ("kill", 143, "signal", "0x10000", "signal 15 SIGTERM"),
        ("deadlock", 124, "limit", "0x10000", "every guest thread waits for something that cannot happen any more"),
    ],
)  # fmt: skip
def test_an_abnormal_end_is_reported_in_one_line(guest, tmp_path, what, code, kind, pc, text):
    result = guest("fault")(what, RECOMP_RT_RECORD=str(tmp_path))
    assert result.returncode == code
    prefix, _, line = result.stderr.decode().partition(": ")
    assert prefix == "recomp-rt"
    report = json.loads(line)
    assert (report["kind"], report["code"], report["pc"], report["text"]) == (kind, code, pc, text)
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["exit"] == {"kind": kind, "code": code, "detail": text}


def test_a_stack_without_end_is_reported(guest):
    result = guest("fault")("stack")
    assert result.returncode == 139
    assert b"the host stack is exhausted" in result.stderr


def test_a_miss_is_listed(guest, tmp_path):
    guest("fault")("miss", RECOMP_RT_RECORD=str(tmp_path))
    assert json.loads((tmp_path / "misses.jsonl").read_text()) == {"site": 0x1000C, "target": 0x1234560, "count": 1}


def test_unknown_calls_are_counted(guest, tmp_path):
    assert guest("fault")("q", RECOMP_RT_RECORD=str(tmp_path)).returncode == 0
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["unknown_svcs"] == [{"number": 4000, "count": 2}, {"number": 4001, "count": 1}]


def guest_has_begun(pid: int) -> bool:
    """The guest's first thread is started once the signals are watched for."""
    return len(os.listdir(f"/proc/{pid}/task")) > 1


def test_a_guest_that_does_nothing_is_ended_from_outside(guest, tmp_path):
    environment = {"RECOMP_RT_RECORD": str(tmp_path)}
    process = subprocess.Popen(["guest", "loop"], executable=guest("fault").port, env=environment, stderr=-1)
    while not guest_has_begun(process.pid):
        os.sched_yield()
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 124
    assert b'"kind":"limit"' in stderr
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["exit"]["kind"] == "limit"
    assert run["exit"]["detail"].startswith("ended from outside by signal 15")
