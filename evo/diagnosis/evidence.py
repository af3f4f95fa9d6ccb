"""Evidence on a run: its metrics, its settings, and a few of its champion's episodes."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evo.config.presets import preset
from evo.errors import EvoError
from evo.learners import find_method
from evo.numerics.randomness import selection_seeds
from evo.problems.control import Trajectory
from evo.runs.run import Run

Floats = NDArray[np.float64]
_EPISODES = 5  # of the champion's, enough to average over chance
_ENOUGH = 9  # least number of generations to judge progress: three for each third
_LEAST = 1e-3  # of a return: smaller differences do not count


@dataclass(frozen=True, eq=False)
class Evidence:
    """What findings are computed from.

    metrics: columns of metrics.csv, each (generations,). settings: the configuration's keys and values. trajectories:
    episodes of the champion on selection seeds; none on a function. limit: maximum control steps of an episode. low,
    high: bounds of the actions, (action_size,); choices: of a discrete action, else 0. score: the champion's mean
    return on the selection seeds. population: whether a generation consists of individuals. ended: why it stopped
    learning.
    """

    metrics: Mapping[str, Floats]
    settings: Mapping[str, Any]
    trajectories: tuple[Trajectory, ...]
    limit: int
    low: Floats
    high: Floats
    choices: int
    score: float
    population: bool
    ended: str | None

    def join(self, what: str) -> Floats:
        """Return the rewards or the actions of all the champion's episodes, concatenated."""
        return np.concatenate([getattr(trajectory, what) for trajectory in self.trajectories])

    def scale_options(self, factor: float, *options: str) -> str:
        """Return the --set arguments that multiply these options of the method by a factor, as far as it has them.

        Where an option differs from the task's preset in the opposite direction, it is set back to the preset.
        """
        method = find_method(self.settings["method.name"])
        usual = {} if method is None else preset(self.settings["task.name"], method.family)
        texts = []
        for name in (f"method.{option}" for option in options):
            value = self.settings.get(name)
            if isinstance(value, float) and value > 0:
                default = usual.get(name, value)
                better = default if (default - value) * (factor - 1) > 0 else value * factor
                texts.append(f"--set {name}={better:.3g}")
        return " ".join(texts)

    @property
    def more_episodes(self) -> str:
        """How to give each step of the search more experience, by an option that the method has; for the user."""
        if "method.horizon" in self.settings:  # a method with persistent environments, which scores no individuals
            name = "environments" if "method.environments" in self.settings else "pairs"
            return f"use more {name} (--set method.{name}={2 * self.settings[f'method.{name}']})"
        return "score each individual on more episodes (--set evaluation.episodes=4)"


def evidence_of(run: Run) -> Evidence:
    """Read a run, and run some of its champion's episodes. Raises EvoError before its first generation."""
    metrics, config = run.metrics, run.config
    if not metrics or not len(metrics["generation"]):
        raise EvoError(run.unlearned)
    champion, method = run.champion, find_method(config.method.name)
    assert method is not None
    seeds = selection_seeds(min(_EPISODES, len(champion.selection_returns)))
    task = champion.walking.task if champion.spec.kind.acts else None
    nothing = np.zeros(0)
    return Evidence(
        metrics=metrics,
        settings=config.values,
        trajectories=() if task is None else tuple(champion.rollout(int(seed)) for seed in seeds),
        limit=0 if task is None else task.steps,
        low=nothing if task is None or task.action_low is None else task.action_low,
        high=nothing if task is None or task.action_high is None else task.action_high,
        choices=0 if task is None else task.choices,
        score=champion.score,
        population=hasattr(method.constructor(), "ask"),
        ended=run.ended,
    )


class Course(NamedTuple):
    """The course of a run.

    start: the mean return of the first generations. noise: typical change from one generation to the next. first, peak,
    end: scores on held-out episodes: the first, the best, and the median of the last third. spread: of the returns of a
    generation, in the last third. learned: whether the peak is better than the first score. gaining, sinking: whether
    the last third was better, or worse, than those before.
    """

    start: float
    noise: float
    first: float
    peak: float
    end: float
    spread: float
    learned: bool
    gaining: bool
    sinking: bool


# Times the noise: the reference runs gain 4.6 times the noise and more, runs that do not learn 0.05 times.
_LEARNED = 0.5
_GAINED = 0.02  # of the earlier gain on held-out episodes, which are always the same and so not noisy
_SIGNIFICANT = 3.0  # standard errors, roughly, between the medians of two thirds of the run


def course_of(evidence: Evidence) -> Course | None:
    """Return the course of a run; None where it is too short."""
    mean, held_out = (_finite(evidence.metrics[column]) for column in ("mean", "selection"))
    if min(len(mean), len(held_out)) < _ENOUGH:
        return None
    noise = float(np.median(np.abs(np.diff(mean))))
    earlier, usual = _summaries(mean, np.median)
    before, best = _summaries(held_out, np.max)
    first, peak = float(held_out[0]), max(before, best)
    least = max(_LEARNED * noise, _LEAST * abs(first))
    error = noise / math.sqrt(len(mean) // 3)
    return Course(
        start=float(np.median(mean[: max(3, len(mean) // 10)])),
        noise=noise,
        first=first,
        peak=peak,
        end=_summaries(held_out, np.median)[1],
        spread=float(np.median(np.array_split(evidence.metrics["std"], 3)[2])),
        learned=peak - first > least,
        gaining=best - before > max(_GAINED * (before - first), _GAINED * least)
        or usual - earlier > _SIGNIFICANT * error,
        sinking=earlier - usual > _SIGNIFICANT * error,
    )


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _summaries(values: Floats, summary: Callable[[Floats], Any]) -> tuple[float, float]:
    """Return a summary of the better of the first two thirds of some values, and of the last third."""
    first, middle, last = (float(summary(third)) for third in np.array_split(values, 3))
    return max(first, middle), last
