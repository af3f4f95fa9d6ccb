"""Environments that break their word, each in its own way; `Fine` keeps it."""

import ctypes
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

_LIMIT = 5


def _fails() -> Any:
    raise RuntimeError("the floor\ngave way")


def _forks() -> None:
    if (child := os.fork()) != 0:
        os.waitpid(child, 0)  # were the child to go on, it would be for long


class UnspeakableError(Exception):
    """An error whose message cannot be had."""

    def __str__(self) -> str:
        raise ValueError("no words")


def _fails_silently() -> Any:
    raise UnspeakableError


class Trap:
    """A value that exits when it is looked at."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        sys.exit(3)


def _stumbles() -> None:
    mark = Path("stumbled")  # in the folder of whose work it is
    if not mark.exists():
        mark.touch()
        os._exit(3)


def _dies_in_writing() -> None:
    with open("deaths", "a") as file:
        file.write("x")
    os._exit(3)


DEEDS: dict[str, Callable[[], Any]] = {
    "raises": _fails,
    "fails silently": _fails_silently,
    "exits": lambda: sys.exit(3),
    "dies": lambda: os._exit(3),
    "dies once": _stumbles,
    "dies in writing": _dies_in_writing,
    "crashes": lambda: ctypes.string_at(0),
    "kills": lambda: os.kill(os.getpid(), 9),
    "hangs": lambda: time.sleep(3600),
    "hears no alarm": lambda: signal.signal(signal.SIGALRM, signal.SIG_IGN),
    "ignores its alarm and hangs": lambda: (signal.signal(signal.SIGALRM, signal.SIG_IGN), time.sleep(3600)),
    "forks": _forks,
    "moves": lambda: os.chdir("/"),
    "prints": lambda: print("a line of the environment's"),
    "warns": lambda: warnings.warn("the environment's own warning", stacklevel=1),
}


class Fine(gymnasium.Env[Any, Any]):
    """Observes four ones for five steps, whatever is done; the reward is 1.

    always, bold: a method and a deed, as in "step raises", done in each call or where an action is positive.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 10}

    def __init__(self, always: str = "", bold: str = "", render_mode: str | None = None) -> None:
        self.always, self.bold, self.render_mode = always, bold, render_mode
        self.observation_space: Any = spaces.Box(-np.inf, np.inf, (4,), np.float64)
        self.action_space: Any = spaces.Box(-1.0, 1.0, (2,), np.float64)
        self._do("init")

    def _do(self, method: str, action: Any = None) -> None:
        deeds = [self.always]
        if action is not None and np.ravel(action)[0] > 0:
            deeds.append(self.bold)
        for deed in deeds:
            where, _, what = deed.partition(" ")
            if where == method:
                DEEDS[what]()

    def observed(self) -> Any:
        return np.ones(4)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.steps = 0
        self._do("reset")
        return self.observed(), {}

    def step(self, action: Any) -> Any:
        self.steps += 1
        self._do("step", action)
        return self.observed(), 1.0, self.steps >= _LIMIT, False, {}

    def render(self) -> Any:
        self._do("render")
        return np.full((20, 20, 3), 10 * self.steps, np.uint8)

    def close(self) -> None:
        self._do("close")


def _observing(what: Callable[["Fine"], Any], space: Any = None) -> type[Fine]:
    class Observing(Fine):
        def __init__(self, render_mode: str | None = None) -> None:
            super().__init__(render_mode=render_mode)
            if space is not None:
                self.observation_space = space

        def observed(self) -> Any:
            return what(self)

    return Observing


def _rewarded(reward: Any) -> type[Fine]:
    class Rewarded(Fine):
        def step(self, action: Any) -> Any:
            observation, _, *rest = super().step(action)
            return observation, reward, *rest

    return Rewarded


class OldReset(Fine):
    def reset(self, **asked: Any) -> Any:
        return super().reset(**asked)[0]


class OldStep(Fine):
    def step(self, action: Any) -> Any:
        observation, reward, terminated, _, info = super().step(action)
        return observation, reward, terminated, info


class NoStep(Fine):
    def step(self, action: Any) -> Any:
        return None


class NoSeed(Fine):
    def reset(self) -> Any:  # type: ignore[override]
        return super().reset()


class Growing(Fine):
    """Another space at every reset."""

    def reset(self, **asked: Any) -> Any:
        super().reset(**asked)
        self.observation_space = spaces.Box(-1.0, 1.0, (7,), np.float64)
        return np.zeros(7), {}


def _acting(space: Any) -> type[Fine]:
    class Acting(Fine):
        def __init__(self, render_mode: str | None = None) -> None:
            super().__init__(render_mode=render_mode)
            self.action_space = space

    return Acting


class NoActions(Fine):
    def __init__(self) -> None:
        super().__init__()
        del self.action_space


class NoObservations(Fine):
    def __init__(self) -> None:
        super().__init__()
        self.observation_space = None


class NoMetadata(Fine):
    metadata: ClassVar[Any] = None


class Secretive(Fine):
    """Its observation space cannot be had."""

    def __init__(self, deed: str = "raises") -> None:
        self.deed = deed

    @property  # type: ignore[override]
    def observation_space(self) -> Any:
        return DEEDS[self.deed]()


def _timed(frames: Any) -> type[Fine]:
    class Timed(Fine):
        metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": frames}

    return Timed


