"""The whole loop again, in other circumstances: every file that is meant to be compared has the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.samples.sample import ROOT

#: the engine's own, the record of one run (times, hosts, attempts), and what is made of that record
RECORDS = (".recomp", "logs", "run-manifest.json", "provenance.intoto.json", "report.html")
#: nothing of this is installed or usual: no UTF-8, another zone, another seed, other file permissions
ELSEWHERE = {
    "LC_ALL": "tr_TR.ISO-8859-9",
    "LANG": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "4242",
    "TZ": "Pacific/Chatham",
    "NO_COLOR": "1",
    "COLUMNS": "20",
}


def outputs(work_root: Path) -> dict[str, bytes]:
    files = (path for path in sorted(work_root.rglob("*")) if path.is_file())
    found = {path.relative_to(work_root): path.read_bytes() for path in files}
    return {str(name): data for name, data in found.items() if name.parts[0] not in RECORDS}


def artifacts(work_root: Path) -> list[tuple[str, str]]:
    manifest = json.loads((work_root / "run-manifest.json").read_text("utf-8"))
    return sorted((a["path"], a["sha256"]) for a in manifest["artifacts"] if not a["path"].startswith("run/logs/"))


def test_other_folder_locale_zone_seed_and_job_count_give_the_same_bytes(short: Path, tmp_path: Path) -> None:
    folder = tmp_path / "an other" / "f\u00f6lder"
    shutil.copytree(short, folder, ignore=shutil.ignore_patterns("run"))
    with (folder / "automation.toml").open("a", encoding="utf-8") as config:
        config.write("\n[build]\njobs = 1\n")
    command = [sys.executable, "-m", "recomp", "automate", "--config", "../automation.toml"]
    path = os.pathsep.join([str(ROOT / "src"), *sys.path])
    cache = {"RECOMP_CACHE_DIR": str(tmp_path / "cache")}  # nothing of the first run is there
    (folder / "elsewhere").mkdir()
    done = subprocess.run(
        command,
        cwd=folder / "elsewhere",
        env={**os.environ, **ELSEWHERE, **cache, "PYTHONPATH": path},
        capture_output=True,
        umask=0o077,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b" 0 of " in done.stdout, "nothing was to be cached"
    first, second = outputs(short / "run"), outputs(folder / "run")
    assert first.keys() == second.keys() and len(first) > 100
    assert [name for name in first if first[name] != second[name]] == []
    assert artifacts(short / "run") == artifacts(folder / "run")
