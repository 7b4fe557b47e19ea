"""A worker's side of a cluster: each task is a process of its own, which dies with its worker.

The engine that carries a task (Dask, Slurm) calls `execute` with plain text and gets plain text back: no code travels.
`execute` starts this module as a program, writes the task to its standard input and keeps that open: when the worker
dies, however it dies, the pipe closes, and the task ends itself and (through the engine's supervisors) all it started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from recomp.batch.shipping import Bench, carry_out

#: what `recomp worker` tells its tasks
ENV_FOLDER, ENV_STORE, ENV_INPUTS, ENV_POLICY = (
    f"RECOMP_WORKER_{name}" for name in ("DIR", "STORE", "INPUTS", "POLICY")
)
TAIL_BYTES = 4096

_running: dict[str, subprocess.Popen[bytes]] = {}


def execute(task: str, say: Callable[[str, dict[str, Any]], None] | None = None) -> str:
    """Carry out a task: JSON {"name", "payload", "store", "until"} to JSON [kind, facts], of "ended" or "died".

    `say` is told of each stage: (kind, facts). An "id" in the task is what `cancel` knows it by.
    """
    wanted = json.loads(task)
    name = wanted["name"]
    identity = wanted.get("id", name)
    log_path = os.path.join(_folder(), "logs", name.replace("/", "__") + ".log")
    os.makedirs(os.path.dirname(log_path), exist_ok=True)
    with open(log_path, "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "recomp.batch.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=_environment(),
        )  # fmt: skip
    _running[identity] = process
    assert process.stdin is not None and process.stdout is not None
    last: list[Any] | None = None
    try:
        process.stdin.write(task.encode() + b"\n")
        process.stdin.flush()
        for line in process.stdout:
            kind, facts = json.loads(line)
            if kind == "ended":
                last = [kind, facts]
            elif say is not None:
                say(kind, facts)
    except BrokenPipeError:
        pass
    finally:
        process.stdin.close()
        code = process.wait()
        process.stdout.close()
        _running.pop(identity, None)
    if last is None:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        last = ["died", {"error": f"its process {how}", "log": _tail(log_path)}]
    return json.dumps(last)


def cancel(identity: str) -> bool:
    """End a task of this worker; False if it is not one."""
    process = _running.get(identity)
    if process is None:
        return False
    process.kill()
    return True


def _folder() -> str:
    return os.environ.get(ENV_FOLDER) or os.path.join(os.path.expanduser("~"), ".cache", "recomp", "worker")


def _environment() -> dict[str, str]:
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.pathsep.join(part for part in (source, os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, "PYTHONPATH": path}


def _tail(path: str) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def read_policy(path: str | None) -> dict[str, Any] | None:
    """A worker's own policy: a TOML file with the keys of a batch manifest's [policy]. Raises ConfigProblems."""
    if not path:
        return None
    from recomp.config.batch import POLICY
    from recomp.config.document import Document

    document = Document.load(path, os.path.basename(path))
    checked = document.check(POLICY)
    document.finish()
    return checked


def main() -> int:
    """One task, from standard input; what happens is told on standard output, a JSON line each."""
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_die_with_the_worker, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed goes to the log

    def tell(kind: str, facts: dict[str, Any]) -> None:
        out.write(json.dumps([kind, facts]).encode() + b"\n")
        out.flush()

    wanted = json.loads(line)
    # the folder is this process's own: two tasks of one worker never run at once, two workers never share one
    bench = Bench(
        folder=_folder(),
        store_url=os.environ.get(ENV_STORE) or wanted["store"],
        inputs=os.environ.get(ENV_INPUTS),
        policy=read_policy(os.environ.get(ENV_POLICY)),
    )
    until = wanted.get("until")
    tell("ended", carry_out(wanted["payload"], bench, None if until is None else tuple(until), tell))
    out.close()
    return 0


def _die_with_the_worker() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
