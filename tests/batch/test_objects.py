"""The store that machines share: created once, checked when read, patient when it is away."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from batch.machines import Bucket, bucket
from recomp.batch.objects import Objects
from recomp.batch.remote_store import RemoteStore
from recomp.engine.store import BlobMissing
from recomp.errors import ConfigError, ToolError


@pytest.fixture(scope="module")
def s3() -> Iterator[Bucket]:
    with bucket() as made:
        yield made


@pytest.fixture(params=["file", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Bucket) -> Objects:
    if request.param == "file":
        return Objects(f"file://{tmp_path}/shared")
    for name, value in s3.env.items():
        monkeypatch.setenv(name, value)
    return Objects(f"s3://titles/{tmp_path.name}")


def test_of_many_that_create_an_object_one_does(objects: Objects) -> None:
    won: list[int] = []

    def create(number: int) -> None:
        if objects.create("actions/aa/bb", b"from %d" % number):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and objects.get("actions/aa/bb") == b"from %d" % won[0]


def test_content_is_checked_and_what_is_absent_is_none(objects: Objects) -> None:
    sha256 = hashlib.sha256(b"content").hexdigest()
    assert objects.get_blob(sha256) is None and not objects.has("actions/none")
    objects.put_blob(sha256, b"content")
    objects.put_blob(sha256, b"content")
    assert objects.get_blob(sha256) == b"content"
    wrong = hashlib.sha256(b"other").hexdigest()
    objects.put_blob(wrong, b"something else")
    assert objects.get_blob(wrong) is None


def test_a_store_that_is_away_for_a_while_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket() as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        objects = Objects("s3://titles/away")
        assert objects.create("one", b"1")
        made.network.cut()
        answers: list[bytes | None] = []
        waiting = threading.Thread(target=lambda: answers.append(objects.get("one")))
        waiting.start()
        time.sleep(0.3)
        assert not answers
        made.network.mend()
        waiting.join()
        assert answers == [b"1"]


def test_patience_ends_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket() as made:
        pass
    for name, value in made.env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ToolError, match="cannot be reached"):
        Objects("s3://titles/gone", patience_s=0.0).get("one")


class Refusing(BaseHTTPRequestHandler):
    """A server that knows nobody."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


def test_who_is_refused_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody")
    try:
        with pytest.raises(ToolError, match="refused") as raised:
            Objects("s3://titles/shared").get("one")
    finally:
        server.shutdown()
        server.server_close()
    assert raised.value.hint == "check the credentials"


def test_artifacts_do_not_go_to_another_machine_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example:9000")
    with pytest.raises(ConfigError, match="without TLS") as raised:
        Objects("s3://titles/shared")
    assert raised.value.hint == "use an https:// endpoint"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example:9000")
    Objects("s3://titles/shared")


def test_what_is_no_url_is_said() -> None:
    with pytest.raises(ConfigError, match="is no store"):
        Objects("gopher://titles")


def record(key: str, sha256: str, asset_class: str = "derived") -> dict[str, Any]:
    entry = {
        "base": "port", "path": "", "sha256": sha256, "size": 4, "mode": 0o644, "role": "port", "class": asset_class,
    }  # fmt: skip
    return {"cache_key": key, "content_key": "c" + key[1:], "outputs": [entry], "logs": {}, "notes": []}


def test_two_workers_publish_one_result_and_both_use_it(tmp_path: Path, objects: Objects) -> None:
    first, second = (RemoteStore(str(tmp_path / name), objects, ("derived",), "public") for name in "ab")
    a, b = first.put_bytes(b"one!"), second.put_bytes(b"two!")
    key = "ab" * 32
    assert first.put_action(record(key, a)) == record(key, a)
    assert second.put_action(record(key, b)) == record(key, a)  # the first counts
    assert second.action(key) == record(key, a) and second.read_blob(a) == b"one!"
    behind = {**record(key, b), "made_from": {"build": "another"}}
    assert second.put_action(behind) == behind  # what was made from another upstream is no first
    third = RemoteStore(str(tmp_path / "c"), objects, ("derived",), "public")
    assert third.action_by_content("c" + key[1:]) == record(key, a)
    third.restore(a, str(tmp_path / "out"), 0o644)
    assert (tmp_path / "out").read_bytes() == b"one!"


def test_what_must_not_travel_does_not_only_its_hash_does(tmp_path: Path, objects: Objects) -> None:
    here = RemoteStore(str(tmp_path / "here"), objects, ("derived",), "proprietary")
    secret = here.put_bytes(b"their program")
    here.put_action(record("ac" * 32, secret, "proprietary"))
    there = RemoteStore(str(tmp_path / "there"), objects, ("derived",), "proprietary")
    assert there.action("ac" * 32) is not None
    with pytest.raises(BlobMissing):
        there.read_blob(secret)
    public = RemoteStore(str(tmp_path / "public"), objects, ("derived", "public"), "public")
    assert public.travels("proprietary")  # what was taken out of a public program is public
