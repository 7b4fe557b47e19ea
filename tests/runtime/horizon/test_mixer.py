"""The audio renderer: an update message as the SDK's mixer writes it, then what is heard, worked out by hand."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

FRAMES = 240
POOLS = 4
_KEPT: list[ctypes.Array] = []  # samples outlive the messages that point to them


@dataclass
class Voice:
    """One voice with one wave buffer; `gains`: into the left and the right buffer of the final mix."""

    samples: Sequence[int]
    rate: int = 48000
    volume: float = 1.0
    gains: tuple[float, float] = (1.0, 1.0)
    loops: bool = False
    state: int = 0
    is_new: bool = True
    sent: bool = False
    memory: ctypes.Array = field(init=False)

    def __post_init__(self) -> None:
        self.memory = (ctypes.c_int16 * len(self.samples))(*self.samples)
        _KEPT.append(self.memory)

    def record(self) -> bytes:
        wave = struct.pack(
            "<QQiiBBB5xQQQ", ctypes.addressof(self.memory), 2 * len(self.samples), 0, len(self.samples), self.loops, 0,
            self.sent, 0, 0, 0,
        )  # fmt: skip
        head = struct.pack(
            "<IIBBBBIIIIff24xIhxx4xQQII", 0, 0, self.is_new, 1, self.state, 2, self.rate, 0, 0, 1, 1.0, self.volume, 1,
            0, 0, 0, 0, 0,
        )  # fmt: skip
        assert (len(wave), len(head)) == (0x38, 0x60)
        return (head + wave + bytes(3 * 0x38) + struct.pack("<6I", *range(6))).ljust(0x170, b"\0")


def request(voice: Voice, pool_state: int = 4, final_volume: float = 1.0) -> bytes:
    pools = struct.pack("<QQI12x", 0x1000, 0x1000, pool_state) * POOLS
    channels = struct.pack("<I24fB11x", 0, *voice.gains, *([0.0] * 22), 1)
    mix = struct.pack("<fIIB3xIII8x", final_volume, 48000, 2, 1, 0, 0, 0).ljust(0x930, b"\0")
    sink = (struct.pack("<BB", 1, 1).ljust(0x20 + 0x100, b"\0") + struct.pack("<IBB", 2, 0, 1)).ljust(0x140, b"\0")
    parts = [bytes(0x10), pools, channels, voice.record(), b"", mix, sink, bytes(0x10)]
    sizes = [len(parts[i]) for i in (0, 1, 3, 2, 4, 5, 6, 7)]  # the header has voices before channels
    total = 0x40 + sum(sizes)
    return struct.pack("<I8I24xI", 0x34564552, *sizes, total) + b"".join(parts)


class Renderer:
    def __init__(self, parts: ctypes.CDLL) -> None:
        self.parts, self.mixer = parts, ctypes.c_void_p(parts.mixer_new(1))

    def update(self, message: bytes, room: int = 0x1000) -> bytes:
        parameter = struct.pack("<7I", 48000, FRAMES, 2, 0, 1, 1, 0)
        reply = (ctypes.c_uint8 * room)()
        size = self.parts.hz_renderer_update(
            self.mixer, parameter, message, ctypes.c_uint64(len(message)), reply, ctypes.c_uint64(room)
        )
        return bytes(reply[:size])

    def render(self) -> tuple[list[int], list[int]]:
        samples = (ctypes.c_int16 * (2 * FRAMES))()
        self.parts.hz_mixer_render(self.mixer, samples)
        return list(samples[0::2]), list(samples[1::2])

    def counters(self, message: bytes) -> tuple[int, int]:
        """(source frames played, wave buffers consumed)."""
        return struct.unpack_from("<QI", self.update(message), 0x40 + POOLS * 0x10)


def test_samples_at_the_output_rate_come_through_with_their_gains(parts: ctypes.CDLL) -> None:
    """Volume 0.5 and gains 1 and 0.5: 1000 becomes 500 on the left and 250 on the right, then silence."""
    renderer = Renderer(parts)
    renderer.update(request(Voice([1000, -2000, 4000], volume=0.5, gains=(1.0, 0.5))))
    left, right = renderer.render()
    assert left[:4] == [500, -1000, 2000, 0] and right[:4] == [250, -500, 1000, 0]
    assert not any(left[3:]) and not any(right[3:])


def test_half_the_rate_is_twice_as_long(parts: ctypes.CDLL) -> None:
    """24 kHz: a sample in between is half way; behind the last one it holds."""
    renderer = Renderer(parts)
    voice = Voice([0, 100, 200, 300], rate=24000)
    renderer.update(request(voice))
    assert renderer.render()[0][:9] == [0, 50, 100, 150, 200, 250, 300, 300, 0]
    voice.is_new, voice.sent = False, True
    assert renderer.counters(request(voice)) == (4, 1)


def test_a_loop_goes_on_and_consumes_nothing(parts: ctypes.CDLL) -> None:
    renderer = Renderer(parts)
    voice = Voice([10, 20, 30], loops=True)
    renderer.update(request(voice))
    assert renderer.render()[0] == [10, 20, 30] * 80
    voice.is_new, voice.sent = False, True
    assert renderer.counters(request(voice)) == (240, 0)


def test_a_long_wave_is_played_over_several_frames(parts: ctypes.CDLL) -> None:
    renderer = Renderer(parts)
    voice = Voice(list(range(300)))
    renderer.update(request(voice))
    assert renderer.render()[0] == list(range(240))
    voice.is_new, voice.sent = False, True
    assert renderer.counters(request(voice)) == (240, 0)
    assert renderer.render()[0][:61] == [*range(240, 300), 0]
    assert renderer.counters(request(voice)) == (300, 1)


def test_loud_sound_is_clipped(parts: ctypes.CDLL) -> None:
    renderer = Renderer(parts)
    renderer.update(request(Voice([30000, -30000], volume=2.0), final_volume=1.0))
    assert renderer.render()[0][:2] == [32767, -32768]


def test_a_stopped_voice_is_silent_and_stays_where_it_is(parts: ctypes.CDLL) -> None:
    renderer = Renderer(parts)
    voice = Voice([7] * 500, state=1)
    renderer.update(request(voice))
    assert not any(renderer.render()[0])
    voice.is_new, voice.sent = False, True
    assert renderer.counters(request(voice)) == (0, 0)


def test_the_reply_attaches_and_detaches_pools(parts: ctypes.CDLL) -> None:
    renderer = Renderer(parts)
    for asked, answered in ((4, 5), (2, 3), (5, 0)):
        reply = renderer.update(request(Voice([1]), pool_state=asked))
        assert struct.unpack_from("<I", reply, 0x40)[0] == answered
        sizes = struct.unpack_from("<16I", reply)
        assert sizes[:9] == (0x34564552, 0xB0, POOLS * 0x10, 0x10, 0, 0, 0, 0x20, 0x10)
        assert sizes[15] == len(reply) == 0x40 + 0xB0 + POOLS * 0x10 + 0x10 + 0x20 + 0x10


def test_what_the_mixer_leaves_out_is_listed_once(parts: ctypes.CDLL) -> None:
    """An ADPCM voice with a filter: when the voice is new, not with each of its updates."""
    renderer = Renderer(parts)
    voice = Voice([1, 2])
    for _ in range(3):
        message = bytearray(request(voice))
        at = 0x40 + 0x10 + POOLS * 0x20 + 0x70
        assert message[at : at + 0x170] == voice.record()
        message[at + 0x0B], message[at + 0x24] = 6, 1
        renderer.update(bytes(message))
        voice.is_new, voice.sent = False, True
    names = parts.listed_names().decode().splitlines()
    assert names == ["audren:u voice of format 6 (ADPCM)", "audren:u filter of a voice"]
    assert not any(renderer.render()[0])


def test_malformed_updates_are_refused(parts: ctypes.CDLL) -> None:
    message = request(Voice([1]))
    renderer = Renderer(parts)
    assert renderer.update(message[:0x30]) == b""
    assert renderer.update(message[:0x100]) == b""  # the sizes lead behind the end
    assert renderer.update(message, room=0x80) == b""
