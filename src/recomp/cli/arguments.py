"""The commands and their options.

`argparse`, because it imports in a quarter of the time of the others; and only the parser of the command that was asked
for is built, because building all of them takes as long as a whole run with nothing to do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from recomp import __version__


class UsageError(SystemExit):
    """As argparse ends, with what it said."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(2)
        self.message, self.hint = message, hint


class _Parser(argparse.ArgumentParser):
    """Usage errors in our voice."""

    def error(self, message: str) -> NoReturn:
        print(f"recomp: error: {message}", file=sys.stderr)
        print(f"recomp: hint: {self.prog} --help", file=sys.stderr)
        raise UsageError(message, f"{self.prog} --help")


class Command(NamedTuple):
    """`function` is `module` or `module:function` in `recomp.cli`; `add` declares the options."""

    function: str
    summary: str
    add: Callable[[argparse.ArgumentParser], None]


def parse(arguments: list[str]) -> argparse.Namespace:
    """The options, with `function`, the command's. Exits 2 for a usage error, 0 after help or version."""
    if not arguments or arguments[0] not in COMMANDS:
        return _top().parse_args(arguments)
    options = parser_of(arguments[0]).parse_args(arguments[1:])
    options.function = COMMANDS[arguments[0]].function
    return options


def parser_of(name: str) -> argparse.ArgumentParser:
    command = COMMANDS[name]
    parser = _Parser(prog=f"recomp {name}", description=command.summary[:1].upper() + command.summary[1:] + ".")
    command.add(parser)
    return parser


def _top() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS)) + 2
    listing = "\n".join(f"  {name:<{width}}{command.summary}" for name, command in COMMANDS.items())
    parser = _Parser(
        prog="recomp",
        description="Static recompilation of AArch64 programs into native ports, proven frame by frame.",
        epilog=f"commands:\n{listing}\n\nrecomp COMMAND --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"recomp {__version__}")
    parser.add_argument("command", metavar="COMMAND", choices=list(COMMANDS), help="one of the commands below")
    return parser


def _json(parser: argparse.ArgumentParser, what: str = "the answer") -> None:
    parser.add_argument("--json", action="store_true", help=f"print {what} as one JSON document on stdout")


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", default="automation.toml", help="the automation.toml (default: in this folder)"
    )


