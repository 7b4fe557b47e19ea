"""The limits of perceptual mode, and the values held against them. Every gate is in the report with its margin.

Defaults are those of docs/validation.md; `[thresholds]` of a validation config may override any by name. A gate whose
value cannot be had (no sound, a lossless reference) is not listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from recomp.errors import ConfigError

if TYPE_CHECKING:
    from recomp.media.measure import Measurement
    from recomp.media.sound import SoundMeasurement


@dataclass(frozen=True)
class Limits:
    """Pass limits; units in the names: share of ticks, ticks, ppm, pixels, levels (0-255), ms, dB (loudness: LU).

    `update_rate_hz`: how often the guest is known to change its picture, 0 = not known; a reference of a lower rate
    cannot tell by itself."""

    coverage_share: float = 0.98
    dropped_share: float = 0.005
    repeated_share: float = 0.005
    gap_ticks: float = 2
    lead_ticks: float = 120
    stuck_share: float = 0.02
    instant_deficit: float = 0.30
    persistent_deficit: float = 0.15
    scene_ssim_deficit: float = 0.02
    colour_deficit: float = 0.29
    update_rate_hz: float = 0
    shift_px: float = 0.5
    scale_share: float = 0.003
    gain_error: float = 0.05
    offset_levels: float = 6
    bend_levels: float = 4
    channel_correlation: float = 0.8
    skew_early_ms: float = 60
    skew_late_ms: float = 30
    audio_drift_ppm: float = 100
    prominence: float = 15
    loudness_db: float = 1.5
    momentary_db: float = 3
    lsd_median_db: float = 2.5
    lsd_p99_db: float = 6
    crest_db: float = 2
    dropout_ms: float = 0

    def override(self, values: Mapping[str, Any]) -> Limits:
        """Return these limits with some replaced by name; names that are no limit belong to others and stay out."""
        known = {field.name for field in fields(self)}
        taken = {name: value for name, value in values.items() if name in known}
        for name, value in taken.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise ConfigError(f"thresholds: {name}: found {value!r}, expected a number")
        return replace(self, **taken)


def picture_gates(m: Measurement, scenes: Sequence[tuple[int, str]], limits: Limits) -> list[dict[str, Any]]:
    """Hold the picture against its limits; the whole clip first, then each scene."""
    return [{**gate, "medium": "picture"} for gate in (*_clip_gates(m, limits), *_scene_gates(m, scenes, limits))]


def sound_gates(s: SoundMeasurement, skew_ms: float, limits: Limits) -> list[dict[str, Any]]:
    """Hold the sound against its limits. `skew_ms`: sound late against the picture."""
    if s.silent_reference or s.silent_capture:
        return []
    sure = s.prominence >= limits.prominence
    gates = [_at_least("audio prominence", s.prominence, limits.prominence)]
    if sure:
        limit = limits.skew_late_ms if skew_ms >= 0 else limits.skew_early_ms
        gates.append(_at_most("audio skew ms", abs(skew_ms), limit))
    if s.drift_ppm is not None:
        gates.append(_at_most("audio drift ppm", abs(s.drift_ppm), limits.audio_drift_ppm))
    gates += [
        _at_most("loudness difference LU", abs(s.loudness_db), limits.loudness_db),
        _at_most("momentary loudness difference LU", s.momentary_db, limits.momentary_db),
        _at_most("log-spectral distance median dB", s.lsd_median, limits.lsd_median_db),
        _at_most("log-spectral distance p99 dB", s.lsd_p99, limits.lsd_p99_db),
        _at_most("peaks lost dB", max(0.0, -s.crest_db), limits.crest_db),
        _at_most("dropouts ms", 1000 * sum(length for _, length in s.dropouts), limits.dropout_ms),
    ]
    for channel, row in enumerate(s.channels):
        gates.append(_at_least(f"channel {channel} correlation", row[channel], limits.channel_correlation))
    return [{**gate, "medium": "sound"} for gate in gates]


def _clip_gates(m: Measurement, limits: Limits) -> Iterator[dict[str, Any]]:
    r = m.registration
    recorded = max(int(r.recorded.sum()), 1)
    total = max(len(r.capture_of), 1)
    yield _at_least("coverage", len(m.ticks) / recorded, limits.coverage_share)
    yield _at_most("dropped", sum(count for _, count in r.missing) / total, limits.dropped_share)
    yield _at_most("repeated", sum(count for _, count in r.extra) / total, limits.repeated_share)
    yield _at_most("lead ticks", r.lead, limits.lead_ticks)
    yield _at_most(
        "longest gap ticks", max((count for _, count in (*r.missing, *r.extra)), default=0), limits.gap_ticks
    )
    yield _at_most("stuck", float(m.stuck.mean()) if len(m.stuck) else 0.0, limits.stuck_share)
    if m.updates_hz is not None and limits.update_rate_hz:
        yield _at_least("pictures a second", m.updates_hz, 0.9 * limits.update_rate_hz)
    c = m.calibration
    if c is None:
        return
    yield _at_most("shift px", max(abs(c.shift_x), abs(c.shift_y)), limits.shift_px)
    yield _at_most("scale", max(abs(c.scale_x), abs(c.scale_y)), limits.scale_share)
    yield _at_most("gain error", abs(c.gain - 1), limits.gain_error)
    # The offset at the grey middle: at black it would follow from the gain, and a codec's gain is a little off one.
    yield _at_most("offset levels", abs(c.gain * 128 + c.offset - 128), limits.offset_levels)
    yield _at_most("bend levels", abs(c.bend), limits.bend_levels)
    own = [value for k, row in enumerate(c.channels) if (value := row[k]) is not None]
    if own:
        yield _at_least("channel correlation", min(own), limits.channel_correlation)


def _scene_gates(m: Measurement, scenes: Sequence[tuple[int, str]], limits: Limits) -> Iterator[dict[str, Any]]:
    if not len(m.ticks):
        return
    deficit, lasting, colour = m.deficit, m.lasting, m.lasting_colour
    for first, last, name in spans(scenes, len(m.registration.capture_of)):
        inside = (m.ticks >= first) & (m.ticks < last)
        if not inside.any():
            continue
        yield _at_most("tile deficit instant", float(deficit[inside].max()), limits.instant_deficit, name)
        yield _at_most("tile deficit persistent", float(lasting[inside].max()), limits.persistent_deficit, name)
        yield _at_most("SSIM deficit", float(deficit[inside].mean()), limits.scene_ssim_deficit, name)
        yield _at_most("colour tile deficit persistent", float(colour[inside].max()), limits.colour_deficit, name)


def spans(scenes: Sequence[tuple[int, str]], total: int) -> list[tuple[int, int, str | None]]:
    """Return (first tick, end, name) of the stretches that are judged apart; the whole clip where no scene is named."""
    starts: list[tuple[int, str | None]] = [(max(0, first), name) for first, name in scenes if first < total]
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0, None))
    ends = [first for first, _ in starts[1:]] + [total]
    return [(first, end, name) for (first, name), end in zip(starts, ends, strict=True) if end > first]


def _at_most(name: str, value: float, limit: float, scene: str | None = None) -> dict[str, Any]:
    return _gate(name, value, limit, limit - value, "at most", scene)


def _at_least(name: str, value: float, limit: float, scene: str | None = None) -> dict[str, Any]:
    return _gate(name, value, limit, value - limit, "at least", scene)


def _gate(name: str, value: float, limit: float, margin: float, sense: str, scene: str | None) -> dict[str, Any]:
    return {
        "gate": name,
        "scene": scene,
        "value": round(float(value), 4),
        "limit": round(float(limit), 4),
        "sense": sense,
        "margin": round(float(margin), 4),
        "status": "passed" if margin >= 0 else "failed",
    }
