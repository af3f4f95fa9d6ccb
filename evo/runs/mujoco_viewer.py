"""A champion's recorded episode in MuJoCo's own viewer, where there is a display."""

import os
import subprocess
import sys
import time

from evo.envs.rendering.geoms import place
from evo.envs.rendering.renderer import frame_creature
from evo.errors import EvoError
from evo.runs.champion import Champion
from evo.runs.replay import typical_seed
from evo.runs.viewing import check_view, world_of

_ASPECT = 16 / 9
_REST = 0.6  # seconds between two showings
_PATIENCE = 60  # seconds for the probe
# A viewer without a working GL ends the process, or waits for ever: so another process tries first.
_PROBE = """
import glfw
assert glfw.init(), "GLFW cannot be started"
glfw.window_hint(glfw.VISIBLE, 0)
assert glfw.create_window(64, 64, "evo", None, None), "no window with OpenGL can be opened"
"""


def show_in_mujoco(champion: Champion, seconds: float = 10.0, seed: int | None = None) -> None:
    """Show an episode in MuJoCo's viewer, again and again in real time, until its window is closed.

    seconds: of the episode at most. seed: by default the report episode of median return. Raises EvoError, also where
    there is no display.
    """
    check_view(seconds, seed)
    task = world_of(champion)
    check_display()
    trajectory = champion.rollout(typical_seed(champion) if seed is None else seed)
    states = trajectory.qpos[: min(len(trajectory), round(seconds / task.control_period)) + 1]
    cameras = frame_creature(task.model, states, _ASPECT)

    import mujoco.viewer  # only here is a display needed

    data = mujoco.MjData(task.model)
    place(task.model, data, states[0])
    with mujoco.viewer.launch_passive(task.model, data, show_left_ui=False, show_right_ui=False) as viewer:
        with viewer.lock():
            first = cameras[0]
            viewer.cam.distance, viewer.cam.azimuth, viewer.cam.elevation = (
                first.distance,
                first.azimuth,
                first.elevation,
            )
        while viewer.is_running():
            for state, camera in zip(states, cameras, strict=True):
                due = time.monotonic() + task.control_period
                with viewer.lock():
                    place(task.model, data, state)
                    viewer.cam.lookat[:] = camera.lookat
                viewer.sync()
                time.sleep(max(0.0, due - time.monotonic()))
                if not viewer.is_running():
                    return
            time.sleep(_REST)


def check_display() -> None:
    """Raise EvoError where no window of MuJoCo's viewer can be opened."""
    otherwise = "; `evo view` without --mujoco makes a page for a browser"
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise EvoError(f"there is no display here: neither DISPLAY nor WAYLAND_DISPLAY is set{otherwise}")
    try:
        tried = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        raise EvoError(f"MuJoCo's viewer does not open: the display does not answer{otherwise}") from None
    if tried.returncode:
        lines = tried.stderr.strip().splitlines() or ["unknown"]
        raise EvoError(f"MuJoCo's viewer does not open: {lines[-1].removeprefix('AssertionError: ')}{otherwise}")
