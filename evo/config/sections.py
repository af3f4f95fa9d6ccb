"""The sections of a configuration, as typed values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StartSettings:
    """Where the learner begins: a run or the file of a champion, and its digest. None: at initial parameters.

    cell: that of the run's archive whose elite it begins from; None for the champion.
    """

    champion: str | None = None
    cell: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class DataSettings:
    """digest: of a data set's examples; None where there is none, or it is not known yet."""

    digest: str | None = None


@dataclass(frozen=True)
class NetworkSettings:
    """layers: text, as in `mlp:64,64`; "" where the parameters belong to no network.

    normalise: whether observations are normalised. clip_observation: the bound ±c of normalised ones.
    """

    layers: str = ""
    normalise: bool = False
    clip_observation: float = math.inf


@dataclass(frozen=True)
class MethodSettings:
    """A method by its name, and its options; an option of None has the default of the method's constructor."""

    name: str
    options: Mapping[str, Any]

    @property
    def given(self) -> dict[str, Any]:
        """The options that have a value."""
        return with_values(self.options)


@dataclass(frozen=True)
class EvaluationSettings:
    """Episodes and examples on which individuals and candidates are scored.

    batch: examples of a minibatch; None where the task is no data set. step_timeout: seconds, of a Gymnasium
    environment.
    """

    episodes: int = 1
    racing: bool = True
    selection_episodes: int = 20
    selection_share: float = 0.1
    report_episodes: int = 100
    batch: int | None = None
    step_timeout: float | None = None


@dataclass(frozen=True)
class BudgetSettings:
    """When learning ends: whichever of these is reached first; None sets no limit."""

    generations: int | None = None
    steps: int | None = None
    minutes: float | None = None
    until: float | None = None


def with_values(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}
