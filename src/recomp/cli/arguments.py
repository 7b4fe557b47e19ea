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
    return parser


def _command(commands, name: str, module: str, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:] + ".")
    parser.set_defaults(module=module)
    return parser


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", default="automation.toml", help="the automation.toml (default: in this folder)"
    )


def _automate(commands) -> None:
    parser = _command(commands, "automate", "automate", "run every stage that is not up to date")
    _config(parser)
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage")
    parser.add_argument("--wait", action="store_true", help="wait for a run that holds the work root")
    parser.add_argument("--json", action="store_true", help="print the run manifest as one JSON document on stdout")
