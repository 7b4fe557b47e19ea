"""Approved differences: `approvals.toml`, written by a person's decision on a stored run, read by the next comparison.

What is approved is a scene's digest: the hash of all its frame and sound hashes. Nothing else can slip in under it, and
several digests may be approved for one scene (a picture that two drivers draw in two ways). A negative is a known bad
digest: it fails by name. Imagery stays where it was; only hashes and reasons are in the file.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recomp.errors import ConfigError, GateError
from recomp.media.compare import HashLists, scenes_of
from recomp.media.gates import spans

WHOLE = "*"
"""Name of the stretch before the first marker, or of a whole clip without markers."""

_KEYS = ("scene", "platform", "digest", "status", "who", "why")
_HEAD = "# Written by `recomp accept`; each entry is one decision. Delete an entry to take it back.\n"


@dataclass(frozen=True)
class Approval:
    """One decision. `status`: "positive" (this difference is right) or "negative" (this is the known bad one)."""

    scene: str
    platform: str
    digest: str
    status: str
    who: str
    why: str


def scene_digests(lists: HashLists, timeline: Mapping[str, Any] | None, fps: float) -> dict[str, str]:
    """Return the digest of each scene of one side; frames beyond the last marker belong to its scene."""
    digests = {}
    for first, end, name in spans(scenes_of(timeline, fps), len(lists.frames)):
        digest = hashlib.sha256(b"recomp scene v1\0")
        last = end == len(lists.frames)
        sound = None if lists.audio is None else lists.audio[first : None if last else end]
        for part in (lists.frames[first:end], sound or ()):
            digest.update(len(part).to_bytes(4, "little") + "".join(part).encode())
        digests[name or WHOLE] = digest.hexdigest()
    return digests


def read_approvals(path: Path | str) -> list[Approval]:
    """Read the file; one that does not exist approves nothing. Raises ConfigError naming file and entry."""
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: cannot read: {error}") from error
    if content.get("schema_version") != "1":
        raise ConfigError(f'{path}: schema_version: found {content.get("schema_version")!r}, expected "1"')
    entries = content.get("approvals", [])
    if not isinstance(entries, list) or set(content) - {"schema_version", "approvals"}:
        raise ConfigError(f"{path}: expected schema_version and [[approvals]] only")
    return [_entry(entry, f"{path}: approvals[{number}]") for number, entry in enumerate(entries)]


def accept(
    path: Path | str,
    report: Mapping[str, Any],
    capture: HashLists,
    *,
    scene: str,
    because: str,
    who: str,
    platform: str = "any",
    status: str = "positive",
) -> Approval:
    """Write a decision on one scene of a stored run to `path`, which is made; return it.

    Needs no new run. Raises GateError for a run that did not repeat itself, ConfigError for a scene that it does not
    have or a decision without a reason.
    """
    video = report["video"]
    if video["status"] == "nondeterministic":
        raise GateError(
            "accept: this run does not repeat itself; what it showed cannot be approved",
            hint="make the run deterministic first: " + "; ".join(video["triage"]["suggestions"]),
        )
    if not because.strip():
        raise ConfigError("accept: found no reason, expected one (--because)")
    fps = float((video.get("reference") or {}).get("fps") or 60)
    digests = scene_digests(capture, video.get("timeline"), fps)
    if scene not in digests:
        raise ConfigError(f"accept: found no scene {scene!r} in this run, expected one of {', '.join(digests)}")
    decision = Approval(scene, platform, digests[scene], status, who, because.strip())
    same = ("scene", "platform", "digest")
    equal = [s["scene"] for s in video.get("scenes") or () if not s["differs"] and video.get("mode") == "exact"]
    if scene in equal and status == "positive":
        raise ConfigError(f"accept: scene {scene!r} equals the reference: there is nothing to approve")
    kept = [a for a in read_approvals(path) if any(getattr(a, key) != getattr(decision, key) for key in same)]
    write_approvals(path, [*kept, decision])
    return decision


def write_approvals(path: Path | str, approvals: Sequence[Approval]) -> None:
    """Write the file whole or not at all."""
    import tomlkit

    path = Path(path)
    content = {"schema_version": "1", "approvals": [asdict(approval) for approval in approvals]}
    scratch = path.with_name(f".{path.name}.part")
    scratch.write_text(_HEAD + tomlkit.dumps(content), encoding="utf-8")
    os.replace(scratch, path)


def apply_approvals(
    report: dict[str, Any],
    reference: HashLists | None,
    capture: HashLists,
    approvals: Sequence[Approval],
    *,
    platform: str = "any",
) -> dict[str, Any]:
    """Let a failed report pass where every scene that differs is approved; return the same report, annotated.

    Which scenes differ: in exact mode those whose digest is not the reference's; in perceptual mode (`reference` None)
    those that a failed finding or gate lies in. `video.approvals` lists each with the capture's digest and the decision
    on it (None: undecided). `video.scenes` lists every scene with its digest, for the page.
    """
    video = report["video"]
    fps = float((video.get("reference") or {}).get("fps") or 60)
    theirs = scene_digests(capture, video.get("timeline"), fps)
    ours = {} if reference is None else scene_digests(reference, video.get("timeline"), fps)
    differing = [scene for scene in theirs if ours.get(scene) != theirs[scene]]
    if reference is None:
        blamed = _blamed(video, len(capture.frames), fps)
        differing = [scene for scene in theirs if scene in blamed]
    places = spans(scenes_of(video.get("timeline"), fps), len(capture.frames))
    video["scenes"] = [
        {
            "scene": name or WHOLE,
            "first": first,
            "ticks": end - first,
            "digest": theirs[name or WHOLE],
            "reference": ours.get(name or WHOLE),
            "differs": (name or WHOLE) in differing,
        }
        for first, end, name in places
    ]
    if video.get("mode") not in ("exact", "perceptual") or video["status"] != "failed":
        return report
    decisions = [_decided(scene, theirs[scene], approvals, platform) for scene in differing]
    video["approvals"] = decisions
    bad = [d for d in decisions if d["status"] == "negative"]
    if bad:
        video["failures"].insert(0, f"scene {bad[0]['scene']!r}: known bad: {bad[0]['why']}")
    elif decisions and all(d["status"] == "positive" for d in decisions):
        _pass(report, decisions)
    return report


def _blamed(video: Mapping[str, Any], total: int, fps: float) -> set[str]:
    """Name the scenes that a perceptual report's failures lie in; what concerns the whole clip lies in all of them."""
    stretches = [
        (first, end, name or WHOLE) for first, end, name in spans(scenes_of(video.get("timeline"), fps), total)
    ]
    everything = {name for _, _, name in stretches}
    findings = [f for f in video["triage"]["findings"] if f.get("severity") in ("failed", "explained")]
    gates = [g for g in video.get("gates", ()) if g["status"] == "failed"]
    blamed = {g["scene"] for g in gates if g["scene"] is not None}
    if not findings and any(g["scene"] is None for g in gates):
        return everything
    for finding in findings:
        if not finding["ticks"] and not finding["first_tick"]:
            return everything
        first, last = finding["first_tick"], finding["first_tick"] + max(1, finding["ticks"])
        blamed |= {name for start, end, name in stretches if start < last and first < end}
    return blamed


