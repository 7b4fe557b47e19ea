"""`input_script.toml` (contracts, section 7): recorded input, and the lines that the port reads.

Controls have the names of a game pad; the guest sees the keys of a Linux keyboard (docs/automation.md, "Controls").
"""

from __future__ import annotations

from typing import Any

from recomp.config.document import Document
from recomp.config.types import Either, Field, Integer, ListOf, Table, Text

TICKS_PER_SECOND = 60
EV_SYN, EV_KEY, EV_ABS = 0, 1, 3

#: game pad name → (event type, code) as in linux/input-event-codes.h
CONTROLS: dict[str, tuple[int, int]] = {
    "UP": (EV_KEY, 103), "DOWN": (EV_KEY, 108), "LEFT": (EV_KEY, 105), "RIGHT": (EV_KEY, 106),
    "A": (EV_KEY, 44), "B": (EV_KEY, 45), "X": (EV_KEY, 30), "Y": (EV_KEY, 31),  # KEY_Z, KEY_X, KEY_A, KEY_S
    "L": (EV_KEY, 16), "R": (EV_KEY, 17), "ZL": (EV_KEY, 2), "ZR": (EV_KEY, 3),  # KEY_Q, KEY_W, KEY_1, KEY_2
    "START": (EV_KEY, 28), "PLUS": (EV_KEY, 28),  # KEY_ENTER
    "SELECT": (EV_KEY, 1), "MINUS": (EV_KEY, 1),  # KEY_ESC
    "TOUCH": (EV_KEY, 0x14A), "TOUCH_X": (EV_ABS, 0x35), "TOUCH_Y": (EV_ABS, 0x36),  # BTN_TOUCH, ABS_MT_POSITION
    "LSTICK": (EV_KEY, 46), "RSTICK": (EV_KEY, 47),  # KEY_C, KEY_V: the sticks pressed
    "LSTICK_X": (EV_ABS, 0), "LSTICK_Y": (EV_ABS, 1), "RSTICK_X": (EV_ABS, 3), "RSTICK_Y": (EV_ABS, 4),
}  # fmt: skip

_KEYS = (
    "RESERVED ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER "
    "LEFTCTRL A S D F G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA DOT SLASH "
    "RIGHTSHIFT KPASTERISK LEFTALT SPACE CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10"
).split()
_BUTTONS = {
    "SOUTH": 0x130, "EAST": 0x131, "NORTH": 0x133, "WEST": 0x134, "TL": 0x136, "TR": 0x137, "TL2": 0x138, "TR2": 0x139,
    "SELECT": 0x13A, "START": 0x13B, "MODE": 0x13C, "THUMBL": 0x13D, "THUMBR": 0x13E,
    "DPAD_UP": 0x220, "DPAD_DOWN": 0x221, "DPAD_LEFT": 0x222, "DPAD_RIGHT": 0x223,
}  # fmt: skip
_AXES = {"X": 0, "Y": 1, "Z": 2, "RX": 3, "RY": 4, "RZ": 5, "HAT0X": 16, "HAT0Y": 17}

_LINUX_NAMES = {
    **{f"KEY_{name}": (EV_KEY, code) for code, name in enumerate(_KEYS)},
    **{f"KEY_{name}": (EV_KEY, code) for name, code in (("UP", 103), ("LEFT", 105), ("RIGHT", 106), ("DOWN", 108))},
    **{f"BTN_{name}": (EV_KEY, code) for name, code in _BUTTONS.items()},
    **{f"ABS_{name}": (EV_ABS, code) for name, code in _AXES.items()},
}

_TIME_MS = Field(Integer(0), "Milliseconds from the start.")
_FRAME = Field(Integer(0), "Ticks of 1/60 s from the start.")
_CONTROL = Either(Integer(0, 0x2FF), Text(not_empty=True))
_CONTROL.expects = "a control's name or an integer code from 0 to 767"

