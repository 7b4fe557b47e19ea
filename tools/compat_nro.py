"""Console homebrew that nobody here wrote: recompiled, and compared with an emulator on the same input.

Every NRO of a folder is recompiled and played headless; an oracle (a program with the command line below, which shares
no code with us) plays it too. At every vsync the picture on the display must be the same, and so must the sound.

    python tools/compat_nro.py NROS ORACLE [--ticks N] [--update] [NAME...]   # --update rewrites docs/compatibility.md

The oracle is called as `python ORACLE FILE.nro --frames N --input '50-54:A,...' --dumpat 1,...,N --sd FOLDER --json OUT
--wav OUT`. It says in JSON `exit`, and `hashes`: [vsync, queued frames, first 12 digits of the SHA-1 of the RGB bytes].
It shows a frame as soon as it is queued, the port at the vsync after those queued before it, as a console does: so the
port's pictures may be a few vsyncs later, and what it is to answer has to be pressed a vsync or two earlier or later:
always the same number for a program.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import wave
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from recomp.media.recording import Recording  # noqa: E402

PAGE = ROOT / "docs" / "compatibility.md"
WORK = ROOT / ".cache" / "nro"
HEADING = "## Console homebrew"
MOST_LATE = 4  # vsyncs
MOST_ROUNDS = 8  # of building again with what the run before discovered
TIMEOUT_S = 400
KEYS = {"A": 44, "B": 45, "X": 30, "Y": 31, "L": 16, "R": 17, "PLUS": 28, "MINUS": 1}
KEYS |= {"UP": 103, "DOWN": 108, "LEFT": 105, "RIGHT": 106}
#: (first vsync, vsync after the last, button): what everybody gets to see; PLUS is how homebrew is left
SCRIPT = (
    (130, 133, "RIGHT"), (137, 140, "DOWN"), (144, 147, "A"), (151, 154, "RIGHT"), (158, 161, "X"), (165, 168, "LEFT"),
    (172, 175, "UP"), (179, 182, "B"), (186, 189, "Y"), (195, 199, "PLUS"),
)  # fmt: skip


@dataclass(frozen=True)
class Played:
    """What one side showed: picture hashes by vsync (None = nothing yet), sound without silence, how it ended."""

    pictures: list[str | None]
    sound: bytes
    ending: str
    unknown: list[str] = field(default_factory=list)


def play_oracle(oracle: Path, nro: Path, folder: Path, ticks: int) -> Played:
    out, wav, card = folder / "oracle.json", folder / "oracle.wav", folder / "card"
    shutil.rmtree(card, ignore_errors=True)
    wav.unlink(missing_ok=True)
    presses = ",".join(f"{first}-{last}:{button}" for first, last, button in SCRIPT)
    vsyncs = ",".join(str(n) for n in range(1, ticks + 1))
    command = [sys.executable, str(oracle), str(nro), "--frames", str(ticks), "--input", presses, "--dumpat", vsyncs]
    command += ["--timeout", str(TIMEOUT_S), "--sd", str(card), "--json", str(out), "--wav", str(wav)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S + 60)
    if done.returncode:
        return Played([], b"", f"oracle failed: {done.stderr.strip().splitlines()[-1:]}")
    facts = json.loads(out.read_text())
    pictures: list[str | None] = [None] * ticks
    for vsync, _, digest in facts["hashes"]:
        pictures[vsync - 1] = digest
    sound = b""
    if wav.exists():
        with wave.open(str(wav), "rb") as file:
            sound = file.readframes(file.getnframes())
    return Played(pictures, without_silence(sound), str(facts["exit"]))


def without_silence(sound: bytes) -> bytes:
    """Sample frames of 16-bit stereo that are not zero: where nothing was queued both sides differ."""
    frames = np.frombuffer(sound[: len(sound) // 4 * 4], dtype=np.uint32)
    return frames[frames != 0].tobytes()


def build_port(nro: Path, folder: Path, misses: Path) -> Path:
    port = folder / "port"
    command = [sys.executable, "-m", "recomp", "port", str(nro), "-o", str(port)]
    command += ["--trace", str(misses)] if misses.exists() else []
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"{nro.name}: recomp port failed with exit code {done.returncode}\n{done.stderr[-2000:]}")
    return port


def compile_input(late: int) -> str:
    events = [(first - 1 + late, KEYS[button], 1) for first, _, button in SCRIPT]
    events += [(last - 1 + late, KEYS[button], 0) for _, last, button in SCRIPT]
    return "".join(f"{tick} 1 {code} {value}\n" for tick, code, value in sorted(events))


def play_port(port: Path, nro: Path, folder: Path, misses: Path, ticks: int, late: int) -> Played:
    recording, root = folder / f"recording-{late}", folder / "root"
    for path in (recording, root):
        shutil.rmtree(path, ignore_errors=True)
    recording.mkdir()
    (root / "sdmc" / "switch").mkdir(parents=True)
    shutil.copy(nro, root / "sdmc" / "switch")
    script = folder / "input"
    script.write_text(compile_input(late))
    env = {"RECOMP_RT_RECORD": str(recording), "RECOMP_RT_ROOT": str(root), "RECOMP_RT_INPUT": str(script)}
    env |= {"RECOMP_RT_MAX_TICKS": str(ticks), "RECOMP_RT_MISSES": str(misses), "RECOMP_RT_REALTIME": "0"}
    subprocess.run([str(port)], env=env, capture_output=True, timeout=TIMEOUT_S)
    found = Recording(recording)
    run = found.run()
    pictures: list[str | None] = []
    if run.video:
        digest, shown = "", False
        for frame in found.frames():
            if not frame.is_repeat:
                digest, shown = hashlib.sha1(frame.pixels[..., :3].tobytes()).hexdigest()[:12], True
            pictures.append(digest if shown else None)
    audio = found.audio()
    sound = without_silence(audio.samples.astype("<i2").tobytes()) if audio else b""
    unknown = [name for name, _ in sorted(run.unknown_commands.items())]
    return Played(pictures, sound, f"{run.exit.kind}: {run.exit.detail}", unknown)


def compare(theirs: Played, ours: Played, late: int) -> tuple[int, int, str]:
    """(vsyncs compared, of them equal, the first difference or "") with the port's pictures that many vsyncs later."""
    compared = equal = 0
    first = ""
    # The oracle tells of vsync n before it lets the program go on: that is the port's picture of the tick before.
    for vsync, theirs_now in enumerate(theirs.pictures):
        tick = vsync - 1 + late
        if theirs_now is None or not 0 <= tick < len(ours.pictures) or ours.pictures[tick] is None:
            continue
        compared += 1
        if ours.pictures[tick] == theirs_now:
            equal += 1
        elif not first:
            first = f"vsync {vsync + 1}: {ours.pictures[tick]}, expected {theirs_now}"
    return compared, equal, first


