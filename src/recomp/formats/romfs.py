"""Read and write RomFS: the read-only file tree of a program. Source: docs/formats/romfs.md.

Directories and files stand in two tables, chained by offsets; nothing stops a made-up chain from going round, so that
every entry is visited at most once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recomp.errors import FormatError
from recomp.formats.view import View, align

HEADER_SIZE = 0x50
MAX_PATH = 1024
#: Bytes of a table; a record takes at least 0x18.
MAX_TABLE = 1 << 26
_NONE = 0xFFFFFFFF
_DATA_ALIGNMENT = 0x10
_DATA_AT = 0x200
_SMALL_PRIMES = (2, 3, 5, 7, 11, 13, 17)


@dataclass(frozen=True, slots=True)
class RomFile:
    """`path` has no leading slash; `offset` is where its bytes begin in the RomFS."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class RomFs:
    """Both by path. The root, "", is not listed."""

    directories: tuple[str, ...]
    files: tuple[RomFile, ...]


def read_romfs(data: bytes) -> RomFs:
    """The tree without the contents, which `data[file.offset:][: file.size]` is. Raises FormatError for chains that
    go round, for names that no file can have, and for files that share bytes."""
    return _Reader(View(data, "romfs")).read()


class _Reader:
    def __init__(self, view: View) -> None:
        self.view = view
        header_size, _, _, dirs, dirs_size, _, _, files, files_size, self.data_at = view.unpack("10Q", 0, "header")
        if header_size != HEADER_SIZE:
            view.fail(0, "header size", f"{header_size:#x}", f"{HEADER_SIZE:#x}", "this is not a RomFS")
        for at, size in ((0x20, dirs_size), (0x40, files_size)):
            if size > MAX_TABLE:
                view.fail(at, "table size", f"{size:#x}", f"at most {MAX_TABLE:#x}")
        view.need(dirs, dirs_size, "directory table")
        view.need(files, files_size, "file table")
        self.dirs, self.dirs_end = dirs, dirs + dirs_size
        self.files, self.files_end = files, files + files_size
        self.seen_dirs: set[int] = set()
        self.seen_files: set[int] = set()
        self.found: dict[str, RomFile] = {}

    def read(self) -> RomFs:
        directories: list[str] = []
        pending = [(0, "")]
        while pending:
            at, path = pending.pop()
            if path:
                directories.append(path)
            child, file = self._directory(at, path)[1:3]
            while file != _NONE:
                file = self._file(file, path)
            while child != _NONE:
                if child == 0 or child in self.seen_dirs:
                    self._fail_cycle(self.dirs + child, "directory")
                name = self._name_of(self.dirs + child, 0x14, self.dirs_end, "directory")
                self.seen_dirs.add(child)
                pending.append((child, self._join(path, name, self.dirs + child)))
                child = self._directory(child, path)[0]
        files = tuple(self.found[path] for path in sorted(self.found))
        self._check_sizes(files)
        if len(set(directories)) != len(directories) or not set(directories).isdisjoint(self.found):
            raise FormatError("romfs: names: found one twice in a directory, expected each once")
        return RomFs(tuple(sorted(directories)), files)

    def _directory(self, at: int, path: str) -> tuple[int, int, int]:
        """(sibling, first child directory, first file)."""
        if at % 4 or self.dirs + at + 0x18 > self.dirs_end:
            self.view.fail(self.dirs, f'entry "{path}" of the directory table', f"{at:#x}", "an offset in the table")
        return self.view.unpack("III", self.dirs + at + 4, "directory")  # type: ignore[return-value]

    def _file(self, at: int, folder: str) -> int:
        """Notes the file and returns its sibling."""
        place = self.files + at
        if at % 4 or place + 0x20 > self.files_end:
            self.view.fail(self.files, f'entry of the file table for "{folder}"', f"{at:#x}", "an offset in the table")
        if at in self.seen_files:
            self._fail_cycle(place, "file")
        self.seen_files.add(at)
        sibling, offset, size = self.view.unpack("IQQ", place + 4, "file")
        path = self._join(folder, self._name_of(place, 0x1C, self.files_end, "file"), place)
        self.view.need(self.data_at + offset, size, f'contents of "{path}"')
        if path in self.found:
            self.view.fail(place, "file name", f'"{path}" twice', "each name once")
        self.found[path] = RomFile(path, self.data_at + offset, size)
        return sibling

    def _name_of(self, place: int, at: int, end: int, what: str) -> str:
        if place + at + 4 > end:
            self.view.fail(place, what, "an entry across the table's end", "one within")
        length = self.view.u32(place + at, f"{what} name")
        if place + at + 4 + length > end:
            self.view.fail(place, f"length of a {what} name", length, "a name within the table")
        raw = self.view.piece(place + at + 4, length, f"{what} name")
        return checked_name(raw, f"romfs: file offset {place:#x}: {what} name")

    def _join(self, folder: str, name: str, place: int) -> str:
        path = f"{folder}/{name}" if folder else name
        if len(path) > MAX_PATH:
            self.view.fail(place, "path", f"{len(path)} characters", f"at most {MAX_PATH}")
        return path

    def _fail_cycle(self, place: int, what: str) -> None:
        self.view.fail(place, what, "an entry that was met before", "a tree")

    def _check_sizes(self, files: tuple[RomFile, ...]) -> None:
        total = sum(file.size for file in files)
        if total > len(self.view.data):
            self.view.fail(
                self.data_at, "contents", f"{total:#x} bytes in all", f"at most {len(self.view.data):#x}: files overlap"
            )


