"""What a unit is sent as: names and hashes. Content goes through the store, or, where it must not travel, nowhere.

A worker takes nothing on trust: it checks what it received against the hashes, asks the gates by its own policy, clock
and name, and only then stages the unit and runs it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from recomp.batch.approval import is_record
from recomp.batch.asking import ask, staged
from recomp.batch.attempt import attempt
from recomp.batch.executor import Task
from recomp.batch.gates import Asked, Refusal, approval_refusals, over_budget, refusals, refuse
from recomp.batch.local import Tell, contain
from recomp.batch.objects import Objects, blob_name
from recomp.batch.remote_store import RemoteStore
from recomp.batch.staging import Staged, contents, unit_digest, write_files
from recomp.batch.units import Unit
from recomp.config.automation import STEPS
from recomp.config.batch import Manifest
from recomp.engine.canonical import canonical, digest, digest_bytes
from recomp.engine.fingerprint import StatCache, list_tree
from recomp.errors import GateError
from recomp.stages.tools import look_at_tools


def pack(
    manifest: Manifest, unit: Unit, objects: Objects, hashes: StatCache, approvals: list[dict[str, Any]]
) -> dict[str, Any]:
    """The payload of a unit, as plain JSON; what of its files may travel is put into the store."""
    files = staged(manifest, unit, hashes)
    listing = contents(files, hashes)
    origin = unit.entry["inputs"]["asset_class"]
    travels = origin in manifest.policy["may_travel"] or manifest.policy["execution_mode"] == "local"
    for name, (sha256, _, _) in listing.items():
        content = files.files[name]
        if name in files.programs and not travels:
            continue
        if isinstance(content, str):
            if not objects.has(blob_name(sha256)):
                with open(content, "rb") as file:
                    objects.put_blob(sha256, file.read())
        else:
            objects.put_blob(sha256, content)
    asked = ask(manifest, unit, listing)
    return {
        "schema_version": "v1",
        "unit": unit.name,
        "batch_id": asked.batch_id,
        "asset_class": asked.asset_class,
        "files": {name: list(facts) for name, facts in listing.items()},
        "config": files.config,
        "policy": manifest.policy,
        "approvals": [_put_json(objects, record) for record in approvals if unit.name in record["units"]],
        "is_private": origin == "proprietary" and not travels,
        "deadline_s": manifest.policy["title_minutes"] * 60,
    }


def _put_json(objects: Objects, value: Any) -> str:
    data = canonical(value)
    objects.put_blob(sha256 := digest_bytes(data), data)
    return sha256


def _approvals(hashes: list[str], objects: Objects) -> list[dict[str, Any]]:
    """The records that a task names; one that is not there, or not one, is no approval."""
    found = [json.loads(data) for sha256 in hashes if (data := objects.get_blob(sha256)) is not None]
    return [record for record in found if is_record(record)]


def segments(resource: dict[str, str] | None) -> list[tuple[str, tuple[str, ...]]]:
    """(kind of worker, every stage up to there) for each part of a unit that one kind of worker can do."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for number, step in enumerate(STEPS, 1):
        kind = (resource or {}).get(step, "build")
        if found and found[-1][0] == kind:
            found.pop()
        found.append((kind, STEPS[:number]))
    return found


def wanted(task: Task, store_url: str, segment: tuple[str, tuple[str, ...]], is_last: bool, used_s: float) -> dict:
    """What a worker is given for a segment of a unit, as plain JSON; the parts before it took `used_s` seconds of the
    unit's time."""
    payload = {**task.payload}
    if "deadline_s" in payload:
        payload["deadline_s"] = max(payload["deadline_s"] - used_s, 1.0)
    return {"name": task.name, "payload": payload, "store": store_url, "until": None if is_last else segment[1]}


class Bench(NamedTuple):
    """Where a worker works: `folder` for its units and its own store, `inputs` with what may not travel, its `policy`
    (None: that of the batch alone)."""

    folder: str
    store_url: str
    inputs: str | None = None
    policy: dict[str, Any] | None = None


def carry_out(payload: dict[str, Any], bench: Bench, until: tuple[str, ...] | None, tell: Tell) -> dict[str, Any]:
    """Stage a unit that was sent, and run it. Returns its outcome, whatever is wrong with it."""
    return contain(lambda: _carry_out(payload, bench, until, tell))