@dataclass(frozen=True)
class Row:
    name: str
    sha256: str
    compared: int
    equal: int
    late: int
    pictures: int
    sound: str
    ending: str
    difference: str

    @property
    def is_equal(self) -> bool:
        return self.compared > 0 and self.compared == self.equal and not self.difference


def try_program(nro: Path, oracle: Path, ticks: int) -> Row:
    digest = hashlib.sha256(nro.read_bytes()).hexdigest()
    folder = WORK / f"{nro.stem}-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    misses = folder / "misses.jsonl"
    theirs = play_oracle(oracle, nro, folder, ticks)
    for _ in range(MOST_ROUNDS):
        port = build_port(nro, folder, misses)
        ours = play_port(port, nro, folder, misses, ticks, 0)
        if not ours.ending.startswith("miss"):
            break
    best: tuple[int, int, int, str, Played] | None = None
    for pressed_later in (0, -1, 1, 2):
        ours = play_port(port, nro, folder, misses, ticks, pressed_later)
        for late in range(MOST_LATE + 1):
            compared, equal, first = compare(theirs, ours, late)
            if best is None or (equal - compared, equal) > (best[1] - best[0], best[1]):
                best = (compared, equal, late, first, ours)
        if best and best[0] and best[0] == best[1]:
            break
    assert best is not None
    compared, equal, late, difference, ours = best
    sound = "none"
    if theirs.sound or ours.sound:
        size = min(len(theirs.sound), len(ours.sound))
        sound = "equal" if size and theirs.sound[:size] == ours.sound[:size] else "differs"
        difference = difference or ("the sound differs" if sound == "differs" else "")
    pictures = len({picture for picture in ours.pictures if picture})
    ending = ours.ending + (f"; not implemented: {', '.join(ours.unknown)}" if ours.unknown else "")
    if not theirs.pictures or not any(theirs.pictures):
        difference = f"the oracle saw no picture: {theirs.ending}"
    elif not difference and ("returned" in theirs.ending) != ("returned" in ours.ending):
        difference = f"equal until the oracle ended: {theirs.ending}"
    return Row(nro.name, digest, compared, equal, late, pictures, sound, ending, difference)


def render(rows: list[Row]) -> str:
    """The section of docs/compatibility.md."""
    equal = sum(row.is_equal for row in rows)
    out = [
        HEADING, "",
        "Generated by `tools/compat_nro.py` from a run: openly licensed NROs, recompiled, and played side by side with",
        "an emulator that shares no code with us, on the same input. Equal: the same picture at every vsync, and the",
        "same sound. *Late*: how many vsyncs later the port shows its frames; it queues them as a console does.",
        "", f"{equal} of {len(rows)} programs equal.", "",
        "| program | sha256 | vsyncs equal | late | pictures | sound | end | difference |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in rows:
        cells = [row.name, f"`{row.sha256[:16]}`", f"{row.equal} of {row.compared}", str(row.late), str(row.pictures)]
        cells += [row.sound, row.ending, row.difference or "equal"]
        out.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(out) + "\n"


def update_page(section: str) -> None:
    """Replace the section, which is the last one of the page."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.split(HEADING)[0].rstrip() + "\n\n" + section, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nros", type=Path, help="a folder of NROs")
    parser.add_argument("oracle", type=Path, help="the oracle's program")
    parser.add_argument("names", nargs="*", help="only these (without .nro)")
    parser.add_argument("--ticks", type=int, default=210, help="vsyncs to play")
    parser.add_argument("--update", action="store_true", help="rewrite docs/compatibility.md")
    args = parser.parse_args()
    rows = []
    for nro in sorted(args.nros.glob("*.nro")):
        if args.names and nro.stem not in args.names:
            continue
        row = try_program(nro.resolve(), args.oracle.resolve(), args.ticks)
        rows.append(row)
        verdict = "ok" if row.is_equal else "FAIL"
        print(f"{verdict:4} {row.name:28} {row.equal}/{row.compared} late {row.late} pictures {row.pictures} "
              f"sound {row.sound}; {row.ending}; {row.difference}", flush=True)  # fmt: skip
    if args.update:
        update_page(render(rows))
    print(f"{sum(row.is_equal for row in rows)} of {len(rows)} programs equal")
    return 0 if rows and all(row.is_equal for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
