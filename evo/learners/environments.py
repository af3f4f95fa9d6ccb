"""Environments that persist between the steps of a learner."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, final

import mujoco
import numpy as np

from evo.envs.engine.random import words_of
from evo.evaluation.collector import Experience
from evo.evaluation.evaluator import collector_of
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Walking
from evo.storage.memory import check_bytes

_STEP_NUMBERS, _TIMES = 8, 3  # what else is kept of a step, and how often all of it, by who learns from it
_ENVIRONMENT_BYTES = 2**14  # of a simulation, at least
_RECENT = 100  # episodes whose returns are logged


@final
class Environments:
    """`count` environments, `horizon` steps a call; what was collected changes nothing until it is `lived`.

    alike: so many neighbours have the same luck: they begin their first episodes alike, and their second ones. waits:
    whether one whose episode is over takes no more steps in that call. every: the network's memory is kept before every
    so many steps, 0 never.
    steps, episodes: lived so far. blocks: what the environments remember, None before the first call.
    """

    def __init__(
        self,
        problem: Walking,
        seed: int,
        count: int,
        horizon: int,
        alike: int = 1,
        waits: bool = False,
        every: int = 0,
    ) -> None:
        self.problem, self.seed, self.count, self.alike = problem, seed, count, alike
        task, network = problem.task, problem.network
        kept = network.memory_size * (2 + (horizon // every if every else 0))
        seen = horizon * (task.observation_size + task.outputs + _STEP_NUMBERS)
        check_bytes(
            f"{count:,} environments of {horizon:,} steps",
            4.0 * count * (_TIMES * seen + kept + network.scratch_size) + _ENVIRONMENT_BYTES * count,
            "take fewer environments (pairs), or a shorter horizon",
        )
        self._collector = collector_of(problem.task, problem.network, count, horizon, problem.threads, waits, every)
        self.blocks: np.ndarray | None = None
        self.recent: deque[float] = deque(maxlen=_RECENT)  # returns
        self.steps = self.episodes = 0

    def prepare(self) -> None:
        """Compile what is not compiled yet."""
        self._collector.prepare()

    def collect(
        self,
        params: np.ndarray,
        statistics: ObservationStatistics,
        generation: int,
        deviation: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Experience]:
        """The blocks and the experience after so many steps, with actions as `Collector.collect` has them.

        params: float32 (size,) or (count, size). statistics: to normalise by. deviation: of the actions, float64
        (outputs,), empty where they are choices; None: no noise.
        """
        begun = self.blocks
        if begun is None:
            begun = self._collector.begin(np.repeat(self._streams(self.count // self.alike, "resets"), self.alike, 0))
        noise = None if deviation is None else self._streams(self.count, "action noise", generation)
        deviation = np.zeros(self.problem.task.outputs) if deviation is None else deviation
        normalisation = self.problem.normalisation(statistics)
        return self._collector.collect(begun, params, deviation, noise, *normalisation)

    def _streams(self, count: int, purpose: str, *indices: int) -> np.ndarray:
        drawn = [generator(self.seed, purpose, *indices, place) for place in range(count)]
        return np.array([words_of(one.bit_generator.state) for one in drawn], np.uint64)

    def lived(self, blocks: np.ndarray, seen: Experience) -> dict[str, float]:
        """Go on from there; returns what metrics say of it: of the last episodes the best, mean and spread."""
        self.blocks = blocks
        finished = seen.returns.T[~np.isnan(seen.returns.T)]  # in the order in which they ended
        self.recent.extend(finished.tolist())
        self.steps += int(seen.lengths.sum())
        self.episodes += len(finished) + sum(seen.failures.values())
        recent = np.array(self.recent) if self.recent else np.full(1, math.nan)
        return {
            "steps": self.steps,
            "episodes": self.episodes,
            "best": float(recent.max()),
            "mean": float(recent.mean()),
            "std": float(recent.std()),
            "failures": sum(seen.failures.values()),
        }

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes, as plain arrays."""
        return {
            "lived": np.array([self.steps, self.episodes], np.int64),
            "recent": np.array(self.recent, np.float64),
            # another version may keep its state otherwise
            **({} if self.blocks is None else {"blocks": self.blocks, "engine": np.array(mujoco.__version__)}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on exactly where `state()` was taken. Raises ValueError for blocks of another engine or size."""
        if "blocks" in state:
            if state["engine"] != mujoco.__version__:
                raise ValueError(
                    f"its environments are those of MuJoCo {state['engine']}; here is {mujoco.__version__}"
                )
            if (state["blocks"].shape, state["blocks"].dtype) != (self._collector.shape, np.uint8):
                raise ValueError(f"its environments take {state['blocks'].shape} bytes, not {self._collector.shape}")
        self.blocks = np.array(state["blocks"]) if "blocks" in state else None
        self.recent = deque(np.asarray(state["recent"], np.float64).ravel().tolist(), maxlen=_RECENT)
        self.steps, self.episodes = (int(count) for count in state["lived"])
