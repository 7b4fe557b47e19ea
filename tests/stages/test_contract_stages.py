"""contracts.md, sections 2, 3, 4, 8 and 9, on a project whose stages are commands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from builders import ProjectFolder
from recomp.cli.main import main


def automate(folder: ProjectFolder, *extra: str) -> int:
    return main(["automate", "--config", str(folder.write()), *extra])


@pytest.fixture
def counting(folder: ProjectFolder) -> ProjectFolder:
    """Every command appends its stage to a file outside the work root."""
    command = folder.script("count", 'echo "$RECOMP_STAGE" >> "$(dirname "$0")/ran.txt"')
    return folder.with_reference().with_commands(command)


def ran(folder: ProjectFolder) -> list[str]:
    """What the commands wrote since the last look."""
    path = folder.root / "ran.txt"
    lines = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_section_1_a_file_of_an_earlier_tool_runs_unchanged(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    assert automate(folder) == 0
    assert [step["name"] for step in folder.manifest()["steps"]] == [
        "pipeline", "build", "run", "capture", "extract_frames", "hash_frames", "validate", "archive",
    ]  # fmt: skip


def test_section_2_lifted_mode_has_neither_intake_nor_lift(counting: ProjectFolder) -> None:
    assert automate(counting) == 0
    assert not {"intake", "lift", "analysis"} & counting.steps().keys()


def test_section_2_a_command_runs_in_the_folder_of_its_config_with_its_streams_in_logs(folder: ProjectFolder) -> None:
    folder.config["commands"]["build"] = [folder.script("say", "pwd; echo complaint >&2")]
    folder.config["commands"]["run"] = ["true"]
    assert automate(folder) == 0
    logs = folder.work_root / "logs"
    assert (logs / "build.stdout.log").read_text() == f"{folder.root}\n"
    assert (logs / "build.stderr.log").read_text() == "complaint\n"
    step = folder.steps()["build"]
    assert (step["stdout_path"], step["stderr_path"]) == ("out/logs/build.stdout.log", "out/logs/build.stderr.log")


def test_section_2_arguments_reach_a_command_as_they_are(folder: ProjectFolder) -> None:
    odd = ["a b", "$HOME", "*", "'", "ü", ""]
    script = folder.script("print", 'for a in "$@"; do printf "<%s>" "$a"; done')
    folder.config["commands"] = {"build": [script, *odd[:-1]], "run": ["true"]}
    assert automate(folder) == 0
    assert (folder.work_root / "logs/build.stdout.log").read_text() == "".join(f"<{a}>" for a in odd[:-1])


def test_section_8_the_folders_of_its_outputs_are_there_when_a_command_starts(folder: ProjectFolder) -> None:
    check = folder.script("check", 'for name in INTAKE_DIR LIFT_DIR BUILD_DIR ASSETS_DIR VALIDATION_DIR '
                          'CAPTURE_FRAMES_DIR; do eval "[ -d \\"\\$RECOMP_$name\\" ] || echo $name"; done')  # fmt: skip
    folder.config["commands"] = {"build": [check], "run": ["true"]}
    assert automate(folder) == 0
    assert (folder.work_root / "logs/build.stdout.log").read_text() == ""


def test_section_3_a_second_run_is_all_cached(counting: ProjectFolder) -> None:
    assert automate(counting) == 0
    assert ran(counting) == ["build", "run", "capture", "extract_frames"]
    assert automate(counting) == 0
    assert ran(counting) == []
    assert counting.ran() == []


def test_section_3_a_changed_command_reruns_its_stage_and_what_follows(counting: ProjectFolder) -> None:
    automate(counting)
    ran(counting)
    counting.config["commands"]["run"] = [*counting.config["commands"]["run"], "--other"]
    automate(counting)
    assert ran(counting) == ["run", "capture", "extract_frames"]
    assert counting.ran() == ["run", "capture", "extract_frames", "hash_frames", "validate", "archive"]


def test_section_3_going_back_to_an_earlier_command_is_a_hit(counting: ProjectFolder) -> None:
    first = counting.config["commands"]["run"]
    automate(counting)
    counting.config["commands"]["run"] = [*first, "--other"]
    automate(counting)
    ran(counting)
    counting.config["commands"]["run"] = first
    automate(counting)
    assert ran(counting) == []


def test_section_3_formatting_comments_and_key_order_change_nothing(counting: ProjectFolder) -> None:
    automate(counting)
    before = counting.manifest()
    path = counting.root / "automation.toml"
    tables = path.read_text().split("\n\n")
    path.write_text("# a comment\n" + "\n\n\n".join([tables[0], *reversed(tables[1:])]) + "\n# the end\n")
    for name in ("title.toml", "provenance.toml", "reference_video.toml", "capture_video.toml"):
        text = (counting.root / name).read_text()
        (counting.root / name).write_text("# another comment\n" + text)
    assert main(["automate", "--config", str(path)]) == 0
    after = counting.manifest()
    assert counting.ran() == []
    assert after["run_id"] == before["run_id"]
    assert [s["cache_key"] for s in after["steps"]] == [s["cache_key"] for s in before["steps"]]


def test_section_3_a_failure_is_never_cached_and_the_next_run_goes_on_from_there(counting: ProjectFolder) -> None:
    body = '[ -e "$(dirname "$0")/good" ] || { echo part > "$RECOMP_BUILD_DIR/half"; exit 3; }'
    counting.config["commands"]["build"] = [counting.script("flaky", 'mkdir -p "$RECOMP_BUILD_DIR"\n' + body)]
    assert automate(counting) == 1
    assert [(s["name"], s["status"]) for s in counting.manifest()["steps"]] == [
        ("pipeline", "succeeded"), ("build", "failed"),
    ]  # fmt: skip
    assert automate(counting) == 1
    (counting.root / "good").touch()
    assert automate(counting) == 0
    assert counting.steps()["pipeline"]["cache_hit"]
    assert counting.steps()["build"]["stage_attempt"] == 3


def test_section_3_a_changed_executable_reruns_its_stage(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": [folder.script("tool", "true")], "run": ["true"]}
    automate(folder)
    folder.script("tool", "true # newer")
    automate(folder)
    assert folder.ran() == ["build", "run", "archive"]


@pytest.mark.parametrize(
    "argv", [["sh"], ["sh", "-e"], ["sh", "-o", "errexit"], ["env", "sh"], ["env", "-u", "X", "A=b", "sh", "-eu"]]
)
def test_section_3_a_changed_script_behind_its_interpreter_reruns_its_stage(
    folder: ProjectFolder, argv: list[str]
) -> None:
    folder.script("tool.sh", "true")
    folder.config["commands"] = {"build": [*argv, "tool.sh", "argument"], "run": ["true"]}
    assert automate(folder) == 0
    folder.script("tool.sh", "true # newer")
    assert automate(folder) == 0
    assert folder.ran() == ["build", "run", "archive"]


@pytest.mark.parametrize("damage", ["delete", "flip", "flip and keep times"])
def test_section_3_a_changed_or_deleted_output_is_mended(folder: ProjectFolder, damage: str) -> None:
    script = folder.script("make", 'mkdir -p "$RECOMP_BUILD_DIR"; echo product > "$RECOMP_BUILD_DIR/product"')
    folder.config["commands"] = {"build": [script], "run": ["true"]}
    automate(folder)
    product = folder.work_root / "build/product"
    status = product.stat()
    if damage == "delete":
        product.unlink()
    else:
        product.write_bytes(b"prodUct\n")
    if damage.endswith("times"):
        import os

        os.utime(product, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert automate(folder) == 0
    assert product.read_bytes() == b"product\n"


def test_section_3_what_a_command_finds_up_to_date_is_still_what_it_made(folder: ProjectFolder) -> None:
    """As make does: the second command changes nothing, and its outputs are noticed, mended and listed all the same."""
    make = folder.script("make", 'cd "$RECOMP_BUILD_DIR"; [ -e port ] || { echo port > port; echo part > part; }')
    (folder.work_root / "build").mkdir(parents=True)
    folder.config["commands"] = {"build": [make], "run": ["true"]}
    automate(folder)
    folder.config["commands"]["build"] = [make, "--silent"]
    assert automate(folder) == 0
    listed = {artifact["path"] for artifact in folder.manifest()["artifacts"]}
    assert {"out/build/port", "out/build/part"} <= listed
    for name in ("port", "part"):
        (folder.work_root / "build" / name).write_bytes(b"junk\n")
    assert automate(folder) == 0
    assert folder.ran() == []
    assert [(folder.work_root / "build" / name).read_bytes() for name in ("port", "part")] == [b"port\n", b"part\n"]


def test_section_3_a_file_that_others_made_is_not_a_commands_for_lying_there(folder: ProjectFolder) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    (folder.work_root / "build").mkdir(parents=True)
    (folder.work_root / "build" / "notes").write_text("mine")
    automate(folder)
    assert folder.steps()["build"]["outputs"] == []


def test_section_3_a_link_that_a_command_makes_is_an_output(folder: ProjectFolder) -> None:
    (folder.root / "prog").write_text("program")
    make = folder.script("make", 'mkdir -p "$RECOMP_BUILD_DIR"; ln -sfn ../../prog "$RECOMP_BUILD_DIR/port"')
    folder.config["commands"] = {"build": [make], "run": ["true"]}
    assert automate(folder) == 0
    port = folder.work_root / "build" / "port"
    assert port.is_symlink(), "it stays what the command made"
    assert automate(folder) == 0 and folder.ran() == []
    port.unlink()
    assert automate(folder) == 0
    assert folder.ran() == [] and port.read_text() == "program"


def test_section_3_a_file_name_that_no_manifest_can_hold_fails_its_stage(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    make = folder.script("make", 'mkdir -p "$RECOMP_BUILD_DIR"; : > "$RECOMP_BUILD_DIR/$(printf "\\377")"')
    folder.config["commands"] = {"build": [make], "run": ["true"]}
    assert automate(folder) == 1
    said = capsys.readouterr().err
    assert "expected a name in UTF-8" in said and "bug" not in said
    make = folder.script("make", 'rm -r "$RECOMP_BUILD_DIR"')
    assert automate(folder) == 0


def test_section_3_behind_a_command_that_ran_everything_runs(counting: ProjectFolder) -> None:
    """Even where its key is the old one: nobody declared what else it did."""
    automate(counting)
    key = counting.steps()["build"]["cache_key"]
    (counting.work_root / ".recomp/store/actions" / key[:2] / key[2:]).unlink()
    automate(counting)
    assert counting.steps()["build"]["cache_key"] == key
    assert counting.ran() == ["build", "run", "capture", "extract_frames", "hash_frames", "validate", "archive"]


def test_section_3_resume_false_ignores_the_cache(counting: ProjectFolder) -> None:
    automate(counting)
    counting.config["run"] = {"resume": False}
    automate(counting)
    assert len(counting.ran()) == 8


def test_section_4_two_fresh_runs_differ_in_durations_only(tmp_path: Path) -> None:
    manifests = []
    for name in ("one", "two"):
        folder = ProjectFolder(tmp_path / name).with_reference().with_commands("/usr/bin/true")
        automate(folder)
        manifest = folder.manifest()
        for step in manifest["steps"]:
            del step["duration_ms"]
        manifests.append(json.dumps(manifest))
    assert manifests[0] == manifests[1]


def test_section_4_required_keys(counting: ProjectFolder) -> None:
    automate(counting)
    manifest = counting.manifest()
    assert manifest["schema_version"] == "1"
    assert manifest["run_id"].startswith("run-") and int(manifest["run_id"][4:], 16) >= 0
    assert len(manifest["run_id"]) == 20
    assert len(manifest["host_fingerprint"]) == len(manifest["input_fingerprint"]) == 64
    assert manifest["tool_versions"]["recomp_cli"]
    assert manifest["validation_report"] == "out/validation/validation-report.json"
    for item in manifest["inputs"]:
        assert item.keys() == {"name", "path", "sha256", "size"}
        assert not item["path"].startswith("/")
    for step in manifest["steps"]:
        required = {"name", "status", "duration_ms", "stage_attempt", "cache_hit", "cache_key"}
        assert required <= step.keys()
    for artifact in manifest["artifacts"]:
        assert {"path", "sha256", "size", "role"} <= artifact.keys()


ENVIRONMENT = {
    "RECOMP_WORK_ROOT": "out",
    "RECOMP_INTAKE_DIR": "out/intake",
    "RECOMP_LIFT_DIR": "out/lift",
    "RECOMP_BUILD_DIR": "out/build",
    "RECOMP_ASSETS_DIR": "out/assets",
    "RECOMP_VALIDATION_DIR": "out/validation",
    "RECOMP_RUN_MANIFEST": "out/run-manifest.json",
    "RECOMP_LIFTED_MODULE_JSON": "out/lift/module.json",
    "RECOMP_REFERENCE_VIDEO_TOML": "reference_video.toml",
    "RECOMP_CAPTURE_VIDEO_TOML": "capture_video.toml",
    "RECOMP_CAPTURE_VIDEO": "capture.mp4",
    "RECOMP_CAPTURE_FRAMES_DIR": "frames",
}


def test_section_8_environment_of_commands(folder: ProjectFolder) -> None:
    folder.with_reference().with_commands("/usr/bin/true")
    folder.config["commands"]["build"] = [folder.script("env", "env | grep ^RECOMP_ | sort")]
    folder.config["policy"] = {
        "requires_approval": False, "max_cost_usd": 1.5, "allowed_models": ["a", "b"], "redaction_profile": "strict",
        "max_runtime_minutes": 60,
    }  # fmt: skip
    assert automate(folder) == 0
    lines = (folder.work_root / "logs/build.stdout.log").read_text().splitlines()
    found = dict(line.split("=", 1) for line in lines)
    expected = {name: str(folder.root / path) for name, path in ENVIRONMENT.items()}
    step = folder.steps()["build"]
    expected |= {
        "RECOMP_EXECUTION_MODE": "local",
        "RECOMP_POLICY_REQUIRES_APPROVAL": "false",
        "RECOMP_POLICY_MAX_COST_USD": "1.5",
        "RECOMP_POLICY_MAX_RUNTIME_MINUTES": "60",
        "RECOMP_POLICY_REDACTION_PROFILE": "strict",
        "RECOMP_POLICY_ALLOWED_MODELS": "a,b",
        "RECOMP_RUN_ID": folder.manifest()["run_id"],
        "RECOMP_STAGE": "build",
        "RECOMP_STAGE_ATTEMPT": "1",
        "RECOMP_CACHE_KEY": step["cache_key"],
    }
    assert found == expected


def test_section_9_a_command_that_fails_is_named_with_its_last_words(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.config["commands"] = {"build": [folder.script("bad", "echo first; echo no such thing >&2; exit 7")]}
    assert automate(folder) == 1
    error = capsys.readouterr().err
    assert "build: command './bad' ended with exit code 7\n    no such thing" in error
    assert "build.stderr.log" in error


def test_section_9_a_signal_is_named(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.config["commands"] = {"build": [folder.script("bad", "kill -SEGV $$")]}
    assert automate(folder) == 1
    assert "was ended by signal 11 (SIGSEGV)" in capsys.readouterr().err


def test_section_9_a_command_that_is_not_there(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.config["commands"] = {"build": ["./nowhere"]}
    assert automate(folder) == 1
    assert "./nowhere: cannot be started: No such file or directory" in capsys.readouterr().err


def test_section_9_a_time_limit(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    folder.config["commands"] = {"build": [folder.script("slow", "echo so far >&2; sleep 60")]}
    folder.config["run.timeouts"] = {"build": 0.3}
    assert automate(folder) == 1
    said = capsys.readouterr().err
    assert "ran into its time limit after 0." in said and "    so far" in said
    assert "out/logs/build.stderr.log; [run.timeouts] and policy.max_runtime_minutes are the limits" in said


def test_the_plan_is_frozen_when_a_run_starts(folder: ProjectFolder) -> None:
    """A command that edits automation.toml changes the next run, not this one."""
    folder.script("old", "echo old >> ran.txt")
    folder.script("new", "echo new >> ran.txt")
    edit = folder.script("edit", "sed -i s,./old,./new, automation.toml")
    folder.config["commands"] = {"build": [edit], "run": ["./old"]}
    assert automate(folder) == 0
    assert (folder.root / "ran.txt").read_text() == "old\n"
    assert main(["automate", "--config", str(folder.root / "automation.toml")]) == 0
    assert (folder.root / "ran.txt").read_text() == "old\nnew\n"


def repository_of(folder: ProjectFolder, ignored: str) -> None:
    subprocess.run(["git", "init", "-q", str(folder.root)], check=True)
    (folder.root / ".gitignore").write_text(ignored)


@pytest.mark.parametrize("place", ["recording", "files", ".recomp"])
def test_a_repository_inside_of_the_work_root_takes_nothing(folder: ProjectFolder, place: str, capsys) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    subprocess.run(["git", "init", "-q", str(folder.work_root / place)], check=True)
    assert automate(folder) == 2
    assert f"out/{place}: lies in a git work tree" in capsys.readouterr().err


def test_a_shared_store_in_a_repository_is_refused(folder: ProjectFolder, monkeypatch, capsys) -> None:
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    subprocess.run(["git", "init", "-q", str(folder.root / "other")], check=True)
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(folder.root / "other" / "store"))
    assert automate(folder) == 2
    assert "other/store: lies in a git work tree" in capsys.readouterr().err


def test_what_an_analysis_exports_is_guest_derived(folder: ProjectFolder, capsys) -> None:
    repository_of(folder, "/out/\n")
    folder.config["analysis"] = {"command": ["true"], "expected_outputs": ["names.bin"]}
    assert automate(folder) == 2
    assert "names.bin: lies in a git work tree" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["not ignored", "tracked"])
def test_the_archive_asks_git_for_every_file_that_was_made(folder: ProjectFolder, how: str, capsys) -> None:
    make = folder.script("make", 'mkdir -p "$RECOMP_BUILD_DIR"; echo port > "$RECOMP_BUILD_DIR/port"')
    folder.config["commands"] = {"build": [make], "run": ["true"]}
    if how == "tracked":
        repository_of(folder, "/out/\n")
        (folder.work_root / "build").mkdir(parents=True)
        (folder.work_root / "build" / "port").touch()
        subprocess.run(["git", "-C", str(folder.root), "add", "-f", "out/build/port"], check=True)
    else:
        repository_of(folder, "/out/*\n!/out/build/\n/out/build/*\n!/out/build/port\n")
    assert automate(folder) == 2
    assert folder.steps()["archive"]["status"] == "failed"
    assert "out/build/port: lies in a git work tree" in capsys.readouterr().err


@pytest.mark.parametrize(
    "section, key, value, found",
    [
        ("outputs", "run_manifest", "title.toml", "is inputs.config"),
        ("outputs", "run_manifest", "automation.toml", "is this file"),
        ("outputs", "run_manifest", "link/module.json", "is inputs.module_json"),
        ("outputs", "run_manifest", "out", "is outputs.work_root"),
        ("outputs", "work_root", "module.json", "is inputs.module_json"),
        ("outputs", "work_root", "a-file", "is a file"),
        ("capture", "video_path", "out/run-manifest.json", "is outputs.run_manifest"),
    ],
)
def test_what_a_run_writes_replaces_nothing_that_it_reads(
    folder: ProjectFolder, section: str, key: str, value: str, found: str, capsys
) -> None:
    (folder.root / "a-file").touch()
    (folder.root / "link").symlink_to(folder.root)
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    folder.config.setdefault(section, {})[key] = value
    before = (folder.root / "module.json").read_bytes()
    assert automate(folder) == 2
    assert f"{section}.{key} {found}" in (said := capsys.readouterr().err).replace(": is", " is"), said
    assert (folder.root / "module.json").read_bytes() == before


def test_a_shared_root_is_seen_through_a_link(folder: ProjectFolder, capsys) -> None:
    (folder.root / "out" / "assets").mkdir(parents=True)
    (folder.root / "link").symlink_to("out/assets")
    folder.config["outputs"] |= {"assets_dir": "out/assets", "build_dir": "link"}
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert automate(folder) == 2
    assert "shares a root with" in capsys.readouterr().err
