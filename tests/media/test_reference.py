"""Any recording becomes one frame a tick, the same bytes each time, or is refused by name."""

from __future__ import annotations

import hashlib
import tomllib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from clips import film, sound, write_lossy

from recomp.errors import ConfigError, FormatError
from recomp.media import hashing, video
from recomp.media.clip import read_facts, ticks
from recomp.media.compare import HashLists, compare_exact
from recomp.media.perceptual import compare_perceptual
from recomp.media.reference import Plan, Profile, normalize, record

SMALL = Profile(width=160, height=90)


def shades(
    path: Path, times: list[float], *, size=(160, 90), start: float = 0.0, container="matroska", tracks=0
) -> Path:
    """A recording of grey pictures, 10 levels apart, shown at the given times; `tracks` silent sound tracks."""
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream("ffv1" if container == "matroska" else "libx264rgb", rate=1000)
        stream.width, stream.height = size
        stream.pix_fmt = "bgr0"
        if container == "mp4":
            stream.options = {"qp": "0"}
        stream.codec_context.time_base = Fraction(1, 1000)
        sounds = [out.add_stream("pcm_s16le" if container == "matroska" else "aac", rate=48000) for _ in range(tracks)]
        for number, time in enumerate(times):
            grey = np.full((size[1], size[0], 3), 10 * number, np.uint8)
            grey[: size[1] // 2, : size[0] // 2] += 100
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="bgr0")
            frame.pts, frame.time_base = round(1000 * (start + time)), Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        for track in sounds:
            block = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), format="s16", layout="stereo")
            block.sample_rate, block.pts = 48000, 0
            out.mux(track.encode(block))
            out.mux(track.encode())
    return path


def levels(folder: Path) -> list[int]:
    """The shade of the lower right corner of each frame of a normalised reference."""
    return [int(frame[-2, -2, 0]) for frame in video.read_frames(folder / "reference.mkv")]


def test_a_recording_becomes_a_reference(tmp_path):
    source = write_lossy(tmp_path / "r", film(range(90)), "x264-crf23", sound(90))
    plan = Plan(start=0.5, end=1.25, markers=[("play", 1.0), ("title", 0.5)], name="level 1")
    path = normalize(source, tmp_path / "out", Profile(320, 180), plan)
    content = tomllib.loads(path.read_text())
    assert content["schema_version"] == "2"
    assert content["video"] == {"path": "reference.mkv", "width": 320, "height": 180, "fps": 60.0}
    assert content["timeline"] == {
        "start": "00:00:00.000",
        "end": "00:00:00.750",
        "events": [{"name": "title", "time": "00:00:00.000"}, {"name": "play", "time": "00:00:00.500"}],
    }
    assert content["normalization"]["source_path"] == "../r.mp4"
    frames = hashing.read_hash_list(tmp_path / "out" / content["hashes"]["frames"]["path"])
    assert frames == hashing.hash_frames(video.read_frames(tmp_path / "out" / "reference.mkv"))
    samples, rate = video.read_audio(tmp_path / "out" / "reference.mkv")
    assert (rate, len(frames)) == (48000, 45)
    assert hashing.read_hash_list(tmp_path / "out" / "audio.hashes") == hashing.hash_audio(samples, rate)


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p"])
@pytest.mark.parametrize("matrix", [1, 6, 2])
def test_what_is_recorded_as_it_is_compared_is_kept_to_the_bit(tmp_path, pixel_format, matrix):
    """Planes, range and matrix: a recording at the profile's size and rate goes through no conversion."""
    source, rng = tmp_path / "r.mkv", np.random.default_rng(matrix)
    with av.open(str(source), "w") as out:
        stream = out.add_stream("libx264", rate=60, options={"crf": "18"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, pixel_format
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = 2 if pixel_format == "yuvj420p" else 1
        for _ in range(12):
            noise = rng.integers(0, 256, (135, 160), dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format=pixel_format)))
        out.mux(stream.encode())
    normalize(source, tmp_path / "out", SMALL)
    facts = [read_facts(path) for path in (source, tmp_path / "out" / "reference.mkv")]
    assert [fact.lossless for fact in facts] == [False, True]
    assert len({(fact.pixel_format, fact.matrix, fact.full_range) for fact in facts}) == 1
    first, second = (
        [frame.to_ndarray() for _, frame in ticks(path, 60)] for path in (source, tmp_path / "out" / "reference.mkv")
    )
    assert len(first) == 12 and all(map(np.array_equal, first, second))
    assert hashing.read_hash_list(tmp_path / "out" / "frames.hashes") == hashing.hash_frames(video.read_frames(source))


