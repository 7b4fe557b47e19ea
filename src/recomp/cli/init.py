"""`recomp init PROGRAM`: a complete project that `recomp automate` runs at once."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import time

from recomp import __version__
from recomp.errors import ConfigError, FormatError

AUTOMATION = """\
# What to do with the program: every stage is built in. Paths are relative to this file.
# All keys: docs/automation.md, or `recomp schema automation`.
schema_version = "1"

[inputs]
mode = "{mode}"
{key} = {program}
provenance = "provenance.toml"
config = "title.toml"

[outputs]
# Everything that a run makes lies here. Keep it out of version control: it is derived from the program.
work_root = "out"

[reference]
# The recorded input that is replayed. Its marker "end" says how long the run is.
input_script_toml = "input_script.toml"
# What the capture is compared with: `recomp reference normalize VIDEO --to reference` makes it of a recording of the
# original, `recomp reference record --to reference` of a run that you trust.
# reference_video_toml = "reference/reference_video.toml"

# Uncomment to film what the program shows, and to keep its sound.
# [capture]
# video_path = "out/capture/capture.mov"
# audio_file = "out/capture/audio.wav"

# Any stage can be a program of yours instead: an argument list, never a shell string.
# [commands]
# build = ["make", "-C", "out/build/project"]

[run]
# The program's arguments, and the seed of its random sources.
args = []
seed = 0
"""

TITLE = """\
# What the program needs at run time.
title = {name}
entry = "entry"
abi_version = "1"
"""

PROVENANCE = """\
# Where the program lawfully came from. Everything listed is checked before any stage runs.
schema_version = "1"

[title]
name = {name}
title_id = {name}
version = "1"
region = "none"

[collection]
device = "this computer"
collected_at = "{date}"
notes = "Fill in how you came by the program."

[collection.tool]
name = "recomp init"
version = "{version}"

[[inputs]]
path = {program}
sha256 = "{sha256}"
size = {size}
format = "{format}"
role = "program"
"""

INPUT_SCRIPT = """\
# Input that is replayed: a control's name (A, B, UP, START, ...) or a raw Linux key code, 1 pressed and 0 released.
schema_version = "1"

[metadata]
title = {name}
controller = "keyboard"
timing_mode = "ms"

# [[events]]
# time_ms = 1000
# control = "START"
# value = 1

# [[events]]
# time_ms = 1100
# control = "START"
# value = 0

# The run ends here, if the program has not ended by itself.
[[markers]]
name = "end"
time_ms = 10000
"""

REFERENCE = """\
# What the capture is compared with: one hash a frame. `recomp reference` writes this file anew, with the lists.
schema_version = "2"

[video]
path = "reference.mkv"
width = 1280
height = 720
fps = 60

[hashes.frames]
format = "list"
kind = "pixels"
path = "frames.hashes"
"""

GITIGNORE = """\
# Made by recomp from the program, which is not yours to publish.
/out/
/reference/reference.mkv
/reference/reference.mov
"""


def command(options: argparse.Namespace) -> int:
    program = os.path.abspath(options.program)
    folder = os.path.abspath(options.to)
    data, kind, title = _read(program)
    inside = os.path.relpath(program, folder)
    name = title or os.path.splitext(os.path.basename(program))[0] or "program"
    values = {
        "program": json.dumps(inside, ensure_ascii=False),
        "name": json.dumps(name, ensure_ascii=False),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "version": __version__,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        **kind,
    }
    files = {
        "automation.toml": AUTOMATION, "title.toml": TITLE, "provenance.toml": PROVENANCE,
        "input_script.toml": INPUT_SCRIPT, "reference/reference_video.toml": REFERENCE,
    }  # fmt: skip
    written = {path: text.format(**values) for path, text in files.items()}
    ignored = "" if inside.split(os.sep)[0] == ".." else f"/{_literal(inside)}\n"
    _write(folder, {**written, ".gitignore": GITIGNORE + ignored})
    print(f"wrote {', '.join([*written, '.gitignore'])} to {options.to}")
    config = os.path.relpath(os.path.join(folder, "automation.toml"))
    print(f"next: recomp automate --config {config}")
    return 0


def _literal(path: str) -> str:
    """A path as .gitignore spells it: brackets are common in the names of programs, and a pattern there."""
    escaped = re.sub(r"([\\\[\]*?])", r"\\\1", path)
    return re.sub(r" +$", lambda spaces: "\\ " * len(spaces.group()), escaped)


def _read(program: str) -> tuple[bytes, dict[str, str], str]:
    """The program's bytes, once they are known to be one that can be recompiled; how the files call its kind; and its
    title, "" where it does not tell."""
    from recomp.formats.elf import read_elf

    try:
        with open(program, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigError(f"{program}: cannot be read: {error.strerror}") from error
    if data[:4] == b"NSO0":
        raise ConfigError(
            f"{program}: is an NSO, a module of a program",
            hint="init takes the program's NRO; list the NSO in inputs.nso of the automation.toml that it writes",
        )
    try:
        if data[0x10:0x14] == b"NRO0":
            return data, {"mode": "homebrew", "key": "nro", "format": "nro0"}, _title(data)
        read_elf(data)
    except FormatError as error:
        raise FormatError(f"{program}: {error.message}", hint=error.hint) from None
    return data, {"mode": "elf", "key": "elf", "format": "elf"}, ""


def _title(nro: bytes) -> str:
    """An NRO's own title. Raises FormatError for a damaged one."""
    from recomp.formats.nacp import read_nacp
    from recomp.stages.modules import parse_module

    _, assets = parse_module(nro)
    title = read_nacp(assets.nacp).title if assets and assets.nacp else None
    return title.name if title else ""


def _write(folder: str, files: dict[str, str]) -> None:
    """Write all files, or none if any is there already."""
    there = [name for name in files if os.path.lexists(os.path.join(folder, name))]
    if there:
        raise ConfigError(
            f"init: {', '.join(there)}: already in {folder}",
            hint="init never overwrites; choose another folder with --to",
        )
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "x", encoding="utf-8") as file:
            file.write(text)
