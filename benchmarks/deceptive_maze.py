"""Who finds the way through the deceptive mazes: novelty search, NEAT and a genetic algorithm on the distance.

    python -m benchmarks.deceptive_maze --hard --seeds 20

Lehman & Stanley 2011, "Abandoning Objectives", section 4: populations of 250, and NEAT with the numbers of the authors'
parameter file. Novelty search evolves the same graphs by the same NEAT, with novelty in place of its fitness; the
genetic algorithm evolves the weights of a fixed network. The start does not vary: an individual has one episode. A run
ends where the goal is reached. Every seed becomes a line of the results file and is not repeated.
"""

import argparse
import csv
import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import evo
from evo.algorithms import GA, NEAT, NoveltySearch
from evo.envs.task import Task
from evo.evaluation.workers import Threads
from evo.genomes.graph import direct_wiring
from evo.numerics.formatting import table_text
from evo.problems.control import Walking

_POPULATION, _REACHED = 250, 295.0
_ONCE = np.zeros(1, np.int64)  # the seed of the one episode: nothing in it is drawn
_SLOPE = 2.45  # tanh(2.45 x) = 2 / (1 + exp(-4.9 x)) - 1: NEAT's sigmoid, stretched to the actions' ±1
# the authors' file maze.ne, for what is not the paper on NEAT's
_NEAT: dict[str, Any] = {
    "power": 0.8,
    "mutated": 0.6,
    "add_node": 0.005,
    "add_link": 0.1,
    "tries": 40,
    "mutation_only": 0.3,
    "survival": 0.4,
    "weight_difference": 3.0,
    "threshold": 4.0,
    "threshold_step": 0.1,
    "species": 16,
}
METHODS = ("novelty", "neat", "ga")


class Row(NamedTuple):
    """What came of one seed: `evaluations` to the end of the last generation; `best` is the greatest return."""

    maze: str
    method: str
    seed: int
    solved: int
    evaluations: int
    best: float


def search(task: Task, method: str, seed: int) -> tuple[Any, str]:
    """Return an algorithm, and the network that it evolves."""
    wiring = dataclasses.replace(direct_wiring(10, 2, "tanh"), responses=np.full(2, _SLOPE))
    if method == "novelty":
        known = [(name, *task.ranges[name]) for name in task.measures]
        text = "neat:" + ",".join(f"{name}={value}" for name, value in _NEAT.items())
        options: dict[str, Any] = {"population_size": _POPULATION, "graph": text, "archive": "grid:30"}
        return NoveltySearch(wiring.row(), seed, measured=known, recurrent=True, **options), "graph:recurrent"
    if method == "neat":
        patient = {"patience": 2**62, "stagnation": 2**62}  # as novelty search's
        return NEAT(wiring.row(), seed, True, population_size=_POPULATION, **patient, **_NEAT), "graph:recurrent"
    size = evo.network("mlp:8", task).size
    return GA(np.zeros(size), seed, population_size=_POPULATION, mutate="gaussian:sigma=0.1"), "mlp:8"


def solve(hard: bool, method: str, seed: int, most: int) -> Row:
    """Search from one seed until the goal is reached, or for `most` evaluations."""
    task = evo.task("deceptive-maze", hard=hard, reset_noise_scale=0.0)
    algorithm, network = search(task, method, seed)
    problem = Walking(task, evo.network(network, task), Threads(1))
    evaluations, best = 0, -np.inf
    while evaluations < most and best <= _REACHED:
        novel = method == "novelty"
        found = problem.evaluate(algorithm.ask(), _ONCE, problem.no_statistics(), measured=novel)
        fitness = found.returns[:, 0]
        algorithm.tell(fitness, **({"measures": found.measures} if novel else {}))
        evaluations, best = evaluations + len(fitness), max(best, float(fitness.max()))
    return Row("hard" if hard else "medium", method, seed, int(best > _REACHED), evaluations, round(best, 2))


def read(path: Path) -> list[Row]:
    """Return the rows of a results file, none where there is none."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            Row(*line[:2], *(int(number) for number in line[2:5]), float(line[5]))  # type: ignore[call-arg]
            for line in list(csv.reader(file))[1:]
        ]


def table(rows: list[Row]) -> list[list[str]]:
    """Cells, a line for each maze and method; evaluations of the seeds that solved it."""
    lines = [["maze", "method", "solved", "evaluations", "SD", "best return of the others"]]
    for maze, method in dict.fromkeys(row[:2] for row in rows):
        mine = [row for row in rows if row[:2] == (maze, method)]
        spent = np.array([row.evaluations for row in mine if row.solved], np.float64)
        others = [row.best for row in mine if not row.solved]
        mean = f"{spent.mean():,.0f}" if len(spent) else "–"
        deviation = f"{spent.std(ddof=1):,.0f}" if len(spent) > 1 else "–"
        lines.append(
            [maze, method, f"{len(spent)} of {len(mine)}", mean, deviation, f"{max(others):.1f}" if others else "–"]
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("methods", nargs="*", default=METHODS, help=", ".join(METHODS))
    parser.add_argument("--hard", action="store_true", help="the paper's hard maze instead of the medium one")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=100, help="the first seed; those below 100 are for tuning")
    parser.add_argument("--most", type=int, default=250_000, help="evaluations of a seed at most; the paper's 250,000")
    parser.add_argument("--results", type=Path, default=Path("deceptive_maze.csv"))
    given = parser.parse_args()
    maze = "hard" if given.hard else "medium"
    known = {row[:3] for row in read(given.results)}
    for seed in range(given.first, given.first + given.seeds):
        for method in given.methods:
            if (maze, method, seed) in known:
                continue
            row = solve(given.hard, method, seed, given.most)
            with given.results.open("a", newline="") as file:
                writer = csv.writer(file)
                if not file.tell():
                    writer.writerow(Row._fields)
                writer.writerow(row)
            print(*row, sep="  ", flush=True)
    print("\n" + table_text(table(read(given.results))))


if __name__ == "__main__":
    main()
