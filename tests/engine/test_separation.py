"""Folders that git would pick up are refused; links and nested repositories are followed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from recomp.engine.separation import check_separation
from recomp.errors import ConfigError


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text("/run/\n")
    return root


def test_a_folder_outside_of_any_repository(tmp_path: Path) -> None:
    check_separation((str(tmp_path / "out"),))


def test_an_ignored_folder_need_not_be_there(repository: Path) -> None:
    check_separation((str(repository / "run"), str(repository / "run/deep/er")))


def test_a_folder_that_git_sees_is_refused_by_name(repository: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        check_separation((str(repository / "run"), str(repository / "out"), str(repository / "more")))
    lines = caught.value.message.splitlines()
    assert [line.split(":")[0] for line in lines] == [str(repository / "more"), str(repository / "out")]
    assert caught.value.exit_code == 2


def test_a_link_counts_by_where_it_leads(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository / "out")
    with pytest.raises(ConfigError, match="repo/out: lies in a git work tree"):
        check_separation((str(tmp_path / "link"),))
    (repository / "outside").symlink_to(tmp_path / "elsewhere")
    check_separation((str(repository / "outside"),))


def test_a_nested_repository_decides_for_itself(repository: Path) -> None:
    nested = repository / "run" / "nested"
    nested.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(nested)], check=True)
    with pytest.raises(ConfigError, match="nested/out"):
        check_separation((str(nested / "out"),))


def test_a_variable_of_git_does_not_lead_astray(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    check_separation((str(repository / "run"),))


def test_a_file_that_is_tracked_is_not_ignored_whatever_gitignore_says(repository: Path) -> None:
    (repository / "run").mkdir()
    for name in ("port", "other"):
        (repository / "run" / name).touch()
    files = tuple(str(repository / "run" / name) for name in ("port", "other"))
    check_separation((), files)
    subprocess.run(["git", "-C", str(repository), "add", "-f", "run/port"], check=True)
    with pytest.raises(ConfigError) as caught:
        check_separation((), files)
    assert caught.value.message == f"{repository}/run/port: lies in a git work tree and git does not ignore it"


def test_a_file_is_asked_for_by_its_own_name(repository: Path) -> None:
    """Lists of hashes may lie where the video may not."""
    (repository / ".gitignore").write_text("*.mkv\n")
    check_separation((), (str(repository / "golden/reference.mkv"),))
    with pytest.raises(ConfigError, match="reference.mov"):
        check_separation((), (str(repository / "golden/reference.mov"),))