def test_a_slow_recording_says_nothing_of_the_ticks_that_it_has_no_picture_of(tmp_path):
    """Brought to 60 a second, one of 30 shows each picture twice: only the first is held against the capture."""
    source = write_lossy(tmp_path / "r", film(range(60)), "x264-30fps")
    path = normalize(source, tmp_path / "out", Profile(320, 180))
    normalization = tomllib.loads(path.read_text())["normalization"]
    assert normalization["source_fps"] == 30
    video.write_lossless(tmp_path / "c.mov", film(range(60)), (320, 180))
    reference = tmp_path / "out" / "reference.mkv"
    report = compare_perceptual(reference, tmp_path / "c.mov", source=source, normalization=normalization)
    assert report["video"]["status"] == "passed", report["video"]["failures"]
    assert report["video"]["measurements"]["ticks"] == list(range(0, 60, 2))


def test_a_reference_whose_recording_is_gone_decides_nothing(tmp_path):
    """Its codec's loss is in the pictures, and cannot be told from a defect any more."""
    source = write_lossy(tmp_path / "r", film(range(60)), "x264-crf32")
    path = normalize(source, tmp_path / "out", Profile(320, 180))
    normalization = tomllib.loads(path.read_text())["normalization"]
    video.write_lossless(tmp_path / "c.mov", film(range(60)), (320, 180))
    report = compare_perceptual(tmp_path / "out" / "reference.mkv", tmp_path / "c.mov", normalization=normalization)
    assert report["video"]["status"] == "inconclusive"
    assert "../r.mp4" in report["video"]["failures"][0]
    assert "make the reference again" in report["video"]["triage"]["suggestions"][0]


def test_a_normalised_reference_is_judged_by_the_codec_of_its_source(tmp_path):
    """Lossless by now, but the loss of its recording is in the pictures."""
    source = write_lossy(tmp_path / "r", film(range(60)), "x264-crf32")
    normalize(source, tmp_path / "out", Profile(320, 180))
    video.write_lossless(tmp_path / "c.mkv", film(range(60)), (320, 180))
    sides = tmp_path / "out" / "reference.mkv", tmp_path / "c.mkv"
    assert compare_perceptual(*sides)["video"]["status"] == "failed"
    assert compare_perceptual(*sides, source=source)["video"]["failures"] == []


