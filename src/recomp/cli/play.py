"""`recomp play`: a port in a window; what is played can be recorded, and an input script can be watched step by step.

The port stays deterministic while it is played (`recomp.media.live`): it sees input at the start of a tick and waits
for it, so a pause, a step or a slow machine changes nothing, and the recorded script makes the same run headless.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from recomp.cli.text import counted
from recomp.errors import ConfigError, ToolError

if TYPE_CHECKING:
    from recomp.cli.window import Window
    from recomp.media.live import Event, LivePort, Tick

_JUMP = 60  # ticks that the arrow keys move a replay by


class Target(NamedTuple):
    """What is played: the port, its arguments and seed, a title, and the project's own input script."""

    port: str
    arguments: tuple[str, ...]
    seed: int
    title: str
    script: str | None


def command(options: argparse.Namespace) -> int:
    from recomp.cli.window import Window

    target = find_target(options.target)
    if options.record and os.path.exists(options.record):
        raise ConfigError(f"{options.record}: is there already", hint="name another file, or remove this one")
    script = None
    if options.replay is not None:
        script = read_script(options.replay or target.script, target)
    elif options.start:
        raise ConfigError("--from: only a replay can start elsewhere", hint="add --replay")
    with Window(target.title, options.scale) as window:
        session = Session(target, script)
        try:
            if options.start:
                session.seek(options.start, window)
            run(session, window, options.speed)
        finally:
            session.close()
    if options.record:
        save(session, target, options.record)
    print(f"{session.tick:,} ticks ({session.tick / 60:.1f} s) played")
    return 0


def find_target(name: str) -> Target:
    """An automation.toml, a folder with one or with a run-manifest.json, or a port. Raises ConfigError."""
    if os.path.isdir(name):
        found = [path for file in ("automation.toml", "run-manifest.json") if os.path.exists(path := f"{name}/{file}")]
        if not found:
            raise ConfigError(f"{name}: holds neither an automation.toml nor a run-manifest.json")
        name = found[0]
    if not os.path.isfile(name):
        raise ConfigError(f"{name}: there is no such file", hint="name an automation.toml, a run's folder, or a port")
    if name.endswith(".json"):
        return _of_run(Path(name))
    if name.endswith(".toml"):
        return _of_project(name)
    if not os.access(name, os.X_OK):
        raise ConfigError(f"{name}: is no port: it cannot be executed")
    return Target(os.path.abspath(name), (), 0, os.path.basename(name), None)


def _of_project(path: str) -> Target:
    from recomp.config import project as projects

    project = projects.load(path)
    settings = project.settings
    run = settings.raw["run"]
    port = os.path.join(settings.dirs["build_dir"], "port")
    script = settings.path("reference", "input_script_toml")
    return Target(_existing(port), tuple(run["args"]), run["seed"], str(project.title["title"]), script)


def _of_run(path: Path) -> Target:
    from recomp.report.from_run import artifact, read_json

    manifest = read_json(path)
    port = artifact(manifest, path.parent, "port")
    if port is None:
        raise ConfigError(f"{path}: this run made no port, or it is no longer there", hint="run recomp automate")
    return Target(str(port.resolve()), (), 0, str(manifest.get("run_id", port.name)), None)


def _existing(port: str) -> str:
    if not os.access(port, os.X_OK):
        raise ConfigError(f"{port}: there is no port yet", hint="make it: recomp automate --until build")
    return port


def read_script(path: str | None, target: Target) -> dict[str, Any]:
    """A checked input script. Raises ConfigError, or ConfigProblems with their places."""
    from recomp.config import input_script
    from recomp.config.document import Document

    if path is None:
        raise ConfigError(f"--replay: {target.title} has no input script of its own", hint="name one: --replay FILE")
    document = Document.load(path)
    script = input_script.load(document)
    document.finish()
    return script


def events_of(script: Mapping[str, Any]) -> dict[int, list[Event]]:
    """tick → (type, code, value), those of one tick in the order of the file."""
    from recomp.config.input_script import code_of

    out: dict[int, list[Event]] = {}
    for event in script["events"]:
        found = code_of(event["control"])
        assert found is not None, "checked when loaded"
        out.setdefault(event["tick"], []).append((*found, event["value"]))
    return out


