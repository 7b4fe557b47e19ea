"""What every stage is made from: the checked configuration, tools, and what earlier rounds learnt."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from recomp.config.automation import Settings
from recomp.config.document import resolve_path
from recomp.config.project import Project
from recomp.engine.context import Context, command_runner
from recomp.engine.files import find_program
from recomp.engine.layout import Layout
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.stages.tools import Tools

#: `recomp.media.determinism.RECORD`, which would take a run with nothing to do a quarter longer to import
REPEATS_RECORD = "determinism.json"
#: step → the steps whose outputs it reads
AFTER = {
    "intake": (),
    "analysis": ("intake",),
    "lift": ("intake", "analysis"),
    "pipeline": ("lift",),
    "build": ("pipeline",),
    "run": ("build",),
    "capture": ("run",),
    "extract_frames": ("capture",),
    "extract_audio": ("capture",),
    "hash_frames": ("capture", "extract_frames"),
    "hash_audio": ("extract_audio",),
    "validate": ("run", "capture", "hash_frames", "hash_audio"),
}


class Job(NamedTuple):
    """`evidence`: branch misses of earlier rounds, as lines of a runtime trace manifest."""

    project: Project
    layout: Layout
    tools: Tools
    evidence: bytes = b""

    @property
    def settings(self) -> Settings:
        return self.project.settings

    def command(self, step: str) -> tuple[str, ...] | None:
        if step == "analysis":
            value = self.settings.raw["analysis"]["command"]
            return tuple(value) if value else None
        return self.settings.command(step) if step in self.settings.raw["commands"] else None

    def reads(self, step: str, name: str, path: str, *, optional: bool = False) -> tuple[Input, ...]:
        """What a stage behind `step` declares for reading `path`: nothing where the built-in stage makes it (then it
        is part of what that stage made), the path itself where a command does."""
        return (Input(name, path, optional),) if self.command(step) else ()

    def recording_dir(self) -> str:
        return os.path.join(self.settings.work_root, "recording")

    def project_dir(self) -> str:
        return os.path.join(self.settings.dirs["build_dir"], "project")

    def port_path(self) -> str:
        return os.path.join(self.settings.dirs["build_dir"], "port")

    def segments_dir(self) -> str:
        """Where the built-in lift keeps the initial bytes of the module's segments: beside the module."""
        return os.path.join(os.path.dirname(self.settings.lifted_module_json), "segments")

    def hash_list(self, what: str) -> str:
        """Where the list of "frames" or "audio" goes: where capture_video.toml wants it if that is in the work root,
        else into the validation folder. A list elsewhere is somebody's own and never written."""
        named = self.named_list(what)
        if named is not None and named.startswith(self.settings.work_root + "/"):
            return named
        return os.path.join(self.settings.dirs["validation_dir"], f"{what}.hashes")

    def named_list(self, what: str) -> str | None:
        """The list that capture_video.toml names."""
        capture = self.project.capture
        wanted = capture["hashes"][what] if capture else None
        if wanted is None or wanted["format"] != "list":
            return None
        return self.project.resolve("capture_video_toml", wanted["path"])

    def module_paths(self) -> list[str]:
        """homebrew: the NRO, then the further modules."""
        from recomp.config.project import program_inputs

        return [path for key, path in program_inputs(self.settings) if key[0] in ("nro", "nso")]

    def has_builtin_lift(self) -> bool:
        """Whether the program is lifted here, and not by a command or not at all."""
        return self.command("lift") is None and self.settings.raw["run"]["lift_mode"] == "decode"

    def assets_folder(self) -> str:
        """Where intake puts what is no code: what an NRO brings along, what was extracted of an image."""
        name = "extracted" if self.settings.mode == "xci" else "program"
        return os.path.join(self.settings.dirs["assets_dir"], name)

    def romfs_path(self) -> str | None:
        """The RomFS that the program reads, where intake may have found one."""
        if self.settings.mode not in ("homebrew", "xci"):
            return None
        return os.path.join(self.assets_folder(), "romfs.bin")

    def files_dir(self) -> str | None:
        """What the program's storage holds when a run is over: `sdmc` and `save`. It begins empty in each run."""
        if self.settings.mode not in ("homebrew", "xci"):
            return None
        return os.path.join(self.settings.work_root, "files")

    def report_path(self) -> str:
        return os.path.join(self.settings.dirs["validation_dir"], "validation-report.json")

    def has_capture(self) -> bool:
        """Whether pictures are wanted: something to compare them with, a place for them, or a command for them."""
        capture = self.settings.raw["capture"]
        return bool(
            self.project.reference
            or self.command("capture")
            or self.command("extract_frames")
            or any(capture[key] for key in ("video_path", "frames_dir", "audio_file"))
        )

    def has_audio(self) -> bool:
        return self.settings.audio_file is not None


