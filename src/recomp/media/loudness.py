"""Loudness as ITU-R BS.1770-4 defines it: K-weighted, gated, in LUFS; and momentary, over 400 ms.

The two filters of K-weighting are applied to the whole sound at once, in the frequency domain: their ringing is long
over after the second of silence that is added for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

RATE = 48000
ABSOLUTE_GATE = -70.0
RELATIVE_GATE = -10.0
# Tables 1 and 2 of the recommendation, at 48 kHz: a shelf for the head, a high pass (RLB). b0 b1 b2, a1 a2.
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)
_BLOCK, _STEP = RATE * 2 // 5, RATE // 10
_SILENCE = -120.0


def block_powers(sound: np.ndarray) -> np.ndarray:
    """K-weighted power, summed over channels, of each 400 ms, 100 ms apart: (n,) of (samples, 1 or 2) in [-1, 1]."""
    import numpy as np

    count = (len(sound) - _BLOCK) // _STEP + 1
    if count < 1:
        return np.zeros(0)
    size = 1 << int(np.ceil(np.log2(len(sound) + RATE)))
    response = _response(np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size))
    weighted = np.fft.irfft(np.fft.rfft(sound, size, axis=0) * response[:, None], size, axis=0)[: len(sound)]
    power = np.concatenate([[0.0], np.cumsum((weighted**2).sum(axis=1))])
    starts = np.arange(count) * _STEP
    return (power[starts + _BLOCK] - power[starts]) / _BLOCK


def lufs(power: np.ndarray | float) -> np.ndarray:
    """Powers in LUFS, at least -120."""
    import numpy as np

    return np.maximum(-0.691 + 10 * np.log10(np.maximum(power, 1e-13)), _SILENCE)


def integrated(powers: np.ndarray) -> float:
    """Loudness of the whole from its blocks; what is silent, or 10 LU below the rest, does not count."""
    heard = powers[lufs(powers) > ABSOLUTE_GATE]
    if not len(heard):
        return _SILENCE
    loud = heard[lufs(heard) > float(lufs(heard.mean())) + RELATIVE_GATE]
    return float(lufs(loud.mean())) if len(loud) else _SILENCE


def _response(z: np.ndarray) -> np.ndarray:
    """Both filters at z^-1 = `z`."""
    out: np.ndarray | float = 1.0
    for (b0, b1, b2), (a1, a2) in (_SHELF, _HIGH_PASS):
        out = out * (b0 + b1 * z + b2 * z * z) / (1 + a1 * z + a2 * z * z)
    return out  # type: ignore[return-value]
