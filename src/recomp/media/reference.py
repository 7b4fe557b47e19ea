"""References: bring a recording to the canonical profile, or make a golden one of a run.

A recording comes as it comes: variable frame rate, a start time that is not zero, turned on its side, with three sound
tracks. What comes out has one frame a tick, tick 0 at the timeline's start, the profile's size and rates, hashes of its
pixels and samples, and a `reference_video.toml` that says so: the same bytes each time. What cannot be decided for the
user (which sound track, what to do with another shape) is refused by name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recomp.errors import ConfigError, FormatError
from recomp.media.hashing import hash_audio, hash_frame, hash_frames, read_hash_list, write_hash_list

if TYPE_CHECKING:
    import av
    import numpy as np

    from recomp.media.video import Coding

_SCALE = "flags=bicubic+bitexact+accurate_rnd+full_chroma_int"
_ASPECT_TOLERANCE = 0.02
_MAX_GAP_S = 60


@dataclass(frozen=True)
class Profile:
    """What a reference is brought to: pixels, frames a second, Hz, channels."""

    width: int = 1280
    height: int = 720
    fps: int = 60
    audio_sample_rate: int = 48000
    audio_channels: int = 2


@dataclass(frozen=True)
class Plan:
    """What to take of a recording; times in seconds of its own clock. `crop` is (x, y, width, height) in pixels of the
    upright picture, `markers` (name, time), `audio_track` counts from 0 (None: the only one)."""

    start: float = 0.0
    end: float | None = None
    markers: Sequence[tuple[str, float]] = ()
    crop: tuple[int, int, int, int] | None = None
    audio_track: int | None = None
    name: str = "reference"
    thresholds: Mapping[str, Any] = field(default_factory=dict)


def normalize(source: Path | str, folder: Path | str, profile: Profile | None = None, plan: Plan | None = None) -> Path:
    """Write `reference.mkv`, `frames.hashes`, `audio.hashes` and `reference_video.toml` into `folder`; return the last.

    Raises FormatError for what cannot be decoded, ConfigError for a choice that the user must make.
    """
    from recomp.media.clip import slowness
    from recomp.media.video import read_for_hashing, write_coded

    profile, plan = profile or Profile(), plan or Plan()
    source, folder = Path(source), Path(folder)
    _check(profile, plan)
    folder.mkdir(parents=True, exist_ok=True)
    nominal = _nominal_rate(source)
    slow = slowness(nominal)
    audio = _sound(source, profile, plan, slow)
    times: list[Fraction] = []
    size = (profile.width, profile.height)
    coding = _coding(source, profile)
    pictures = _on_grid(source, profile, plan, slow, times, coding)
    facts = write_coded(folder / "reference.mkv", pictures, size, profile.fps, audio, coding)
    if not facts["frames"]:
        raise FormatError(f"{source}: found no pictures between {plan.start} s and {plan.end or 'the end'}")
    hashes = hash_frames(read_for_hashing(folder / "reference.mkv"))
    length = float(facts["frames"] / profile.fps * slow)
    for name, time in plan.markers:
        if not 0 <= time - plan.start < length:
            raise ConfigError(
                f"timeline: found marker {name!r} at {time:g} s, expected it between {plan.start:g} s and "
                f"{plan.start + length:g} s"
            )
    sound_hashes = None
    if audio is not None:
        samples = audio[0][: facts["frames"] * profile.audio_sample_rate // profile.fps]
        sound_hashes = hash_audio(samples, profile.audio_sample_rate, profile.fps)
    normalization = {
        "source_path": os.path.relpath(source, folder),
        "source_fps": _rate_of(times, nominal),
        "source_start": float(plan.start),
        "normalized_path": "reference.mkv",
        "notes": _notes(plan, slow),
        "profile": {
            "width": profile.width,
            "height": profile.height,
            "fps": float(profile.fps),
            "audio_sample_rate": profile.audio_sample_rate,
            "audio_channels": profile.audio_channels,
        },
    }
    events = [(name, float((time - plan.start) / slow)) for name, time in plan.markers]
    return _write(folder, size, profile.fps, hashes, sound_hashes, events, plan, normalization)


def record(
    video: Path | str,
    frame_hashes: Path | str,
    audio_hashes: Path | str | None,
    folder: Path | str,
    *,
    size: tuple[int, int],
    fps: int = 60,
    markers: Sequence[tuple[str, float]] = (),
    name: str = "golden",
    inputs: Path | str | None = None,
) -> Path:
    """Make a golden reference of a run: its video and its lists, under a `reference_video.toml`; return that file.

    `inputs` is what was played, kept beside it. Refuses lists that do not belong to the video: their lengths and the
    first and last picture are checked.
    """
    from recomp.media.video import read_frames

    folder = Path(folder)
    hashes = read_hash_list(frame_hashes)
    count, ends = 0, {}
    for count, frame in enumerate(read_frames(video), start=1):
        if count in (1, len(hashes)):
            ends[count] = hash_frame(frame)
    if count != len(hashes) or any(hashes[number - 1] != digest for number, digest in ends.items()):
        raise FormatError(
            f"{frame_hashes}: found {len(hashes)} hashes that are not those of the {count} frames of {video}",
            hint="record a run whose stages all succeeded, hashed as pixels",
        )
    folder.mkdir(parents=True, exist_ok=True)
    name_of_video = f"reference{Path(video).suffix}"
    shutil.copyfile(video, folder / name_of_video)
    sound = None if audio_hashes is None else read_hash_list(audio_hashes)
    if inputs is not None:
        shutil.copyfile(inputs, folder / "inputs.jsonl")
    return _write(
        folder, size, fps, hashes, sound, markers, Plan(name=name), None,
        has_inputs=inputs is not None, video=name_of_video,
    )  # fmt: skip


def _check(profile: Profile, plan: Plan) -> None:
    if not (1 <= profile.width <= 8192 and 1 <= profile.height <= 8192 and 1 <= profile.fps <= 240):
        found = f"{profile.width}x{profile.height} at {profile.fps}"
        raise ConfigError(f"profile: found {found}, expected at most 8192x8192 at 240 a second")
    if plan.start < 0 or (plan.end is not None and plan.end <= plan.start):
        raise ConfigError(f"timeline: found {plan.start} s to {plan.end} s, expected a start before the end")
    names = [name for name, _ in plan.markers]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"timeline: found marker {name!r} twice, expected each name once")


def _rate_of(times: Sequence[Fraction], nominal: float) -> float:
    """Pictures a second by the median distance of their time stamps, which may be rounded to milliseconds; what the
    container says where that is about the same, for it is not always so."""
    steps = sorted(b - a for a, b in pairwise(times) if b > a)
    found = float(1 / steps[len(steps) // 2]) if steps else nominal
    return round(nominal if abs(found / nominal - 1) < 0.06 else found, 3)


def _nominal_rate(source: Path) -> float:
    """What the container says that the pictures a second are."""
    from recomp.media.video import _open, _video_stream

    with _open(source) as container:
        stream = _video_stream(container, source)
        return float(stream.average_rate or stream.guessed_rate or 60)


def _coding(source: Path, profile: Profile) -> Coding:
    """How the pictures are kept: as what the recording has, which is compared as 4:2:0 in the end, or as RGB."""
    from recomp.media.video import _decoding, _open, _video_stream, lossless_coding, planar_coding

    with _open(source) as container, _decoding(source):
        stream = _video_stream(container, source)
        first = next(container.decode(stream), None)
        if first is not None and not first.format.is_rgb and len(first.format.components) >= 3:
            is_full = int(first.color_range) == 2 or first.format.name.startswith("yuvj")
            planar = planar_coding(profile.width, profile.height, int(first.colorspace), is_full)
            if planar is not None:
                return planar
    return lossless_coding()


def _on_grid(
    source: Path, profile: Profile, plan: Plan, slow: Fraction, times: list[Fraction], coding: Coding
) -> Iterator[av.VideoFrame]:
    """Yield one upright, cropped, scaled picture a tick: the last one shown by then, whatever the source's rate.
    `times` gets the time of each picture of the source, in seconds."""
    from recomp.media.video import _decoding, _open, _video_stream

    graphs: dict[Any, Any] = {}
    start, rate = Fraction(plan.start).limit_denominator(10**6), profile.fps / slow
    limit = None if plan.end is None else round((Fraction(plan.end).limit_denominator(10**6) - start) * rate)
    written = 0
    held: Any = None
    with _open(source) as container, _decoding(source):
        stream = _video_stream(container, source)
        origin: Fraction | None = None
        period, tick = 1 / rate, 0
        for frame in container.decode(stream):
            time = Fraction(0) if frame.pts is None else frame.pts * frame.time_base
            origin = time if origin is None else origin
            times.append(time)
            tick = round((time - origin - start) * rate)
            if tick - max(written, 0) > _MAX_GAP_S * rate and (limit is None or written < limit):
                gap = float((tick - max(written, 0)) / rate)
                raise FormatError(f"{source}: found {gap:.0f} s without a picture, expected at most {_MAX_GAP_S} s")
            lasts = Fraction((frame.duration or 0) * (frame.time_base or 0))
            if lasts > _MAX_GAP_S and limit is None:
                raise FormatError(f"{source}: found a picture that lasts {float(lasts):.0f} s, expected {_MAX_GAP_S} s")
            period = max(1 / rate, lasts)
            while held is not None and written < tick and (limit is None or written < limit):
                yield held
                written += 1
            if limit is not None and written >= limit:
                return
            held = _picture(graphs, frame, profile, plan, source, coding)
        last = 0 if held is None else tick + max(1, round(period * rate))
        while written < (last if limit is None else min(last, limit)):
            yield held
            written += 1


def _picture(
    graphs: dict[Any, Any], frame: av.VideoFrame, profile: Profile, plan: Plan, source: Path, coding: Coding
) -> av.VideoFrame:
    import av
    import numpy as np

    from recomp.media.clip import MATRICES, run_filter

    turned = int(frame.rotation or 0) % 360
    if turned % 90:
        raise FormatError(f"{source}: found a picture turned by {turned} degrees, expected a multiple of 90")
    if turned or plan.crop:
        whole = run_filter(graphs, frame, f"{frame.width}:{frame.height}:{_SCALE}", "rgba").to_ndarray()
        upright = np.rot90(whole, turned // 90)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(_cropped(upright, plan, source)), format="rgba")
    shape, wanted = frame.width / frame.height, profile.width / profile.height
    if abs(shape / wanted - 1) > _ASPECT_TOLERANCE:
        raise ConfigError(
            f"{source}: found pictures of {frame.width}x{frame.height}, expected the shape of "
            f"{profile.width}x{profile.height}",
            hint="give the part of the picture that the game fills (--crop X,Y,WIDTH,HEIGHT), or another --size",
        )
    size = (profile.width, profile.height)
    if frame.format.name == coding.pixel_format and (frame.width, frame.height) == size:
        return frame
    scale = f"{profile.width}:{profile.height}:{_SCALE}"
    if coding.colorspace is not None:
        scale += f":out_range={'full' if coding.pixel_format.startswith('yuvj') else 'limited'}"
        if coding.colorspace in MATRICES:
            scale += f":out_color_matrix={MATRICES[coding.colorspace]}"
    return run_filter(graphs, frame, scale, coding.pixel_format)


def _cropped(picture: np.ndarray, plan: Plan, source: Path) -> np.ndarray:
    if plan.crop is None:
        return picture
    x, y, width, height = plan.crop
    rows, columns = picture.shape[:2]
    if x < 0 or y < 0 or width < 1 or height < 1 or x + width > columns or y + height > rows:
        raise ConfigError(f"{source}: found crop {x} {y} {width} {height}, expected a part of {columns}x{rows}")
    return picture[y : y + height, x : x + width]


def _sound(source: Path, profile: Profile, plan: Plan, slow: Fraction) -> tuple[np.ndarray, int] | None:
    """Return the chosen track as ((n, channels) int16, Hz) from the timeline's start on; None if there is none."""
    import numpy as np

    from recomp.media.sound import read_track
    from recomp.media.video import _open, audio_streams

    with _open(source) as container:
        tracks = [f"{k}: {s.codec_context.name}, {s.metadata.get('title') or s.metadata.get('language') or 'untitled'}"
                  for k, s in enumerate(audio_streams(container, source))]  # fmt: skip
    if not tracks:
        return None
    if plan.audio_track is None and len(tracks) > 1:
        raise ConfigError(
            f"{source}: found {len(tracks)} sound tracks ({'; '.join(tracks)}), expected a choice of one",
            hint="name it by its number: --audio-track 0",
        )
    track = plan.audio_track or 0
    if not 0 <= track < len(tracks):
        raise ConfigError(f"{source}: found no sound track {track}, expected 0 to {len(tracks) - 1}")
    rate = round(profile.audio_sample_rate / slow)
    sound = read_track(source, track, rate, profile.audio_channels)
    first = round(plan.start * rate)
    last = None if plan.end is None else round(plan.end * rate)
    levels = np.clip(np.round(sound[first:last] * 32767), -32768, 32767).astype(np.int16)
    return levels, profile.audio_sample_rate


