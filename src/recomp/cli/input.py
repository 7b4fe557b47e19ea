"""`recomp input`: check a script, make one of a recording, and see what the last run read of it."""

from __future__ import annotations

import argparse
import json
import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recomp.cli.text import counted, printable
from recomp.errors import ConfigError, FormatError, ToolError

_EVDEV = struct.Struct("<qqHHi")  # struct input_event of a 64-bit kernel
_PRINTED = 200


def command(options: argparse.Namespace) -> int:
    return {"check": _check, "record": _record, "log": _log}[options.action](options)


def _check(options: argparse.Namespace) -> int:
    """Say what is wrong with a script, or what it holds and what looks odd in it."""
    from recomp.config import input_script
    from recomp.config.document import Document

    path = _file(options, "input_script.toml")
    document = Document.load(path)
    script = input_script.load(document)
    document.finish()
    events, markers = script["events"], script["markers"]
    last = max((item["tick"] for item in (*events, *markers)), default=0)
    found = f"{counted(len(events), 'event')}, {counted(len(markers), 'marker')}"
    if options.json:
        answer = {"file": path, "events": len(events), "markers": len(markers), "last_tick": last}
        print(json.dumps({**answer, "notes": remarks(script)}, indent=2))
        return 0
    print(f"{printable(path)}: {found}, to tick {last:,} ({last / 60:.1f} s)")
    for remark in remarks(script):
        print(f"  note: {printable(remark)}")
    return 0


def remarks(script: dict[str, Any]) -> list[str]:
    """What a script may say but hardly means: keys that are pressed twice or never let go, events behind the end."""
    from recomp.config.input_script import EV_KEY, code_of, end_tick

    found: list[str] = []
    held: dict[int, tuple[Any, int]] = {}
    for event in sorted(script["events"], key=lambda event: event["tick"]):
        kind, code = code_of(event["control"]) or (0, 0)
        name, tick = event["control"], event["tick"]
        if kind != EV_KEY:
            continue
        if event["value"] and code in held:
            found.append(f"{name} is pressed at tick {tick} and was held since tick {held[code][1]}")
        if not event["value"] and code not in held:
            found.append(f"{name} is released at tick {tick} and was not held")
        if event["value"]:
            held[code] = (name, tick)
        else:
            held.pop(code, None)
    found += [f"{name} is held from tick {tick} to the end" for name, tick in held.values()]
    end = end_tick(script)
    late = [event["tick"] for event in script["events"] if end is not None and event["tick"] >= end]
    if late:
        found.append(f"{len(late)} events from tick {late[0]} on lie behind the marker end ({end})")
    return found


def _record(options: argparse.Namespace) -> int:
    """A recording's inputs.jsonl, lines TICK TYPE CODE VALUE, or a dump of an evdev device, as a script."""
    from recomp.config.input_writer import is_played, script_text

    path = _file(options, "inputs.jsonl")
    if os.path.exists(options.to):
        raise ConfigError(f"{options.to}: is there already", hint="name another file, or remove this one")
    events: dict[int, list[tuple[int, int, int]]] = {}
    for tick, kind, code, value in read_events(path):
        if is_played(kind, value):
            events.setdefault(tick, []).append((kind, code, value))
    if not events:
        raise FormatError(f"{path}: found no event that somebody played")
    text = script_text(events, title=os.path.basename(path), controller="recorded")
    try:
        Path(options.to).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ToolError(f"{options.to}: cannot be written: {error.strerror}") from error
    if options.json:
        count = sum(map(len, events.values()))
        print(json.dumps({"file": options.to, "events": count, "last_tick": max(events)}, indent=2))
        return 0
    print(f"{printable(options.to)}: {counted(sum(map(len, events.values())), 'event')}, to tick {max(events):,}")
    return 0


def read_events(path: str) -> list[tuple[int, int, int, int]]:
    """(tick, type, code, value) of every event in a file, as it is one of three kinds. Raises FormatError.

    A dump of a device (`cat /dev/input/event0 > FILE`) counts from its first event on.
    """
    from recomp.media.recording import read_input_log

    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from error
    if b"\0" not in head:
        return [(event.tick, event.type, event.code, event.value) for event in read_input_log(path)]
    data = Path(path).read_bytes()
    if len(data) % _EVDEV.size:
        raise FormatError(
            f"{path}: found {len(data)} bytes, expected events of {_EVDEV.size} (struct input_event of a 64-bit kernel)"
        )
    found: list[tuple[int, int, int, int]] = []
    start: int | None = None
    for seconds, microseconds, kind, code, value in _EVDEV.iter_unpack(data):
        time = seconds * 1_000_000 + microseconds
        start = time if start is None else start
        if not 0 <= microseconds < 1_000_000 or not 0 <= time - start < 24 * 3600 * 1_000_000:
            raise FormatError(
                f"{path}: event {len(found)}: found the time {seconds}.{microseconds} s: is no evdev dump"
            )
        found.append((((time - start) * 60 + 500_000) // 1_000_000, kind, code, value))
    return found


def _log(options: argparse.Namespace) -> int:
    """What the guest read in the last run, and how much later than the script had it."""
    from recomp.cli.open import open_layout
    from recomp.config import project as projects
    from recomp.media.recording import read_input_log

    project = projects.load(options.config)
    path = os.path.join(open_layout(options.config).work_root, "recording", "inputs.jsonl")
    if not os.path.exists(path):
        raise ConfigError(f"{path}: the last run left no log of its input", hint="run recomp automate first")
    read = [(event.tick, event.type, event.code, event.value) for event in read_input_log(path) if event.type]
    rows = matched(project.script, read)
    if options.json:
        names = ("tick", "scripted_tick", "control", "value")
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return 0
    for tick, scripted, control, value in rows[:_PRINTED]:
        late = "" if scripted == tick else "  not in the script" if scripted is None else f"  {tick - scripted} late"
        print(f"{tick:>7}  {control!s:<12} {value:>6}{late}")
    if len(rows) > _PRINTED:
        print(f"… {len(rows) - _PRINTED} more in {printable(path)}")
    total = len(project.script["events"]) if project.script else 0
    moved = sum(scripted != tick for tick, scripted, _, _ in rows)
    print(f"{counted(len(rows), 'event')} read of {total} in the script, {moved} of them at another tick")
    return 0


def matched(
    script: Mapping[str, Any] | None, read: Sequence[tuple[int, int, int, int]]
) -> list[tuple[int, int | None, int | str, int]]:
    """(tick, scripted tick, control, value) of each event that was read; a device gives them in the script's order."""
    from recomp.config.input_script import code_of
    from recomp.config.input_writer import control_of

    scripted = sorted(script["events"], key=lambda event: event["tick"]) if script else []
    waiting = [(event["tick"], code_of(event["control"]), event["value"]) for event in scripted]
    out: list[tuple[int, int | None, int | str, int]] = []
    for tick, kind, code, value in read:
        place = next((k for k, (_, pair, v) in enumerate(waiting) if (pair, v) == ((kind, code), value)), None)
        name = control_of(kind, code)
        out.append(
            (tick, None if place is None else waiting[place][0], f"{kind}/{code}" if name is None else name, value)
        )
        if place is not None:
            del waiting[: place + 1]
    return out


def _file(options: argparse.Namespace, example: str) -> str:
    if options.file is None:
        raise ConfigError(f"input {options.action}: found no FILE, expected such as {example}")
    return str(options.file)
