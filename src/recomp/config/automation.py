"""`automation.toml` (contracts, section 1): what is known about each key, and the settings that come of them."""

from __future__ import annotations

import os
import re
from typing import Any, NamedTuple

from recomp.config.document import Document, resolve_path
from recomp.config.types import Boolean, Field, FilePath, Integer, ListOf, Number, Table, Text

MODES = ("homebrew", "xci", "lifted", "elf")
COMMANDS = ("lift", "build", "run", "capture", "extract_frames", "extract_audio")
STEPS = (
    "intake", "analysis", "lift", "pipeline", "build", "run", "capture", "extract_frames", "extract_audio",
    "hash_frames", "hash_audio", "validate", "archive",
)  # fmt: skip

_WINDOW = re.compile(
    r"(daily|weekday|weekend|mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d"
)


def check_window(text: str) -> str | None:
    return None if _WINDOW.fullmatch(text) else 'a window such as "weekday:09:00-18:00"'


def _program_id(text: str) -> str | None:
    return None if re.fullmatch(r"[0-9a-fA-F]{16}", text) else "16 hex digits (a program id)"


def _argv() -> ListOf:
    return ListOf(Text(not_empty=True), at_least=1)


AUTOMATION = Table({
    "schema_version": Field(Text("1"), "Version of this file's schema.", required=True),
    "inputs": Field(Table({
        "mode": Field(Text(*MODES), 'What the program is; "elf" is an AArch64 Linux static ELF.', required=True),
        "nro": Field(FilePath(), "homebrew: the NRO."),
        "nso": Field(ListOf(FilePath()), "homebrew: further modules (NSO).", default=[]),
        "elf": Field(FilePath(), "elf: the program."),
        "xci": Field(FilePath(), "xci: the user's own image; read only by the external tool."),
        "keys": Field(FilePath(), "xci: the user's own key set; read only by the external tool."),
        "module_json": Field(FilePath(), "lifted: a module that some lifter has already written."),
        "provenance": Field(FilePath(), "Where the inputs lawfully came from: provenance.toml.", required=True),
        "config": Field(FilePath(), "What the title needs at run time: title.toml.", required=True),
        "runtime_path": Field(FilePath(), "A runtime source tree other than the packaged one."),
    }), "What goes in.", required=True),
    "outputs": Field(Table({
        "work_root": Field(FilePath(), "Everything that a run makes lies in this folder.", required=True),
        "intake_dir": Field(FilePath(), "Default: work_root/intake."),
        "lift_dir": Field(FilePath(), "Default: work_root/lift."),
        "build_dir": Field(FilePath(), "Default: work_root/build."),
        "assets_dir": Field(FilePath(), "Default: work_root/assets."),
        "validation_dir": Field(FilePath(), "Default: work_root/validation."),
        "log_dir": Field(FilePath(), "Default: work_root/logs."),
        "run_manifest": Field(FilePath(), "Default: work_root/run-manifest.json."),
        "lifted_module_json": Field(FilePath(), "Default: lift_dir/module.json."),
    }), "Where results go.", required=True),
    "reference": Field(Table({
        "reference_video_toml": Field(FilePath(), "What the capture is compared with."),
        "capture_video_toml": Field(FilePath(), "What the capture is, where commands make it."),
        "validation_config_toml": Field(FilePath(), "Thresholds that override the reference's own."),
        "input_script_toml": Field(FilePath(), "The recorded input that is replayed."),
    }), "What to compare, and what to play."),
    "capture": Field(Table({
        "video_path": Field(FilePath(), "Default: work_root/capture/capture.mov."),
        "frames_dir": Field(FilePath(), "Default: work_root/capture/frames."),
        "audio_file": Field(FilePath(), "Set: audio is extracted, hashed and compared."),
        "pictures": Field(Boolean(), "Write each frame as a PNG into frames_dir, too.", default=False),
    }), "Where the capture and its frames lie."),
    "commands": Field(Table({
        name: Field(_argv(), f"Replaces the built-in stage {name}.") for name in COMMANDS
    }), "Programs (argument lists, never a shell string) that replace built-in stages."),
    "tools": Field(Table({
        "xci_tool": Field(Text("auto", "hactool", "hactoolnet", "mock"), "The external extractor.", default="auto"),
        "xci_tool_path": Field(FilePath(), "The extractor's executable."),
        "xci_program": Field(Text(check=_program_id), "xci: which program of an image that has several."),
        "ffmpeg_path": Field(FilePath(), "The ffmpeg executable, for commands that want one."),
    }), "External tools."),
    "analysis": Field(Table({
        "command": Field(_argv(), "A headless export (Ghidra, IDA, …)."),
        "expected_outputs": Field(ListOf(FilePath()), "Must exist after the command.", default=[]),
        "name_map_json": Field(FilePath(), "Names of guest addresses, evidence that the lift uses."),
        "runtime_trace_manifest": Field(FilePath(), "Branch targets that earlier runs saw, evidence for the lift."),
    }), "Evidence from other tools."),
    "policy": Field(Table({
        "execution_mode": Field(Text("local", "cloud", "hybrid"), "Where stages may run.", default="local"),
        "requires_approval": Field(Boolean(), "A person must approve the run.", default=False),
        "approval": Field(Text(not_empty=True), "The id of the run that was approved."),
        "max_cost_usd": Field(Number(minimum=0), "Upper bound of what a run may cost."),
        "max_runtime_minutes": Field(Number(minimum=0), "Upper bound of a run's wall-clock time."),
        "redaction_profile": Field(Text(not_empty=True), "How paths and notes are shown in what leaves this host."),
        "allowed_models": Field(ListOf(Text(not_empty=True)), "Models that may see what is not proprietary."),
        "run_windows": Field(ListOf(Text(check=check_window)), 'When a run may start: "weekday:09:00-18:00".'),
    }), "What a run is allowed to do."),
    "run": Field(Table({
        "resume": Field(Boolean(), "false = ignore the cache of this work root.", default=True),
        "lift_entry": Field(Text(not_empty=True), "Name of the entry function.", default="entry"),
        "lift_mode": Field(Text("decode", "stub"), '"stub" = the entry returns at once.', default="decode"),
        "rounds": Field(Integer(1, 64), "How often a run's branch misses may be lifted again.", default=4),
        "ticks": Field(Integer(1), "The length of the run in ticks of 1/60 s; default: the input script's marker end."),
        "args": Field(ListOf(Text()), "The guest's arguments.", default=[]),
        "seed": Field(Integer(0, (1 << 64) - 1), "Seed of the guest's random sources.", default=0),
        "repeats": Field(Integer(0, 8), "Runs more to see that they are equal; default: 1, of a command 0."),
        "confine": Field(Boolean(), "Confine stage commands, too: inputs, outputs, system, a TMPDIR.", default=False),
        "readable": Field(ListOf(FilePath()), "What confined commands may read besides (files, folders).", default=[]),
        "timeouts": Field(Table({
            name: Field(Number(minimum=0.001), f"Time limit of {name} in seconds.") for name in STEPS
        }), "Time limits of stages."),
    }), "How to run."),
    "build": Field(Table({
        "compiler": Field(ListOf(Text(not_empty=True), at_least=1), "C compiler; default: the zig of the wheel."),
        "target": Field(Text(not_empty=True), "Target triple of the port; default: this host."),
        "optimisation": Field(Text("0", "1", "2", "3", "s"), "Optimisation level.", default="2"),
        "baseline": Field(Boolean(), "Build for every processor of the target, not for recent ones.", default=False),
        "jobs": Field(Integer(1, 256), "Compilers at once; default: processors, at most 2."),
    }), "How the port is built."),
    "lift": Field(Table({
        "faults": Field(Text("frame", "all"), "Registers exact in a guest's handler of faults; default: as it needs."),
        "skip": Field(ListOf(Text(not_empty=True)), "Functions to leave out, by name or 0xADDRESS.", default=[]),
    }), "How the program is lifted."),
    "batch": Field(Table({
        "manifest": Field(FilePath(), "The batch's status, batch-manifest.json: the title's is noted there."),
        "title_id": Field(Text(not_empty=True), "Which of its titles this is; default: that of provenance.toml."),
        "update_status": Field(Boolean(), "false = leave the batch manifest alone.", default=True),
    }), "The batch that this run belongs to."),
})  # fmt: skip


