"""A stage that runs again under its old key may make something else; nothing that was made from the old is then used,
whatever ended the run in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.toy import Toy
from recomp.engine.store import Store

#: a command whose result differs each time it runs, and says so in what it makes
SCRIPT = """\
#!/bin/sh
set -eu
echo "$1" >> "$TOY/ran"
mkdir -p "$TOY/out/$1"
[ "$1" != c ] || [ ! -e "$TOY/die" ] || kill -9 "$PPID"
name=$1; shift 2
{ if [ "$name" = b ]; then date +%s%N; fi; for file in "$@"; do cat "$file"; done; } > "$TOY/out/$name/file"
"""


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    """a (built in) → b (another result each time) → c (a command) → d (built in)."""
    (tmp_path / "stage.sh").write_text(SCRIPT)
    (tmp_path / "stage.sh").chmod(0o755)
    toy = Toy(tmp_path).add("a").add("b", after=("a",), kind="command").add("c", after=("b",), kind="command")
    toy.add("d", after=("c",))
    toy.write()
    return toy


def lose(toy: Toy, name: str) -> None:
    """The record of a stage's result, as damage does."""
    store = Store(toy.plan().layout.store_dir)
    key = next(record["cache_key"] for record in store.actions() if record["step"] == name)
    store.drop_action(key)


def is_consistent(toy: Toy) -> bool:
    """Everything is made from the b that is there now."""
    made = toy.product("b").read_bytes()
    return made in toy.product("c").read_bytes() and made in toy.product("d").read_bytes()


def interrupted_before(toy: Toy, name: str) -> None:
    """A run that is cut off when the stage `name` would begin."""

    class Cut(BaseException):
        pass

    def cut(context) -> None:
        raise Cut

    stages = tuple(s._replace(run=cut) if s.name == name else s for s in toy.plan().stages(b""))
    with pytest.raises(Cut):
        toy.run(stages=lambda evidence: stages)


def test_a_command_that_ran_again_before_a_kill_leaves_nothing_old_behind_it(toy: Toy) -> None:
    toy.run()
    old = toy.product("b").read_bytes()
    lose(toy, "b")
    interrupted_before(toy, "c")
    assert toy.product("b").read_bytes() != old
    toy.ran()
    toy.run()
    assert toy.ran() == ["c", "d"]
    assert is_consistent(toy)
    toy.run()
    assert toy.ran() == []


def test_the_same_one_stage_later(toy: Toy) -> None:
    """The built-in stage behind the commands reads only declared outputs; it must not be spared either."""
    toy.run()
    lose(toy, "b")
    interrupted_before(toy, "d")
    toy.ran()
    toy.run()
    assert toy.ran() == ["d"]
    assert is_consistent(toy)


def test_the_same_with_the_cache_switched_off_and_on_again(toy: Toy) -> None:
    toy.run()
    stages = toy.plan().stages(b"")
    toy.run(resume=False, stages=lambda evidence: stages[:2])
    toy.ran()
    toy.run()
    assert toy.ran() == ["c", "d"]
    assert is_consistent(toy)


def test_going_back_to_an_earlier_configuration_finds_only_what_fits(toy: Toy) -> None:
    """What another configuration of a later stage once made from the old result is not taken up again."""
    toy.run()
    toy.stages[3]["text"] = "other"
    toy.run()
    lose(toy, "b")
    toy.run()
    toy.ran()
    toy.stages[3]["text"] = "d"
    toy.run()
    assert toy.ran() == ["d"]
    assert is_consistent(toy)


def test_a_declared_stage_that_makes_the_same_again_still_spares_what_follows(toy: Toy) -> None:
    toy.run()
    toy.ran()
    lose(toy, "a")
    toy.run()
    assert toy.ran() == ["a"]


def test_two_work_roots_on_one_store_take_whole_chains(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The results of one root serve the other, because they were made from each other."""
    monkeypatch.setenv("RECOMP_CACHE_DIR", str(tmp_path / "store"))
    toy.run()
    toy.ran()
    shutil.rmtree(tmp_path / "out")
    toy.run()
    assert toy.ran() == []
    assert is_consistent(toy)
