"""RomFS, PFS0, HFS0, NACP and NPDM: in and out, and what they refuse."""

from __future__ import annotations

import struct

import pytest

from recomp.errors import FormatError
from recomp.formats.hfs0 import read_hfs0, write_hfs0
from recomp.formats.jpeg import jpeg_size
from recomp.formats.nacp import SIZE, Title, read_nacp, write_nacp
from recomp.formats.npdm import Service, read_npdm, write_npdm
from recomp.formats.pfs0 import read_pfs0, write_pfs0
from recomp.formats.romfs import read_romfs, write_romfs
from tests.formats.modules import ICON, ROMFS_FILES

NONE = 0xFFFFFFFF


def test_a_romfs_gives_its_files_back() -> None:
    data = write_romfs(ROMFS_FILES)
    read = read_romfs(data)
    assert {file.path: data[file.offset :][: file.size] for file in read.files} == ROMFS_FILES
    assert read.directories == ("level", "level/deep", "level/deep/er")
    assert write_romfs(dict(reversed(ROMFS_FILES.items()))) == data
    assert read_romfs(write_romfs({})).files == ()


def test_romfs_files_are_found_by_the_hash_of_their_names() -> None:
    """The look-up that programs do: bucket = hash(parent, name) % buckets, then along the chain.

    hash: 123456789 ^ parent, then for each byte rotate right by 5 and xor. For "a" in the root: 123456789 is
    0x075bcd15; rotated 0xa83ade68; ^ 0x61 = 0xa83ade09; of 3 buckets: 2822430217 % 3 = 1.
    """
    data = write_romfs({"a": b"1"})
    table, size = struct.unpack_from("<QQ", data, 0x28)
    assert struct.unpack_from(f"<{size // 4}I", data, table) == (NONE, 0, NONE)


def romfs(dirs: list[tuple], files: list[tuple] = (), contents: int = 16) -> bytes:
    """A RomFS of these entries: (parent, sibling, child, file, name), (parent, sibling, offset, size, name)."""

    def padded(name: bytes) -> bytes:
        return name + bytes(-len(name) % 4)

    dir_table = b"".join(struct.pack("<6I", *row[:4], NONE, len(row[4])) + padded(row[4]) for row in dirs)
    file_table = b"".join(struct.pack("<IIQQII", *row[:4], NONE, len(row[4])) + padded(row[4]) for row in files)
    at = 0x200
    spans = (at, 0, at, len(dir_table), at, 0, at + len(dir_table), len(file_table), at + len(dir_table + file_table))
    return struct.pack("<10Q", 0x50, *spans).ljust(at, b"\0") + dir_table + file_table + bytes(contents)


ROOT = (0, NONE, 0x18, NONE, b"")


def test_a_hand_made_romfs_is_read() -> None:
    assert read_romfs(romfs([ROOT, (0, NONE, NONE, NONE, b"d")])).directories == ("d",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (romfs([ROOT, (0, 0x18, NONE, NONE, b"d")]), "directory: found an entry that was met before, expected a tree"),
        (romfs([ROOT, (0, NONE, 0x18, NONE, b"d")]), "directory: found an entry that was met before, expected a tree"),
        (romfs([ROOT, (0, NONE, 0, NONE, b"d")]), "found an entry that was met before"),
        (
            romfs([(0, NONE, NONE, 0, b"")], [(0, 0, 0, 1, b"f")]),
            "file: found an entry that was met before, expected a tree",
        ),
        (romfs([ROOT, (0, NONE, NONE, NONE, b"..")]), "directory name: found '..', expected the plain name of a file"),
        (romfs([ROOT, (0, NONE, NONE, NONE, b"a/b")]), "found 'a/b', expected the plain name"),
        (romfs([ROOT, (0, NONE, NONE, NONE, b"a\0b")]), "found 'a\\x00b', expected the plain name"),
        (romfs([ROOT, (0, NONE, NONE, NONE, b"a\xff")]), "found b'a\\xff', expected UTF-8"),
        (romfs([ROOT, (0, NONE, NONE, NONE, b"")]), "found '', expected the plain name"),
        (romfs([(0, NONE, 0x1000, NONE, b"")]), "entry across the table's end"),
        (romfs([(0, NONE, NONE, 0, b"")], [(0, NONE, 1 << 63, 1, b"f")]), 'contents of "f": found 0x8000000000000'),
        (romfs([(0, NONE, NONE, 0, b"")], [(0, NONE, 0, NONE, b"f")]), 'contents of "f": found 0x'),
        (romfs([]), 'entry "" of the directory table: found 0x0'),
        (romfs([(0, NONE, NONE, 0, b"")], [(0, 0x24, 0, 1, b"f"), (0, NONE, 0, 1, b"f")]), '"f" twice'),
        (b"\x51" + bytes(0x60), "header size: found 0x51, expected 0x50"),
    ],
)
def test_a_damaged_romfs_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_romfs(data)
    assert message in caught.value.message


def test_a_tree_deeper_than_any_path_is_refused() -> None:
    rows = [(0, NONE, 0x18, NONE, b"")]
    rows += [(0, NONE, 0x18 + 0x1C * (n + 1), NONE, b"dddd") for n in range(5000)]
    with pytest.raises(FormatError, match="path: found 1[0-9]{3} characters, expected at most 1024"):
        read_romfs(romfs(rows))


