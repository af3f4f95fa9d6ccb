"""Env steps per second on the nodes of a cluster, beside threads of this process."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from evo.benchmarks.speed import never_ending
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.evaluation.workers import NodesStatus, NodeWorkers, Threads
from evo.genomes.noise import Noise
from evo.genomes.population import PerturbedPopulation
from evo.numerics.randomness import generator
from evo.problems.problem import Evaluation, Problem

_SEEDS = np.arange(1)
_SIGMA = 0.1  # of the parameters: moderate actions
_AWAITED = 120.0  # seconds in which a first node must join
_SETTLED = 3.0  # seconds, at least, without a new node until those that are there are measured


def nodes_speed(
    task: str, network: str, workers: NodeWorkers, pairs: int = 9, individuals: int = 512, steps: int | None = None
) -> Iterator[dict[str, Any]]:
    """Measure env steps a second of nodes and of threads of this process, on the same population, in alternating pairs.

    The first record is of the threads, the second of all nodes together, the others of a node each. ratio: of all nodes
    over the threads, the median over the pairs, with its quartiles. waiting: the share of the time in which nodes had
    no slices. mismatches: returns that are not equal to the bit. Episodes do not end early. Raises EvoError where no
    node joins.
    """
    flags = {f"task.{name}": value for name, value in never_ending(task).items()}
    flags |= {"task.name": task, "network.layers": network}
    config = resolve_config(flags=flags | ({} if steps is None else {"task.steps": steps}))
    threads = Threads(workers.threads)
    here, there = (make_problem(config, one, training=False) for one in (threads, workers))
    here.prepare()
    population, few = (_perturbed(count, here.size) for count in (individuals, 2))
    _wait_for_nodes(there, workers, few)
    expected, found = _evaluate(here, population), _evaluate(there, population)
    ours, theirs = list[float](), list[float]()
    looks = list[tuple[NodesStatus, NodesStatus]]()
    for pair in range(pairs):
        for problem in (here, there)[:: 1 if pair % 2 else -1]:
            before, began = workers.status(), time.perf_counter()
            _evaluate(problem, population)
            seconds = time.perf_counter() - began
            (ours if problem is here else theirs).append(seconds)
            if problem is there:
                looks.append((before, workers.status()))
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, _, high = statistics.quantiles(ratios, n=4) if pairs > 1 else ratios * 3
    now, about = looks[-1][1], {"task": task, "network": network}
    speeds = {node.name: _speed(node.name, looks) for node in now.nodes}
    count = threads.threads
    yield {
        **about,
        "where": f"this process, {count} thread{'' if count == 1 else 's'}",
        "cores": count,
        "env_steps_per_s": expected.steps / statistics.median(ours),
    }
    yield {
        **about,
        "where": f"{len(now.nodes)} node{'' if len(now.nodes) == 1 else 's'}",
        "cores": sum(node.cores for node in now.nodes),
        "env_steps_per_s": expected.steps / statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "ratio_low": low,
        "ratio_high": high,
        "waiting": statistics.fmean(waiting for _, waiting in speeds.values()) if speeds else None,
        "mismatches": int((expected.returns != found.returns).sum()),
        "individuals": individuals,
        "pairs": pairs,
    }
    for node in now.nodes:
        rate, waiting = speeds[node.name]
        named = {"where": f"node {node.name[:8]}", "cores": node.cores}
        yield {**about, **named, "env_steps_per_s": rate, "waiting": waiting}


def _perturbed(individuals: int, size: int) -> PerturbedPopulation:
    """Return policies around zero, of which hardly anything has to travel."""
    return PerturbedPopulation(np.zeros(size), Noise(generator(0, "bench"), individuals // 2, size), _SIGMA)


def _evaluate(problem: Problem, population: PerturbedPopulation) -> Evaluation:
    return problem.evaluate(population, _SEEDS, problem.no_statistics())


def _wait_for_nodes(problem: Problem, workers: NodeWorkers, few: PerturbedPopulation) -> None:
    """Evaluate a little until no more nodes join. Raises EvoError where none does."""
    began = joined = time.monotonic()
    count = 0
    while count == 0 or time.monotonic() - joined < max(_SETTLED, joined - began):
        _evaluate(problem, few)
        if (now := len(workers.status().nodes)) != count:
            count, joined = now, time.monotonic()
        if count == 0 and time.monotonic() - began > _AWAITED:
            raise EvoError(f"no node has joined within {_AWAITED:.0f} s: look at what the notes above say of them")


def _speed(name: str, looks: list[tuple[NodesStatus, NodesStatus]]) -> tuple[float, float]:
    """Return a node's env steps a second, and the share of the time in which it had no slices, between such looks."""
    steps, waited, seconds = 0, 0.0, 0.0
    for before, after in looks:
        first, last = ({node.name: node for node in one.nodes}.get(name) for one in (before, after))
        if first is not None and last is not None and last.seconds > first.seconds:  # it was there all the time
            steps += last.steps - first.steps
            waited += last.waited - first.waited
            seconds += last.seconds - first.seconds
    return (steps / seconds, waited / seconds) if seconds else (0.0, 0.0)
