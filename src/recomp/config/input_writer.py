"""Events that were played → the text of an input_script.toml, the same text for the same events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from recomp.config.input_script import _LINUX_NAMES, CONTROLS, EV_KEY, EV_SYN
from recomp.errors import FormatError

_KEY_REPEATS = 2
"""The value of an EV_KEY event that the kernel makes while a key is held: nothing that anybody played."""


def control_of(kind: int, code: int) -> int | str | None:
    """What an event's type and code are called in a script; None for what it cannot say."""
    for names in (CONTROLS, _LINUX_NAMES):
        for name, pair in names.items():
            if pair == (kind, code):
                return name
    return code if kind == EV_KEY and code < 0x300 else None


def is_played(kind: int, value: int) -> bool:
    """Whether a device's event is one that somebody played: no report and no repetition of a held key."""
    return kind != EV_SYN and not (kind == EV_KEY and value == _KEY_REPEATS)


def script_text(
    events: Mapping[int, Sequence[tuple[int, int, int]]],
    *,
    title: str,
    controller: str,
    markers: Iterable[tuple[str, int]] = (),
    end: int | None = None,
) -> str:
    """Return a script with times in ticks. `events`: tick → (type, code, value) in order; `end`: where a replay stops.

    Raises FormatError for an event that a script cannot say.
    """
    import tomlkit

    out = ['schema_version = "1"', "", "[metadata]", f"title = {tomlkit.item(title).as_string()}",
           f"controller = {tomlkit.item(controller).as_string()}", 'timing_mode = "frames"']  # fmt: skip
    for tick in sorted(events):
        for kind, code, value in events[tick]:
            control = control_of(kind, code)
            if control is None:
                raise FormatError(f"tick {tick}: found an event of type {kind}, code {code}: no control has these")
            shown = f'"{control}"' if isinstance(control, str) else str(control)
            out += ["", "[[events]]", f"frame = {tick}", f"control = {shown}", f"value = {value}"]
    for name, tick in [*markers, *([("end", end)] if end is not None else [])]:
        out += ["", "[[markers]]", f"name = {tomlkit.item(name).as_string()}", f"frame = {tick}"]
    return "\n".join(out) + "\n"
