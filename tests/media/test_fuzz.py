"""The control of tools/fuzz_media.py: whatever a file does to a reader is told, the file kept, the next one read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "fuzz_media.py"


def fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "--count", "4", "--keep", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_files_that_are_read_or_refused_are_counted(tmp_path):
    done = fuzz(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = [line.split()[0] for line in done.stdout.splitlines() if "frames:" in line]
    assert sum(map(int, counts)) == 4 and "4 files, seed 0: 0 wrong" in done.stdout


@pytest.mark.parametrize(
    "plant, said",
    [
        ("crash", "ended the reader with SIGSEGV"),
        ("hang", "was not read within 10 s"),
        ("memory", "exit code 1: MemoryError"),
        ("error", "exit code 1: ValueError: planted"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_file_is_read(tmp_path, plant, said):
    patience = ("--patience", "10") if plant == "hang" else ()
    done = fuzz(tmp_path, "--plant", plant, *patience)
    assert done.returncode == 1
    assert said in done.stdout and "4 files, seed 0: 1 wrong" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["seed-0-file-1.bin"]
    counts = [line.split()[0] for line in done.stdout.splitlines() if "frames:" in line]
    assert sum(map(int, counts)) == 3
