"""Any registered Gymnasium environment as a task: one Python call a step, so slower than compiled tasks.

Observations are flattened to float64 numbers (a discrete one to a one-hot vector), actions are in the environment's
space. An episode of seed s begins with `env.reset(seed=s)`.
"""

import contextlib
import importlib
import inspect
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, load_env_creator

from evo.envs import TASKS
from evo.envs.foreign import FAILURES, contained, in_words, staying
from evo.envs.gymnasium_bridge.alarm import alarmed, set_alarm
from evo.envs.gymnasium_bridge.spaces import Actions, MisfitError, actions_of, describe, flatten, number_of
from evo.envs.notes import note
from evo.envs.options import Constructor, Option
from evo.envs.reference import check_trusted

_STEPS = 1000  # steps of an episode, for an environment without a limit
_FRAMES, _SLOWEST, _FASTEST = 30, 1e-3, 1e6  # frames a second: where none are declared; least and most that can be
_LOADING = 20  # times the limit of a step, for what has to load first: making an environment, and its pictures
_PIECES = {"reset": "a pair (observation, info)", "step": "observation, reward, terminated, truncated, info"}
_SCALE, _LENGTH = "scale_actions", "max_episode_steps"  # our own options
# Values of these options in configurations and champions that are older than the options.
ABSENT: Mapping[str, Any] = {_SCALE: False}


