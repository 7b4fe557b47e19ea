"""run: the port plays headless with the replayed input and records what it shows, sounds and asks.

The built-in run is deterministic: virtual time, input by tick, no host files. How the guest ended is judged here, and
whether it does the same again (stage 0 of the validation).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from recomp.config.input_script import compile_script, end_tick
from recomp.engine.context import Context
from recomp.engine.files import remove_tree
from recomp.engine.stage import Output, Result, Stage, Tool
from recomp.engine.store import Store
from recomp.errors import StageError
from recomp.stages.job import AFTER, Job, command_stage

if TYPE_CHECKING:
    from recomp.engine.process import Outcome
    from recomp.media.recording import Run

#: wall-clock limit of the built-in run, unless [run.timeouts] says otherwise
DEFAULT_TIMEOUT_S = 600.0
#: virtual time after which a guest that does not end is taken to hang: ten minutes
DEFAULT_MAX_TICKS = 36_000
#: runs beyond the first, of the port; [run] repeats says otherwise (docs/decisions/repeats.md)
DEFAULT_REPEATS = 1
#: what decides whether two runs are equal
_COMPARING = ("media/determinism.py", "media/recording.py", "media/hashing.py")


def stage(job: Job) -> Stage:
    settings = job.settings
    replaced = command_stage(job, "run", watch=(job.recording_dir(),))
    repeats = settings.raw["run"]["repeats"]
    if replaced is not None:
        if repeats:
            replaced = _repeated(replaced, job.recording_dir(), repeats, job.tools.recomp(*_COMPARING))
        has_script = settings.path("reference", "input_script_toml") is not None
        return replaced._replace(config={**replaced.config, "input": _script_digest(job)}) if has_script else replaced
    script = job.project.script
    wanted = settings.raw["run"]["ticks"] or (end_tick(script) if script else None)
    config = {
        "input": compile_script(script).decode() if script else "",
        "ticks": wanted,
        "seed": settings.raw["run"]["seed"],
        "args": settings.raw["run"]["args"],
        "repeats": DEFAULT_REPEATS if repeats is None else repeats,
    }
    port, romfs, files = job.port_path(), job.romfs_path(), job.files_dir()

    def run(context: Context) -> Result:
        return _run(context, port, romfs, config, context.out("files") if files else None)

    return Stage(
        name="run",
        run=run,
        inputs=job.reads("build", "port", port),
        config=config,
        tools=job.tools.recomp("stages/run.py", *_COMPARING),
        after=(*AFTER["run"], *(("intake",) if romfs else ())),
        outputs=(
            Output("recording", job.recording_dir(), tree=True, role="recording"),
            *((Output("files", files, tree=True, role="files"),) if files else ()),
        ),
        timeout_s=settings.timeout_s("run") or DEFAULT_TIMEOUT_S,
    )


def _script_digest(job: Job) -> str:
    script = job.project.script
    return compile_script(script).decode() if script else ""


def _run(context: Context, port: str, romfs: str | None, config: dict[str, Any], files: str | None) -> Result:
    """`files`: where the folder goes that the program sees as its storage, or None for a program without one."""
    if not os.access(port, os.X_OK):
        raise StageError(f"run: no executable at {port}", hint="the build stage must make it; see its logs")
    script = os.path.join(context.scratch, "input")
    with open(script, "w", encoding="ascii") as file:
        file.write(config["input"])
    recording = context.out("recording")
    result = _play(context, port, romfs, config, script, recording, files)
    if result.again or not config["repeats"]:
        return result
    others = [os.path.join(context.scratch, f"again-{number}") for number in range(config["repeats"])]
    for other in others:
        _play(context, port, romfs, config, script, other, f"{other}-files" if files else None)
    return _compare(context, [recording, *others], recording, result)


def _play(
    context: Context,
    port: str,
    romfs: str | None,
    config: dict[str, Any],
    script: str,
    recording: str,
    root: str | None,
) -> Result:
    """One run from the first instruction to its end, recorded into a new folder."""
    from recomp.engine.landlock import confinement

    os.makedirs(recording)
    limit = config["ticks"] or DEFAULT_MAX_TICKS
    env = {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C",
        "RECOMP_RT_RECORD": recording,
        "RECOMP_RT_INPUT": script,
        "RECOMP_RT_MAX_TICKS": str(limit),
        "RECOMP_RT_SEED": str(config["seed"]),
    }
    if root is not None:
        os.makedirs(root)
        env["RECOMP_RT_ROOT"] = root
    files = [port, script]
    if romfs is not None and os.path.exists(romfs):
        env["RECOMP_RT_ROMFS"] = romfs
        files.append(romfs)
    watch = _Watch(context, recording, limit)
    outcome = context.run_program(
        [port, *config["args"]],
        env=env,
        timeout_s=context.stage.timeout_s,
        poll=watch.poll,
        confine=confinement(tuple(files), (recording, *((root,) if root else ()))),
    )
    facts = _read_facts(context, recording, outcome)
    return _judge(context, facts, recording, config["ticks"])


def _compare(context: Context, recordings: list[str], kept: str, result: Result) -> Result:
    """Stage 0 of the validation: runs of one input must be equal. What they are is left beside the recording, for
    `validate` to judge; a run without a reference says it here."""
    from recomp.media.determinism import RECORD, compare_recordings

    found = compare_recordings(recordings)
    with open(os.path.join(kept, RECORD), "w", encoding="ascii") as file:
        file.write(json.dumps(found, indent=2, sort_keys=True) + "\n")
    for recording in recordings:
        if recording != kept:
            remove_tree(recording)
    if found["status"] == "deterministic":
        return result._replace(found=f"{result.found}, {len(recordings)} runs equal")
    tick = found["first_divergence"]["tick"]
    note = f"nondeterministic: {len(recordings)} runs of the same input differ from tick {tick} on"
    context.message(note)
    return result._replace(found=f"{result.found}, but runs differ from tick {tick} on", notes=(*result.notes, note))


def _repeated(stage: Stage, recording: str, repeats: int, tools: tuple[Tool, ...]) -> Stage:
    """The stage of a run command that is given more than once: what it records each time is compared."""
    once = stage.run

    def run(context: Context) -> Result:
        folders = []
        for number in range(repeats + 1):
            remove_tree(recording)
            result = once(context)
            if not os.path.isdir(recording):
                raise StageError(
                    f"run: the command wrote no recording to {recording}: there is nothing to compare runs by",
                    hint="set [run] repeats = 0, or let the command record there",
                )
            if number < repeats:
                import shutil  # not for a run with nothing to do

                folders.append(shutil.move(recording, os.path.join(context.scratch, f"again-{number}")))
        return _compare(context, [*folders, recording], recording, result)

    return stage._replace(run=run, config={"repeats": repeats}, tools=(*stage.tools, *tools))


class _Watch:
    """Shows how far the recording is, twice a second, by the ticks that the runtime wrote of."""

    def __init__(self, context: Context, recording: str, limit: int) -> None:
        self._context, self._limit, self._next = context, limit, 0.5
        self._frames = os.path.join(recording, "frames.rec")

    def poll(self, age_s: float) -> None:
        if age_s >= self._next:
            self._next = age_s + 0.5
            try:
                size = os.path.getsize(self._frames)
            except OSError:
                size = 0
            self._context.progress(age_s, None, f"{size / 1e6:.1f} MB recorded")


def _read_facts(context: Context, recording: str, outcome: Outcome) -> Run:
    """`run.json`, which the runtime writes whatever happens to the guest; without it the port itself failed."""
    from recomp.media.recording import parse_run

    path = os.path.join(recording, "run.json")
    if outcome.timed_out or not os.path.exists(path):
        context.check(outcome, "the port")
        raise StageError("run: the port ended without writing run.json", hint=f"see {context.log_path('stderr')}")
    with open(path, "rb") as file:
        return parse_run(file.read(), name="run.json")


def _judge(context: Context, facts: Run, recording: str, ticks: int | None) -> Result:
    kind, code, played = facts.exit.kind, facts.exit.code, facts.ticks
    found = f"{facts.frames:,} frames, {played:,} ticks ({played / 60:.1f} s)"
    if facts.audio:
        found += f", {facts.audio[2]:,} audio samples"
    notes = tuple(f"supervisor call {n} is unknown, asked {count}x" for n, count in sorted(facts.unknown_svcs.items()))
    notes += tuple(f"{name} is not implemented, asked {n}x" for name, n in sorted(facts.unknown_commands.items()))
    if kind == "miss":
        misses = len(read_misses(recording))
        return Result(found=f"{misses} indirect-branch miss{'es' if misses != 1 else ''}", notes=notes, again=True)
    if (kind == "exit" and code == 0) or (kind == "limit" and ticks is not None):
        return Result(found=found, notes=notes)
    logs = f"see {context.log_path('stderr')}"
    if kind == "exit":
        raise StageError(f"run: the guest ended with exit code {code} after {played} ticks", hint=logs)
    if kind == "limit":
        raise StageError(
            f"run: the guest neither ended nor was told to after {played} ticks ({played / 60:.0f} s)",
            hint='set [run] ticks, or put a marker "end" into the input script',
        )
    what = "trapped" if kind == "trap" else "was ended by a signal"
    raise StageError(f"run: the guest {what} after {played} ticks: {facts.exit.detail}".rstrip(": "), hint=logs)


def read_misses(recording: str) -> list[bytes]:
    try:
        with open(os.path.join(recording, "misses.jsonl"), "rb") as file:
            return [line for line in file.read().splitlines() if line.strip()]
    except FileNotFoundError:
        return []


def learn(evidence: bytes, record: dict[str, Any], store: Store) -> bytes | None:
    """The evidence with the misses of a finished run added, each target once, in order; None if it recorded none."""
    entry = next((e for e in record["outputs"] if e["path"] == "misses.jsonl"), None)
    if entry is None:
        return None
    known = {_place(line): line for line in evidence.splitlines()}
    for line in store.read_blob(entry["sha256"]).splitlines():
        if line.strip():
            known.setdefault(_place(line), _row(line))
    return b"".join(known[place] + b"\n" for place in sorted(known))


def _place(line: bytes) -> tuple[int, int]:
    row = json.loads(line)
    return row["target"], row["site"]


def _row(line: bytes) -> bytes:
    """A miss without its count, which would make a new round of a run that only took longer."""
    row = json.loads(line)
    return json.dumps({"site": row["site"], "target": row["target"], "count": 1}).encode()
