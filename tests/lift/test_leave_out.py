"""`[lift] skip`: functions that are left out trap, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import ProjectFolder, elf, provenance, sha256, toml
from recomp.cli.main import main
from recomp.emit import EmitOptions, emit_project
from recomp.errors import LiftError
from recomp.lift.leave_out import leave_out
from recomp.lift.lift import lift_elf
from recomp.lift.module import decode_module, encode_module

#: bl f; mov x8, #93 (exit); svc; f: ret
WORDS = [0x94000003, 0xD2800BA8, 0xD4000001, 0xD65F03C0]
START = 0x400000 + 120
CALLEE = START + 12


@pytest.fixture
def program() -> bytes:
    return elf(WORDS)


def test_by_name_or_address_the_body_is_gone_and_the_rest_stays(program: bytes) -> None:
    module, _, _ = lift_elf(program)
    name = next(f.name for f in module.functions if f.start == CALLEE)
    for wanted in (name, hex(CALLEE)):
        left = leave_out(module, [wanted])
        assert [f for f in left.functions if f.start != CALLEE] == [f for f in module.functions if f.start != CALLEE]
        (block,) = next(f.blocks for f in left.functions if f.start == CALLEE)
        assert (block.start, block.insns, block.terminator) == (CALLEE, 1, "left_out")
    assert leave_out(module, []) == module


def test_its_call_traps_in_the_emitted_project(program: bytes) -> None:
    module, blobs, _ = lift_elf(program)
    segments = {segment.init_path: blobs[segment.init_path] for segment in module.segments if segment.init_path}
    left = decode_module(encode_module(leave_out(module, [hex(CALLEE)])))
    files = emit_project(left, segments, EmitOptions(source="program", sha256="0" * 64))
    text = b"".join(data for name, data in files.items() if name.startswith("unit_")).decode()
    assert f"rt_trap(c, RT_TRAP_LEFT_OUT, UINT64_C({CALLEE:#x}), 0xd65f03c0u)" in text
    assert b"RT_TRAP_LEFT_OUT" in files["rt/include/rt.h"]


def test_what_is_no_function_is_said_with_the_nearest(program: bytes) -> None:
    module, _, _ = lift_elf(program)
    with pytest.raises(LiftError, match="the program has no function 'f_40008', '0x12', '0xno'") as caught:
        leave_out(module, ["f_40008", "0x12", "0xno"])
    assert caught.value.hint is not None and "did you mean" in caught.value.hint


@pytest.fixture
def project(folder: ProjectFolder, program: bytes) -> ProjectFolder:
    (folder.root / "program.elf").write_bytes(program)
    entry = {
        "path": "program.elf", "sha256": sha256(program), "size": len(program), "format": "elf", "role": "program",
    }  # fmt: skip
    (folder.root / "provenance.toml").write_text(toml(provenance([entry])))
    folder.config["inputs"] = {
        "mode": "elf", "elf": "program.elf", "provenance": "provenance.toml", "config": "title.toml",
    }  # fmt: skip
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    return folder


def test_the_stage_leaves_them_out_and_runs_again_when_the_list_changes(project: ProjectFolder) -> None:
    assert main(["automate", "--config", str(project.write())]) == 0
    project.config["lift"] = {"skip": [hex(CALLEE)]}
    assert main(["automate", "--config", str(project.write())]) == 0
    assert project.ran()[:2] == ["lift", "pipeline"]
    module = decode_module(Path(project.work_root / "lift/module.json").read_bytes())
    assert [b.terminator for f in module.functions if f.start == CALLEE for b in f.blocks] == ["left_out"]


def test_where_there_is_no_built_in_lift_it_is_refused(
    project: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    project.config["lift"] = {"skip": ["f"]}
    project.config["commands"]["lift"] = ["true"]
    assert main(["automate", "--config", str(project.write())]) == 2
    assert "is for the built-in lift, which commands.lift replaces" in capsys.readouterr().err
