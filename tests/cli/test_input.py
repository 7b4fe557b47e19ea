"""`recomp input`: scripts are checked, made of what was read, and compared with what the guest read."""

from __future__ import annotations

import struct

import pytest

from recomp.cli.input import matched, read_events
from recomp.cli.main import main
from recomp.config.input_writer import control_of, script_text

HEAD = 'schema_version = "1"\n[metadata]\ntitle = "t"\ncontroller = "c"\ntiming_mode = "frames"\n'


def event(frame: int, control: str, value: int) -> str:
    return f'[[events]]\nframe = {frame}\ncontrol = "{control}"\nvalue = {value}\n'


def test_a_right_script_is_told_in_a_line(tmp_path, capsys):
    path = tmp_path / "s.toml"
    path.write_text(HEAD + event(3, "A", 1) + event(9, "A", 0) + '[[markers]]\nname = "end"\nframe = 60\n')
    assert main(["input", "check", str(path)]) == 0
    assert capsys.readouterr().out.endswith("s.toml: 2 events, 1 marker, to tick 60 (1.0 s)\n")


def test_what_a_script_hardly_means_is_noted(tmp_path, capsys):
    path = tmp_path / "s.toml"
    events = event(3, "A", 1) + event(5, "A", 1) + event(6, "B", 0) + event(70, "UP", 1)
    path.write_text(HEAD + events + '[[markers]]\nname = "end"\nframe = 60\n')
    assert main(["input", "check", str(path)]) == 0
    said = capsys.readouterr().out
    for remark in (
        "A is pressed at tick 5 and was held since tick 3",
        "B is released at tick 6 and was not held",
        "A is held from tick 5 to the end",
        "1 events from tick 70 on lie behind the marker end (60)",
    ):
        assert remark in said


@pytest.mark.parametrize(
    "text, said",
    [
        (HEAD + event(1, "AA", 1), 'unknown control "AA"'),
        (HEAD + "[[events]]\ntime_ms = 4\ncontrol = 1\nvalue = 1\n", 'does not belong to timing_mode "frames"'),
        (HEAD + event(1, "A", 1).replace("1\n", "x\n"), "is not TOML"),
        ("\0", "is not TOML"),
    ],
)
def test_a_wrong_script_is_refused_with_its_place(tmp_path, capsys, text, said):
    path = tmp_path / "s.toml"
    path.write_text(text)
    assert main(["input", "check", str(path)]) == 2
    err = capsys.readouterr().err
    assert said in err and "s.toml:" in err


def test_a_recording_becomes_a_script_and_back(tmp_path, capsys):
    log = tmp_path / "inputs.jsonl"
    log.write_text(
        '{"tick":4,"type":1,"code":44,"value":1}\n{"tick":4,"type":0,"code":0,"value":0}\n'
        '{"tick":5,"type":1,"code":44,"value":2}\n{"tick":7,"type":3,"code":0,"value":-300}\n'
        '{"tick":7,"type":1,"code":640,"value":1}\n'
    )
    made = tmp_path / "made.toml"
    assert main(["input", "record", str(log), "--to", str(made)]) == 0
    text = made.read_text()
    assert 'control = "A"' in text and 'control = "LSTICK_X"\nvalue = -300' in text and "control = 640" in text
    assert text.count("[[events]]") == 3, "reports and repetitions are nobody's"
    assert main(["input", "check", str(made)]) == 0
    assert main(["input", "record", str(log), "--to", str(made)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_dump_of_a_device_counts_from_its_first_event(tmp_path):
    times = [(100, 999_000), (101, 9_000), (102, 0)]
    rows = [struct.pack("<qqHHi", s, us, 1, 30, k % 2) for k, (s, us) in enumerate(times)]
    path = tmp_path / "event0"
    path.write_bytes(b"".join(rows))
    assert [tick for tick, *_ in read_events(str(path))] == [0, 1, 60]


@pytest.mark.parametrize(
    "data, said",
    [
        (b"\0" * 25, "25 bytes"),
        (struct.pack("<qqHHi", 5, 2_000_000, 1, 1, 1), "no evdev dump"),
        (struct.pack("<qqHHi", 5, 0, 1, 1, 1) + struct.pack("<qqHHi", 4, 0, 1, 1, 1), "no evdev dump"),
        (b"4 1\n", "expected TICK TYPE CODE VALUE"),
        (b'{"tick":-1}\n', "inputs:1"),
        (b"1 0 0 0\n", "no event that somebody played"),
        (b"1 2 0 5\n", "no control has these"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path, capsys, data, said):
    path = tmp_path / "inputs"
    path.write_bytes(data)
    assert main(["input", "record", str(path), "--to", str(tmp_path / "out.toml")]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.toml").exists()


def test_the_log_of_a_run_says_what_came_late(folder, capsys):
    (folder.root / "input_script.toml").write_text(HEAD + event(3, "A", 1) + event(9, "A", 0) + event(12, "B", 1))
    folder.config["reference"] = {"input_script_toml": "input_script.toml"}
    config = str(folder.write())
    assert main(["input", "log", "--config", config]) == 2
    assert "left no log" in capsys.readouterr().err
    recording = folder.work_root / "recording"
    recording.mkdir(parents=True)
    (recording / "inputs.jsonl").write_text(
        '{"tick":3,"type":1,"code":44,"value":1}\n{"tick":11,"type":1,"code":44,"value":0}\n'
        '{"tick":12,"type":1,"code":99,"value":1}\n'
    )
    assert main(["input", "log", "--config", config]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["3", "A", "1"], ["11", "A", "0", "2", "late"], ["12", "99", "1", "not", "in", "the", "script"],
    ]  # fmt: skip
    assert lines[3] == "3 events read of 3 in the script, 2 of them at another tick"


def test_every_control_has_its_name_again():
    assert control_of(1, 103) == "UP" and control_of(1, 59) == "KEY_F1" and control_of(3, 16) == "ABS_HAT0X"
    assert control_of(1, 0x2FF) == 0x2FF and control_of(1, 0x300) is None and control_of(2, 0) is None
    assert matched(None, [(1, 2, 0, 5)]) == [(1, None, "2/0", 5)]


def test_a_title_with_anything_in_it_is_still_toml():
    import tomllib

    text = script_text({}, title='a "b"\n\\ ü', controller="c", markers=[("x\ty", 3)], end=4)
    parsed = tomllib.loads(text)
    assert parsed["metadata"]["title"] == 'a "b"\n\\ ü'
    assert [(m["name"], m["frame"]) for m in parsed["markers"]] == [("x\ty", 3), ("end", 4)]