# Frames a second that are none.
TIMELESS = {
    "Word": _timed("fast"),
    "Backwards": _timed(-5),
    "Never": _timed(np.nan),
    "Many": _timed(np.array([1, 2])),
    "AtOnce": _timed(np.inf),
}


_PARTS = spaces.Dict({"at": spaces.Box(-1.0, 1.0, (3,)), "goal": spaces.Discrete(4)})

# What every one of its individuals fails of.
EVERY_EPISODE: dict[str, tuple[type[Fine], str]] = {
    "TooMany": (_observing(lambda env: np.ones(5)), "observes 5 numbers, its space says 4"),
    "Thousand": (_observing(lambda env: np.ones(1000)), "observes 1000 numbers, its space says 4"),
    "TooFew": (_observing(lambda env: np.ones(3)), "observes 3 numbers, its space says 4"),
    "Later": (_observing(lambda env: np.ones(4 + env.steps)), "observes 5 numbers, its space says 4"),
    "Nothing": (_observing(lambda env: None), "observes None, its space says 4 numbers"),
    "Trapped": (_observing(lambda env: Trap()), r"it called sys\.exit\(3\)"),
    "Text": (_observing(lambda env: "1234"), "observes '1234', its space says 4 numbers"),
    "Words": (_observing(lambda env: ["1", "2", "3", "4"]), "its space says 4 numbers"),
    "Ragged": (_observing(lambda env: [[1], [2, 3]]), "its space says 4 numbers"),
    "Complex": (_observing(lambda env: np.ones(4, complex)), "its space says 4 numbers"),
    "Objects": (_observing(lambda env: np.array([None] * 4)), "its space says 4 numbers"),
    "Blind": (_observing(lambda env: np.full(4, np.nan)), "an observation was not finite"),
    "BlindInWhole": (
        _observing(lambda env: np.full(4, np.nan), spaces.Box(0, 9, (4,), np.int64)),
        "an observation was not finite",
    ),
    "Far": (_observing(lambda env: 6, spaces.Discrete(4)), "observes 6, its space says 0 to 3"),
    "Negative": (_observing(lambda env: -1, spaces.Discrete(4)), "observes -1, its space says 0 to 3"),
    "Half": (_observing(lambda env: 1.5, spaces.Discrete(4)), "observes 1.5, its space says 0 to 3"),
    "FarToo": (_observing(lambda env: [1, 5], spaces.MultiDiscrete([2, 3])), "observes 5, its space says 0 to 2"),
    "NoDict": (_observing(lambda env: np.ones(7), _PARTS), "its space says a dict of at, goal"),
    "NoGoal": (_observing(lambda env: {"at": np.ones(3)}, _PARTS), "observes no 'goal', which its space has"),
    "LongPart": (
        _observing(lambda env: {"at": np.ones(4), "goal": 1}, _PARTS),
        "observes 4 numbers, its space says 3",
    ),
    "NoTuple": (
        _observing(lambda env: (1,), spaces.Tuple([spaces.Discrete(2), spaces.Discrete(2)])),
        "its space says a tuple of 2",
    ),
    "Written": (_observing(lambda env: "é", spaces.Text(4)), "observes 'é', its space is Text"),
    "NaNReward": (_rewarded(np.nan), "an action or a reward was not finite"),
    "InfReward": (_rewarded(np.inf), "an action or a reward was not finite"),
    "HugeReward": (_rewarded(1e308), "the rewards sum to infinity"),
    "TrappedReward": (_rewarded(Trap()), r"it called sys\.exit\(3\)"),
    "NoReward": (_rewarded(None), "its reward is None, and no number"),
    "TextReward": (_rewarded("1.0"), "its reward is '1.0', and no number"),
    "ManyRewards": (_rewarded(np.ones(3)), "its reward is array"),
    "OldReset": (OldReset, "its reset gives array"),
    "OldStep": (OldStep, "its step gives something else than observation, reward, terminated, truncated, info"),
    "NoStep": (NoStep, "its step gives"),
    "NoSeed": (NoSeed, "TypeError: .*unexpected keyword argument 'seed'"),
    "Growing": (Growing, "observes 7 numbers, its space says 4"),
}

# What is no task at all.
NO_TASK: dict[str, tuple[type[Fine], str]] = {
    "NoActions": (NoActions, "its action_space is None"),
    "NoObservations": (NoObservations, "its observation_space is None"),
    "Secretive": (Secretive, "Gymnasium does not make it: RuntimeError: the floor gave way"),
    "NoMetadata": (NoMetadata, "Gymnasium does not make it"),
    "Unheard": (_observing(lambda env: (), spaces.Sequence(spaces.Discrete(3))), "is no vector of fixed size"),
    "Empty": (_observing(lambda env: np.ones(0), spaces.Box(0.0, 1.0, (0,))), "it observes no numbers"),
    "Idle": (_acting(spaces.Box(0.0, 1.0, (0,))), "its actions have no numbers"),
    "Writing": (_acting(spaces.Text(4)), "takes actions of a Text space"),
}

for _name, _kind in {
    **{name: kind for name, (kind, _) in (EVERY_EPISODE | NO_TASK).items()},
    **TIMELESS,
    "Fine": Fine,
}.items():
    _kind.__qualname__ = _kind.__name__ = _name
    globals()[_name] = _kind  # another process finds it there
    gymnasium.register(f"{_name}-v0", f"{__name__}:{_name}", max_episode_steps=20)
