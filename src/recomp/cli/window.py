"""A window with sound, a keyboard and game pads: SDL 2 through its wheels (`pysdl2`, `pysdl2-dll`), which are optional.

What the player's hands do comes out as evdev events, as the guest will read them; a few keys are for the window itself.
"""

from __future__ import annotations

import ctypes
import os
import time
import warnings
from typing import TYPE_CHECKING, Any

from recomp.config.input_script import EV_ABS, EV_KEY, code_of
from recomp.errors import ToolError

if TYPE_CHECKING:
    import numpy as np

Event = tuple[int, int, int]

TICK_S = 1 / 60
_MOST_QUEUED_S = 0.25  # sound that is further behind than this is dropped: late is worse than a click
_STICK_STEP = 1024  # of 32768: what a hand at rest makes is not played
_TRIGGER = 16384

#: window keys, by SDL's names: pass the others to the guest
COMMANDS = {"F8": "mark", "F9": "pause", "F10": "step", "F11": "fullscreen"}
REPLAY_COMMANDS = {
    "Space": "pause", ".": "step", "Right": "forward", "Left": "back", "Home": "restart", "Escape": "quit",
}  # fmt: skip

#: SDL scancode (a USB usage) → evdev's name of the key in the same place
_KEYS = {
    **{4 + k: f"KEY_{letter}" for k, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZ")},
    **{30 + k: f"KEY_{digit}" for k, digit in enumerate("1234567890")},
    **{58 + k: f"KEY_F{1 + k}" for k in range(7)},
    40: "KEY_ENTER", 41: "KEY_ESC", 42: "KEY_BACKSPACE", 43: "KEY_TAB", 44: "KEY_SPACE", 45: "KEY_MINUS",
    46: "KEY_EQUAL", 47: "KEY_LEFTBRACE", 48: "KEY_RIGHTBRACE", 49: "KEY_BACKSLASH", 51: "KEY_SEMICOLON",
    52: "KEY_APOSTROPHE", 53: "KEY_GRAVE", 54: "KEY_COMMA", 55: "KEY_DOT", 56: "KEY_SLASH", 57: "KEY_CAPSLOCK",
    79: "KEY_RIGHT", 80: "KEY_LEFT", 81: "KEY_DOWN", 82: "KEY_UP", 224: "KEY_LEFTCTRL", 225: "KEY_LEFTSHIFT",
    226: "KEY_LEFTALT", 229: "KEY_RIGHTSHIFT",
}  # fmt: skip
#: SDL_GameControllerButton → a control of the input script
_BUTTONS = ("A", "B", "X", "Y", "SELECT", None, "START", "LSTICK", "RSTICK", "L", "R", "UP", "DOWN", "LEFT", "RIGHT")
_AXES = ("LSTICK_X", "LSTICK_Y", "RSTICK_X", "RSTICK_Y")
_TRIGGERS = {4: "ZL", 5: "ZR"}


def load_sdl() -> Any:
    """The `sdl2` module. Raises ToolError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it announces where its library comes from
            import sdl2
    except (ImportError, RuntimeError, OSError) as error:
        raise ToolError(
            f"play: SDL is not installed: {error}",
            hint="make setup-play, or pip install pysdl2 pysdl2-dll",
        ) from error
    return sdl2


class Window:
    """The screen, the loudspeaker and the controls. Use as a context manager."""

    def __init__(self, title: str, scale: int | None = None) -> None:
        self._sdl = sdl = load_sdl()
        self._title, self._scale = title, scale
        self._window = self._renderer = self._texture = None
        self._audio, self._format = 0, (0, 0)
        self._pads: dict[int, Any] = {}
        self._size = (0, 0)
        self._held: dict[int, None] = {}
        self._sticks: dict[int, int] = {}
        self._due = time.monotonic()
        if sdl.SDL_Init(sdl.SDL_INIT_VIDEO | sdl.SDL_INIT_AUDIO | sdl.SDL_INIT_GAMECONTROLLER) != 0:
            raise ToolError(f"play: no window can be opened: {self._error()}", hint="is there a display?")
        if not os.environ.get("SDL_VIDEODRIVER") and sdl.SDL_GetCurrentVideoDriver() in (b"offscreen", b"dummy"):
            sdl.SDL_Quit()
            raise ToolError(
                "play: no window can be opened: there is no display",
                hint="play where there is one; over SSH: ssh -X, or set DISPLAY or WAYLAND_DISPLAY",
            )
        self._open(1280, 720)

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self._sdl.SDL_Quit()

    def _error(self) -> str:
        return str(self._sdl.SDL_GetError().decode("utf-8", "replace"))

    def _open(self, width: int, height: int) -> None:
        sdl = self._sdl
        centre = sdl.SDL_WINDOWPOS_CENTERED
        size = (width * self._scale, height * self._scale) if self._scale else (width, height)
        flags = sdl.SDL_WINDOW_RESIZABLE | sdl.SDL_WINDOW_ALLOW_HIGHDPI
        self._window = sdl.SDL_CreateWindow(self._title.encode(), centre, centre, *size, flags)
        self._renderer = self._window and (
            sdl.SDL_CreateRenderer(self._window, -1, 0)
            or sdl.SDL_CreateRenderer(self._window, -1, sdl.SDL_RENDERER_SOFTWARE)
        )
        if not self._renderer:
            raise ToolError(f"play: no window can be opened: {self._error()}", hint="is there a display?")

    def name(self, text: str) -> None:
        """What the title bar says."""
        self._sdl.SDL_SetWindowTitle(self._window, text.encode())

    def show(self, picture: np.ndarray | None) -> None:
        """Show (height, width, 4) uint8, blue first; None = what is there already."""
        sdl = self._sdl
        if picture is not None:
            height, width = picture.shape[:2]
            if (width, height) != self._size:
                self._size = (width, height)
                sdl.SDL_RenderSetLogicalSize(self._renderer, width, height)
                self._texture = sdl.SDL_CreateTexture(
                    self._renderer, sdl.SDL_PIXELFORMAT_RGB888, sdl.SDL_TEXTUREACCESS_STREAMING, width, height
                )
            sdl.SDL_UpdateTexture(self._texture, None, picture.ctypes.data_as(ctypes.c_void_p), width * 4)
        sdl.SDL_RenderClear(self._renderer)
        if self._texture:
            sdl.SDL_RenderCopy(self._renderer, self._texture, None, None)
        sdl.SDL_RenderPresent(self._renderer)

    def sound(self, samples: np.ndarray | None, rate: int) -> None:
        """Queue (n, channels) int16; the device is opened with the first ones. Without a device there is silence."""
        if samples is None or not len(samples):
            return
        sdl, channels = self._sdl, samples.shape[1]
        if self._format != (rate, channels):
            self._format = (rate, channels)
            if self._audio:
                sdl.SDL_CloseAudioDevice(self._audio)
            wanted = sdl.SDL_AudioSpec(rate, sdl.AUDIO_S16LSB, channels, 512)
            self._audio = sdl.SDL_OpenAudioDevice(None, 0, wanted, None, 0)
            if self._audio:
                sdl.SDL_PauseAudioDevice(self._audio, 0)
        if not self._audio:
            return
        if sdl.SDL_GetQueuedAudioSize(self._audio) > _MOST_QUEUED_S * rate * channels * 2:
            sdl.SDL_ClearQueuedAudio(self._audio)
        data = samples.tobytes()
        sdl.SDL_QueueAudio(self._audio, data, len(data))

    def wait(self, speed: float) -> None:
        """Sleep to the start of the next tick; at speed 0 not at all. Time that was lost is not caught up with."""
        if speed <= 0:
            return
        now = time.monotonic()
        self._due = max(self._due + TICK_S / speed, now - TICK_S)
        if self._due > now:
            time.sleep(self._due - now)

    def idle(self) -> None:
        """While time stands still."""
        self._sdl.SDL_Delay(10)
        self._due = time.monotonic()

    def poll(self, *, replay: bool = False) -> tuple[list[Event], list[str]]:
        """What was played since the last look, and what the window was told: names of COMMANDS, and "quit"."""
        sdl, event = self._sdl, self._sdl.SDL_Event()
        played: list[Event] = []
        told: list[str] = []
        while sdl.SDL_PollEvent(ctypes.byref(event)):
            if event.type == sdl.SDL_QUIT:
                told.append("quit")
            elif event.type in (sdl.SDL_KEYDOWN, sdl.SDL_KEYUP):
                self._key(event.key, replay, played, told)
            elif event.type == sdl.SDL_WINDOWEVENT and event.window.event == sdl.SDL_WINDOWEVENT_FOCUS_LOST:
                played += [(EV_KEY, code, 0) for code in self._held]  # their release will not be seen
                self._held.clear()
            elif event.type == sdl.SDL_CONTROLLERDEVICEADDED:
                self._pads[event.cdevice.which] = sdl.SDL_GameControllerOpen(event.cdevice.which)
            elif event.type in (sdl.SDL_CONTROLLERBUTTONDOWN, sdl.SDL_CONTROLLERBUTTONUP):
                number = event.cbutton.button
                name = _BUTTONS[number] if number < len(_BUTTONS) else None
                self._press(name, event.type == sdl.SDL_CONTROLLERBUTTONDOWN, played)
            elif event.type == sdl.SDL_CONTROLLERAXISMOTION:
                self._move(event.caxis.axis, event.caxis.value, played)
        if "fullscreen" in told:
            self._toggle_fullscreen()
        return ([] if replay else played), told

    def _key(self, key: Any, replay: bool, played: list[Event], told: list[str]) -> None:
        sdl = self._sdl
        is_down, scancode = key.type == sdl.SDL_KEYDOWN, key.keysym.scancode
        name = sdl.SDL_GetScancodeName(scancode).decode()
        command = COMMANDS.get(name) or (REPLAY_COMMANDS.get(name) if replay else None)
        if command:
            if is_down and (not key.repeat or command in ("step", "forward", "back")):
                told.append(command)
        elif not key.repeat and scancode in _KEYS:
            self._press(_KEYS[scancode], is_down, played)

    def _press(self, name: str | None, is_down: bool, played: list[Event]) -> None:
        found = code_of(name) if name else None
        if found is None or is_down == (found[1] in self._held):
            return
        if is_down:
            self._held[found[1]] = None
        else:
            del self._held[found[1]]
        played.append((found[0], found[1], int(is_down)))

    def _move(self, axis: int, value: int, played: list[Event]) -> None:
        if axis in _TRIGGERS:
            self._press(_TRIGGERS[axis], value > _TRIGGER, played)
            return
        if axis >= len(_AXES):
            return
        value = 0 if abs(value) < 2 * _STICK_STEP else value
        if abs(value - self._sticks.get(axis, 0)) >= _STICK_STEP or (value == 0 and self._sticks.get(axis)):
            self._sticks[axis] = value
            found = code_of(_AXES[axis])
            assert found is not None
            played.append((EV_ABS, found[1], value))

    def _toggle_fullscreen(self) -> None:
        sdl = self._sdl
        is_full = sdl.SDL_GetWindowFlags(self._window) & sdl.SDL_WINDOW_FULLSCREEN_DESKTOP
        sdl.SDL_SetWindowFullscreen(self._window, 0 if is_full else sdl.SDL_WINDOW_FULLSCREEN_DESKTOP)
