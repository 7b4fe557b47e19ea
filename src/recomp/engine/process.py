"""Running somebody else's program: no shell, its own process group, log files, limits, and nothing left behind.

Between the engine and the program stands a supervisor, a fork of the engine in a process group of its own. It adopts
what the program leaves behind (subreaper), and ends it all when the program ends or when the engine dies, even by
`kill -9`: it shares the lock of the work root, so no later run can start before that.
"""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple, NoReturn

from recomp.engine.files import naming, write_all
from recomp.errors import ToolError

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
#: between TERM and KILL
GRACE_S = 3.0
#: a program's log beyond this many bytes is cut, with a note
LOG_LIMIT_BYTES = 64 << 20
TAIL_BYTES = 8192
SECRET_LINE_BYTES = 1 << 16
REDACTED = b"[redacted]"
#: hex digits enough for a key, unless they are a content archive's name
KEY_LIKE = re.compile(rb"(?<![0-9A-Za-z])[0-9A-Fa-f]{32,}(?![0-9A-Za-z])(?!\.(?:cnmt\.)?nca\b)")


class Outcome(NamedTuple):
    """How a program ended. `code` is the exit status, or None when `signal` ended it."""

    code: int | None
    signal: int | None
    timed_out: bool
    duration_s: float
    stderr_tail: str

    @property
    def succeeded(self) -> bool:
        return self.code == 0 and not self.timed_out

    def describe(self) -> str:
        if self.timed_out:
            return f"ran into its time limit after {self.duration_s:.3g} s"
        if self.signal is not None:
            return f"was ended by signal {self.signal} ({signal.Signals(self.signal).name})"
        return f"ended with exit code {self.code}"


class Program:
    """A program that runs. Whoever starts one calls `finish`, whatever happens: then it and all it started are gone."""

    def __init__(
        self,
        argv: list[str],
        *,
        cwd: str,
        env: dict[str, str],
        stdout_path: str,
        stderr_path: str,
        confine: Callable[[], None] | None = None,
        secrets: tuple[bytes, ...] | None = None,
    ) -> None:
        self.argv = argv
        self.started = time.monotonic()
        self.has_ended = False
        import ctypes  # noqa: F401  loaded before the fork, so that children do not each load it

        engine = os.getpid()
        self._status = bytearray()
        opened: list[int] = []
        try:  # everything that a full disk may refuse comes before there is a child to look after
            self._logs = [_Log(path, secrets, opened) for path in (stdout_path, stderr_path)]
            self._status_fd, status_write = _pipe(opened)
            self._supervisor = os.fork()
        except OSError:
            for fd in opened:
                os.close(fd)
            raise
        out_write, err_write = (log.write_fd for log in self._logs)
        writing = (out_write, err_write, status_write)
        if self._supervisor == 0:
            for fd in opened:
                if fd not in writing:
                    os.close(fd)
            _supervise(engine, argv, cwd, env, out_write, err_write, status_write, confine)
        for fd in writing:
            os.close(fd)

    def fds(self) -> list[int]:
        return [self._status_fd, *(log.fd for log in self._logs if log.is_open)]

    def pump(self, ready: list[int]) -> None:
        """Copy what the streams in `ready` hold to the logs; notice the end."""
        for log in self._logs:
            if log.fd in ready:
                log.read()
        if self._status_fd in ready:
            chunk = os.read(self._status_fd, 4096)
            self._status += chunk
            self.has_ended = not chunk

    def runtime_s(self) -> float:
        return time.monotonic() - self.started

    def finish(self, *, timed_out: bool = False) -> Outcome:
        """End the program if it still runs. Raises ToolError if it could never be started."""
        os.kill(self._supervisor, signal.SIGTERM)  # not yet waited for, so that its number is still its own
        os.waitpid(self._supervisor, 0)
        while chunk := os.read(self._status_fd, 4096):
            self._status += chunk
        os.close(self._status_fd)
        try:
            self._logs[0].close()
        finally:
            self._logs[1].close()
        kind, _, detail = self._status.decode(errors="replace").partition(" ")
        if kind == "unstarted":
            raise ToolError(f"{self.argv[0]}: cannot be started: {detail}", hint="check the path and its permissions")
        number = int(detail) if detail else int(signal.SIGKILL)
        return Outcome(
            code=number if kind == "exit" else None,
            signal=None if kind == "exit" else number,
            timed_out=timed_out,
            duration_s=self.runtime_s(),
            stderr_tail=self._logs[1].tail.decode("utf-8", "replace"),
        )


def run_program(
    program: Program, *, timeout_s: float | None = None, poll: Callable[[float], None] | None = None
) -> Outcome:
    """Run a program to its end. `poll` is called with its age in seconds a few times a second and may raise."""
    timed_out = False
    try:
        while not program.has_ended and not timed_out:
            program.pump(select.select(program.fds(), [], [], 0.1)[0])
            age = program.runtime_s()
            if poll is not None:
                poll(age)
            timed_out = timeout_s is not None and age > timeout_s and not program.has_ended
    except BaseException:
        program.finish()
        raise
    return program.finish(timed_out=timed_out)


def run_programs(
    starters: Iterator[Callable[[], Program]], *, jobs: int, ended: Callable[[Program, Outcome], None]
) -> None:
    """Run programs, at most `jobs` at once; `ended` is called for each as it ends; if it raises, all are ended."""
    running: list[Program] = []
    try:
        while True:
            while len(running) < jobs and (start := next(starters, None)) is not None:
                running.append(start())
            if not running:
                return
            ready = select.select([fd for program in running for fd in program.fds()], [], [], 1.0)[0]
            for program in list(running):
                program.pump(ready)
                if program.has_ended:
                    running.remove(program)
                    ended(program, program.finish())
    finally:
        _finish_all(running)


