"""fsp-srv: the SD card is a folder. Names are listed in order, times of files are fixed."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from tests.oracle.messages import Interface, Reply, Request, System, command

NOT_FOUND, EXISTS, NOT_EMPTY, OUT_OF_RANGE, NO_SAVE = 0x202, 0x402, 0x1002, 0x2EEA02 & 0x3FFFFF, 0x7D402
INVALID_PATH, BAD_OPERATION = 0x2EE202, 0x307202 & 0x3FFFFF
READ, WRITE, APPEND = 1, 2, 4
CARD_SIZE = 1 << 34


class FileService(Interface):
    name = "fsp-srv"
    accepts = (1, 1003, 1004)

    def __init__(self, system: System, card: Path) -> None:
        super().__init__(system)
        self._card = card

    @command(18)
    def open_card(self, request: Request) -> Reply:
        return Reply(objects=(FileSystem(self.system, self._card),))

    @command(51, 52, 53)
    def open_save(self, request: Request) -> Reply:
        return Reply(result=NO_SAVE)

    @command(2, 200)
    def open_own(self, request: Request) -> Reply:
        return Reply(result=NOT_FOUND)

    @command(400)
    def device_operator(self, request: Request) -> Reply:
        return Reply(objects=(DeviceOperator(self.system),))

    @command(1005)
    def access_log(self, request: Request) -> Reply:
        return Reply(struct.pack("<I", 0))


class DeviceOperator(Interface):
    name = "fs.IDeviceOperator"

    @command(0, 200)
    def inserted(self, request: Request) -> Reply:
        return Reply(struct.pack("<B", request.command == 0))


class FileSystem(Interface):
    name = "fs.IFileSystem"
    accepts = (10, 15)

    def __init__(self, system: System, root: Path) -> None:
        super().__init__(system)
        self._root = root

    def _path(self, request: Request, index: int = 0) -> Path | None:
        """Within the card, whatever the path says; None for one that is none."""
        text = self.read(request.inputs[index]).split(b"\0")[0].decode("utf-8", "replace")
        if not text.startswith("/"):
            return None
        parts: list[str] = []
        for part in text.split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in ("", "."):
                parts.append(part)
        return self._root.joinpath(*parts)

    def answer(self, request: Request) -> Reply:
        paths = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14}
        if request.command in paths and self._path(request) is None:
            self.system.unknown[f"path of {self.name} {request.command}"] += 1
            return Reply(result=INVALID_PATH)
        return super().answer(request)

    def _existing(self, request: Request, directory: bool | None = None) -> Path | None:
        path = self._path(request)
        if path is None or not path.exists() or directory not in (None, path.is_dir()):
            return None
        return path

    @command(0)
    def create_file(self, request: Request) -> Reply:
        path = self._path(request)
        size = request.unpack("IIq")[2]
        assert path is not None
        if path.exists():
            return Reply(result=EXISTS)
        if not path.parent.is_dir():
            return Reply(result=NOT_FOUND)
        with path.open("xb") as file:
            file.truncate(size)
        return Reply()

    @command(1)
    def delete_file(self, request: Request) -> Reply:
        path = self._existing(request, directory=False)
        if path is None:
            return Reply(result=NOT_FOUND)
        path.unlink()
        return Reply()

    @command(2)
    def create_directory(self, request: Request) -> Reply:
        path = self._path(request)
        assert path is not None
        if path.exists():
            return Reply(result=EXISTS)
        if not path.parent.is_dir():
            return Reply(result=NOT_FOUND)
        path.mkdir()
        return Reply()

    @command(3)
    def delete_directory(self, request: Request) -> Reply:
        path = self._existing(request, directory=True)
        if path is None:
            return Reply(result=NOT_FOUND)
        if any(path.iterdir()):
            return Reply(result=NOT_EMPTY)
        path.rmdir()
        return Reply()

    @command(4, 13)
    def delete_all(self, request: Request) -> Reply:
        path = self._existing(request, directory=True)
        if path is None:
            return Reply(result=NOT_FOUND)
        shutil.rmtree(path)
        if request.command == 13:
            path.mkdir()
        return Reply()

    @command(5, 6)
    def rename(self, request: Request) -> Reply:
        path, other = self._existing(request, directory=request.command == 6), self._path(request, 1)
        if path is None:
            return Reply(result=NOT_FOUND)
        if other is None:
            return Reply(result=INVALID_PATH)
        if other.exists():
            return Reply(result=EXISTS)
        if not other.parent.is_dir():
            return Reply(result=NOT_FOUND)
        path.rename(other)
        return Reply()

    @command(7)
    def entry_type(self, request: Request) -> Reply:
        path = self._existing(request)
        return Reply(struct.pack("<I", path.is_file())) if path else Reply(result=NOT_FOUND)

    @command(8)
    def open_file(self, request: Request) -> Reply:
        path = self._existing(request, directory=False)
        if path is None:
            return Reply(result=NOT_FOUND)
        return Reply(objects=(File(self.system, path, request.unpack("I")[0]),))

    @command(9)
    def open_directory(self, request: Request) -> Reply:
        path = self._existing(request, directory=True)
        if path is None:
            return Reply(result=NOT_FOUND)
        return Reply(objects=(Directory(self.system, path, request.unpack("I")[0]),))

    @command(11, 12)
    def space(self, request: Request) -> Reply:
        return Reply(struct.pack("<q", CARD_SIZE))

    @command(14)
    def times(self, request: Request) -> Reply:
        return Reply(bytes(24) + b"\1" + bytes(7)) if self._existing(request) else Reply(result=NOT_FOUND)


class File(Interface):
    name = "fs.IFile"
    accepts = (2,)

    def __init__(self, system: System, path: Path, mode: int) -> None:
        super().__init__(system)
        self._path, self._mode = path, mode

    @command(0)
    def read_bytes(self, request: Request) -> Reply:
        _, _, offset, size = request.unpack("IIqQ")
        if not self._mode & READ:
            return Reply(result=BAD_OPERATION)
        if offset < 0:
            return Reply(result=OUT_OF_RANGE)
        with self._path.open("rb") as file:
            file.seek(offset)
            data = file.read(min(size, request.outputs[0][1]))
        self.write(request.outputs[0], data)
        return Reply(struct.pack("<Q", len(data)))

    @command(1)
    def write_bytes(self, request: Request) -> Reply:
        _, _, offset, size = request.unpack("IIqQ")
        if not self._mode & WRITE:
            return Reply(result=BAD_OPERATION)
        if offset < 0 or offset + size > self._path.stat().st_size and not self._mode & APPEND:
            return Reply(result=OUT_OF_RANGE if offset < 0 else BAD_OPERATION)
        with self._path.open("r+b") as file:
            file.seek(offset)
            file.write(self.read(request.inputs[0])[:size])
        return Reply()

    @command(3)
    def set_size(self, request: Request) -> Reply:
        if not self._mode & WRITE:
            return Reply(result=BAD_OPERATION)
        with self._path.open("r+b") as file:
            file.truncate(request.unpack("q")[0])
        return Reply()

    @command(4)
    def size(self, request: Request) -> Reply:
        return Reply(struct.pack("<q", self._path.stat().st_size))


class Directory(Interface):
    name = "fs.IDirectory"

    def __init__(self, system: System, path: Path, mode: int) -> None:
        super().__init__(system)
        wanted = [entry for entry in path.iterdir() if mode & (1 if entry.is_dir() else 2)]
        self._entries = sorted(wanted, key=lambda entry: entry.name.encode())
        self._count = len(self._entries)

    @command(0)
    def read_entries(self, request: Request) -> Reply:
        room = request.outputs[0][1] // 0x310
        chosen, self._entries = self._entries[:room], self._entries[room:]
        self.write(request.outputs[0], b"".join(map(_record, chosen)))
        return Reply(struct.pack("<q", len(chosen)))

    @command(1)
    def count(self, request: Request) -> Reply:
        return Reply(struct.pack("<q", self._count))


def _record(entry: Path) -> bytes:
    is_file = entry.is_file()
    return struct.pack("<769sB2xB3xq", entry.name.encode()[:0x300], 0, is_file, entry.stat().st_size if is_file else 0)
