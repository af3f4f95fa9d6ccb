"""Evaluation of populations and recording of episodes without a run."""

import functools
import operator
from collections.abc import Sequence
from typing import Any, Literal, overload

import numpy as np

from evo.api.arguments import NetworkLike, TaskLike, as_network, as_task, network_settings, task_reference
from evo.cluster.named import workers_of
from evo.config.build import check_compiler
from evo.config.resolve import resolve_config
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, one_line
from evo.evaluation.workers import Threads, Workers
from evo.genomes.population import DensePopulation, Population, RaggedPopulation, row_of
from evo.networks import Network
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Trajectory, Walking
from evo.problems.problem import Evaluation
from evo.storage.memory import check_bytes

_LARGEST_SEED = 2**63 - 1
COLLECT = "collect"

_Statistics = ObservationStatistics | str | None
_Params = np.ndarray | Sequence[np.ndarray] | Population


@overload
def evaluate(
    task: TaskLike,
    network: NetworkLike,
    params: _Params,
    episodes: int = 1,
    seed: int = 0,
    threads: int | None = None,
    statistics: _Statistics = None,
    workers: Workers | str | None = None,
    *,
    measures: Literal[False] = False,
) -> np.ndarray: ...


@overload
def evaluate(
    task: TaskLike,
    network: NetworkLike,
    params: _Params,
    episodes: int = 1,
    seed: int = 0,
    threads: int | None = None,
    statistics: _Statistics = None,
    workers: Workers | str | None = None,
    *,
    measures: Literal[True],
) -> tuple[np.ndarray, np.ndarray]: ...


