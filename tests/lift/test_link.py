"""Modules linked ahead of time, run by an independent CPU model, and what is refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from recomp.errors import LiftError
from recomp.formats.image import Image, Part
from recomp.formats.nso import read_nso
from recomp.lift.lift import lift_modules
from recomp.lift.link import link_modules, startup_code
from recomp.lift.module import Module
from recomp.lift.place import FIRST_BASE, STARTUP_BASE, STEP, place_modules
from tests.formats import modules
from tests.formats.modules import CODE, TABLE, image
from tests.lift.shared import ANSWER, LIBRARY, MAIN, OTHER, nso

NAMES = ("main", "subsdk0", "sdk")


@pytest.fixture(scope="module")
def three() -> list[tuple[str, Image]]:
    sources = dict(zip(NAMES, (MAIN, LIBRARY, OTHER), strict=True))
    return [(name, read_nso(nso(name, source)).image) for name, source in sources.items()]


def run(module: Module, blobs: dict[str, bytes]) -> int:
    """x0 as the program leaves it, by unicorn."""
    from unicorn import UC_ARCH_ARM64, UC_MODE_ARM, Uc
    from unicorn.arm64_const import UC_ARM64_REG_LR, UC_ARM64_REG_SP, UC_ARM64_REG_X0

    cpu = Uc(UC_ARCH_ARM64, UC_MODE_ARM)
    for segment in module.segments:
        cpu.mem_map(segment.base, -(-segment.size // 0x1000) * 0x1000)
        cpu.mem_write(segment.base, blobs.get(segment.init_path, b""))
    cpu.mem_map(0x8000_0000, 0x10000)
    cpu.reg_write(UC_ARM64_REG_SP, 0x8000_F000)
    cpu.reg_write(UC_ARM64_REG_LR, 0x9000_0000)
    cpu.emu_start(module.entry, 0x9000_0000, count=10_000)
    return cpu.reg_read(UC_ARM64_REG_X0)


def test_three_modules_that_need_each_other_run_as_one_program(three: list[tuple[str, Image]]) -> None:
    module, blobs, _ = lift_modules(three)
    assert run(module, blobs) == ANSWER
    assert module.entry == STARTUP_BASE
    assert [(i.name, i.base, i.relocated) for i in module.images] == [
        (name, FIRST_BASE + STEP * index, True) for index, name in enumerate(NAMES)
    ]
    by_name = {function.name: function for function in module.functions}
    assert by_name["shared_add"].evidence == by_name["twice"].evidence == "symbol"
    assert by_name["twice"].start < by_name["shared_add"].start


def test_what_was_linked_is_known(three: list[tuple[str, Image]]) -> None:
    links = [(k.module, k.symbol, k.provider, k.places) for k in link_modules(place_modules(three)).links]
    assert links == [
        ("main", "chosen", "sdk", 1),
        ("main", "counter", "subsdk0", 1),
        ("main", "nobody", "", 1),
        ("main", "shared_add", "subsdk0", 1),
        ("main", "table", "subsdk0", 1),
        ("subsdk0", "twice", "main", 2),
    ]


def test_modules_and_what_is_made_of_them_are_the_same_every_time(three: list[tuple[str, Image]]) -> None:
    assert lift_modules(three) == lift_modules(list(three))


def test_a_symbol_that_nobody_defines_is_named(three: list[tuple[str, Image]]) -> None:
    with pytest.raises(LiftError) as caught:
        lift_modules(three[:1])
    assert caught.value.message == (
        'link: found no module that defines "chosen" of module "main", "counter" of module "main",'
        ' "shared_add" of module "main", "table" of module "main"'
    )


def with_rodata(module: Image, at: int, raw: bytes) -> Image:
    data, start = module.rodata.data, at - modules.RODATA
    return replace(module, rodata=Part(modules.RODATA, data[:start] + raw + data[start + len(raw) :]))


def only_relative(module: Image) -> Image:
    """The module without its symbolic relocation."""
    return with_rodata(module, modules.RELA + 48, bytes(24))


def test_a_program_that_relocates_itself_is_left_alone() -> None:
    placed = place_modules([("own", only_relative(image()))])
    linked = link_modules(placed)
    assert linked.modules == placed
    assert (linked.words, linked.links, linked.startup, linked.entry) == ({}, (), None, FIRST_BASE)


def test_a_further_module_is_stored_as_relocation_leaves_it() -> None:
    linked = link_modules(place_modules([("own", only_relative(image())), ("more", only_relative(image("nso")))]))
    more = linked.modules[1]
    base = FIRST_BASE + STEP
    assert more.is_stored and more.base == base
    # RELATIVE: base + addend. RELR: base added to the words CODE + 4, CODE + 8 and CODE + 12.
    words = {TABLE: CODE + 16, TABLE + 16: CODE + 4, TABLE + 24: CODE + 8, TABLE + 40: CODE + 12}
    for place, value in words.items():
        assert more.image.read(place, 8) == struct.pack("<Q", base + value)
    assert more.image.read(modules.MOD0, 4) == bytes(4)  # its own start-up code would find nothing to do
    assert linked.init == (base + CODE,)


def test_relocations_that_need_a_loader_at_run_time_are_refused_by_name() -> None:
    thread_local = with_rodata(image("nso"), modules.RELA + 48 + 8, struct.pack("<Q", 1030))
    with pytest.raises(LiftError, match='module "more": relocation at 0x2508: found type 1030, expected one of'):
        link_modules(place_modules([("own", only_relative(image())), ("more", thread_local)]))


def test_a_program_without_code_at_its_start_begins_at_its_entry_symbol() -> None:
    text = image("nso").text.data
    empty = only_relative(replace(image("nso"), text=Part(0, bytes(4) + text[4:])))
    with pytest.raises(LiftError, match="found no code at its start and no symbol _start or nnMain or main"):
        link_modules(place_modules([("main", empty)]))


def test_start_up_code_calls_what_it_is_given_and_keeps_the_registers() -> None:
    code, table = startup_code([0x1000_0000, 0x1234_5678], 0x1FED_CBA8)
    assert len(code) == 64 and table == struct.pack("<2Q", 0x1000_0000, 0x1234_5678)


def test_two_modules_of_one_name_and_modules_without_end_are_refused() -> None:
    with pytest.raises(LiftError, match='module "a": found two of that name, expected each once'):
        place_modules([("a", image()), ("a", image())])
    large = replace(image("nso"), bss_size=0x1000_0000)
    with pytest.raises(LiftError, match='module "b": ends at 0x20004000, expected at most 0x20000000'):
        place_modules([("b", replace(large, bss_size=0x1000_1000))])
