"""Every schema is a schema, and what recomp reads and writes is valid by it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from builders import ProjectFolder, toml
from recomp.cli.main import main
from recomp.config.schema import names, schema

SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def validate(name: str, value: object) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(value)


@pytest.mark.parametrize("name", names())
def test_it_is_a_schema_and_is_printed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", name]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(printed)


def test_an_unknown_name_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "automaton"]) == 2
    assert 'did you mean "automation"?' in capsys.readouterr().err


def test_what_a_run_reads_and_writes(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    path = folder.write()
    assert main(["automate", "--config", str(path)]) == 0
    for name in ("automation", "title", "provenance", "reference_video", "capture_video"):
        validate(name, tomllib.loads((folder.root / f"{name}.toml").read_text()))
    validate("module", json.loads((folder.root / "module.json").read_text()))
    validate("run-manifest", folder.manifest())
    validate("validation-report", json.loads((folder.work_root / "validation/validation-report.json").read_text()))
    run = folder.work_root / ".recomp/runs/000001"
    validate("status", json.loads((run / "status.json").read_text()))
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    for event in events:
        validate("event", event)
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["recomp.run.requested", "recomp.run.started"]
    assert kinds[-1] == "recomp.run.completed"
    assert kinds.count("recomp.run.stage.completed") == 8
    assert kinds.count("recomp.run.validation.completed") == 1


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.toml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_samples_are_valid(path: Path) -> None:
    kinds = {"homebrew": "automation", "capture_homebrew": "capture_video"}
    validate(kinds.get(path.stem, path.stem), tomllib.loads(path.read_text()))


def test_a_failed_run_is_valid_too(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": ["false"]}
    assert main(["automate", "--config", str(folder.write())]) == 1
    validate("run-manifest", folder.manifest())


def test_an_unknown_key_is_invalid(folder: ProjectFolder) -> None:
    with pytest.raises(jsonschema.ValidationError, match="Additional properties"):
        validate("automation", tomllib.loads(toml({**folder.config, "comands": {}})))