@dataclass(frozen=True, eq=False)
class GymnasiumTask:
    """A registered environment; fields of the same name have the meaning of those of `evo.envs.task.Task`.

    name: its id. spec: its registration, which another process may not have. options: all that it was made with;
    arguments: those of its constructor among them. limit: control steps of an episode, in place of its registration's.
    step_timeout: seconds that a reset or a step may take, where it runs in a separate process; making it, or rendering,
    may take twenty times as long. None: no limit.
    """

    name: str
    spec: EnvSpec
    options: Mapping[str, Any]
    arguments: Mapping[str, Any]
    observation_space: spaces.Space[Any]
    observation_size: int
    actions: Actions
    steps: int
    control_period: float
    limit: int | None = None
    step_timeout: float | None = None
    rendering: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action_low(self) -> np.ndarray:
        return self.actions.low

    @property
    def action_high(self) -> np.ndarray:
        return self.actions.high

    @property
    def action_size(self) -> int:
        return len(self.actions.low)

    @property
    def choices(self) -> int:
        return self.actions.choices

    @property
    def outputs(self) -> int:
        return self.choices or self.action_size

    def make(self, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Return a new environment, without Gymnasium's checks, which cost time."""
        extra = {} if render_mode is None else {"render_mode": render_mode}
        return _make(self.spec, self.limit, {**self.arguments, **extra})

    def to_observation(self, observation: Any) -> np.ndarray:
        """Return the environment's observation as float64 (observation_size,). Raises MisfitError."""
        return flatten(self.observation_space, observation)

    def vector(self, observation: Any) -> np.ndarray:
        """Return an observation, flattened already or not, as float64 (observation_size,). Raises ValueError."""
        try:
            return self.to_observation(observation)
        except MisfitError as error:
            if isinstance(observation, np.ndarray) and observation.shape == (self.observation_size,):
                return observation.astype(np.float64)
            raise ValueError(f"{self.name} {error}") from error


def is_registered(name: str) -> bool:
    """Return whether Gymnasium knows an environment of this id, as in `CartPole-v1` or `module:Name-v0`."""
    module, _, environment = name.rpartition(":")
    if module and re.fullmatch(r".+-v\d+", environment):
        return True
    return name in gymnasium.registry


def registered_names() -> list[str]:
    """Return the ids that Gymnasium knows, without ours, newer versions first."""
    found = [(spec.version or 0, name) for name, spec in gymnasium.registry.items() if not name.startswith("evo/")]
    return [name for _, name in sorted(found, key=lambda one: -one[0])]


class Look(NamedTuple):
    """What an environment declares, from which a task is made. said: warnings of its construction, where recorded."""

    observation_space: Any
    action_space: Any
    steps: int
    control_period: float
    said: tuple[str, ...] = ()


# Request for a look: the registration, the episode's limit, and the constructor's arguments.
Asked = tuple[EnvSpec, int | None, Mapping[str, Any]]


@staying()
def look_here(asked: Asked, record: bool = False, step_timeout: float | None = None) -> Look | str:
    """Make an environment in this process, look, and close it; return why it cannot be made.

    record: its warnings. step_timeout: if given, SIGALRM ends this process as in a `Body`.
    """
    env = None
    try:
        _creator(asked[0])  # import of its module is not limited
        with warnings.catch_warnings(record=record) as said, alarmed(step_timeout, _LOADING):
            env = _make(*asked)
        return Look(
            observation_space=getattr(env, "observation_space", None),
            action_space=getattr(env, "action_space", None),
            steps=(env.spec.max_episode_steps if env.spec else None) or _STEPS,
            control_period=_control_period(getattr(env, "metadata", None) or {}),
            said=tuple(str(one.message) for one in said or ()),
        )
    except gymnasium.error.DependencyNotInstalled as error:
        return without(error)
    except FAILURES as error:  # an environment may fail in any way
        return f"Gymnasium does not make it: {in_words(error)}"
    finally:
        if env is not None:
            with alarmed(step_timeout, _LOADING):
                close(env)


def _control_period(metadata: Mapping[str, Any]) -> float:
    """Return the seconds of a step that an environment's metadata declares, or the usual ones."""
    declared = metadata.get("render_fps")
    if not (isinstance(declared, int | float | np.integer | np.floating) and _SLOWEST <= float(declared) <= _FASTEST):
        declared = _FRAMES
    return 1.0 / float(declared)


def constructor_of(name: str, look: Callable[[Asked], Look | str] = look_here) -> Constructor[GymnasiumTask]:
    """Return the constructor of a registered environment's task, with the environment's own options.

    look: makes the environment and looks at it, possibly in another process, which it may end.

    Two options are ours: `scale_actions`, whether -1 and 1 of the network are the ends of an action's range where that
    is finite; and `max_episode_steps`. Where the environment takes any keyword, so does the constructor.
    """
    spec = _spec(name)
    own, needed, takes_any = _own_options(spec)
    ours = {_SCALE: (bool, True)} if _SCALE not in own else {}
    known = {**own, **ours, _LENGTH: (int | None, None)}

    def made(options: dict[str, Any], others: dict[str, Any]) -> GymnasiumTask:
        if others and not takes_any:
            raise TypeError(f"{name} has no option {next(iter(others))!r}")
        scale = bool(options.pop(_SCALE)) if ours else None
        limit = options.pop(_LENGTH)
        if limit is not None and not 1 <= limit <= 10_000_000:
            raise ValueError(f"max_episode_steps must be between 1 and 10,000,000, got {limit}")
        for option in needed:
            if options[option] is None:
                raise ValueError(f"its environment needs {option}: give it, as in --set task.{option}=…")
        # None leaves an option to the environment; sequences become lists, or tuples where the default is one
        given = {option: value for option, value in (options | others).items() if value is not None}
        for option, value in given.items():
            if isinstance(value, list | tuple):
                given[option] = tuple(value) if isinstance(own.get(option, (None, None))[1], tuple) else list(value)
        return _task(name, spec, given, scale, limit, look)

    options = {option: Option(kind, default) for option, (kind, default) in known.items()}
    return Constructor(made, options, GymnasiumTask, f"Gymnasium's {name}.", others=True, takes_any=takes_any)


def reference_of(made: gymnasium.Env[Any, Any] | EnvSpec) -> tuple[str, dict[str, Any]]:
    """Return the id and options that make an environment again. Raises ValueError where there are none."""
    spec = made if isinstance(made, EnvSpec) else made.spec
    if spec is None:
        raise ValueError(
            "this environment was not made by gymnasium.make, and a run must be able to make it again: register its "
            "class by gymnasium.register, and give its id"
        )
    known = gymnasium.registry.get(spec.id)
    if known is None or known.entry_point != spec.entry_point:
        raise ValueError(f"{spec.id} is not registered like this: call gymnasium.register with it first")
    if spec.additional_wrappers != known.additional_wrappers:
        wrapper = spec.additional_wrappers[-1].name if spec.additional_wrappers else "no wrapper"
        raise ValueError(f"{spec.id} in {wrapper} is not what is registered: register what makes it, wrappers and all")
    options = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
    given = {name: value for name, value in options.items() if name not in known.kwargs or known.kwargs[name] != value}
    if spec.max_episode_steps not in (None, known.max_episode_steps):
        given[_LENGTH] = spec.max_episode_steps
    return spec.id, given


def _spec(name: str) -> EnvSpec:
    module, _, environment = name.rpartition(":")
    if module:
        check_trusted(name)
    with contained():
        if module:
            importlib.import_module(module)  # registers it
        return gymnasium.spec(environment)


def _creator(spec: EnvSpec) -> Any:
    try:
        with contained():
            return load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    except gymnasium.error.DependencyNotInstalled as error:
        raise ImportError(without(error)) from error


def without(error: Exception) -> str:
    """Return what to do where Gymnasium lacks a package."""
    return f'{" ".join(str(error).split()).rstrip(".")}; pip install ".[classic]" in evo\'s folder brings it'


def _own_options(spec: EnvSpec) -> tuple[dict[str, tuple[Any, Any]], list[str], bool]:
    """Return an environment's options, option → (type, default), those it needs, and whether it takes any others.

    A default of None leaves the option to the environment, as does one that no file can hold.
    """
    own: dict[str, tuple[Any, Any]] = {}
    needed, takes_any = [], False
    try:
        parameters = inspect.signature(_creator(spec)).parameters.values()
    except (TypeError, ValueError):  # written in C
        return {}, [], True
    for one in parameters:
        takes_any |= one.kind is one.VAR_KEYWORD
        if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY) and one.name != "render_mode":
            default = spec.kwargs.get(one.name, one.default)
            if default is one.empty:
                needed.append(one.name)
            own[one.name] = _kind_and_default(default)
    for option, value in spec.kwargs.items():
        if option not in own and option != "render_mode":
            own[option] = _kind_and_default(value)
    return own, needed, takes_any


