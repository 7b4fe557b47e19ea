"""The capture once more through the recording's codec, picture by picture, while the pairs are measured.

At what quality is searched on pictures that the recording coded under the same conditions: from one of its key pictures
on. Bytes of pictures out of the middle of a stream would not do: they owe what they cost to those before them, and a
better quality may take fewer (x264, the sample game's title: 5,300 at crf 13, 5,800 at crf 23).
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.media.clip import Planar, plane, read_facts, slowness, ticks
from recomp.media.metrics import tile_facts
from recomp.media.null import NullCodec, Packet, read_packets
from recomp.media.registration import Registration

if TYPE_CHECKING:
    import av
    import numpy as np

_PROBE = 48  # pictures that the quality is searched on, at most
_FEWEST = 12


class Recoded:
    """Push the capture's pictures in order; `finish` has the tile SSIM of each against what the codec made of it."""

    def __init__(
        self,
        source: Path | str,
        capture: Path | str,
        registration: Registration,
        planar: Planar,
        clock: tuple[float, float, float],
    ) -> None:
        """`clock`: ticks a second, by how much the source's clock is slow, the second of it at which tick 0 is."""
        import numpy as np

        facts = read_facts(source)
        self.quality: int | None = None
        self.facts: list[list[np.ndarray]] = []
        self.waiting: deque[av.VideoFrame] = deque()
        self.recoder = None
        judged = np.flatnonzero(registration.recorded & (registration.capture_of >= 0))
        if facts.lossless or not len(judged):
            return
        rate, slow, start = clock
        if slow == 1 == slowness(rate):
            slow = float(slowness(facts.rate))  # of a recording that was brought to the capture's clock
        packets = read_packets(source)
        places = np.array([round((packet.time - start) * rate / slow) for packet in packets])
        codec = NullCodec(facts.codec, min(facts.rate, rate))
        shrunk = min(1.0, planar.size[0] * planar.size[1] / (facts.width * facts.height))
        first, number, count = _from_a_key(packets, places, judged)
        if count:
            target = sum(packet.size for packet in packets[number : number + count])
        else:
            first, count = max(0, (len(judged) - _PROBE) // 2), _PROBE
            plain = [packet.size for packet in packets if not packet.is_key] or [packet.size for packet in packets]
            segment = plain[first : first + count] or plain
            target = round(sum(segment) / len(segment))
        probe = _pictures(capture, set(registration.capture_of[judged[first : first + count]].tolist()), rate, planar)
        self.quality = codec.search(probe, shrunk * target, whole=number >= 0)
        self.recoder = codec.recoder()

    def push(self, picture: av.VideoFrame) -> None:
        if self.recoder is not None:
            self.waiting.append(picture)
            self._measure(self.recoder.push(picture))

    def finish(self, observed: list[np.ndarray]) -> list[np.ndarray]:
        """Return what `tile_facts` has of each judged tick, of the shapes of `observed`; of a lossless recording that
        nothing differs."""
        import numpy as np

        out = [make(tiled) for make, tiled in zip((np.ones_like,) * 2 + (np.zeros_like,) * 2, observed, strict=True)]
        if self.recoder is not None:
            self._measure(self.recoder.finish())
            for part, mine in zip(out, zip(*self.facts, strict=True), strict=False):
                part[: len(mine)] = mine
        return out

    def _measure(self, recoded: list[av.VideoFrame]) -> None:
        for picture in recoded:
            before = self.waiting.popleft()
            self.facts.append(tile_facts([(plane(before, k), plane(picture, k)) for k in range(3)])[0])


def _from_a_key(packets: list[Packet], places: np.ndarray, judged: np.ndarray) -> tuple[int, int, int]:
    """Return (place in `judged`, number of the packet, how many pictures on from there both have), of the key picture
    that took most: an empty one tells nothing. (0, -1, 0) if none will do."""
    best = (0, 0, -1, 0)
    for number, packet in enumerate(packets):
        first = int(judged.searchsorted(places[number]))
        if not packet.is_key or first >= len(judged):
            continue
        count = min(_PROBE, len(packets) - number, len(judged) - first)
        alike = places[number : number + count] == judged[first : first + count]
        count = count if alike.all() else int(alike.argmin())
        if count >= _FEWEST:
            best = max(best, (sum(p.size for p in packets[number : number + count]), first, number, count))
    return best[1:]


def _pictures(capture: Path | str, wanted: set[int], rate: float, planar: Planar) -> list[Any]:
    """The frames of these numbers as planar pictures."""
    found = []
    for number, (_, frame) in enumerate(ticks(capture, rate)):
        if number in wanted:
            found.append(planar(frame))
        if len(found) == len(wanted):
            break
    return found
