"""From perceptual measurements to causes: what a person would say is wrong, where, when, and what to try next.

Ordered by cause: a fault of the whole capture (place, level, channels) explains every failed tile, so those are not
named again; a black or frozen stretch explains the tiles in it. What is merely worth knowing is a "note".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from recomp.media.gates import Limits
from recomp.media.metrics import PERSISTENT, TILE
from recomp.media.triage import command_for, input_message

if TYPE_CHECKING:
    import numpy as np

    from recomp.media.measure import Measurement
    from recomp.media.sound import SoundMeasurement

NEXT = {
    "input-misalignment": "compare the recording's inputs.jsonl with the input script from this tick on",
    "capture-incomplete": "look at how the run ended (run.json, exit), then record again",
    "late-start": "trim the reference to the first tick of the run (timeline start), or expect this lead",
    "scale-or-crop": "bring the reference to the capture's size and place with `recomp reference normalize`",
    "colour-range": "find out which side is limited range (16-235) and convert that one",
    "gamma-or-level": "compare the transfer function: capture card, driver setting, or the guest's gamma",
    "channel-swap": "compare the framebuffer's channel order with the one the guest asked for",
    "black-or-frozen": "look at the run's exit, traps and presents from this tick on",
    "frame-pacing": "compare the guest's waits for vsync around this tick",
    "state-divergence": "compare the guest's state one tick before; misses and traps of the run come first",
    "local-render": "look at the picture pair, then at the code that draws what stands in the box",
    "glitch": "look at the picture pair: what is drawn late or twice in it",
    "audio-missing": "check that the run recorded sound and that the reference has it",
    "audio-offset": "compare the first writes to the sound device with the first frames",
    "audio-rate": "compare the sample rate that the guest asked for with the one that was recorded",
    "audio-dropout": "look at the guest's writes to the sound device around this tick",
    "audio-channel": "compare the order of channels in the mixer's output with the device's",
    "audio-level": "compare the mixer's gain and saturation",
    "audio-spectral": "listen to both around this tick; compare the mixer's arithmetic and resampling",
}
_OF_STATE = ("local-render", "glitch", "state-divergence")
_MERGE = 6  # ticks between two bad ones that are still one finding
_BESIDE = 2  # ticks
_WIDE = 0.15  # share of tiles from which on a lasting difference is one of state, not of a detail


def diagnose_picture(m: Measurement, limits: Limits, evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the findings of the picture: what is wrong throughout, then the others as they begin."""
    found = list(_timing(m, limits))
    whole = list(_whole_picture(m, limits))
    dark = list(_dark_or_frozen(m, limits))
    if not whole:
        found += _local(m, limits, _covered(m, dark))
    seen = [*whole, *sorted([*dark, *found], key=lambda finding: finding["first_tick"])]
    return [*_input(seen, evidence), *seen]


