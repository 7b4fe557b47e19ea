"""What is heard: blocks on a timeline of 48 kHz stereo, one after another from the moment each is appended."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field

import numpy as np

from tests.oracle.kernel import Event, Kernel

RATE, PER_TICK = 48000, 800


def sample_at(ns: int) -> int:
    return ns * RATE // 1_000_000_000


def time_of(sample: int) -> int:
    """The first nanosecond at which so many samples have been played."""
    return -(-sample * 1_000_000_000 // RATE)


@dataclass(eq=False)
class Track:
    """One stream's blocks: (tag, sample at which it has been played)."""

    kernel: Kernel
    sound: Sound
    running: bool = False
    pending: list[tuple[int, np.ndarray]] = field(default_factory=list)
    playing: list[tuple[int, int]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    event: Event = field(default_factory=lambda: Event("audio block"))
    end: int = 0
    played: int = 0

    def append(self, tag: int, samples: np.ndarray) -> None:
        self.pending.append((tag, samples))
        self.schedule()

    def schedule(self) -> None:
        while self.running and self.pending:
            tag, samples = self.pending.pop(0)
            start = max(self.end, sample_at(self.kernel.now))
            self.end = start + len(samples)
            self.sound.mix(start, samples)
            self.playing.append((tag, self.end))

    def stop(self) -> None:
        self.running = False
        self.released += [tag for tag, _ in self.playing]
        self.playing.clear()

    def tick(self) -> None:
        while self.playing and self.kernel.now >= time_of(self.playing[0][1]):
            tag, _ = self.playing.pop(0)
            self.released.append(tag)
            self.event.signalled = True

    def next_time(self) -> int | None:
        return time_of(self.playing[0][1]) if self.playing else None


@dataclass
class Sound:
    kernel: Kernel
    samples: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int32))
    tracks: list[Track] = field(default_factory=list)

    def open(self) -> Track:
        track = Track(self.kernel, self)
        self.tracks.append(track)
        self.kernel.on_time.append(track.tick)
        self.kernel.next_times.append(track.next_time)
        return track

    def mix(self, start: int, samples: np.ndarray) -> None:
        missing = start + len(samples) - len(self.samples)
        if missing > 0:
            grown = np.zeros((len(self.samples) + max(missing, RATE * 10), 2), np.int32)
            grown[: len(self.samples)] = self.samples
            self.samples = grown
        self.samples[start : start + len(samples)] += samples

    def heard(self, ticks: int) -> np.ndarray:
        """(ticks * 800, 2) int16; empty where no stream was ever opened."""
        if not self.tracks:
            return np.zeros((0, 2), np.int16)
        whole = np.zeros((ticks * PER_TICK, 2), np.int32)
        known = self.samples[: len(whole)]
        whole[: len(known)] = known
        return np.clip(whole, -32768, 32767).astype(np.int16)


def hash_chunks(samples: np.ndarray) -> list[str]:
    """The audio hashes of ARCHITECTURE.md, one a tick."""
    head = b"s16le\0" + struct.pack("<II", RATE, 2)
    chunks = (samples[at : at + PER_TICK] for at in range(0, len(samples), PER_TICK))
    return [hashlib.sha256(head + chunk.astype("<i2").tobytes()).hexdigest() for chunk in chunks]
