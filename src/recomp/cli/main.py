"""`recomp`: arguments, and the one place where errors become text and exit codes (docs/cli.md)."""

from __future__ import annotations

import sys

EXIT_INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    from recomp.errors import RecompError

    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return _dispatch(arguments)
    except RecompError as error:
        from recomp.cli.text import print_error

        print_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    """What the system refuses, and what should not happen at all."""
    import os

    from recomp.cli.text import print_error
    from recomp.errors import RecompError, system_error, system_hint

    if os.environ.get("RECOMP_TRACEBACK"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, OSError) and error.errno is not None:
        print_error(RecompError(system_error(error), hint=system_hint(error)))
    else:
        message = f"{type(error).__name__}: {error} [this is a bug]"
        print_error(RecompError(message, hint="RECOMP_TRACEBACK=1 shows where"))
    return 1


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
