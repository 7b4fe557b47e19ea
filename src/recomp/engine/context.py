"""What a stage is given when it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from recomp.engine.files import naming
from recomp.engine.reporter import Reporter
from recomp.engine.stage import Stage
from recomp.engine.store import Store
from recomp.errors import StageError

if TYPE_CHECKING:
    from recomp.engine.process import Outcome

TAIL_LINES = 20


class Interrupted(BaseException):
    """The user, or the system, wants the run to end: exit code 130."""


class Context:
    """A running stage's view of the engine: where to write, how to start programs, how to tell its progress."""

    def __init__(
        self,
        stage: Stage,
        *,
        scratch: str,
        log_dir: str,
        cwd: str,
        env: dict[str, str],
        store: Store,
        reporter: Reporter,
        settled: Callable[[], list[tuple[dict[str, Any], list[dict[str, Any]]]]],
        is_audit: bool = False,
        limit_s: float | None = None,
        secrets: tuple[bytes, ...] | None = None,
    ) -> None:
        self.stage = stage
        self.scratch = scratch
        self.log_dir = log_dir
        self.cwd = cwd
        self.env = env
        self.store = store
        self.secrets = secrets
        self.limit_s = limit_s  # of the stage and of what is left of the run
        self.is_audit = is_audit  # then nothing may be taken from earlier results
        self._settled = settled
        self._reporter = reporter
        self.confinement: str | None = None  # "landlock" or "none", once a program of somebody else's was started

    def out(self, name: str) -> str:
        """Where to write the declared output `name`: a path in the scratch folder, moved into place on success."""
        assert any(output.name == name for output in self.stage.outputs), name
        return os.path.join(self.scratch, name)

    def write(self, name: str, data: bytes) -> None:
        """Write the declared output `name`, a file."""
        path = self.out(name)
        with naming(path), open(path, "wb") as file:
            file.write(data)

    def progress(self, done: float, total: float | None = None, text: str = "") -> None:
        self._reporter.progress(self.stage.name, done, total, text)

    def message(self, text: str) -> None:
        """Say something now, while the stage runs."""
        self._reporter.message(self.stage.name, text)

    def records(self) -> list[dict[str, Any]]:
        """The records of the stages before this one."""
        return [record for record, _ in self._settled()]

    def artifacts(self) -> list[dict[str, Any]]:
        """What the stages before this one made, as the manifest lists it."""
        return [artifact for _, artifacts in self._settled() for artifact in artifacts]

    def log_path(self, stream: str) -> str:
        return os.path.join(self.log_dir, f"{self.stage.name}.{stream}.log")

    def run_program(
        self,
        argv: list[str],
        *,
        env: dict[str, str] | None = None,
        timeout_s: float | None = None,
        poll: Callable[[float], None] | None = None,
        confine: Callable[[], None] | None = None,
    ) -> Outcome:
        """Run a program with this stage's environment and log files; the caller judges how it ended."""
        from recomp.engine.process import Program, run_program

        self.confinement = "landlock" if confine else "none"
        program = Program(
            argv,
            cwd=self.cwd,
            env=self.env if env is None else env,
            stdout_path=self.log_path("stdout"),
            stderr_path=self.log_path("stderr"),
            confine=confine,
            secrets=self.secrets,
        )
        return run_program(program, timeout_s=timeout_s, poll=poll)

    def check(self, outcome: Outcome, what: str) -> None:
        """Raise StageError with the last lines of stderr unless the program succeeded."""
        if not outcome.succeeded:
            raise StageError(
                f"{self.stage.name}: {what} {outcome.describe()}{tail(outcome.stderr_tail)}",
                hint=f"its whole output is in {self.log_path('stderr')}"
                + ("; [run.timeouts] and policy.max_runtime_minutes are the limits" if outcome.timed_out else ""),
            )


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last lines of a log, as the end of an error message; nothing if there are none."""
    kept = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
    return "".join(f"\n    {line}" for line in kept)


def command_runner(
    command: list[str], *, timeout_s: float | None, bounds: Callable[[str], Callable[[], None] | None] | None = None
) -> Callable[[Context], Any]:
    """The `run` of a stage whose work is a command of the user's. `bounds` makes its confinement when it is run, for a
    folder of its own that is its TMPDIR and gone afterwards."""

    def run(context: Context) -> Any:
        from recomp.engine.stage import Result

        env, confine = context.env, None
        if bounds is not None:
            temporary = os.path.join(context.scratch, "tmp")
            os.mkdir(temporary, 0o700)
            env, confine = {**env, "TMPDIR": temporary}, bounds(temporary)
        limit_s = timeout_s if context.limit_s is None else context.limit_s
        outcome = context.run_program(command, env=env, timeout_s=limit_s, confine=confine)
        context.check(outcome, f"command {command[0]!r}")
        return Result(found=f"{os.path.basename(command[0])} succeeded")

    return run
