"""Walking: the problem of a task and a network; fitness is the mean return over episodes."""

import functools
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evo.envs.task import Task
from evo.evaluation.episode import Episodes
from evo.evaluation.evaluator import AnyTask, evaluator_of
from evo.evaluation.life import REASONS, TERMINATED
from evo.evaluation.workers import Workers
from evo.genomes.population import DensePopulation, Population, parts_of
from evo.genomes.rows import Rows
from evo.networks import Network
from evo.numerics.formatting import RETURN
from evo.numerics.randomness import episode_seeds
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, fitness_of
from evo.problems.shared import NetworkProblem
from evo.storage.memory import check_bytes

_EPISODE_BYTES = 100  # bytes kept of a finished episode
_SLICE_STEPS = 2**13  # env steps of a slice, at most: some tenths of a second
# Measures that are better small: as objectives, which are maximised, they have the sign turned.
_COSTS = ("energy", "power", "distance")
_EXPERIENCED_EPISODES, _EXPERIENCES = 4, 64  # episodes and observations that sensitivity is computed from


@dataclass(frozen=True, repr=False)
class Trajectory:
    """One episode, step by step; T steps were taken.

    qpos (T+1, nq), qvel (T+1, nv), observations (T+1, observation_size): before each step, and after the last. actions
    (T, action_size), rewards (T,). forces, speeds (T, nu): of the actuators at the end of each step, in MuJoCo's units.
    traced (T, measures): what the task's measure had written after each step; its last row is the episode's measures.
    terminated: whether the task ended it. failure: why it failed, or None.
    """

    seed: int
    qpos: np.ndarray
    qvel: np.ndarray
    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    forces: np.ndarray
    speeds: np.ndarray
    traced: np.ndarray
    terminated: bool
    total: float
    failure: str | None

    def __len__(self) -> int:
        return len(self.actions)

    def __repr__(self) -> str:
        how = self.failure or ("ended by the task" if self.terminated else "ended by its length")
        return f"Trajectory(seed {self.seed}, {len(self):,} steps, return {self.total:.6g}, {how})"


