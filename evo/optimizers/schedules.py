"""Learning-rate schedules: a factor as a function of the share of the budget spent.

Written `constant`, `linear`, `cosine`, `step:0.5@0.3,0.6` or `warmup:0.1>cosine`; `schedule_from_text` parses that. A
schedule is a pure function from the share of the budget done, 0 to 1, to a factor from 0 to 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from evo.errors import nearest


class Schedule(Protocol):
    """A schedule: `schedule(share) -> factor`. A share above 1, as when the last generation overshoots, counts as 1."""

    def __call__(self, share: float) -> float: ...

    @property
    def text(self) -> str:
        """Return the schedule as it is written."""
        ...


@dataclass(frozen=True)
class Constant:
    """A factor of 1 throughout."""

    text = "constant"

    def __call__(self, share: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Linear:
    """A factor falling linearly from 1 to 0."""

    text = "linear"

    def __call__(self, share: float) -> float:
        return 1.0 - _within(share)


@dataclass(frozen=True)
class Cosine:
    """A factor falling from 1 to 0 along half a cosine.

    Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", equation 5, with one run and a
    least rate of 0.
    """

    text = "cosine"

    def __call__(self, share: float) -> float:
        return 0.5 * (1.0 + math.cos(math.pi * _within(share)))


@dataclass(frozen=True)
class StepDecay:
    """A rate multiplied by `factor`, in (0, 1], at each of `shares`, which rise within (0, 1).

    Raises ValueError for a factor or shares out of these ranges.
    """

    factor: float
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < self.factor <= 1:
            raise ValueError(f"a step's factor must be in (0, 1], got {self.factor:g}")
        borders = (0.0, *self.shares, 1.0)
        if not self.shares or not all(low < high for low, high in pairwise(borders)):
            given = ",".join(f"{share:g}" for share in self.shares)
            raise ValueError(f"the shares of the budget at which a step comes must rise within 0 to 1, got {given!r}")

    @property
    def text(self) -> str:
        return f"step:{self.factor!r}@{','.join(map(repr, self.shares))}"

    def __call__(self, share: float) -> float:
        return self.factor ** sum(share >= border for border in self.shares)


@dataclass(frozen=True)
class WarmUp:
    """Linear warm-up from 0 to 1 over the first `share`, in (0, 1), of the budget; `then` covers the rest.

    Goyal et al. 2017, "Accurate, Large Minibatch SGD", section 2.2. Raises ValueError for another share.
    """

    share: float
    then: Schedule = Constant()

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"a warm-up's share of the budget must be within 0 to 1, got {self.share:g}")

    @property
    def text(self) -> str:
        return f"warmup:{self.share!r}" + ("" if self.then == Constant() else f">{self.then.text}")

    def __call__(self, share: float) -> float:
        if share < self.share:
            return _within(share) / self.share
        return self.then((_within(share) - self.share) / (1.0 - self.share))


def schedule_from_text(text: str) -> Schedule:
    """Parse the schedule written as `text`. Raises ValueError."""
    word, chained, rest = text.partition(">")
    name, _, arguments = word.strip().partition(":")
    if name == "warmup":
        return WarmUp(_number(arguments, text, "warmup:0.1"), _plain(rest.strip(), text) if chained else Constant())
    if chained:
        raise ValueError(f"schedule {text!r}: only a warm-up comes before '>', as in 'warmup:0.1>cosine'")
    return _plain(text.strip(), text)


def _constant(arguments: str, text: str) -> Schedule:
    return _alone(Constant(), arguments, text)


def _linear(arguments: str, text: str) -> Schedule:
    return _alone(Linear(), arguments, text)


def _cosine(arguments: str, text: str) -> Schedule:
    return _alone(Cosine(), arguments, text)


def _step(arguments: str, text: str) -> Schedule:
    factor, _, shares = arguments.partition("@")
    example = "step:0.5@0.3,0.6"
    return StepDecay(_number(factor, text, example), tuple(_number(one, text, example) for one in shares.split(",")))


# Name → constructor, from the arguments written after it.
SCHEDULES: dict[str, Callable[[str, str], Schedule]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "step": _step,
}


def _plain(word: str, text: str) -> Schedule:
    name, _, arguments = word.partition(":")
    if name == "warmup":
        raise ValueError(f"schedule {text!r}: there is one warm-up, at the beginning, as in 'warmup:0.1>cosine'")
    if name not in SCHEDULES:
        raise ValueError(f"unknown schedule {name!r}{nearest(name, [*SCHEDULES, 'warmup'])}")
    return SCHEDULES[name](arguments, text)


def _alone(schedule: Schedule, arguments: str, text: str) -> Schedule:
    if arguments:
        raise ValueError(f"schedule {text!r}: {schedule.text!r} takes nothing after it")
    return schedule


def _number(written: str, text: str, example: str) -> float:
    try:
        return float(written)
    except ValueError:
        raise ValueError(f"schedule {text!r}: {written!r} is no number; write it as {example!r}") from None


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)
