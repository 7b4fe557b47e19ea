"""The picture pair shows what differs, and the report says where."""

from __future__ import annotations

import numpy as np
from PIL import Image

from recomp.media import hashing, pairs
from recomp.media.compare import HashLists, compare_exact


def frames(count: int = 30) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return list(rng.integers(0, 200, (count, 40, 60, 4), dtype=np.uint8))


def test_a_pair_is_three_pictures_and_a_box(tmp_path):
    a = frames(1)[0]
    b = a.copy()
    b[10:14, 20:27, 0] += 1
    found = pairs.write_pair(tmp_path / "new", a, b, 12)
    assert found == {
        "index": 12,
        "reference": "000012-reference.png",
        "capture": "000012-capture.png",
        "difference": "000012-difference.png",
        "size": {"width": 60, "height": 40},
        "box": {"x": 20, "y": 10, "width": 7, "height": 4},
        "pixels": 28,
        "largest": 1,
    }
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new" / found["capture"])), b[..., :3])
    shown = np.asarray(Image.open(tmp_path / "new" / found["difference"]))
    assert (shown[10:14, 20:27, 0] >= 96).all(), "one level is visible"
    assert not shown[:10].any()


def test_equal_pictures_have_no_box_and_a_missing_side_no_difference(tmp_path):
    a = frames(1)[0]
    assert pairs.write_pair(tmp_path, a, a, 0)["pixels"] == 0
    alone = pairs.write_pair(tmp_path, a, None, 1)
    assert (alone["reference"], alone["capture"], alone["box"]) == ("000001-reference.png", None, None)
    other_size = pairs.write_pair(tmp_path, a, a[:20], 2)
    assert other_size["difference"] is None


def compared(reference: list[np.ndarray], capture: list[np.ndarray]) -> dict:
    return compare_exact(HashLists(hashing.hash_frames(reference)), HashLists(hashing.hash_frames(capture)))


def test_the_first_divergent_pair_goes_into_the_report(tmp_path):
    reference = frames()
    capture = [frame.copy() for frame in reference]
    for frame in capture[8:16]:
        frame[5:9, 50:60, :3] = 255
    report = compared(reference, capture)
    pictures = pairs.add_pictures(report, tmp_path, reference.__getitem__, capture.__getitem__)
    assert report["video"]["first_divergence"]["pictures"] is pictures
    assert pictures["index"] == 8 and pictures["box"] == {"x": 50, "y": 5, "width": 10, "height": 4}
    finding = report["video"]["triage"]["findings"][0]
    assert finding["class"] == "local-render" and finding["box"] == pictures["box"]
    assert "10x4 px at (50, 5) differ" in finding["message"]
    assert report["video"]["triage"]["categories"] == ["local-render"]


def test_a_capture_that_ends_early_has_a_reference_picture_only(tmp_path):
    reference = frames()
    report = compared(reference, reference[:20])
    pictures = pairs.add_pictures(report, tmp_path, reference.__getitem__, reference[:20].__getitem__)
    assert (pictures["reference"], pictures["capture"]) == ("000020-reference.png", None)


def test_nothing_is_written_where_nothing_diverges(tmp_path):
    reference = frames()
    assert pairs.add_pictures(compared(reference, reference), tmp_path / "none", None, None) is None
    assert not (tmp_path / "none").exists()
