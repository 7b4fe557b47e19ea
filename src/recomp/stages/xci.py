"""xci mode: the user's own extractor, with the user's own key set, on the user's own image.

Nothing is decrypted here and no key is read but to be taken out of logs. The extractor unpacks the image's secure
partition, then opens each content archive in it; those with an executable are programs. Of the one that is wanted the
modules and the RomFS are kept (`assets_dir/extracted`), all else goes with the scratch folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import Any, NamedTuple

from recomp.engine.context import Context, tail
from recomp.engine.files import find_program
from recomp.engine.process import Outcome
from recomp.errors import FormatError, StageError, ToolError
from recomp.formats.npdm import read_npdm
from recomp.stages.job import Job

#: modules of a program, in the order in which they are placed and searched for symbols
MODULES = ("main", "rtld", *(f"subsdk{n}" for n in range(10)), "sdk")
_KEPT = (*MODULES, "main.npdm")
_HINT = (
    "is the key set the one of this image's console and version? if it is, the image may be cut short;"
    " the extractor's own words are in {log}"
)
_LOG_LIMIT = 1 << 20
_PROGRAM_ID = re.compile(r"[0-9a-f]{16}")


class Program(NamedTuple):
    """An extracted program. `romfs` is "" where it has none; `program_id` "" where no NPDM tells it."""

    program_id: str
    name: str
    exefs: str
    romfs: str


def find_tool(job: Job, choice: str) -> str | None:
    """The extractor's executable; None for the mock. Raises ToolError."""
    path = job.settings.path("tools", "xci_tool_path")
    if choice == "mock":
        return None
    names = ("hactool", "hactoolnet") if choice == "auto" else (choice,)
    found = path or next((p for name in names if (p := find_program(name))), None)
    if found is None:
        raise ToolError(
            f"tools.xci_tool: none of {', '.join(names)} is installed", hint="set tools.xci_tool_path to the executable"
        )
    return found


class Extractor:
    """The tool at work. Each call's output is kept, one after the other, in the stage's logs."""

    def __init__(self, context: Context, tool: str, keys: str) -> None:
        self.context, self.tool, self.keys = context, tool, keys
        self.logs: dict[str, list[bytes]] = {"stdout": [], "stderr": []}

    def unpack_partition(self, image: str, folder: str) -> None:
        """The image's secure partition into an empty folder. Raises StageError."""
        outcome = self._call(["-t", "xci", "--securedir", folder, image], "")
        self.context.check(outcome, "the extractor")

    def open_programs(self, archives: list[str], folder: str) -> tuple[list[Program], str]:
        """The programs among the archives, and the end of what the tool said of one that it could not open. An archive
        without one (a manual, a title's pictures) may make the tool fail: that is no error."""
        found, failures = [], ""
        for number, archive in enumerate(archives):
            target = os.path.join(folder, str(number))
            exefs, romfs = os.path.join(target, "exefs"), os.path.join(target, "romfs.bin")
            os.makedirs(exefs)
            outcome = self._open(archive, "--exefsdir", exefs)
            if os.listdir(exefs):
                self.context.check(outcome, "the extractor")
                # Asked for both at once, hactoolnet opens neither where there is no RomFS.
                self.context.check(self._open(archive, "--romfs", romfs), "the extractor")
                found.append(_program(exefs, romfs))
            else:
                # hactool ends with 0 where the key set is wrong, and says so.
                failures = tail(outcome.stderr_tail, 5) or failures
                shutil.rmtree(target)
            self.context.progress(number + 1, len(archives), "content archives")
        return found, failures

    def _open(self, archive: str, option: str, target: str) -> Outcome:
        """One part of a content archive, if it has it. Raises StageError where the tool does not end."""
        outcome = self._call(["-t", "nca", option, target, archive], os.path.basename(archive))
        if outcome.timed_out:
            self.context.check(outcome, "the extractor")
        return outcome

    def _call(self, arguments: list[str], title: str) -> Outcome:
        outcome = self.context.run_program(
            [self.tool, "-k", self.keys, *arguments], timeout_s=self.context.stage.timeout_s
        )
        for stream, kept in self.logs.items():
            with open(self.context.log_path(stream), "rb") as file:
                text = file.read(_LOG_LIMIT)
            if text:
                kept.append((f"== {title}\n".encode() if title else b"") + text)
        return outcome

    def write_logs(self) -> None:
        for stream, kept in self.logs.items():
            with open(self.context.log_path(stream), "wb") as file:
                file.write(b"".join(kept))


