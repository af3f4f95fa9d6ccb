"""Persistent evolution strategies (Vicol et al. 2021): unbiased updates within an episode.

Vicol, Metz & Sohl-Dickstein 2021, "Unbiased Gradient Estimation in Unrolled Computation Graphs with Persistent
Evolution Strategies", Algorithm 2. Comments give its symbols; fitness is maximised.
"""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from evo.envs.engine.physics import EngineError
from evo.evaluation.collector import Experience
from evo.genomes.noise import Noise, move
from evo.learners.demands import require_world
from evo.learners.environments import Environments
from evo.learners.learner import Candidate
from evo.numerics.advantages import FAILED, GOING_ON
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.numerics.validation import positive_number, whole_number
from evo.optimizers import Adam
from evo.problems.problem import Problem
from evo.storage.memory import check_bytes
from evo.storage.states import below

DIVERGED = "its parameters grew without end; try a lower method.learning_rate"
_GREATEST = np.finfo(np.float32).max  # networks compute in float32


@final
class PersistentES:
    """Ascend, with Adam, the gradient of the noise-smoothed return, estimated from unrolls of `horizon` steps.

    Environments persist from one unroll to the next; the two of a pair have opposite noise and the same random streams
    of resets. A reward counts for all the noise that acted in its episode so far, earlier unrolls included. An episode
    begins with an unroll, and so with new noise: if it began within one, its beginning would depend on the noise, and
    the estimate would be biased. Memory grows with pairs × parameters. `start` gives the initial parameters.

    Args:
        learning_rate: learning rate of Adam.
        sigma: standard deviation of the noise on the parameters.
        pairs: number of pairs of environments.
        horizon: control steps of an unroll. With a whole episode or more this is a plain evolution strategy.
    """

    summary = "persistent evolution strategy: unbiased updates within the episode (Vicol 2021)"

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        learning_rate: float = 0.01,
        sigma: float = 0.04,
        pairs: int = 16,
        horizon: int = 100,
    ) -> None:
        problem = require_world("persistent-es", problem, "openai-es, for example")
        self.problem, self.seed = problem, seed
        self.learning_rate, self.sigma = (
            positive_number("learning_rate", learning_rate),
            positive_number("sigma", sigma),
        )
        self.pairs, self.horizon = whole_number("pairs", pairs, 1), whole_number("horizon", horizon, 1)
        check_bytes(f"{pairs:,} pairs", 8.0 * 4 * pairs * problem.size, "take fewer pairs, or openai-es")
        self._world = Environments(problem, seed, 2 * pairs, horizon, alike=2, waits=True)

        self.mean = np.array(  # theta, float64 (parameters,)
            problem.initial(generator(seed, "initial parameters")) if start is None else start.params, np.float64
        )
        self.statistics = problem.no_statistics() if start is None else start.statistics
        self.optimizer = Adam(self.mean.size, self.learning_rate)
        self.felt = np.zeros((2 * pairs, self.mean.size))  # xi: noise accumulated over each environment's episode
        self.generation = 0
        self.diverged = False

    @property
    def steps(self) -> int:
        return self._world.steps

    @property
    def episodes(self) -> int:
        return self._world.episodes

    def prepare(self) -> None:
        """Compile, or load from the cache, what learning needs."""
        self._world.prepare()

    def step(self) -> dict[str, float]:
        """Take one unroll of every environment and one gradient step. Interrupted, it leaves everything as it was."""
        drawn = Noise(generator(self.seed, "noise", self.generation), self.pairs, self.mean.size)
        perturbations = np.empty((2 * self.pairs, self.mean.size))
        for pair, row in enumerate(drawn):
            perturbations[2 * pair], perturbations[2 * pair + 1] = self.sigma * row, -self.sigma * row  # epsilon
        with np.errstate(over="ignore"):
            params = (self.mean + perturbations).astype(np.float32)
        blocks, seen = self._world.collect(params, self.statistics, self.generation)
        if np.all(failed(seen)):
            reasons = "; ".join([*seen.failures, *seen.errors[:1]])
            raise EngineError(f"no environment of generation {self.generation} succeeded: {reasons}")
        gradient, felt = gradient_and_memory(seen, perturbations, self.felt)
        gradient /= 2 * self.pairs * self.sigma**2
        delta = self.optimizer.step(gradient)
        self.diverged = not np.all(np.abs(self.mean + delta) < _GREATEST)
        if self.diverged:
            delta = np.zeros(self.mean.size)
        self.mean, self.felt = self.mean + delta, felt
        self.statistics = self.statistics.merged(seen.statistics)
        self.generation += 1
        return {
            "generation": self.generation,
            **self._world.commit(blocks, seen),
            "gradient_norm": math.sqrt(np.sum(np.square(gradient))),
            "update_norm": math.sqrt(np.sum(np.square(delta))),
        }

    def finished(self) -> str | None:
        return DIVERGED if self.diverged else None

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.problem.cast(self.mean), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "mean": self.mean,
            "felt": self.felt,
            "counts": np.array([self.generation, int(self.diverged)], np.int64),
            **{f"optimizer/{name}": array for name, array in self.optimizer.state().items()},
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
            **{f"world/{name}": array for name, array in self._world.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in ("mean", "felt"):
            if state[name].shape != getattr(self, name).shape:
                raise ValueError(f"{name} is {state[name].shape}, and {getattr(self, name).shape} is needed")
        self._world.restore(below("world/", state))
        self.mean, self.felt = np.array(state["mean"], np.float64), np.array(state["felt"], np.float64)
        self.optimizer.restore(below("optimizer/", state))
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.generation, diverged = (int(count) for count in state["counts"])
        self.diverged = bool(diverged)


def failed(seen: Experience) -> np.ndarray:
    """Return which environments took a step that failed or had an engine error: bool (environments,)."""
    last = np.take_along_axis(seen.marks, np.maximum(seen.lengths - 1, 0)[:, np.newaxis], axis=1)[:, 0]
    broken = (seen.lengths < seen.marks.shape[1]) & (last == GOING_ON)  # though its episode had not ended
    return broken | (seen.marks == FAILED).any(axis=1)


def gradient_and_memory(seen: Experience, perturbations: np.ndarray, felt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient's sum over environments and the accumulated noise of their episodes.

    The sum, (parameters,), is of each environment's reward times its accumulated noise. The accumulated noise,
    (environments, parameters), is 0 for an episode that begins with the next unroll.
    perturbations, felt: (environments, parameters), the noise of this unroll, and the accumulated noise before it.
    Neighbours are a pair; where one of them failed, neither counts: a failure does not show which noise is better.
    """
    left_out = np.repeat(failed(seen).reshape(-1, 2).any(axis=1), 2)
    now = felt + perturbations  # xi_i += epsilon_i
    gradient = np.zeros(felt.shape[1])
    for rewards, noise, out in zip(seen.rewards, now, left_out, strict=True):
        if not out:
            move(gradient, float(sum(rewards)), noise, gradient)  # g += xi_i times the reward
    over = (seen.lengths < seen.marks.shape[1]) | (seen.marks[:, -1] != GOING_ON)
    now[over] = 0.0
    return gradient, now
