"""The other end of workers: evaluation of a slice that another process sent."""

import functools
from collections.abc import Sequence

from evo.config.build import make_problem
from evo.config.resolve import read_config, resolve_config
from evo.evaluation.workers import Threads
from evo.problems.problem import Problem
from evo.problems.slices import answer_slice


def evaluate_slice(data: bytes, shared: Sequence[bytes], *, threads: int = 1, trust: bool = False) -> bytes:
    """Return the answer to a slice of an evaluation, which workers of your own sent here: see `evo.run(workers=…)`.

    shared: `work.shared()`, what its slices have in common. The problem is made from the configuration in it, once for
    all slices of a run. An evaluation that fails is an answer too, and fails where it was asked for. trust: whether
    modules of your own that the work names, as in the task `mine:fitness`, may be imported, which runs their code. Not
    for several Python threads at once.

    Raises EvoError for bytes that are no slice, and for a number of threads that is none.
    """
    workers = Threads(threads)
    return answer_slice(data, shared, lambda config, training: _problem(config, training, workers, trust))


@functools.lru_cache(maxsize=2)  # a run learns on one problem and scores on another
def _problem(config: str, training: bool, workers: Threads, trust: bool) -> Problem:
    problem = make_problem(resolve_config(read_config(config, "a slice", trust)), workers, training)
    problem.prepare()
    return problem
