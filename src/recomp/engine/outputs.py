"""What stages make: taking it into the store, putting it in its place, noticing when it is no longer what it was.

A built-in stage writes into a scratch folder; what it declares is taken from there. A command writes where it likes;
what it wrote in the folders that its stage watches is found by comparing them before and after.
"""

from __future__ import annotations

import os
from typing import Any

from recomp.engine.canonical import digest
from recomp.engine.files import remove_quietly, sync_files
from recomp.engine.fingerprint import StatCache, list_tree
from recomp.engine.stage import Output, Stage
from recomp.engine.store import Store
from recomp.errors import StageError

Entry = dict[str, Any]


def collect(stage: Stage, scratch: str, store: Store) -> list[Entry]:
    """Take the declared outputs of a built-in stage from its scratch folder into the store."""
    entries = []
    for output in stage.outputs:
        source = os.path.join(scratch, output.name)
        if not os.path.lexists(source):
            if not output.optional:
                raise StageError(f"{stage.name}: did not make its output {output.name!r} [this is a bug]")
            continue
        names = list_tree(source) if output.tree else [""]
        entries += [_take(os.path.join(source, name) if name else source, output, name, store) for name in names]
    return entries


def _take(path: str, output: Output, name: str, store: Store) -> Entry:
    store.check_class(output.asset_class, f"the output {output.name!r}")
    sha256, size = store.put_file(path)
    mode = 0o755 if os.stat(path).st_mode & 0o100 else 0o644
    return _entry(output.name, name, sha256, size, mode, output.role or output.name, output.asset_class)


def _entry(base: str, path: str, sha256: str, size: int, mode: int, role: str, asset_class: str) -> Entry:
    return {
        "base": base, "path": path, "sha256": sha256, "size": size, "mode": mode, "role": role, "class": asset_class,
    }  # fmt: skip


Snapshot = dict[str, tuple[int, ...]]


def snapshot(folders: tuple[str, ...], skip: tuple[str, ...]) -> Snapshot:
    """What `stat` says of every file in `folders` (each may also be a single file), without those below `skip`."""
    found: Snapshot = {}
    for folder in folders:
        if os.path.isfile(folder):
            found[folder] = _identity(folder)
            continue
        for name in list_tree(folder):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not _is_below(path, skip):  # or a link to one
                found[path] = _identity(path)
    return found


def _identity(path: str) -> tuple[int, ...]:
    info = os.stat(path)
    return (info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev)


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def collect_written(
    stage: Stage,
    before: Snapshot,
    after: Snapshot,
    roots: dict[str, str],
    store: Store,
    earlier: list[list[str]],
    hashes: StatCache,
) -> list[Entry]:
    """Take what a command wrote. Paths are kept relative to the innermost of `roots` ("@name" → folder), so that the
    same result can be put into another work root.

    `earlier` is what the stage made when it last succeeded ([base, path, SHA-256] each): of that, and of files that it
    watches by name, a command may find that they are up to date (make does), and they are no less what it made.
    """
    entries = []
    made = {(base, name): sha256 for base, name, sha256 in earlier}
    by_length = sorted(roots.items(), key=lambda item: (-len(item[1]), item[0]))
    for path in sorted(after):
        base, folder = next(((b, f) for b, f in by_length if _is_below(path, (f,))), ("@", "/"))
        name = "" if path == folder else os.path.relpath(path, folder)
        if before.get(path) == after[path] and path not in stage.watch:
            if (base, name) not in made or hashes.file(path)[0] != made[base, name]:
                continue
        if not _is_text(path):
            raise StageError(
                f"{stage.name}: its command wrote a file named {os.fsencode(path)!r}, expected a name in UTF-8",
                hint="a manifest cannot name it; let the command give it another name",
            )
        store.check_class("derived", f"what the command of {stage.name} wrote")
        sha256, size = store.put_file(path)
        mode = 0o755 if os.stat(path).st_mode & 0o100 else 0o644
        entries.append(_entry(base, name, sha256, size, mode, stage.name, "derived"))
    return entries


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def contents_digest(entries: list[Entry]) -> str:
    """The identity of what a stage made, whoever made it."""
    return digest([[e["base"], e["path"], e["sha256"], e["mode"] & 0o100] for e in entries])


def places(stage: Stage, entries: list[Entry], roots: dict[str, str]) -> list[str]:
    """The absolute path of each entry."""
    bases = {**roots, **{output.name: output.path for output in stage.outputs}}
    return [os.path.join(bases[e["base"]], e["path"]) if e["path"] else bases[e["base"]] for e in entries]


def put_in_place(
    stage: Stage, entries: list[Entry], roots: dict[str, str], store: Store, hashes: StatCache, scratch: str | None
) -> list[str]:
    """Make the outputs on disk be the recorded ones; returns the paths that had to be written.

    What is already right stays untouched, and mends the store where that has lost it; the rest is moved from `scratch`
    or restored from the store. A tree is then what the stage made and nothing else; only one that is reused as it is
    keeps what others have put into it since. Raises BlobMissing when the store cannot provide a file.
    """
    paths = places(stage, entries, roots)
    written = []
    for entry, path in zip(entries, paths, strict=True):
        if _is_right(entry, path, hashes):
            if not store.keeps(entry["sha256"], hashes):
                store.put_file(path)
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            raise StageError(f"{path}: is a folder, expected the file that {stage.name} makes", hint="move it away")
        source = os.path.join(scratch, entry["base"], entry["path"]).rstrip("/") if scratch else ""
        if scratch and os.path.isfile(source):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.chmod(source, entry["mode"])
            os.replace(source, path)
        else:
            store.restore(entry["sha256"], path, entry["mode"])
        hashes.adopt(path, entry["sha256"])
        if store.has_blob(entry["sha256"]):
            hashes.adopt(store.blob_path(entry["sha256"]), entry["sha256"])
        written.append(path)
    for output in stage.outputs:
        recorded = any(entry["base"] == output.name for entry in entries)
        made = scratch is not None or any(path.startswith(output.path + "/") for path in written)
        if output.tree and (made or not recorded):
            _remove_extras(output, set(paths))
        elif output.optional and not recorded:
            remove_quietly(output.path)
    sync_files(written)
    return written


def damaged(stage: Stage, entries: list[Entry], roots: dict[str, str], hashes: StatCache, store: Store) -> str | None:
    """The first output that is not what was recorded and that the store cannot give back."""
    for entry, path in zip(entries, places(stage, entries, roots), strict=True):
        if not _is_right(entry, path, hashes) and not store.could_give(entry["sha256"], hashes):
            return path
    return None


def _is_right(entry: Entry, path: str, hashes: StatCache) -> bool:
    try:
        if os.path.islink(path) and not entry["base"].startswith(
            "@"
        ):  # a command's own links stay while they lead there
            return False
        sha256, size = hashes.file(path)
        is_executable = bool(os.stat(path).st_mode & 0o100)
    except OSError:
        return False
    return sha256 == entry["sha256"] and size == entry["size"] and is_executable == bool(entry["mode"] & 0o100)


def _remove_extras(output: Output, wanted: set[str]) -> None:
    for name in list_tree(output.path):
        path = os.path.join(output.path, name)
        if path not in wanted:
            remove_quietly(path)