class Settings(NamedTuple):
    """`automation.toml` as the stages read it. Paths are absolute; `raw` holds every checked value."""

    file: str
    folder: str
    raw: dict[str, Any]
    mode: str
    work_root: str
    dirs: dict[str, str]
    run_manifest: str
    lifted_module_json: str
    video_path: str
    frames_dir: str
    audio_file: str | None

    def path(self, section: str, key: str) -> str | None:
        """The absolute path that `section.key` names, or None."""
        value = self.raw[section][key]
        return None if value is None else resolve_path(self.folder, value)

    def command(self, name: str) -> tuple[str, ...] | None:
        value = self.raw["commands"][name]
        return tuple(value) if value else None

    def timeout_s(self, step: str) -> float | None:
        return self.raw["run"]["timeouts"][step]


def load(document: Document) -> Settings | None:
    """The settings, or None when the document has problems (which it has then gathered)."""
    raw = document.check(AUTOMATION)
    if raw["inputs"] and raw["inputs"]["mode"]:
        _check_mode(document, raw["inputs"])
        _check_sections(document, raw)
    if document.problems:
        return None
    folder = document.folder
    outputs, capture = raw["outputs"], raw["capture"]
    work_root = document.resolve(outputs["work_root"])

    def place(value: str | None, *default: str) -> str:
        return document.resolve(value) if value else os.path.join(*default)

    dirs = {
        name: place(outputs[name], work_root, name.removesuffix("_dir").replace("log", "logs"))
        for name in ("intake_dir", "lift_dir", "build_dir", "assets_dir", "validation_dir", "log_dir")
    }
    settings = Settings(
        file=document.path,
        folder=folder,
        raw=raw,
        mode=raw["inputs"]["mode"],
        work_root=work_root,
        dirs=dirs,
        run_manifest=place(outputs["run_manifest"], work_root, "run-manifest.json"),
        lifted_module_json=place(outputs["lifted_module_json"], dirs["lift_dir"], "module.json"),
        video_path=place(capture["video_path"], work_root, "capture", "capture.mov"),
        frames_dir=place(capture["frames_dir"], work_root, "capture", "frames"),
        audio_file=document.resolve(capture["audio_file"]) if capture["audio_file"] else None,
    )
    _check_roots(document, settings)
    _check_outputs(document, settings)
    return None if document.problems else settings


