"""`recomp`: arguments, and the one place where errors become text and exit codes (docs/cli.md)."""

from __future__ import annotations

import gc
import io
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recomp.errors import RecompError

EXIT_INTERRUPTED = 130
#: allocations before the collector looks for garbage: more than a run with nothing to do makes
FIRST_COLLECTION = 100_000


def entry() -> int:
    """The process `recomp`. Its objects live until it ends, so that looking for garbage among them would cost a tenth
    of a run with nothing to do."""
    gc.set_threshold(FIRST_COLLECTION)
    code = main()
    gc.freeze()
    return code


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without UTF-8 must not end a run
    try:
        code = _answer(arguments)
        sys.stdout.flush()  # who does not take it is noticed here, and not when the interpreter ends
        return code
    except BrokenPipeError:
        _drop_output()
        return 1
    except OSError as error:
        _drop_output()
        error.filename = "stdout"
        return _tell(_explained(error), [])


def _answer(arguments: list[str]) -> int:
    from recomp.errors import RecompError

    try:
        return _dispatch(arguments)
    except SystemExit as end:  # what argparse has said, it has said
        code = end.code if isinstance(end.code, int) else 1
        if hasattr(end, "message"):
            _document(arguments, {"error": end.message, "hint": getattr(end, "hint", None), "exit_code": code})
        return code
    except RecompError as error:
        return _tell(error, arguments)
    except KeyboardInterrupt:
        _document(arguments, {"error": "interrupted", "hint": None, "exit_code": EXIT_INTERRUPTED})
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:
        return _tell(_explained(error), arguments)


def _open_streams() -> None:
    """Whoever starts us with a stream closed wants nothing from it; no other file may come to stand at its number."""
    import os

    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))


def _drop_output() -> None:
    """What stdout still holds goes nowhere: the interpreter would try it again."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _tell(error: RecompError, arguments: list[str]) -> int:
    """The error in words; with --json also as the one document that stdout then has. Returns the exit code."""
    from recomp.cli.text import plain, print_error

    print_error(error)
    found = {"error": error.message, "hint": error.hint, "exit_code": error.exit_code}
    _document(arguments, {**found, "problems": plain(error)} if hasattr(error, "problems") else found)
    return error.exit_code


def _document(arguments: list[str], answer: dict[str, Any]) -> None:
    """With --json stdout has one document, whatever happens."""
    if "--json" in arguments:
        import json

        print(json.dumps(answer, indent=2))


def _explained(error: Exception) -> RecompError:
    """What the system refuses, and what should not happen at all."""
    import os

    from recomp.errors import RecompError, system_error, system_hint

    if os.environ.get("RECOMP_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno is not None:
        return RecompError(system_error(error), hint=system_hint(error))
    message = f"{type(error).__name__}: {error} [this is a bug]"
    return RecompError(message, hint="RECOMP_TRACEBACK=1 shows where")


def _dispatch(arguments: list[str]) -> int:
    if arguments[:2] == ["automate", "--config"] and len(arguments) == 3 and not arguments[2].startswith("-"):
        # The most frequent call by far: argparse alone would be a fifth of a run with nothing to do.
        from recomp.cli.automate import Options, command

        return command(Options(config=arguments[2]))
    from recomp.cli.arguments import parse

    options = parse(arguments)
    name, _, function = options.function.partition(":")
    module = __import__(f"recomp.cli.{name}", fromlist=["command"])
    return getattr(module, function or "command")(options)
