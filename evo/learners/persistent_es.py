"""Persistent evolution strategies: parameters that move several times within an episode, by an estimate without bias.

Vicol, Metz & Sohl-Dickstein 2021, "Unbiased Gradient Estimation in Unrolled Computation Graphs with Persistent
Evolution Strategies", Algorithm 2. Comments give its symbols; fitness is maximised.
"""

import math
from collections.abc import Mapping
from typing import Any, final

import numpy as np

from envs.physics import EngineError
from evo.advantages import GOING_ON
from evo.algorithms.noise import Noise, move
from evo.collection import Experience
from evo.learners.environments import Environments
from evo.learners.learner import Candidate, below
from evo.optimizers import Adam
from evo.problems.problem import Problem
from evo.problems.walking import Walking
from evo.randomness import generator
from evo.ranges import positive_number, whole_number
from evo.statistics import ObservationStatistics


@final
class PersistentES:
    """Follow, by Adam, the gradient of the return smoothed by noise, estimated from unrolls of `horizon` steps.

    `pairs` of environments go on from one unroll to the next, one of a pair with the noise added to the parameters and
    one with it taken away, and both with the same luck. A reward counts for all the noise its episode has felt so far,
    that of the unrolls before included. `step_size` is Adam's, `noise` the standard deviation. What is remembered grows
    with pairs × parameters. `start` gives the parameters to begin with.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        step_size: float = 0.01,
        noise: float = 0.04,
        pairs: int = 16,
        horizon: int = 100,
    ) -> None:
        if not isinstance(problem, Walking):
            raise ValueError("name persistent-es acts in a world, and a function has none: for example openai-es")
        self.problem, self.seed = problem, seed
        self.step_size, self.noise = positive_number("step_size", step_size), positive_number("noise", noise)
        self.pairs, self.horizon = whole_number("pairs", pairs, 1), whole_number("horizon", horizon, 1)
        self._environments = Environments(problem, seed, 2 * pairs, horizon, alike=2)

        self.mean = np.array(  # theta, float64 (parameters,)
            problem.initial(generator(seed, "initial parameters")) if start is None else start.params, np.float64
        )
        self.statistics = problem.no_statistics() if start is None else start.statistics
        self.optimizer = Adam(self.mean.size, self.step_size)
        self.felt = np.zeros((2 * pairs, self.mean.size))  # xi: the noise that each environment's episode has felt
        self.generation = 0
        self.diverged = False

    @property
    def steps(self) -> int:
        return self._environments.steps

    @property
    def episodes(self) -> int:
        return self._environments.episodes

    def prepare(self) -> None:
        """Compile, or load from the cache, what learning needs."""
        self._environments.prepare()

    def step(self) -> dict[str, float]:
        """One unroll of every environment and one step uphill; interrupted, it leaves everything as it was."""
        drawn = Noise(generator(self.seed, "noise", self.generation), self.pairs, self.mean.size)
        perturbations = np.empty((2 * self.pairs, self.mean.size))
        for pair, row in enumerate(drawn):
            perturbations[2 * pair], perturbations[2 * pair + 1] = self.noise * row, -self.noise * row  # epsilon
        params = (self.mean + perturbations).astype(np.float32)
        blocks, seen = self._environments.collect(params, self.statistics, self.generation)
        if not np.any(seen.lengths):
            raise EngineError(f"no step of generation {self.generation} succeeded: {'; '.join(seen.errors[:1])}")
        gradient, felt = gradient_and_memory(seen, perturbations, self.felt)
        gradient /= 2 * self.pairs * self.noise**2
        self.diverged = not np.isfinite(gradient).all()
        delta = np.zeros(self.mean.size) if self.diverged else self.optimizer.step(gradient)
        self.mean, self.felt = self.mean + delta, felt
        self.statistics = self.statistics.merged(seen.statistics)
        self.generation += 1
        return {
            "generation": self.generation,
            **self._environments.lived(blocks, seen),
            "gradient_norm": math.sqrt(np.sum(np.square(gradient))),
            "update_norm": math.sqrt(np.sum(np.square(delta))),
        }

    def finished(self) -> str | None:
        return "the gradient was no longer finite" if self.diverged else None

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.problem.stored(self.mean), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "mean": self.mean,
            "felt": self.felt,
            "counts": np.array([self.generation, int(self.diverged)], np.int64),
            **{f"optimizer/{name}": array for name, array in self.optimizer.state().items()},
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
            **{f"environments/{name}": array for name, array in self._environments.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        for name in ("mean", "felt"):
            if state[name].shape != getattr(self, name).shape:
                raise ValueError(f"{name} is {state[name].shape}, and {getattr(self, name).shape} is needed")
        self._environments.restore(below("environments/", state))
        self.mean, self.felt = np.array(state["mean"], np.float64), np.array(state["felt"], np.float64)
        self.optimizer.restore(below("optimizer/", state))
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.generation, diverged = (int(count) for count in state["counts"])
        self.diverged = bool(diverged)


def gradient_and_memory(seen: Experience, perturbations: np.ndarray, felt: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum over environments of each reward times the noise its episode has felt, (parameters,), and what the
    episodes under way have felt by now, (environments, parameters).

    perturbations, felt: (environments, parameters), the noise of this unroll, and that of those before. An episode that
    begins within the unroll has felt this unroll's alone; one that ends or fails, in whatever way, is over.
    """
    gradient, now = np.zeros(felt.shape[1]), np.empty_like(felt)
    for place, (rewards, marks, length) in enumerate(zip(seen.rewards, seen.marks, seen.lengths, strict=True)):
        over = np.flatnonzero(marks != GOING_ON)
        first = over[0] + 1 if over.size else len(rewards)  # steps of the episode that was under way
        now[place] = felt[place] + perturbations[place]  # xi_i += epsilon_i
        move(gradient, float(sum(rewards[:first])), now[place], gradient)  # g += xi_i times what was earned
        if over.size:
            now[place] = perturbations[place]
            move(gradient, float(sum(rewards[first:])), now[place], gradient)
        if length < len(rewards) or marks[-1] != GOING_ON:  # the next unroll begins an episode
            now[place] = 0.0
    return gradient, now
