"""contracts, section 5: `title.toml`, `provenance.toml`, the lifted `module.json`. What the ops compute is in
tests/emit/test_ops.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders import ProjectFolder, provenance, sha256, title, toml
from recomp.cli.main import main
from recomp.config.document import Document
from recomp.config.problems import ConfigProblems
from recomp.config.provenance import FORMATS
from recomp.config.title import load as load_title


def check(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["check", "--config", str(folder.write())])
    return code, capsys.readouterr().err


def loaded(values: dict[str, Any]) -> dict[str, Any]:
    document = Document("title.toml", toml(values).encode())
    found = load_title(document)
    document.finish()
    return found


REGIONS = [
    ("code", 0x10000000, 0x10000, "rx"), ("rodata", 0x10010000, 0x10000, "r"), ("data", 0x10020000, 0x10000, "rw"),
    ("heap", 0x20000000, 0x40000, "rw"), ("stack", 0x30000000, 0x40000, "rw"),
]  # fmt: skip


def test_the_default_regions_are_those_of_the_table() -> None:
    found = [
        (r["name"], r["base"], r["size"], "".join(key[0] for key in ("read", "write") if r["permissions"][key])
         + ("x" if r["permissions"]["execute"] else ""))
        for r in loaded(title())["runtime"]["memory_layout"]["regions"]
    ]  # fmt: skip
    assert found == REGIONS


@pytest.mark.parametrize("behaviour", ["log", "noop", "panic"])
def test_a_stub_has_one_of_three_behaviours(behaviour: str) -> None:
    assert loaded(title(stubs={"print": behaviour}))["stubs"] == {"print": behaviour}
    with pytest.raises(ConfigProblems, match='expected "log" or "noop" or "panic", found "ignore"'):
        loaded(title(stubs={"print": "ignore"}))


@pytest.mark.parametrize("mode", ["handheld", "docked"])
def test_the_performance_mode_is_one_of_two(mode: str) -> None:
    assert loaded({**title(), "runtime": {"performance_mode": mode}})["runtime"]["performance_mode"] == mode
    with pytest.raises(ConfigProblems, match='expected "handheld" or "docked"'):
        loaded({**title(), "runtime": {"performance_mode": "fast"}})


def region(name: str, base: int, size: int) -> dict[str, Any]:
    return {"name": name, "base": base, "size": size, "permissions": {"read": True}}


def test_regions_must_not_overlap_not_by_a_byte() -> None:
    apart = [region("a", 0x1000, 0x1000), region("b", 0x2000, 0x1000)]
    assert len(loaded({**title(), "runtime.memory_layout.regions": apart})["runtime"]["memory_layout"]["regions"]) == 2
    with pytest.raises(ConfigProblems, match='region "b" at 0x1fff overlaps region "a", which ends at 0x2000'):
        loaded({**title(), "runtime.memory_layout.regions": [apart[0], region("b", 0x1FFF, 0x1000)]})


def provenance_of(folder: ProjectFolder, **changes: Any) -> None:
    """provenance.toml with something else for the module."""
    data = (folder.root / "module.json").read_bytes()
    entry = {
        "path": "module.json", "sha256": sha256(data), "size": len(data), "format": "lifted_json", "role": "module",
        **changes,
    }  # fmt: skip
    (folder.root / "provenance.toml").write_text(toml(provenance([entry])))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": "nowhere.json"}, "cannot be read: No such file"),
        ({"size": 1}, "bytes, expected 1"),
        ({"sha256": "0" * 64}, "expected " + "0" * 64),
        ({"format": "elf"}, 'found lifted_json, expected "elf"'),
    ],
)
def test_presence_size_hash_and_format_of_a_listed_input_are_checked_before_any_stage_runs(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], message: str
) -> None:
    folder.config["commands"] = {"build": [folder.script("mark", "touch ran")], "run": ["true"]}
    provenance_of(folder, **changes)
    if "path" in changes:  # the input itself stays listed
        text = (folder.root / "provenance.toml").read_text()
        folder.list_inputs()
        listed = (folder.root / "provenance.toml").read_text()
        (folder.root / "provenance.toml").write_text(listed + text[text.index("[[inputs]]") :])
    assert main(["automate", "--config", str(folder.write())]) == 2
    assert message in capsys.readouterr().err
    assert not (folder.root / "ran").exists()
    assert not (folder.work_root / "run-manifest.json").exists()


def test_every_input_of_the_automation_must_be_listed(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder.root / "other.json").write_bytes(folder.module)
    folder.config["inputs"]["module_json"] = "other.json"
    code, said = check(folder, capsys)
    assert code == 2
    assert "other.json is not listed in provenance.toml" in said


def test_paths_are_relative_to_the_file(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    (folder.root / "papers").mkdir()
    provenance_of(folder, path="../module.json")
    (folder.root / "provenance.toml").rename(folder.root / "papers/provenance.toml")
    folder.config["inputs"]["provenance"] = "papers/provenance.toml"
    assert check(folder, capsys) == (0, "")


def test_the_formats_are_those_of_the_list() -> None:
    listed = "xci keyset video_mp4 nca exefs nso0 nro0 nrr0 npdm elf lifted_json"
    assert set(FORMATS) == set(listed.split())


@pytest.mark.parametrize("key", ["name", "title_id", "version", "region"])
def test_the_title_of_the_provenance_is_whole(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    path = folder.root / "provenance.toml"
    lines = path.read_text().splitlines(keepends=True)
    start = lines.index("[title]\n")
    at = next(n for n, line in enumerate(lines) if n > start and line.startswith(f"{key} ="))
    path.write_text("".join(lines[:at] + lines[at + 1 :]))
    code, said = check(folder, capsys)
    assert code == 2
    assert f"title.{key}: is missing" in said


def test_a_decryption_tool_and_notes_are_optional(folder: ProjectFolder, capsys: pytest.CaptureFixture[str]) -> None:
    values = provenance([])
    values["collection"]["notes"] = "from my own cartridge"
    values["collection.decryption_tool"] = {"name": "tool", "version": "1"}
    text = (folder.root / "provenance.toml").read_text()
    head = toml(values).replace("inputs = []\n", "")
    (folder.root / "provenance.toml").write_text(head + text[text.index("[[inputs]]") :])
    assert check(folder, capsys) == (0, "")


# module.json


OPS: list[dict[str, Any]] = [
    {"op": "const_i64", "dst": "x0", "imm": 5},
    {"op": "const_i64", "dst": "spare register", "imm": -1},
    {"op": "mov_i64", "dst": "x1", "src": "x0"},
    *({"op": f"{name}_i64", "dst": "x2", "lhs": "x0", "rhs": "x1"}
      for name in ("add", "sub", "and", "or", "xor", "lsl", "lsr", "asr")),
    *({"op": f"{name}_i64", "lhs": "x0", "rhs": "x1"} for name in ("cmp", "cmn", "test")),
    {"op": "pc_rel", "dst": "x3", "pc": 4096, "offset": -16},
    *({"op": f"load_i{bits}", "dst": "x4", "addr": "sp", "offset": 0} for bits in (8, 16, 32, 64)),
    *({"op": f"store_i{bits}", "src": "x4", "addr": "sp", "offset": 8} for bits in (8, 16, 32, 64)),
    {"op": "call", "target": "helper"},
    {"op": "syscall", "name": "print", "args": ["x0"]},
]  # fmt: skip
CONDITIONS = ("eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al")


def blocks() -> list[dict[str, Any]]:
    """Each terminator and each condition once."""
    found: list[dict[str, Any]] = []
    for number, cond in enumerate(CONDITIONS):
        end = {"op": "br_cond", "cond": cond, "then": f"b{number + 1}", "else": f"b{number + 1}"}
        found.append({"label": f"b{number}", "start": 16 * number, "ops": OPS, "terminator": end})
    ends = [
        {"op": "call", "target": "helper", "next": f"b{len(CONDITIONS) + 1}"},
        {"op": "br", "target": f"b{len(CONDITIONS) + 2}"},
        {"op": "br_indirect", "reg": "x0"},
        {"op": "ret"},
    ]
    for end in ends:
        number = len(found)
        found.append({"label": f"b{number}", "start": 16 * number, "ops": [], "terminator": end})
    return found


def test_a_module_with_every_op_terminator_and_condition_is_taken(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    module = {
        "arch": "aarch64",
        "segments": [
            {"name": "data", "base": 0x10020000, "size": 64, "permissions": {"read": True, "write": True},
             "init_path": "data.bin", "init_size": 4, "zero_fill": 60},
        ],
        "functions": [
            {"name": "entry", "blocks": blocks()},
            {"name": "helper", "ops": [*OPS[:4], {"op": "ret"}]},
        ],
    }  # fmt: skip
    (folder.root / "data.bin").write_bytes(b"data")
    (folder.root / "module.json").write_text(json.dumps(module))
    folder.list_inputs()
    (folder.root / "title.toml").write_text(toml(title(stubs={"print": "log"})))
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert check(folder, capsys) == (0, "")
    assert main(["automate", "--config", str(folder.write())]) == 0
    project = Path(folder.work_root / "build/project")
    assert any(path.name.startswith("unit_") for path in project.iterdir())


@pytest.mark.parametrize(
    ("op", "message"),
    [
        ({"op": "mul_i64", "dst": "x0", "lhs": "x0", "rhs": "x0"}, "mul_i64"),
        ({"op": "mov_i64", "dst": "x0"}, "src"),
        ({"op": "call", "target": "nobody"}, "nobody"),
        ({"op": "syscall", "name": "nothing", "args": []}, "nothing"),
    ],
)
def test_what_is_no_op_of_the_list_is_shown(
    folder: ProjectFolder, capsys: pytest.CaptureFixture[str], op: dict[str, Any], message: str
) -> None:
    module = {"arch": "aarch64", "segments": [], "functions": [{"name": "entry", "ops": [op, {"op": "ret"}]}]}
    (folder.root / "module.json").write_text(json.dumps(module))
    folder.list_inputs()
    folder.config["commands"] = {"build": ["true"], "run": ["true"]}
    assert main(["automate", "--config", str(folder.write())]) in (1, 2)
    assert message in capsys.readouterr().err
