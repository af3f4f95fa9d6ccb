"""Task: a world and its reward.

A task is a MuJoCo model and three plain functions that are compiled with fixed signatures, and a fourth, optional one:

    reset(model, data, task, rng)             set the initial state, drawing from the episode's random stream
    observe(model, data, task, obs)           write the observation, float64 (observation_size,)
    advance(model, data, task, action, out)   act for one control step; set out.reward, out.terminated
    measure(model, data, task, step, out)     say how it was done, float64 (measures,), such as where it has come to

`measure` is called after every control step, `step` being 1 after the first, and only where measures are asked for. Its
`out` is zeros at the beginning of an episode and is kept: the last value written is the episode's, and a mean over the
steps is `out[k] += (value - out[k]) / step`.

`model` and `data` are MuJoCo's structs (`evo.envs.engine.structs`), `rng` is a stream of `evo.envs.engine.random`,
`action` is float64 (action_size,) already clipped to its bounds, or the index of a choice as one float64. `task` is a
record of the task's own numbers: its options, and its state within an episode; every episode begins with a fresh copy
of `Task.record`.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import mujoco
import numba
import numpy as np
from numba import types

from evo.envs.engine.compile import compile_kernel
from evo.envs.engine.structs import DATA, MODEL

OUTCOME = np.dtype([("reward", np.float64), ("terminated", np.int64)])
_VECTOR = types.Array(types.float64, 1, "C")
_STREAM = types.Array(types.uint64, 1, "C")
# Options of Gymnasium's MujocoEnv for its pictures only; they never change a simulation.
RENDERING_OPTIONS = (
    "render_mode",
    "width",
    "height",
    "camera_id",
    "camera_name",
    "default_camera_config",
    "max_geom",
    "visual_options",
)


def record(**values: Any) -> np.ndarray:
    """Return a 0-d structured array of the given numbers and float arrays, for `Task.record`."""
    fields: list[Any] = []
    for name, value in values.items():
        array = np.asarray(value)
        kind = np.int64 if array.dtype.kind in "bi" else np.float64
        fields.append((name, kind, array.shape) if array.shape else (name, kind))
    result = np.zeros((), np.dtype(fields or [("unused", np.int64)], align=True))
    for name, value in values.items():
        result[name] = value
    return result


FRAMES = 10_000  # most time steps in a control step, during which an episode cannot be stopped


@dataclass(frozen=True, eq=False, repr=False)
class Task:
    """A world and its reward: a MuJoCo model, three compiled functions (see the module), and their options.

    name: by which it is run. options: every constructor option and its value. steps: control steps at most in an
    episode. frame_skip: time steps in a control step. action_low, action_high: bounds, float64 (action_size,). choices:
    number of choices of a discrete action, whose index is the action; a network scores each; 0 where actions are
    continuous. gymnasium_id: the Gymnasium environment that it equals to the bit, if any. rendering: options for
    pictures, passed on to Gymnasium's renderer. view: how the camera looks at it. root: the body that adversity pushes;
    by default the heaviest child of the world. measure, measures: the optional function, and the names of
    what it writes. observation_names: names of what it observes, for pictures of networks; () where it names nothing.
    ranges: by the name of a measure, the least and the greatest that a map of behaviours is to tell apart, where known.
    feet: those of the measures that are shares of steps in which a foot is on the ground, for diagrams of gaits.

    Where the model differs between episodes, remodel(model, data, task) writes the record's changes into it: every
    simulation then has a model of its own, and a resumed episode calls it. addresses: the number of words at the
    record's beginning that are addresses, of what `wrapped` holds, and meaningless in another process. Only a task
    under adversity has any.

    reference: the name by which it was made with these options; None for one that was made or changed by hand.
    """

    name: str
    model: mujoco.MjModel
    reset: Callable[..., None]
    observe: Callable[..., None]
    advance: Callable[..., None]
    observation_size: int
    steps: int
    frame_skip: int
    record: np.ndarray = field(default_factory=record)
    action_low: np.ndarray | None = None
    action_high: np.ndarray | None = None
    choices: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    rendering: Mapping[str, Any] = field(default_factory=dict)
    gymnasium_id: str | None = None
    view: Mapping[str, float] = field(default_factory=dict)
    remodel: Callable[..., None] | None = None
    addresses: int = 0
    wrapped: "Wrapped | None" = None
    root: int | None = None
    measure: Callable[..., None] | None = None
    measures: tuple[str, ...] = ()
    observation_names: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    feet: tuple[str, ...] = ()
    reference: str | None = field(default=None, init=False)  # so that `replace` drops it

    def __post_init__(self) -> None:
        if self.choices:
            object.__setattr__(self, "action_low", np.zeros(1))
            object.__setattr__(self, "action_high", np.array([self.choices - 1.0]))
        bounds = self.model.actuator_ctrlrange.astype(np.float32).astype(np.float64)
        unlimited = self.model.actuator_ctrllimited == 0
        bounds[unlimited] = (-math.inf, math.inf)
        for name, column in (("action_low", 0), ("action_high", 1)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.ascontiguousarray(bounds[:, column]))
        if not 1 <= self.frame_skip <= FRAMES:
            raise ValueError(f"frame_skip must be between 1 and {FRAMES:,}, got {self.frame_skip}")
        if not 1 <= self.steps <= 10_000_000:
            raise ValueError(f"an episode of {self.steps} control steps; it must have between 1 and 10,000,000")
        if (self.measure is None) != (not self.measures):
            raise ValueError(f"{self.name}: give both measure, the function, and measures, the names of what it writes")
        if self.observation_names and len(self.observation_names) != self.observation_size:
            raise ValueError(
                f"{self.name}: {len(self.observation_names)} observation_names for {self.observation_size} observations"
            )
        if unmeasured := [name for name in self.feet if name not in self.measures]:
            raise ValueError(f"{self.name}: feet {', '.join(unmeasured)} are not among its measures")
        for name in self.rendering:
            if name not in RENDERING_OPTIONS:
                raise TypeError(f"{self.name} has no option {name!r}")

    def __repr__(self) -> str:
        takes = f"{self.choices} choices" if self.choices else f"{self.action_size} actions"
        return f"Task({self.name!r}, {self.observation_size} observations, {takes}, {self.steps:,} steps)"

    def summary(self) -> str:
        """Return its contents, a line each."""
        model = self.model
        takes = f"one of {self.choices} choices" if self.choices else f"{self.action_size} numbers"
        lines = [
            f"{self.name}: observes {self.observation_size} numbers, acts by {takes}",
            f"episode: at most {self.steps:,} control steps of {self.control_period:g} s",
            f"model: {model.nbody - 1} bodies, {model.njnt} joints, {model.nu} actuators at {model.opt.timestep:g} s",
            *([f"measures: {', '.join(self.measures)}"] if self.measures else []),
            *(f"{name} = {value!r}" for name, value in self.options.items()),
        ]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave compiled kernels and addresses out of copies and pickles."""
        if self.wrapped:
            beneath = self.wrapped.task
            hardships = {name: value for name, value in self.options.items() if name not in beneath.options}
            return _adverse_again, (self.wrapped.wrap, beneath, hardships, self.reference)
        return _again, ({one.name: getattr(self, one.name) for one in fields(self) if one.init}, self.reference)

    @property
    def action_size(self) -> int:
        assert self.action_low is not None
        return len(self.action_low)

    @property
    def outputs(self) -> int:
        """Size of a network's output: an action, or a score for each choice."""
        return self.choices or self.action_size

    @property
    def control_period(self) -> float:
        """Seconds from one action to the next."""
        return float(self.model.opt.timestep) * self.frame_skip

    @functools.cached_property
    def kernels(self) -> tuple[int, int, int, int]:
        """Addresses of the compiled reset, observe, advance and remodel (0 without one).

        Raises KernelError where one does not compile.
        """
        reset, observe, advance, *remodel = (kernel.address for kernel in self._compiled)
        return reset, observe, advance, *(remodel or [0])

    @functools.cached_property
    def measuring(self) -> tuple[int, int]:
        """Address of the compiled measure, and the offset in bytes, within the record, of the record that it takes.

        Both are 0 without one. Under adversity it takes the record of the task beneath. Raises KernelError where it
        does not compile.
        """
        if self.measure is None:
            return 0, 0
        if self.wrapped:
            return self.wrapped.task.measuring[0], self.record.dtype.itemsize
        return self._compiled_measure.address, 0

    @functools.cached_property
    def _compiled_measure(self) -> Any:
        assert self.measure is not None
        arguments = (*self._start, types.int64, _VECTOR)
        return compile_kernel(self.measure, arguments, "model, data, task, step, out")

    @property
    def _start(self) -> tuple[Any, ...]:
        return MODEL, DATA, numba.from_dtype(self.record.dtype)

    @functools.cached_property
    def _compiled(self) -> list[Any]:
        outcome = numba.from_dtype(OUTCOME)
        start = self._start
        kernels = [
            compile_kernel(self.reset, (*start, _STREAM), "model, data, task, rng"),
            compile_kernel(self.observe, (*start, _VECTOR), "model, data, task, obs"),
            compile_kernel(self.advance, (*start, _VECTOR, outcome), "model, data, task, action, out"),
        ]
        if self.remodel is not None:
            kernels.append(compile_kernel(self.remodel, start, "model, data, task"))
        return kernels


@dataclass(frozen=True, eq=False)
class Wrapped:
    """What a task under adversity is made of.

    task: the task beneath. wrap: makes a task of it and of options of adversity. models: its variants, with what they
    have lost. arrays: those that the record holds addresses of, kept alive here.
    """

    task: Task
    wrap: Callable[..., Task]
    models: Sequence[mujoco.MjModel]
    arrays: tuple[np.ndarray, ...]


def set_reference(task: Task, reference: str | None) -> Task:
    """Set the name that makes a task, and return the task."""
    object.__setattr__(task, "reference", reference)
    return task


def _again(values: Mapping[str, Any], reference: str | None) -> Task:
    return set_reference(Task(**values), reference)


def _adverse_again(
    adverse: Callable[..., Task], beneath: Task, hardships: Mapping[str, Any], reference: str | None
) -> Task:
    return set_reference(adverse(beneath, hardships), reference)