def test_twice_gives_the_same_bytes(tmp_path):
    source = write_lossy(tmp_path / "r", film(range(40)), "vp9", sound(40))
    digests = []
    for name in ("one", "two"):
        normalize(source, tmp_path / name, Profile(320, 180))
        files = sorted((tmp_path / name).iterdir())
        digests.append([(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in files])
    assert digests[0] == digests[1]
    assert [name for name, _ in digests[0]] == [
        "audio.hashes", "frames.hashes", "reference.mkv", "reference_video.toml",
    ]  # fmt: skip


def test_a_variable_rate_becomes_one_frame_a_tick(tmp_path):
    """Pictures at 0, 50 and 67 ms, then 150: each is held until the next one."""
    source = shades(tmp_path / "v.mkv", [0, 0.050, 0.067, 0.150])
    normalize(source, tmp_path / "out", SMALL)
    assert levels(tmp_path / "out")[:10] == [0, 0, 0, 10, 20, 20, 20, 20, 20, 30]


def test_a_late_start_is_no_lead(tmp_path):
    source = shades(tmp_path / "v.mkv", [0, 1 / 60, 2 / 60], start=7.25)
    normalize(source, tmp_path / "out", SMALL)
    assert levels(tmp_path / "out") == [0, 10, 20]


def test_odd_sizes_are_scaled_to_the_profile(tmp_path):
    source = shades(tmp_path / "v.mkv", [0, 1 / 60], size=(161, 91))
    normalize(source, tmp_path / "out", Profile(width=81, height=45))
    assert levels(tmp_path / "out") == [0, 10]
    assert next(video.read_frames(tmp_path / "out" / "reference.mkv")).shape == (45, 81, 4)


@pytest.mark.parametrize(
    "matrix, corner", [((0, 1, -1, 0), (0, -1)), ((-1, 0, 0, -1), (-1, -1)), ((0, -1, 1, 0), (-1, 0))]
)
def test_a_turned_recording_is_set_upright(tmp_path, matrix, corner):
    """Display matrices of 90, 180 and 270 degrees: the light corner, top left in the file, is where a player has it."""
    side = abs(matrix[1]) == 1
    size = (90, 160) if side else (160, 90)
    source = shades(tmp_path / "v.mp4", [0, 1 / 60], size=size, container="mp4")
    data = bytearray(source.read_bytes())
    at = data.index(b"tkhd") + 44
    for place, value in zip((0, 4, 12, 16), matrix, strict=True):
        data[at + place : at + place + 4] = (value * 0x10000).to_bytes(4, "big", signed=True)
    source.write_bytes(data)
    normalize(source, tmp_path / "out", SMALL)
    first = next(video.read_frames(tmp_path / "out" / "reference.mkv"))
    assert first.shape == (90, 160, 4)
    corners = {(y, x): int(first[y * 89, x * 159, 0]) for y in (0, -1) for x in (0, -1)}
    light = [place for place, level in {(y, x): int(first[y, x, 0]) for y, x in corners}.items() if level > 50]
    assert light == [corner]


def test_no_sound_is_a_reference_without_sound(tmp_path):
    path = normalize(shades(tmp_path / "v.mkv", [0, 0.1]), tmp_path / "out", SMALL)
    content = tomllib.loads(path.read_text())
    assert "audio" not in content["hashes"] and content["validation"]["require_audio"] is False
    assert not (tmp_path / "out" / "audio.hashes").exists()


def test_several_sound_tracks_want_a_choice(tmp_path):
    source = shades(tmp_path / "v.mkv", [0, 0.1], tracks=2)
    with pytest.raises(ConfigError, match=r"found 2 sound tracks \(0: pcm_s16le, untitled; 1: .*expected a choice"):
        normalize(source, tmp_path / "out", SMALL)
    normalize(source, tmp_path / "out", SMALL, Plan(audio_track=1))
    assert (tmp_path / "out" / "audio.hashes").exists()
    with pytest.raises(ConfigError, match="found no sound track 2, expected 0 to 1"):
        normalize(source, tmp_path / "out", SMALL, Plan(audio_track=2))


def test_another_shape_wants_a_crop(tmp_path):
    source = shades(tmp_path / "v.mkv", [0, 0.1], size=(160, 120))
    with pytest.raises(ConfigError, match="found pictures of 160x120, expected the shape of 160x90"):
        normalize(source, tmp_path / "out", SMALL)
    normalize(source, tmp_path / "out", SMALL, Plan(crop=(0, 15, 160, 90)))
    assert levels(tmp_path / "out")[0] == 0
    with pytest.raises(ConfigError, match="expected a part of 160x120"):
        normalize(source, tmp_path / "out", SMALL, Plan(crop=(0, 40, 160, 90)))


@pytest.mark.parametrize(
    "plan, message",
    [
        (Plan(start=2, end=1), "expected a start before the end"),
        (Plan(start=50), "found no pictures between 50 s"),
        (Plan(markers=[("a", 0), ("a", 1)]), "found marker 'a' twice"),
    ],
)
def test_a_timeline_that_cannot_be_is_refused(tmp_path, plan, message):
    source = shades(tmp_path / "v.mkv", [0, 0.1])
    with pytest.raises((ConfigError, FormatError), match=message):
        normalize(source, tmp_path / "out", SMALL, plan)


def test_a_run_becomes_a_golden_reference(tmp_path):
    frames = film(range(20))
    video.write_lossless(tmp_path / "c.mkv", frames, (320, 180))
    hashes = hashing.hash_frames(frames)
    hashing.write_hash_list(tmp_path / "frames.hashes", hashes)
    path = record(tmp_path / "c.mkv", tmp_path / "frames.hashes", None, tmp_path / "golden", size=(320, 180))
    golden = HashLists(hashing.read_hash_list(path.parent / "frames.hashes"))
    assert compare_exact(golden, HashLists(hashes))["video"]["status"] == "passed"
    assert tomllib.loads(path.read_text())["hashes"]["frames"]["kind"] == "pixels"


def test_lists_of_another_video_make_no_golden_reference(tmp_path):
    video.write_lossless(tmp_path / "c.mkv", film(range(20)), (320, 180))
    hashing.write_hash_list(tmp_path / "frames.hashes", hashing.hash_frames(film(range(1, 21))))
    with pytest.raises(FormatError, match="found 20 hashes that are not those of the 20 frames"):
        record(tmp_path / "c.mkv", tmp_path / "frames.hashes", None, tmp_path / "golden", size=(320, 180))
    assert not (tmp_path / "golden").exists()
