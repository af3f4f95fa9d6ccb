"""Examination of this machine: every requirement that depends on it is tried once; one line for each finding."""

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import mujoco
import numpy as np
from numba import types

from evo.benchmarks.exactness import check, check_invariance, machine
from evo.config.build import make_compiled_task, make_network
from evo.envs.engine.compile import cache_folder
from evo.envs.engine.numpy_order import unlike
from evo.envs.engine.physics import available_threads, mj_forward, simulate
from evo.envs.engine.random import streams
from evo.envs.engine.structs import address_of, check_layout
from evo.envs.task import Task
from evo.evaluation.episode import Evaluator
from evo.evaluation.life import COMPLETED, ENGINE_ERROR
from evo.evaluation.workers import Threads
from evo.visualize.encoding import write

PACKAGES = (
    "mujoco",
    "gymnasium",
    "numpy",
    "numba",
    "llvmlite",
    "scipy",
    "threadpoolctl",
    "imageio-ffmpeg",
    "pillow",
    "matplotlib",
    "evo-creatures",
)
_PYTHON = ((3, 11), (3, 14))

_ONE_MOTOR = """
<mujoco>
  <worldbody><body><joint name="slide" type="slide"/><geom size="0.1"/></body></worldbody>
  <actuator><motor joint="slide" ctrllimited="true" ctrlrange="-1 1"/></actuator>
</mujoco>
"""
_take_memory = types.ExternalFunction("mj_stackAllocByte", types.intp(types.intp, types.uint64, types.uint64))


class Finding(NamedTuple):
    """Result of one examination. advice: what to do about it, '' where nothing is wrong."""

    name: str
    ok: bool
    detail: str
    advice: str


def examine() -> list[Finding]:
    """Try everything that evo needs of this machine. A failing examination is a finding, never an exception."""
    return list(_examinations())


def _examinations() -> Iterator[Finding]:
    for name, examination, advice in EXAMINATIONS:
        try:
            ok, detail = examination()
        except Exception as error:
            ok, detail = False, f"{type(error).__name__}: {error}"
        yield Finding(name, ok, " ".join(detail.split()), "" if ok else advice)


def _python() -> tuple[bool, str]:
    return _PYTHON[0] <= sys.version_info[:2] < _PYTHON[1], platform.python_version()


def _packages() -> tuple[bool, str]:
    found, missing = [], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    # when run from a checkout, evo itself need not be installed
    ok = not set(missing) - {"evo-creatures"}
    return ok, ", ".join(found) + (f"; not installed: {', '.join(missing)}" if missing else "")


def _platform() -> tuple[bool, str]:
    ok = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
    facts = "; ".join(f"{name} {value}" for name, value in machine().items())
    return ok, f"{platform.system()} {platform.release()}, {platform.machine()}; {facts}"


def _processors() -> tuple[bool, str]:
    allowed, present, quota = available_threads(), os.cpu_count(), _cgroup_processors()
    detail = f"{allowed} of {present} may be used"
    if quota is None:
        return True, f"{detail}, no cgroup limit"
    return quota >= allowed, f"{detail}, but a cgroup limits this process to the time of {quota:g}"


def _cgroup_processors() -> float | None:
    """Return the number of processors that control groups (version 2 or 1) allow; None for no limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except OSError:
        try:
            folder = Path("/sys/fs/cgroup/cpu")
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period"))
        except OSError:
            return None
    return None if quota in ("max", "-1") else int(quota) / int(period)


def _compile_cache() -> tuple[bool, str]:
    folder = cache_folder()
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"evo")
    kept = not folder.is_relative_to(tempfile.gettempdir()) or "EVO_CACHE_DIR" in os.environ
    return kept, f"{folder} is writable" + ("" if kept else ", but temporary: everything is compiled anew each time")


def _layout() -> tuple[bool, str]:
    wrong = [
        name for task in ("HalfCheetah-v5", "Hopper-v5") for name in check_layout(make_compiled_task(task, {}).model)
    ]
    return (
        not wrong,
        f"fields elsewhere than declared: {', '.join(wrong[:5])}" if wrong else "fields lie where declared",
    )


def _exactness() -> tuple[bool, str]:
    if strange := unlike():
        return False, f"close to Gymnasium's, not equal to the bit: {'; '.join(strange)}"
    found = [check(task, {}, (0,), 50) for task in ("HalfCheetah-v5", "Reacher-v5")]
    first = next((f"{one.task}: {one.first}" for one in found if one.mismatches), "")
    detail = " and ".join(f"{one.steps} steps of {one.task}" for one in found)
    return not first, first or f"{detail} equal to Gymnasium's to the bit"


def _threads() -> tuple[bool, str]:
    found = check_invariance(make_compiled_task("Hopper-v5", {}), (0, 1), 100)
    return not found.mismatches, found.first or "the same results on 1, 2 and 4 threads, whole and in parts"


def _begin(model: Any, data: Any, task: Any, rng: Any) -> None:
    mj_forward(model, data)


def _see_one(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0] = 1.0


def _fail_if_pushed(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    if action[0] > 0.5:
        # more than any arena holds: MuJoCo raises an error
        _take_memory(address_of(data), 1 << 50, 8)
    simulate(model, data, action, 1)
    out.reward = 1.0
    out.terminated = False


def _engine_errors() -> tuple[bool, str]:
    model = mujoco.MjModel.from_xml_string(_ONE_MOTOR)
    task = Task("failing", model, _begin, _see_one, _fail_if_pushed, observation_size=1, steps=10, frame_skip=1)
    evaluator = Evaluator(task, make_network("linear", task, False), Threads(2))
    pushes = np.array([[0.0], [1.0], [0.0], [1.0]], np.float32)
    found = evaluator.run(pushes, streams(np.arange(2)), np.zeros(1), np.ones(1))
    expected = np.repeat([[COMPLETED], [ENGINE_ERROR]] * 2, 2, axis=1)
    ok = np.array_equal(found.endings, expected) and bool(found.errors)
    return ok, "an error of MuJoCo's ends its own episodes and no others" if ok else f"endings {found.endings.tolist()}"


def _video() -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.mp4"
        write([np.full((32, 32, 3), shade, np.uint8) for shade in (0, 128, 255)], path, fps=25)
        size = path.stat().st_size
        kind = path.read_bytes()[4:8]
    return kind == b"ftyp", f"ffmpeg wrote an MP4 of {size} bytes"


def _display() -> tuple[bool, str]:
    # nothing is tried: probing OpenGL can abort the process, and evo has its own renderer
    return True, "not needed: pictures are made without OpenGL"


EXAMINATIONS: tuple[tuple[str, Callable[[], tuple[bool, str]], str], ...] = (
    ("Python", _python, "install Python 3.11, 3.12 or 3.13"),
    ("packages", _packages, "pip install evo-creatures"),
    ("platform", _platform, "evo runs on 64-bit Linux"),
    ("processors", _processors, "pass --threads, or raise the container's limit"),
    ("compile cache", _compile_cache, "set EVO_CACHE_DIR to a writable folder"),
    ("MuJoCo's structs", _layout, "install the version of MuJoCo that evo was tested with; please report this"),
    ("exactness", _exactness, "results differ from Gymnasium's here; please report this with the line above"),
    ("threads", _threads, "results depend on the number of threads; please report this"),
    ("engine errors", _engine_errors, "please report this"),
    ("video", _video, "pip install --force-reinstall imageio-ffmpeg"),
    ("display", _display, ""),
)
