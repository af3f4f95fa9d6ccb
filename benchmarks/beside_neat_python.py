"""evo's NEAT beside neat-python's: whole runs of XOR, two poles and Walker2d-v5, alternating in one process.

    pip install neat-python
    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_neat_python --repeats 5

Both have 150 genomes and the same number of generations, one processor, the paper's rates, and no end before the last
generation. A network of neat-python's acts in plain Python: on Gymnasium's Walker2d-v5, and on two poles simulated in
plain Python by the same equations. Genomes differ, and so do the lengths of episodes: the ratio of env steps a second
stands beside the ratios of whole runs, by the clock and in processor time. Seconds are the processor's.
"""

import argparse
import configparser
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import neat
import numpy as np

from benchmarks.neat_experiments import Judge, judge_xor, walking
from evo.algorithms import NEAT
from evo.genomes.graph import GraphPopulation, direct_wiring
from evo.numerics.formatting import table_text

POPULATION = 150
_STEPS = 1000  # of an episode on two poles
_PATTERNS = [((0.0, 0.0), 0.0), ((0.0, 1.0), 1.0), ((1.0, 0.0), 1.0), ((1.0, 1.0), 0.0)]
_POLES = ((0.5, 0.1), (0.05, 0.01))  # half-lengths, masses
_NUMBER = {"init_mean": 0, "init_stdev": 1, "max_value": 8, "min_value": -8, "mutate_power": 1}
_WEIGHT = {**_NUMBER, "mutate_rate": 0.8, "replace_rate": 0.1}
_FIXED = {**_NUMBER, "init_stdev": 0, "mutate_rate": 0, "replace_rate": 0, "mutate_power": 0}
_GENOME: dict[str, Any] = {
    "num_hidden": 0,
    "feed_forward": True,
    "initial_connection": "full_direct",
    "compatibility_disjoint_coefficient": 1.0,
    "compatibility_weight_coefficient": 0.4,
    "conn_add_prob": 0.05,
    "conn_delete_prob": 0,
    "node_add_prob": 0.03,
    "node_delete_prob": 0,
    "enabled_default": True,
    "enabled_mutate_rate": 0,
    "aggregation_default": "sum",
    "aggregation_options": "sum",
    "aggregation_mutate_rate": 0,
    "activation_mutate_rate": 0,
    **{f"weight_{name}": value for name, value in _WEIGHT.items()},
    **{f"bias_{name}": value for name, value in _WEIGHT.items()},
    **{f"response_{name}": value for name, value in (_FIXED | {"init_mean": 1}).items()},
    **{f"time_constant_{name}": value for name, value in (_FIXED | {"init_mean": 1, "min_value": 0.1}).items()},
}


class Work(NamedTuple):
    """A task: sizes of its networks, generations, what evaluates a network of neat-python's, and ours.

    theirs: makes a function of a network's `activate` that returns the fitness and how many steps it took. ours: makes
    what returns the fitness of a population and how many steps they took.
    """

    inputs: int
    outputs: int
    activation: str
    generations: int
    theirs: Callable[[], Callable[[Any], tuple[float, int]]]
    ours: Callable[[], Callable[[GraphPopulation], tuple[np.ndarray, int]]]


def their_xor() -> Callable[[Any], tuple[float, int]]:
    def score(activate: Any) -> tuple[float, int]:
        return (4 - sum(abs(activate(inputs)[0] - target) for inputs, target in _PATTERNS)) ** 2, len(_PATTERNS)

    return score


def our_xor() -> Callable[[GraphPopulation], tuple[np.ndarray, int]]:
    judge: Judge = judge_xor()
    return lambda population: (judge(population)[0], len(population) * len(_PATTERNS))


def rates(state: Sequence[float], force: float) -> list[float]:
    """Return the derivative of (x, x', θ1, θ1', θ2, θ2'), as `double-pole` has it."""
    velocity = state[1]
    push, mass = force - 0.0005 * ((velocity > 0) - (velocity < 0)), 1.0
    turns = []
    for (length, weight), angle, spin in zip(_POLES, state[2::2], state[3::2], strict=True):
        sine, cosine = math.sin(angle), math.cos(angle)
        turn = 0.000002 * spin / (weight * length) - 9.8 * sine
        push += weight * length * spin * spin * sine + 0.75 * weight * cosine * turn
        mass += weight * (1.0 - 0.75 * cosine * cosine)
        turns.append((cosine, turn, length, spin))
    pushing = push / mass
    found = [velocity, pushing]
    for cosine, turn, length, spin in turns:
        found += [spin, -0.75 * (pushing * cosine + turn) / length]
    return found


def moved(state: Sequence[float], force: float) -> list[float]:
    """Return the state after a control step: two of the classical Runge-Kutta method."""
    for _ in range(2):
        first = rates(state, force)
        second = rates([x + 0.005 * k for x, k in zip(state, first, strict=True)], force)
        third = rates([x + 0.005 * k for x, k in zip(state, second, strict=True)], force)
        last = rates([x + 0.01 * k for x, k in zip(state, third, strict=True)], force)
        state = [
            x + 0.01 / 6 * (a + 2 * b + 2 * c + d)
            for x, a, b, c, d in zip(state, first, second, third, last, strict=True)
        ]
    return list(state)


