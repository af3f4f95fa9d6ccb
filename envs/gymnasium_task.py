"""Any registered environment of Gymnasium's as a task: slower than ours, one Python call a step, but any of them.

Observations are flattened to float64 numbers (a discrete one to a one-hot vector), actions are what the environment
takes. An episode of seed s is `env.reset(seed=s)` and what follows.
"""

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, load_env_creator

from evo.envs.options import constructor_with
from evo.envs.reference import check_trusted

_STEPS = 1000  # in an episode of an environment that sets no limit


@dataclass(frozen=True, eq=False)
class GymnasiumTask:
    """A registered environment; its fields mean what those of `evo.envs.task.Task` mean.

    name: its id. spec: of its registration, which another process may not know of. options: keyword arguments of its
    constructor, but for the rendering ones. first_choice: what the environment calls choice 0.
    """

    name: str
    spec: EnvSpec
    options: Mapping[str, Any]
    observation_size: int
    steps: int
    control_period: float
    action_low: np.ndarray
    action_high: np.ndarray
    choices: int = 0
    first_choice: int = 0
    rendering: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action_size(self) -> int:
        return len(self.action_low)

    @property
    def outputs(self) -> int:
        return self.choices or self.action_size

    def make(self, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """A new environment, without checks that cost time."""
        extra = {} if render_mode is None else {"render_mode": render_mode}
        return gymnasium.make(self.spec, disable_env_checker=True, **self.options, **extra)


def is_registered(name: str) -> bool:
    """Whether Gymnasium knows an environment of this id, as in `CartPole-v1` or `module:Name-v0`."""
    module, _, environment = name.rpartition(":")
    if module and re.fullmatch(r".+-v\d+", environment):
        return True
    return name in gymnasium.registry


def constructor_of(name: str) -> Callable[..., GymnasiumTask]:
    """The constructor of a registered environment's task, with the environment's own options."""

    def made(options: dict[str, Any], others: dict[str, Any]) -> GymnasiumTask:
        for option in others:
            raise TypeError(f"{name} has no option {option!r}")
        return _task(name, options)

    return constructor_with(made, _own_options(name), GymnasiumTask, f"Gymnasium's {name}.")


def _spec(name: str) -> EnvSpec:
    module, _, environment = name.rpartition(":")
    if module:
        check_trusted(name)
        importlib.import_module(module)  # which registers it
    return gymnasium.spec(environment)


@functools.cache
def _own_options(name: str) -> dict[str, Any]:
    """Keyword arguments of an environment's constructor with their defaults."""
    spec = _spec(name)
    entry = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else None
    creator = entry or spec.entry_point
    defaults: dict[str, Any] = {}
    if creator is not None:
        for option, parameter in inspect.signature(creator).parameters.items():
            if isinstance(parameter.default, bool | int | float | str) and option != "render_mode":
                defaults[option] = parameter.default
    return {**defaults, **{key: value for key, value in spec.kwargs.items() if key != "render_mode"}}


def _task(name: str, options: Mapping[str, Any]) -> GymnasiumTask:
    try:
        env = gymnasium.make(_spec(name), disable_env_checker=True, **options)
    except Exception as error:  # an environment may fail in any way
        raise ValueError(f"Gymnasium does not make it: {type(error).__name__}: {error}") from error
    try:
        action, observation = env.action_space, env.observation_space
        try:
            size = spaces.flatdim(observation)
        except (NotImplementedError, ValueError) as error:
            kind = type(observation).__name__
            raise ValueError(f"it observes a {kind} space, which is no vector of fixed size") from error
        choices = first = 0
        if isinstance(action, spaces.Discrete):
            choices, first = int(action.n), int(action.start)
            low, high = np.zeros(1), np.array([choices - 1.0])
        elif isinstance(action, spaces.Box):
            low, high = (np.asarray(bound, np.float64).ravel() for bound in (action.low, action.high))
        else:
            raise ValueError(f"it takes actions of a {type(action).__name__} space; a Box or Discrete one is needed")
        assert env.spec is not None
        frames = env.metadata.get("render_fps") or 30
        return GymnasiumTask(
            name=name,
            spec=_spec(name),
            options=options,
            observation_size=size,
            steps=env.spec.max_episode_steps or _STEPS,
            control_period=1.0 / frames,
            action_low=low,
            action_high=high,
            choices=choices,
            first_choice=first,
        )
    finally:
        env.close()


class Body:
    """An environment between resets, with observations and actions as plain vectors."""

    def __init__(self, task: GymnasiumTask, render_mode: str | None = None) -> None:
        self.env = task.make(render_mode)
        self._observation, self._action = self.env.observation_space, self.env.action_space

    def reset(self, seed: int) -> np.ndarray:
        """The first observation of an episode, float64 (observation_size,)."""
        return self._flat(self.env.reset(seed=seed)[0])

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool]:
        """Observation, reward, whether the task ended the episode, and whether its time is over.

        action: float64 (action_size,), within its bounds; a choice's index where there are choices.
        """
        taken: Any
        if isinstance(self._action, spaces.Discrete):
            taken = self._action.start + int(action[0])
        else:
            assert isinstance(self._action, spaces.Box)
            taken = action.astype(self._action.dtype).reshape(self._action.shape)
        observation, reward, terminated, truncated, _ = self.env.step(taken)
        return self._flat(observation), float(reward), bool(terminated), bool(truncated)

    def _flat(self, observation: Any) -> np.ndarray:
        return np.asarray(spaces.flatten(self._observation, observation), np.float64)
