"""evo on nodes of a Ray cluster beside EvoTorch's GymNE with as many actors: env steps a second.

    pip install 'evo-creatures[ray]' evotorch
    python -m benchmarks.beside_evotorch

It begins a Ray cluster of its own on this machine, of nodes of one core each, with one and with two of them. Both score
as many random policies of the same shape for an episode each, observations normalised, in alternating order, so that a
busy machine slows both; what each compiles or begins is done before. (With one actor EvoTorch evaluates in its own
process, without any messages.) Ratios are of env steps a second, medians with quartiles: of wall-clock, and of
processor time, in which everything counts that the cluster runs.
"""

import argparse
import os
import statistics
from collections.abc import Callable
from typing import Any

import evotorch
import torch
from evotorch.neuroevolution import GymNE

from benchmarks.clusters import evaluate, make, mirrored, quartiles, single_core_nodes, timed
from evo.cluster.nodes import Nodes

# Individuals of a measurement: episodes of random policies last 1,000 steps on one task, some 40 on the other.
TASKS = {"HalfCheetah-v5": 16, "Humanoid-v5": 128}
POLICY = "Linear(obs_length, 64) >> Tanh() >> Linear(64, 64) >> Tanh() >> Linear(64, act_length)"


def ours(task: str, nodes: Nodes, individuals: int) -> Callable[[], int]:
    problem = make(task, "mlp:64,64", nodes)
    population = mirrored(problem, individuals)
    return lambda: evaluate(problem, population).steps


def theirs(task: str, actors: int, individuals: int) -> Callable[[], int]:
    problem: Any = GymNE(
        task,
        POLICY,
        observation_normalization=True,
        num_actors=actors,
        actor_config={
            "num_cpus": 0,
            "scheduling_strategy": "SPREAD",
        },  # a node's core is held by the other side's actor
        initial_bounds=(-0.05, 0.05),
    )

    def run() -> int:
        batch = problem.generate_batch(individuals)
        before = int(problem.status.get("total_interaction_count", 0))
        problem.evaluate(batch)
        return int(problem.status["total_interaction_count"]) - before

    return run


def compare(task: str, nodes: Nodes, pairs: int) -> None:
    """Print the ratio of env steps a second."""
    count, individuals = len(nodes.dispatch.nodes), TASKS[task]
    sides = {"evo": ours(task, nodes, individuals), "evotorch": theirs(task, count, individuals)}
    for run in sides.values():
        run()
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    frugal: dict[str, list[float]] = {name: [] for name in sides}
    for pair in range(pairs):
        for name in [*sides][:: 1 if pair % 2 else -1]:
            wall, cpu, steps = timed(sides[name])
            speeds[name].append(steps / wall)
            frugal[name].append(steps / cpu)
    ratios = [one / other for one, other in zip(speeds["evo"], speeds["evotorch"], strict=True)]
    cpu_ratios = [one / other for one, other in zip(frugal["evo"], frugal["evotorch"], strict=True)]
    print(
        f"{task}, nodes and actors: {count}: evo {statistics.median(speeds['evo']):,.0f} env steps/s, "
        f"EvoTorch {evotorch.__version__} {statistics.median(speeds['evotorch']):,.0f}; ratio {quartiles(ratios, 1)}, "
        f"a processor second {quartiles(cpu_ratios, 1)}; {pairs} pairs; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, action="append", help="one of both; by default both")
    parser.add_argument("--nodes", type=int, action="append", help="by default 1 and 2")
    parser.add_argument("--pairs", type=int, default=9, help="alternating pairs of measurements")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for count in given.nodes or (1, 2):
        with single_core_nodes(count) as nodes:
            for task in given.task or TASKS:
                compare(task, nodes, given.pairs)


if __name__ == "__main__":
    main()
