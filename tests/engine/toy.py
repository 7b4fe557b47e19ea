"""A toy pipeline for the engine's tests, as a library and as a program: `python toy.py FOLDER`.

`FOLDER/plan.json` lists stages: {"name", "after", "text", "inputs", "kind"}. A `builtin` writes its text, its inputs
and what the stages before it made into one file. A `command` does the same by a shell script. Each execution adds a
line to `FOLDER/ran`, which the engine does not know of.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from recomp.engine.context import Context, command_runner
from recomp.engine.fingerprint import StatCache
from recomp.engine.layout import Layout
from recomp.engine.loop import RunResult, open_work_root, run
from recomp.engine.plan import Plan
from recomp.engine.reporter import Reporter
from recomp.engine.stage import Input, Output, Result, Stage, Tool

SCRIPT = """\
#!/bin/sh
# $1 name, $2 text, the rest: files to copy
set -eu
echo "$1" >> "$TOY/ran"
mkdir -p "$TOY/out/$1"
out="$TOY/out/$1/file"; name=$1
printf '%s\\n' "$2" > "$out"
shift 2
for file in "$@"; do cat "$file" >> "$out"; sleep "${TOY_SLEEP:-0}"; done
printf 'end of %s\\n' "$name" >> "$out"
"""


class Toy:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stages: list[dict[str, Any]] = []

    def add(
        self, name: str, *, after: tuple[str, ...] = (), inputs: tuple[str, ...] = (), kind: str = "builtin"
    ) -> Toy:
        self.stages.append({"name": name, "after": after, "inputs": inputs, "kind": kind, "text": name, "tool": "1"})
        return self

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        script = self.folder / "stage.sh"
        if not script.exists():
            script.write_text(SCRIPT)
            script.chmod(0o755)
        (self.folder / "plan.json").write_text(json.dumps(self.stages))

    @classmethod
    def read(cls, folder: Path) -> Toy:
        toy = cls(folder)
        toy.stages = json.loads((folder / "plan.json").read_text())
        return toy

    def ran(self) -> list[str]:
        """What has been executed since the last look."""
        path = self.folder / "ran"
        names = path.read_text().split() if path.exists() else []
        path.unlink(missing_ok=True)
        return names

    def product(self, name: str) -> Path:
        return self.folder / "out" / name / "file"

    def expected(self, name: str) -> bytes:
        """What a stage makes, by the definition of this toy and not by the engine."""
        stage = next(stage for stage in self.stages if stage["name"] == name)
        parts = [f"{stage['text']}\n".encode()]
        parts += [(self.folder / path).read_bytes() for path in stage["inputs"]]
        parts += [self.expected(other) for other in stage["after"]]
        return b"".join(parts) + f"end of {name}\n".encode()

    def plan(self, **changes: Any) -> Plan:
        root = self.folder / "out"
        layout = Layout(
            work_root=str(root),
            log_dir=str(root / "logs"),
            run_manifest=str(root / "run-manifest.json"),
            config_dir=str(self.folder),
            roots={"@root": str(root)},
            shared_store=os.environ.get("RECOMP_CACHE_DIR"),
        )
        stages = tuple(self._stage(stage) for stage in self.stages)
        return Plan(
            layout=layout,
            execution_mode="local",
            inputs=[],
            input_fingerprint="0" * 64,
            env={**os.environ, "TOY": str(self.folder)},
            stages=lambda evidence: stages,
            learn=lambda evidence, record, store: None,
            tools=(Tool("recomp_cli", "test", "test"),),
        )._replace(**changes)

    def run(self, **changes: Any) -> RunResult:
        plan = self.plan(**changes)
        lock = open_work_root(plan.layout.engine_dir)
        try:
            hashes = StatCache(os.path.join(plan.layout.engine_dir, "stat-cache"))
            return run(plan, Reporter(), hashes=hashes)
        finally:
            lock.release()

    def _stage(self, stage: dict[str, Any]) -> Stage:
        name = stage["name"]
        sources = [self.folder / path for path in stage["inputs"]] + [self.product(other) for other in stage["after"]]
        inputs = tuple(Input(path, str(self.folder / path)) for path in stage["inputs"])
        tools = (Tool("toy", stage["tool"], stage["tool"]),)
        if stage["kind"] == "command":
            command = [str(self.folder / "stage.sh"), name, stage["text"], *map(str, sources)]
            return Stage(
                name=name, run=command_runner(command, timeout_s=60), inputs=inputs, tools=tools,
                after=tuple(stage["after"]), command=tuple(command), watch=(str(self.folder / "out" / name),),
            )  # fmt: skip
        return Stage(
            name=name,
            run=lambda context: self._make(context, stage, sources),
            inputs=inputs,
            config={"text": stage["text"]},
            tools=tools,
            after=tuple(stage["after"]),
            outputs=(Output("file", str(self.product(name))),),
        )

    def _make(self, context: Context, stage: dict[str, Any], sources: list[Path]) -> Result:
        with open(self.folder / "ran", "a") as file:
            file.write(stage["name"] + "\n")
        body = b"".join(path.read_bytes() for path in sources)
        context.write("file", f"{stage['text']}\n".encode() + body + f"end of {stage['name']}\n".encode())
        return Result(found=f"{len(body)} bytes")


def main() -> int:
    from recomp.errors import RecompError

    try:
        result = Toy.read(Path(sys.argv[1]).resolve()).run()
    except RecompError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    if result.error:
        print(result.error.message, file=sys.stderr)
    return 0 if result.status == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
