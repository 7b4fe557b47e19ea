"""`recomp bundle`: what of a run may be shown to others, in one archive.

Only what holds nothing of the program goes in: hashes, verdicts, provenance (asset classes generated and public), and
the manifest that says so. There is no option to put in more.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tarfile

from recomp.cli.open import open_layout
from recomp.engine.files import write_atomic
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.manifest import encode, read
from recomp.errors import ConfigError, GateError

SHARED = ("generated", "public")


def command(options: argparse.Namespace) -> int:
    layout = open_layout(options.config)
    manifest = read(layout.run_manifest)
    if manifest is None:
        raise ConfigError("bundle: there is no run yet", hint="recomp automate starts one")
    chosen = [artifact for artifact in manifest["artifacts"] if artifact["class"] in SHARED]
    members = [("run-manifest.json", encode(manifest))]
    members += [(_member(artifact), _read(layout, artifact)) for artifact in chosen]
    write_atomic(options.out, archive(members))
    left_out = len(manifest["artifacts"]) - len(chosen)
    if options.json:
        print(
            json.dumps(
                {"bundle": options.out, "members": [name for name, _ in members], "left_out": left_out}, indent=2
            )
        )
    else:
        print(f"{options.out}: {len(members)} files; {left_out} artifacts that hold something of the program stay here")
    return 0


def archive(members: list[tuple[str, bytes]]) -> bytes:
    """A tar file with nothing in it but names and bytes: the same members give the same archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _member(artifact: dict) -> str:
    return f"{artifact['step']}/{os.path.basename(artifact['path'])}"


def _read(layout: Layout, artifact: dict) -> bytes:
    """An artifact's bytes, once they are known to be those that the manifest speaks of."""
    path = os.path.join(layout.config_dir, artifact["path"])
    if StatCache().any(path) != artifact["sha256"]:
        raise GateError(f"{path}: is not what the manifest says it is", hint="recomp automate mends it")
    with open(path, "rb") as file:
        return file.read()
