"""Several hosts on one machine: each a network namespace with an address of its own, joined by a bridge. Needs root.

    python tools/batch_namespaces.py [--titles 6]

The coordinator and the scheduler are on one host, a worker on each of two others, TLS between them, artifacts in a
folder that all see. One worker's cable is cut in the middle and mended later; a client without the certificate is
refused from a third host. Prints the figures, or why it cannot be done here (exit 3).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from batch.catalogue import command_titles  # noqa: E402
from batch.machines import wait_until  # noqa: E402

TAG = f"rc{os.getpid() % 10000}"
SUBNET = "10.213.77"


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


class Hosts:
    """`count` hosts on a bridge that lives in a namespace of its own."""

    def __init__(self, count: int) -> None:
        self.names = [f"{TAG}h{number}" for number in range(count)]
        self.bridge = f"{TAG}br"
        ip("netns", "add", self.bridge)
        ip("-n", self.bridge, "link", "add", "br0", "type", "bridge")
        ip("-n", self.bridge, "link", "set", "br0", "up")
        for number, name in enumerate(self.names):
            ip("netns", "add", name)
            ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", f"p{number}", "netns", self.bridge)
            ip("-n", self.bridge, "link", "set", f"p{number}", "master", "br0", "up")
            ip("-n", name, "addr", "add", f"{self.address(number)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")

    def address(self, number: int) -> str:
        return f"{SUBNET}.{number + 1}"

    def run(self, number: int, log: Path, *arguments: str) -> subprocess.Popen[bytes]:
        command = ["ip", "netns", "exec", self.names[number], sys.executable, "-m", "recomp", *arguments]
        env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        with log.open("wb") as file:
            return subprocess.Popen(command, env=env, stdout=file, stderr=subprocess.STDOUT)

    def cable(self, number: int, state: str) -> None:
        """ "down" or "up"."""
        ip("-n", self.bridge, "link", "set", f"p{number}", state)

    def close(self) -> None:
        for name in [*self.names, self.bridge]:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def trial(folder: Path, hosts: Hosts, titles: int) -> dict[str, object]:
    path, made = command_titles(folder / "batch", titles)
    for number, project in enumerate(made):
        body = f"echo {number} >> {folder}/begun; sleep 1; echo {number} > $RECOMP_BUILD_DIR/made"
        project.config["commands"]["build"] = [project.script("build.sh", f"{body}; echo {number} >> {folder}/ran")]
        project.write()
    started: list[subprocess.Popen[bytes]] = []
    try:
        names = [word for number in range(3) for word in ("--name", hosts.address(number))]
        subprocess.run([sys.executable, "-m", "recomp", "cluster", "certs", str(folder / "certs"), *names], check=True,
                       env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, capture_output=True)  # fmt: skip
        tls = ["--tls", str(folder / "certs")]
        up = ["cluster", "up", "--workers", "1", "--host", hosts.address(0), "--port", "8786", "--tags", "gpu"]
        started.append(hosts.run(0, folder / "up.log", *up, "--folder", str(folder / "up"), *tls))
        wait_until((folder / "up" / "cluster.json").exists, "the scheduler")
        address = f"tls://{hosts.address(0)}:8786"
        for number in (1, 2):
            there = ["--folder", str(folder / f"worker{number}"), "--tags", "build"]
            started.append(hosts.run(number, folder / f"worker{number}.log", "worker", address, *there, *tls))
        begun = time.monotonic()
        batch = ["batch", "run", str(path), "--json", "--store", f"file://{folder}/shared"]
        batch_run = hosts.run(0, folder / "batch.log", *batch, "--cluster", address, *tls)
        started.append(batch_run)
        wait_until((folder / "begun").exists, "the first build")
        hosts.cable(2, "down")
        time.sleep(8)
        hosts.cable(2, "up")
        other, _ = command_titles(folder / "stranger", 1)
        plain = ["--cluster", address.replace("tls:", "tcp:"), "--store", f"file://{folder}/shared"]
        stranger = hosts.run(3, folder / "stranger.log", "batch", "run", str(other), *plain)
        refused = stranger.wait()
        code = batch_run.wait()
        text = (folder / "batch.log").read_text()
        assert code == 0, text
        answer = json.loads(text[text.index("\n{") :])
        ran = (folder / "ran").read_text().split()
        assert set(ran) == {str(number) for number in range(titles)}
        assert refused != 0 and "no scheduler answers" in (folder / "stranger.log").read_text()
        return {"hosts": len(hosts.names), "titles passed": answer["counts"]["passed"], "builds that ended": len(ran),
                "attempts again": answer["retries"], "seconds": round(time.monotonic() - begun),
                "a stranger's exit code": refused}  # fmt: skip
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--titles", type=int, default=6)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="recomp-hosts-"))
    try:
        try:
            hosts = Hosts(4)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"network namespaces cannot be made here: {getattr(error, 'stderr', '') or error}")
            return 3
        try:
            figures = trial(folder, hosts, options.titles)
        finally:
            hosts.close()
        print("\n".join(f"{value:>8}  {name}" for name, value in figures.items()))
        return 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
