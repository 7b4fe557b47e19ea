"""The retail lane with a stand-in for the extractor: what it leaves, what it fails at, what it gives away."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from builders import IMAGE, ProjectFolder
from recomp.cli.main import main
from recomp.formats.npdm import write_npdm
from recomp.formats.romfs import read_romfs, write_romfs
from tests.lift.shared import LIBRARY, MAIN, OTHER, nso

KEY = "00112233445566778899aabbccddeeff"
#: It unpacks the "image" (a folder beside it) and "opens" archives, each of which names the folder of a program.
TOOL = """
here=$(dirname "$0")
case "$4 $5" in
"xci --securedir") [ -d "$here/archives" ] && cp "$here"/archives/* "$6" ;;
"nca --exefsdir")
  program="$here/programs/$(cat "$7")"
  [ -d "$program" ] || { echo "Error: $(basename "$7") has no program" >&2; exit 1; }
  cp "$program"/exefs/* "$6" ;;
"nca --romfs")
  romfs="$here/programs/$(cat "$7")/romfs.bin"
  [ -f "$romfs" ] || { echo "NCA has no RomFS section"; exit; }
  cp "$romfs" "$6" ;;
esac
"""


class Image:
    """A project in xci mode, its image and what the stand-in finds in it."""

    def __init__(self, folder: ProjectFolder) -> None:
        self.folder, self.root = folder, folder.root
        folder.take_image(bytes(0x100) + b"HEAD" + bytes(64), f"header_key = {KEY}{KEY}\nmaster_key_00 = {KEY}\n")
        folder.script("hactool", TOOL)
        folder.config["tools"] = {"xci_tool": "hactool", "xci_tool_path": "hactool"}
        self.archives = self.root / "archives"
        self.archives.mkdir()
        (self.archives / "00manual.nca").write_text("nothing")

    def program(self, archive: str, program_id: int, modules: dict[str, bytes], romfs: bytes = b"") -> None:
        (self.archives / f"{archive}.nca").write_text(archive)
        exefs = self.root / "programs" / archive / "exefs"
        exefs.mkdir(parents=True)
        for name, data in {**modules, "main.npdm": write_npdm(f"Title {archive}", program_id, (), ())}.items():
            (exefs / name).write_bytes(data)
        if romfs:
            (exefs.parent / "romfs.bin").write_bytes(romfs)

    def automate(self, until: str = "lift") -> int:
        self.folder.list_inputs(IMAGE)
        return main(["automate", "--config", str(self.folder.write()), "--until", until])

    def intake(self) -> dict:
        return json.loads((self.folder.work_root / "intake/intake-manifest.json").read_text())

    @property
    def extracted(self) -> Path:
        return self.folder.work_root / "assets/extracted"

    def secrets_seen(self, shown: str) -> list[str]:
        """Where a value of the key set can be read."""
        found = ["terminal"] if KEY in shown.lower() else []
        for path in self.folder.work_root.rglob("*"):
            if path.is_file() and KEY.encode() in path.read_bytes().lower():
                found.append(str(path))
        return found


@pytest.fixture
def image(folder: ProjectFolder) -> Image:
    return Image(folder)


def modules() -> dict[str, bytes]:
    return {"main": nso("main", MAIN), "subsdk0": nso("subsdk0", LIBRARY), "sdk": nso("sdk", OTHER)}


def test_a_program_is_extracted_linked_and_lifted(image: Image) -> None:
    romfs = write_romfs({"level/1.txt": b"one"})
    image.program("abc", 0x0100_0000_0000_1000, {**modules(), "strange": b"?"}, romfs)
    assert image.automate("pipeline") == 0
    assert sorted(os.listdir(image.extracted)) == ["exefs", "romfs.bin"]
    assert sorted(os.listdir(image.extracted / "exefs")) == ["main", "main.npdm", "sdk", "subsdk0"]
    assert read_romfs((image.extracted / "romfs.bin").read_bytes()).files[0].path == "level/1.txt"
    intake = image.intake()
    assert (intake["program_id"], intake["name"], intake["romfs"]) == ("0100000000001000", "Title abc", True)
    assert [module["name"] for module in intake["modules"]] == ["main", "subsdk0", "sdk"]
    assert {"module": "main", "symbol": "chosen", "provider": "sdk"}.items() <= intake["links"][0].items()
    project = image.folder.work_root / "build/project"
    assert '"subsdk0"' in (project / "module.c").read_text()
    assert "HEAD" not in (project / "module.c").read_text() and not (project / "romfs.bin").exists()
    # Content archives are gone, and what was extracted is marked for what it is.
    assert not list(image.folder.work_root.rglob("*.nca"))
    classes = {a["class"] for a in image.folder.manifest()["artifacts"] if "extracted" in a["path"]}
    assert classes == {"proprietary"}


def test_each_call_of_the_extractor_is_in_the_logs(image: Image) -> None:
    image.program("abc", 1, {"main": modules()["main"]})
    image.automate("intake")
    log = (image.folder.work_root / "logs/intake.stderr.log").read_text()
    assert log == "== 00manual.nca\nError: 00manual.nca has no program\n"


def test_a_missing_tool_is_named(image: Image, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(image.root / "nowhere"))
    image.folder.config["tools"] = {"xci_tool": "auto"}
    assert image.automate() == 1
    error = capsys.readouterr().err
    assert "tools.xci_tool: none of hactool, hactoolnet is installed" in error
    assert "set tools.xci_tool_path to the executable" in error


def test_auto_takes_the_tool_that_is_there(image: Image, monkeypatch) -> None:
    image.program("abc", 1, modules())
    (image.root / "hactool").rename(image.root / "hactoolnet")
    monkeypatch.setenv("PATH", f"{image.root}:{os.environ['PATH']}")
    image.folder.config["tools"] = {"xci_tool": "auto"}
    assert image.automate("intake") == 0


def test_a_tool_that_cannot_be_started_is_named(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    (image.root / "hactool").write_bytes(b"\x7fELF, but not really")
    assert image.automate() == 1
    assert "hactool: cannot be started" in capsys.readouterr().err


def test_a_wrong_key_set_leaves_archives_that_nothing_can_be_read_of(
    image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image.automate() == 1
    error = capsys.readouterr().err
    assert "the extractor found no program in 1 content archive" in error
    assert "Error: 00manual.nca has no program" in error
    assert "is the key set the one of this image's console and version?" in error


def test_a_tool_that_ends_well_whatever_the_key_set_is_quoted(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    image.folder.script("hactool", TOOL.replace("exit 1", "exit 0"))
    assert image.automate() == 1
    assert "in 1 content archive\n    Error: 00manual.nca has no program" in capsys.readouterr().err


def test_keys_that_the_tool_derived_are_not_in_the_logs(image: Image) -> None:
    image.program("0123456789abcdef0123456789abcdef", 1, modules())
    derived = "140F0F1011B5223D79587717FFD9EC3A"
    image.folder.script("hactool", f'echo "Key 0 (Decrypted):  {derived}"; echo "secure:/$(basename "$7")"\n{TOOL}')
    assert image.automate("intake") == 0
    log = (image.folder.work_root / "logs/intake.stdout.log").read_text()
    assert derived not in log and "Key 0 (Decrypted):  [redacted]" in log
    assert "secure:/0123456789abcdef0123456789abcdef.nca" in log


def test_an_extractor_that_fails_is_quoted(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    image.folder.script("hactool", 'echo "cannot read the header" >&2; exit 3')
    assert image.automate() == 1
    error = capsys.readouterr().err
    assert "the extractor ended with exit code 3" in error and "cannot read the header" in error


def test_an_image_without_archives_is_refused(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    (image.archives / "00manual.nca").unlink()
    image.folder.script("hactool", "exit 0")
    assert image.automate() == 1
    assert "the extractor found no content archive in the image" in capsys.readouterr().err


def test_a_partial_extraction_is_refused(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    image.program("abc", 1, {"sdk": modules()["sdk"]})
    assert image.automate() == 1
    error = capsys.readouterr().err
    assert 'the extracted program has no module "main": found sdk, main.npdm' in error
    assert "the extraction is incomplete" in error
    assert not image.extracted.exists()


@pytest.mark.parametrize("part", ['"nca --exefsdir"', '"nca --romfs"'])
def test_a_program_that_the_tool_opens_by_half_is_refused(
    image: Image, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    image.program("abc", 1, modules(), write_romfs({"a": b"1"}))
    broken = f'{part}) head -c 99 "$7" > "$6"/main || head -c 99 "$7" > "$6"; echo "no space left" >&2; exit 1 ;;'
    image.folder.script("hactool", TOOL.replace(f"{part})", f"{broken}\n{part})"))
    assert image.automate() == 1
    error = capsys.readouterr().err
    assert "the extractor ended with exit code 1" in error and "no space left" in error
    assert not image.extracted.exists()


def test_a_module_cut_short_is_refused(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    image.program("abc", 1, {"main": modules()["main"][:0x180]})
    assert image.automate() == 1
    assert "exefs/main: nso: file offset" in capsys.readouterr().err
    assert not image.extracted.exists()


def test_a_missing_module_is_known_by_the_symbols_that_nobody_defines(
    image: Image, capsys: pytest.CaptureFixture[str]
) -> None:
    image.program("abc", 1, {"main": modules()["main"], "subsdk0": modules()["subsdk0"]})
    assert image.automate("intake") == 0  # the weak one of subsdk0 does
    image.folder.config["run"] = {"resume": False}
    (image.root / "programs/abc/exefs/subsdk0").unlink()
    assert image.automate("intake") == 1
    assert 'found no module that defines "chosen" of module "main"' in capsys.readouterr().err


def test_what_an_extraction_no_longer_has_is_gone(image: Image) -> None:
    image.program("abc", 1, modules(), write_romfs({"a": b"1"}))
    assert image.automate("intake") == 0
    (image.root / "programs/abc/exefs/sdk").unlink()
    (image.root / "programs/abc/romfs.bin").unlink()
    image.folder.config["run"] = {"resume": False}
    assert image.automate("intake") == 0
    assert sorted(os.listdir(image.extracted / "exefs")) == ["main", "main.npdm", "subsdk0"]
    assert not (image.extracted / "romfs.bin").exists()


def test_of_several_programs_one_is_chosen_by_its_id(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    image.program("abc", 0x0100_0000_0000_2000, modules())
    image.program("def", 0x0100_0000_0000_2001, modules())
    assert image.automate() == 1
    error = capsys.readouterr().err
    assert "the image has 2 programs" in error and "0100000000002001  Title def" in error
    assert 'choose one: [tools] xci_program = "0100000000002000"' in error
    image.folder.config["tools"]["xci_program"] = "0100000000002001"
    assert image.automate("intake") == 0
    assert image.intake()["name"] == "Title def"
    image.folder.config["tools"]["xci_program"] = "0100000000002002"
    assert image.automate() == 1
    assert "the image has no program 0100000000002002; there are" in capsys.readouterr().err
    image.folder.config["tools"]["xci_program"] = "main"
    assert image.automate() == 2
    assert "16 hex digits (a program id)" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["", "exit 1"])
def test_a_tool_that_prints_the_key_set_gives_nothing_away(
    image: Image, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    image.program("abc", 1, modules())
    image.folder.script("hactool", f'cat "$2"; cat "$2" >&2; echo "KEY {KEY.upper()}" >&2\n{TOOL}\n{ending}')
    assert image.automate() == (1 if ending else 0)
    shown = capsys.readouterr()
    assert image.secrets_seen(shown.out + shown.err) == []
    assert "[redacted]" in (image.folder.work_root / "logs/intake.stderr.log").read_text()


def test_an_extraction_into_a_tracked_folder_is_refused(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    import subprocess

    image.program("abc", 1, modules())
    subprocess.run(["git", "init", "-q", str(image.root)], check=True)
    assert image.automate() == 2
    assert "lies in a git work tree and git does not ignore it" in capsys.readouterr().err
    (image.root / ".gitignore").write_text("/out/\n")
    assert image.automate("intake") == 0


def mock(*programs: dict) -> bytes:
    return json.dumps({"mock_image": "1", "programs": programs}).encode()


def test_a_mock_image_goes_the_same_way_without_a_tool(image: Image) -> None:
    exefs = {name: {"base64": base64.b64encode(data).decode()} for name, data in modules().items()}
    program = {"program_id": "0100000000003000", "exefs": exefs, "romfs": {"a/b.txt": {"text": "hello"}}}
    (image.root / "image.xci").write_bytes(mock(program))
    image.folder.config["tools"] = {"xci_tool": "mock"}
    assert image.automate() == 0
    assert (image.intake()["program_id"], image.intake()["romfs"]) == ("0100000000003000", True)
    assert read_romfs((image.extracted / "romfs.bin").read_bytes()).files[0].size == 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(0x100) + b"HEAD" + bytes(64), "is no mock image"),
        (b'{"mock_image": "2", "programs": []}', "is no mock image"),
        (b'{"mock_image": "1", "programs": [{"program_id": "1"}]}', "is no mock image"),
        (mock({"program_id": "0" * 16, "exefs": {"main": {"base64": "!"}}}), "exefs.main: expected"),
        (mock({"program_id": "0" * 16, "exefs": {"../x": {"text": ""}}}), "expected the plain name of a file"),
        (mock({"program_id": "0" * 16}), 'has no module "main": found nothing that is known'),
    ],
)
def test_a_mock_image_that_is_none_is_refused(
    image: Image, capsys: pytest.CaptureFixture[str], data: bytes, message: str
) -> None:
    (image.root / "image.xci").write_bytes(data)
    image.folder.config["tools"] = {"xci_tool": "mock"}
    assert image.automate() == 1
    assert message in capsys.readouterr().err
