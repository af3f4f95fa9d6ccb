"""Environments that persist between the steps of a learner."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, final

import mujoco
import numpy as np

from evo.envs.engine.physics import EngineError
from evo.envs.engine.random import words_of
from evo.evaluation.collector import Experience
from evo.evaluation.evaluator import collector_of
from evo.evaluation.exploration import Draw, Exploration
from evo.learners.segments import mask_counted
from evo.networks import Network
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Walking
from evo.storage.memory import check_bytes

_STEP_NUMBERS, _TIMES = 8, 3  # other numbers kept of a step, and copies that a learner makes of all of them
_RAW = 4  # float64 observations before and after each step, as float32 numbers
_ENVIRONMENT_BYTES = 2**14  # least size of a simulation
_RECENT = 100  # number of episodes whose returns are logged
_PATIENCE = 100  # episodes: give up where the first ones, this many, all failed


@final
class Environments:
    """`count` persistent environments; collected steps change nothing until `commit`.

    horizon: steps of a call. alike: group size: consecutive environments that share the random streams of their resets.
    waits: whether an environment whose episode ended takes no more steps in that call. every: interval in steps at
    which the network's memory is recorded, 0: never. network: what acts; by default the problem's.
    steps, episodes: committed so far. blocks: the environments' state, None before the first call.
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
        network: Network | None = None,
    ) -> None:
        self.problem, self.seed, self.count, self.alike = problem, seed, count, alike
        task, network = problem.task, problem.network if network is None else network
        kept = network.memory_size * (2 + (horizon // every if every else 0))
        seen = horizon * (task.observation_size + task.outputs + _STEP_NUMBERS)
        raw = horizon * task.observation_size * _RAW
        check_bytes(
            f"{count:,} environments of {horizon:,} steps",
            4.0 * count * (_TIMES * seen + raw + kept + network.scratch_size) + _ENVIRONMENT_BYTES * count,
            "take fewer environments (pairs), or a shorter horizon",
        )
        self._collector = collector_of(task, network, count, horizon, problem.workers, waits, every)
        self.blocks: np.ndarray | None = None
        self.recent: deque[float] = deque(maxlen=_RECENT)  # episode returns
        self.steps = self.episodes = 0

    def prepare(self) -> None:
        """Compile what is not compiled yet."""
        self._collector.prepare()

    def collect(
        self,
        params: np.ndarray,
        statistics: ObservationStatistics,
        generation: int,
        draw: Draw | None = None,
        numbers: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Experience]:
        """Collect `horizon` steps; return the new blocks and the experience, as `Collector.collect` does.

        params: float32 (size,) or (count, size). statistics: normalise what the network receives. draw, numbers: how
        actions are drawn, see `evo.evaluation.exploration`; its streams are those of `generation`. None: as in a scored
        episode.
        """
        begun = self.blocks
        if begun is None:
            begun = self._collector.begin(np.repeat(self._streams(self.count // self.alike, "resets"), self.alike, 0))
        exploration = None
        if draw is not None:
            own = np.zeros(0) if numbers is None else numbers
            exploration = Exploration(draw, self._streams(self.count, "action noise", generation), own)
        return self._collector.collect(begun, params, *self.problem.normalisation(statistics), exploration)

    def _streams(self, count: int, purpose: str, *indices: int) -> np.ndarray:
        drawn = [generator(self.seed, purpose, *indices, place) for place in range(count)]
        return np.array([words_of(one.bit_generator.state) for one in drawn], np.uint64)

    def check(self, seen: Experience, generation: int) -> None:
        """Raise EngineError where no step of the generation, or none of the first _PATIENCE episodes, succeeded."""
        failed = sum(seen.failures.values())
        reasons = "; ".join([*seen.failures, *seen.errors[:1]])
        if not mask_counted(seen).any():
            raise EngineError(f"no step of iteration {generation} succeeded: {reasons}")
        never = not self.recent and np.isnan(seen.returns).all()
        if failed and never and self.episodes + failed >= _PATIENCE:
            raise EngineError(f"each of the first {self.episodes + failed} episodes failed: {reasons}")

    def commit(self, blocks: np.ndarray, seen: Experience) -> dict[str, float]:
        """Commit the collected steps; return metrics: the best, mean and deviation of recent episodes' returns."""
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
        """Return everything that changes, as plain arrays."""
        return {
            "lived": np.array([self.steps, self.episodes], np.int64),
            "recent": np.array(self.recent, np.float64),
            # another MuJoCo version may lay out its state differently
            **({} if self.blocks is None else {"blocks": self.blocks, "engine": np.array(mujoco.__version__)}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume exactly where `state()` was taken. Raises ValueError for blocks of another engine or size."""
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