INPUT_SCRIPT = Table({
    "schema_version": Field(Text("1"), "Version of this file's schema.", required=True),
    "metadata": Field(Table({
        "title": Field(Text(), required=True),
        "controller": Field(Text(), required=True),
        "timing_mode": Field(Text("ms", "frames"), "How times are given.", required=True),
        "recorded_at": Field(Text()),
        "notes": Field(Text()),
    }), required=True),
    "events": Field(ListOf(Table({
        "time_ms": _TIME_MS,
        "frame": _FRAME,
        "control": Field(_CONTROL, "A name such as A or LEFT, or a raw evdev key code.", required=True),
        "value": Field(Integer(-(1 << 31), (1 << 31) - 1), "1 pressed, 0 released; an axis's position.", required=True),
        "note": Field(Text()),
    })), "Events; those at the same time keep file order.", default=[]),
    "markers": Field(ListOf(Table({
        "name": Field(Text(not_empty=True), "Unique.", required=True),
        "time_ms": _TIME_MS,
        "frame": _FRAME,
        "note": Field(Text()),
    })), "Named instants.", default=[]),
})  # fmt: skip


def load(document: Document) -> dict[str, Any]:
    """The checked script, each event and marker with its `tick`; problems are gathered in the document."""
    script = document.check(INPUT_SCRIPT)
    mode = script["metadata"] and script["metadata"]["timing_mode"]
    for section in ("events", "markers") if mode else ():
        for index, item in enumerate(script[section] or ()):
            _check_time(document, (section, index), item, mode)
    for index, event in enumerate(script["events"] or ()):
        _check_control(document, index, event)
    names = [marker["name"] for marker in script["markers"] or ()]
    for index, name in enumerate(names):
        if name and name in names[:index]:
            document.complain(("markers", index, "name"), f'a second marker "{name}"', hint="names must be unique")
    return script


def _check_time(document: Document, path: tuple[str, int], item: dict[str, Any], mode: str) -> None:
    key, other = ("time_ms", "frame") if mode == "ms" else ("frame", "time_ms")
    if item[other] is not None:
        document.complain((*path, other), f'does not belong to timing_mode "{mode}"', at_key=True)
    if item[key] is not None:
        item["tick"] = item[key] if mode == "frames" else to_tick(item[key])
    elif not document.has((*path, key)):
        document.complain((*path, key), f'is missing: expected an integer in timing_mode "{mode}"')


def _check_control(document: Document, index: int, event: dict[str, Any]) -> None:
    if isinstance(event["control"], str) and code_of(event["control"]) is None:
        from recomp.config.problems import nearest

        near = nearest(event["control"], [*CONTROLS, *_LINUX_NAMES])
        hint = f'did you mean "{near}"?' if near else "names: " + ", ".join(CONTROLS)
        document.complain(("events", index, "control"), f'unknown control "{event["control"]}"', hint=hint)


def code_of(control: int | str) -> tuple[int, int] | None:
    """(event type, code) of a control; an integer is a raw key code."""
    if isinstance(control, int):
        return EV_KEY, control
    return CONTROLS.get(control) or _LINUX_NAMES.get(control)


def to_tick(time_ms: int) -> int:
    """The tick of 1/60 s whose start is nearest to a time; half way goes to the later one."""
    return (time_ms * TICKS_PER_SECOND + 500) // 1000


def compile_script(script: dict[str, Any]) -> bytes:
    """Lines `TICK TYPE CODE VALUE`, the events of a tick followed by one SYN_REPORT."""
    events = sorted(script["events"], key=lambda event: event["tick"])
    lines = []
    for position, event in enumerate(events):
        kind_code = code_of(event["control"])
        assert kind_code is not None, "checked when loaded"
        lines.append(f"{event['tick']} {kind_code[0]} {kind_code[1]} {event['value']}")
        if position + 1 == len(events) or events[position + 1]["tick"] != event["tick"]:
            lines.append(f"{event['tick']} {EV_SYN} 0 0")
    return "".join(line + "\n" for line in lines).encode()


def end_tick(script: dict[str, Any]) -> int | None:
    """Where the marker "end" stands, if there is one."""
    return next((marker["tick"] for marker in script["markers"] if marker["name"] == "end"), None)