def _project(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    _json(parser)


def _automate(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument("--until", metavar="STAGE", help="stop after this stage")
    parser.add_argument("--wait", action="store_true", help="wait for a run that holds the work root")
    parser.add_argument("--dry-run", action="store_true", help="only say what would run, and why")
    parser.add_argument("--exit-code", action="store_true", help="with --dry-run: exit 1 unless everything is cached")
    _json(parser, "the run manifest")


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", nargs="?", metavar="STAGE", help="only this stage, with all that decides it")
    parser.add_argument("--against", metavar="RUN", help="compare with that run (number or id) instead of the last")
    _project(parser)


def _run_number(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", type=_count, metavar="RUN", help="a number that recomp runs lists (default: the last)"
    )


def _status(parser: argparse.ArgumentParser) -> None:
    _run_number(parser)
    _project(parser)


def _log(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", metavar="STAGE")
    parser.add_argument("--stream", choices=("both", "stdout", "stderr"), default="both", help="default: both")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the run ends")
    _config(parser)


def _bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="FILE", default="recomp-bundle.tar", help="default: recomp-bundle.tar")
    _project(parser)


def _gc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-age", metavar="AGE", help="only those not used for so long, such as 30d")
    parser.add_argument("--max-size", metavar="SIZE", help="until the store is no larger, such as 10G")
    parser.add_argument("--yes", action="store_true", help="do it; without this it only says what it would do")
    _project(parser)


def _disown(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", metavar="TOOL[@VERSION]", help="a tool of the manifest; a version or a digest of it")
    _project(parser)


def _audit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stage", nargs="?", metavar="STAGE", help="only this one")
    _project(parser)


def _init(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("program", metavar="PROGRAM", help="a static AArch64 Linux ELF, or an NRO")
    parser.add_argument("--to", metavar="FOLDER", default=".", help="where to write it (default: here)")


def _port(parser: argparse.ArgumentParser) -> None:
    from recomp.stages.build import DEFAULT_JOBS
    from recomp.stages.port import LEVELS

    parser.add_argument("program", metavar="PROGRAM", help="a static AArch64 Linux ELF, or an NRO")
    parser.add_argument("-o", "--output", metavar="PORT", required=True, help="the executable to write")
    parser.add_argument("--name-map", metavar="FILE", help="names of functions (name_map.json)")
    parser.add_argument("--trace", metavar="FILE", help="branches that a port missed (RECOMP_RT_MISSES): lift them too")
    parser.add_argument(
        "--march", choices=list(LEVELS), help="processor to build for (default: the best that runs here)"
    )
    parser.add_argument(
        "--faults",
        choices=("frame", "all"),
        help="what a SIGSEGV handler of the program's is told exactly: pc, sp, x28 to x30; or every register (default: "
        "frame for Go; else the registers of the last call)",
    )
    parser.add_argument("--keep", metavar="FOLDER", help="keep the C project there")
    parser.add_argument("--jobs", type=int, metavar="N", default=DEFAULT_JOBS, help="compilers at once (default: 2)")


def _inspect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an NRO, NSO, ELF, NPDM, PFS0, HFS0, RomFS or NACP file")
    _json(parser, "the facts")


def _schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="without a name: list them")


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))


def _report(parser: argparse.ArgumentParser) -> None:
    _run_number(parser)
    parser.add_argument("--to", metavar="FILE", help="where to write it (default: report.html beside the manifest)")
    parser.add_argument("--open", action="store_true", help="show it in a browser")
    _project(parser)


def _accept(parser: argparse.ArgumentParser) -> None:
    _run_number(parser)
    parser.add_argument("--scene", required=True, metavar="NAME", help='a marker of the timeline; "*" = all before one')
    parser.add_argument("--because", required=True, metavar="TEXT", help="why the difference is right")
    parser.add_argument("--who", metavar="NAME", help="who decides (default: the user's name)")
    parser.add_argument("--platform", default="any", metavar="NAME", help="only for this platform (default: any)")
    parser.add_argument("--bad", action="store_true", help="it is a known bad one instead")
    _config(parser)


def _reference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("normalize", "record"), help="from a recording, or from the last run")
    parser.add_argument("video", nargs="?", metavar="VIDEO", help="normalize: the recording")
    parser.add_argument("--to", required=True, metavar="FOLDER", help="where to write it")
    parser.add_argument("--name", default="reference", help="its name in reports")
    parser.add_argument("--start", metavar="TIME", help="normalize: tick 0, HH:MM:SS.mmm or seconds (default: 0)")
    parser.add_argument("--end", metavar="TIME", help="normalize: where it ends (default: with the recording)")
    parser.add_argument("--marker", action="append", default=[], metavar="NAME=TIME", help="normalize: a scene begins")
    parser.add_argument("--crop", metavar="X,Y,W,H", help="normalize: the part of the picture that is the game")
    parser.add_argument("--audio-track", type=int, metavar="N", help="normalize: which one, counted from 0")
    parser.add_argument("--size", default="1280x720", metavar="WxH", help="normalize: pixels (default: 1280x720)")
    parser.add_argument("--fps", type=int, default=60, help="normalize: frames a second (default: 60)")
    parser.add_argument(
        "--update-rate", type=_positive, metavar="HZ", help="normalize: how often the game draws, if it is known"
    )
    _config(parser)


def _play(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", nargs="?", default="automation.toml", metavar="RUN_OR_CONFIG",
        help="an automation.toml, a folder with one, a run's folder, or a port (default: automation.toml)",
    )  # fmt: skip
    parser.add_argument("--record", metavar="FILE", help="write what is played as an input script")
    parser.add_argument(
        "--replay", nargs="?", const="", metavar="SCRIPT", help="watch a script (default: the project's)"
    )
    parser.add_argument("--from", dest="start", type=_count, default=0, metavar="TICK", help="begin the replay there")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, metavar="N", help="times real time; 0 = as fast as it goes"
    )
    parser.add_argument("--scale", type=_count, metavar="N", help="pixels of the window for one of the guest")


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number")
    return int(text)


def _speed(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 0 to 1000")
    return value


def _input(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("check", "record", "log"), help="a script; from a log; of the last run")
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="check: a script; record: inputs.jsonl or an evdev dump"
    )
    parser.add_argument("--to", metavar="FILE", default="input_script.toml", help="record: default input_script.toml")
    _config(parser)
    _json(parser)


