"""Scoring populations and recording episodes, without a run."""

import numpy as np

from evo.assembly import make_network, make_task
from evo.engines import AnyTask
from evo.envs import reference
from evo.envs.physics import available_threads
from evo.errors import EvoError
from evo.networks import Network
from evo.problems.walking import Trajectory, Walking


def evaluate(
    task: AnyTask | str,
    network: Network | str,
    params: np.ndarray,
    episodes: int = 1,
    seed: int = 0,
    threads: int | None = None,
) -> np.ndarray:
    """Returns of a whole population, float64 (individuals, episodes); NaN where an episode failed.

    params: (individuals, size), or (size,) for one. Episode e of every individual starts from seed + e, exactly as
    `gymnasium.make(...).reset(seed=seed + e)` does. The fast path: all processors, no Python per step.
    """
    _check_seed(seed, episodes)
    problem = _problem(task, network, threads)
    rows = np.atleast_2d(np.asarray(params, np.float32))
    if rows.ndim != 2 or rows.shape[1] != problem.size:
        raise EvoError(f"params of shape {np.shape(params)}; this network has {problem.size} parameters")
    return problem.returns(rows, np.arange(seed, seed + episodes))


def rollout(task: AnyTask | str, network: Network | str, params: np.ndarray, seed: int = 0) -> Trajectory:
    """One episode step by step, from the same compiled episode that scores; it starts as `env.reset(seed=seed)`."""
    _check_seed(seed)
    problem = _problem(task, network, 1)
    if np.shape(params) != (problem.size,):
        raise EvoError(f"params of shape {np.shape(params)}; this network has {problem.size} parameters")
    return problem.rollout(params, seed, problem.no_statistics())


def _problem(task: AnyTask | str, network: Network | str, threads: int | None) -> Walking:
    reference.trust(task, network)
    made = make_task(task, {}) if isinstance(task, str) else task
    layers = make_network(network, made, normalise=False) if isinstance(network, str) else network
    return Walking(made, layers, thread_count(threads))


def thread_count(threads: int | None) -> int:
    """As many as asked for, or as this process may use. Raises EvoError."""
    if threads is None:
        return available_threads()
    if not 1 <= threads <= 1024:
        raise EvoError(f"threads must be between 1 and 1024, got {threads}; this process may use {available_threads()}")
    return threads


def _check_seed(seed: int, episodes: int = 1) -> None:
    if seed < 0 or episodes < 1:
        raise EvoError(f"seed must be at least 0 and episodes at least 1, got seed {seed} and {episodes} episodes")
