"""The gates of a batch: recorded in local mode, hard in cloud and hybrid mode.

They are asked before anything is submitted (`Gates`) and once more by each worker (`refusals` with the worker's own
policy and clock), which does not take the coordinator's word for it. What is not set is refused: a bound that nobody
chose is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from recomp.batch.approval import covers, objection
from recomp.errors import GateError
from recomp.stages.policy import in_window


class Refusal(NamedTuple):
    """`cure` is what would satisfy the gate."""

    gate: str
    why: str
    cure: str


class Asked(NamedTuple):
    """What somebody wants to run: a unit with the digest of what it is made from, and its program's asset class."""

    batch_id: str
    unit: str
    digest: str
    asset_class: str
    stages: tuple[str, ...] = ("*",)


def refuse(refusals: list[Refusal], what: str) -> GateError:
    lines = "".join(f"\n    {item.gate}: {item.why}" for item in refusals)
    return GateError(f"{what}: refused{lines}", hint="; ".join(dict.fromkeys(item.cure for item in refusals)))


def refusals(
    policy: dict[str, Any],
    asked: Asked,
    approvals: list[dict[str, Any]],
    *,
    now_s: float,
    host: str | None,
) -> list[Refusal]:
    """Every gate that refuses a unit now. `host` is the machine that it would run on, None before that is known."""
    if policy["execution_mode"] == "local":
        return []
    found = missing_bounds(policy)
    found += _window(policy, now_s)
    found += _separation(policy, asked, host)
    if policy["requires_approval"]:
        found += approval_refusals(policy, policy["approvers"] or [], asked, approvals, now_s)
    return found


def missing_bounds(policy: dict[str, Any]) -> list[Refusal]:
    found = []
    for key, gate, cure in (
        ("max_runtime_minutes", "run time budget", "set policy.max_runtime_minutes"),
        ("max_cost_usd", "cost budget", "set policy.max_cost_usd"),
        ("usd_per_hour", "cost budget", "set policy.usd_per_hour, what an hour of a worker costs"),
        ("redaction_profile", "redaction profile", "set policy.redaction_profile"),
        ("allowed_models", "allowed models", "set policy.allowed_models (an empty list allows none)"),
    ):
        if policy[key] is None:
            found.append(Refusal(gate, f"policy.{key} is not set", cure))
    return found


def _window(policy: dict[str, Any], now_s: float) -> list[Refusal]:
    windows = policy["run_windows"]
    now, end = time.localtime(now_s), time.localtime(now_s + policy["title_minutes"] * 60)
    if not windows or any(in_window(window, now) and in_window(window, end) for window in windows):
        return []
    at = time.strftime("%a %H:%M", now)
    why = f"a title may take {policy['title_minutes']:g} min, and from {at} that is not within {', '.join(windows)}"
    return [Refusal("run window", why, "run within a window, or lower policy.title_minutes")]


def _separation(policy: dict[str, Any], asked: Asked, host: str | None) -> list[Refusal]:
    if asked.asset_class != "proprietary":
        return []
    private = policy["private_hosts"] or []
    if not private:
        why = "the program is proprietary, and no machine is named that it may lie on"
        return [Refusal("asset separation", why, "set policy.private_hosts, or the title's inputs.asset_class")]
    if host is not None and host not in private:
        why = f'the program is proprietary, and "{host}" is none of {", ".join(private)}'
        return [Refusal("asset separation", why, "run it on a worker with --tags private on one of these machines")]
    return []


def over_budget(policy: dict[str, Any], unit: str, committed_s: float) -> list[Refusal]:
    """The budgets that a batch may pass: `committed_s` is what is spent and set aside, with the worst of `unit`."""
    if policy["execution_mode"] == "local":
        return []
    found = []
    minutes, dollars, price = policy["max_runtime_minutes"], policy["max_cost_usd"], policy["usd_per_hour"]
    if minutes is not None and committed_s > minutes * 60:
        why = f"with {unit} the batch could take {committed_s / 60:.1f} min of {minutes:g}"
        found.append(Refusal("run time budget", why, "raise policy.max_runtime_minutes, or lower policy.title_minutes"))
    if dollars is not None and price is not None and committed_s / 3600 * price > dollars:
        why = f"with {unit} the batch could cost {committed_s / 3600 * price:.2f} USD of {dollars:g}"
        found.append(Refusal("cost budget", why, "raise policy.max_cost_usd, or lower policy.title_minutes"))
    return found


def approval_refusals(
    policy: dict[str, Any], approvers: list[str], asked: Asked, approvals: list[dict[str, Any]], now_s: float
) -> list[Refusal]:
    """Empty where somebody of `approvers` has signed for this unit under this policy."""
    cure = "recomp batch approve MANIFEST --key KEY, by one of policy.approvers"
    reasons = []
    for record in approvals:
        why = objection(record, approvers, asked.batch_id, policy, now_s)
        why = why or covers(record, asked.unit, asked.digest, asked.stages)
        if why is None:
            return []
        reasons.append(f"that of {record['who']} does not count: {why}")
    return [Refusal("approval", "; ".join(reasons) or f"nobody has signed for {asked.unit}", cure)]


class Gates:
    """The coordinator's side: the refusals above, and budgets over the whole batch.

    The worst that an attempt may cost is set aside before it starts and settled by what it took: the sum can never
    pass the budget, whatever the attempts do. `before` is what earlier, killed runs of the same batch have spent."""

    def __init__(
        self,
        policy: dict[str, Any],
        approvals: list[dict[str, Any]],
        *,
        before_s: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.policy, self.approvals, self._clock = policy, approvals, clock
        self.spent_s = before_s
        self._reserved: dict[str, float] = {}

    def check(self, asked: list[Asked]) -> None:
        """Before anything is submitted. Raises GateError with every gate that refuses, each once."""
        found: dict[tuple[str, str], Refusal] = {}
        for item in asked:
            for refusal in refusals(self.policy, item, self.approvals, now_s=self._clock(), host=None):
                found.setdefault((refusal.gate, refusal.why), refusal)
        if found:
            raise refuse(list(found.values())[:12], f'policy: execution mode "{self.policy["execution_mode"]}"')

    def admit(self, asked: Asked) -> list[Refusal]:
        """Why an attempt may not start now; if it may, its worst case is set aside."""
        if self.policy["execution_mode"] == "local":
            return []
        worst_s = self.policy["title_minutes"] * 60
        found = refusals(self.policy, asked, self.approvals, now_s=self._clock(), host=None)
        found += over_budget(self.policy, asked.unit, self.committed_s + worst_s)
        if not found:
            self._reserved[asked.unit] = worst_s
        return found

    @property
    def committed_s(self) -> float:
        """What is spent, and what is set aside for the attempts under way."""
        return self.spent_s + sum(self._reserved.values())

    def settle(self, unit: str, seconds: float) -> None:
        """An attempt is over: what it took, at most what was set aside, is spent."""
        worst_s = self._reserved.pop(unit, None)
        if worst_s is not None:
            self.spent_s += min(seconds, worst_s)
