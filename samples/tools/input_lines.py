"""`input_script.toml` of the samples → lines `TICK TYPE CODE VALUE` for their native reference programs.

Written apart from recomp's own compiler of such scripts on purpose: the reference owes it nothing. Only what the
samples use: timing_mode "frames", keys by the names below.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

EV_KEY = 1
KEYS = {
    "UP": 103, "DOWN": 108, "LEFT": 105, "RIGHT": 106, "A": 44, "B": 45, "START": 28, "PLUS": 28,
    "KEY_ESC": 1,
}  # fmt: skip


def input_lines(path: Path) -> str:
    """The script's events in order of time, those at one time in file order. Raises ValueError naming the event."""
    script = tomllib.loads(path.read_text(encoding="utf-8"))
    if script["metadata"]["timing_mode"] != "frames":
        raise ValueError(
            f'{path}: metadata.timing_mode: found {script["metadata"]["timing_mode"]!r}, expected "frames"'
        )
    lines = []
    for index, event in enumerate(script["events"]):
        if event["control"] not in KEYS:
            raise ValueError(f"{path}: event {index}: unknown control {event['control']!r}, expected {', '.join(KEYS)}")
        lines.append((event["frame"], f"{event['frame']} {EV_KEY} {KEYS[event['control']]} {event['value']}\n"))
    return "".join(line for _, line in sorted(lines, key=lambda item: item[0]))
