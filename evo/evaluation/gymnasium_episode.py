"""Episodes of a Gymnasium environment, spread over processes, with the results of `evo.evaluation.episode`.

The policy is the same compiled network, seeds have the same meaning, and the result does not depend on the number of
processes. Where a process dies during an episode, a new process runs the episode once more; where that dies too, the
episode has failed.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from evo.envs.foreign import FAILURES, in_words
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.gymnasium_bridge.spaces import all_finite
from evo.evaluation.episode import SCRATCH_BYTES, Episodes, Trajectories
from evo.evaluation.gymnasium_host import Host, body_of, drop
from evo.evaluation.gymnasium_life import Life, Sent, received, sent
from evo.evaluation.life import BLIND, COMPLETED, ENVIRONMENT_ERROR, NOT_FINITE, OVERFLOWN
from evo.evaluation.processes import Died
from evo.evaluation.workers import Workers
from evo.genomes.rows import Rows, rows_for
from evo.networks import Network

_PARTS = 4  # pieces of work for each process, so that one that finishes early takes another


class _Work(NamedTuple):
    """Some individuals on some seeds, as they are sent to a process: every field can be pickled."""

    task: GymnasiumTask
    network: Sent
    params: Sequence[np.ndarray]  # a row for each individual
    seeds: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    steps: int
    statistics: bool
    recording: bool


class GymnasiumEvaluator:
    """Runs episodes of a Gymnasium environment with a network's parameters, in `workers.threads` processes."""

    def __init__(self, task: GymnasiumTask, network: Network, workers: Workers) -> None:
        self.task, self.network = task, network
        self._host = Host(task, workers.threads)

    def prepare(self) -> None:
        """Start the processes."""
        self._host.start()

    def starts(self, seeds: np.ndarray) -> np.ndarray:
        """Return the seeds, as `run` takes them to begin their episodes."""
        return np.asarray(seeds)

    def capacity(self, episodes: int) -> int:
        """Return how many individuals of `episodes` episodes each are evaluated at once (at least one)."""
        return max(1, SCRATCH_BYTES // (4 * self.network.size + 8 * episodes * (4 + 2 * self.task.observation_size)))

    def run(
        self,
        params: Rows | np.ndarray,
        seeds: np.ndarray,
        mean: np.ndarray,
        scale: np.ndarray,
        steps: int | None = None,
        statistics: bool = False,
        recording: bool = False,
        measures: bool = False,
    ) -> Episodes:
        """Run every individual on every seed; see `evo.evaluation.episode.Evaluator.run`. It has no measures."""
        rows = rows_for(self.network, params)
        most = self.task.steps if steps is None else steps
        wanted = _PARTS * self._host.count
        cuts = np.linspace(0, len(rows), min(len(rows), wanted) + 1).round().astype(int)
        shares = [[*rows.part(first, last)] for first, last in itertools.pairwise(cuts.tolist())]
        # few individuals are divided by their episodes too; a recorded evaluation stays in one piece
        pieces = 1 if recording else min(len(seeds), -(-wanted // len(shares)))
        rest = mean, scale, most, statistics, recording
        work = [
            _Work(self.task, sent(self.network), share, piece, *rest)
            for share in shares
            for piece in np.array_split(seeds, pieces)
        ]
        found = self._run_work(work)
        individuals = [_join(found[start : start + pieces], 1) for start in range(0, len(found), pieces)]
        return _join(individuals, 0)

    def _run_work(self, work: Sequence[_Work]) -> list[Episodes]:
        """Return the results of each piece of work; where a process died during one, run its episodes one by one."""
        found = self._host.map(_live, work)
        ended = [place for place, one in enumerate(found) if isinstance(one, Died)]
        if not ended:
            return found
        self._host.probe(int(work[ended[0]].seeds[0]))
        singles = [
            work[place]._replace(params=[params], seeds=np.array([seed]))
            for place in ended
            for params in work[place].params
            for seed in work[place].seeds
        ]
        tries = 1 if len(singles) == len(ended) else 2  # a piece that was a single episode has had its first try
        again = iter(zip(singles, self._host.map(_live, singles, tries=tries), strict=True))
        for place in ended:
            episodes = len(work[place].seeds)
            rows = []
            for _ in work[place].params:
                row = [next(again) for _ in range(episodes)]
                parts = [_record_loss(one, got.how) if isinstance(got, Died) else got for one, got in row]
                rows.append(_join(parts, 1))
            found[place] = _join(rows, 0)
        return found


class _Found:
    """The results of some work's episodes, to be filled in one after the other."""

    def __init__(self, work: _Work) -> None:
        task, size = work.task, work.task.observation_size
        shape = len(work.params), len(work.seeds)
        self.returns, self.lengths = np.zeros(shape), np.zeros(shape, np.int64)
        self.endings = np.zeros(shape, np.int64)
        self.statistics = np.zeros((*shape, 1 + 2 * size)) if work.statistics else None
        self.errors: list[str] = []
        self.recorded: Trajectories | None = None
        if work.recording:
            sizes = (0,), (0,), (size,), (task.action_size,), (), (0,), (0,), (0,)
            rows = shape[0] * shape[1], work.steps + 1
            self.recorded = Trajectories(*(np.zeros((*rows, *each)) for each in sizes))

    def episodes(self) -> Episodes:
        errors = tuple(dict.fromkeys(self.errors))
        return Episodes(self.returns, self.lengths, self.endings, self.statistics, self.recorded, errors)


def _record_loss(work: _Work, how: str) -> Episodes:
    """Return the result of a single episode during which processes died."""
    found = _Found(work)
    found.endings[:] = ENVIRONMENT_ERROR
    found.errors.append(how)
    return found.episodes()


def _live(work: _Work, keeps: dict[Any, Any]) -> Episodes:
    """Run the episodes of some individuals, one after the other, in whichever process this is."""
    network, found = received(work.task, work.network), _Found(work)
    for individual, params in enumerate(work.params):
        for number, seed in enumerate(work.seeds):
            place, life = (individual, number), Life(work.task, network, params, (work.mean, work.scale))
            try:
                found.endings[place] = _episode(life, work, keeps, int(seed), found, place)
            except FAILURES as error:  # an environment may fail in any way; it costs the individual, not the run
                drop(keeps)
                found.endings[place] = ENVIRONMENT_ERROR
                found.errors.append(in_words(error))
            found.lengths[place], found.returns[place] = life.steps, life.total
    return found.episodes()


def _episode(life: Life, work: _Work, keeps: dict[Any, Any], seed: int, found: _Found, place: tuple[int, int]) -> int:
    """Run an episode; return how it ended."""
    row, recorded = place[0] * len(work.seeds) + place[1], found.recorded
    statistics = None if found.statistics is None else found.statistics[place]
    body = body_of(work.task, keeps)
    life.begin(body, seed)
    how = COMPLETED
    while True:
        if recorded is not None:
            recorded.observations[row, life.steps] = life.observation
        if how != COMPLETED or life.cut or life.steps >= work.steps:
            return how
        if life.choose(statistics) == BLIND:
            return BLIND
        if recorded is not None:
            recorded.actions[row, life.steps] = life.action
        if not all_finite(life.action):
            return NOT_FINITE
        how = life.advance(body)
        if how in (NOT_FINITE, OVERFLOWN):
            return how
        if recorded is not None:
            recorded.rewards[row, life.steps - 1] = life.reward


def _join(parts: Sequence[Episodes], axis: int) -> Episodes:
    """Concatenate results along the individuals (0) or their episodes (1)."""

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
