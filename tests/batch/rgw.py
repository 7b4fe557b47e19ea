"""A real S3 server without containers: Ceph's gateway on a cluster of one, all of it in memory and on this machine.

Debian's `radosgw ceph-mon ceph-osd ceph-common` (tools/setup-cluster.sh). Only processes that are started here are
ended here; nothing listens on another address than 127.0.0.1.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

PROGRAMS = ("ceph", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
MEMORY_BYTES = 2 << 30
LIMIT_S = 120.0

CONFIG = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
run dir = {home}
log file = {home}/$name.log
admin socket = {home}/$name.asok
pid file =
crash dir = {home}
mon data = {home}/mon
osd data = {home}/osd
osd objectstore = memstore
memstore device bytes = {memory}
osd class update on start = false
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
rgw enable usage log = false
rgw thread pool size = 32
"""


class Unavailable(Exception):
    """This machine cannot run it, and why."""


class Gateway:
    """`url` is where it answers, `access_key` and `secret_key` are those of its one user."""

    def __init__(self) -> None:
        missing = [name for name in PROGRAMS if shutil.which(name) is None]
        if missing:
            raise Unavailable(f"{', '.join(missing)} not found: tools/setup-cluster.sh installs Ceph's gateway")
        self.home = Path(tempfile.mkdtemp(prefix="recomp-rgw-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        self.access_key, self.secret_key = "recomp-test", secrets.token_hex(20)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
        mon1, mon2, port = free_ports(3)
        config = CONFIG.format(fsid=fsid, mon1=mon1, mon2=mon2, home=self.home, memory=MEMORY_BYTES)
        (self.home / "ceph.conf").write_text(config)
        monmap = str(self.home / "monmap")
        address = f"[v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]"
        self._call("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monmap, config=False)
        self._call("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._serve("ceph-mon", "-i", "a")
        self._call("ceph", "osd", "new", osd, "0")
        (self.home / "osd").mkdir()
        self._call("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", osd)
        self._serve("ceph-osd", "-i", "0")
        self._wait_for("the object store", lambda: "1 up" in self._call("ceph", "osd", "stat"))
        # before the gateway, which would make the pools that both need at the same time
        keys = ("--access-key", self.access_key, "--secret-key", self.secret_key)
        self._call("radosgw-admin", "user", "create", "--uid", "recomp", "--display-name", "recomp", *keys)
        self._serve("radosgw", "-n", "client.rgw", "--rgw-frontends", f"beast endpoint=127.0.0.1:{port}")
        self._wait_for("the gateway", lambda: answers(port))
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def _call(self, *argv: str, config: bool = True) -> str:
        """Raises Unavailable with what it said."""
        where = ["-c", str(self.home / "ceph.conf")] if config else []
        try:
            done = subprocess.run([argv[0], *where, *argv[1:]], capture_output=True, text=True, timeout=LIMIT_S,
                                  env=self._environment(), check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unavailable(f"waited {LIMIT_S:g} s for {' '.join(argv)}\n{self._logs()}") from None
        if done.returncode != 0:
            raise Unavailable(f"{' '.join(argv)}: exit code {done.returncode}: {done.stderr[-2000:]}\n{self._logs()}")
        return done.stdout

    def _serve(self, *argv: str) -> None:
        with open(self.home / f"{argv[0]}.out", "wb") as out:
            self._processes.append(subprocess.Popen(
                [argv[0], "-f", "-c", str(self.home / "ceph.conf"), *argv[1:]], stdout=out, stderr=out,
                env=self._environment(), start_new_session=True,
            ))  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "CEPH_CONF": str(self.home / "ceph.conf"), "CEPH_ARGS": ""}

    def _wait_for(self, what: str, condition) -> None:
        until = time.monotonic() + LIMIT_S
        while not condition():
            for process in self._processes:
                if process.poll() is not None:
                    raise Unavailable(f"{process.args[0]} ended with {process.returncode}\n{self._logs()}")
            if time.monotonic() > until:
                raise Unavailable(f"waited {LIMIT_S:g} s for {what}\n{self._logs()}")
            time.sleep(0.2)

    def _logs(self) -> str:
        files = sorted(self.home.glob("*.out")) + sorted(self.home.glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in files)

    def memory_mb(self) -> dict[str, int]:
        """What each process holds in memory now."""
        found = {}
        for process in self._processes:
            status = Path(f"/proc/{process.pid}/status").read_text()
            found[str(process.args[0])] = int(status.split("VmRSS:")[1].split()[0]) // 1024
        return found

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        shutil.rmtree(self.home, ignore_errors=True)


def answers(port: int) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
