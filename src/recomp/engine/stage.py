"""What a stage is: a name, what it reads, what it makes, and how it runs.

The engine derives everything else from these declarations: cache key, reason to run, restored outputs, explanations.
It is given `Stage` objects and knows nothing of guests, C or media.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from recomp.errors import RecompError

if TYPE_CHECKING:
    from recomp.engine.context import Context

#: from the one that may go nowhere to the one that may go anywhere
ASSET_CLASSES = ("proprietary", "derived", "generated", "public")


class Input(NamedTuple):
    """A file or folder that a stage reads and that no stage before it declares as an output."""

    name: str
    path: str
    optional: bool = False


class Output(NamedTuple):
    """A file or folder (`tree`) that a stage makes. A tree belongs to its stage whole: files that the stage did not
    make are removed from it. `role` and `asset_class` go into the manifest."""

    name: str
    path: str
    tree: bool = False
    role: str = ""
    asset_class: str = "derived"
    optional: bool = False


class Tool(NamedTuple):
    """Something outside the inputs that decides what a stage makes. `identity` is a content digest and enters the
    cache key; `version` is for people. What is a part of the program itself is `internal`, and not listed apart."""

    name: str
    version: str | None
    identity: str
    internal: bool = False


class Result(NamedTuple):
    """What a stage has to say when it is done. `found` is the end of its line on the terminal; `again` asks for
    another round with what this run learnt; with `failure` the stage has failed, but what it made is kept."""

    found: str = ""
    notes: tuple[str, ...] = ()
    again: bool = False
    failure: RecompError | None = None


class Stage(NamedTuple):
    """One step of the pipeline.

    `config` is the part of the configuration that it reads, as plain values. `after` names the stages whose outputs it
    reads. `command` is set when a command of the user's replaces the built-in: its effects are only known after it ran,
    so that everything in `watch` (folders) which it wrote counts as its output.
    """

    name: str
    run: Callable[[Context], Result]
    inputs: tuple[Input, ...] = ()
    config: dict[str, Any] = {}
    tools: tuple[Tool, ...] = ()
    after: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = ()
    command: tuple[str, ...] | None = None
    watch: tuple[str, ...] = ()
    timeout_s: float | None = None
    cacheable: bool = True