def extract_program(context: Context, tool: str, image: str, keys: str, wanted: str | None) -> Program:
    """Have the image's program extracted into the stage's scratch folder.

    Raises StageError where the tool fails, where there is no program or only a part of one, and where there are several
    and none is chosen.
    """
    work = os.path.join(context.scratch, "image")
    secure = os.path.join(work, "secure")
    os.makedirs(secure)
    extractor = Extractor(context, tool, keys)
    try:
        extractor.unpack_partition(image, secure)
        archives = sorted(os.path.join(secure, name) for name in os.listdir(secure) if name.endswith(".nca"))
        hint = _HINT.format(log=context.log_path("stderr"))
        if not archives:
            raise StageError("intake: the extractor found no content archive in the image", hint=hint)
        programs, failures = extractor.open_programs(archives, work)
    finally:
        extractor.write_logs()
    if not programs:
        count = f"{len(archives)} content archive{'s'[: len(archives) - 1]}"
        raise StageError(f"intake: the extractor found no program in {count}{failures}", hint=hint)
    return choose(programs, wanted)


def choose(programs: list[Program], wanted: str | None) -> Program:
    """The program with the wanted id, or the only one. Raises StageError that lists them."""
    listing = "".join(f"\n    {p.program_id or 'no id':<16}  {p.name}" for p in sorted(programs))
    if wanted is not None:
        chosen = [program for program in programs if program.program_id == wanted.lower()]
        if not chosen:
            raise StageError(f"intake: the image has no program {wanted.lower()}; there are{listing}")
        return chosen[0]
    if len(programs) > 1:
        raise StageError(
            f"intake: the image has {len(programs)} programs{listing}",
            hint=f'choose one: [tools] xci_program = "{sorted(programs)[0].program_id}"',
        )
    return programs[0]


def _program(exefs: str, romfs: str) -> Program:
    program_id, name = "", ""
    path = os.path.join(exefs, "main.npdm")
    if os.path.isfile(path):
        try:
            with open(path, "rb") as file:
                npdm = read_npdm(file.read())
        except FormatError as error:
            raise FormatError(f"exefs/main.npdm: {error.message}", hint=error.hint) from error
        program_id, name = f"{npdm.program_id:016x}", npdm.name
    return Program(program_id, name, exefs, romfs if os.path.isfile(romfs) else "")


def keep(program: Program, folder: str) -> list[str]:
    """Copy what is known to belong to a program into the output folder; returns the names of its modules.

    Raises StageError for a program without `main`: a partial extraction.
    """
    os.makedirs(os.path.join(folder, "exefs"))
    there = set(os.listdir(program.exefs))
    if "main" not in there:
        found = ", ".join(name for name in _KEPT if name in there) or "nothing that is known"
        raise StageError(
            f'intake: the extracted program has no module "main": found {found}',
            hint="the extraction is incomplete: is there room on the disk, and is the image whole?",
        )
    for name in _KEPT:
        if name in there:
            shutil.copyfile(os.path.join(program.exefs, name), os.path.join(folder, "exefs", name))
    if program.romfs:
        shutil.move(program.romfs, os.path.join(folder, "romfs.bin"))
    return [name for name in MODULES if name in there]


def mock_program(image: str, folder: str, wanted: str | None) -> Program:
    """The program of a synthetic image (docs/automation.md, "Mock images"), laid out as an extractor leaves one.

    Raises FormatError for anything else.
    """
    import base64
    import binascii

    from recomp.formats.romfs import checked_name, write_romfs

    def content(where: str, value: Any) -> bytes:
        if isinstance(value, dict) and len(value) == 1:
            if isinstance(value.get("text"), str):
                return value["text"].encode()
            if isinstance(value.get("base64"), str):
                try:
                    return base64.b64decode(value["base64"], validate=True)
                except binascii.Error:
                    pass
        raise FormatError(f'{image}: {where}: expected {{"text": "..."}} or {{"base64": "..."}}')

    programs = []
    for number, entry in enumerate(_mock_entries(image)):
        target = os.path.join(folder, str(number))
        os.makedirs(os.path.join(target, "exefs"))
        for name, value in entry.get("exefs", {}).items():
            checked_name(name.encode(), f"{image}: exefs")
            with open(os.path.join(target, "exefs", name), "wb") as file:
                file.write(content(f"exefs.{name}", value))
        romfs = os.path.join(target, "romfs.bin")
        if entry.get("romfs"):
            tree = {path: content(f"romfs.{path}", value) for path, value in entry["romfs"].items()}
            with open(romfs, "wb") as file:
                file.write(write_romfs(tree))
        program = _program(os.path.join(target, "exefs"), romfs)
        programs.append(program._replace(program_id=program.program_id or entry["program_id"]))
    return choose(programs, wanted)


def _mock_entries(image: str) -> list[dict[str, Any]]:
    try:
        with open(image, "rb") as file:
            root = json.load(file)
        entries = root["programs"]
        for entry in entries:
            good = isinstance(entry.get("exefs", {}), dict) and isinstance(entry.get("romfs", {}), dict)
            if not good or not _PROGRAM_ID.fullmatch(entry["program_id"]):
                raise ValueError
        if root["mock_image"] != "1" or not entries:
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise FormatError(
            f'{image}: is no mock image: expected {{"mock_image": "1", "programs": [{{"program_id": 16 hex digits,'
            f' "exefs": {{...}}, "romfs": {{...}}}}]}}',
            hint='set tools.xci_tool to "hactool" or "hactoolnet" for a real image',
        ) from error
    return entries
