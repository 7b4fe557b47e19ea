"""From edits to causes: rules in the order of cause, each finding with its evidence and one thing to try next.

A rule looks at facts that the comparison has established and answers with a class, never with a guess about pixels it
has not seen; `recomp.media.pairs` adds what the first divergent pair shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recomp.media.align import Alignment, Run

if TYPE_CHECKING:
    from recomp.media.compare import HashLists

_NEXT = {
    "other-content": "check that reference and capture are of the same program, size and input script",
    "input-misalignment": "compare the recording's inputs.jsonl with the input script around this tick",
    "capture-incomplete": "look at how the run ended (run.json, exit), then record again",
    "capture-overlong": "end the run where the reference ends (run limit, or timeline end)",
    "black-or-frozen": "look at the run's exit and traps from this tick on",
    "state-divergence": "look at the guest's state one tick before; the misses and traps of the run come first",
    "frame-pacing": "compare the guest's waits for vsync around this tick",
    "glitch": "look at the picture pair: what is drawn late or twice in it",
    "render-difference": "look at the picture pair, then at the code that draws what differs",
    "local-render": "look at the picture pair, then at the code that draws what stands in the box",
    "audio-missing": "check that the run recorded sound and that the reference has it",
    "audio-offset": "compare the first writes to the sound device with the first frames",
    "audio-dropout": "look at the guest's writes to the sound device around this tick",
    "audio-difference": "listen to both around this tick; compare the arithmetic of the mixer",
}

_WATCH = "recomp play --replay --from {tick}"
_LOG = "recomp log run"
_LOOK = "recomp report --open"
_AGAIN = "recomp reference normalize RECORDING --to FOLDER"
_COMMANDS = {
    "other-content": "recomp check",
    "nondeterministic-run": _LOG,
    "input-misalignment": "recomp input log",
    "capture-incomplete": _LOG,
    "capture-overlong": _LOG,
    "black-or-frozen": _LOG,
    "audio-missing": _LOG,
    "late-start": f"{_AGAIN} --start SECONDS",
    "scale-or-crop": f"{_AGAIN} --crop X,Y,WIDTH,HEIGHT",
    **dict.fromkeys(("colour-range", "gamma-or-level", "channel-swap", "local-render", "render-difference"), _LOOK),
}
_BEFORE = 60  # ticks that are watched before the one in question


def command_for(name: str, tick: int) -> str:
    """The one command to try next: most causes are best watched, from a second before."""
    return _COMMANDS.get(name, _WATCH).format(tick=max(0, tick - _BEFORE))


def triage(
    frames: Mapping[str, Any],
    audio: Mapping[str, Any] | None,
    frame_alignment: Alignment | None,
    audio_alignment: Alignment | None,
    reference: HashLists,
    capture: HashLists,
    scenes: Sequence[tuple[int, str]],
    evidence: Mapping[str, Any],
) -> dict[str, Any]:
    """Return {"status", "categories", "findings", "suggestions"}; status "clean" or "needs_review"."""
    findings = []
    if frame_alignment is not None:
        findings += list(_frame_findings(frame_alignment, reference.frames, capture.frames, evidence))
    elif frames["matched"] < frames["compared"] or frames["length_delta"]:
        findings.append(_finding("render-difference", 0, 0, _shares(frames, "frames")))
    if (reference.audio is None) != (capture.audio is None):
        side = "capture" if capture.audio is None else "reference"
        findings.append(_finding("audio-missing", 0, 0, f"the {side} has no sound, the other side has"))
    elif audio_alignment is not None:
        findings += list(_audio_findings(audio_alignment, len(reference.audio or ())))
    elif audio is not None and (audio["matched"] < audio["compared"] or audio["length_delta"]):
        findings.append(_finding("audio-difference", 0, 0, _shares(audio, "chunks")))
    for finding in findings:
        names = [name for first, name in scenes if first <= finding["first_tick"]]
        finding["scene"] = names[-1] if names else None
    return summarise({"status": "", "categories": [], "findings": findings, "suggestions": []})


def input_message(evidence: Mapping[str, Any]) -> str:
    """Say where what the guest read leaves what was played for the reference."""
    tick = evidence.get("first_input_difference")
    where = "" if tick is None else f", from tick {tick} on"
    return f"the guest read other input, or read it at another tick{where}"


def summarise(result: dict[str, Any]) -> dict[str, Any]:
    """Bring status, categories and suggestions of a triage in line with its findings; return it."""
    categories = list(dict.fromkeys(finding["class"] for finding in result["findings"]))
    result["status"] = "needs_review" if categories else "clean"
    result["categories"] = categories
    result["suggestions"] = [_NEXT[name] for name in categories]
    return result


def rename(finding: dict[str, Any], name: str) -> None:
    """Give a finding another class, with its advice."""
    finding["class"], finding["next"] = name, _NEXT[name]
    finding["command"] = command_for(name, finding["first_tick"])


def _frame_findings(
    alignment: Alignment, reference: Sequence[str], capture: Sequence[str], evidence: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield the findings of the picture; the first cause that explains the whole difference stands alone."""
    if not alignment.runs:
        return
    first = alignment.runs[0]
    if not alignment.matched:
        yield _run(first, "other-content", "no frame of the reference occurs in the capture")
        return
    if evidence.get("inputs_equal") is False:
        yield _run(first, "input-misalignment", input_message(evidence))
        return
    lost = _lost_from(alignment, len(reference))
    kept = alignment.runs[: len(alignment.runs) - len(lost)]
    yield from (_local(run) for run in kept)
    if not lost:
        return
    if len(lost) > 1 or lost[0].kind == "substitute":
        yield _lost_picture(lost, reference, capture)
    elif lost[0].kind == "delete":
        yield _run(lost[0], "capture-incomplete", f"the capture ends {lost[0].count} frames early")
    else:
        yield _run(lost[0], "capture-overlong", f"the capture goes on for {lost[0].count} frames")


