"""Mutated console files: every reader returns a record or raises one FormatError, in bounded time and memory."""

from __future__ import annotations

import random
import resource
import signal
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from recomp.errors import FormatError, LiftError
from recomp.formats.describe import describe
from recomp.formats.hfs0 import write_hfs0
from recomp.formats.image import Image
from recomp.formats.mod0 import read_dynamic, read_mod0
from recomp.formats.nacp import write_nacp
from recomp.formats.npdm import Service, write_npdm
from recomp.formats.nro import read_nro
from recomp.formats.nso import read_nso, write_nso
from recomp.formats.pfs0 import write_pfs0
from recomp.formats.romfs import read_romfs, write_romfs
from recomp.lift.link import link_modules
from recomp.lift.place import place_modules, program_of
from tests.formats.modules import DATA, MOD0, RODATA, ROMFS_FILES, image, nro

#: seconds of processor time and bytes of memory that one input may take
CPU_LIMIT_S = 20
MEMORY_LIMIT = 1 << 30

#: numbers that overflow something
_EDGES = (
    0, 1, 2, 3, 7, 8, 0xFF, 0x100, 0xFFF, 0x1000, 0x1001, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFF000,
    0xFFFFFFF0, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32, (1 << 32) + 0x1000, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
)  # fmt: skip


class Seed(NamedTuple):
    """A sound file; `fields`: the ranges in which its numbers are; `read`: everything that is done with such a file."""

    name: str
    data: bytes
    fields: tuple[tuple[int, int], ...]
    read: Callable[[bytes], object]


class TooSlow(Exception):
    """An input took more processor time than allowed."""


def _read_image(module: Image) -> None:
    place = read_mod0(module)
    if place is not None:
        read_dynamic(module, place.dynamic)
    try:
        linked = link_modules(place_modules([("m", module), ("n", module)]))
        program_of(linked.modules, linked.entry, linked.words, linked.startup)
    except LiftError:
        pass


def _nro(data: bytes) -> None:
    describe(data)
    _read_image(read_nro(data).image)


def _nso(data: bytes) -> None:
    _read_image(read_nso(data).image)


def seeds() -> list[Seed]:
    small = write_romfs(ROMFS_FILES)
    tables = (MOD0, MOD0 + 0x40), (RODATA, RODATA + 0x620), (DATA, DATA + 0x540)
    plain = write_nso(image("nso"), packed=False, hashed=False)
    shifted = tuple((low + 0x101, high + 0x101) for low, high in ((0, 16), *tables))
    npdm = write_npdm("Fuzz", 0x0100, (Service("fsp-srv", False), Service("x", True)), (0x030363F7, 0x1FFFFFCF, 0x9FFF))
    files = {"main": b"m" * 600, "main.npdm": npdm, "rtld": b""}
    romfs_fields = (0, 0x50), (len(small) - 0x180, len(small))
    return [
        Seed("nro", nro(), ((0, 0x80), *tables, (0x3000, 0x3038), (0x7040, 0x7400)), _nro),
        Seed("mod0", nro(), tables, _nro),
        Seed("nso", write_nso(image("nso")), ((0, 0x100), (0x101, 0x180)), _nso),
        Seed("nso unpacked", plain, ((0, 0x100), *shifted), _nso),
        Seed("romfs", small, romfs_fields, read_romfs),
        Seed("pfs0", write_pfs0(files), ((0, 0xA0),), describe),
        Seed("hfs0", write_hfs0(files), ((0, 0x110),), describe),
        Seed("npdm", npdm, ((0, 0x80), (0x280, 0x2C0), (0x2C0, len(npdm))), describe),
        Seed("nacp", write_nacp("A title", "Somebody", "1.2.3"), ((0, 0x300), (0x3000, 0x3070)), describe),
    ]


def mutate(seed: Seed, random_of: random.Random) -> bytes:
    """One to eight changes: bits, numbers, pieces, length."""
    data = bytearray(seed.data)
    for _ in range(random_of.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        low, high = random_of.choice(seed.fields) if random_of.random() < 0.8 else (0, len(data))
        low, high = min(low, len(data) - 1), min(high, len(data))
        if high <= low:
            continue
        _change(data, random_of.randrange(low, high), random_of)
        if not data:
            break
    return bytes(data)


def _change(data: bytearray, at: int, random_of: random.Random) -> None:
    kind = random_of.randrange(10)
    if kind < 2:
        data[at] ^= 1 << random_of.randrange(8)
    elif kind < 8:
        size = random_of.choice((4, 4, 8))
        at &= ~(size - 1) if random_of.random() < 0.9 else ~0
        value = random_of.choice((*_EDGES, len(data), len(data) - at, at, random_of.getrandbits(16)))
        if random_of.random() < 0.3:
            value += struct.unpack("<Q", bytes(data[at : at + 8]).ljust(8, b"\0"))[0]
        raw = struct.pack("<Q", value & (1 << 64) - 1)[:size]
        data[at : at + size] = raw[: len(data) - at]
    elif kind == 8:
        piece = data[at : at + random_of.choice((4, 8, 24, 64))]
        to = random_of.randrange(len(data))
        data[to : to + len(piece)] = piece
    else:
        del data[at if random_of.random() < 0.5 else at & ~0xFFF :]
        data += b"\0" * min(1, 1 - len(data))


def check(seed: Seed, data: bytes) -> str:
    """ "read" or "refused". Any other outcome is raised: what is not a FormatError, or takes too long."""
    signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)
    try:
        seed.read(data)
        return "read"
    except FormatError as error:
        if not error.message or "\n" in error.message or len(error.message) > 2000:
            raise AssertionError(f"not one clear line: {error.message[:300]!r}") from error
        return "refused"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def run(count: int, seed: int, report: Callable[[int, Counter[str]], None] = lambda *_: None) -> Iterator[str]:
    """Yields a line for each input that did anything but be read or refused; `report` hears how it goes."""

    def too_slow(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, too_slow)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY_LIMIT, hard))
    kinds, counts = seeds(), Counter[str]()
    try:
        for number in range(count):
            random_of = random.Random(f"{seed}:{number}")
            kind = kinds[number % len(kinds)]
            data = mutate(kind, random_of)
            try:
                counts[f"{kind.name} {check(kind, data)}"] += 1
            except Exception as error:  # noqa: BLE001  whatever it is, it is a finding
                counts[f"{kind.name} FAILED"] += 1
                yield f"{kind.name}, input {number} of seed {seed}: {type(error).__name__}: {error}"[:400]
            if number % 5000 == 4999 or number == count - 1:
                report(number + 1, counts)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
        signal.signal(signal.SIGPROF, before)


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