def their_poles() -> Callable[[Any], tuple[float, int]]:
    def score(activate: Any) -> tuple[float, int]:
        state = [0.0, 0.0, math.pi / 40, 0.0, 0.0, 0.0]
        for step in range(1, _STEPS + 1):
            seen = [x / unit for x, unit in zip(state, (4.8, 2.0, 0.52, 2.0, 0.52, 2.0), strict=True)]
            state = moved(state, 10.0 * max(-1.0, min(1.0, activate(seen)[0])))
            if abs(state[0]) > 2.4 or max(abs(state[2]), abs(state[4])) > math.pi / 5:
                return step, step
        return _STEPS, _STEPS

    return score


def their_walker() -> Callable[[Any], tuple[float, int]]:
    env = gymnasium.make("Walker2d-v5")

    def score(activate: Any) -> tuple[float, int]:
        observation, total, steps, over = env.reset(seed=0)[0], 0.0, 0, False
        while not over:
            observation, reward, terminated, truncated, _ = env.step(np.clip(activate(observation), -1.0, 1.0))
            total, steps, over = total + float(reward), steps + 1, terminated or truncated
        return total, steps

    return score


WORK = {
    "XOR": Work(2, 1, "sigmoid", 100, their_xor, our_xor),
    "two poles": Work(6, 1, "tanh", 20, their_poles, lambda: walking("double-pole", reset_noise_scale=0.0)),
    "Walker2d-v5": Work(17, 6, "tanh", 3, their_walker, lambda: walking("Walker2d-v5")),
}


class Cost(NamedTuple):
    """What a run took: seconds by the clock and of the processor, and steps."""

    clock: float
    processor: float
    steps: int


def by_neat_python(work: Work, seed: int, folder: Path) -> Cost:
    parser = configparser.ConfigParser()
    best = {"fitness_criterion": "max", "fitness_threshold": 1e18, "no_fitness_termination": True}
    parser["NEAT"] = _texts({"pop_size": POPULATION, "reset_on_extinction": True, "seed": seed, **best})
    kind = {"activation_default": work.activation, "activation_options": work.activation}
    parser["DefaultGenome"] = _texts({"num_inputs": work.inputs, "num_outputs": work.outputs, **kind, **_GENOME})
    parser["DefaultSpeciesSet"] = _texts({"compatibility_threshold": 3.0})
    parser["DefaultStagnation"] = _texts({"species_fitness_func": "max", "max_stagnation": 15, "species_elitism": 1})
    parser["DefaultReproduction"] = _texts({"elitism": 1, "survival_threshold": 0.2, "min_species_size": 1})
    with (folder / "neat.ini").open("w") as file:
        parser.write(file)
    parts = neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation
    config, score, steps = neat.Config(*parts, str(folder / "neat.ini")), work.theirs(), 0

    def evaluate(genomes: Any, config: Any) -> None:
        nonlocal steps
        for _, genome in genomes:
            network = neat.nn.FeedForwardNetwork.create(genome, config)
            genome.fitness, taken = score(network.activate)
            steps += taken

    population = neat.Population(config)
    began, used = time.perf_counter(), time.process_time()
    population.run(evaluate, work.generations)
    return Cost(time.perf_counter() - began, time.process_time() - used, steps)


def by_evo(work: Work, seed: int) -> Cost:
    activation = "steep_sigmoid" if work.activation == "sigmoid" else work.activation
    score, steps = work.ours(), 0
    neat_ = NEAT(direct_wiring(work.inputs, work.outputs, activation).row(), seed, population_size=POPULATION)
    began, used = time.perf_counter(), time.process_time()
    for _ in range(work.generations):
        fitness, taken = score(neat_.ask())
        neat_.tell(fitness)
        steps += taken
    return Cost(time.perf_counter() - began, time.process_time() - used, steps)


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=list(WORK), default=list(WORK))
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    lines = [["task", "generations", "evo, s", "neat-python, s", "by the clock", "processor", "steps a second"]]
    for name in given.tasks:
        work, ours, theirs = WORK[name], [], []
        by_evo(work._replace(generations=2), 99)  # compiles
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(100, 100 + given.repeats):
                ours.append(by_evo(work, seed))
                theirs.append(by_neat_python(work, seed, Path(folder)))
        seconds = [float(np.median([one.processor for one in each])) for each in (ours, theirs)]
        pairs = list(zip(ours, theirs, strict=True))
        ratios = (
            [other.clock / one.clock for one, other in pairs],
            [other.processor / one.processor for one, other in pairs],
            [(one.steps / one.processor) / (other.steps / other.processor) for one, other in pairs],
        )
        cells = [f"{np.median(each):,.1f} ({min(each):,.1f} to {max(each):,.1f})" for each in ratios]
        lines.append([name, str(work.generations), f"{seconds[0]:.3f}", f"{seconds[1]:.2f}", *cells])
        print(table_text([lines[0], lines[-1]]), flush=True)
    print("\n" + table_text(lines))


if __name__ == "__main__":
    main()
