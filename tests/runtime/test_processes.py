"""Children, and execve of the guest itself."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.runtime.test_files import shell


def test_a_child_has_its_own_memory_and_its_end_is_seen(guest):
    assert shell(guest, None, *"pid fork pid exit 3 end pid".split()) == [
        "1000 of 999",
        "1001 of 1000",
        "child ended, status 300",
        "1000 of 999",
    ]


def test_a_child_that_dies_by_a_signal(guest):
    assert shell(guest, None, *"fork kill 15 end".split()) == ["child ended, status f"]


def test_children_of_children_and_pipes_between_them(guest):
    commands = "pipe fork fork write 4 hello exit 1 end exit 2 end read 3 pid"
    assert shell(guest, None, *commands.split()) == [
        "3 4 pipe 0",
        "write 5",
        "child ended, status 100",
        "child ended, status 200",
        "5 hello",
        "1000 of 999",
    ]


def test_a_childs_time_is_its_parents_past(guest):
    assert shell(guest, None, *"fork sleep 2000 now exit 0 end now".split()) == [
        "sleep 0",
        "2000 ms",
        "child ended, status 0",
        "2000 ms",
    ]


def test_execve_of_itself_keeps_descriptors_time_and_number(guest):
    assert shell(guest, None, *"pipe write 4 kept sleep 100 exec /proc/self/exe pid".split())[-1] == "1000 of 999"
    assert shell(guest, None, *"pipe write 4 kept sleep 100 exec /proc/self/exe now".split())[-1] == "100 ms"
    assert shell(guest, None, *"pipe write 4 kept exec /proc/self/exe read 3".split())[-1] == "4 kept"


def test_execve_cannot_change_the_root(guest, tmp_path):
    """The guest passes RECOMP_RT_ROOT=/ on; its successor is where it was."""
    assert shell(guest, tmp_path, "exec", "/proc/self/exe", "stat", "/etc") == ["stat -2"]


def test_groups_have_the_guests_numbers(guest):
    assert shell(guest, None, *"group 0 fork group 0 newgroup 0 group 0 exit 0 end".split()) == [
        "group 1000",
        "group 1000",
        "newgroup 0",
        "group 1001",
        "child ended, status 0",
    ]


def test_execve_in_a_child(guest):
    assert shell(guest, None, *"fork sleep 50 exec /proc/self/exe exit 5 end now".split()) == [
        "sleep 0",
        "child ended, status 500",
        "50 ms",
    ]


def test_execve_of_something_else_is_refused(guest, tmp_path):
    (tmp_path / "script").write_text("#!/proc/self/exe pid\n")
    (tmp_path / "script").chmod(0o755)
    (tmp_path / "plain").write_text("no program")
    (tmp_path / "other").write_bytes(b"\x7fELF" + bytes(200))
    (tmp_path / "other").chmod(0o755)
    commands = [word for name in ("plain", "other", "nowhere") for word in ("exec", name, "x", "y")]
    assert shell(guest, tmp_path, *commands) == [
        "exec -13",
        "exec -13",
        "exec -2",
    ]
    assert shell(guest, tmp_path, *"exec script now".split())[0] == "1000 of 999"


def test_only_the_first_process_records(guest, tmp_path):
    shell(guest, None, *"fork exit 3 end exit 4".split(), RECOMP_RT_RECORD=str(tmp_path))
    assert json.loads((tmp_path / "run.json").read_text())["exit"]["code"] == 4


def test_programs_of_the_host_in_real_time(guest, tmp_path):
    script = tmp_path / "hello"
    script.write_text("#!/bin/sh\necho $1 $PASSED\n")
    script.chmod(0o755)
    assert shell(guest, None, "fork", "exec", str(script), "there", "", "end", RECOMP_RT_REALTIME="1") == [
        "there 1",
        "child ended, status 0",
    ]


@pytest.mark.parametrize("before", ["", "block 17 "], ids=["open", "blocked"])
@pytest.mark.parametrize("realtime", ["0", "1"])
def test_the_end_of_a_child_is_noticed_while_its_parent_waits(guest, realtime, before):
    """The child ends long after its parent began to wait: it reads a pipe that is written late. Shells wait with
    SIGCHLD blocked."""
    process = subprocess.Popen(
        ["guest", *f"{before}fork read 0 exit 0 end".split()],
        executable=guest("shell").port,
        env={"RECOMP_RT_REALTIME": realtime},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    children = Path(f"/proc/{process.pid}/task")
    while not any((task / "children").read_text() for task in children.iterdir()):
        os.sched_yield()
    out, _ = process.communicate(b"x", timeout=20)
    assert out.decode().splitlines()[-2:] == ["1 x", "child ended, status 0"]
