"""Episodes of a Gymnasium environment: one Python call a step, spread over processes, with `evo.episode`'s results.

The policy is the same compiled network, the seeds mean the same, and nothing depends on how many processes there are.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from evo.envs import interruption
from evo.envs.gymnasium_task import Body, GymnasiumTask
from evo.episode import (
    COMPLETED,
    ENGINE_ERROR,
    NOT_FINITE,
    SCRATCH_BYTES,
    TERMINATED,
    Episodes,
    Trajectories,
)
from evo.networks import Network, network_from_text
from evo.networks.sequential import act
from evo.processes import Processes
from evo.statistics import update_statistics

_PARTS = 4  # of the work, for each process: who is done early takes another


class _Work(NamedTuple):
    """Some individuals on all seeds, as it goes to a process: everything in it can be sent."""

    task: GymnasiumTask
    network: tuple[str, bool, float]
    params: np.ndarray
    seeds: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    steps: int
    statistics: bool
    recording: bool


class GymnasiumEvaluator:
    """Runs episodes of a Gymnasium environment with a network's parameters, in `threads` processes."""

    def __init__(self, task: GymnasiumTask, network: Network, threads: int) -> None:
        entry = task.spec.entry_point
        if not isinstance(entry, str) or entry.startswith("__main__"):
            threads = 1  # no other process knows of this environment
        self.task, self.network, self.threads = task, network, threads
        self._processes = Processes(threads)

    def prepare(self) -> None:
        """Start the processes."""
        if self.threads > 1:
            self._processes.start(self.threads)

    def starts(self, seeds: np.ndarray) -> np.ndarray:
        """What `run` takes to begin the episodes of seeds: the seeds."""
        return np.asarray(seeds)

    def capacity(self, episodes: int) -> int:
        """How many individuals of so many episodes are evaluated at once (at least one)."""
        return max(1, SCRATCH_BYTES // (4 * self.network.size + 8 * episodes * (4 + 2 * self.task.observation_size)))

    def run(
        self,
        params: np.ndarray,
        seeds: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        steps: int | None = None,
        statistics: bool = False,
        recording: bool = False,
    ) -> Episodes:
        """Every individual on every seed; see `evo.episode.Evaluator.run`."""
        params = np.ascontiguousarray(params, np.float32)
        most = self.task.steps if steps is None else steps
        wanted = _PARTS * self.threads
        shares = np.array_split(params, min(len(params), wanted))
        # few individuals are spread by their episodes; what is recorded stays in one piece
        pieces = 1 if recording else min(len(seeds), -(-wanted // len(shares)))
        rest = mean, scale, most, statistics, recording
        network = self.network.text, self.network.normalise, self.network.clip_observation
        work = [
            _Work(self.task, network, share, piece, *rest)
            for share in shares
            for piece in np.array_split(seeds, pieces)
        ]
        found = self._mapped(work)
        rows = [_joined(found[start : start + pieces], 1) for start in range(0, len(found), pieces)]
        return _joined(rows, 0)

    def _mapped(self, work: Sequence[_Work]) -> list[Episodes]:
        return self._processes.map(_live, work) if self.threads > 1 else [_live(share) for share in work]


_bodies: dict[str, Body] = {}  # the last environment of this process: making one takes a while


def _live(work: _Work) -> Episodes:
    """In whichever process: the episodes of some individuals, one after the other."""
    task = work.task
    key = f"{task.name} {sorted(task.options.items())}"
    if key not in _bodies:
        _bodies.clear()
        _bodies[key] = Body(task)
    body = _bodies[key]
    text, normalise, clip = work.network
    network = network_from_text(text, task.observation_size, task.outputs, normalise, clip_observation=clip)
    individuals, episodes, size = len(work.params), len(work.seeds), task.observation_size
    shape = individuals, episodes
    returns, lengths, endings = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    seen = np.zeros((*shape, 1 + 2 * size)) if work.statistics else None
    recorded, errors = None, []
    if work.recording:
        sizes = (0,), (0,), (size,), (task.action_size,), ()
        recorded = Trajectories(*(np.zeros((individuals * episodes, work.steps + 1, *each)) for each in sizes))
    memory, scratch = np.zeros(network.memory_size, np.float32), np.zeros(network.scratch_size, np.float32)
    outputs, action = np.zeros(task.outputs), np.zeros(task.action_size)
    limits = (task.action_low, task.action_high, task.choices)
    for individual, params in enumerate(work.params):
        for number, seed in enumerate(work.seeds):
            interruption.check()
            place, row = (individual, number), individual * episodes + number
            memory[:] = 0
            steps, how = 0, COMPLETED
            try:
                observation = body.reset(int(seed))
                while steps < work.steps:
                    if seen is not None:
                        update_statistics(seen[place], observation)
                    act(
                        network.plan,
                        params,
                        memory,
                        scratch,
                        observation,
                        work.mean,
                        work.scale,
                        clip,
                        *limits,
                        outputs,
                        action,
                    )
                    if recorded is not None:
                        recorded.observations[row, steps], recorded.actions[row, steps] = observation, action
                    if not np.isfinite(action).all():
                        how = NOT_FINITE
                        break
                    observation, reward, terminated, truncated = body.step(action)
                    steps += 1
                    if not np.isfinite(reward):
                        how = NOT_FINITE
                        break
                    returns[place] += reward
                    if recorded is not None:
                        recorded.rewards[row, steps - 1] = reward
                    if terminated or truncated:
                        how = TERMINATED if terminated else COMPLETED
                        break
                if recorded is not None:
                    recorded.observations[row, steps] = observation
            except Exception as error:  # an environment may fail in any way; it costs the individual, not the run
                how = ENGINE_ERROR
                errors.append(f"{type(error).__name__}: {error}")
            lengths[place], endings[place] = steps, how
    return Episodes(returns, lengths, endings, seen, recorded, tuple(dict.fromkeys(errors)))


def _joined(parts: Sequence[Episodes], axis: int) -> Episodes:
    """One after the other, along the individuals (0) or their episodes (1)."""

    def joined(arrays: Sequence[Any]) -> Any:
        return None if arrays[0] is None else np.concatenate(arrays, axis)

    recorded = None
    if parts[0].trajectories is not None:
        columns = zip(*(part.trajectories for part in parts if part.trajectories is not None), strict=True)
        recorded = Trajectories(*(np.concatenate(column) for column in columns))
    return Episodes(
        returns=joined([part.returns for part in parts]),
        lengths=joined([part.lengths for part in parts]),
        endings=joined([part.endings for part in parts]),
        statistics=joined([part.statistics for part in parts]),
        trajectories=recorded,
        errors=tuple(dict.fromkeys(error for part in parts for error in part.errors)),
    )
