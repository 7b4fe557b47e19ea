"""The commands and their options. `argparse`, because it imports in a quarter of the time of the others."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from recomp import __version__


class _Parser(argparse.ArgumentParser):
    """Usage errors in our voice, and only those of the command that was meant."""

    def error(self, message: str) -> NoReturn:
        print(f"recomp: error: {message}", file=sys.stderr)
        print(f"recomp: hint: {self.prog} --help", file=sys.stderr)
        sys.exit(2)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Exits 2 for a usage error, 0 after help or version."""
    return build_parser().parse_args(arguments)


def build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="recomp", description="Static recompilation of AArch64 programs, proven frame by frame.")
    parser.add_argument("--version", action="version", version=f"recomp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    _automate(commands)
    _look(commands)
    _store(commands)
    _start(commands)
    return parser


def _command(commands, name: str, module: str, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:] + ".")
    parser.set_defaults(module=module)
    return parser


def _json(parser: argparse.ArgumentParser, what: str = "the answer") -> None:
    parser.add_argument("--json", action="store_true", help=f"print {what} as one JSON document on stdout")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", default="automation.toml", help="the automation.toml (default: in this folder)"
    )


def _automate(commands) -> None:
    parser = _command(commands, "automate", "automate", "run every stage that is not up to date")
    _config(parser)
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage")
    parser.add_argument("--wait", action="store_true", help="wait for a run that holds the work root")
    parser.add_argument("--dry-run", action="store_true", help="only say what would run, and why")
    parser.add_argument("--exit-code", action="store_true", help="with --dry-run: exit 1 unless everything is cached")
    _json(parser, "the run manifest")


def _look(commands) -> None:
    parser = _command(commands, "explain", "explain", "say why each stage would run or be reused")
    parser.add_argument("stage", nargs="?", metavar="STAGE", help="only this stage, with all that decides it")
    parser.add_argument("--against", type=int, metavar="RUN", help="compare with that run instead of the last")
    _config(parser)
    _json(parser)
    parser = _command(commands, "check", "check", "say what is wrong with configuration, inputs and folders")
    _config(parser)
    _json(parser)
    parser = _command(commands, "status", "history:status", "say how far the last run, or another one, is")
    parser.add_argument("run", nargs="?", type=int, metavar="RUN", help="a number that recomp runs lists")
    _config(parser)
    _json(parser)
    parser = _command(commands, "runs", "history:runs", "list the runs of this work root")
    _config(parser)
    _json(parser)
    parser = _command(commands, "log", "history:log", "print what a stage wrote")
    parser.add_argument("stage", metavar="STAGE")
    parser.add_argument("--stream", choices=("both", "stdout", "stderr"), default="both", help="default: both")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends")
    _config(parser)


def _store(commands) -> None:
    parser = _command(commands, "gc", "store:gc", "remove results that no manifest names")
    parser.add_argument("--max-age", metavar="AGE", help="only those not used for so long, such as 30d")
    parser.add_argument("--max-size", metavar="SIZE", help="until the store is no larger, such as 10G")
    parser.add_argument("--yes", action="store_true", help="do it; without this it only says what it would do")
    _config(parser)
    _json(parser)
    parser = _command(commands, "disown", "store:disown", "forget every result that a tool had a part in")
    parser.add_argument("tool", metavar="TOOL[@VERSION]", help="a tool of the manifest; a version or a digest of it")
    _config(parser)
    _json(parser)
    parser = _command(commands, "audit", "store:audit", "run built-in stages again and compare byte for byte")
    parser.add_argument("stage", nargs="?", metavar="STAGE", help="only this one")
    _config(parser)
    _json(parser)


def _start(commands) -> None:
    parser = _command(commands, "init", "init", "write a project for a program, ready to run")
    parser.add_argument("program", metavar="PROGRAM", help="a static AArch64 Linux ELF")
    parser.add_argument("--to", metavar="FOLDER", default=".", help="where to write it (default: here)")
    parser = _command(commands, "doctor", "doctor", "look whether everything that a run needs is there")
    _json(parser)
    parser = _command(commands, "schema", "schema", "print the JSON Schema of a file")
    parser.add_argument("name", nargs="?", metavar="NAME", help="without a name: list them")
    parser = _command(commands, "completion", "completion", "print a completion script for a shell")
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
