"""Tuning: every method gets the same number of trials of a random search, before its report seeds run.

The first trial is the preset, the others are drawn from the method's search space (`evo.config.search_spaces`); each
is a run with the budget of a run of the comparison, on one of the seeds 0 to 9. The settings of the best, by its
champion's score on the selection episodes, are those of the report seeds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evo.comparison.member import Member
from evo.config.config import Config
from evo.config.search_spaces import SEARCH_SPACES, Space, declared_space, describe, draw
from evo.errors import EvoError, one_line
from evo.learners import find_method
from evo.learners.methods import Method
from evo.numerics.formatting import number
from evo.numerics.randomness import generator

MOST_TRIALS = 1000
TRIAL_SEEDS = 10  # trials are on seeds 0 to 9, as presets were tuned on, and never on those of a report
_DRAWN_BY = 0  # the seed of all draws: they depend on method and trial alone


@dataclass(frozen=True)
class Tuning:
    """What the tuning of a method took and found.

    trials: how many ended, of `planned`. steps, selection_steps, core_minutes: of all that ended; steps of training
    and of selection, minutes of one core of both. chosen: number of the best trial; 0 is the preset. score, preset:
    selection scores of the champions of that trial and of the preset, NaN where it failed. settings: option → value of
    the best trial, as far as they are not the preset's. space: what was searched, in words.
    """

    planned: int
    trials: int
    steps: float
    selection_steps: float
    core_minutes: float
    chosen: int
    score: float
    preset: float
    settings: Mapping[str, Any]
    space: str


def check_trials(trials: int | None, methods: Sequence[str]) -> int:
    """Return how many trials each method gets, 0 for none. Raises EvoError, also where no method can be tuned."""
    if trials is None or trials == 0:
        return 0
    if not 1 <= trials <= MOST_TRIALS:
        raise EvoError(f"tune must be a number of trials for each method, from 2 to {MOST_TRIALS}, got {trials}")
    if trials == 1:
        raise EvoError("tune=1 tries the preset alone, which is the first trial; give 2 or more, or leave it out")
    if not any(map(is_tunable, methods)):
        raise EvoError(
            f"tune: no search space is declared for {', '.join(methods)}; there is one for {', '.join(SEARCH_SPACES)}"
        )
    return trials


def space_of(method: Method | None) -> Space:
    """Return what is searched for a method; empty where no space is declared. Raises EvoError for a wrong one."""
    if method is None or method.family in SEARCH_SPACES:
        return () if method is None else SEARCH_SPACES[method.family]
    try:
        return declared_space(getattr(method.constructor(), "search_space", {}))
    except ValueError as error:
        raise EvoError(f"{method.reference}: {one_line(error)}") from error


def is_tunable(name: str) -> bool:
    """Return whether a search space is declared for a method."""
    return bool(space_of(find_method(name)))


def trial_settings(name: str, trial: int, width: float) -> dict[str, Any]:
    """Return the dotted keys and values of a method's trial: none for trial 0, which is the preset.

    A pure function of name, trial and width, so that more trials leave the first as they are. Settings that the
    method's name implies stay.
    """
    method = find_method(name)
    if trial == 0 or method is None:
        return {}
    drawn = draw(space_of(method), generator(_DRAWN_BY, f"tuning of {name}", trial), width)
    return {key: value for option, value in drawn.items() if (key := f"method.{option}") not in method.settings}


def choose(trials: Mapping[int, Member], preset: Config, planned: int) -> Tuning:
    """Return what trials of a method took, and the best of them. trials: number → run, of those that ended, in order.

    preset: the configuration of the first. planned: how many there were to be. The highest score wins, and of equal
    ones the earliest.
    """
    scores = {trial: member.champion.score for trial, member in trials.items()}
    best = max(scores, key=lambda trial: -math.inf if math.isnan(scores[trial]) else scores[trial])
    config = trials[best].config
    changed = {key: value for key, value in config.values.items() if value != preset[key] and key.startswith("method.")}
    members = trials.values()
    return Tuning(
        planned=planned,
        trials=len(trials),
        steps=sum(float(one.metrics["steps"][-1]) for one in members),
        selection_steps=sum(float(one.selection("steps")[-1]) for one in members),
        core_minutes=sum(one.core_minutes for one in members),
        chosen=best,
        score=scores[best],
        preset=scores.get(0, math.nan),
        settings={key.removeprefix("method."): value for key, value in changed.items()},
        space=describe(space_of(find_method(preset.method.name)), width_of(preset)),
    )


def width_of(config: Config) -> float:
    """Return the width of a function's domain; 1 for other tasks."""
    return config.task.kind.width(config.task.name, config.task.given)


def tuning_header(unit: str) -> tuple[str, ...]:
    """Return the names of the columns of `tuning_texts`. unit: of steps."""
    took = f"{unit}s + selection", "core-minutes"
    return "method", "trials", *took, "preset's score", "best score", "best trial", "its settings"


def tuning_texts(tunings: Mapping[str, Tuning]) -> list[list[str]]:
    """Return a line for each method."""
    return [
        [
            method,
            str(one.trials) if one.trials == one.planned else f"{one.trials} of {one.planned}",
            f"{one.steps:,.0f} + {one.selection_steps:,.0f}",
            f"{one.core_minutes:.2g}",
            number(one.preset),
            number(one.score),
            str(one.chosen),
            ", ".join(f"{name}={value}" for name, value in one.settings.items()) or "the preset's",
        ]
        for method, one in tunings.items()
    ]
