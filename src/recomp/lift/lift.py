"""A program in, a dense module out: a static AArch64 ELF (`lift_elf`), or NRO and NSO modules (`lift_modules`)."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from recomp.errors import FormatError
from recomp.formats.elf import Elf, ElfSymbol, read_elf
from recomp.formats.gopclntab import GoFunction, read_go_functions
from recomp.formats.image import Image as HorizonImage
from recomp.lift.collector import collector_paused
from recomp.lift.contexts import callers_of, places_behind_calls, resume_points, returns_twice, switches_stacks
from recomp.lift.discover import Discovery
from recomp.lift.explore import Region
from recomp.lift.fragments import join_fragments
from recomp.lift.graph import build_blocks
from recomp.lift.link import link_modules
from recomp.lift.module import Block, Function, Image, Module, Segment
from recomp.lift.names import NamedAddress, name_functions
from recomp.lift.place import Placed, place_modules, program_of
from recomp.lift.summary import LiftSummary
from recomp.lift.words import UNDEFINED, Words


class Miss(msgspec.Struct, frozen=True):
    """A row of `misses.jsonl`: the indirect branch at `site` went to `target`, which no table of entries had."""

    site: int
    target: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class LiftOptions:
    """`sweep`: make functions of code that nothing refers to. `faults`: `Module.faults`, "" = as the program needs."""

    sweep: bool = True
    faults: str = ""


def read_misses(data: bytes) -> tuple[Miss, ...]:
    """Read `misses.jsonl`. Raises FormatError naming the line."""
    rows = []
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                rows.append(msgspec.json.decode(line, type=Miss))
            except msgspec.MsgspecError as error:
                raise FormatError(f"misses.jsonl:{number}: {error}") from None
    return tuple(rows)


def lift_elf(
    data: bytes,
    *,
    name_map: Mapping[int, NamedAddress] | None = None,
    trace: Iterable[Miss] = (),
    options: LiftOptions = LiftOptions(),  # noqa: B008  frozen
) -> tuple[Module, dict[str, bytes], LiftSummary]:
    """Lift a program: the module, the bytes of its segments by `init_path`, and a summary.

    `name_map` has the addresses of the ELF; `trace` guest addresses as the run saw them. Raises FormatError for a
    file that is no static AArch64 program, LiftError for one whose code cannot be laid out.
    """
    elf = read_elf(data)
    go = read_go_functions(elf)
    if go and not elf.symbols:
        elf = dataclasses.replace(elf, symbols=tuple(ElfSymbol(f.name, f.base, f.size) for f in go))
    return _lift(elf, name_map or {}, trace, options, go)


def lift_modules(
    images: Sequence[tuple[str, HorizonImage]],
    *,
    name_map: Mapping[int, NamedAddress] | None = None,
    trace: Iterable[Miss] = (),
    options: LiftOptions = LiftOptions(),  # noqa: B008  frozen
) -> tuple[Module, dict[str, bytes], LiftSummary]:
    """Lift a program of NRO and NSO modules, named, the program's own first: as `lift_elf`.

    `name_map` has offsets from the first module's base.
    """
    linked = link_modules(place_modules(images))
    program = program_of(linked.modules, linked.entry, linked.words, linked.startup)
    module, blobs, summary = _lift(program, name_map or {}, trace, options)
    return msgspec.structs.replace(module, abi="horizon", images=tuple(map(_image, linked.modules))), blobs, summary


def _image(placed: Placed) -> Image:
    image = placed.image
    return Image(
        name=placed.name,
        base=placed.base,
        entry=placed.base + image.text.offset,
        text=placed.base + image.text.offset,
        text_size=len(image.text.data),
        rodata=placed.base + image.rodata.offset,
        rodata_size=len(image.rodata.data),
        data=placed.base + image.data.offset,
        data_size=len(image.data.data),
        bss_size=image.bss_size,
        mod0=placed.base + placed.mod0.offset if placed.mod0 else 0,
        relocated=placed.is_stored,
    )


@collector_paused()
def _lift(
    elf: Elf,
    name_map: Mapping[int, NamedAddress],
    trace: Iterable[Miss],
    options: LiftOptions,
    go: Sequence[GoFunction] = (),
) -> tuple[Module, dict[str, bytes], LiftSummary]:
    names = {address + elf.bias: named for address, named in name_map.items()}
    words = Words(elf)
    found = Discovery(elf, words, names, [miss.target for miss in trace], options.sweep, resume_points(go))
    found.run()
    # A miss behind a call says that a stack was left and come back to in a way that nothing here foresaw.
    everywhere = bool(go or options.faults) or any(words.is_call(a - 4) for a in found.traced)
    functions = _functions(elf, words, found, names, everywhere)
    segments, blobs = _segments(elf)
    module = Module(
        entry=elf.entry,
        segments=segments,
        functions=functions,
        phdr=elf.phdr,
        phent=elf.phent,
        phnum=elf.phnum,
        faults=options.faults or ("frame" if go else ""),
    )
    return module, blobs, _summarise(words, found, functions)


def _segments(elf: Elf) -> tuple[tuple[Segment, ...], dict[str, bytes]]:
    segments = []
    blobs = {}
    for number, s in enumerate(elf.segments):
        name = s.name or f"segment{number}"
        path = f"{name}.bin" if s.data else ""
        segments.append(
            Segment(
                name=name,
                base=s.base,
                size=s.size,
                read=s.read,
                write=s.write,
                execute=s.execute,
                init_path=path,
                init_size=len(s.data),
            )
        )
        if s.data:
            blobs[path] = s.data
    return tuple(segments), blobs


def _functions(
    elf: Elf, words: Words, found: Discovery, names: Mapping[int, NamedAddress], everywhere: bool
) -> tuple[Function, ...]:
    """`everywhere`: stacks may be switched below any call, so that any place behind one may be entered."""
    explorer = found.explorer
    blocks_of = {start: build_blocks(explorer, explorer.regions[start]) for start in explorer.starts}
    branched_to = [start for start, kind in found.evidence.items() if kind == "tail"]
    blocks_of, entries = join_fragments(blocks_of, branched_to, found.cold, found.outside)
    sites, relays = returns_twice(words, blocks_of, found.savers)
    for site, start in sites:
        entries.setdefault(start, set()).add(site)
    again = dict.fromkeys((start for _, start in sites), "again") | dict.fromkeys(relays, "relay")
    switchers = [start for start in found.savers if start in blocks_of and switches_stacks(words, start)]
    if everywhere or switchers:
        among = None if everywhere else callers_of(blocks_of, switchers)
        for start, places in places_behind_calls(blocks_of, among).items():
            entries.setdefault(start, set()).update(places)
    if everywhere:
        again.clear()  # whatever returns once more finds its place from anywhere
    labels = name_functions(blocks_of, elf, names)
    return tuple(
        _function(
            explorer.regions[start],
            blocks,
            labels[start],
            found.evidence[start],
            entries.get(start, set()),
            again.get(start, ""),
        )
        for start, blocks in sorted(blocks_of.items())
    )


def _function(
    region: Region, blocks: list[Block], name: str, evidence: str, entries: set[int], returns: str
) -> Function:
    last = blocks[-1]
    return Function(
        name=name,
        start=region.start,
        end=last.start + 4 * last.insns,
        evidence=evidence,
        blocks=tuple(blocks),
        entries=tuple(sorted(entries - {region.start})),
        noreturn=not region.returns,
        returns=returns,
    )


def _summarise(words: Words, found: Discovery, functions: tuple[Function, ...]) -> LiftSummary:
    unknown: Counter[int] = Counter()
    first: dict[int, int] = {}
    unresolved = []
    for function in functions:
        for block in function.blocks:
            last = block.start + 4 * block.insns - 4
            if block.terminator == "jump_indirect":
                unresolved.append(last)
            index = words.index(last)
            if words.kind[index] == UNDEFINED:
                word = int(words.code[index])
                unknown[word] += 1
                first.setdefault(word, last)
    tables = [t for t in found.tables.values() if t.targets]
    ranked = sorted(unknown.items(), key=lambda item: (-item[1], item[0]))[:100]
    return LiftSummary(
        functions=len(functions),
        blocks=sum(len(f.blocks) for f in functions),
        instructions=sum(b.insns for f in functions for b in f.blocks),
        undefined=sum(unknown.values()),
        unresolved_jumps=len(unresolved),
        jump_tables=len(tables),
        jump_table_entries=sum(len(t.targets) for t in tables),
        noreturn_functions=sum(f.noreturn for f in functions),
        entries=sum(len(f.entries) for f in functions),
        code_bytes=4 * int(words.in_code.sum()),
        uncovered_bytes=4 * int((words.in_code & (found.explorer.owner < 0)).sum()),
        evidence=dict(sorted(Counter(f.evidence for f in functions).items())),
        unresolved_sites=tuple(sorted(unresolved)[:1000]),
        undefined_words=tuple((f"{word:08x}", count, first[word]) for word, count in ranked),
    )
