"""What measurements on a Ray cluster of this machine share: the cluster, and processor time of all that it runs."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import ray
from ray.cluster_utils import Cluster

from evo.algorithms.strategies.openai_es import OpenAIES
from evo.cluster.named import workers_by_name
from evo.cluster.nodes import Nodes
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.evaluation.workers import Workers
from evo.genomes.population import Population
from evo.numerics.randomness import episode_seeds
from evo.problems.problem import Evaluation, Problem

_NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 500_000_000, "include_dashboard": False}
_Result = TypeVar("_Result")


@contextmanager
def single_core_nodes(count: int) -> Iterator[Nodes]:
    """Yield workers on a cluster of so many nodes of one core each, all of which have joined."""
    os.environ["OMP_NUM_THREADS"] = "1"  # of whatever the nodes run
    cluster = Cluster(initialize_head=True, head_node_args=_NODE)
    try:
        for _ in range(count - 1):
            cluster.add_node(**_NODE)
        nodes = workers_by_name(f"ray:{cluster.address}", count)
        problem = make("cartpole", "linear", nodes)
        while len(nodes.dispatch.nodes) < count:
            evaluate(problem, mirrored(problem, 64))
        yield nodes
    finally:
        ray.shutdown()
        cluster.shutdown()


def make(task: str, network: str | None, workers: Workers, **options: Any) -> Problem:
    """Return the problem that a run would have."""
    flags = {"task.name": task, "network.layers": network, "method.name": "openai-es"}
    flags |= {f"task.{name}": value for name, value in options.items()}
    config = resolve_config(flags={name: value for name, value in flags.items() if value is not None})
    return make_problem(config, workers, training=True)


def mirrored(problem: Problem, individuals: int) -> Population:
    """Return a population around zero, in mirrored pairs."""
    return OpenAIES(np.zeros(problem.size), 0, sigma=0.05, pairs=individuals // 2).ask()


def evaluate(problem: Problem, population: Population) -> Evaluation:
    seeds = episode_seeds(0, "benchmark", 0, 1)
    return problem.evaluate(population, seeds, problem.no_statistics(), collect=True)


def processor_seconds() -> float:
    """Return the processor seconds of this process and of all that descend from it and live."""
    parents, seconds = dict[int, int](), dict[int, float]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        process = int(stat.parent.name)
        parents[process] = int(fields[1])
        seconds[process] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    mine = {os.getpid()}
    while found := {process for process, parent in parents.items() if parent in mine} - mine:
        mine |= found
    return sum(seconds[process] for process in mine)


def timed(work: Callable[[], _Result]) -> tuple[float, float, _Result]:
    """Return the seconds of a piece of work, wall-clock and processor, and its result."""
    cpu, wall = processor_seconds(), time.perf_counter()
    found = work()
    return time.perf_counter() - wall, processor_seconds() - cpu, found


def quartiles(values: list[float], digits: int = 3) -> str:
    """Return the median and the quartiles in words."""
    low, middle, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