def _carry_out(payload: dict[str, Any], bench: Bench, until: tuple[str, ...] | None, tell: Tell) -> dict[str, Any]:
    files = {name: (sha256, size, mode) for name, (sha256, size, mode) in payload["files"].items()}
    objects = Objects(bench.store_url)
    _check(payload, files, bench, _approvals(payload["approvals"], objects))
    policies = _policies(payload, bench)
    may_travel = tuple(set.intersection(*(set(policy["may_travel"]) for policy in policies)))
    if all(policy["execution_mode"] == "local" for policy in policies):
        may_travel = (*may_travel, "proprietary")  # a cluster of one's own: nobody names another place

    def open_store(root: str) -> RemoteStore:
        return RemoteStore(root, objects, may_travel, payload["asset_class"])

    store = open_store(os.path.join(bench.folder, "store"))
    fetched = _fetch(files, store, bench)
    folder = os.path.join(bench.folder, "units", digest([payload["batch_id"], payload["unit"]])[:24])
    config = write_files(folder, Staged(dict(fetched), payload["config"], frozenset()))
    for name, (_, _, is_executable) in files.items():
        if is_executable and not os.access(path := os.path.join(folder, name), os.X_OK):
            os.chmod(os.path.realpath(path), 0o555)
    os.environ["RECOMP_CACHE_DIR"] = store.root
    deadline_s = min(payload["deadline_s"], *(policy["title_minutes"] * 60 for policy in policies))
    known = StatCache(os.path.join(bench.folder, "tools-stat-cache"))
    look_at_tools(known)
    known.save()
    outcome = attempt(config, tell, until=until, open_store=open_store, deadline_s=deadline_s, known=known)
    page = outcome.pop("page", None)
    if page:
        with open(page, "rb") as file:
            outcome["page_sha256"] = store.put_bytes(data := file.read())
        objects.put_blob(outcome["page_sha256"], data)
    return outcome


def _check(
    payload: dict[str, Any], files: dict[str, tuple[str, int, bool]], bench: Bench, approvals: list[dict[str, Any]]
) -> None:
    """Every gate, by the batch's policy and by this worker's own. Raises GateError."""
    asked = Asked(payload["batch_id"], payload["unit"], unit_digest(files), payload["asset_class"])
    host = os.uname().nodename
    found = refusals(payload["policy"], asked, approvals, now_s=time.time(), host=host)
    for policy in _policies(payload, bench):
        found += over_budget(policy, asked.unit, payload.get("committed_s", 0.0))
    if bench.policy is not None:
        found += _own_refusals(bench.policy, payload["policy"], asked, approvals, host)
    if found:
        raise refuse(found, f"{payload['unit']}: worker {host}")


def _policies(payload: dict[str, Any], bench: Bench) -> list[dict[str, Any]]:
    return [payload["policy"], *([bench.policy] if bench.policy is not None else [])]


def _own_refusals(
    own: dict[str, Any], theirs: dict[str, Any], asked: Asked, approvals: list[dict[str, Any]], host: str
) -> list[Refusal]:
    """By a worker's own policy. A person signed for the batch's policy, so that is the one a signature is held to; who
    may sign is this machine's to say."""
    if own["execution_mode"] != "local" and theirs["execution_mode"] == "local":
        why = f'this worker takes batches of mode "{own["execution_mode"]}", and the batch asks no gates'
        return [Refusal("execution mode", why, f'set policy.execution_mode = "{own["execution_mode"]}"')]
    found = refusals({**own, "requires_approval": False}, asked, [], now_s=time.time(), host=host)
    if own["requires_approval"] and own["execution_mode"] != "local":
        found += approval_refusals(theirs, own["approvers"] or [], asked, approvals, time.time())
    return found


def _fetch(files: dict[str, tuple[str, int, bool]], store: RemoteStore, bench: Bench) -> dict[str, str]:
    """Where each file lies on this machine: in the worker's store, or among its own inputs."""
    own: Callable[[str], str | None] = Inputs(bench).find
    places = {}
    for name, (sha256, _, _) in files.items():
        if os.path.isabs(name) or ".." in name.split("/"):
            raise GateError(f"{name}: a unit's file lies outside its folder", hint="this task is not one of recomp's")
        if not os.path.exists(store.blob_path(sha256)):
            place = own(sha256)
            if place is not None:
                places[name] = place
                continue
            store.fetch(sha256)
        places[name] = store.blob_path(sha256)
    return places


class Inputs:
    """The files of a worker's own inputs folder, by their hash."""

    def __init__(self, bench: Bench) -> None:
        self._folder = bench.inputs
        self._hashes = StatCache(os.path.join(bench.folder, "inputs-stat-cache"))
        self._known: dict[str, str] | None = None

    def find(self, sha256: str) -> str | None:
        if self._folder is None:
            return None
        if self._known is None:
            paths = [os.path.join(self._folder, name) for name in list_tree(self._folder)]
            self._known = {self._hashes.file(path)[0]: path for path in paths if os.path.isfile(path)}
            os.makedirs(os.path.dirname(self._hashes.path or ""), exist_ok=True)
            self._hashes.save()
        return self._known.get(sha256)
