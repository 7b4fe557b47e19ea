"""Parts of the Horizon runtime that need no guest, as a library that Python calls."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCES = HERE.parents[2] / "src" / "recomp" / "runtime" / "src"
PARTS = ("horizon/display/swizzle.c", "horizon/display/queue.c", "horizon/audio/player.c", "horizon/audio/mixer.c",
         "horizon/services/audren_update.c", "horizon/services/calendar.c",
         "horizon/services/parcel.c", "horizon/ipc/message.c", "horizon/result.c")  # fmt: skip


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = tmp_path_factory.mktemp("horizon") / "parts.so"
    command = [sys.executable, "-m", "ziglang", "cc", "-std=gnu2x", "-O1", "-g0", "-shared", "-fPIC"]
    command += ["-Wall", "-Wextra", "-Werror", f"-I{SOURCES}", f"-I{SOURCES.parent / 'include'}", str(HERE / "shim.c")]
    done = subprocess.run(
        [*command, *(str(SOURCES / part) for part in PARTS), "-o", str(library)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = ctypes.CDLL(str(library))
    for name in ("queue_new", "player_new", "mixer_new"):
        getattr(found, name).restype = ctypes.c_void_p
    for name in ("hz_swizzle_offset", "hz_swizzle_size", "hz_player_next", "hz_renderer_update"):
        getattr(found, name).restype = ctypes.c_uint64
    found.hz_result_text.restype = found.listed_names.restype = ctypes.c_char_p
    return found
