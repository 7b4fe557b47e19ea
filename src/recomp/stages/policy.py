"""Policy gates (docs/decisions): recorded in local mode, hard in cloud and hybrid mode.

They are looked at before the first stage that would run; a run that is cached whole needs nobody's leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from recomp.errors import GateError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def gate(policy: dict[str, Any]) -> Callable[[str], None]:
    """What to call with the run's id before anything runs; raises GateError with every gate that refuses."""

    def check(run_id: str) -> None:
        refusals = refused(policy, run_id, time.localtime())
        if refusals:
            lines = "".join(f"\n    {what}: {why}" for what, why, _ in refusals)
            raise GateError(
                f'policy: execution mode "{policy["execution_mode"]}" is refused{lines}',
                hint="; ".join(cure for _, _, cure in refusals),
            )

    return check


def refused(policy: dict[str, Any], run_id: str, now: time.struct_time) -> list[tuple[str, str, str]]:
    """(gate, why it refuses, what would satisfy it) for each gate that does."""
    if policy["execution_mode"] == "local":
        return []
    found = []
    if policy["requires_approval"] and policy["approval"] != run_id:
        given = f'the approval is for "{policy["approval"]}"' if policy["approval"] else "no approval is given"
        found.append(("approval", f"run {run_id} must be approved and {given}", f'set policy.approval = "{run_id}"'))
    windows = policy["run_windows"]
    if windows and not any(in_window(window, now) for window in windows):
        at = time.strftime("%a %H:%M", now)
        found.append(("run window", f"it is {at}, outside {', '.join(windows)}", "run within a window"))
    for key, what, cure in (
        ("max_runtime_minutes", "run time bound", "set policy.max_runtime_minutes"),
        ("max_cost_usd", "cost bound", "set policy.max_cost_usd"),
        ("redaction_profile", "redaction profile", "set policy.redaction_profile"),
        ("allowed_models", "allowed models", "set policy.allowed_models (an empty list allows none)"),
    ):
        if policy[key] is None:
            found.append((what, f"policy.{key} is not set", cure))
    return found


def in_window(window: str, now: time.struct_time) -> bool:
    """Whether a local time lies in `DAYS:HH:MM-HH:MM`; a window that ends before it begins goes over midnight."""
    days, _, span = window.partition(":")
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
    minute = now.tm_hour * 60 + now.tm_min
    if start <= end:
        return _is_day(days, now.tm_wday) and start <= minute < end
    late = _is_day(days, now.tm_wday) and minute >= start
    return late or (_is_day(days, (now.tm_wday - 1) % 7) and minute < end)


def _is_day(days: str, weekday: int) -> bool:
    return {"daily": True, "weekday": weekday < 5, "weekend": weekday >= 5}.get(days, days == _DAYS[weekday])
