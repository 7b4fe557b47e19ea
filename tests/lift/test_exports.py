"""tools/ghidra_names.py and tools/ida_names.py against stand-ins for the programs that they run in, and what becomes of
the names: in the C, in the report of a fault, in the lift."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import run_cli
from recomp.formats.elf import read_elf
from recomp.lift.lift import lift_elf
from recomp.lift.names import read_name_map
from tests.guests import build

TOOLS = Path(__file__).resolve().parents[2] / "tools"
ELF = "Executable and Linking Format (ELF)"

#: Stripped; the function that `_start` calls loads from address 8.
FAULTING = """
    .text
    .globl _start
_start:
    bl      inner
    mov     x8, #93
    svc     #0
inner:
    mov     x0, #8
    ldr     x0, [x0]
    ret
"""


def ghidra_function(address: int, name: str, source: str, external: bool = False) -> Any:
    symbol = SimpleNamespace(getSource=lambda: SimpleNamespace(toString=lambda: source))
    return SimpleNamespace(
        isExternal=lambda: external,
        getSymbol=lambda: symbol,
        getEntryPoint=lambda: SimpleNamespace(getOffset=lambda: address),
        getName=lambda qualified: name,
    )


def ghidra_program(base: int, original: str | None, functions: list[Any], form: str = ELF) -> Any:
    options = SimpleNamespace(getString=lambda key, default: original if key == "ELF Original Image Base" else default)
    return SimpleNamespace(
        getExecutableFormat=lambda: form,
        getOptions=lambda group: options,
        getImageBase=lambda: SimpleNamespace(getOffset=lambda: base),
        getFunctionManager=lambda: SimpleNamespace(getFunctions=lambda forward: iter(functions)),
    )


def run_ghidra(program: Any, output: Path) -> dict[str, Any]:
    given = {"currentProgram": program, "getScriptArgs": lambda: [str(output)]}
    runpy.run_path(str(TOOLS / "ghidra_names.py"), init_globals=given)
    return dict(json.loads(output.read_text()))


FUNCTIONS = [
    ghidra_function(0x101000, "Game::draw", "USER_DEFINED"),
    ghidra_function(0x101040, "memcpy", "ANALYSIS"),
    ghidra_function(0x101080, "FUN_00101080", "DEFAULT"),
    ghidra_function(0x1010C0, "outside", "IMPORTED", external=True),
]


def test_ghidra_names_count_from_where_the_file_says(tmp_path: Path) -> None:
    """A position-independent program is moved to 0x100000 there."""
    expected = {
        "0x1000": {"name": "Game::draw", "evidence": "ghidra user_defined"},
        "0x1040": {"name": "memcpy", "evidence": "ghidra analysis"},
    }
    assert run_ghidra(ghidra_program(0x100000, "0x0", FUNCTIONS), tmp_path / "n.json") == expected
    assert run_ghidra(ghidra_program(0x100000, None, FUNCTIONS, form="NRO"), tmp_path / "n.json") == expected
    named = read_name_map((tmp_path / "n.json").read_bytes())
    assert [(a, n.name) for a, n in named.items()] == [(0x1000, "Game::draw"), (0x1040, "memcpy")]


def test_ghidra_names_of_a_program_that_was_not_moved(tmp_path: Path) -> None:
    assert set(run_ghidra(ghidra_program(0x100000, "100000", FUNCTIONS), tmp_path / "n.json")) == {
        "0x101000",
        "0x101040",
    }
    assert set(run_ghidra(ghidra_program(0x100000, None, FUNCTIONS), tmp_path / "n.json")) == {"0x101000", "0x101040"}


USER, DUMMY, LIBRARY = 1, 2, 4


def run_ida(
    monkeypatch: pytest.MonkeyPatch, output: Path, file: Path, base: int, functions: dict[int, tuple[str, int]]
) -> dict[str, Any]:
    """`functions`: address → (name, USER | DUMMY | LIBRARY)."""
    stubs: dict[str, dict[str, Any]] = {
        "ida_auto": {"auto_wait": lambda: True},
        "ida_bytes": {
            "get_flags": lambda address: functions[address][1],
            "has_user_name": lambda flags: bool(flags & USER),
            "has_dummy_name": lambda flags: bool(flags & DUMMY),
        },
        "ida_funcs": {
            "FUNC_LIB": LIBRARY,
            "get_func": lambda address: SimpleNamespace(flags=functions[address][1]),
        },
        "ida_kernwin": {},
        "ida_nalt": {"get_input_file_path": lambda: str(file), "get_imagebase": lambda: base},
        "ida_pro": {"qexit": lambda code: None},
        "idautils": {"Functions": lambda: iter(functions)},
        "idc": {"ARGV": ["ida_names.py", str(output)], "get_func_name": lambda address: functions[address][0]},
    }
    for name, members in stubs.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(__import__("sys").modules, name, module)
    runpy.run_path(str(TOOLS / "ida_names.py"))
    return dict(json.loads(output.read_text()))


def test_ida_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    functions = {
        0x5000: ("main", USER),
        0x5040: ("memcpy", LIBRARY),
        0x5080: ("sub_5080", DUMMY),
        0x50C0: ("nullsub_1", 0),
        0x5100: ("start", 0),
    }
    evidence = ["ida user_defined", "ida flirt", "ida analysis"]
    output = tmp_path / "n.json"
    pie, fixed, module = tmp_path / "pie", tmp_path / "fixed", tmp_path / "module.nro"
    pie.write_bytes(build(FAULTING, ".s", "-nostdlib", "-s", "-static-pie", "-fPIE"))
    fixed.write_bytes(build(FAULTING, ".s", "-nostdlib", "-s"))
    module.write_bytes(b"NRO0" * 8)
    for file, moved in ((fixed, 0), (pie, 0x4000), (module, 0x4000)):
        found = run_ida(monkeypatch, output, file, 0x4000, functions)
        assert list(found) == sorted(f"0x{a - moved:x}" for a in (0x5000, 0x5040, 0x5100))
        assert [found[f"0x{a - moved:x}"]["evidence"] for a in (0x5000, 0x5040, 0x5100)] == evidence


def test_names_reach_the_c_and_the_report_of_a_fault(tmp_path: Path) -> None:
    program = build(FAULTING, ".s", "-nostdlib", "-s")
    entry = read_elf(program).entry
    inner = entry + 12
    names, guest, made = tmp_path / "names.json", tmp_path / "guest", tmp_path / "port"
    run_ghidra(ghidra_program(0, "0", [ghidra_function(inner, "Game::load", "USER_DEFINED")]), names)
    module = lift_elf(program, name_map=read_name_map(names.read_bytes()))[0]
    assert [(f.name, f.evidence) for f in module.functions if f.start == inner] == [("Game__load", "name_map")]
    guest.write_bytes(program)
    arguments = ("port", str(guest), "-o", str(made), "--name-map", str(names), "--keep", str(tmp_path / "project"))
    done = run_cli(*arguments, "--faults", "frame", RECOMP_CACHE_DIR=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    units = "".join(path.read_text() for path in sorted((tmp_path / "project").glob("unit_*.c")))
    assert f"/* Game__load: {inner:x}.." in units and "found by name_map" in units
    report = subprocess.run([made], env={}, capture_output=True, text=True)
    assert f"in the function at 0x{inner:x} (Game__load)" in report.stderr
    assert f'"pc":"{inner + 4:#x}"' in report.stderr
