"""Homebrew mode from the files to the end of the run, and what intake says of its modules."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from builders import ProjectFolder, provenance, sha256, toml
from recomp.cli.main import main
from recomp.formats.nro import nro_of_elf
from tests.formats.modules import ICON, assets, nro
from tests.lift.shared import ANSWER, LIBRARY, MAIN, OTHER, elf, nso

#: returns to the loader with success if and only if the modules were linked as they should be
PROGRAM = MAIN.replace("return nobody ? -1 : sum;", f"return nobody ? 2 : sum != {ANSWER};")


def homebrew(folder: ProjectFolder, nro_file: bytes, **modules: bytes) -> ProjectFolder:
    """A project of program.nro and these NSO modules."""
    files = {"program.nro": nro_file} | {f"{name}.nso": data for name, data in modules.items()}
    entries = []
    for name, data in files.items():
        (folder.root / name).write_bytes(data)
        form = "nro0" if name.endswith(".nro") else "nso0"
        entries.append({"path": name, "sha256": sha256(data), "size": len(data), "format": form, "role": "module"})
    (folder.root / "provenance.toml").write_text(toml(provenance(entries)))
    folder.config["inputs"] = {
        "mode": "homebrew", "nro": "program.nro", "nso": [f"{name}.nso" for name in modules],
        "provenance": "provenance.toml", "config": "title.toml",
    }  # fmt: skip
    folder.config["build"] = {"optimisation": "0"}
    return folder


def automate(folder: ProjectFolder, *arguments: str) -> int:
    return main(["automate", "--config", str(folder.write()), *arguments])


def intake(folder: ProjectFolder) -> dict:
    return json.loads((folder.work_root / "intake/intake-manifest.json").read_text())


@pytest.mark.slow
def test_an_nro_and_its_modules_run_as_one_program(
    folder: ProjectFolder, shared_store: None, capsys: pytest.CaptureFixture[str]
) -> None:
    program = nro_of_elf(elf("main", PROGRAM))
    homebrew(folder, program, subsdk0=nso("subsdk0", LIBRARY), sdk=nso("sdk", OTHER))
    assert automate(folder) == 0, capsys.readouterr().err
    facts = json.loads((folder.work_root / "recording/run.json").read_text())
    assert facts["exit"] == {"kind": "exit", "code": 0, "detail": facts["exit"]["detail"]}
    # The control: a module that answers something else is noticed.
    homebrew(folder, program, subsdk0=nso("subsdk0", LIBRARY), sdk=nso("sdk", OTHER.replace("3", "4")))
    assert automate(folder) == 1
    assert "the guest ended with exit code 1" in capsys.readouterr().err


def test_intake_says_what_there_is_and_keeps_what_is_no_code(folder: ProjectFolder) -> None:
    homebrew(folder, nro_of_elf(elf("main", PROGRAM), assets()), a=nso("subsdk0", LIBRARY), b=nso("sdk", OTHER))
    assert automate(folder, "--until", "intake") == 0
    found = intake(folder)
    assert [(m["name"], m["form"], m["base"], m["relocates_itself"]) for m in found["modules"]] == [
        ("program", "nro", 0x1000_0000, False), ("a", "nso", 0x1020_0000, False), ("b", "nso", 0x1040_0000, False),
    ]  # fmt: skip
    assert {(link["symbol"], link["provider"]) for link in found["links"]} == {
        ("chosen", "b"), ("counter", "a"), ("nobody", None), ("shared_add", "a"), ("table", "a"), ("twice", "program"),
    }  # fmt: skip
    assert found["assets"] == ["icon.jpg", "control.nacp", "romfs.bin"]
    assert (folder.work_root / "assets/program/icon.jpg").read_bytes() == ICON


def test_a_program_alone_relocates_itself(folder: ProjectFolder) -> None:
    source = "int value = 3; int *place = &value; int nx_start(void) { return *place; }"
    homebrew(folder, nro_of_elf(elf("alone", source, "-Wl,-Bsymbolic", "-fvisibility=hidden")))
    assert automate(folder, "--until", "intake") == 0
    (module,) = intake(folder)["modules"]
    assert (module["relocates_itself"], module["relocations"], intake(folder)["start_up"]) == (True, 1, [])


@pytest.mark.parametrize(
    ("program", "modules", "message"),
    [
        (b"x" * 0x200, {}, 'program.nro: found an unknown format, expected "nro0"'),
        (nro(), {"sdk": nro()}, 'sdk.nso: found "nro0", expected "nso0"'),
        (nro()[:0x1000], {}, "program.nro: nro: file offset 0x0: image: found 0x0 + 0x3000, expected an end within"),
        (nro(), {}, 'found no module that defines "wanted" of module "program"'),
    ],
)
def test_wrong_files_are_named(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str], program: bytes, modules: dict, message: str
) -> None:
    homebrew(folder, program, **modules)
    # Listed as what they are not, they would be refused before intake.
    listing = folder.root / "provenance.toml"
    listing.write_text(listing.read_text().replace('"nso0"', '"nro0"') if modules else listing.read_text())
    assert automate(folder, "--until", "intake") != 0
    assert message in capsys.readouterr().err


def test_two_modules_of_one_name_are_refused(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    homebrew(folder, nro_of_elf(elf("main", PROGRAM)), program=nso("sdk", OTHER))
    assert automate(folder, "--until", "intake") == 1
    error = capsys.readouterr().err
    assert 'a second module named "program"' in error and "rename one of them" in error


def test_init_writes_a_project_for_an_nro(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    place: Path = folder.root / "new"
    place.mkdir()
    (place / "game.nro").write_bytes(nro())
    assert main(["init", str(place / "game.nro"), "--to", str(place)]) == 0
    config = tomllib.loads((place / "automation.toml").read_text())
    assert (config["inputs"]["mode"], config["inputs"]["nro"]) == ("homebrew", "game.nro")
    assert tomllib.loads((place / "title.toml").read_text())["title"] == "A title"
    assert main(["check", "--config", str(place / "automation.toml")]) == 0
    (place / "game.nro").write_bytes(nro()[:0x2800])
    assert main(["init", str(place / "game.nro"), "--to", str(folder.root / "other")]) == 1
    assert "nro: file offset 0x0: image" in capsys.readouterr().err
    (place / "module.nso").write_bytes(nso("sdk", OTHER))
    assert main(["init", str(place / "module.nso"), "--to", str(folder.root / "other")]) == 2
    assert "module.nso: is an NSO, a module of a program" in capsys.readouterr().err
