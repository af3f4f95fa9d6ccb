"""Conversion between Gymnasium's spaces and vectors, with checks.

Observations are checked and flattened, network outputs become actions of the space. Environments are foreign code:
their values are checked here before compiled code reads them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from gymnasium import spaces

_UNBOUNDED = 1e9  # a wider range counts as unbounded, as in most environments
_SHOWN = 60  # characters of a value
_FEW = 32  # numbers below which Python is faster than numpy


class MisfitError(Exception):
    """A value of an environment does not fit its declaration; the message is for the user."""


def describe(value: Any) -> str:
    """Return a foreign value as a short text on one line."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # its repr may fail too
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def flatten(space: spaces.Space[Any], observation: Any) -> np.ndarray:
    """Return an observation as float64 (flatdim(space),), as `gymnasium.spaces.flatten` orders it.

    Raises MisfitError.
    """
    if isinstance(space, spaces.Box):
        if type(observation) is np.ndarray and observation.dtype == space.dtype and observation.shape == space.shape:
            return observation.astype(np.float64).ravel()  # the usual case, fast because it occurs at every step
        return _numbers(observation, space.shape, space.dtype)
    if isinstance(space, spaces.Discrete) and isinstance(observation, int | np.integer):
        place = int(observation) - int(space.start)
        if not 0 <= place < space.n:
            least = int(space.start)
            raise MisfitError(f"observes {int(observation)}, its space says {least} to {least + int(space.n) - 1}")
        flat = np.zeros(int(space.n))
        flat[place] = 1.0
        return flat
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, Mapping):
            raise MisfitError(f"observes {describe(observation)}, its space says a dict of {', '.join(space.spaces)}")
        missing = [key for key in space.spaces if key not in observation]
        if missing:
            raise MisfitError(f"observes no {missing[0]!r}, which its space has")
        return np.concatenate([flatten(part, observation[key]) for key, part in space.spaces.items()])
    if isinstance(space, spaces.Tuple):
        if not isinstance(observation, tuple | list) or len(observation) != len(space.spaces):
            raise MisfitError(f"observes {describe(observation)}, its space says a tuple of {len(space.spaces)}")
        pairs = zip(space.spaces, observation, strict=True)
        return np.concatenate([flatten(part, value) for part, value in pairs])
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        low, count = np.asarray(space.start), np.asarray(space.n if isinstance(space, spaces.Discrete) else space.nvec)
        found = _numbers(observation, space.shape).reshape(space.shape)
        wrong = ~((found >= low) & (found - low < count) & (found == np.floor(found)))
        if wrong.any():
            place = np.flatnonzero(wrong.ravel())[0]
            least, most = (int(np.ravel(bound)[place]) for bound in (low, low + count - 1))
            raise MisfitError(f"observes {found.ravel()[place]:g}, its space says {least} to {most}")
        observation = found.astype(space.dtype)
        observation = observation[()] if isinstance(space, spaces.Discrete) else observation
    elif isinstance(space, spaces.MultiBinary):
        return _numbers(observation, space.shape)
    try:
        return np.asarray(spaces.flatten(space, observation), np.float64).ravel()
    except Exception as error:  # whatever fails, it is no observation of this space
        raise MisfitError(f"observes {describe(observation)}, its space is {describe(space)}") from error


