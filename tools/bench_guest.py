"""A guest program of any size: copies of the kernels that need no C library, as assembly with names of their own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

KERNELS = Path(__file__).resolve().parents[1] / "samples" / "kernels"
MANY = KERNELS / "many"
NAMES = (
    "compression", "hashing", "indirect", "integer", "interpreter", "matrix", "mixture", "nbody", "paths", "sorting",
    "vector",
)  # fmt: skip
FLAGS = ["-target", "aarch64-linux-musl", "-std=gnu11", "-O2", "-ffp-contract=off", "-fno-sanitize=undefined", "-g0"]
#: instructions in one copy, about
COPY_INSNS = 2900
_LABEL = re.compile(r"^([A-Za-z_.$][\w.$]*):", re.MULTILINE)
_COMMON = re.compile(r"^\s*\.(?:local|comm|globl)\s+([\w.$]+)", re.MULTILINE)


class Guests:
    """Makes guests below `folder`; each kernel is compiled once. `environment`: of the compiler."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        folder.mkdir(parents=True, exist_ok=True)
        self.texts = {name: self._assembly(KERNELS / f"{name}.c", []) for name in NAMES}

    def make(self, name: str, copies: int, changed: tuple[str, ...] = ()) -> Path:
        """The stripped program. `changed`: compiler options for the function `finish` of the copy in the middle."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        finish = self._assembly(MANY / "finish.c", [])
        other = self._assembly(MANY / "finish.c", list(changed))
        lines, parts = [], []
        for number in range(copies):
            for kernel, text in self.texts.items():
                parts.append(renamed(text, "kernel", f"kernel_{kernel}_{number}", f"_{kernel}_{number}"))
                lines.append(f"COPY({kernel}, {number})")
            text = other if number == copies // 2 else finish
            parts.append(renamed(text, "finish", f"finish_{number}", f"_finish_{number}"))
            lines.append(f"FINISH({number})")
        (folder / "copies.h").write_text("\n".join(lines) + "\n")
        (folder / "copies.s").write_text("\n".join(parts))
        sources = [str(MANY / "start.c"), str(folder / "copies.s")]
        options = ["-fno-builtin", "-nostdlib", "-static", "-s", f"-I{folder}"]
        self._compile([*options, *sources, "-o", str(folder / "guest")])
        return folder / "guest"

    def _assembly(self, source: Path, options: list[str]) -> str:
        output = self.folder / f"{source.stem}.s"
        self._compile(["-S", *options, str(source), "-o", str(output)])
        return output.read_text()

    def _compile(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise OSError(f"{arguments[-1]}: cannot be made:\n{done.stderr.strip()}")


def renamed(text: str, function: str, name: str, suffix: str) -> str:
    """Assembly with the global `function` called `name`, and every other name that it defines behind a suffix."""
    defined = {*_LABEL.findall(text), *_COMMON.findall(text)}
    new = {known: f"{known}{suffix}" for known in defined} | {function: name}
    return re.sub(r"(?<![\w.$@%])[A-Za-z_.$][\w.$]*", lambda found: new.get(found[0], found[0]), text)
