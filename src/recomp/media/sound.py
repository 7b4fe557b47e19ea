"""Measure the sound of a capture against a recorded reference: place, speed, level, spectrum, channels, gaps.

Both sides at 48 kHz in stereo, placed on the clock of their own first picture, so that sound and picture are judged on
one time line. A loudness gate alone passes eight of ten defects (docs/validation.md): each of these looks at one thing
that a listener would name.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.errors import FormatError
from recomp.media.loudness import block_powers, integrated, lufs
from recomp.media.video import _decoding, _open, audio_streams

if TYPE_CHECKING:
    import numpy as np

RATE = 48000
_LOW_RATE = 8000  # phase correlation: same answer as at 48 kHz, a seventh of the time
_WINDOW_S = 1.0
_SEARCH_S = 5.0
_MAX_SHIFT_S = 30
_FRAME = 1024
_BANDS = 32
_FLOOR_DB = -75.0  # of full scale, in a band: below it a codec's noise is all there is
_MASKED_DB = 30.0
_UNSURE = 15.0  # prominence below which an offset means nothing
_WRONG_RATES = {
    "44.1 kHz played at 48 kHz": 44100 / 48000,
    "48 kHz played at 44.1 kHz": 48000 / 44100,
    "half speed": 2.0,
    "double speed": 0.5,
    "32 kHz played at 48 kHz": 32000 / 48000,
}
_SILENT_DB, _AUDIBLE_DB = -62.0, -45.0


@dataclass(frozen=True)
class SoundMeasurement:
    """Capture against reference; levels in dB, `loudness_db` and `momentary_db` in LU (BS.1770).

    `offset_s`: capture late by; `prominence`: peak of the correlation in standard deviations; `drift_ppm`: capture slow
    by (None: too short or unsure); `lsd`: log-spectral distance in dB, median and 99th percentile, `lsd_at_s` where the
    worst is; `channels[r][c]`: correlations; `dropouts`: (start s, length s) in which only the capture is silent;
    `crest_db`: peaks against the mean level (clipping lowers it); `tone`: (Hz, dB) of a band that is louder throughout;
    `speed`: the known wrong sample rate that fits, if one does.
    """

    seconds: float
    offset_s: float
    prominence: float
    drift_ppm: float | None
    loudness_db: float
    momentary_db: float
    lsd_median: float
    lsd_p99: float
    lsd_at_s: float
    channels: tuple[tuple[float, ...], ...]
    dead: tuple[int, ...]
    alike: bool
    dropouts: tuple[tuple[float, float], ...]
    crest_db: float
    tone: tuple[float, float] | None
    silent_reference: bool
    silent_capture: bool
    speed: str | None = None


def has_sound(path: Path | str) -> bool:
    """Tell whether a file has an audio stream."""
    with _open(path) as container:
        return bool(container.streams.audio)


def read_sound(path: Path | str, slow: float = 1.0) -> np.ndarray:
    """Return the first track as (n, 2) float32 in [-1, 1] at 48 kHz, sample 0 at the time of the first picture; from a
    clock that is `slow` (1.001: a television's), as if that were right."""
    return read_track(path, 0, round(RATE / slow), 2)


def read_track(path: Path | str, track: int, rate: int, channels: int) -> np.ndarray:
    """Return one audio track as (n, channels) float32 in [-1, 1] at `rate`, sample 0 at the first picture's time."""
    import av
    import numpy as np

    with _open(path) as container, _decoding(path):
        stream = audio_streams(container, path)[track]
        layout = {1: "mono", 2: "stereo"}.get(channels, f"{channels}c")
        resampler = av.AudioResampler(format="flt", layout=layout, rate=rate)
        begin = _video_start(container)
        blocks, start = [], None
        for frame in container.decode(stream):
            if start is None and frame.pts is not None:
                start = frame.pts * frame.time_base
            blocks += [out.to_ndarray().reshape(-1, channels) for out in resampler.resample(frame)]
        blocks += [out.to_ndarray().reshape(-1, channels) for out in resampler.resample(None)]
    sound = np.concatenate(blocks) if blocks else np.zeros((0, channels), np.float32)
    shift = round(((start or Fraction(0)) - begin) * rate)
    if abs(shift) > _MAX_SHIFT_S * rate:
        raise FormatError(
            f"{path}: found sound {shift / rate:.0f} s away from the picture, expected at most {_MAX_SHIFT_S} s"
        )
    if shift > 0:
        return np.concatenate([np.zeros((shift, channels), np.float32), sound])
    return sound[-shift:]


def measure_sound(reference: np.ndarray, capture: np.ndarray) -> SoundMeasurement:
    """Measure two sounds of (n, channels) float32 at 48 kHz."""
    import numpy as np

    silent = [_rms_db(x) < _SILENT_DB if len(x) else True for x in (reference, capture)]
    if any(silent):
        return _silence(reference, capture, silent)
    offset, prominence = _offset(reference, capture)
    drift = _drift(reference, capture, offset)
    speed = _wrong_rate(reference, capture) if prominence < _UNSURE else None
    ours, theirs = _aligned(reference, capture, offset, drift)
    bands_a, bands_b = _bands(ours), _bands(theirs)
    heard = _heard(bands_a) | _heard(bands_b)
    audible = heard.any(axis=1)
    level = float(np.median((bands_b - bands_a)[heard])) if heard.any() else 0.0
    difference = np.where(heard, bands_b - bands_a, 0.0)
    distances = np.sqrt((difference**2).sum(axis=1) / np.maximum(heard.sum(axis=1), 1))
    judged = distances[audible] if audible.any() else np.zeros(1)
    worst = int(np.argmax(np.where(audible, distances, -1.0)))
    powers = block_powers(ours), block_powers(theirs)
    return SoundMeasurement(
        seconds=len(ours) / RATE,
        offset_s=offset / RATE,
        prominence=prominence,
        drift_ppm=drift,
        loudness_db=integrated(powers[1]) - integrated(powers[0]),
        momentary_db=_momentary(*powers),
        lsd_median=float(np.median(judged)),
        lsd_p99=float(np.percentile(judged, 99)),
        lsd_at_s=worst * _FRAME / RATE,
        channels=_channels(ours, theirs),
        dead=tuple(
            c for c in range(ours.shape[1]) if _rms_db(theirs[:, c]) < _SILENT_DB <= _AUDIBLE_DB <= _rms_db(ours[:, c])
        ),
        alike=_one_in_two(theirs) and not _one_in_two(ours),
        dropouts=_dropouts(ours, theirs),
        crest_db=_crest_db(theirs) - _crest_db(ours),
        tone=_tone(bands_a, bands_b, level),
        silent_reference=False,
        silent_capture=False,
        speed=speed,
    )


def _wrong_rate(reference: np.ndarray, capture: np.ndarray) -> str | None:
    """Try the rates that sound is played at by mistake; return the one at which it suddenly fits."""
    import numpy as np

    for name, ratio in _WRONG_RATES.items():
        places = np.arange(int(len(capture) / ratio)) * ratio
        mono = np.interp(places, np.arange(len(capture)), capture.mean(axis=1)).astype(np.float32)[:, None]
        if _phase_correlation(_low(reference), _low(mono), int(_SEARCH_S * _LOW_RATE))[1] >= 2 * _UNSURE:
            return name
    return None


def _video_start(container: Any) -> Fraction:
    stream = next(iter(container.streams.video), None)
    if stream is None:
        return Fraction(0)
    return Fraction(0) if stream.start_time is None else stream.start_time * stream.time_base


def _silence(reference: np.ndarray, capture: np.ndarray, silent: list[bool]) -> SoundMeasurement:
    none = ((1.0,) * reference.shape[1],) * reference.shape[1]
    length = min(len(reference), len(capture)) / RATE
    return SoundMeasurement(
        length, 0.0, 0.0, None, 0.0, 0.0, 0.0, 0.0, 0.0, none, (), False, (), 0.0, None, silent[0], silent[1]
    )


def _rms_db(x: np.ndarray) -> float:
    import numpy as np

    return 10 * float(np.log10(np.mean(np.square(x, dtype=np.float64)) + 1e-12)) if x.size else -120.0


def _low(x: np.ndarray) -> np.ndarray:
    """Mono at 8 kHz: mean of six samples, which is filter enough for a correlation."""
    mono = x.mean(axis=1)
    step = RATE // _LOW_RATE
    return mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1)


