"""Content hashes of files and trees, remembered by what `stat` says of them.

A remembered hash holds while size, mtime, ctime, inode and device are the same. ctime cannot be set from user space,
so that an edit which puts the mtime back is still seen. A file that changed within a clock tick of being hashed is not
remembered (git's "racily clean" guard).
"""

from __future__ import annotations

import os
import stat
import time

from recomp.engine.canonical import digest
from recomp.engine.files import read_sealed, seal, write_atomic

CHUNK_BYTES = 1 << 20
#: coarser than any kernel's timestamps on Linux (4 ms at HZ=250, 10 ms at HZ=100)
RACY_NS = 20_000_000
LARGE_BYTES = 8 << 20

ABSENT = "absent"


def hash_open_file(fd: int) -> str:
    import hashlib

    state = hashlib.sha256()
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    while count := os.readv(fd, [buffer]):
        state.update(view[:count])
    return state.hexdigest()


class StatCache:
    """Hashes of files by absolute path; `save` keeps them for the next run, a damaged cache is an empty one. What
    `known` has is known from the start, and not kept again."""

    def __init__(self, path: str | None = None, known: StatCache | None = None) -> None:
        self.path = path
        loaded = read_sealed(path) if path else None
        self._known: dict[str, list] = known._entries if known else {}
        self._entries: dict[str, list] = {**self._known, **(loaded if isinstance(loaded, dict) else {})}
        self._used: set[str] = set()
        self._changed = False

    def file(self, path: str) -> tuple[str, int]:
        """(SHA-256, size in bytes) of a regular file. Raises OSError."""
        known = self.remembered(path)
        if known is not None:
            return known
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            before = os.fstat(fd)
            if not stat.S_ISREG(before.st_mode):
                raise IsADirectoryError(21, "not a regular file", path)
            value = hash_open_file(fd)
            self._remember(path, before, os.fstat(fd), value)
            return value, before.st_size
        finally:
            os.close(fd)

    def remembered(self, path: str) -> tuple[str, int] | None:
        """What `file` would say, if that is known without reading the file. Raises OSError if it is not there."""
        now = os.stat(path)
        entry = self._entries.get(path)
        if entry is None or entry[:5] != _identity(now):
            return None
        self._used.add(path)
        return entry[5], now.st_size

    def tree(self, path: str) -> str:
        """A digest of every file below `path` (name, executable bit, content; links by their target), or ABSENT."""
        listing = [[name, *self._describe(os.path.join(path, name))] for name in list_tree(path)]
        return digest(listing) if os.path.isdir(path) else ABSENT

    def any(self, path: str) -> str:
        """The digest of a file or tree; ABSENT if nothing is there."""
        try:
            return self.tree(path) if os.path.isdir(path) else self.file(path)[0]
        except FileNotFoundError:
            return ABSENT

    def adopt(self, path: str, value: str) -> None:
        """Remember a hash that was taken while the file was written by this process. A large file is remembered at
        once (only its writer touches it in its first clock tick): to read it again costs the next run a second."""
        self._remember(path, now := os.stat(path), now, value, trusted=now.st_size >= LARGE_BYTES)

    def save(self) -> None:
        """Entries that this run did not look at are dropped once they outnumber those it did."""
        if not self.path or not self._changed:
            return
        own = {name: entry for name, entry in self._entries.items() if self._known.get(name) != entry}
        stale = own.keys() - self._used
        if len(stale) > 2 * len(self._used) + 1000:
            for name in stale:
                del own[name], self._entries[name]
        write_atomic(self.path, seal(own), durable=False)
        self._changed = False

    def _describe(self, path: str) -> tuple:
        if os.path.islink(path):
            return ("link", os.readlink(path))
        return ("exec" if os.stat(path).st_mode & 0o100 else "file", self.file(path)[0])

    def _remember(
        self, path: str, before: os.stat_result, after: os.stat_result, value: str, trusted: bool = False
    ) -> None:
        identity = _identity(after)
        now = time.time_ns()
        # a ctime in the future is a clock that was put back, and may come again; an mtime there is only a wish
        fresh = after.st_ctime_ns > now - RACY_NS or abs(now - after.st_mtime_ns) < RACY_NS
        if (fresh and not trusted) or identity != _identity(before):
            if self._entries.pop(path, None) is not None:
                self._changed = True
            return
        self._entries[path] = [*identity, value]
        self._used.add(path)
        self._changed = True


def _identity(info: os.stat_result) -> list[int]:
    return [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev]


def list_tree(root: str) -> list[str]:
    """Relative names of all files and links below `root`, sorted; folders only count by what is in them."""
    found: list[str] = []
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            entries = os.scandir(os.path.join(root, below) if below else root)
        except (FileNotFoundError, NotADirectoryError):
            continue
        with entries:
            for entry in entries:
                name = f"{below}/{entry.name}" if below else entry.name
                if entry.is_dir(follow_symlinks=False):
                    pending.append(name)
                elif entry.is_file(follow_symlinks=False) or entry.is_symlink():
                    found.append(name)
    return sorted(found)
