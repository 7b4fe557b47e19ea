"""`recomp worker` and `recomp cluster`: the processes of a cluster, each started again when it dies."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time

from recomp.batch import worker as worker_module
from recomp.batch.certificates import make, paths
from recomp.batch.dask import security
from recomp.batch.executor import RESOURCES
from recomp.cli.interrupt import ENDING, EXIT_INTERRUPTED
from recomp.cli.text import shown
from recomp.errors import ConfigError

TAGS = (*RESOURCES, "private")
RESTART_WAIT_S = 0.5


def certs(options: argparse.Namespace) -> int:
    names = options.name or [socket.gethostname(), "localhost", "127.0.0.1"]
    made = make(options.folder, names)
    print(f"wrote {shown(os.path.abspath(made.certificate))} for {', '.join(names)}")
    print("a machine of the cluster needs ca.pem, node.pem and node-key.pem; keep ca-key.pem to yourself")
    return 0


def worker(options: argparse.Namespace) -> int:
    """Serve a scheduler until told to stop."""
    security(options.tls)  # says what is missing before anything starts
    _check_address(options.address, options.tls)
    worker_module.read_policy(options.policy)
    return _supervise([_worker_process(options, options.address, options.folder)])


def up(options: argparse.Namespace) -> int:
    """A scheduler and some workers on this machine, until told to stop."""
    security(options.tls)
    if options.tls is None and options.host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(f"cluster up: --host {options.host} without --tls: anybody who reaches it could run anything",
                          hint="recomp cluster certs FOLDER, then --tls FOLDER")  # fmt: skip
    port = options.port or _free_port(options.host)
    address = f"{'tls' if options.tls else 'tcp'}://{options.host}:{port}"
    found = [_Process(_scheduler_argv(options, port), dict(os.environ))]
    for number in range(options.workers):
        found.append(_worker_process(options, address, os.path.join(options.folder, f"worker-{number}")))
    os.makedirs(options.folder, exist_ok=True)
    with open(os.path.join(options.folder, "cluster.json"), "w", encoding="utf-8") as file:
        json.dump({"address": address, "pid": os.getpid(), "tls": options.tls}, file)
    print(f"scheduler at {address}, {options.workers} workers; interrupt to stop", flush=True)
    tls = f" --tls {shown(os.path.abspath(options.tls))}" if options.tls else ""
    print(f"next: recomp batch run MANIFEST --cluster {address} --store {options.store or 'URL'}{tls}", flush=True)
    return _supervise(found)


def _check_address(address: str, tls: str | None) -> None:
    host = address.split("://")[-1].rpartition(":")[0].strip("[]")
    if tls is None and host not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError(f"{address}: is another machine: without --tls anybody on the way could run anything",
                          hint="recomp cluster certs FOLDER, then --tls FOLDER on every machine")  # fmt: skip


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _tls_options(folder: str | None) -> list[str]:
    if folder is None:
        return []
    files = paths(os.path.abspath(folder))
    return ["--tls-ca-file", files.authority, "--tls-cert", files.certificate, "--tls-key", files.key]


def _scheduler_argv(options: argparse.Namespace, port: int) -> list[str]:
    return [
        sys.executable, "-m", "distributed.cli.dask_scheduler", "--no-dashboard", "--no-show", "--host", options.host,
        "--port", str(port), *_tls_options(options.tls),
    ]  # fmt: skip


def _worker_process(options: argparse.Namespace, address: str, folder: str) -> _Process:
    tags = _tags(options.tags)
    os.makedirs(folder, exist_ok=True)
    env = {
        **os.environ,
        worker_module.ENV_FOLDER: os.path.abspath(folder),
        **({worker_module.ENV_INPUTS: os.path.abspath(options.inputs)} if options.inputs else {}),
        **({worker_module.ENV_POLICY: os.path.abspath(options.policy)} if options.policy else {}),
        **({worker_module.ENV_STORE: options.store} if options.store else {}),
    }
    argv = [
        sys.executable, "-m", "distributed.cli.dask_worker", address, "--no-nanny", "--no-dashboard", "--nthreads", "1",
        "--memory-limit", "0", "--death-timeout", "300", "--resources", " ".join(f"{tag}=1" for tag in tags),
        "--local-directory", os.path.abspath(folder), *_tls_options(options.tls),
    ]  # fmt: skip
    return _Process(argv, env)


def _tags(text: str) -> list[str]:
    tags = [tag.strip() for tag in text.split(",") if tag.strip()]
    for tag in tags:
        if tag not in TAGS:
            raise ConfigError(f'--tags: found "{tag}", expected some of {", ".join(TAGS)}')
    return tags


class _Process:
    """A process that is to run for ever: one that ended is started again. What dies with it is its own affair."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        path = os.pathsep.join(part for part in (source, env.get("PYTHONPATH")) if part)
        allowed = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
                   "DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT": "300s",
                   "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "300s",
                   "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "60s",
                   "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "60s",
                   "DASK_DISTRIBUTED__WORKER__USE_FILE_LOCKING": "false"}  # fmt: skip
        self._argv, self._env = argv, {**allowed, **env, "PYTHONPATH": path}
        self._next = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def keep(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + RESTART_WAIT_S
            self.process = subprocess.Popen(self._argv, env=self._env, stdin=subprocess.DEVNULL)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait(self) -> None:
        if self.process is not None:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _supervise(found: list[_Process]) -> int:
    is_over = False

    def end(number: int, frame: object) -> None:
        nonlocal is_over
        is_over = True

    for number in ENDING:
        signal.signal(number, end)
    try:
        while not is_over:
            for process in found:
                process.keep()
            time.sleep(0.1)
    finally:
        for process in reversed(found):
            process.end()
        for process in found:
            process.wait()
    return EXIT_INTERRUPTED


def command(options: argparse.Namespace) -> int:
    return {"up": up, "certs": certs}[options.action](options)
