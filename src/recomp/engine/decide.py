"""Whether a stage runs or is reused, and why. Pure: the runner only obeys."""

from __future__ import annotations

from typing import Any, NamedTuple

from recomp.engine.cachekey import differences
from recomp.engine.canonical import short
from recomp.engine.fingerprint import ABSENT
from recomp.engine.stage import Stage


class Decision(NamedTuple):
    reuse: bool
    reason: str


def decide(
    stage: Stage,
    parts: dict[str, Any],
    record: dict[str, Any] | None,
    previous: dict[str, Any] | None,
    *,
    resume: bool = True,
    ran_behind: str | None = None,
) -> Decision:
    """`parts` are the ingredients now, `record` the finished result with the same key (or content), `previous` what
    this work root last knew of the stage; `ran_behind` names a command upstream that ran in this very run."""
    if not stage.cacheable:
        return Decision(False, "always runs")
    if not resume:
        return Decision(False, "the cache is switched off (run.resume = false)")
    if ran_behind is not None:
        return Decision(False, f"behind the command of {ran_behind}, which ran")
    if record is not None:
        same = previous is not None and previous.get("ingredients") == parts
        return Decision(True, "nothing changed" if same else f"made before, in {record['origin']['run_id']}")
    return Decision(False, why_run(parts, previous))


def why_run(parts: dict[str, Any], previous: dict[str, Any] | None) -> str:
    """What differs from the last time, in words."""
    if previous is None or "ingredients" not in previous:
        return "first time"
    changes = [describe(*change) for change in differences(previous["ingredients"], parts)]
    if not changes:
        return "the last attempt failed" if previous.get("failed") else "its result is gone, or older than its upstream"
    return "; ".join(changes[:2]) + (f"; and {len(changes) - 2} more" if len(changes) > 2 else "")


def describe(kind: str, name: str, old: Any, new: Any) -> str:
    """One changed ingredient: `input changed: main.nso 3f2a91… → 9c41d0…`."""
    if kind == "upstream" and old is not None and new is not None:
        return f"upstream {name} changed"
    verb = "appeared" if old in (None, ABSENT) else "is gone" if new in (None, ABSENT) else "changed"
    detail = " → ".join(_value(value) for value in (old, new) if value is not None and value != ABSENT)
    return f"{kind} {verb}: {name} {detail}".rstrip()


def _value(value: Any) -> str:
    if isinstance(value, str) and len(value) == 64 and all(c in "0123456789abcdef" for c in value):
        return short(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        text = " ".join(value)
    else:
        text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