def _phase_correlation(a: np.ndarray, b: np.ndarray, limit: int) -> tuple[int, float]:
    """Return (lag of b behind a in samples, peak in standard deviations), lag within ±limit (GCC-PHAT)."""
    import numpy as np

    size = 1 << int(np.ceil(np.log2(len(a) + len(b) + 1)))
    cross = np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size))
    weight = np.abs(cross)
    surface = np.fft.irfft(cross / (weight + 1e-3 * weight.max() + 1e-12), size)
    lags = np.concatenate([surface[-limit:], surface[: limit + 1]])
    peak = int(np.argmax(lags))
    spread = float(lags.std()) or 1.0
    return peak - limit, float((lags[peak] - lags.mean()) / spread)


def _offset(reference: np.ndarray, capture: np.ndarray) -> tuple[int, float]:
    """Return (capture late by, in samples at 48 kHz; prominence): coarse at 8 kHz, then to the sample."""
    import numpy as np

    a, b = _low(reference), _low(capture)
    lag, prominence = _phase_correlation(a, b, min(int(_SEARCH_S * _LOW_RATE), max(len(a), len(b)) - 1))
    coarse = lag * (RATE // _LOW_RATE)
    ours, theirs = _shifted(reference.mean(axis=1), capture.mean(axis=1), coarse)
    length = min(len(ours), len(theirs), 10 * RATE)
    if length < RATE // 4:
        return coarse, prominence
    around = 24
    fine = [
        float(np.dot(ours[around : length - around], theirs[around + k : length - around + k]))
        for k in range(-around, around + 1)
    ]
    return coarse + int(np.argmax(fine)) - around, prominence


def _drift(reference: np.ndarray, capture: np.ndarray, offset: int) -> float | None:
    """Fit the lag of windows of 1 s against time: parts per million, None where too few of them are sure."""
    import numpy as np

    a, b = _shifted(_low(reference), _low(capture), round(offset * _LOW_RATE / RATE))
    window = min(int(_WINDOW_S * _LOW_RATE), max(len(a) // 4, _LOW_RATE // 2))
    margin = _LOW_RATE // 10
    times, lags, heard = [], [], 0
    for start in range(margin, min(len(a), len(b)) - window - margin, window // 2):
        ours, theirs = a[start : start + window], b[start - margin : start + window + margin]
        if _rms_db(ours) < _AUDIBLE_DB or _rms_db(theirs) < _AUDIBLE_DB:
            continue
        heard += 1
        lag, likeness = _best_lag(ours, theirs)
        if likeness >= 0.5:
            times.append((start + window / 2) / _LOW_RATE)
            lags.append((lag - margin) / _LOW_RATE)
    if len(times) < max(3, 0.6 * heard):
        return None
    x, y = np.array(times), np.array(lags)
    slopes = [(y[j] - y[i]) / (x[j] - x[i]) for i in range(len(x)) for j in range(i + 1, len(x))]
    slope = float(np.median(slopes))  # Theil-Sen: a few wrong windows do not tilt it
    spread = np.abs(y - slope * x - np.median(y - slope * x))
    return round(1e6 * slope, 1) if float(np.median(spread)) < 0.0005 else None


def _best_lag(short: np.ndarray, long: np.ndarray) -> tuple[float, float]:
    """Return (place of `short` in `long` in samples, to a fraction; correlation there, at most 1)."""
    import numpy as np

    size = 1 << int(np.ceil(np.log2(len(long) + len(short))))
    products = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)
    products = products[: len(long) - len(short) + 1]
    energy = np.cumsum(np.concatenate([[0.0], np.square(long, dtype=np.float64)]))
    energy = energy[len(short) :] - energy[: len(products)]
    scores = products / np.sqrt(np.maximum(energy * float(np.square(short, dtype=np.float64).sum()), 1e-12))
    peak = int(np.argmax(scores))
    fraction = 0.0
    if 0 < peak < len(scores) - 1:
        left, middle, right = (float(x) for x in scores[peak - 1 : peak + 2])
        fraction = 0.5 * (left - right) / min(left - 2 * middle + right, -1e-9)
    return peak + fraction, float(scores[peak])


def _shifted(a: np.ndarray, b: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut both so that sample 0 of each is the same moment; lag = b behind a."""
    return (a, b[lag:]) if lag >= 0 else (a[-lag:], b)


def _aligned(
    reference: np.ndarray, capture: np.ndarray, offset: int, drift: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Cut both to the stretch they share; a fitted drift is taken out first, or all that follows would blame it."""
    import numpy as np

    a, b = _shifted(reference, capture, offset)
    if drift is not None and abs(drift) > 50:
        places = np.arange(int(len(b) / (1 + drift * 1e-6))) * (1 + drift * 1e-6)
        b = np.stack([np.interp(places, np.arange(len(b)), b[:, c]) for c in range(b.shape[1])], axis=1)
        extra, _ = _offset(a, b)
        a, b = _shifted(a, b, extra)
    length = min(len(a), len(b))
    return a[:length], b[:length]


def _bands(x: np.ndarray) -> np.ndarray:
    """Level in dB of 32 logarithmic bands from 60 Hz to 16 kHz, of each 1024 samples: (frames, 32)."""
    import numpy as np

    mono = x.astype(np.float64)
    frames = len(mono) // _FRAME - 1
    if frames < 1:
        return np.full((1, _BANDS), -120.0)
    window = np.hanning(2 * _FRAME)
    power = np.zeros((frames, _FRAME + 1))
    for channel in range(x.shape[1]):
        pieces = np.lib.stride_tricks.sliding_window_view(mono[:, channel], 2 * _FRAME)[::_FRAME][:frames]
        power = power + np.abs(np.fft.rfft(pieces * window, axis=1)) ** 2
    power = power / (x.shape[1] * (window.sum() / 2) ** 2)
    edges = np.geomspace(60, 16000, _BANDS + 1) * 2 * _FRAME / RATE
    first = np.maximum(np.round(edges).astype(int), 1)
    sums = np.stack(
        [power[:, lo : max(hi, lo + 1)].sum(axis=1) for lo, hi in zip(first, first[1:], strict=False)], axis=1
    )
    return 10 * np.log10(sums + 1e-12)


def _heard(bands: np.ndarray) -> np.ndarray:
    """Mark the bands that matter in each frame: a codec drops what lies far below the loudest one."""
    import numpy as np

    return bands > np.maximum(bands.max(axis=1, keepdims=True) - _MASKED_DB, _FLOOR_DB)


def _momentary(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference in LU of the loudness of 400 ms, where the reference is audible; from their powers."""
    import numpy as np

    ours, theirs = lufs(a), lufs(b)
    audible = ours > _AUDIBLE_DB
    return float(np.round(np.abs(theirs - ours)[audible].max(), 3)) if audible.any() else 0.0


def _channels(a: np.ndarray, b: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Correlation of each reference channel with each capture channel."""
    count = a.shape[1]
    return tuple(tuple(_correlation(a[:, r], b[:, c]) for c in range(count)) for r in range(count))


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    import numpy as np

    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x * x).mean() * (y * y).mean()))
    return round(float((x * y).mean()) / scale, 4) if scale > 1e-9 else 0.0


def _one_in_two(x: np.ndarray) -> bool:
    """Both channels carry the same sound."""
    return x.shape[1] == 2 and _rms_db(x[:, 0] - x[:, 1]) < _rms_db(x) - 40


def _dropouts(a: np.ndarray, b: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Runs of at least 20 ms in which the reference is heard and the capture is silent: (start s, length s)."""
    import numpy as np

    step = RATE // 200
    count = min(len(a), len(b)) // step
    if not count:
        return ()
    ours, theirs = ((x[: count * step].reshape(count, -1) ** 2).mean(axis=1) for x in (a, b))
    gone = (10 * np.log10(theirs + 1e-12) < _SILENT_DB) & (10 * np.log10(ours + 1e-12) > _AUDIBLE_DB)
    out = []
    edges = np.flatnonzero(np.diff(np.concatenate([[0], gone.astype(np.int8), [0]])))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= 4:
            out.append((round(int(start) / 200, 3), round(int(end - start) / 200, 3)))
    return tuple(out)


def _crest_db(x: np.ndarray) -> float:
    """Peak over root mean square in dB; the peak is the level that one sample in 10,000 exceeds."""
    import numpy as np

    return 20 * float(np.log10(np.percentile(np.abs(x), 99.99) + 1e-6)) - _rms_db(x)


def _tone(a: np.ndarray, b: np.ndarray, level: float) -> tuple[float, float] | None:
    """Return (Hz, dB) of the band whose quiet moments the capture fills most, if by 8 dB or more.

    A foreign tone shows where the reference leaves room: in the lower quartile of each band over time.
    """
    import numpy as np

    quiet_a, quiet_b = np.percentile(a, 25, axis=0), np.percentile(b, 25, axis=0)
    more = np.where(quiet_b > _FLOOR_DB + 10, quiet_b - np.maximum(quiet_a, _FLOOR_DB) - level, 0.0)
    band = int(np.argmax(more))
    if more[band] < 8:
        return None
    edges = np.geomspace(60, 16000, _BANDS + 1)
    return round(float(np.sqrt(edges[band] * edges[band + 1])), 0), round(float(more[band]), 1)
