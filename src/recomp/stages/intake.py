"""intake: the program checked and split into its segments (`segments/`), and a manifest of what was found."""

from __future__ import annotations

import os

from recomp.engine.context import Context
from recomp.engine.stage import Input, Output, Result, Stage
from recomp.stages.job import AFTER, Job


def stage(job: Job) -> Stage | None:
    if job.settings.mode != "elf":
        return None
    elf = job.settings.path("inputs", "elf")
    assert elf is not None
    folder = job.settings.dirs["intake_dir"]

    def run(context: Context) -> Result:
        return _run(context, elf)

    return Stage(
        name="intake",
        run=run,
        inputs=(Input(os.path.basename(elf), elf),),
        config={"format": "elf", "source": os.path.basename(elf)},
        tools=job.tools.recomp("formats", "stages/intake.py"),
        after=AFTER["intake"],
        outputs=(
            Output("segments", os.path.join(folder, "segments"), tree=True, role="segment", asset_class="proprietary"),
            Output("manifest", os.path.join(folder, "intake-manifest.json"), role="intake-manifest"),
        ),
        timeout_s=job.settings.timeout_s("intake"),
    )


def _run(context: Context, path: str) -> Result:
    import hashlib
    import json

    from recomp.formats.elf import read_elf

    with open(path, "rb") as file:
        data = file.read()
    elf = read_elf(data)
    os.makedirs(context.out("segments"))
    segments = []
    for number, segment in enumerate(elf.segments):
        name = f"segment{number}.bin"
        with open(os.path.join(context.out("segments"), name), "wb") as file:
            file.write(segment.data)
        segments.append({
            "path": f"segments/{name}", "base": segment.base, "size": segment.size, "init_size": len(segment.data),
            "file_offset": segment.file_offset, "sha256": hashlib.sha256(segment.data).hexdigest(),
            "permissions": {"read": segment.read, "write": segment.write, "execute": segment.execute},
        })  # fmt: skip
    manifest = {
        "schema_version": "1", "format": "elf", "source": os.path.basename(path), "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(), "entry": elf.entry, "segments": segments,
    }  # fmt: skip
    context.write("manifest", json.dumps(manifest, indent=2).encode() + b"\n")
    return Result(found=f"{len(segments)} segments, {len(data):,} bytes, entry {elf.entry:#x}")
