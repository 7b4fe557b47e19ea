"""The services, one module a family. `register` puts all of them under the names programs ask for."""

from __future__ import annotations

from pathlib import Path

from tests.oracle.messages import System
from tests.oracle.services import applet, audio, display, files, hid, settings, times
from tests.oracle.services.screen import Screen
from tests.oracle.services.sound import Sound


def register(
    system: System, card: Path, screen: Screen, sound: Sound, pads: hid.Pads, version: tuple[int, int, int]
) -> None:
    names = {
        "set:sys": lambda: settings.SystemSettings(system, version),
        "set": lambda: settings.Settings(system),
        "apm": lambda: settings.Performance(system),
        "appletOE": lambda: applet.Applets(system),
        "appletAE": lambda: applet.Applets(system),
        "hid": lambda: hid.Hid(system, pads),
        "fsp-srv": lambda: files.FileService(system, card),
        "audout:u": lambda: audio.AudioService(system, sound),
        "nvdrv": lambda: display.Driver(system, screen),
        "nvdrv:a": lambda: display.Driver(system, screen),
        "nvdrv:s": lambda: display.Driver(system, screen),
        "bsd:u": lambda: settings.Sockets(system),
        "bsd:s": lambda: settings.Sockets(system),
        "nifm:u": lambda: settings.Network(system),
        "psm": lambda: settings.Power(system),
        "lm": lambda: settings.Log(system),
        "fatal:u": lambda: settings.Fatal(system),
        "csrng": lambda: settings.Random(system),
    }
    names |= {name: lambda: display.DisplayRoot(system, screen) for name in ("vi:m", "vi:s", "vi:u")}
    shared_time = times.shared_memory()
    names |= {name: lambda: times.Clocks(system, shared_time) for name in ("time:u", "time:s", "time:a")}
    system.services.update(names)
