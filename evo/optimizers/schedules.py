"""Learning-rate schedules: a factor as a function of the share of the budget spent.

Written `constant`, `linear`, `cosine`, `step:0.5@0.3,0.6` or `warmup:0.1>cosine`, or with parentheses, `step(0.5, 0.3,
0.6)`; `schedule_from_text` parses that, and each class says how it is written. A schedule is a pure function from the
share of the budget done, 0 to 1, to a factor from 0 to 1.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, Self

from evo.errors import nearest
from evo.grammar import Call, chain, parse_call, value_of


class Schedule(Protocol):
    """A schedule: `schedule(share) -> factor`. A share above 1, as when the last generation overshoots, counts as 1."""

    def __call__(self, share: float) -> float: ...

    @property
    def text(self) -> str:
        """Return the schedule as it is written."""
        ...


class _Bare:
    """A schedule of a word alone."""

    text: str

    @classmethod
    def from_call(cls, call: Call) -> Self:
        if call.written.strip():
            raise ValueError(f"schedule {call.text!r}: {cls.text!r} takes nothing after it")
        return cls()


@dataclass(frozen=True)
class Constant(_Bare):
    """A factor of 1 throughout."""

    text = "constant"

    def __call__(self, share: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Linear(_Bare):
    """A factor falling linearly from 1 to 0."""

    text = "linear"

    def __call__(self, share: float) -> float:
        return 1.0 - _within(share)


@dataclass(frozen=True)
class Cosine(_Bare):
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

    @classmethod
    def from_call(cls, call: Call) -> Self:
        example = "step:0.5@0.3,0.6"
        (first, *rest), named = _arguments(call, "factor", "shares")
        factor, at, share = first.partition("@")
        written = [share, *rest] if at or not call.in_parentheses else rest
        shares = named.get("shares", written)
        shares = shares if isinstance(shares, list) else [shares]
        numbers = (_number(one, call, example) for one in shares)
        return cls(_number(named.get("factor", factor), call, example), tuple(numbers))

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

    @classmethod
    def from_call(cls, call: Call, *then: Schedule) -> Self:
        (share, *rest), named = _arguments(call, "share")
        if rest:
            raise ValueError(f"schedule {call.text!r}: a warm-up has one share, as in 'warmup:0.1'")
        return cls(_number(named.get("share", share), call, "warmup:0.1"), *then)

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


SCHEDULES: dict[str, type[Constant | Linear | Cosine | StepDecay]] = {
    "constant": Constant,
    "linear": Linear,
    "cosine": Cosine,
    "step": StepDecay,
}
_WARM_UP = "warmup"  # comes before one of them


def schedule_from_text(text: str) -> Schedule:
    """Parse the schedule written as `text`. Raises ValueError."""
    first, *rest = [parse_call(word, (*SCHEDULES, _WARM_UP)) for word in chain(text)]
    if first.name != _WARM_UP and rest:
        raise ValueError(f"schedule {text!r}: only a warm-up comes before '>', as in 'warmup:0.1>cosine'")
    if len(rest) > 1 or any(call.name == _WARM_UP for call in rest):
        raise ValueError(f"schedule {text!r}: there is one warm-up, at the beginning, as in 'warmup:0.1>cosine'")
    if first.name != _WARM_UP:
        return _plain(first)
    return WarmUp.from_call(first, *map(_plain, rest))


def _plain(call: Call) -> Schedule:
    if call.name not in SCHEDULES:
        name = call.name.partition(":")[0]
        raise ValueError(f"unknown schedule {name!r}{nearest(name, [*SCHEDULES, _WARM_UP])}")
    return SCHEDULES[call.name].from_call(call)


def _arguments(call: Call, *fields: str) -> tuple[list[str], dict[str, Any]]:
    """Return what stands alone, at least one text, and the values of `fields` that are written by name."""
    alone, named = call.arguments()
    for name in named:
        if name not in fields:
            raise ValueError(f"schedule {call.text!r}: {call.name} has no option {name!r}{nearest(name, fields)}")
    if alone and named:
        raise ValueError(f"schedule {call.text!r}: write its numbers alone, or each by its name")
    return alone or [""], {name: value_of(written) for name, written in named.items()}


def _number(written: Any, call: Call, example: str) -> float:
    try:
        return float(written)
    except (TypeError, ValueError):
        raise ValueError(f"schedule {call.text!r}: {written!r} is no number; write it as {example!r}") from None


def _within(share: float) -> float:
    return min(max(share, 0.0), 1.0)