def _batch(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        made = actions.add_parser(name, help=summary, description=summary[:1].upper() + summary[1:] + ".")
        if name not in ("init", "keygen"):
            made.add_argument("manifest", metavar="MANIFEST", help="the batch manifest, TOML or JSON")
            _json(made)
        return made

    init = action("init", "write a batch manifest for a folder of programs")
    init.add_argument("directory", metavar="DIR", help="programs, or folders with an automation.toml")
    init.add_argument("--to", metavar="FILE", help="the manifest to write (default: DIR/batch.toml)")
    for name, summary in (("run", "bring every title up to date"), ("retry", "try again what failed")):
        made = action(name, summary)
        made.add_argument("--title", action="append", default=[], metavar="ID", help="only this title (repeatable)")
        made.add_argument("--jobs", type=_positive, metavar="N", help="titles at once (default: as many as cores)")
        made.add_argument("--memory", type=_positive, metavar="MB", help="memory to use (default: most of the free)")
        made.add_argument("--wait", action="store_true", help="wait for a run of the same batch")
        made.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, such as tls://host:8786")
        made.add_argument(
            "--slurm", metavar="OPTIONS", nargs="?", const="", help="run by sbatch, --slurm=OPTIONS with these"
        )
        made.add_argument("--store", metavar="URL", help="where artifacts go: file:///folder or s3://bucket/prefix")
        made.add_argument("--tls", metavar="FOLDER", help="certificates, as recomp cluster certs makes them")
        if name == "retry":
            made.add_argument("--failed", action="store_true", help="what failed, and what was set aside")
    approve = action("approve", "sign for what the batch is going to run")
    approve.add_argument("--key", metavar="FILE", required=True, help="your private key, as keygen writes it")
    approve.add_argument("--who", metavar="NAME", help="who signs (default: the user's name)")
    approve.add_argument("--days", type=_positive, default=7, metavar="N", help="how long it counts (default: 7)")
    approve.add_argument(
        "--to", metavar="FILE", help="the record to write (default: approval.json beside the manifest)"
    )
    keygen = action("keygen", "make a key to approve batches with")
    keygen.add_argument("file", metavar="FILE", help="the private key to write; the public one is printed")
    action("status", "say where every title stands").add_argument("--all", action="store_true", help="list all titles")
    action("cancel", "stop the run that is under way")
    report = action("report", "write the page of the batch")
    report.add_argument("--to", metavar="FILE", help="where to write it (default: batch-report.html in the work root)")
    report.add_argument("--open", action="store_true", help="show it in a browser")


def _served(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tags", default="build,capture", metavar="TAGS", help="what its workers are for, of build, "
                        "capture, gpu, private (default: build,capture)")  # fmt: skip
    parser.add_argument("--store", metavar="URL", help="where artifacts go; overrides what the batch says")
    parser.add_argument("--inputs", metavar="FOLDER", help="programs that must not travel, found by their hash")
    parser.add_argument("--policy", metavar="FILE", help="this machine's own [policy]; the stricter of both counts")
    parser.add_argument("--tls", metavar="FOLDER", help="certificates, as recomp cluster certs makes them")


def _worker(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", metavar="ADDRESS", help="the scheduler's, such as tls://host:8786")
    parser.add_argument("--folder", default="recomp-worker", metavar="FOLDER", help="where it works")
    _served(parser)


def _cluster(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    up = actions.add_parser("up", help="start a scheduler and workers on this machine")
    up.add_argument("--workers", type=_positive, default=2, metavar="N", help="default: 2")
    up.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: 127.0.0.1)")
    up.add_argument("--port", type=_positive, metavar="PORT", help="default: one that is free")
    up.add_argument("--folder", default="recomp-cluster", metavar="FOLDER", help="where its workers work")
    _served(up)
    certs = actions.add_parser("certs", help="make certificates for a machine of the cluster")
    certs.add_argument("folder", metavar="FOLDER")
    certs.add_argument("--name", action="append", metavar="NAME", help="a host name or address of it (repeatable)")


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number >= 1")
    return int(text)


COMMANDS = {
    "automate": Command("automate", "run every stage that is not up to date", _automate),
    "explain": Command("explain", "say why each stage would run or be reused", _explain),
    "check": Command("check", "say what is wrong with configuration, inputs and folders", _project),
    "status": Command("history:status", "say how far the last run, or another one, is", _status),
    "runs": Command("history:runs", "list the runs of this work root", _project),
    "log": Command("history:log", "print what a stage wrote", _log),
    "report": Command("judge:report", "write the page of the last run, or of another", _report),
    "accept": Command("judge:accept", "approve a difference that is right", _accept),
    "play": Command("play", "play a port in a window, or watch a replay of it", _play),
    "input": Command("input", "check an input script, make one, or list what the last run read", _input),
    "reference": Command("footage", "make a reference of a recording or of the last run", _reference),
    "bundle": Command("bundle", "pack what of the last run may be shown to others", _bundle),
    "gc": Command("store:gc", "remove results that no manifest names", _gc),
    "disown": Command("store:disown", "forget every result that a tool had a part in", _disown),
    "audit": Command("store:audit", "run stages again and compare byte for byte", _audit),
    "batch": Command("batch", "run a catalogue of titles", _batch),
    "worker": Command("cluster:worker", "serve a cluster's scheduler", _worker),
    "cluster": Command("cluster", "start a cluster, or make certificates for one", _cluster),
    "port": Command("port", "recompile a program into an executable, without a project", _port),
    "isa": Command("isa", "list which instructions are translated, tested, and out of scope", _json),
    "inspect": Command("inspect", "show what a program, archive or other console file is", _inspect),
    "init": Command("init", "write a project for a program, ready to run", _init),
    "doctor": Command("doctor", "look whether everything that a run needs is there", _json),
    "schema": Command("schema", "print the JSON Schema of a file", _schema),
    "completion": Command("completion", "print a completion script for a shell", _completion),
}
