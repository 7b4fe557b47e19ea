"""A real extractor in the retail lane, on an image of ours.

    python tools/compat_xci.py hactool|hactoolnet PATH

The image holds what our own test programs are made of, in archives that nothing encrypts; the key set is made up. What
the extractor leaves of it must be what went in. The last image is one that no key set opens. Exit code 1 if anything
is otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import re
import struct
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests"), str(ROOT)]

from tests.lift.shared import LIBRARY, MAIN, OTHER, nso  # noqa: E402

from builders import ProjectFolder  # noqa: E402
from recomp.cli.main import main as recomp  # noqa: E402
from recomp.formats.hfs0 import write_hfs0  # noqa: E402
from recomp.formats.npdm import write_npdm  # noqa: E402
from recomp.formats.pfs0 import write_pfs0  # noqa: E402
from recomp.formats.romfs import write_romfs  # noqa: E402

KEY = "00112233445566778899aabbccddeeff"
PROGRAM_ID = 0x0100_0000_0000_1000
DERIVED = re.compile(r"\(Decrypted\):\s+[0-9A-Fa-f]{32}")
#: content types of archives
PROGRAM, META, CONTROL = 0, 1, 2
#: a section: its header in the archive's, and its bytes
Section = tuple[bytes, bytes]


def exefs_section(files: Mapping[str, bytes]) -> Section:
    archive = write_pfs0(files)
    table = hashes_of(archive, 0x1000)
    body = padded(table, 0x200)
    superblock = struct.pack("<32s2I4Q", digest(table), 0x1000, 2, 0, len(table), len(body), len(archive))
    return bytes([2, 0, 1, 2, 1, 0, 0, 0]) + superblock, padded(body + archive, 0x200)


def romfs_section(files: Mapping[str, bytes]) -> Section:
    """Six levels, each of hashes of the next one's blocks; the last is the file system itself."""
    romfs = write_romfs(files)
    levels = [padded(romfs, 0x4000)]
    while len(levels) < 6:
        levels.insert(0, padded(hashes_of(levels[0], 0x4000), 0x4000))
    sizes = [*map(len, levels[:-1]), len(romfs)]
    starts = [sum(map(len, levels[:n])) for n in range(6)]
    table = b"".join(struct.pack("<2Q2I", start, size, 14, 0) for start, size in zip(starts, sizes, strict=True))
    superblock = b"IVFC" + struct.pack("<3I", 0x20000, 32, 7) + table
    superblock = superblock.ljust(0xC0, b"\0") + digest(levels[0])
    return bytes([2, 0, 0, 3, 1, 0, 0, 0]) + superblock, padded(b"".join(levels), 0x200)


