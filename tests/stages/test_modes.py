"""The modes: what each reads, and what of the key set is never seen."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from builders import ProjectFolder, ops_module
from recomp.cli.main import main

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def image(folder: ProjectFolder) -> ProjectFolder:
    """xci mode with an extractor that shows the whole key set, as real ones do when asked to be verbose."""
    folder.take_image(bytes(0x100) + b"HEAD" + bytes(64), f"header_key = {KEY}{KEY}\nmaster_key_00 = {KEY}\n")
    folder.script("hactool", f'cat prod.keys; echo "KEY {KEY.upper()}" >&2; echo data > "$6/file"')
    folder.config["tools"] = {"xci_tool": "hactool", "xci_tool_path": "hactool"}
    folder.config["commands"] = {name: ["true"] for name in ("build", "run")}
    folder.config["run"] = {"lift_mode": "stub"}
    return folder


def automate(folder: ProjectFolder) -> int:
    return main(["automate", "--config", str(folder.write())])


def test_an_image_is_extracted_by_the_tool_and_no_key_is_ever_seen(
    image: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert automate(image) == 0
    assert (image.work_root / "assets/extracted/file").read_text() == "data\n"
    assert (image.work_root / "logs/intake.stdout.log").read_text() == (
        "header_key = [redacted]\nmaster_key_00 = [redacted]\n"
    )
    assert (image.work_root / "logs/intake.stderr.log").read_text() == "KEY [redacted]\n"
    shown = capsys.readouterr()
    assert KEY not in (shown.out + shown.err).lower()
    for path in image.work_root.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes().lower(), path


@pytest.mark.parametrize("command", ["automate", "check"])
def test_a_command_that_spells_a_key_out_is_refused(image: ProjectFolder, command: str, capsys) -> None:
    """It would stand in the process list and in the manifest."""
    image.config["commands"]["run"] = ["true", f"--key={KEY.upper()}"]
    assert main([command, "--config", str(image.write())]) == 2
    said = capsys.readouterr()
    assert "automation.toml: commands.run[1] holds a value of the key set" in said.err
    assert KEY not in (said.out + said.err).lower()


@pytest.mark.parametrize("is_there", [True, False])
def test_the_path_of_the_key_set_follows_the_profile_in_errors_too(
    image: ProjectFolder, is_there: bool, capsys
) -> None:
    image.config["policy"] = {"redaction_profile": "strict"}
    (image.root / "secret-folder").mkdir()
    if is_there:
        (image.root / "secret-folder" / "my.keys").write_text(f"k = {KEY}\n")
    image.config["inputs"]["keys"] = "secret-folder/my.keys"
    assert main(["automate", "--json", "--config", str(image.write())]) == 2
    said = capsys.readouterr()
    assert "the key set is not" in said.err and "secret-folder" not in said.out + said.err


def test_a_failing_extractor_does_not_give_keys_away(image: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    image.script("hactool", "cat prod.keys >&2; exit 1")
    assert automate(image) == 1
    error = capsys.readouterr().err
    assert "the extractor ended with exit code 1" in error
    assert "[redacted]" in error and KEY not in error


def test_a_key_is_taken_out_of_a_line_that_never_ends(image: ProjectFolder) -> None:
    image.script(
        "hactool", f"""head -c 30000 /dev/zero | tr '\\0' x | sed 's/x/{KEY}/g' | fold -w 7008 | tr '\\n' ' ' >&2"""
    )
    automate(image)
    log = (image.work_root / "logs/intake.stderr.log").read_text()
    assert len(log) > 100_000 and log.replace("[redacted]", "").strip() == ""


def test_the_redaction_profile_hides_the_path_of_the_key_set(image: ProjectFolder) -> None:
    automate(image)
    paths = {item["name"]: item["path"] for item in image.manifest()["inputs"]}
    assert paths["inputs.keys"] == "prod.keys"
    image.config["policy"] = {"redaction_profile": "strict"}
    automate(image)
    paths = {item["name"]: item["path"] for item in image.manifest()["inputs"]}
    assert paths["inputs.keys"] == "[redacted]"


def test_homebrew_is_identified_where_a_command_lifts_it(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.root / "program.nro").write_bytes(bytes(0x10) + b"NRO0" + bytes(64))
    folder.list_inputs({"program.nro": "nro0"})
    folder.config["inputs"] = {
        "mode": "homebrew", "nro": "program.nro", "provenance": "provenance.toml", "config": "title.toml",
    }  # fmt: skip
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert automate(folder) == 1
    assert "nro: file offset 0x0: header: found 0x0 + 0x80, expected an end within 0x54" in capsys.readouterr().err
    lift = folder.script("lift", 'mkdir -p "$RECOMP_LIFT_DIR"; cp ready.json "$RECOMP_LIFTED_MODULE_JSON"')
    (folder.root / "ready.json").write_text(json.dumps(ops_module()))
    folder.config["commands"]["lift"] = [lift]
    assert automate(folder) == 0
    assert list(folder.steps()) == ["intake", "lift", "pipeline", "build", "run", "archive"]
    (folder.root / "program.nro").write_bytes(bytes(0x10) + b"NRX0" + bytes(64))
    folder.list_inputs({"program.nro": "nro0"})
    assert automate(folder) == 2
    assert 'found an unknown format, expected "nro0"' in capsys.readouterr().err


def test_analysis_runs_when_it_is_configured(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    folder.config["analysis"] = {
        "command": [folder.script("export", "echo '{}' > names.json")], "expected_outputs": ["names.json", "more.json"],
    }  # fmt: skip
    assert automate(folder) == 1
    assert "without making more.json" in capsys.readouterr().err
    folder.config["analysis"]["expected_outputs"] = ["names.json"]
    assert automate(folder) == 0
    assert folder.steps()["analysis"]["outputs"] == ["names.json"]


def test_lifted_ops_become_a_native_program_with_the_right_answer(folder: ProjectFolder) -> None:
    """sum of 1..100 by the portable form; the program hands the answer to a supervisor call that is logged."""
    body = [
        {"op": "const_i64", "dst": "x0", "imm": 0},
        {"op": "const_i64", "dst": "x1", "imm": 100},
        {"op": "const_i64", "dst": "one", "imm": 1},
    ]
    loop = [
        {"op": "add_i64", "dst": "x0", "lhs": "x0", "rhs": "x1"},
        {"op": "sub_i64", "dst": "x1", "lhs": "x1", "rhs": "one"},
        {"op": "const_i64", "dst": "zero", "imm": 0},
        {"op": "cmp_i64", "lhs": "x1", "rhs": "zero"},
    ]
    blocks = [
        {"label": "start", "start": 0, "ops": body, "terminator": {"op": "br", "target": "loop"}},
        {"label": "loop", "start": 16, "ops": loop,
         "terminator": {"op": "br_cond", "cond": "ne", "then": "loop", "else": "end"}},
        {"label": "end", "start": 32, "ops": [{"op": "syscall", "name": "answer", "args": ["x0"]}],
         "terminator": {"op": "ret"}},
    ]  # fmt: skip
    module = {"arch": "aarch64", "segments": [], "functions": [{"name": "entry", "blocks": blocks}]}
    (folder.root / "module.json").write_text(json.dumps(module))
    folder.list_inputs()
    (folder.root / "title.toml").write_text('title = "sum"\nentry = "entry"\n[stubs]\nanswer = "log"\n')
    assert automate(folder) == 0
    log = "".join((folder.work_root / f"logs/run.{stream}.log").read_text() for stream in ("stdout", "stderr"))
    assert "5050" in log or "0x13ba" in log
    assert folder.steps()["run"]["confinement"] in ("landlock", "none")


def test_confined_commands_read_inputs_and_write_outputs_only(folder: ProjectFolder, tmp_path: Path) -> None:
    from recomp.engine.landlock import abi_version

    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/table").write_text("table\n")
    body = (
        'cat module.json >/dev/null; cat ../shared/table; echo x > "$RECOMP_BUILD_DIR/new"; '
        'made=$(mktemp); echo temporary > "$made"; cat "$made"; case "$made" in "$TMPDIR"/*) echo own ;; esac; '
        f'(echo x > "$RECOMP_WORK_ROOT/.recomp/store/x") 2>/dev/null || echo kept; cat "{secret}" || echo refused'
    )
    folder.config["commands"] = {"build": [folder.script("look", body)], "run": ["true"]}
    folder.config["run"] = {"confine": True, "readable": ["../shared"]}
    assert automate(folder) == 0
    told = (folder.work_root / "logs/build.stdout.log").read_text()
    assert told == "table\ntemporary\nown\n" + ("kept\nrefused\n" if abi_version() else "secret")
    assert (folder.work_root / "build/new").read_text() == "x\n"
    assert not (folder.work_root / ".recomp/scratch/build").exists()
    assert folder.steps()["build"]["confinement"] == ("landlock" if abi_version() else "none")


def test_a_full_disk_is_an_error_and_the_next_run_goes_on(folder: ProjectFolder, tmp_path: Path) -> None:
    """On a file system of eight megabytes, where this test may make one."""
    small = tmp_path / "small"
    small.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], capture_output=True)
    if made.returncode != 0:  # not root: the same through a limit on the size of files
        limit = "ulimit -f 1024; "
    else:
        limit = ""
    try:
        if not limit:
            folder.config["outputs"]["work_root"] = str(small / "out")
        body = f'{limit}mkdir -p "$RECOMP_BUILD_DIR"; head -c 20000000 /dev/zero > "$RECOMP_BUILD_DIR/big"'
        folder.config["commands"] = {"build": [folder.script("fill", body)], "run": ["true"]}
        assert automate(folder) == 1
        folder.script("fill", "true")
        big = Path(folder.config["outputs"]["work_root"] if not limit else folder.work_root) / "build/big"
        big.unlink(missing_ok=True)
        assert automate(folder) == 0
    finally:
        if not limit:
            os.chdir("/")
            # Lazily: a log reader of another process may still hold a file, and that is not what is tested here.
            subprocess.run(["umount", "-l", str(small)], check=True)