def _notes(plan: Plan, slow: Fraction) -> str:
    parts = [f"taken from {plan.start:g} s"]
    if slow != 1:
        parts.append("a television's clock, a thousandth slow, taken as right")
    if plan.end is not None:
        parts.append(f"to {plan.end:g} s")
    if plan.crop:
        parts.append("cropped to {}, {}, {}x{}".format(*plan.crop))
    if plan.audio_track is not None:
        parts.append(f"sound track {plan.audio_track}")
    return ", ".join(parts)


def _write(
    folder: Path,
    size: tuple[int, int],
    fps: int,
    hashes: Sequence[str],
    sound: Sequence[str] | None,
    events: Sequence[tuple[str, float]],
    plan: Plan,
    normalization: dict[str, Any] | None,
    *,
    has_inputs: bool = False,
    video: str = "reference.mkv",
) -> Path:
    import tomlkit

    write_hash_list(folder / "frames.hashes", hashes, comment="SHA-256 of decoded pixels, one line a tick")
    lists: dict[str, Any] = {"frames": {"format": "list", "path": "frames.hashes", "kind": "pixels"}}
    if sound is not None:
        write_hash_list(folder / "audio.hashes", sound, comment="SHA-256 of decoded samples, one line a tick")
        lists["audio"] = {"format": "list", "path": "audio.hashes", "kind": "pixels"}
    validation: dict[str, Any] = {"name": plan.name, "require_audio": sound is not None}
    if normalization:
        validation["mode"] = "perceptual"
    if plan.thresholds:
        validation["thresholds"] = dict(plan.thresholds)
    ordered = [{"name": name, "time": _clock(time)} for name, time in sorted(events, key=lambda event: event[1])]
    timeline: dict[str, Any] = {"start": _clock(0), "end": _clock(len(hashes) / fps)}
    if ordered:
        timeline["events"] = ordered
    content: dict[str, Any] = {
        "schema_version": "2",
        "video": {"path": video, "width": size[0], "height": size[1], "fps": float(fps)},
    }
    if normalization:
        content["normalization"] = normalization
    content |= {"timeline": timeline, "hashes": lists, "validation": validation}
    if has_inputs:
        content["inputs"] = {"path": "inputs.jsonl"}
    path = folder / "reference_video.toml"
    path.write_text(tomlkit.dumps(content), encoding="utf-8")
    return path


def _clock(seconds: float) -> str:
    """Seconds as HH:MM:SS.mmm."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