def _output_folders(job: Job) -> list[str]:
    """Where a command may write. They are there when it starts, so that its simplest form is right, and because a
    folder that is not there cannot be allowed."""
    settings = job.settings
    outputs = [path for name, path in settings.dirs.items() if name != "log_dir"]
    outputs += [settings.frames_dir, os.path.dirname(settings.video_path)]
    files = [settings.lifted_module_json, settings.audio_file]
    files += [resolve_path(settings.folder, path) for path in settings.raw["analysis"]["expected_outputs"] or ()]
    outputs += [os.path.dirname(path) for path in files if path]
    return outputs


def _confine(job: Job, command: tuple[str, ...], temporary: str) -> Callable[[], None] | None:
    """Bounds for a stage command: it reads the inputs, itself, what its arguments name and `run.readable`, and writes
    the folders of the outputs and `temporary`.

    The work root as a whole is not among them, because the engine keeps its store there.
    """
    from recomp.engine.landlock import confinement

    settings = job.settings
    arguments = [os.path.join(settings.folder, argument) for argument in command]
    program = find_program(command[0]) if "/" not in command[0] else arguments[0]
    sections = (
        ("inputs", ("nro", "elf", "xci", "keys", "module_json", "provenance", "config", "runtime_path")),
        ("reference", tuple(settings.raw["reference"])),
        ("analysis", ("name_map_json", "runtime_trace_manifest")),
    )
    inputs = [path for section, keys in sections for key in keys if (path := settings.path(section, key))]
    more = (*settings.raw["inputs"]["nso"], *settings.raw["run"]["readable"])
    inputs += [resolve_path(settings.folder, path) for path in more]
    programs = [os.path.realpath(program)] if program else []
    os.makedirs(job.recording_dir(), exist_ok=True)
    outputs = (*_output_folders(job), job.recording_dir(), temporary)
    return confinement((*inputs, *arguments, *programs, settings.work_root), outputs)


def command_stage(
    job: Job,
    step: str,
    *,
    inputs: tuple[Input, ...] = (),
    outputs: tuple[Output, ...] = (),
    watch: tuple[str, ...] = (),
) -> Stage | None:
    """The stage `step` as the command that replaces it, or None if none does.

    `watch` and the stage's own folder are where its results are looked for; what it does elsewhere is its own business.
    """
    command = job.command(step)
    if command is None:
        return None
    timeout_s = job.settings.timeout_s(step)
    folders = {"lift": "lift_dir", "build": "build_dir"}
    own = (job.settings.dirs[folders[step]],) if step in folders else ()
    bounds = partial(_confine, job, command) if job.settings.raw["run"]["confine"] else None
    runner = command_runner(list(command), timeout_s=timeout_s, bounds=bounds)

    def run(context: Context) -> Result:
        for folder in _output_folders(job):
            os.makedirs(folder, exist_ok=True)
        return runner(context)

    return Stage(
        name=step,
        run=run,
        inputs=inputs,
        tools=job.tools.command(step, command),
        after=AFTER[step],
        outputs=outputs,
        command=command,
        watch=(*own, *watch),
        timeout_s=timeout_s,
    )
