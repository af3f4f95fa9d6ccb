"""Search spaces: the settings of a method that a comparison tunes by random search, declared once for each family.

The ranges are those in which papers and our presets (`evo.config.presets`) lie, with room on either side, and are the
same on every task. A family without an entry is not tuned. A class of the user's own declares its space itself, in
`search_space`: option → (low, high) or a list of values.
Source: Bergstra & Bengio 2012, "Random Search for Hyper-Parameter Optimization".
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class LogUniform:
    """A number of which the logarithm is uniform between those of `low` and `high`.

    text: the option's value, with the number in its braces; "" where the value is the number. of_width: on a function,
    low and high are shares of the width of its domain.
    """

    option: str
    low: float
    high: float
    text: str = ""
    of_width: bool = False

    def bounds(self, width: float) -> tuple[float, float]:
        """Return low and high where a domain has this width; 1 for a task without one."""
        return (self.low * width, self.high * width) if self.of_width else (self.low, self.high)

    def value(self, share: float, width: float) -> dict[str, Any]:
        """Return option → value at a share from 0 to 1 of the logarithmic range, to three significant digits."""
        low, high = self.bounds(width)
        number = float(f"{math.exp(math.log(low) + share * math.log(high / low)):.3g}")
        return {self.option: self.text.format(number) if self.text else number}

    def describe(self, width: float) -> str:
        """Return `sigma 0.01 to 0.3`."""
        low, high = self.bounds(width)
        return f"{self.option} {(self.text or '{}').format(f'{low:g} to {high:g}')}"


@dataclass(frozen=True)
class OneOf:
    """One of a few choices, all as likely; each is option → value, of all the options that go together."""

    choices: tuple[Mapping[str, Any], ...]

    def value(self, share: float, width: float) -> dict[str, Any]:
        """Return the choice at a share from 0 to 1 of their list."""
        return dict(self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)])

    def describe(self, width: float) -> str:
        """Return `pairs one of 8, 16`."""
        options = ", ".join(self.choices[0])
        return f"{options} one of {', '.join('/'.join(map(str, choice.values())) for choice in self.choices)}"


Space = Sequence[LogUniform | OneOf]


def _one_of(option: str, *values: Any) -> OneOf:
    return OneOf(tuple({option: value} for value in values))


# Deviations and steps in parameters: on a function in shares of the width of its domain.
_SIGMA = LogUniform("sigma", 0.003, 0.3, of_width=True)
_STEP = LogUniform("learning_rate", 0.003, 0.3, of_width=True)
_COVARIANCE: Space = (_SIGMA, _one_of("population_size", 8, 16, 32, 64))
_BACKPROP = LogUniform("learning_rate", 1e-4, 1e-3)
_DISCOUNT = _one_of("discount", 0.98, 0.99, 0.995)
_OFF_POLICY: Space = (_BACKPROP, _DISCOUNT, LogUniform("target_rate", 0.002, 0.02))

SEARCH_SPACES: Mapping[str, Space] = {
    "ars": (
        _STEP,
        _SIGMA,
        OneOf(
            tuple(
                {"directions": directions, "elite_directions": elite}
                for directions, elite in ((4, 4), (8, 4), (16, 8), (32, 8), (32, 32), (64, 32))
            )
        ),
    ),
    "openai-es": (_STEP, _SIGMA, _one_of("pairs", 8, 16, 32, 64), _one_of("weight_decay", 0.0, 0.005)),
    "pgpe": (_STEP, _SIGMA, _one_of("pairs", 8, 16, 32, 64)),
    "cma-es": _COVARIANCE,
    "sep-cma-es": _COVARIANCE,
    "ga": (
        LogUniform("mutate", 0.005, 0.3, "gaussian:sigma={}", of_width=True),
        LogUniform("genome", 0.05, 0.5, "real:spread={}", of_width=True),
        OneOf(
            tuple(
                {"population_size": size, "select": f"truncation:truncation={parents}"}
                for size, parents in ((32, 4), (32, 8), (64, 6), (64, 12), (128, 12), (128, 24))
            )
        ),
        _one_of("cross", "uniform:probability=0.1", "uniform:probability=0.5"),
    ),
    "ppo": (
        _BACKPROP,
        _one_of("discount", 0.98, 0.99, 0.995, 0.999),
        _one_of("gae_lambda", 0.9, 0.95, 0.98),
        LogUniform("initial_deviation", 0.2, 1.0),
        _one_of("horizon", 128, 256, 512),
        _one_of("entropy_coefficient", 0.0, 0.003),
    ),
    "sac": (*_OFF_POLICY, LogUniform("initial_temperature", 0.05, 1.0), _one_of("warm_up", 1000, 5000, 10_000)),
    "td3": (*_OFF_POLICY, LogUniform("exploration", 0.05, 0.4), _one_of("warm_up", 1000, 10_000, 25_000)),
    "adam": (LogUniform("learning_rate", 3e-4, 0.03),),
    "sgd": (LogUniform("learning_rate", 0.003, 1.0),),
}


def declared_space(declared: Any) -> Space:
    """Return the space of option → (low, high), log-uniform, or a list of values. Raises ValueError for another."""
    if not isinstance(declared, Mapping):
        raise ValueError(f"search_space must be a table of options, as in {{'sigma': (0.01, 0.3)}}; got {declared!r}")
    parts: list[LogUniform | OneOf] = []
    for option, values in declared.items():
        if isinstance(values, list) and values:
            parts.append(_one_of(option, *values))
            continue
        numbers = isinstance(values, tuple) and all(isinstance(value, int | float) for value in values)
        if not numbers or len(values) != 2 or not 0 < values[0] < values[1] < math.inf:
            raise ValueError(
                f"search_space[{option!r}] must be (low, high) with 0 < low < high, or a list of values; got {values!r}"
            )
        parts.append(LogUniform(option, *values))
    return parts


def draw(space: Space, rng: np.random.Generator, width: float = 1.0) -> dict[str, Any]:
    """Return option → value, drawn uniformly from a space. width: of a function's domain."""
    return {option: value for part in space for option, value in part.value(float(rng.random()), width).items()}


def describe(space: Space, width: float = 1.0) -> str:
    """Return a space in words: `sigma 0.01 to 0.3; pairs one of 8, 16`."""
    return "; ".join(part.describe(width) for part in space)
