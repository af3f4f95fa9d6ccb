"""MuJoCo's own viewer: what it is given, and one line where there is no display."""

import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mujoco.viewer
import numpy as np
import pytest

import evo
from evo.errors import EvoError
from evo.runs import mujoco_viewer
from evo.runs.mujoco_viewer import check_display, show_in_mujoco


class Window:
    """A window that is closed after some pictures."""

    def __init__(self, data: mujoco.MjData, pictures: int) -> None:
        self.cam = SimpleNamespace(lookat=np.zeros(3), distance=0.0, azimuth=0.0, elevation=0.0)
        self.shown: list[np.ndarray] = []
        self._data, self._pictures = data, pictures

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def lock(self) -> Any:
        return nullcontext()

    def sync(self) -> None:
        self.shown.append(self._data.qpos.copy())

    def is_running(self) -> bool:
        return len(self.shown) < self._pictures


def test_the_recorded_states_are_shown_until_the_window_is_closed(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[Window] = []

    def launch(model: mujoco.MjModel, data: mujoco.MjData, **_: object) -> Window:
        windows.append(Window(data, 8))
        return windows[0]

    monkeypatch.setattr(mujoco.viewer, "launch_passive", launch)
    monkeypatch.setattr(mujoco_viewer, "check_display", lambda: None)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    champion = evo.load(finished_run).champion
    show_in_mujoco(champion, seconds=0.1, seed=3)
    qpos = champion.rollout(3).qpos[:6]  # 0.1 s of 0.02 s each
    np.testing.assert_array_equal(windows[0].shown, [*qpos, *qpos[:2]])
    assert windows[0].cam.distance > 0


def test_without_a_display_it_is_said_in_a_line(finished_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(EvoError, match=r"no display here: neither DISPLAY .* makes a page for a browser"):
        show_in_mujoco(evo.load(finished_run).champion)
    monkeypatch.setenv("DISPLAY", ":987")  # which nobody serves
    with pytest.raises(EvoError, match="MuJoCo's viewer does not open: "):
        check_display()
