"""TaskEnv: a Task as a `gymnasium.Env`, running the task's own compiled functions.

`reset(seed=s)` and every following step give exactly the compiled episode of seed s.
"""

import functools
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium import spaces
from numba import carray, types
from numpy.typing import NDArray

from evo.envs import TASKS
from evo.envs.adversity.adverse import construct, model_of
from evo.envs.engine.compile import ADDRESS, compile_kernel
from evo.envs.engine.physics import Batch, EngineError, call, mj_reset_data, pointer
from evo.envs.engine.random import words_of
from evo.envs.engine.structs import data_at, model_at, warning_count
from evo.envs.reference import resolve, trust
from evo.envs.rendering.renderer import Renderer, frame_creature
from evo.envs.task import OUTCOME, Task

_ARGUMENT = np.dtype(
    [
        (name, np.int64)
        for name in "reset observe advance stream record obs action outcome obs_size action_size warnings".split()
    ]
)
_DEFAULT_SIZE = 480  # as Gymnasium's MujocoEnv


def _reset_env(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    given = carray(pointer(argument), (1,), _ARGUMENT)[0]
    model, data = model_at(model_address), data_at(model_address, data_address)
    mj_reset_data(model, data)
    call(given.reset, (model, data, given.record, carray(pointer(given.stream), (4,), np.uint64)))
    call(given.observe, (model, data, given.record, carray(pointer(given.obs), (given.obs_size,), np.float64)))
    given.warnings = warning_count(data)


def _step_env(model_address: int, data_address: int, simulation: int, argument: int) -> None:
    given = carray(pointer(argument), (1,), _ARGUMENT)[0]
    model, data = model_at(model_address), data_at(model_address, data_address)
    action = carray(pointer(given.action), (given.action_size,), np.float64)
    outcome = carray(pointer(given.outcome), (1,), OUTCOME)[0]
    call(given.advance, (model, data, given.record, action, outcome))
    call(given.observe, (model, data, given.record, carray(pointer(given.obs), (given.obs_size,), np.float64)))
    given.warnings = warning_count(data)


@functools.cache
def _kernels() -> tuple[Any, Any]:
    arguments, names = (ADDRESS, ADDRESS, types.int32, ADDRESS), "model_address, data_address, simulation, argument"
    return compile_kernel(_reset_env, arguments, names), compile_kernel(_step_env, arguments, names)


class TaskEnv(gymnasium.Env[NDArray[np.float64], NDArray[Any]]):
    """A Task as an environment. Observations are float64, action bounds are the task's; nothing is clipped.

    `render_mode="rgb_array"` draws with our ray caster, on any machine; "human", "depth_array" and "rgbd_tuple" are
    passed to Gymnasium's own renderer with the task's rendering options, and need GL as it does. `step` raises
    EngineError where MuJoCo fails or the simulation becomes unstable.
    """

    def __init__(self, task: Task) -> None:
        self.task, self.model = task, task.model
        assert task.action_low is not None and task.action_high is not None
        self.observation_space = spaces.Box(-np.inf, np.inf, (task.observation_size,), np.float64)
        low, high = task.action_low.astype(np.float32), task.action_high.astype(np.float32)
        self.action_space: spaces.Space[Any] = (
            spaces.Discrete(task.choices) if task.choices else spaces.Box(low, high, dtype=np.float32)
        )
        self.metadata = {
            "render_modes": ["human", "rgb_array", "depth_array", "rgbd_tuple"],
            "render_fps": round(1.0 / task.control_period),
        }
        self.render_mode = task.rendering.get("render_mode")
        self._data = mujoco.MjData(task.model)
        self._batch = Batch(task.model, 1, 1, persistent=True, own_models=task.remodel is not None)
        self._stream, self._outcome = np.zeros(4, np.uint64), np.zeros(1, OUTCOME)
        self._record = task.record.copy()
        self._obs, self._action = np.zeros(task.observation_size), np.zeros(task.action_size)
        self._argument = np.zeros((), _ARGUMENT)
        for name, address in zip(("reset", "observe", "advance"), task.kernels[:3], strict=True):
            self._argument[name] = address
        for name in ("stream", "record", "obs", "action", "outcome"):
            self._argument[name] = getattr(self, f"_{name}").ctypes.data
        self._argument["obs_size"], self._argument["action_size"] = task.observation_size, task.action_size
        self._steps = 0
        self._renderer: Any = None
        self._shown = task.model

    @property
    def data(self) -> mujoco.MjData:
        """The current simulation: one MjData, updated at each access; changes to it have no effect."""
        self._batch.copy_data(0, self._data)
        return self._data

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        super().reset(seed=seed, options=options)
        generator = self.np_random.bit_generator
        self._stream[:] = words_of(generator.state)
        self._record[...] = self.task.record
        self._run(_kernels()[0].address)
        # the environment's own stream continues where the task left it
        high, low = (int(word) for word in self._stream[:2])
        state = generator.state
        state["state"]["state"] = high << 64 | low
        generator.state = state
        self._steps = 0
        if self.render_mode == "human":
            self.render()
        return self._obs.copy(), {}

    def step(self, action: NDArray[Any]) -> tuple[NDArray[np.float64], float, bool, bool, dict[str, Any]]:
        if self.task.choices:
            action = np.reshape(action, 1)
        if np.shape(action) != self._action.shape:
            raise ValueError(f"an action of shape {np.shape(action)}; this task takes {self._action.shape}")
        self._action[:] = action
        self._run(_kernels()[1].address)
        self._steps += 1
        if self.render_mode == "human":
            self.render()
        outcome = self._outcome[0]
        truncated = self._steps >= self.task.steps
        return self._obs.copy(), float(outcome["reward"]), bool(outcome["terminated"]), truncated, {}

    def _run(self, kernel: int) -> None:
        errors = self._batch.apply(kernel, self._argument.ctypes.data, save=True)
        if errors:
            raise EngineError(f"{self.task.name}: {errors[0]}")
        if self._argument["warnings"]:
            raise EngineError(f"{self.task.name}: the simulation became unstable; reset it")

    def render(self) -> Any:
        """Return a picture, uint8 (height, width, 3), or what Gymnasium's renderer gives in other modes."""
        if self.render_mode is None:
            return None
        shown = model_of(self.task, self._record)
        if shown is not self._shown:
            self.close()
            self._shown = shown
        data = self.data
        mujoco.mj_kinematics(shown, data)
        options = dict(self.task.rendering)
        if self.render_mode == "rgb_array":
            width, height = options.get("width", _DEFAULT_SIZE), options.get("height", _DEFAULT_SIZE)
            self._renderer = self._renderer or Renderer(shown, width, height)
            mujoco.mj_camlight(shown, data)
            camera = options.get("camera_name") or frame_creature(self.model, data.qpos[None], width / height)[0]
            return self._renderer.render(data, camera)
        if self._renderer is None:
            from gymnasium.envs.mujoco.mujoco_rendering import MujocoRenderer

            options.pop("render_mode")
            camera_config = options.pop("default_camera_config", None)
            self._renderer = MujocoRenderer(shown, data, camera_config, **options)
        return self._renderer.render(self.render_mode)

    def close(self) -> None:
        if self._renderer is not None and not isinstance(self._renderer, Renderer):
            self._renderer.close()
        self._renderer = None


def make_env(task: str, **options: Any) -> TaskEnv:
    """Return the environment of a task in `evo.envs.TASKS`, or of one named `package.module:attribute`."""
    trust(task)
    return TaskEnv(construct(resolve(task, TASKS), options))
