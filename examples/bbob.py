"""BIPOP-CMA-ES on the BBOB suite beside pycma's: the share of function-target pairs solved.

    pip install 'evo-creatures[references,bbob]'
    OMP_NUM_THREADS=1 taskset -c 1 python -m examples.bbob

24 functions, instances 1 to 5, in 5 and 20 dimensions; 51 targets, from 100 to 1e-8 above the best value on a
logarithmic scale, as in Hansen, Auger, Brockhoff, Tušar & Tušar 2016, "COCO: Performance Assessment". Both begin at the
same point of [-4, 4]^n with step-size 2, and restart, as BIPOP says, in its own way until the evaluations are spent.
Every finished run becomes a line of the results file, and is not repeated.
"""

import argparse
import contextlib
import json
import math
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cma
import numpy as np

import evo
from evo.algorithms.restarts.bipop import BIPOP
from evo.config.build import build_problem
from evo.evaluation.workers import Threads
from evo.numerics.formatting import table_text
from evo.numerics.randomness import generator
from evo.problems.function import Landscape

Floats = np.ndarray[Any, np.dtype[np.float64]]
TARGETS = np.logspace(2, -8, 51)
VERSIONS = {"evo": evo.__version__, "pycma": cma.__version__}
BUDGETS = (10, 100, 1_000, 10_000)  # evaluations a dimension that the table looks at
REACH, SIGMA, RESTARTS = 4.0, 2.0, 9
NO_SEEDS = np.zeros(1, np.int64)


class Spent(Exception):  # noqa: N818
    """All evaluations are spent, or the last target is reached."""


class Watched:
    """How many evaluations each target took; ends a search by raising Spent."""

    def __init__(self, problem: Landscape, most: int) -> None:
        self.problem, self.most, self.spent, self.least = problem, most, 0, math.inf
        self.taken = np.full(len(TARGETS), math.inf)

    def __call__(self, points: Any) -> Floats:
        values = -self.problem.heights(np.atleast_2d(points), NO_SEEDS)[:, 0]
        for value in values:
            self.spent += 1
            if value < self.least:
                self.least = float(value)
                self.taken[(TARGETS >= value) & np.isinf(self.taken)] = self.spent
        if self.least <= TARGETS[-1] or self.spent >= self.most:
            raise Spent
        return values


def starts(size: int, seed: int) -> Iterator[Floats]:
    random = generator(seed, "start")
    while True:
        yield random.uniform(-REACH, REACH, size)


def by_evo(watched: Watched, begin: Iterator[Floats], seed: int) -> None:
    algorithm = BIPOP(next(begin), seed, sigma=SIGMA, attempts=RESTARTS, spread=SIGMA)
    while not algorithm.finished():
        algorithm.tell(-watched(algorithm.ask().dense()))


def by_pycma(watched: Watched, begin: Iterator[Floats], seed: int) -> None:
    def listed(points: Any) -> list[float]:
        return list(watched(points))

    options = {"seed": seed + 1, "verbose": -9, "verb_log": 0}
    first = lambda: next(begin)  # noqa: E731 - pycma asks for the start of every restart
    cma.fmin2(None, first, SIGMA, options, parallel_objective=listed, restarts=RESTARTS, bipop=True)


SOLVERS: dict[str, Callable[[Watched, Iterator[Floats], int], None]] = {"evo": by_evo, "pycma": by_pycma}


def taken(who: str, number: int, size: int, instance: int, most: int) -> list[float]:
    """Evaluations to each of TARGETS; infinite where it was not reached."""
    problem = build_problem(f"bbob-f{number}", {"dim": size, "instance": instance}, "", False, Threads(1))
    assert isinstance(problem, Landscape)
    watched = Watched(problem, most)
    with contextlib.suppress(Spent):
        SOLVERS[who](watched, starts(size, instance), 100 + instance)
    return [float(count) for count in watched.taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[5, 20])
    parser.add_argument("--functions", type=int, nargs="+", default=list(range(1, 25)))
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--evaluations", type=int, default=1_000, help="a dimension")
    parser.add_argument("--results", type=Path, default=Path("bbob.jsonl"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # pycma's
    lines = given.results.read_text().splitlines() if given.results.exists() else []
    done = {tuple(key): counts for key, counts in map(json.loads, lines)}
    table = [["n", "", *(f"{budget:,} n" for budget in BUDGETS if budget <= given.evaluations)]]
    for size in given.dimensions:
        for who, version in VERSIONS.items():
            counts = []
            for number in given.functions:
                for instance in given.instances:
                    key = (who, version, number, size, instance, given.evaluations)
                    if key not in done:
                        done[key] = taken(who, number, size, instance, given.evaluations * size)
                        with given.results.open("a") as file:
                            file.write(json.dumps([key, done[key]]) + "\n")
                    counts.append(done[key])
            solved = [float(np.mean(np.array(counts) <= budget * size)) for budget in BUDGETS]
            shown = [
                f"{share:.3f}" for budget, share in zip(BUDGETS, solved, strict=True) if budget <= given.evaluations
            ]
            table.append([str(size), who, *shown])
            print(table_text(table[-1:]), flush=True)
    print("\n" + table_text(table))


if __name__ == "__main__":
    main()
