"""A cluster of real processes, and an S3 server, for tests: nothing here listens on a port that somebody chose."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conftest import SOURCES

LIMIT_S = 300.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """The limit is for a machine that is stuck, not one that is slow."""
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until, f"waited {LIMIT_S:g} s for {what}"
        time.sleep(0.02)


def finish(process: subprocess.Popen[str], what: str) -> tuple[str, str]:
    """What a process says until it ends, which it must."""
    try:
        return process.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        said, errors = process.communicate()
        raise AssertionError(f"waited {LIMIT_S:g} s for {what}:\n{said}\n{errors}") from None


class Cluster:
    """`recomp cluster up` in a process group of its own."""

    def __init__(self, folder: Path, *options: str, workers: int = 2, env: dict[str, str] | None = None) -> None:
        self.folder, self.env = folder, {**os.environ, "PYTHONPATH": SOURCES, **(env or {})}
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "recomp", "cluster", "up", "--workers", str(workers), "--folder", str(folder)]
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [*command, *options], env=self.env, stdout=self.log, stderr=self.log, start_new_session=True
        )
        described = folder / "cluster.json"
        wait_until(lambda: described.exists() and described.stat().st_size, "the cluster to start")
        self.address = json.loads(described.read_text())["address"]

    def pids(self, what: str) -> list[int]:
        """The processes of this cluster that run `dask_scheduler` or `dask_worker`, or a task (`batch.worker`)."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                group = os.getsid(int(entry.name)) if entry.name.isdigit() else 0
            except (OSError, ValueError):
                continue
            if group == self.process.pid and any(word.endswith(what.encode()) for word in words[:3]):
                found.append(int(entry.name))
        return found

    def kill(self, what: str) -> int:
        """Kill -9 the first process of that kind; how many were killed."""
        for pid in self.pids(what)[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
                return 1
            except ProcessLookupError:
                pass
        return 0

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        finally:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.log.close()
            print((self.folder / "log").read_text(errors="replace")[-8000:])  # shown where a test fails


@contextlib.contextmanager
def cluster(folder: Path, *options: str, workers: int = 2, env: dict[str, str] | None = None) -> Iterator[Cluster]:
    made = Cluster(folder, *options, workers=workers, env=env)
    try:
        yield made
    finally:
        made.stop()


class Network:
    """A way to a server that can be cut: it listens all the time, and while it is cut drops whoever comes. Whatever
    goes through it takes `delay_s` each way."""

    def __init__(self, port: int, delay_s: float = 0.0) -> None:
        self._target, self.is_cut, self._open, self._delay_s = port, False, True, delay_s
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._links: set[socket.socket] = set()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_cut:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._links |= {client, server}
            threading.Thread(target=self._link, args=(client, server), daemon=True).start()

    def _link(self, client: socket.socket, server: socket.socket) -> None:
        back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
        back.start()
        self._copy(client, server)
        back.join()
        for end in (client, server):
            self._links.discard(end)
            end.close()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                time.sleep(self._delay_s)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.is_cut = True
        for end in list(self._links):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._links.clear()

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self._open = False
        self.cut()
        self._listener.close()


class Moto:
    """moto's S3 server, in this process. It checks no credentials."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()
        self.access_key = self.secret_key = "test"

    def stop(self) -> None:
        self._server.stop()


class Bucket:
    """A bucket of an S3 server, behind a network that can be cut. `url` and `env` are what a client needs."""

    def __init__(self) -> None:
        import boto3

        self.server = server()
        self.url = "s3://titles/shared"
        self.network = Network(self.server.port)
        keys = {"aws_access_key_id": self.server.access_key, "aws_secret_access_key": self.server.secret_key}
        endpoint = f"http://127.0.0.1:{self.server.port}"
        self.client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **keys)
        self.client.create_bucket(Bucket="titles")
        self.env = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.network.port}", "AWS_REGION": "us-east-1",
            **{name.upper(): value for name, value in keys.items()},
        }  # fmt: skip

    def names(self, prefix: str) -> list[str]:
        """Every object of this bucket below `url`, by its name behind that."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket="titles", Prefix=f"shared/{prefix}")
        return [item["Key"].removeprefix("shared/") for page in pages for item in page.get("Contents", [])]

    def stop(self) -> None:
        self.network.close()
        self.server.stop()


def server() -> Any:
    """moto's; with BATCH_S3=rgw in the environment (`make test-cluster`) Ceph's gateway."""
    if os.environ.get("BATCH_S3") == "rgw":
        from batch.rgw import Gateway

        return Gateway()
    return Moto()


@contextlib.contextmanager
def bucket() -> Iterator[Bucket]:
    made = Bucket()
    try:
        yield made
    finally:
        made.stop()
