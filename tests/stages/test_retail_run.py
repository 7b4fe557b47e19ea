"""An image's program run to its end, and the same as a port: the RomFS is found when it runs."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from builders import ProjectFolder
from recomp.cli.main import main
from recomp.engine.reporter import Reporter
from recomp.formats.assets import Assets, write_assets
from recomp.formats.nro import nro_of_elf
from recomp.formats.nso import nso_of_elf
from recomp.formats.romfs import write_romfs
from recomp.stages.port import Request, make_port

SDK = Path(__file__).resolve().parents[2] / "samples" / "nx-sdk"

#: Ends with 0 if its storage is a RomFS that has the text; other numbers say what went wrong.
SOURCE = """
#include <string.h>
#include "nx/ipc.h"
#include "nx/process.h"
static int check(void) {
  static unsigned char bytes[0x1000];
  struct nx_service fs, storage;
  uint64_t size = 0, zero = 0, place[2] = {0, 0};
  if (nx_manager_open() || nx_get_service(&fs, "fsp-srv")) return 2;
  struct nx_request current = {.command = 1, .in = &zero, .in_size = sizeof zero, .send_pid = true};
  if (nx_call(&fs, &current)) return 3;
  if (nx_call_object(&fs, 200, &storage)) return 4;
  if (nx_call_out(&storage, 4, &size, sizeof size) || size < 0x50 || size > sizeof bytes) return 5;
  place[1] = size;
  struct nx_request read = {.command = 0, .in = place, .in_size = sizeof place,
    .buffers = {{bytes, size, NX_OUT | NX_ALIAS}}};
  if (nx_call(&storage, &read)) return 6;
  if (bytes[0] != 0x50 || !memmem(bytes, size, "a text of the image", 19)) return 7;
  place[0] = size;
  place[1] = 1;
  struct nx_request behind = {.command = 0, .in = place, .in_size = sizeof place,
    .buffers = {{bytes, 1, NX_OUT | NX_ALIAS}}};
  return nx_call(&storage, &behind) ? 0 : 8;
}
int main(void) { nx_exit((nx_result)check()); }
"""


@pytest.mark.slow
def test_a_program_of_an_image_reads_its_romfs(
    folder: ProjectFolder,
    tmp_path: Path,
    shared_store: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(SDK))
    nxbuild = __import__("nxbuild")
    source = folder.root / "main.c"
    source.write_text(SOURCE)
    linked = tmp_path / "main.elf"
    nxbuild.compile_elf(nxbuild.Program("main", "Main", "Somebody", "1", (source,)), linked)
    content = {"base64": base64.b64encode(nso_of_elf(linked.read_bytes())).decode()}
    program = {"program_id": "0100000000004000", "exefs": {"main": content}}
    image = {"mock_image": "1", "programs": [program | {"romfs": {"a/b.txt": {"text": "a text of the image"}}}]}
    folder.take_image(json.dumps(image).encode(), "a = 00112233\n")
    folder.config |= {"tools": {"xci_tool": "mock"}, "build": {"optimisation": "0"}}
    assert main(["automate", "--config", str(folder.write())]) == 0, capsys.readouterr().err
    assert folder.steps()["run"]["confinement"] in ("landlock", "none")
    # Without the RomFS there is no storage (4): what the run reads is what intake made.
    del image["programs"][0]["romfs"]
    folder.take_image(json.dumps(image).encode(), "a = 00112233\n")
    assert main(["automate", "--config", str(folder.write())]) == 1
    assert "the guest ended with exit code 4" in capsys.readouterr().err
    assert [step["name"] for step in folder.manifest()["steps"] if not step["cache_hit"]][:1] == ["intake"]
    assert sys.modules.pop("nxbuild")
    _check_port(linked.read_bytes(), tmp_path)


def _check_port(linked: bytes, folder: Path) -> None:
    """The same program as an NRO in one executable: its RomFS lies beside it."""
    romfs = write_romfs({"a/b.txt": b"a text of the image"})
    program, made = folder / "program.nro", folder / "made"
    program.write_bytes(nro_of_elf(linked, write_assets(Assets(b"", b"", romfs))))
    for _ in ("built", "copied from the store"):
        make_port(Request(str(program), str(made), optimisation="0"), Reporter())
        assert (folder / "made.romfs").read_bytes() == romfs
        assert subprocess.run([made], env={"RECOMP_RT_REALTIME": "0"}, check=False).returncode == 0
        (folder / "made.romfs").unlink()
    assert subprocess.run([made], env={"RECOMP_RT_REALTIME": "0"}, check=False).returncode == 4