_APART = "what a run writes must lie apart from what it reads"
_NEEDED = {"homebrew": ("nro",), "xci": ("xci", "keys"), "lifted": ("module_json",), "elf": ("elf",)}


def _check_mode(document: Document, inputs: dict[str, Any]) -> None:
    mode = inputs["mode"]
    for key in _NEEDED[mode]:
        if not document.has(("inputs", key)):
            document.complain(("inputs", key), f'is missing: expected a path in mode "{mode}"')
    for other, keys in _NEEDED.items():
        for key in keys:
            if inputs[key] and key not in _NEEDED[mode]:
                document.complain(
                    ("inputs", key),
                    f'does not belong to mode "{mode}"',
                    hint=f'it belongs to mode "{other}"',
                    at_key=True,
                )


def _check_sections(document: Document, raw: dict[str, Any]) -> None:
    analysis = raw["analysis"]
    if analysis["expected_outputs"] and not analysis["command"]:
        document.complain(("analysis", "expected_outputs"), "needs analysis.command, which makes them", at_key=True)
    by = 'mode "lifted"' if raw["inputs"]["mode"] == "lifted" else "commands.lift" if raw["commands"]["lift"] else None
    if raw["lift"]["skip"] and by is not None:
        document.complain(
            ("lift", "skip"), f"is for the built-in lift, which {by} replaces", at_key=True,
            hint="leave the functions out of the module instead",
        )  # fmt: skip


def _check_roots(document: Document, settings: Settings) -> None:
    """Extracted assets and the emitted project never share a root."""
    assets, build = (os.path.realpath(settings.dirs[name]) for name in ("assets_dir", "build_dir"))
    if assets == build or assets.startswith(build + "/") or build.startswith(assets + "/"):
        document.complain(
            ("outputs", "assets_dir"),
            f"shares a root with outputs.build_dir ({build})",
            hint="extracted assets and the emitted project must lie apart",
        )


_INPUTS = (
    ("inputs", ("elf", "nro", "xci", "keys", "module_json", "provenance", "config")),
    ("reference", ("reference_video_toml", "capture_video_toml", "validation_config_toml", "input_script_toml")),
    ("analysis", ("name_map_json", "runtime_trace_manifest")),
    ("batch", ("manifest",)),
)


def _check_outputs(document: Document, settings: Settings) -> None:
    """What a run writes replaces nothing that it reads, and no two things that it writes are one."""
    raw, folders_seen = settings.raw, dict[str, str]()

    def real(path: str) -> str:
        """As os.path.realpath, which takes as long as the rest of this when it is asked for thirty paths."""
        folder, name = os.path.split(path)
        if folder not in folders_seen:
            folders_seen[folder] = os.path.realpath(folder)
        found = os.path.join(folders_seen[folder], name)
        return os.path.realpath(found) if os.path.islink(found) else found

    taken = {real(settings.file): "this file"}
    for section, keys in _INPUTS:
        for key in keys:
            if raw[section][key]:
                taken[real(document.resolve(raw[section][key]))] = f"{section}.{key}"
    for number, value in enumerate(raw["inputs"]["nso"]):
        taken[real(document.resolve(value))] = f"inputs.nso[{number}]"
    folders = {("outputs", "work_root"): settings.work_root, ("capture", "frames_dir"): settings.frames_dir}
    folders |= {("outputs", name): path for name, path in settings.dirs.items()}
    for place, folder in folders.items():
        name = taken.get(real(folder))
        if name is not None:
            document.complain(place, f"is {name}, expected a folder to write to", hint=_APART)
        elif os.path.isfile(folder):
            document.complain(place, "is a file, expected a folder to write to", hint=_APART)
    files = {("outputs", "run_manifest"): settings.run_manifest, ("capture", "video_path"): settings.video_path}
    if settings.mode != "lifted":
        files["outputs", "lifted_module_json"] = settings.lifted_module_json
    if settings.audio_file:
        files["capture", "audio_file"] = settings.audio_file
    written = {real(folder): ".".join(place) for place, folder in reversed(folders.items())}
    for place, file in files.items():
        target = real(file)
        if (name := taken.get(target) or written.get(target)) is not None:
            document.complain(place, f"is {name}, expected a file of its own to write", hint=_APART)
        elif os.path.isdir(file):
            document.complain(place, "is a folder, expected a file to write", hint=_APART)
        written[target] = ".".join(place)