def test_files_that_share_their_bytes_without_measure_are_refused() -> None:
    files = [(0, 0x24 * (n + 1) if n < 99 else NONE, 0, 4096, str(n).encode()) for n in range(100)]
    with pytest.raises(FormatError, match="contents: found 0x64000 bytes in all, expected at most .*: files overlap"):
        read_romfs(romfs([(0, NONE, NONE, 0, b"")], files, contents=4096))


def test_a_romfs_is_not_written_with_a_file_that_is_a_directory_too() -> None:
    with pytest.raises(FormatError, match='found "a" as a file, expected a directory'):
        write_romfs({"a": b"", "a/b": b""})
    with pytest.raises(FormatError, match="expected the plain name of a file"):
        write_romfs({"../a": b""})


@pytest.mark.parametrize(("read", "write"), [(read_pfs0, write_pfs0), (read_hfs0, write_hfs0)])
def test_archives_give_their_files_back(read, write) -> None:
    files = {"main": b"code" * 300, "main.npdm": b"m", "empty": b""}
    data = write(files)
    assert {file.name: data[file.offset :][: file.size] for file in read(data)} == files


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    return data[:at] + struct.pack(layout, *values) + data[at + struct.calcsize(layout) :]


@pytest.mark.parametrize(
    ("at", "layout", "value", "message"),
    [
        (4, "<I", 1 << 31, "number of files: found 2147483648, expected at most 65536"),
        (8, "<I", 1 << 31, "names: found"),
        (0x10, "<Q", (1 << 64) - 1, 'contents of "a": found'),
        (0x28, "<Q", 0, '"b" inside "a", expected files that share no bytes'),
        (0x20, "<I", 0x1000, "name: found offset 0x1000, expected a terminated string"),
        (0x20, "<I", 2, 'name: found "b" twice'),
        (0x40, "<1s", b"/", "found '/', expected the plain name of a file"),
        (0x40, "<1s", b"\xff", "expected UTF-8"),
    ],
)
def test_a_damaged_archive_is_refused(at: int, layout: str, value, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_pfs0(patched(write_pfs0({"a": b"12", "b": b"34"}), at, layout, value))
    assert message in caught.value.message


def test_hfs0_hashes_are_checked() -> None:
    data = write_hfs0({"a": b"12"})
    with pytest.raises(FormatError, match='SHA-256 of "a": found'):
        read_hfs0(data[:-1] + b"3")
    with pytest.raises(FormatError, match='hashed size of "a": found 0x3, expected at most 0x2'):
        read_hfs0(patched(data, 0x24, "<I", 3))


def test_nacp_in_and_out() -> None:
    nacp = read_nacp(write_nacp("Ein Spiel ✓", "Jemand", "1.0"))
    assert nacp.title == Title("en-US", "Ein Spiel ✓", "Jemand")
    assert (len(nacp.titles), nacp.version) == (16, "1.0")
    assert read_nacp(bytes(SIZE)).title is None
    assert read_nacp(b"\xff" + bytes(SIZE - 1)).titles == (Title("en-US", "\ufffd", ""),)
    for text in ("x" * 0x200, "a\0b"):
        with pytest.raises(FormatError, match="nacp: title: found"):
            write_nacp(text, "", "")
    with pytest.raises(FormatError, match="size: found 0x3fff bytes, expected 0x4000"):
        read_nacp(bytes(SIZE - 1))


def test_npdm_in_and_out() -> None:
    services = (Service("fsp-srv", False), Service("time:*", True))
    threads = 0b111 | 59 << 4 | 28 << 10 | 0 << 16 | 2 << 24
    calls = 0b1111 | 0b110 << 5 | 1 << 29  # group 1, bits 1 and 2: calls 25 and 26
    handles = (1 << 15) - 1 | 0x200 << 16
    kernel_version = (1 << 14) - 1 | 3 << 15 | 10 << 19
    npdm = read_npdm(write_npdm("Name", 0x0100ABCD, services, (threads, calls, handles, kernel_version, 0x7F, NONE)))
    assert (npdm.name, npdm.program_id, npdm.is_64_bit, npdm.address_space) == ("Name", 0x0100ABCD, True, 3)
    assert npdm.services == services
    assert (npdm.kernel.threads, npdm.kernel.svcs) == ((59, 28, 0, 2), (25, 26))
    assert (npdm.kernel.handle_table_size, npdm.kernel.kernel_version) == (0x200, (10, 3))
    assert npdm.kernel.unknown == (0x7F,)


def test_a_damaged_npdm_is_refused() -> None:
    sound = write_npdm("Name", 1, (Service("abc", False),), (0xF,))
    with pytest.raises(FormatError, match="ACI0: found 0xfffffff0"):
        read_npdm(patched(sound, 0x70, "<I", 0xFFFFFFF0))
    with pytest.raises(FormatError, match="service name: found 3 bytes, expected 8"):
        at = sound.index(b"\x02abc")
        read_npdm(sound[:at] + b"\x07" + sound[at + 1 :])
    with pytest.raises(FormatError, match="size of the kernel access list: found 0x3"):
        aci = struct.unpack_from("<I", sound, 0x70)[0]
        read_npdm(patched(sound, aci + 0x34, "<I", 3))


def test_the_size_of_a_picture() -> None:
    assert jpeg_size(ICON) == (256, 256)
    assert jpeg_size(ICON[:9]) is None and jpeg_size(b"\x89PNG") is None
    assert jpeg_size(b"\xff\xd8" + b"\xff" * 100) is None
