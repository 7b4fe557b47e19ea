"""What a guest finds at its start, the port's settings, and how a run ends."""

from __future__ import annotations

import json

import pytest


def test_stack_has_arguments_environment_and_auxiliary_vector(guest):
    result = guest("start")("x", "y z", A="b", RECOMP_RT_SEED="5")
    lines = result.stdout.decode().splitlines()
    assert result.returncode == 7
    assert lines[:5] == ["argc 3", "argv guest", "argv x", "argv y z", "env A=b"]
    assert {"aux 6 1000", "aux 3 10040", "aux 4 38", "aux 5 2", "aux 9 10000", "aux 17 64", "aux 23 0"} <= set(lines)
    assert "aux 31 guest" in lines
    assert "aux 15 aarch64" in lines


def test_settings_are_not_the_guests(guest):
    lines = guest("start")(RECOMP_RT_SEED="1", PLAIN="1").stdout.decode().splitlines()
    assert [line for line in lines if line.startswith("env")] == ["env PLAIN=1"]


def test_random_depends_on_the_seed_alone(guest):
    def random(seed: str) -> str:
        lines = guest("start")(RECOMP_RT_SEED=seed).stdout.decode().splitlines()
        return next(line for line in lines if line.startswith("random"))

    assert random("1") == random("1")
    assert random("1") != random("2")


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("RECOMP_RT_SEED", "x", 'RECOMP_RT_SEED: expected a decimal number, found "x"'),
        ("RECOMP_RT_REALTIME", "2", 'RECOMP_RT_REALTIME: expected 0 or 1, found "2"'),
        ("RECOMP_RT_RECORD", "/nowhere", "RECOMP_RT_RECORD: cannot open folder /nowhere: No such file or directory"),
        ("RECOMP_RT_ROOT", "/nowhere", "RECOMP_RT_ROOT: cannot open folder /nowhere: No such file or directory"),
        ("RECOMP_RT_INPUT", "/nowhere", "RECOMP_RT_INPUT: cannot read /nowhere: No such file or directory"),
    ],
)
def test_wrong_settings_are_named(guest, setting, value, message):
    result = guest("start")(**{setting: value})
    assert (result.returncode, result.stderr.decode()) == (125, f"recomp-rt: {message}\n")


def test_run_json_of_a_plain_exit(guest, tmp_path):
    guest("start")(RECOMP_RT_RECORD=str(tmp_path))
    assert json.loads((tmp_path / "run.json").read_text()) == {
        "exit": {"kind": "exit", "code": 7, "detail": "exited"},
        "ticks": 0,
        "frames": 0,
        "video": None,
        "audio": None,
        "unknown_svcs": [],
    }
    assert not (tmp_path / "frames.rec").exists()