def _input(seen: Sequence[dict[str, Any]], evidence: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Other input is the cause of another state from there on; where nothing is seen, it is worth a note."""
    if evidence.get("inputs_equal") is False:
        tick = int(evidence.get("first_input_difference") or 0)
        failed = [finding for finding in seen if finding["severity"] == "failed"]
        severity = "failed" if failed else "note"
        for finding in failed:
            if finding["first_tick"] >= tick and finding["class"] in _OF_STATE:
                finding["severity"] = "explained"
        yield _finding("input-misalignment", tick, 0, input_message(evidence), severity)


def diagnose_sound(s: SoundMeasurement, skew_ms: float, limits: Limits, rate: float) -> list[dict[str, Any]]:
    """Return the findings of the sound; `rate` turns seconds into ticks."""
    if s.silent_capture and not s.silent_reference:
        return [_finding("audio-missing", 0, 0, "the capture is silent where the reference is not")]
    if s.silent_reference:
        return []
    if s.speed is not None:
        return [_finding("audio-rate", 0, 0, f"the sound is as if {s.speed}")]
    if s.drift_ppm is not None and abs(s.drift_ppm) > limits.audio_drift_ppm:
        faster = "fast" if s.drift_ppm < 0 else "slow"
        return [_finding("audio-rate", 0, 0, f"the sound is {abs(s.drift_ppm) / 1e4:.3f} % too {faster}")]
    if s.prominence < limits.prominence:
        return [_finding("audio-spectral", 0, 0, "the sound is another one: nowhere does it fit the reference")]
    return list(_sound_details(s, skew_ms, limits, rate))


def _sound_details(s: SoundMeasurement, skew_ms: float, limits: Limits, rate: float) -> Iterator[dict[str, Any]]:
    if skew_ms > limits.skew_late_ms or -skew_ms > limits.skew_early_ms:
        late = "late" if skew_ms > 0 else "early"
        yield _finding("audio-offset", 0, 0, f"the sound is {abs(skew_ms):.1f} ms {late} against the picture")
    for start, length in s.dropouts:
        yield _finding("audio-dropout", int(start * rate), round(length * rate), f"silent for {1000 * length:.0f} ms")
    channel = _channel_fault(s, limits)
    if channel:
        yield _finding("audio-channel", 0, 0, channel)
        return
    if -s.crest_db > limits.crest_db:
        yield _finding("audio-level", 0, 0, f"peaks are {-s.crest_db:.1f} dB lower against the level: clipped")
    elif abs(s.loudness_db) > limits.loudness_db:
        yield _finding("audio-level", 0, 0, f"the level differs by {s.loudness_db:+.1f} dB")
        return
    if s.tone is not None:
        yield _finding(
            "audio-spectral", 0, 0, f"a tone near {s.tone[0]:.0f} Hz is {s.tone[1]:.0f} dB too loud throughout"
        )
    elif not s.dropouts and (s.lsd_median > limits.lsd_median_db or s.lsd_p99 > limits.lsd_p99_db):
        message = f"the spectrum differs by {s.lsd_median:.1f} dB (median), {s.lsd_p99:.1f} dB at worst"
        yield _finding("audio-spectral", int(s.lsd_at_s * rate), 0, message)


def _channel_fault(s: SoundMeasurement, limits: Limits) -> str | None:
    if s.dead:
        return f"channel {s.dead[0]} is silent"
    if len(s.channels) == 2 and s.channels[0][1] > s.channels[0][0] and s.channels[1][0] > s.channels[1][1]:
        return "left and right are swapped"
    return "both channels carry the same sound" if s.alike else None


def _timing(m: Measurement, limits: Limits) -> Iterator[dict[str, Any]]:
    r = m.registration
    total = len(r.capture_of)
    if r.lead:
        severity = "failed" if r.lead > limits.lead_ticks else "note"
        message = f"the capture starts {r.lead} tick{'s' if r.lead != 1 else ''} before the reference"
        yield _finding("late-start", 0, r.lead, message, severity)
    ends = [(start, count) for start, count in r.missing if start == 0 or start + count == total]
    inner = [run for run in r.missing if run not in ends]
    for start, count in ends:
        if count / max(total, 1) > 1 - limits.coverage_share:
            where = "first" if start == 0 else "last"
            yield _finding("capture-incomplete", start, count, f"the capture lacks the {where} {count} ticks")
    for kind, runs, share in (("missing", inner, limits.dropped_share), ("repeated", r.extra, limits.repeated_share)):
        if not runs:
            continue
        amount = sum(count for _, count in runs)
        bad = amount / total > share or max(count for _, count in runs) > limits.gap_ticks
        first = runs[0][0] if kind == "missing" else _tick_of(m, runs[0][0])
        places = ", ".join(str(s if kind == "missing" else _tick_of(m, s)) for s, _ in runs[:6])
        message = f"{amount} frame{'s' if amount != 1 else ''} {kind}, at {places}{' …' if len(runs) > 6 else ''}"
        yield _finding("frame-pacing", first, amount, message, "failed" if bad else "note")


def _tick_of(m: Measurement, frame: int) -> int:
    """Return the reference tick that comes after a capture frame."""
    import numpy as np

    later = np.flatnonzero(m.registration.capture_of > frame)
    return int(later[0]) if len(later) else len(m.registration.capture_of)


def _whole_picture(m: Measurement, limits: Limits) -> Iterator[dict[str, Any]]:
    c = m.calibration
    if c is None:
        return
    middle = c.gain * 128 + c.offset - 128
    swapped = _swapped(c.channels, limits)
    if swapped:
        names = "RGB"
        text = " and ".join(f"{names[k]} shows {names[other]}" for k, other in swapped)
        yield _finding("channel-swap", 0, 0, f"the colour channels are mixed up: {text}")
        return
    if max(abs(c.scale_x), abs(c.scale_y)) > limits.scale_share:
        text = f"the capture is {100 * c.scale_x:+.2f} % wide, {100 * c.scale_y:+.2f} % high"
        yield _finding("scale-or-crop", 0, 0, text)
    elif max(abs(c.shift_x), abs(c.shift_y)) > limits.shift_px:
        yield _finding("scale-or-crop", 0, 0, f"the capture is shifted by ({c.shift_x:+.2f}, {c.shift_y:+.2f}) px")
    if 1.10 <= c.gain <= 1.23 and c.offset < -8 or 0.81 <= c.gain <= 0.91 and c.offset > 8:
        side = "stretched" if c.gain > 1 else "compressed"
        yield _finding("colour-range", 0, 0, f"levels are {side} by {c.gain:.3f}: limited and full range are mixed up")
    elif abs(c.gain - 1) > limits.gain_error or abs(middle) > limits.offset_levels or abs(c.bend) > limits.bend_levels:
        text = f"levels differ: gain {c.gain:.3f}, {middle:+.1f} levels at middle grey, bend {c.bend:+.1f}"
        yield _finding("gamma-or-level", 0, 0, text)


def _swapped(channels: Sequence[Sequence[float | None]], limits: Limits) -> list[tuple[int, int]]:
    """Return (reference channel, capture channel that shows it) where that is another one; too flat ones are left."""
    known = [[-2.0 if value is None else value for value in row] for row in channels]
    best = [max(range(3), key=row.__getitem__) for row in known]
    return [
        (k, best[k])
        for k, row in enumerate(known)
        if -2.0 < row[k] < limits.channel_correlation and best[k] != k and row[best[k]] > 0.9
    ]


def _dark_or_frozen(m: Measurement, limits: Limits) -> Iterator[dict[str, Any]]:
    from recomp.media.registration import runs

    if not len(m.ticks):
        return
    for start, count in runs(m.black.nonzero()[0]):
        text = f"the capture is black for {count} tick{'s' if count != 1 else ''}"
        yield _finding("black-or-frozen", start, count, text)
    frozen = [(start, count) for start, count in runs(m.stuck.nonzero()[0]) if count >= 10]
    for start, count in frozen:
        text = f"the capture stands still for {_length(m, start, count)} ticks"
        yield _finding("black-or-frozen", int(m.ticks[start]), _length(m, start, count), text)
    yield from _cadence(m, limits)
    rest = int(m.stuck.sum()) - sum(count for _, count in frozen)
    if rest / len(m.ticks) > limits.stuck_share:
        first = int(m.ticks[m.stuck.argmax()])
        share = f"{100 * rest / len(m.ticks):.0f} %"
        yield _finding("frame-pacing", first, rest, f"the capture repeats its picture at {share} of the ticks")


def _cadence(m: Measurement, limits: Limits) -> Iterator[dict[str, Any]]:
    """Say how often the capture changes its picture where the reference, having fewer, cannot tell what is right.

    A game of 30 pictures a second is filmed at 30 as often as one of 60 is: neither answer would be right. The question
    goes to the person, once; the answer is a limit."""
    if m.updates_hz is None:
        return
    wanted = limits.update_rate_hz
    text = f"the capture changes its picture {m.updates_hz:.0f} times a second"
    if wanted and m.updates_hz < 0.9 * wanted:
        yield _finding("frame-pacing", int(m.ticks[0]), len(m.ticks), f"{text}, expected {wanted:.0f}")
    elif not wanted and m.updates_hz < 0.9 * m.rate and m.recorded_hz < 0.9 * m.rate:
        doubt = f"{text}; a reference of {m.recorded_hz:.0f} cannot tell whether it should"
        advice = f"say how often the guest draws: update_rate_hz = {m.recorded_hz:.0f} in [validation.thresholds]"
        advice += f" of the reference if this is right, {m.rate:.0f} if it is not"
        yield {**_finding("frame-pacing", int(m.ticks[0]), 0, doubt, "open"), "next": advice}


def _length(m: Measurement, start: int, count: int) -> int:
    return int(m.ticks[start + count - 1] - m.ticks[start]) + 1


def _covered(m: Measurement, findings: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Mark judged ticks that a finding already explains; a running median carries it a little further. Beside a gap
    it is open which picture belongs to which tick."""
    import numpy as np

    covered = np.zeros(len(m.ticks), bool)
    for first, count in [*m.registration.missing, *((_tick_of(m, frame), 0) for frame, _ in m.registration.extra)]:
        covered |= (m.ticks >= first - _BESIDE) & (m.ticks < first + count + _BESIDE)
    for finding in findings:
        if finding["class"] == "frame-pacing" and finding["severity"] == "failed":
            covered[:] = True
        reach = PERSISTENT // 2 if finding["ticks"] > 3 else 0
        first, last = finding["first_tick"] - reach, finding["first_tick"] + finding["ticks"] + reach
        covered |= (m.ticks >= first) & (m.ticks < last)
    return covered


def _local(m: Measurement, limits: Limits, covered: np.ndarray) -> Iterator[dict[str, Any]]:
    """Yield stretches of ticks with failed tiles, each as a glitch, a local defect or a state gone wrong."""
    import numpy as np

    if not len(m.ticks):
        return
    deficit, lasting, colour = m.deficit, m.lasting, m.lasting_colour
    failed = (deficit > limits.instant_deficit) | (lasting > limits.persistent_deficit)
    failed |= colour > limits.colour_deficit
    failed[covered] = False
    bad = np.flatnonzero(failed.any(axis=(1, 2)))
    for start, end in _stretches(bad):
        part = np.asarray(failed[start : end + 1].any(axis=0))
        first, ticks = int(m.ticks[start]), int(m.ticks[end] - m.ticks[start]) + 1
        box = _box(part, m)
        where = f"{box['width']}x{box['height']} px at ({box['x']}, {box['y']})"
        worst, hue = float(deficit[start : end + 1].max()), float(colour[start : end + 1].max())
        facts = f"tile SSIM up to {worst:.2f} below the codec's own"
        if hue > worst:
            facts = f"in colour, tile SSIM up to {hue:.2f} below the codec's own"
        wide = (lasting[start : end + 1] > limits.persistent_deficit).mean(axis=(1, 2))
        to_end = end >= len(m.ticks) - PERSISTENT
        if ticks <= 3 and worst > limits.instant_deficit:  # not a piece of what lasts
            yield _finding("glitch", first, ticks, f"{where} differ for {ticks} ticks; {facts}", box=box)
        elif to_end and start > 0 and float(np.median(wide)) > _WIDE:
            text = f"from here on the picture is another one; {facts}"
            yield _finding("state-divergence", first, ticks, text, box=box)
        else:
            yield _finding("local-render", first, ticks, f"{where} differ for {ticks} ticks; {facts}", box=box)


def _stretches(indices: np.ndarray) -> list[tuple[int, int]]:
    out: list[list[int]] = []
    for index in indices.tolist():
        if out and index - out[-1][1] <= _MERGE:
            out[-1][1] = index
        else:
            out.append([index, index])
    return [(start, end) for start, end in out]


def _box(tiles: np.ndarray, m: Measurement) -> dict[str, int]:
    import numpy as np

    rows, columns = np.flatnonzero(tiles.any(axis=1)), np.flatnonzero(tiles.any(axis=0))
    x, y = int(columns[0]) * TILE, int(rows[0]) * TILE
    right = min(m.reference.width, (int(columns[-1]) + 1) * TILE)
    bottom = min(m.reference.height, (int(rows[-1]) + 1) * TILE)
    return {"x": x, "y": y, "width": right - x, "height": bottom - y}


def _finding(
    name: str, tick: int, ticks: int, message: str, severity: str = "failed", box: dict[str, int] | None = None
) -> dict[str, Any]:
    finding = {
        "class": name,
        "severity": severity,
        "first_tick": tick,
        "ticks": ticks,
        "message": message,
        "next": NEXT[name],
        "command": command_for(name, tick),
    }
    return {**finding, "box": box} if box else finding
