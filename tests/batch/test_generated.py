"""Generated titles, all the way: each program is lifted, built and played; a second run finds everything."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from batch.catalogue import write_programs
from conftest import run_cli

#: `make batch-200` sets it to 200
COUNT = int(os.environ.get("BATCH_TITLES", "24"))


@pytest.mark.slow
def test_generated_titles_all_pass_and_a_second_run_is_cached(tmp_path: Path) -> None:
    write_programs(tmp_path / "programs", COUNT)
    manifest = tmp_path / "programs" / "batch.toml"
    assert run_cli("batch", "init", str(manifest.parent)).returncode == 0
    first = run_cli("batch", "run", str(manifest), "--jobs", "2", "--json", timeout_s=3000)
    answer = json.loads(first.stdout)
    assert first.returncode == 0 and answer["counts"]["passed"] == COUNT
    units = manifest.parent / "batch-out" / "titles"
    ports = {path.read_bytes() for path in units.glob("*/default/out/build/port")}
    assert len(ports) == COUNT  # each is another program
    second = run_cli("batch", "run", str(manifest), "--jobs", "2", "--json", timeout_s=3000)
    again = json.loads(second.stdout)
    assert again["stages"]["cached"] == again["stages"]["settled"] == 6 * COUNT
    print(f"\n{COUNT} titles: first run {answer['seconds']:.1f} s, second {again['seconds']:.2f} s")