def checked_name(raw: bytes, where: str) -> str:
    """A name of one file, as every file system takes it. Raises FormatError."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise FormatError(f"{where}: found {raw[:64]!r}, expected UTF-8") from None
    if not name or name in (".", "..") or any(char in name for char in "/\\\0") or len(raw) > 255:
        raise FormatError(f"{where}: found {name[:64]!r}, expected the plain name of a file")
    return name


def write_romfs(files: Mapping[str, bytes]) -> bytes:
    """A RomFS of files by path (parts joined by "/"); the same bytes whatever the mapping's order."""
    return _Writer(files).write()


class _Writer:
    """Directories and files in the order of a walk, names sorted by their bytes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.contents = files
        self.dirs: dict[str, list[str]] = {"": []}
        self.files: dict[str, list[str]] = {"": []}
        for path in sorted(files, key=str.encode):
            folder = ""
            *parents, name = [checked_name(part.encode(), f'romfs: path "{path}"') for part in path.split("/")]
            for part in parents:
                child = f"{folder}/{part}" if folder else part
                if child in files:
                    raise FormatError(f'romfs: path "{path}": found "{child}" as a file, expected a directory')
                if child not in self.dirs:
                    self.dirs[folder].append(child)
                    self.dirs[child], self.files[child] = [], []
                folder = child
            self.files[folder].append(path)

    def write(self) -> bytes:
        order, places = self._order(), {}
        size = 0
        for path in order:
            places[path] = size
            size += 0x18 + align(len(_last(path).encode()), 4)
        file_places, file_data, offset, file_size = {}, bytearray(), {}, 0
        for path in order:
            for file in self.files[path]:
                file_places[file] = file_size
                file_size += 0x20 + align(len(_last(file).encode()), 4)
                file_data += bytes(-len(file_data) % _DATA_ALIGNMENT)
                offset[file] = len(file_data)
                file_data += self.contents[file]
        dir_hash, dir_table = self._dir_table(order, places, file_places)
        file_hash, file_table = self._file_table(order, places, file_places, offset)
        tables_at = align(_DATA_AT + len(file_data), 4)
        tables, spans = bytearray(), []
        for table in (dir_hash, dir_table, file_hash, file_table):
            spans += [tables_at + len(tables), len(table)]
            tables += table
        header = struct.pack("<10Q", HEADER_SIZE, *spans, _DATA_AT)
        return (header.ljust(_DATA_AT, b"\0") + bytes(file_data)).ljust(tables_at, b"\0") + bytes(tables)

    def _order(self) -> list[str]:
        order, pending = [], [""]
        while pending:
            path = pending.pop()
            order.append(path)
            pending += reversed(self.dirs[path])
        return order

    def _dir_table(self, order: list[str], places: dict[str, int], files: dict[str, int]) -> tuple[bytes, bytes]:
        siblings = _siblings(self.dirs.values(), places)
        buckets, table = [_NONE] * _bucket_count(len(order)), bytearray()
        for path in order:
            parent, name = places[_parent(path)], _last(path).encode()
            bucket = _hash(parent, name) % len(buckets)
            children, own = self.dirs[path], self.files[path]
            table += struct.pack(
                "<6I", parent, siblings.get(path, _NONE), places[children[0]] if children else _NONE,
                files[own[0]] if own else _NONE, buckets[bucket], len(name),
            )  # fmt: skip
            table += name.ljust(align(len(name), 4), b"\0")
            buckets[bucket] = places[path]
        return struct.pack(f"<{len(buckets)}I", *buckets), bytes(table)

    def _file_table(
        self, order: list[str], places: dict[str, int], files: dict[str, int], offset: dict[str, int]
    ) -> tuple[bytes, bytes]:
        siblings = _siblings(self.files.values(), files)
        buckets, table = [_NONE] * _bucket_count(len(files)), bytearray()
        for path in (file for folder in order for file in self.files[folder]):
            parent, name = places[_parent(path)], _last(path).encode()
            bucket = _hash(parent, name) % len(buckets)
            size = len(self.contents[path])
            table += struct.pack(
                "<IIQQII", parent, siblings.get(path, _NONE), offset[path], size, buckets[bucket], len(name)
            )
            table += name.ljust(align(len(name), 4), b"\0")
            buckets[bucket] = files[path]
        return struct.pack(f"<{len(buckets)}I", *buckets), bytes(table)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _siblings(lists: Iterable[list[str]], places: Mapping[str, int]) -> dict[str, int]:
    """Path → place of the next one in its directory."""
    return {a: places[b] for paths in lists for a, b in zip(paths, paths[1:], strict=False)}


def _bucket_count(entries: int) -> int:
    if entries < 3:
        return 3
    if entries < 19:
        return entries | 1
    while any(entries % prime == 0 for prime in _SMALL_PRIMES):
        entries += 1
    return entries


def _hash(parent: int, name: bytes) -> int:
    value = parent ^ 123456789
    for byte in name:
        value = (value >> 5 | value << 27) & 0xFFFFFFFF ^ byte
    return value
