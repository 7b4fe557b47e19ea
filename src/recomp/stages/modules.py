"""The modules of a console program: read, named, and what an NRO brings along."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from recomp.errors import FormatError, StageError
from recomp.formats.assets import Assets, read_assets
from recomp.formats.image import Image
from recomp.formats.nro import read_nro
from recomp.formats.nso import read_nso

#: what becomes of the parts of an NRO's asset section
ASSET_FILES = {"icon": "icon.jpg", "nacp": "control.nacp", "romfs": "romfs.bin"}
_STRANGE = re.compile(r"[^A-Za-z0-9_.-]")


class ModuleFile(NamedTuple):
    """A module's file, read. `name` is safe in file names; `assets` is None for all but an NRO that has some."""

    path: str
    name: str
    image: Image
    assets: Assets | None


def read_modules(paths: list[str]) -> list[ModuleFile]:
    """The modules in the order of their files. Raises FormatError or StageError naming the file."""
    found = [_read_module(path) for path in paths]
    names = [module.name for module in found]
    for module in found:
        if names.count(module.name) > 1:
            raise StageError(
                f'{module.path}: a second module named "{module.name}"',
                hint="modules are named after their files: rename one of them",
            )
    return found


def read_exefs(folder: str, names: list[str]) -> list[ModuleFile]:
    """The NSO modules of an extracted program. Raises FormatError naming the module."""
    found = []
    for name in names:
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        try:
            found.append(ModuleFile(os.path.join(folder, name), name, read_nso(data).image, None))
        except FormatError as error:
            raise FormatError(f"exefs/{name}: {error.message}", hint=error.hint) from error
    return found


def parse_module(data: bytes) -> tuple[Image, Assets | None]:
    """An NRO's or an NSO's image and assets. Raises FormatError."""
    if data[:4] == b"NSO0":
        return read_nso(data).image, None
    nro = read_nro(data)
    return nro.image, read_assets(data[nro.assets_offset :]) if nro.assets_offset else None


def _read_module(path: str) -> ModuleFile:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise StageError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        image, assets = parse_module(data)
    except FormatError as error:
        raise FormatError(f"{path}: {error.message}", hint=error.hint) from error
    return ModuleFile(path, module_label(path), image, assets)


def module_label(path: str) -> str:
    """A module's name after its file: without ending and without characters that file names may not have everywhere."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return _STRANGE.sub("_", stem).lstrip(".") or "module"
