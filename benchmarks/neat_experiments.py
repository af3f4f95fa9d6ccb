"""The experiments of the paper that introduced NEAT, in its own terms: XOR, and two poles with and without velocities.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", sections 4.2 to 4.4. A run ends
with the generation in which a network solves the experiment. Every network of every generation counts as an evaluation.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import evo
from benchmarks.neat_examination import LONG, ONCE, SHORT, Examination, returns
from benchmarks.neat_starts import Start
from evo.algorithms import NEAT
from evo.datasets.dataset import SQUARED_ERROR
from evo.evaluation.forward_pass import Examiner
from evo.evaluation.workers import Threads
from evo.genomes.graph import GraphPopulation, direct_wiring
from evo.genomes.population import parts_of, row_of
from evo.networks import Network
from evo.networks.layers.graph import Graph
from evo.networks.wiring import Wiring
from evo.problems.control import Walking

Floats = np.ndarray[Any, np.dtype[np.float64]]
_XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
_ODD = np.array([0, 1, 1, 0], np.float32)
_SLOPE = 2.45  # tanh(2.45 x) = 2 / (1 + exp(-4.9 x)) - 1: the papers' sigmoid, stretched to the force's ±1

Judge = Callable[[GraphPopulation], tuple[Floats, int | None, int]]


class Experiment(NamedTuple):
    """What a run needs.

    judge: makes what returns the fitness of a population, its first individual that solves the experiment, if any, and
    from how many starts that one balances. wiring: where NEAT begins. options: NEAT's. generations: at most. examine:
    makes what tests one individual of each generation, where that is what tells whether it solves the experiment.
    """

    judge: Callable[[], Judge]
    wiring: Wiring
    recurrent: bool
    options: Mapping[str, Any]
    generations: int
    examine: Callable[[], Examination] | None = None


class Row(NamedTuple):
    """What came of one seed: `evaluations` to the end of the last generation; nodes and links of what solved it."""

    experiment: str
    variant: str
    seed: int
    solved: int
    generations: int
    evaluations: int
    hidden: int
    links: int
    starts: int


def judge_xor() -> Judge:
    """Fitness (4 - sum of |error|)²; solved where each output is on the right side of 0.5."""
    examiner = Examiner(Network([Graph(outputs=1)], 2, "graph", normalise=False), SQUARED_ERROR, Threads(1))
    inputs, targets = _XOR[:, np.newaxis], _ODD[:, np.newaxis, np.newaxis]

    def judge(population: GraphPopulation) -> tuple[Floats, int | None, int]:
        found = []
        for rows in parts_of(population, examiner.capacity(len(inputs))):
            outputs = examiner.run(rows, inputs, targets, np.arange(len(inputs)), answering=True).outputs
            assert outputs is not None
            found.append(outputs[:, :, 0, 0].astype(np.float64))
        outputs = np.concatenate(found)
        fitness = (4 - np.abs(outputs - _ODD).sum(axis=1)) ** 2
        return fitness, _first(((outputs > 0.5) == (_ODD > 0.5)).all(axis=1)), 0

    return judge


def judge_poles() -> Judge:
    """Fitness is the number of steps balanced; solved at 100,000, half an hour."""
    task = evo.task("double-pole", reset_noise_scale=0.0, steps=LONG)
    problem = Walking(task, evo.network("graph", task), Threads(1))

    def judge(population: GraphPopulation) -> tuple[Floats, int | None, int]:
        fitness = returns(problem, population)
        return fitness, _first(fitness >= LONG), 0

    return judge


def judge_poles_without_velocities() -> Judge:
    """Gruau's fitness over 1,000 steps; what solves the task is for `Examination` to say."""
    task = evo.task("double-pole", velocities=False, gruau=True, reset_noise_scale=0.0, steps=SHORT)
    problem = Walking(task, evo.network("graph:recurrent", task), Threads(1))

    def judge(population: GraphPopulation) -> tuple[Floats, int | None, int]:
        return returns(problem, population), None, 0

    return judge


def walking(name: str, **options: Any) -> Callable[[GraphPopulation], tuple[Floats, int]]:
    """Return what evaluates a population on one episode of a task, by one thread: fitness, and steps taken."""
    task = evo.task(name, **options)
    problem = Walking(task, evo.network("graph", task), Threads(1))

    def score(population: GraphPopulation) -> tuple[Floats, int]:
        found = problem.evaluate(population, ONCE, problem.no_statistics())
        return np.nan_to_num(found.returns[:, 0], nan=-1e3), found.steps

    return score


def _first(solved: np.ndarray) -> int | None:
    return int(np.argmax(solved)) if solved.any() else None


def _pushing(inputs: int) -> Wiring:
    """Return where NEAT begins on the poles: all inputs linked to the force."""
    return dataclasses.replace(direct_wiring(inputs, 1, "tanh"), responses=np.full(1, _SLOPE))


EXPERIMENTS: Mapping[str, Experiment] = {
    "xor": Experiment(judge_xor, direct_wiring(2, 1), False, {}, 200),
    "poles": Experiment(judge_poles, _pushing(6), False, {}, 200),
    # the paper's section 4.1 and, for what it does not name, the authors' parameter file p2nv.ne; but the threshold is
    # 4 in both: with that there are some 400 species of two or three, too small for their fittest to be kept
    "poles-without-velocities": Experiment(
        judge_poles_without_velocities,
        _pushing(3),
        True,
        {
            "population_size": 1000,
            "weight_difference": 3.0,
            "threshold": 6.0,
            "power": 1.8,
            "survival": 0.4,
            "add_node": 0.01,
        },
        100,
        Examination,
    ),
}


def solve(name: str, seed: int, options: Mapping[str, Any], variant: str = "", start: Start | None = None) -> Row:
    """Run an experiment from one seed. options: NEAT's, before the experiment's own.

    start: what makes the first generation; None for NEAT itself.
    """
    experiment = EXPERIMENTS[name]
    judge, settings = experiment.judge(), {**experiment.options, **options}
    examine = experiment.examine and experiment.examine()
    neat = NEAT(experiment.wiring.row(), seed, experiment.recurrent, 256, **settings)
    for generation in range(1, experiment.generations + 1):
        if start and generation == 1:
            population = GraphPopulation(start(neat.champion(), seed, neat.population_size), experiment.recurrent)
        else:
            population = neat.propose()
        fitness, solution, starts = judge(population)
        neat.update(population, fitness)
        neat.generation = generation
        if examine:
            solution, starts = examine(population, fitness, neat.numbers[neat.parents.species])
        if solution is not None:
            wiring = Wiring.of(row_of(population, solution))
            sizes = len(wiring.incoming) - len(wiring.outputs), len(wiring.weights) + int((wiring.biases != 0).sum())
            return Row(name, variant, seed, 1, generation, generation * len(fitness), *sizes, starts)
    return Row(name, variant, seed, 0, experiment.generations, experiment.generations * len(fitness), 0, 0, 0)