def _kind_and_default(default: Any) -> tuple[Any, Any]:
    if not _is_plain(default):
        return Any, None
    kinds: dict[Any, Any] = {bool: bool, int: int | float, float: float, str: str, dict: dict}
    return kinds.get(type(default), list | tuple), default


def _is_plain(value: Any) -> bool:
    """Return whether a configuration file can hold a value."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return isinstance(value, bool | int | float | str)


def _make(spec: EnvSpec, limit: int | None, options: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    with contained():
        return gymnasium.make(spec, max_episode_steps=limit, disable_env_checker=True, **options)


def _task(
    name: str,
    spec: EnvSpec,
    options: Mapping[str, Any],
    scale: bool | None,
    limit: int | None,
    look: Callable[[Asked], Look | str],
) -> GymnasiumTask:
    if isinstance(options.get("xml_file"), str):  # an option of MuJoCo's older tasks
        from evo.envs.mujoco_v5.construction import model_path

        model_path(options["xml_file"])
    for value in options.values():  # of environments that make another one
        if isinstance(value, str) and ":" in value and is_registered(value):
            check_trusted(value)
    seen = look((spec, limit, options))
    if isinstance(seen, str):
        raise ValueError(seen)
    for text in seen.said:
        warnings.warn(text, stacklevel=2)
    observation = seen.observation_space
    if not isinstance(observation, spaces.Space):
        raise ValueError(f"its observation_space is {describe(observation)}; one of gymnasium.spaces is needed")
    try:
        size = spaces.flatdim(observation)
    except (NotImplementedError, ValueError) as error:
        kind = type(observation).__name__
        raise ValueError(f"it observes a {kind} space, which is no vector of fixed size") from error
    if not size:
        raise ValueError("it observes no numbers: a network has nothing to act on")
    newest = [task for task in TASKS if task.startswith(f"{spec.name}-v")]
    if newest and name not in newest:
        note(f"{name} is run by Gymnasium itself, step by step: {newest[0]} is compiled, and much faster")
    ours = {_SCALE: scale, _LENGTH: limit}
    return GymnasiumTask(
        name=name,
        spec=spec,
        options={**options, **{name: value for name, value in ours.items() if value is not None}},
        arguments=options,
        observation_space=observation,
        observation_size=size,
        actions=actions_of(seen.action_space, bool(scale)),
        steps=seen.steps,
        control_period=seen.control_period,
        limit=limit,
    )


def close(env: gymnasium.Env[Any, Any]) -> None:
    """Close an environment, ignoring its errors."""
    with contextlib.suppress(Exception), contained():
        env.close()


class Body:
    """An environment between resets, with observations and actions as plain vectors.

    alarm: whether a reset or step that takes longer than the task's step_timeout ends this process by SIGALRM, whatever
    it is doing, as does loading or closing that takes longer than its limit. Raises whatever the environment raises;
    MisfitError where its values are not as declared.
    """

    def __init__(self, task: GymnasiumTask, render_mode: str | None = None, alarm: bool = False) -> None:
        self._task, self._process = task, os.getpid()
        self._seconds = task.step_timeout if alarm else None
        if alarm:
            _creator(task.spec)  # import of its module is not limited
        with alarmed(self._seconds, _LOADING):
            self.env = task.make(render_mode)

    def reset(self, seed: int) -> np.ndarray:
        """Return the first observation of an episode, float64 (observation_size,)."""
        observation, _ = self._answer("reset", seed=seed)
        return self._task.to_observation(observation)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool]:
        """Return observation, reward, and whether the episode was terminated and truncated.

        action: float64 (action_size,), within its bounds; a choice's index where there are choices.
        """
        observation, reward, terminated, truncated, _ = self._answer("step", self._task.actions.of(action))
        if not isinstance(reward, float):
            reward = number_of(reward)
        return self._task.to_observation(observation), float(reward), bool(terminated), bool(truncated)

    def _answer(self, what: str, *arguments: Any, **named: Any) -> tuple[Any, ...]:
        pieces = 2 if what == "reset" else 5
        if self._seconds is not None:
            set_alarm(self._seconds)
        try:
            answer = getattr(self.env, what)(*arguments, **named)
        except (TypeError, ValueError) as error:
            if not _failed_to_unpack(error):
                raise
            raise MisfitError(f"its {what} gives something else than {_PIECES[what]}") from error
        finally:
            if self._process != os.getpid():
                os._exit(0)  # a child that the environment forked ends here
            if self._seconds is not None:
                set_alarm(0)
        if not isinstance(answer, tuple) or len(answer) != pieces:
            raise MisfitError(f"its {what} gives {describe(answer)}; must be {_PIECES[what]}")
        return answer

    def picture(self) -> np.ndarray:
        """Return the environment's rendering, uint8 (height, width, 3). Raises MisfitError where that is no picture."""
        with alarmed(self._seconds, _LOADING), contained():
            drawn = self.env.render()
        found = np.asarray(drawn)
        if found.ndim != 3 or found.shape[2] != 3 or not found.size or found.dtype.kind not in "iuf":
            raise MisfitError(f"its render gives {describe(drawn)}, and no picture")
        if found.dtype.kind == "f" and np.nanmax(found, initial=0) <= 1:
            found = found * 255  # floats from 0 to 1, as matplotlib has them
        return np.clip(np.nan_to_num(found), 0, 255).round().astype(np.uint8)

    def close(self) -> None:
        """Close the environment."""
        with alarmed(self._seconds, _LOADING):
            close(self.env)


def _failed_to_unpack(error: Exception) -> bool:
    """Return whether Gymnasium's own wrapper failed to unpack the environment's answer."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    module = "" if place is None else str(place.tb_frame.f_globals.get("__name__"))
    return module.startswith("gymnasium.wrappers.") and "unpack" in str(error)