class Walking(NetworkProblem):
    """Evaluates populations of a network's parameters on a task. `prepare` raises EngineError and KernelError."""

    step_unit = "env step"
    metric = RETURN
    deterministic = False

    def __init__(self, task: AnyTask, network: Network, workers: Workers) -> None:
        super().__init__(network, workers)
        self.task = task
        self._evaluator = evaluator_of(task, network, workers)

    @property
    def measures(self) -> tuple[str, ...]:
        """The names of the task's measures."""
        return self.task.measures if isinstance(self.task, Task) else ()

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of its objectives: fitness, the measures that are costs, then the others, each maximised.

        A cost's sign is turned.
        """
        costs = [name for name in self.measures if name in _COSTS]
        return ("fitness", *costs, *(name for name in self.measures if name not in _COSTS))

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        """Return the network's facts, the task's measures and objectives and, without memory, a Sensitivity.

        The sensitivity of outputs to parameters is computed on observations of the given individual's episodes.
        """
        known: dict[str, Any] = self.network.facts
        if isinstance(self.task, Task):
            ranges, unknown = self.task.ranges, (math.nan, math.nan)
            known["measured"] = [(name, *ranges.get(name, unknown)) for name in self.measures]
        known["known_objectives"] = [(name, math.nan) for name in self.objectives]
        if not self.network.remembers:
            from evo.problems.sensitivity import Sensitivity  # scoring does not need gradients

            experiences = functools.partial(self._experiences, params, seed)
            known["sensitivity"] = Sensitivity(self.network, experiences)
        return known

    def _experiences(self, params: np.ndarray, seed: int) -> np.ndarray:
        """Return observations of an individual's episodes, evenly spaced: float64 (experiences, observation_size).

        Normalised by their own statistics, where the network normalises. These episodes do not count as steps.
        """
        seeds = episode_seeds(seed, "experience", 0, _EXPERIENCED_EPISODES)
        trips = [self.rollout(params, int(each), self.no_statistics()).observations for each in seeds]
        seen = np.concatenate(trips)
        chosen = seen[np.linspace(0, len(seen) - 1, _EXPERIENCES).round().astype(int)]
        if not self.network.normalise:
            return chosen
        deviation = seen.std(axis=0)
        normalised = (chosen - seen.mean(axis=0)) / np.where(deviation > 0, deviation, np.inf)
        return np.clip(normalised, -self.network.clip_observation, self.network.clip_observation)

    def clocks(self, steps: int, passes: int = 1) -> dict[str, float]:
        return {}

    def prepare(self) -> None:
        """Compile what is not compiled yet; takes seconds the first time on a machine."""
        self._evaluator.prepare()

    def no_statistics(self) -> ObservationStatistics:
        return ObservationStatistics.empty(self.task.observation_size)

    def evaluate_here(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool,
        measured: bool,
    ) -> Evaluation:
        count = len(population) * len(seeds)
        check_bytes(f"{count:,} episodes", _EPISODE_BYTES * count, "score fewer individuals on fewer episodes")
        begin = self._evaluator.starts(seeds)
        most = self._evaluator.capacity(len(seeds))
        measured = measured and bool(self.measures)
        parts = [self._run(rows, begin, statistics, collect, measured) for rows in parts_of(population, most)]
        found = _combine(parts, 1 + 2 * self.task.observation_size)
        return replace(found, objectives=self._judge(found)) if measured else found

    def _judge(self, found: Evaluation) -> np.ndarray:
        """Return the objectives, float64 (individuals, objectives), NaN where an episode failed."""
        fitness = np.where(np.isnan(found.returns).any(axis=1), np.nan, found.fitness)
        columns = dict(zip(self.measures, found.measures.T, strict=True)) | {"fitness": fitness}
        return np.stack([-columns[name] if name in _COSTS else columns[name] for name in self.objectives], axis=1)

    def slice_shape(self, episodes: int) -> tuple[int, int]:
        """Return as many as take 8,192 env steps, if no episode ends early."""
        most = max(1, _SLICE_STEPS // self.task.steps)
        return (most // episodes, episodes) if episodes <= most else (1, most)

    def returns(self, params: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Return the returns (individuals, episodes) of params (individuals, size); NaN where an episode failed."""
        return self.evaluate(DensePopulation(params), seeds, self.no_statistics()).returns

    def _run(
        self, params: Rows, begin: np.ndarray, statistics: ObservationStatistics, collect: bool, measured: bool
    ) -> Episodes:
        mean, scale = self.normalisation(statistics)
        most = self._evaluator.capacity(1)  # episodes of one individual that fit the memory for scratch at once
        parts = [
            self._evaluator.run(
                params, part, mean, scale, statistics=collect and self.network.normalise, measures=measured
            )
            for part in (begin[first : first + most] for first in range(0, len(begin), most))
        ]
        return parts[0] if len(parts) == 1 else _join(parts)

    def normalisation(self, statistics: ObservationStatistics) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and scale that normalise: (observation - mean) * scale; 0 and 1 without normalisation."""
        if not self.network.normalise:
            statistics = self.no_statistics()
        return statistics.mean, statistics.scale

    def rollout(self, params: np.ndarray, seed: int, statistics: ObservationStatistics) -> Trajectory:
        """Record one episode; it is the same compiled episode that scores."""
        mean, scale = self.normalisation(statistics)
        row = np.asarray(params, np.float32).reshape(1, -1)
        start, measured = self._evaluator.starts(np.array([seed])), bool(self.measures)
        episodes = self._evaluator.run(row, start, mean, scale, recording=True, measures=measured)
        length, ending = int(episodes.lengths[0, 0]), int(episodes.endings[0, 0])
        record = episodes.trajectories
        assert record is not None
        failure = REASONS.get(ending) and ": ".join([REASONS[ending], *episodes.errors])
        return Trajectory(
            seed=seed,
            qpos=record.qpos[0, : length + 1],
            qvel=record.qvel[0, : length + 1],
            observations=record.observations[0, : length + 1],
            actions=record.actions[0, :length],
            rewards=record.rewards[0, :length],
            forces=record.forces[0, :length],
            speeds=record.speeds[0, :length],
            traced=record.traced[0, :length],
            terminated=ending == TERMINATED,
            total=float(episodes.returns[0, 0]),
            failure=failure,
        )


def _join(parts: list[Episodes]) -> Episodes:
    """Concatenate results of the same individuals along the episodes."""
    statistics = [part.statistics for part in parts if part.statistics is not None]
    measures = [part.measures for part in parts if part.measures is not None]
    return Episodes(
        returns=np.concatenate([part.returns for part in parts], axis=1),
        lengths=np.concatenate([part.lengths for part in parts], axis=1),
        endings=np.concatenate([part.endings for part in parts], axis=1),
        statistics=np.concatenate(statistics, axis=1) if statistics else None,
        trajectories=None,
        errors=tuple(dict.fromkeys(message for part in parts for message in part.errors)),
        measures=np.concatenate(measures, axis=1) if measures else None,
    )


def _combine(parts: list[Episodes], row_size: int) -> Evaluation:
    failed = np.concatenate([part.failed for part in parts])
    endings = np.concatenate([part.endings for part in parts])
    returns = np.where(failed, np.nan, np.concatenate([part.returns for part in parts]))
    rows = [part.statistics[~part.failed] for part in parts if part.statistics is not None]
    measures = [_mean_measures(part.measures, part.failed) for part in parts if part.measures is not None]
    return Evaluation(
        fitness=fitness_of(returns),
        returns=returns,
        episodes=returns.size,
        steps=int(sum(part.lengths.sum() for part in parts)),
        failures=dict(Counter(REASONS[int(ending)] for ending in endings[failed])),
        errors=tuple(dict.fromkeys(message for part in parts for message in part.errors)),
        statistics=np.concatenate(rows) if rows else np.zeros((0, row_size)),
        measures=np.concatenate(measures) if measures else np.zeros((len(returns), 0)),
        objectives=np.zeros((len(returns), 0)),
    )


def _mean_measures(measures: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Return the means over episodes, (individuals, measures), added in their order; NaN where an episode failed."""
    total = np.zeros((len(measures), measures.shape[2]))
    for episode in range(measures.shape[1]):
        total = total + measures[:, episode]
    total[failed.any(axis=1)] = np.nan
    return total / measures.shape[1]