def content_archive(content_type: int, *sections: Section) -> bytes:
    head, at = bytearray(0xC00), 0xC00
    head[0x200:0x204], head[0x205] = b"NCA3", content_type
    for number, (section_head, body) in enumerate(sections):
        section_head = section_head.ljust(0x200, b"\0")
        struct.pack_into("<2I", head, 0x240 + 16 * number, at // 0x200, (at + len(body)) // 0x200)
        head[0x280 + 32 * number : 0x2A0 + 32 * number] = digest(section_head)
        head[0x400 + 0x200 * number : 0x600 + 0x200 * number] = section_head
        at += len(body)
    struct.pack_into("<2Q", head, 0x208, at, PROGRAM_ID)
    head[0x21F] = 4  # the first SDK version that tools know
    return bytes(head) + b"".join(body for _, body in sections)


def card_image(archives: Mapping[str, bytes]) -> bytes:
    partitions = {"update": write_hfs0({}), "normal": write_hfs0({}), "secure": write_hfs0(archives)}
    root = write_hfs0(partitions)
    files, strings = struct.unpack_from("<2I", root, 4)
    head = bytearray(0x200)
    head[0x100:0x104], head[0x10D] = b"HEAD", 0xFA
    struct.pack_into("<2Q", head, 0x130, 0xF000, size := 0x10 + 0x40 * files + strings)
    head[0x140:0x160] = digest(root[:size])
    return bytes(head).ljust(0xF000, b"\xff") + root


def digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def hashes_of(data: bytes, block: int) -> bytes:
    return b"".join(digest(data[at : at + block]) for at in range(0, len(data), block))


def padded(data: bytes, block: int) -> bytes:
    return data + bytes(-len(data) % block)


def named(archive: bytes, extension: str = "nca") -> tuple[str, bytes]:
    return f"{digest(archive).hex()[:32]}.{extension}", archive


class Trial:
    """What `recomp automate` leaves of an image, in a folder of its own."""

    def __init__(self, folder: Path, tool: str, path: str, image: bytes) -> None:
        project = ProjectFolder(folder)
        project.take_image(image, f"header_key = {KEY}{KEY}\nmaster_key_00 = {KEY}\n")
        project.config["tools"] = {"xci_tool": tool, "xci_tool_path": path}
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            self.code = recomp(["automate", "--config", str(project.write()), "--until", "pipeline"])
        self.said = output.getvalue()
        self.work_root = project.work_root

    def left(self) -> dict[str, bytes]:
        """The extracted files, by their paths."""
        folder = self.work_root / "assets/extracted"
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    def secrets_seen(self) -> list[str]:
        """Where keys can be read, given ones or those that the tool derived."""
        logs = {str(path): path.read_text() for path in (self.work_root / "logs").glob("*") if path.is_file()}
        return [name for name, text in {**logs, "terminal": self.said}.items() if KEY in text or DERIVED.search(text)]


def main() -> int:
    parser = argparse.ArgumentParser(description="Try a real extractor on an image of ours.")
    parser.add_argument("tool", choices=["hactool", "hactoolnet"])
    parser.add_argument("path", type=lambda path: str(Path(path).resolve()))
    options = parser.parse_args()
    modules = {"main": nso("main", MAIN), "subsdk0": nso("subsdk0", LIBRARY), "sdk": nso("sdk", OTHER)}
    exefs = {**modules, "main.npdm": write_npdm("Title", PROGRAM_ID, (), ())}
    files = {"level/1.txt": b"one", "large.bin": bytes(70_000)}
    control = named(content_archive(CONTROL, romfs_section({"control.nacp": bytes(0x4000)})))
    meta = named(content_archive(META, exefs_section({"Application.cnmt": bytes(64)})), "cnmt.nca")
    whole = named(content_archive(PROGRAM, exefs_section(exefs), romfs_section(files)))
    bare = named(content_archive(PROGRAM, exefs_section(exefs)))
    unpacked = {f"exefs/{name}": data for name, data in exefs.items()}
    problems = []
    with tempfile.TemporaryDirectory() as folder:

        def attempt(name: str, *archives: tuple[str, bytes]) -> Trial:
            trial = Trial(Path(folder) / name, options.tool, options.path, card_image(dict(archives)))
            problems.extend(f"{name}: a key in {where}" for where in trial.secrets_seen())
            return trial

        for name, program, expected in (
            ("a program with a RomFS", whole, {**unpacked, "romfs.bin": write_romfs(files)}),
            ("a program without one", bare, unpacked),
        ):
            trial = attempt(name, program, control, meta)
            equal = trial.code == 0 and trial.left() == expected
            print(f"{name}: {'what went in came out, and was lifted' if equal else 'other than what went in'}")
            problems += [] if equal else [f"{name}: exit code {trial.code}\n{trial.said}"]
        trial = attempt("no key set opens it", named(bytes(range(256)) * 64))
        refused = trial.code == 1 and "the extractor found no program in 1 content archive\n" in trial.said
        print(f"no key set opens it: {'refused, in the words of the tool' if refused else 'other than expected'}")
        problems += [] if refused else [f"no key set opens it: exit code {trial.code}\n{trial.said}"]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