class Session:
    """A port that is played or replayed, from its first tick as often as wanted; everything but the window."""

    def __init__(self, target: Target, script: dict[str, Any] | None) -> None:
        from recomp.config.input_script import end_tick
        from recomp.engine.landlock import confinement
        from recomp.media.live import LivePort

        confine = confinement((target.port,), ())
        self._start = partial(LivePort, target.port, target.arguments, seed=target.seed, confine=confine)
        self.replay = script is not None
        self.end = None if script is None else end_tick(script)
        self.events: dict[int, list[Event]] = {} if script is None else events_of(script)
        self.marks: list[tuple[str, int]] = []
        self._port: LivePort = self._start()
        self.ended = False

    @property
    def tick(self) -> int:
        """The tick that comes next: so many are over."""
        return self._port.next_tick

    def step(self, played: Sequence[Event] = ()) -> Tick | None:
        """Let one tick pass, with what is played in it, or in a replay with what the script has; None at the end."""
        if self.ended or (self.end is not None and self.tick >= self.end):
            self.ended = True
            return None
        if played and not self.replay:
            self.events[self.tick] = list(played)
        shown = self._port.step(self.events.get(self.tick, ()))
        self.ended = shown is None
        return shown

    def seek(self, tick: int, window: Window) -> None:
        """Go to a tick of a replay: forward by playing on, back by playing from the start. Shows where it arrives."""
        if tick < self.tick:
            self._port.close()
            self._port, self.ended = self._start(), False
        picture = None
        while self.tick < tick and (shown := self.step()) is not None:
            picture = shown.picture if shown.picture is not None else picture
        window.show(picture)

    def mark(self) -> None:
        """Put a marker at the next tick; two at one tick are one."""
        if all(tick != self.tick for _, tick in self.marks):
            self.marks.append((f"mark-{len(self.marks) + 1}", self.tick))

    def close(self) -> None:
        self._port.close()


def run(session: Session, window: Window, speed: float) -> None:
    """Play until the port ends or the window is closed. A replay that has ended stays, to be looked back into."""
    paused, waiting = False, []
    _name(session, window, paused)
    while True:
        played, told = window.poll(replay=session.replay)
        waiting += played
        if "quit" in told or (session.ended and not (session.replay and paused)):
            return
        for word in told:
            paused = _obey(word, session, window, paused)
        if paused and "step" not in told:
            window.idle()
            window.show(None)
            continue
        shown = session.step(waiting)
        waiting = []
        if shown is None:
            continue
        window.sound(shown.sound, shown.rate)
        window.show(shown.picture)
        if paused or session.tick % 30 == 0:
            _name(session, window, paused)
        window.wait(speed)


def _obey(word: str, session: Session, window: Window, paused: bool) -> bool:
    """Do what a key of the window says; returns whether time stands still."""
    jumps = {"forward": session.tick + _JUMP, "back": max(0, session.tick - _JUMP), "restart": 0}
    if word in jumps and session.replay:
        session.seek(jumps[word], window)
    elif word == "mark" and not session.replay:
        session.mark()
    elif word in ("pause", "step"):
        paused = not paused if word == "pause" else True
    _name(session, window, paused)
    return paused


def _name(session: Session, window: Window, paused: bool) -> None:
    what = "replay, " if session.replay else ""
    state = ", paused (F10 steps)" if paused else ""
    window.name(f"{what}tick {session.tick:,}, {session.tick / 60:.1f} s{state}")


def save(session: Session, target: Target, path: str) -> None:
    """Write what was played as an input script that ends where the playing ended."""
    from recomp.config.input_writer import script_text

    text = script_text(
        session.events, title=target.title, controller="played", markers=session.marks, end=max(session.tick, 1)
    )
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"{path}: cannot be written: {error.strerror}") from error
    count = sum(map(len, session.events.values()))
    print(f"{path}: {counted(count, 'event')}; watch it: recomp play {target.port} --replay {path}")
