"""What a new user met on the first walk: each message says what to do, and looking leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from builders import ProjectFolder, elf, sha256
from recomp.cli.main import main
from recomp.config.document import Document
from recomp.config.problems import ConfigProblems
from recomp.config.provenance import load as load_provenance
from recomp.config.title import load as load_title


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `recomp init` wrote for a small program, and the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program").write_bytes(elf([0xD2800BA8, 0xD4000001]))
    assert main(["init", "program"]) == 0
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    main(list(arguments))
    return capsys.readouterr().err


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('schema_version = "1"', "schema_version = 1", 'write it in quotes: "1"'),
        ("args = []", 'args = "fast"', 'write ["fast"]'),
        ('work_root = "out"', 'work_root = "out', 'close it with "'),
        ('provenance = "provenance.toml"', 'provenance = "provenence.toml"', 'did you mean "provenance.toml"?'),
    ],
)
def test_a_slip_in_the_automation(
    written: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, hint: str
) -> None:
    """One problem, and not a second that only follows from it."""
    edit(written / "automation.toml", old, new)
    text = said(capsys, "automate")
    assert f"recomp: hint: {hint}\n" in text
    assert text.count("recomp: error: ") == 1


def test_one_bracket_instead_of_two(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(written / "provenance.toml", "[[inputs]]", "[inputs]")
    assert "write [[inputs]], with two brackets" in said(capsys, "check")


def test_a_program_that_was_built_again_is_listed_by_copying_a_line(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = elf([0xD2800BA8, 0xD4000001, 0xD503201F])
    (written / "program").write_bytes(data)
    assert f'size = {len(data)}, sha256 = "{sha256(data)}"' in said(capsys, "automate")


def test_a_reference_without_its_list_is_said_before_anything_runs(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(written / "automation.toml", '# reference_video_toml = "', 'reference_video_toml = "')
    for command in ("check", "automate"):
        text = said(capsys, command)
        assert "hashes.frames.path: there is no file" in text
        assert "recomp reference makes one" in text
    assert not (written / "out/run-manifest.json").exists()


def test_what_is_no_program_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").write_text("not a program")
    text = said(capsys, "init", str(tmp_path / "notes"), "--to", str(tmp_path / "project"))
    assert f"{tmp_path}/notes: elf: " in text
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("arguments", [["explain"], ["automate", "--dry-run"], ["check"], ["status"], ["runs"]])
def test_looking_makes_no_folder(written: Path, arguments: list[str]) -> None:
    before = sorted(os.listdir(written))
    main(arguments)
    assert sorted(os.listdir(written)) == before


def test_check_says_what_only_shows_when_the_module_is_emitted(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.module = folder.module.replace(b'"entry"', b'"other"')
    (folder.root / "module.json").write_bytes(folder.module)
    folder.list_inputs()
    assert "the module has no function 'entry'" in said(capsys, "check", "--config", str(folder.write()))


@pytest.mark.parametrize("text", ['title = "a\n', "title = 'a\n"])
def test_an_open_string_in_any_file(text: str) -> None:
    document = Document("title.toml", text.encode())
    load_title(document)
    with pytest.raises(ConfigProblems, match="the line ends inside a string"):
        document.finish()
    other = Document("provenance.toml", text.encode())
    assert load_provenance(other) == []


@pytest.mark.parametrize("name", ["Game [0100AB].elf", "a*b?.elf", "roms/g.elf", "back\\slash", "#1", "!x", "end "])
def test_git_ignores_the_program_whatever_its_name(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.parent.mkdir(exist_ok=True)
    program.write_bytes(elf([0xD2800BA8, 0xD4000001]))
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert main(["init", str(program), "--to", str(tmp_path)]) == 0
    git = ["git", "-C", str(tmp_path), "status", "--porcelain", "-uall", "-z"]
    seen = subprocess.run(git, capture_output=True, text=True, check=True).stdout.split("\0")
    assert f"?? {name}" not in seen and "?? automation.toml" in seen


def test_the_reference_that_record_makes_is_the_one_that_the_template_names(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (written / "automation.toml").read_text()
    assert '# reference_video_toml = "reference/reference_video.toml"' in text
    assert (written / "reference/reference_video.toml").exists()