def _decided(scene: str, digest: str, approvals: Sequence[Approval], platform: str) -> dict[str, Any]:
    for approval in reversed(approvals):
        if (approval.scene, approval.digest) == (scene, digest) and approval.platform in ("any", platform):
            return {
                "scene": scene,
                "digest": digest,
                "status": approval.status,
                "who": approval.who,
                "why": approval.why,
            }
    return {"scene": scene, "digest": digest, "status": None, "who": None, "why": None}


def _pass(report: dict[str, Any], decisions: Sequence[Mapping[str, Any]]) -> None:
    names = ", ".join(repr(d["scene"]) for d in decisions)
    for case in report["cases"]:
        if case["status"] == "failed":
            case["status"] = "passed"
            case["details"] = f"approved for {names}: {case['details']}"
    report["passed"], report["failed"] = report["total"], 0
    report["video"]["status"] = "passed"
    report["video"]["failures"] = []


def _entry(entry: object, where: str) -> Approval:
    if not isinstance(entry, dict) or set(entry) != set(_KEYS) or not all(isinstance(v, str) for v in entry.values()):
        raise ConfigError(f"{where}: expected the strings {', '.join(_KEYS)}")
    if entry["status"] not in ("positive", "negative"):
        raise ConfigError(f"{where}: status: found {entry['status']!r}, expected 'positive' or 'negative'")
    if not re.fullmatch("[0-9a-f]{64}", entry["digest"]):
        raise ConfigError(f"{where}: digest: found {entry['digest'][:80]!r}, expected 64 lower-case hex digits")
    return Approval(**entry)