def _finish_all(running: list[Program]) -> None:
    """Each, also when the end of one fails (a full disk)."""
    try:
        while running:
            running.pop().finish()
    finally:
        if running:
            _finish_all(running)


class _Log:
    """One stream of a program on its way to a file. With `secrets`, even none, it is written by whole
    lines, without them and without what looks like a key: extractors print the keys that they derive, too."""

    def __init__(self, path: str, secrets: tuple[bytes, ...] | None, opened: list[int]) -> None:
        """What it opens is added to `opened`."""
        self.is_open = True
        self.tail = b""
        self._left = LOG_LIMIT_BYTES
        self._secrets = secrets
        self._line = b""
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        opened.append(self._file)
        self.fd, self.write_fd = _pipe(opened)

    def read(self) -> None:
        chunk = os.read(self.fd, 1 << 16)
        self.is_open = bool(chunk)
        if self._secrets is not None:
            chunk = self._without_secrets(chunk)
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]
        if self._left > 0:
            with naming(self._path):
                write_all(self._file, chunk[: self._left])
                self._left -= len(chunk)
                if self._left <= 0:
                    write_all(self._file, b"\n[recomp: the rest of this log was left out]\n")

    def close(self) -> None:
        try:
            while self.is_open and select.select([self.fd], [], [], 0)[0]:
                self.read()
        finally:
            os.close(self.fd)
            os.close(self._file)

    def _without_secrets(self, chunk: bytes) -> bytes:
        """What can be written now: whole lines, or at the end all; a line that never ends is cut where it must."""
        held = self._line + chunk
        end = len(held) if not chunk else held.rfind(b"\n") + 1
        if not end and len(held) > SECRET_LINE_BYTES:
            end = len(held) - SECRET_LINE_BYTES // 2
            end = len(held[:end].rstrip(b"0123456789abcdefABCDEF")) or end  # a key stays whole
        ready, self._line = held[:end], held[end:]
        for secret in self._secrets or ():
            ready = re.sub(re.escape(secret), REDACTED, ready, flags=re.IGNORECASE)
        return KEY_LIKE.sub(REDACTED, ready)


def _pipe(opened: list[int]) -> tuple[int, int]:
    ends = os.pipe2(os.O_CLOEXEC)
    opened += ends
    return ends


# In the supervisor


#: blocked in the supervisor, and only ever waited for: a handler would be too late for a signal that comes just before
#: a call that blocks
_WAITED_FOR = {signal.SIGTERM, signal.SIGCHLD}


def _supervise(engine, argv, cwd, env, out_fd, err_fd, status_fd, confine) -> NoReturn:
    """Never returns."""
    code = 70
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
        os.setpgid(0, 0)
        for number in (signal.SIGINT, *_WAITED_FOR):
            signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
        _prctl(PR_SET_CHILD_SUBREAPER, 1)
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != engine:  # it died before we asked to be told
            os._exit(code)
        _run_child(engine, argv, cwd, env, out_fd, err_fd, status_fd, confine)
        code = 0
    finally:
        os._exit(code)


def _run_child(engine, argv, cwd, env, out_fd, err_fd, status_fd, confine) -> None:
    start_read, start_write = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        _exec_child(argv, cwd, env, out_fd, err_fd, start_write, confine)
    for fd in (start_write, out_fd, err_fd):
        os.close(fd)
    status = _wait(child)
    if status is None:
        status = _terminate(child, grace_s=GRACE_S if os.getppid() == engine else 0)
    elif refusal := os.read(start_read, 4096):
        os.write(status_fd, b"unstarted " + refusal)
        return
    _sweep(child)
    kind = (
        b"exit %d" % os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else b"signal %d" % os.WTERMSIG(status)
    )
    os.write(status_fd, kind)


def _wait(child: int) -> int | None:
    """The child's wait status once it has ended, or None once we are asked to end it."""
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        if signal.sigwaitinfo(_WAITED_FOR).si_signo == signal.SIGTERM:
            return None


def _exec_child(argv, cwd, env, out_fd, err_fd, start_write, confine) -> NoReturn:
    """Never returns: becomes the program, or reports why not through `start_write`."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(cwd)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (out_fd, 1), (err_fd, 2)):
            os.dup2(source, target)
        if confine is not None:
            confine()
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        os.write(start_write, (error.strerror or str(error)).encode())
    finally:
        os._exit(127)


def _terminate(child: int, *, grace_s: float) -> int:
    """TERM to the group, then KILL; the child's wait status."""
    _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    try:
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return status
            time.sleep(0.02)
        _signal_group(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1]
    except ChildProcessError:  # it had ended just before
        return signal.SIGTERM


def _sweep(child: int) -> None:
    """Kill what the program left running: its group, then whatever has been handed to us, until nothing is left."""
    _signal_group(child, signal.SIGKILL)
    while True:
        for pid in _children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def _signal_group(leader: int, number: int) -> None:
    if leader <= 0:
        return
    try:
        os.killpg(leader, number)
    except ProcessLookupError:  # gone, or not yet a leader
        try:
            os.kill(leader, number)
        except ProcessLookupError:
            pass
    except PermissionError:
        pass


def _prctl(option: int, value: int) -> None:
    import ctypes  # 16 ms, which a run that starts nothing need not pay

    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
