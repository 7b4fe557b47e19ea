"""The batch manifest: every problem at once, each where it stands, in TOML and in JSON alike."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from batch.catalogue import manifest, title, write_manifest, write_programs
from builders import toml
from conftest import run_cli
from recomp.batch.units import units
from recomp.config.batch import load
from recomp.config.problems import ConfigProblems
from recomp.config.schema import schema
from recomp.errors import ConfigError


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigProblems) as raised:
        load(str(path))
    return [problem.render().split("\n")[0] for problem in raised.value.problems]


def test_every_problem_of_a_toml_manifest_is_named_with_its_place(tmp_path: Path) -> None:
    write_programs(tmp_path, 1)
    path = tmp_path / "batch.toml"
    path.write_text("""\
schema_version = "v1"
batch_id = "nightly"
created_at = "2026-01-01T00:00:00Z"
[global_defaults]
retries = "many"
[[titles]]
title_id = "one"
title_name = "One"
version = "1"
region = "none"
inputs = { elf = "p0001", colour = "red" }
""")
    assert problems(path) == [
        'batch.toml:5:11: global_defaults.retries: expected an integer from 0 to 20, found the string "many"',
        'batch.toml:11:27: titles[0].inputs.colour: unknown key "colour"',
    ]


def test_titles_are_checked_against_the_folder_and_each_other(tmp_path: Path) -> None:
    write_programs(tmp_path, 1)
    both = title("one", elf="p0001", nro="p0001")
    path = write_manifest(tmp_path, manifest([title("One", elf="p0002"), both], defaults={"memory_mb": {"biuld": 3}}))
    found = problems(path)
    assert [text.split(": ", 1)[1] for text in found] == [
        'global_defaults.memory_mb.biuld: there is no stage "biuld"',
        f"titles[0].inputs.elf: there is no file {tmp_path}/p0002",
        'titles[1].title_id: a second title "one"',
        "titles[1].inputs: expected one of automation, elf, nro, found elf and nro",
    ]
    assert all(text.startswith("batch.json:") and text.split(":")[1].isdigit() for text in found)


def test_what_is_not_json_is_said_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "batch.json"
    path.write_text('{"schema_version": "v1",\n "titles": [}')
    assert problems(path) == ["batch.json:2:13: is not JSON: expecting value"]


def test_both_forms_are_the_same_manifest_and_satisfy_the_schema(tmp_path: Path) -> None:
    write_programs(tmp_path, 2)
    values = manifest([title("one", elf="p0001"), title("two", elf="p0002")], defaults={"retries": 5})
    as_json = load(str(write_manifest(tmp_path, values)))
    (tmp_path / "batch.toml").write_text(toml(values))
    as_toml = load(str(tmp_path / "batch.toml"))
    assert as_json.raw == as_toml.raw
    assert [unit.name for unit in units(as_toml)] == ["one", "two"]
    jsonschema.validate(values, schema("batch"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**values, "titels": []}, schema("batch"))


def test_a_pinned_toolchain_is_held_to(tmp_path: Path) -> None:
    write_programs(tmp_path, 1)
    path = write_manifest(tmp_path, manifest([title("one", elf="p0001")], toolchain={"zig": "0.1.0"}))
    done = run_cli("batch", "run", str(path))
    assert done.returncode == 2
    assert "toolchain.zig: found 0.17" in done.stderr and 'expected "0.1.0"' in done.stderr


def test_init_takes_programs_and_projects_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    folder = tmp_path / "programs"
    write_programs(folder / "games", 2)
    (folder / "broken").write_bytes(b"\x7fELF" + bytes(10))
    (folder / "readme.txt").write_text("not a program")
    (folder / "project").mkdir()
    (folder / "project" / "automation.toml").write_text("")
    (folder / "project" / "p0001").write_bytes((folder / "games" / "p0001").read_bytes())
    done = run_cli("batch", "init", str(folder))
    assert done.returncode == 0, done.stderr
    assert "left out broken" in done.stdout and "readme" not in done.stdout
    made = load(str(folder / "batch.toml"))
    assert {t["title_id"]: {k: v for k, v in t["inputs"].items() if v and k != "asset_class"} for t in made.titles} == {
        "games-p0001": {"elf": "games/p0001"},
        "games-p0002": {"elf": "games/p0002"},
        "project": {"automation": "project/automation.toml"},
    }
    again = run_cli("batch", "init", str(folder))
    assert again.returncode == 2 and "is there already" in again.stderr


def test_init_of_a_folder_without_programs_says_what_it_looked_for(tmp_path: Path) -> None:
    done = run_cli("batch", "init", str(tmp_path))
    assert done.returncode == 2 and "static AArch64" in done.stderr
    assert json.loads(run_cli("schema", "batch").stdout)["title"] == "batch"


def test_a_folder_stands_for_the_manifest_in_it_and_a_wrong_name_for_the_right_one(tmp_path: Path) -> None:
    write_programs(tmp_path, 1)
    with pytest.raises(ConfigError, match="no batch.toml in this folder") as raised:
        load(str(tmp_path))
    assert raised.value.hint == f"recomp batch init {tmp_path} writes one"
    path = write_manifest(tmp_path, manifest([title("one", elf="p0001")]))
    assert load(str(tmp_path)).path == str(path)
    with pytest.raises(ConfigError, match="there is no such file") as raised:
        load(str(tmp_path / "batsh.json"))
    assert raised.value.hint == 'did you mean "batch.json"?'