def evaluate(
    task: TaskLike,
    network: NetworkLike,
    params: _Params,
    episodes: int = 1,
    seed: int = 0,
    threads: int | None = None,
    statistics: _Statistics = None,
    workers: Workers | str | None = None,
    *,
    measures: bool = False,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Compute the returns of a whole population, float64 (individuals, episodes); NaN where an episode failed.

    Episode e of every individual starts from seed + e, exactly as `gymnasium.make(...).reset(seed=seed + e)` does. All
    processors work, without Python in the loop. A network given as text normalises where there are statistics.

    params: (individuals, size), (size,) for one individual, or the population that an algorithm's `ask` returns; where
    the network has a layer of its own length, also a list of rows (parameters,). statistics: for a network that
    normalises its observations: `champion.statistics`, those of `evo.collect_statistics`, or `"collect"`, which runs
    the same episodes twice and uses the observations of the first time. threads, workers: as in `evo.run`. measures:
    also return behaviour descriptors, float64 (individuals, measures): means over the episodes in the order of
    `task.measures`, NaN where an episode failed. Raises EvoError.
    """
    problem = _problem(task, network, workers_of(threads, workers), statistics)
    if measures and not problem.measures:
        raise EvoError(f"{problem.task.name} has no measures: give its Task a compiled measure, as in evo.envs.task")
    population, seeds = _population(params, problem), _seeds(seed, episodes)
    known = _normalising(problem, population, seeds, statistics)
    outcome = _evaluate(problem, population, seeds, known, False, measures)
    return (outcome.returns, outcome.measures) if measures else outcome.returns


def rollout(
    task: TaskLike, network: NetworkLike, params: np.ndarray, seed: int = 0, statistics: _Statistics = None
) -> Trajectory:
    """Record one episode: the same compiled episode that `evaluate` runs, started as by `env.reset(seed=seed)`.

    params: (size,). statistics: as in `evaluate`. Raises EvoError.
    """
    problem = _problem(task, network, Threads(1), statistics)
    if np.ndim(params) != 1:
        raise EvoError(f"params of shape {np.shape(params)}; an episode is of one individual, ({problem.size},)")
    population, seeds = _population(params, problem), _seeds(seed, 1)
    known = _normalising(problem, population, seeds, statistics)
    try:
        return problem.rollout(np.asarray(params), int(seeds[0]), known)
    except (EngineError, KernelError) as error:
        raise EvoError(f"{problem.task.name}: {error}") from error


def collect_statistics(
    task: TaskLike,
    network: NetworkLike,
    params: _Params,
    episodes: int = 1,
    seed: int = 0,
    threads: int | None = None,
    statistics: ObservationStatistics | None = None,
    workers: Workers | str | None = None,
) -> ObservationStatistics:
    """Return statistics of a population's observations in the episodes of `evaluate`, for a network that normalises.

    statistics: normalise meanwhile, and are merged with the new ones; without them observations are not normalised. A
    search loop of your own can carry them from generation to generation, as evolution does. Raises EvoError.
    """
    problem = _problem(task, network, workers_of(threads, workers), COLLECT if statistics is None else statistics)
    population, seeds = _population(params, problem), _seeds(seed, episodes)
    return _collect(problem, population, seeds, statistics)


def _collect(
    problem: Walking, population: Population, seeds: np.ndarray, statistics: ObservationStatistics | None
) -> ObservationStatistics:
    known = problem.no_statistics() if statistics is None else _fitting(problem, statistics)
    return known.merged(_evaluate(problem, population, seeds, known, True).statistics)


def _evaluate(
    problem: Walking,
    population: Population,
    seeds: np.ndarray,
    known: ObservationStatistics,
    collect: bool,
    measures: bool = False,
) -> Evaluation:
    try:
        return problem.evaluate(population, seeds, known, collect, measures)
    except (EngineError, KernelError) as error:
        raise EvoError(f"{problem.task.name}: {error}") from error


def _problem(task: TaskLike, network: NetworkLike, workers: Workers, statistics: _Statistics) -> Walking:
    check_compiler()
    if isinstance(statistics, str) and statistics != COLLECT:
        raise EvoError(f"statistics={statistics!r}: give a champion's statistics, or {COLLECT!r}")
    made, text = as_task(task), not isinstance(network, Network)
    seen = statistics == COLLECT if isinstance(statistics, str) else statistics is not None and statistics.count > 0
    layers = as_network(network, made, normalise=text and seen)
    if layers.normalise and statistics is None:
        raise EvoError(
            f"the network {layers.text!r} normalises its observations and needs statistics=, such as "
            "champion.statistics, or statistics='collect'"
        )
    if seen and not layers.normalise:
        raise EvoError(
            f"the network {layers.text!r} does not normalise its observations: leave statistics out, or make it by "
            "evo.network(…, normalise=True)"
        )
    try:
        problem = Walking(made, layers, workers)
    except ValueError as error:
        raise EvoError(str(error)) from error
    problem.origin = functools.partial(_origin, task, layers)
    return problem


def _origin(task: TaskLike, network: Network) -> tuple[str, bool]:
    """Return a configuration with this task and network, for scoring. Raises EvoError for one made by hand."""
    name, options = task_reference(task)
    named = {"task.name": name, **{f"task.{option}": value for option, value in options.items()}}
    return resolve_config(flags=named | network_settings(network)).toml(), False


def _normalising(
    problem: Walking, population: Population, seeds: np.ndarray, statistics: _Statistics
) -> ObservationStatistics:
    """Return the statistics that normalise observations."""
    if isinstance(statistics, str):
        return _collect(problem, population, seeds, None)
    return problem.no_statistics() if statistics is None else _fitting(problem, statistics)


def _fitting(problem: Walking, statistics: ObservationStatistics) -> ObservationStatistics:
    if len(statistics.mean) != problem.task.observation_size:
        raise EvoError(
            f"the statistics are of {len(statistics.mean)} observations; {problem.task.name} has "
            f"{problem.task.observation_size}"
        )
    return statistics


def _population(params: _Params, problem: Walking) -> Population:
    """Return the parameters as a population. Raises EvoError where they do not fit the network."""
    if problem.network.own_length:
        return _to_ragged(params, problem)
    if hasattr(params, "row") and hasattr(params, "size"):
        population: Any = params
        shape: tuple[int, ...] = (len(population), population.size)
    else:
        try:
            rows = np.atleast_2d(np.asarray(params, np.float32))
        except (TypeError, ValueError):
            raise EvoError(
                f"params is a {type(params).__name__}: give an array (individuals, {problem.size}), or what an "
                "algorithm's ask() gives"
            ) from None
        population, shape = rows, rows.shape
    if len(shape) != 2 or shape[1] != problem.size:
        raise EvoError(f"params of shape {shape}; this network has {problem.size} parameters")
    if not shape[0]:
        raise EvoError(f"params of shape {shape}: a population has at least one individual")
    return DensePopulation(population) if isinstance(population, np.ndarray) else population


def _to_ragged(params: _Params, problem: Walking) -> Population:
    """Return individuals that each have their own number of parameters. Raises EvoError where one does not fit.

    They are checked once more where they are evaluated (`rows_for`), slice by slice, to guard compiled code whoever
    calls it. Checked here, before any work, an error counts the individual among all that were given.
    """
    if hasattr(params, "row") and hasattr(params, "size"):
        population: Any = params
    else:
        alone = isinstance(params, np.ndarray) and params.ndim == 1
        population = RaggedPopulation([params] if alone else [*params])  # type: ignore[list-item]
    if not len(population):
        raise EvoError("params are no rows: a population has at least one individual")
    for individual in range(len(population)):
        try:
            problem.check(row_of(population, individual))
        except ValueError as error:
            raise EvoError(f"individual {individual}: {one_line(error)}") from error
    return population


def _seeds(seed: int, episodes: int) -> np.ndarray:
    """Return the seeds of `episodes` episodes, int64. Raises EvoError."""
    first, count = _whole("seed", seed), _whole("episodes", episodes)
    if first < 0 or count < 1:
        raise EvoError(f"seed must be at least 0 and episodes at least 1, got seed {seed} and {episodes} episodes")
    if first + count - 1 > _LARGEST_SEED:
        raise EvoError(f"seeds end at {_LARGEST_SEED}, and {count} episodes from seed {first} on go beyond")
    check_bytes(f"{count:,} episodes", 100 * count, "ask for fewer at a time")
    return np.arange(first, first + count, dtype=np.uint64).astype(np.int64)


def _whole(name: str, value: Any) -> int:
    """Return any integer, NumPy's too, as an int. Raises EvoError."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise EvoError(f"{name} must be a whole number, got {value!r}") from None
