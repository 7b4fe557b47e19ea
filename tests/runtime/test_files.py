"""Files under a root that nothing leads out of, folders, pipes, and what is there without any host files."""

from __future__ import annotations

import os

import pytest

RDWR_CREATE = "102"


@pytest.fixture
def root(tmp_path):
    """root/ with files and links, and beside it what a guest must never reach."""
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "root"
    (root / "folder" / "inner").mkdir(parents=True)
    (root / "file").write_text("content")
    (root / "folder" / "b").write_text("bb")
    (root / "folder" / "a").write_text("a")
    (root / "up").symlink_to("../secret")
    (root / "far").symlink_to(tmp_path / "secret")
    (root / "out").symlink_to("..")
    (root / "absolute").symlink_to("/folder/a")
    (root / "loop").symlink_to("loop")
    (root / "folder" / "back").symlink_to("../file")
    return root


def shell(guest, root, *commands, stdin=b"", **environment):
    settings = {"RECOMP_RT_ROOT": str(root)} if root else {}
    result = guest("shell")(*commands, stdin=stdin, **settings, **environment)
    assert result.stderr == b""
    return result.stdout.decode().splitlines()


def test_files_are_made_read_and_removed(guest, root):
    assert shell(guest, root, *f"open new {RDWR_CREATE} write 3 hello close 3 open new 0 read 3 stat new".split()) == [
        "open 3",
        "write 5",
        "close 0",
        "open 3",
        "5 hello",
        "100644 5 stat 0",
    ]
    assert (root / "new").read_text() == "hello"
    assert shell(guest, root, *"mkdir d mv new d/moved ln d/moved two rm d/moved rmdir d rm two".split()) == [
        "mkdir 0",
        "mv 0",
        "ln 0",
        "rm 0",
        "rmdir 0",
        "rm 0",
    ]
    assert not (root / "two").exists()


@pytest.mark.parametrize(
    "path", ["up", "far", "out/secret", "../secret", "/../secret", "folder/../../secret", "out/../../secret"]
)
@pytest.mark.parametrize("command", ["open {} 0", "open {} 1102", "stat {}", "exec {} x", "open {} 2"])
def test_nothing_leads_out_of_the_root(guest, root, path, command):
    """Links and .. end at the root, so that the secret's name is looked up inside it, where there is none."""
    before = sorted(os.listdir(root.parent))
    (answer,) = shell(guest, root, *command.format(path).split())
    made = command.endswith("1102") and answer == "open 3"
    assert answer.endswith(" -2") or made
    assert (root.parent / "secret").read_text() == "secret"
    assert sorted(os.listdir(root.parent)) == before


def test_links_are_followed_inside_the_root(guest, root):
    assert shell(guest, root, *"open absolute 0 read 3 open folder/back 0 read 4 readlink folder/back".split()) == [
        "open 3",
        "1 a",
        "open 4",
        "7 content",
        "7 ../file",
    ]
    assert shell(
        guest, root, *"lstat absolute open absolute 100000 open loop 0 open file/ 0 open file/x 0".split()
    ) == [
        "120777 9 lstat 0",
        "open -40",
        "open -40",
        "open -20",
        "open -20",
    ]


def test_names_come_sorted(guest, root):
    assert shell(guest, root, "list", "folder") == [". .. a b back inner = 0"]
    assert shell(guest, root, "list", "file") == ["= -9"]


def test_the_working_folder_is_the_guests(guest, root):
    assert shell(
        guest, root, *"pwd cd folder/inner pwd cd ../.. pwd cd .. pwd cd file cd nowhere open folder/a 0".split()
    ) == [
        "/ pwd 2",
        "cd 0",
        "/folder/inner pwd 14",
        "cd 0",
        "/ pwd 2",
        "cd 0",
        "/ pwd 2",
        "cd -20",
        "cd -2",
        "open 3",
    ]


def test_times_are_the_guests(guest, root):
    shell(guest, root, "sleep", "1500", "touch", "file")
    assert (root / "file").stat().st_mtime == 946684801.5


def test_without_a_root_there_are_only_virtual_files(guest):
    commands = "open /etc/passwd 0 stat / open /dev/null 2 write 3 x open /dev/urandom 0 stat /dev/zero open x 102"
    assert shell(guest, None, *commands.split()) == [
        "open -2",
        "stat -2",
        "open 3",
        "write 1",
        "open 4",
        "20666 0 stat 0",
        "open -2",
    ]


def test_standard_input_and_output(guest):
    assert shell(guest, None, *"read 0 read 0 dup 1 7 write 7 text close 7 write 7 text".split(), stdin=b"given") == [
        "5 given",
        "0 ",
        "dup 7",
        "textwrite 4",
        "close 0",
        "write -9",
    ]


def test_pipes(guest):
    assert shell(guest, None, *"pipe write 4 through read 3 close 4 read 3".split()) == [
        "3 4 pipe 0",
        "write 7",
        "7 through",
        "close 0",
        "0 ",
    ]


def test_a_write_to_nobody_is_sigpipe(guest):
    result = guest("shell")(*"pipe close 3 write 4 x".split())
    assert result.returncode == 128 + 13
    assert b"signal 13 SIGPIPE" in result.stderr


def test_paths_that_stand_for_descriptors(guest, root):
    there = "pipe write 4 ab open /dev/fd/3 0 read 5 open /proc/self/fd/9 0 open /dev/stdin 0 read 6"
    assert shell(guest, root, *there.split(), "readlink", "/proc/self/fd/77", stdin=b"in") == [
        "3 4 pipe 0",
        "write 2",
        "open 5",
        "2 ab",
        "open -2",
        "open 6",
        "2 in",
        "-2 ",
    ]
