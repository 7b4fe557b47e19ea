"""Variants, and the folders that units are staged into."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from batch.catalogue import command_titles, manifest, title, write_manifest, write_programs
from recomp.batch.staging import plan_files, toml, write_files
from recomp.batch.units import units
from recomp.config import project as projects
from recomp.config.batch import Manifest, load
from recomp.engine.fingerprint import StatCache
from recomp.errors import ConfigError


def loaded(root: Path, **changes) -> Manifest:
    write_programs(root, 1)
    return load(
        str(write_manifest(root, manifest([{**title("one", elf="p0001"), **changes.pop("title", {})}], **changes)))
    )


def test_a_matrix_makes_a_variant_of_each_combination(tmp_path: Path) -> None:
    matrix = {"optimisation": ["0", "2"], "seed": [1, 2], "target": ["x86_64-linux-musl"]}
    found = list(units(loaded(tmp_path, defaults={"matrix": matrix})))
    assert [unit.variant for unit in found] == ["O0+seed1", "O0+seed2", "O2+seed1", "O2+seed2"]
    assert found[1].overrides == {
        "build": {"optimisation": "0", "target": "x86_64-linux-musl"}, "run": {"seed": 2},
    }  # fmt: skip


def test_a_title_replaces_the_axes_that_it_names_and_adds_its_own_settings(tmp_path: Path) -> None:
    defaults = {"matrix": {"optimisation": ["0", "2"]}, "automation": {"run": {"ticks": 60, "seed": 1}}}
    own = {"matrix": {"optimisation": ["s"]}, "automation": {"run": {"seed": 9}}}
    (unit,) = units(loaded(tmp_path, defaults=defaults, title=own))
    assert unit.variant == "default" and unit.name == "one"
    assert unit.overrides == {"run": {"ticks": 60, "seed": 9}, "build": {"optimisation": "s"}}


def test_variants_whose_names_would_be_equal_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a.toml", "b/a.toml"):
        (tmp_path / name).write_text("")
    found = [
        unit.variant for unit in units(loaded(tmp_path, defaults={"matrix": {"input_script": ["a.toml", "b/a.toml"]}}))
    ]
    assert found == ["input_script0", "input_script1"]


def test_a_staged_program_is_a_project_of_its_own(tmp_path: Path) -> None:
    made = loaded(tmp_path)
    (unit,) = units(made)
    config = write_files(str(tmp_path / "unit"), plan_files(made, unit, StatCache()))
    project = projects.load(config)
    assert project.settings.work_root == str(tmp_path / "unit" / "out")
    assert os.path.realpath(project.settings.path("inputs", "elf")) == str(tmp_path / "p0001")
    assert project.settings.raw["build"]["jobs"] == 1


def test_a_staged_project_mirrors_its_files_and_is_the_same_from_anywhere(tmp_path: Path) -> None:
    listings = []
    for where in ("here", "there"):
        path, (made,) = command_titles(tmp_path / where, 1)
        made.config["inputs"]["config"] = str(made.root / "title.toml")  # absolute: becomes relative
        made.config["commands"]["run"] = [made.script("play.sh", "true")]
        made.write()
        batch = load(str(path))
        (unit,) = units(batch)
        staged = plan_files(batch, unit, StatCache())
        listings.append({name: data for name, data in staged.files.items() if isinstance(data, bytes)})
        assert sorted(staged.files) == ["automation.toml", "module.json", "play.sh", "provenance.toml", "title.toml"]
        assert projects.load(write_files(str(tmp_path / where / "unit"), staged))
    assert listings[0] == listings[1]


def test_what_is_no_longer_part_of_a_unit_is_removed_from_its_folder(tmp_path: Path) -> None:
    path, (made,) = command_titles(tmp_path, 1)
    made.config["commands"]["run"] = [made.script("play.sh", "true")]
    made.write()
    batch = load(str(path))
    (unit,) = units(batch)
    folder = tmp_path / "unit"
    write_files(str(folder), plan_files(batch, unit, StatCache()))
    assert (folder / "play.sh").is_symlink()
    made.config["commands"]["run"] = ["/usr/bin/true"]
    made.write()
    write_files(str(folder), plan_files(batch, unit, StatCache()))
    assert not os.path.lexists(folder / "play.sh") and (folder / "module.json").exists()


def test_an_absolute_output_cannot_be_shared_by_variants(tmp_path: Path) -> None:
    path, (made,) = command_titles(tmp_path, 1)
    made.config["outputs"]["build_dir"] = "/somewhere"
    made.write()
    batch = load(str(path))
    (unit,) = units(batch)
    with pytest.raises(ConfigError, match="outputs.build_dir: /somewhere is absolute"):
        plan_files(batch, unit, StatCache())


def test_a_program_other_than_the_listed_one_is_refused(tmp_path: Path) -> None:
    made = loaded(tmp_path, title={"inputs": {"elf": "p0001", "sha256": "0" * 64}})
    (unit,) = units(made)
    with pytest.raises(ConfigError, match="expected 0000"):
        plan_files(made, unit, StatCache())


def test_what_is_written_as_toml_is_read_back_equal() -> None:
    values = {
        "text": 'a "quoted" line\n\x7f\\', "number": 3, "share": 0.5, "flag": True, "list": ["a", 1],
        "table": {"odd key": "x", "inner": {"deep": [1, 2]}},
    }  # fmt: skip
    assert tomllib.loads(toml(values).decode()) == values
