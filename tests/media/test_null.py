"""At what quality a recording was made is found by what its pictures took."""

from __future__ import annotations

import numpy as np
import pytest

from recomp.media.null import NullCodec, Packet
from recomp.media.recoded import _from_a_key


class Weighed(NullCodec):
    """Bytes of a picture that is no key, by quality: as x264 needed them for 48 pictures of the sample game's title."""

    TABLE = {8: 6100, 13: 5329, 18: 4702, 23: 5765, 28: 3628, 40: 1500, 51: 600}

    def _bytes(self, probe, quality, whole):
        return float(np.interp(quality, list(self.TABLE), list(self.TABLE.values())))


def test_a_quality_that_takes_fewer_bytes_than_a_worse_one_is_not_taken():
    """Halving between 8 and 51 ended at 13 for a recording made at 23, and every tile of a clean capture failed."""
    assert 21 <= Weighed("h264", 60).search([], 5887, whole=False) <= 24


@pytest.mark.parametrize("target, quality", [(600, 51), (100, 51), (99999, 8)])
def test_what_no_quality_takes_ends_at_the_scale(target, quality):
    assert Weighed("h264", 60).search([], target, whole=False) == quality


def packets(*keys: int, empty: int = -1) -> list[Packet]:
    return [Packet(k / 60, 9000 if k in keys and k != empty else 100, k in keys) for k in range(100)]


def test_the_search_begins_at_a_key_picture_that_shows_something():
    """(place among the judged ticks, number of the packet, how many pictures): not at the black one of the start."""
    places = np.arange(100)
    assert _from_a_key(packets(0, 40, empty=0), places, np.arange(100)) == (40, 40, 48)
    assert _from_a_key(packets(0, 90), places, np.arange(100)) == (0, 0, 48)


def test_the_search_ends_where_capture_and_recording_part():
    judged = np.concatenate([np.arange(60), np.arange(63, 100)])
    assert _from_a_key(packets(40), np.arange(100), judged) == (40, 40, 20)
    assert _from_a_key(packets(55), np.arange(100), judged)[1] == -1, "too few to tell"


def test_a_reference_that_begins_later_than_its_recording_is_in_step_with_it():
    assert _from_a_key(packets(0, 40), np.arange(100) - 30, np.arange(50)) == (10, 40, 40)
