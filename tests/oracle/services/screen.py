"""What the display shows: the buffer queue's consumer, and pictures taken out of block-linear memory."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from tests.oracle.kernel import Event, Kernel

WIDTH, HEIGHT = 1280, 720
RGBA8888, RGBX8888, RGB565, BGRA8888, RGBA4444 = 1, 2, 4, 5, 7
_BYTES = {RGBA8888: 4, RGBX8888: 4, RGB565: 2, BGRA8888: 4, RGBA4444: 2}
FLIP_H, FLIP_V = 1, 2


@dataclass
class Slot:
    """A buffer the program has offered, as its description says it lies in memory."""

    width: int
    height: int
    format: int
    map_id: int
    offset: int
    pitch: int
    log2_gobs: int
    layout: int
    state: str = "free"  # "free", "dequeued", "queued" or "shown"
    turn: int = 0
    transform: int = 0
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)

    def is_sound(self) -> bool:
        """Whether a picture of these sizes can be there at all."""
        row = self.width * _BYTES.get(self.format, 4)
        return 0 < row <= self.pitch <= 1 << 16 and self.pitch % 64 == 0 and self.height <= 4096 and self.log2_gobs < 6


@dataclass
class Screen:
    """One layer on one display of 60 Hz."""

    kernel: Kernel
    slots: dict[int, Slot] = field(default_factory=dict)
    maps: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Map object → (guest address, size)."""
    frames: list[str] = field(default_factory=list)
    """For each tick the hash of what was shown at its end."""
    vertical_blank: Event = field(default_factory=lambda: Event("vertical blank"))
    buffer_free: Event = field(default_factory=lambda: Event("buffer", True))
    picture: np.ndarray = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    queued: int = 0
    uses_gpu: bool = False
    _turn: int = 0

    # ---- the program's side ----------------------------------------------------------------------------------------

    def dequeue(self) -> int | None:
        """The free slot that was queued longest ago; None where all are in use."""
        free = [index for index, slot in self.slots.items() if slot.state == "free"]
        if not free and len(self.slots) == 1:
            free = [index for index, slot in self.slots.items() if slot.state == "shown"]
        if not free:
            self.buffer_free.signalled = False
            return None
        chosen = min(free, key=lambda index: (self.slots[index].turn, index))
        self.slots[chosen].state = "dequeued"
        self.buffer_free.signalled = any(slot.state == "free" for slot in self.slots.values())
        return chosen

    def queue(self, index: int, transform: int, crop: tuple[int, int, int, int]) -> bool:
        slot = self.slots.get(index)
        if slot is None or slot.state != "dequeued":
            return False
        self._turn += 1
        self.queued += 1
        slot.state, slot.turn, slot.transform, slot.crop = "queued", self._turn, transform, crop
        return True

    def cancel(self, index: int) -> None:
        if index in self.slots:
            self.slots[index].state = "free"
            self.buffer_free.signalled = True

    # ---- the display's side ----------------------------------------------------------------------------------------

    def compose(self) -> None:
        """Before the blank: the oldest queued buffer is what will be shown, and the one shown so far is free."""
        waiting = sorted((slot.turn, index) for index, slot in self.slots.items() if slot.state == "queued")
        if waiting:
            for slot in self.slots.values():
                if slot.state == "shown":
                    slot.state = "free"
            self.slots[waiting[0][1]].state = "shown"
        if any(slot.state == "free" for slot in self.slots.values()):
            self.buffer_free.signalled = True

    def blank(self) -> None:
        """A tick ends, and what is shown now is its picture; a display that is given nothing keeps its last one."""
        taken = self._take()
        if taken is not None:
            self.picture = taken
        self.frames.append(hash_picture(self.picture))
        self.vertical_blank.signalled = True

    def _take(self) -> np.ndarray | None:
        shown = next((slot for slot in self.slots.values() if slot.state == "shown"), None)
        place = self.maps.get(shown.map_id) if shown else None
        if shown is None or place is None:
            return None
        if not shown.is_sound():
            return None
        rows = -(-shown.height // (8 << shown.log2_gobs)) * (8 << shown.log2_gobs)
        raw = self.kernel.machine.read(place[0] + shown.offset, shown.pitch * rows)
        return visible(to_rgb(linear(raw, shown), shown), shown)


def linear(raw: bytes, slot: Slot) -> np.ndarray:
    """(height, pitch) uint8 from block-linear (layout 3) or plain rows (layout 1)."""
    if slot.layout == 1:
        return np.frombuffer(raw, np.uint8)[: slot.pitch * slot.height].reshape(slot.height, slot.pitch)
    pieces = np.frombuffer(raw, np.uint8).reshape(-1, 16)
    return pieces[_order(slot.height, slot.pitch, slot.log2_gobs)].reshape(slot.height, slot.pitch)


@lru_cache(maxsize=8)
def _order(height: int, pitch: int, log2_gobs: int) -> np.ndarray:
    """For each 16 bytes of each row the number of the 16-byte piece that holds them."""
    y = np.arange(height)[:, None]
    x = np.arange(0, pitch, 16)[None, :]
    gobs = 1 << log2_gobs
    block = y // (8 * gobs) * (pitch // 64) + x // 64
    gob = block * gobs + y % (8 * gobs) // 8
    offset = gob * 512 + x % 64 // 32 * 256 + y % 8 // 2 * 64 + x % 32 // 16 * 32 + y % 2 * 16
    return (offset // 16).ravel()


def to_rgb(rows: np.ndarray, slot: Slot) -> np.ndarray:
    """(height, width, 3) uint8; narrow channels are widened to 0..255, rounded down."""
    size = _BYTES.get(slot.format, 4)
    rows = rows[:, : slot.width * size]
    if size == 4:
        pixels = rows.reshape(slot.height, slot.width, 4)
        return pixels[:, :, 2::-1] if slot.format == BGRA8888 else pixels[:, :, :3]
    words = np.ascontiguousarray(rows).view("<u2").astype(np.uint32)
    if slot.format == RGB565:
        red, green, blue = words >> 11, words >> 5 & 63, words & 31
        channels = (red * 255 // 31, green * 255 // 63, blue * 255 // 31)
    else:
        channels = ((words & 15) * 17, (words >> 4 & 15) * 17, (words >> 8 & 15) * 17)
    return np.stack(channels, -1).astype(np.uint8)


def visible(picture: np.ndarray, slot: Slot) -> np.ndarray:
    if slot.transform & FLIP_V:
        picture = picture[::-1]
    if slot.transform & FLIP_H:
        picture = picture[:, ::-1]
    left, top, right, bottom = slot.crop
    return picture[top:bottom, left:right] if right > left and bottom > top else picture


def hash_picture(rgb: np.ndarray) -> str:
    """The frame hash of ARCHITECTURE.md: of RGBA bytes with alpha 255."""
    height, width, _ = rgb.shape
    digest = hashlib.sha256(b"rgba8888\0" + struct.pack("<II", width, height))
    digest.update(np.dstack([rgb, np.full((height, width), 255, np.uint8)]).tobytes())
    return digest.hexdigest()