def _numbers(observation: Any, shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
    """Return an observation as a flat float64 array of the space's size, rounded as its dtype does.

    Raises MisfitError.
    """
    size = math.prod(shape)
    try:
        found = np.asarray(observation)
    except Exception as error:
        raise MisfitError(f"observes {describe(observation)}, its space says {size} {_plural(size)}") from error
    if found.dtype.kind not in "biuf":
        raise MisfitError(f"observes {describe(observation)}, its space says {size} {_plural(size)}")
    if found.size != size:
        raise MisfitError(f"observes {found.size} {_plural(found.size)}, its space says {size}")
    if dtype is not None and found.dtype != dtype and np.isfinite(found).all():
        with np.errstate(over="ignore", invalid="ignore"):
            found = found.astype(dtype)
    return found.ravel().astype(np.float64)


def number_of(reward: Any) -> float:
    """Return a reward of any type as a float. Raises MisfitError where it is no number."""
    earned = np.asarray(reward)
    if earned.size != 1 or earned.dtype.kind not in "biuf":
        raise MisfitError(f"its reward is {describe(reward)}, and no number")
    return float(earned.item())


def all_finite(vector: np.ndarray) -> bool:
    """Return whether each number of float64 (size,) is finite."""
    if vector.size < _FEW:  # numpy's own loop takes four times as long
        return all(map(math.isfinite, vector.tolist()))
    return bool(np.isfinite(vector).all())


def _plural(count: int) -> str:
    return "number" if count == 1 else "numbers"


@dataclass(frozen=True, eq=False)
class Actions:
    """Mapping from network outputs to actions of a space.

    space: Box, MultiDiscrete or MultiBinary, or Discrete, whose action is the index of a choice. least, most: bounds of
    its actions, (size,), in the space's type. low, high: float64 (size,), bounds to which outputs are clipped: -1 and 1
    where they are `scaled` to the range from least to most, bool (size,), that range itself elsewhere.
    """

    space: spaces.Space[Any]
    least: np.ndarray
    most: np.ndarray
    scaled: np.ndarray

    def __post_init__(self) -> None:
        bottom, top = self.least.astype(np.float64), self.most.astype(np.float64)
        half = (np.where(self.scaled, top, 0.0) - np.where(self.scaled, bottom, 0.0)) / 2.0
        dtype = np.dtype(self.space.dtype)
        for name, value in {
            "low": np.where(self.scaled, -1.0, bottom),
            "high": np.where(self.scaled, 1.0, top),
            "_bottom": bottom,
            "_top": top,
            "_half": half,
            "_all_scaled": bool(self.scaled.all()),
            "_fits": bool((self.scaled & (bottom + 2.0 * half <= top)).all()),
            "_none_scaled": not self.scaled.any(),
            "_dtype": dtype,
            "_whole": dtype.kind in "iub",
        }.items():
            object.__setattr__(self, name, value)

    low: np.ndarray = field(init=False)
    high: np.ndarray = field(init=False)
    _bottom: np.ndarray = field(init=False)
    _top: np.ndarray = field(init=False)
    _half: np.ndarray = field(init=False)  # of the width of a range
    _all_scaled: bool = field(init=False)
    _fits: bool = field(init=False)  # whether no scaled value is rounded beyond the upper end
    _none_scaled: bool = field(init=False)
    _dtype: np.dtype[Any] = field(init=False)
    _whole: bool = field(init=False)

    @property
    def choices(self) -> int:
        """Number of choices; 0 where actions are numbers."""
        return int(self.space.n) if isinstance(self.space, spaces.Discrete) else 0

    def of(self, values: np.ndarray) -> Any:
        """Return the environment's action for float64 (size,) within low and high: with its space's dtype and shape.

        Where scaled, -1 to 1 is its range from end to end. An integer is the nearest one.
        """
        space = self.space
        if isinstance(space, spaces.Discrete):
            return space.start + int(values[0])
        stretched = values if self._none_scaled else self._bottom + (values + 1.0) * self._half
        if not (self._all_scaled or self._none_scaled):
            stretched = np.where(self.scaled, stretched, values)
        # rounding must not lead out of the range
        bounded = stretched if self._fits else np.minimum(np.maximum(stretched, self._bottom), self._top)
        if not self._whole:
            taken = bounded.astype(self._dtype)
            return taken if taken.shape == space.shape else taken.reshape(space.shape)
        whole = np.rint(bounded)
        above, below = whole >= self._top, whole <= self._bottom
        taken = np.where(above, self.most, self.least).astype(self._dtype)  # 2⁶³ - 1 is no float
        inside = ~(above | below)
        taken[inside] = whole[inside].astype(self._dtype)
        return taken.reshape(space.shape)


def actions_of(space: Any, scale: bool) -> Actions:
    """Return the actions of an environment's space; scale: whether outputs from -1 to 1 are scaled to ranges.

    Raises ValueError for a space in which no network of numbers can act.
    """
    if not isinstance(space, spaces.Space):
        raise ValueError(f"its action_space is {describe(space)}; a gymnasium.spaces.Box or Discrete one is needed")
    if isinstance(space, spaces.Discrete):
        return Actions(space, np.zeros(1), np.array([space.n - 1.0]), np.zeros(1, bool))
    ends: tuple[Any, Any]
    if isinstance(space, spaces.Box):
        ends = space.low, space.high
    elif isinstance(space, spaces.MultiDiscrete):
        ends = space.start, space.start + space.nvec - 1
    elif isinstance(space, spaces.MultiBinary):
        ends = np.zeros(space.shape, np.int8), np.ones(space.shape, np.int8)
    else:
        raise ValueError(
            f"it takes actions of a {type(space).__name__} space; a Box, Discrete, MultiDiscrete or MultiBinary one is "
            "needed"
        )
    least, most = (np.ravel(end) for end in ends)
    if not least.size:
        raise ValueError("its actions have no numbers: there is nothing to decide")
    if not (least <= most).all():
        place = int(np.flatnonzero(~(least <= most))[0])
        raise ValueError(f"number {place} of its actions lies between {least[place]} and {most[place]}: no range")
    with np.errstate(over="ignore", invalid="ignore"):
        width = most.astype(np.float64) - least.astype(np.float64)
    return Actions(space, least, most, scale & (width < _UNBOUNDED))