def _lost_from(alignment: Alignment, total: int) -> tuple[Run, ...]:
    """Return the last runs, from the one on after which less than a tenth matches; () if the lists meet again."""
    matched_after = lost = 0
    end = total
    for number, run in enumerate(reversed(alignment.runs), start=1):
        reaches = run.reference_start + (run.count if run.kind != "insert" else 0)
        matched_after += end - reaches
        end = run.reference_start
        if matched_after > (total - run.reference_start) // 10:
            break
        lost = number
    runs = alignment.runs[len(alignment.runs) - lost :]
    brief = len(runs) == 1 and runs[0].kind == "substitute" and runs[0].count < 10
    return () if brief else runs


def _lost_picture(lost: Sequence[Run], reference: Sequence[str], capture: Sequence[str]) -> dict[str, Any]:
    first = lost[0]
    rest, wanted = capture[first.capture_start :], reference[first.reference_start :]
    ticks, name = len(wanted), "state-divergence"
    message = "from here on no frame matches any more"
    if len(set(rest)) == 1 and len(set(wanted)) > 1:
        message = f"from here on the capture shows one still picture, {len(rest)} frames long"
        name = "black-or-frozen"
    finding = _finding(name, first.reference_start, ticks, message)
    return {**finding, "capture_index": first.capture_start}


def _local(run: Run) -> dict[str, Any]:
    frames = f"{run.count} frame{'s' if run.count != 1 else ''}"
    if run.kind == "delete":
        return _run(run, "frame-pacing", f"{frames} missing from the capture")
    if run.kind == "insert":
        return _run(run, "frame-pacing", f"{frames} extra in the capture")
    differ = f"{frames} differ{'s' if run.count == 1 else ''}, then the picture is right again"
    return _run(run, "glitch" if run.count <= 3 else "render-difference", differ)


def _audio_findings(alignment: Alignment, total: int) -> Iterator[dict[str, Any]]:
    if not alignment.runs:
        return
    first = alignment.runs[0]
    edited = sum(run.count for run in alignment.runs)
    moved = alignment.count("insert") != alignment.count("delete")
    if not total or not alignment.matched:
        yield _run(first, "audio-difference", "no tick of sound matches")
    elif moved and first.reference_start == 0:
        yield _run(first, "audio-offset", "the sound starts at another tick")
    elif edited <= 30 and not moved:
        yield _run(first, "audio-dropout", f"{edited} tick{'s' if edited != 1 else ''} of sound differ")
    else:
        yield _run(first, "audio-difference", f"{edited} ticks of sound differ, are missing or extra")


def _run(run: Run, name: str, message: str) -> dict[str, Any]:
    finding = _finding(name, run.reference_start, run.count, message)
    return {**finding, "capture_index": run.capture_start}


def _finding(name: str, tick: int, count: int, message: str) -> dict[str, Any]:
    return {
        "class": name,
        "first_tick": tick,
        "ticks": count,
        "message": message,
        "next": _NEXT[name],
        "command": command_for(name, tick),
    }


def _shares(comparison: Mapping[str, Any], unit: str) -> str:
    return f"{comparison['matched']} of {comparison['compared']} {unit} equal at the best offset"
