"""Runs an NRO on the independent oracle and writes down what it showed, sounded, said and asked.

    python -m tests.oracle FILE.nro [--input SCRIPT] [--ticks N] [--card FOLDER] [--argv PATH] [--fw 9.0.0]
                           [--json OUT] [--wav OUT] [--pictures PREFIX --at 0,59,119] [--seconds 600]

SCRIPT has lines `TICK TYPE CODE VALUE` (Linux input numbers: 103 is up, 44 A, 45 B, 28 plus, 1 minus), the form that
the ports read too. The card's folder is used as it is and written to; the program is copied into it under its argv path
(default `sdmc:/switch/NAME.nro`).

JSON: `exit` {kind: return | exit | break | fatal | limit | fault | deadlock, code, detail}, `ticks`, `frames` (one hash
a tick, of what was shown at its end, as ARCHITECTURE.md defines frame hashes), `audio` (one hash a tick; empty without
sound), `queued` (pictures the program sent), `text` (what it said on the debug channel), `svc` {number: count}, `ipc`
{"interface command": count, also "binder N", "ioctl PATH N"}, `services` {name: count}, `unknown` {what: count},
`uses_gpu`. Exit code: 0, also for a program that fails; 2 for a file that is no NRO or a script that is none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

from tests.oracle.run import Options, Oracle, Report
from tests.oracle.services.hid import read_script
from tests.oracle.services.sound import RATE, hash_chunks


def main() -> int:
    options = _arguments()
    try:
        report = play(options)
    except (OSError, ValueError) as error:
        print(f"oracle: error: {error}", file=sys.stderr)
        return 2
    facts = summary(report)
    if options.json:
        options.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    else:
        print(json.dumps({key: facts[key] for key in facts if key not in ("frames", "audio")}, indent=1))
    if options.wav and len(report.samples):
        write_wav(options.wav, report)
    if options.pictures:
        write_pictures(options.pictures, report)
    print(
        f"{options.nro.name}: {report.exit.kind} {report.exit.code:#x} {report.exit.detail}".rstrip(), file=sys.stderr
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__.splitlines()[0])
    parser.add_argument("nro", type=Path)
    parser.add_argument("--input", type=Path, metavar="SCRIPT")
    parser.add_argument("--ticks", type=int, default=600, metavar="N", help="the most to play (default 600)")
    parser.add_argument("--card", type=Path, metavar="FOLDER", help="the SD card (default: an empty one)")
    parser.add_argument("--argv", default="", metavar="PATH")
    parser.add_argument("--fw", default="9.0.0", metavar="VERSION")
    parser.add_argument("--json", type=Path, metavar="OUT")
    parser.add_argument("--wav", type=Path, metavar="OUT")
    parser.add_argument("--pictures", metavar="PREFIX")
    parser.add_argument("--at", default="", metavar="TICKS", help="comma-separated, for --pictures")
    parser.add_argument("--seconds", type=float, default=600.0, help="wall-clock limit")
    return parser.parse_args()


def play(options: argparse.Namespace) -> Report:
    script = tuple(read_script(options.input)) if options.input else ()
    nro = options.nro.read_bytes()
    argv = options.argv or f"sdmc:/switch/{options.nro.name}"
    version = tuple(int(part) for part in options.fw.split("."))
    if len(version) != 3:
        raise ValueError(f"--fw {options.fw}: expected three numbers")
    keep = tuple(int(part) for part in options.at.split(",") if part)
    wanted = Options(script, options.ticks, options.seconds, version, argv)
    if options.card:
        return run_on_card(nro, options.card, wanted, keep)
    with tempfile.TemporaryDirectory() as folder:
        return run_on_card(nro, Path(folder), wanted, keep)


def run_on_card(nro: bytes, card: Path, options: Options, keep: tuple[int, ...] = ()) -> Report:
    """Put the program on the card, where it looks for itself, and play it."""
    place = card / (options.argv or "sdmc:/switch/program.nro").split(":", 1)[-1].split(" ")[0].strip('"/')
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(nro)
    return Oracle(nro, card, options, keep).run()


def summary(report: Report) -> dict[str, Any]:
    """The JSON's content."""
    end = report.exit
    return {
        "exit": {"kind": end.kind, "code": end.code, "detail": end.detail},
        "ticks": report.ticks,
        "queued": report.queued,
        "frames": report.frames,
        "audio": hash_chunks(report.samples),
        "text": report.text,
        "svc": {f"{number:#04x}": count for number, count in sorted(report.svc.items())},
        "ipc": dict(sorted(report.ipc.items())),
        "services": dict(sorted(report.services.items())),
        "unknown": dict(sorted(report.unknown.items())),
        "uses_gpu": report.uses_gpu,
    }


def write_wav(path: Path, report: Report) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(report.samples.astype("<i2").tobytes())


def write_pictures(prefix: str, report: Report) -> None:
    from PIL import Image

    for tick, picture in report.pictures.items():
        Image.fromarray(picture).save(f"{prefix}{tick:05d}.png")


if __name__ == "__main__":
    sys.exit(main())
