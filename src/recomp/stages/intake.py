"""intake: the program checked and taken apart, and a manifest of what was found.

An ELF is split into its segments (`segments/`). Modules of other kinds are identified; what takes them apart is the
lift command. An image (`xci`) is extracted by the user's own tool, which alone reads the key set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage, Tool
from recomp.errors import StageError
from recomp.stages.detect import HEAD_BYTES, detect
from recomp.stages.job import AFTER, Job
from recomp.stages.xci import Extractor, extract_program, find_tool, keep, mock_program

if TYPE_CHECKING:
    from recomp.lift.link import Linked
    from recomp.lift.place import Placed


def stage(job: Job) -> Stage | None:
    make = {"elf": _elf, "homebrew": _homebrew, "xci": _xci}.get(job.settings.mode)
    return make(job) if make else None


def _stage(
    job: Job,
    run: Callable[[Context], Result],
    paths: list[str],
    *outputs: Output,
    tools: tuple[Tool, ...] = (),
    parts: tuple[str, ...] = (),
    **config: Any,
) -> Stage:
    folder = job.settings.dirs["intake_dir"]
    manifest = Output("manifest", os.path.join(folder, "intake-manifest.json"), role="intake-manifest")
    return Stage(
        name="intake",
        run=run,
        inputs=tuple(Input(os.path.basename(path), path) for path in paths),
        config={"mode": job.settings.mode, "sources": [os.path.basename(path) for path in paths], **config},
        tools=(*tools, *job.tools.recomp("formats", "stages/intake.py", "stages/detect.py", *parts)),
        after=AFTER["intake"],
        outputs=(*outputs, manifest),
        timeout_s=job.settings.timeout_s("intake"),
    )


def _write_manifest(context: Context, form: str, paths: list[str], **facts: Any) -> None:
    inputs = []
    for path in paths:
        data = _read(path)
        found = detect(data[:HEAD_BYTES])
        entry = {"name": os.path.basename(path), "format": found, "size": len(data), "sha256": _sha256(data)}
        inputs.append(entry)
    manifest = {"schema_version": "1", "mode": form, "inputs": inputs, **facts}
    context.write("manifest", json.dumps(manifest, indent=2).encode() + b"\n")


def describe_program(linked: Linked) -> dict[str, Any]:
    """Modules and how they were linked, as the manifest has them."""
    links = [
        {
            "module": k.module,
            "symbol": k.symbol,
            "provider": k.provider or None,
            "address": k.address,
            "places": k.places,
        }
        for k in linked.links
    ]
    return {
        "entry": linked.entry,
        "modules": [_describe_module(module) for module in linked.modules],
        "links": links,
        "start_up": list(linked.init),
    }


def _describe_module(module: Placed) -> dict[str, Any]:
    """A placed module, as the manifest has it."""
    image = module.image
    parts = zip(("text", "rodata", "data"), image.parts, strict=True)
    return {
        "name": module.name, "form": image.form, "base": module.base, "size": image.size,
        "build_id": image.build_id.hex(), "relocates_itself": not module.is_stored,
        "parts": {name: {"offset": p.offset, "size": len(p.data), "sha256": _sha256(p.data)} for name, p in parts},
        "bss_size": image.bss_size, "mod0": module.mod0.offset if module.mod0 else None,
        "relocations": len(module.dynamic.relocations) + len(module.dynamic.relr),
        "symbols": len(module.dynamic.symbols),
    }  # fmt: skip


# An ELF


def _elf(job: Job) -> Stage:
    path = job.settings.path("inputs", "elf")
    assert path is not None
    folder = os.path.join(job.settings.dirs["intake_dir"], "segments")
    segments = Output("segments", folder, tree=True, role="segment", asset_class="proprietary")
    return _stage(job, lambda context: _split(context, path), [path], segments)


def _split(context: Context, path: str) -> Result:
    from recomp.formats.elf import read_elf

    data = _read(path)
    elf = read_elf(data)
    os.makedirs(context.out("segments"))
    segments = []
    for number, segment in enumerate(elf.segments):
        name = f"segment{number}.bin"
        with open(os.path.join(context.out("segments"), name), "wb") as file:
            file.write(segment.data)
        segments.append({
            "path": f"segments/{name}", "base": segment.base, "size": segment.size, "init_size": len(segment.data),
            "file_offset": segment.file_offset, "sha256": _sha256(segment.data),
            "permissions": {"read": segment.read, "write": segment.write, "execute": segment.execute},
        })  # fmt: skip
    _write_manifest(context, "elf", [path], entry=elf.entry, segments=segments)
    return Result(found=f"{len(segments)} segments, {len(data):,} bytes, entry {elf.entry:#x}")


# Modules


def _homebrew(job: Job) -> Stage:
    paths = job.module_paths()
    if not job.has_builtin_lift():
        return _stage(job, lambda context: _identify(context, paths), paths)
    folder = job.assets_folder()
    assets = Output("assets", folder, tree=True, role="asset", asset_class="proprietary")
    return _stage(job, lambda context: _take_apart(context, paths), paths, assets, parts=("lift", "stages/modules.py"))


def _check_kinds(paths: list[str]) -> None:
    for path, expected in zip(paths, ("nro0", *("nso0" for _ in paths[1:])), strict=True):
        with open(path, "rb") as file:
            found = detect(file.read(HEAD_BYTES))
        if found != expected:
            kind = f'"{found}"' if found else "an unknown format"
            raise StageError(f'intake: {path}: found {kind}, expected "{expected}"')


def _identify(context: Context, paths: list[str]) -> Result:
    _check_kinds(paths)
    _write_manifest(context, "homebrew", paths)
    return Result(found=f"{len(paths)} module{'s'[: len(paths) - 1]}")


def _take_apart(context: Context, paths: list[str]) -> Result:
    """Every module read and placed as the lift will place it; icon, title and RomFS of the NRO as files."""
    from recomp.lift.link import link_modules
    from recomp.lift.place import place_modules
    from recomp.stages.modules import ASSET_FILES, read_modules

    _check_kinds(paths)
    modules = read_modules(paths)
    linked = link_modules(place_modules([(module.name, module.image) for module in modules]))
    os.makedirs(context.out("assets"))
    assets = modules[0].assets
    names = [(file, content) for part, file in ASSET_FILES.items() if (content := getattr(assets, part, b""))]
    for file_name, content in names:
        with open(os.path.join(context.out("assets"), file_name), "wb") as file:
            file.write(content)
    facts = {**describe_program(linked), "assets": [name for name, _ in names]}
    _write_manifest(context, "homebrew", paths, **facts)
    size = sum(module.image.size for module in linked.modules)
    found = f"{len(paths)} module{'s'[: len(paths) - 1]}, {size:,} bytes of memory"
    return Result(found=found + (f", {', '.join(name for name, _ in names)}" if names else ""))


# An image


def _xci(job: Job) -> Stage:
    settings = job.settings
    image, keys = settings.path("inputs", "xci"), settings.path("inputs", "keys")
    assert image is not None and keys is not None
    choice, wanted = settings.raw["tools"]["xci_tool"], settings.raw["tools"]["xci_program"]
    tool = find_tool(job, choice)
    assets = Output("assets", job.assets_folder(), tree=True, role="asset", asset_class="proprietary")
    tools = (job.tools.program("xci_tool", tool),) if tool else ()

    def run(context: Context) -> Result:
        if job.has_builtin_lift():
            return _extract_program(context, tool, image, keys, wanted)
        return _extract_all(context, tool, image, keys)

    facts = {"xci_tool": choice, "xci_program": wanted, "is_lifted": job.has_builtin_lift()}
    parts = ("lift", "stages/modules.py", "stages/xci.py")
    made = _stage(job, run, [image], assets, tools=tools, parts=parts, **facts)
    return made._replace(inputs=(*made.inputs, Input("key set", keys)))


def _extract_all(context: Context, tool: str | None, image: str, keys: str) -> Result:
    """For a lift that is a command: the secure partition as it is. The tool is given the path of the key set; nothing
    of it goes through our hands."""
    os.makedirs(context.out("assets"))
    if tool is not None:
        Extractor(context, tool, keys).unpack_partition(image, context.out("assets"))
    count = sum(len(files) for _, _, files in os.walk(context.out("assets")))
    _write_manifest(context, "xci", [image], extracted=count)
    return Result(found=f"{count} files extracted" if tool else "a mock: nothing was extracted")


def _extract_program(context: Context, tool: str | None, image: str, keys: str, wanted: str | None) -> Result:
    """The image's program: its modules, linked as the lift will link them, and its RomFS."""
    from recomp.lift.link import link_modules
    from recomp.lift.place import place_modules
    from recomp.stages.modules import read_exefs

    if tool is None:
        program = mock_program(image, os.path.join(context.scratch, "image"), wanted)
    else:
        program = extract_program(context, tool, image, keys, wanted)
    folder = context.out("assets")
    names = keep(program, folder)
    modules = read_exefs(os.path.join(folder, "exefs"), names)
    linked = link_modules(place_modules([(module.name, module.image) for module in modules]))
    has_romfs = os.path.exists(os.path.join(folder, "romfs.bin"))
    facts = {"program_id": program.program_id, "name": program.name, "romfs": has_romfs, **describe_program(linked)}
    _write_manifest(context, "xci", [image], **facts)
    title = " ".join(filter(None, (program.program_id, program.name))) or "a program"
    return Result(found=f"{title}: {', '.join(names)}{', romfs.bin' if has_romfs else ''}")


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
