"""evo's CMA-ES beside pycma's and cmaes's: evaluations to 1e-8, and what asking and telling costs.

    pip install 'evo-creatures[references]'
    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_pycma
    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_pycma --speed

All begin at the same points, drawn anew for every seed, with the same step-size, and otherwise as they come: their own
populations and stopping criteria. An evaluation counts whether its generation was told or not. Rastrigin's function is
for restarts: pycma's `fmin2` with `restarts` and `bipop`, cmaes's as its README writes them, from the same distribution
of starting points. What they need is given as the mean (COCO's expected runtime, where all get there): a median jumps
from one population to the next. Every finished run becomes a line of the results file, and is not repeated. `--speed`
alternates the three in one process, so that a busy machine slows all of them.
"""

import argparse
import contextlib
import json
import math
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cma
import cmaes
import numpy as np

import evo
from evo.algorithms.restarts.bipop import BIPOP
from evo.algorithms.restarts.ipop import IPOP
from evo.algorithms.strategies.cma_es import CMAES
from evo.numerics.formatting import table_text
from evo.numerics.randomness import generator
from evo.problems.classic_functions import FUNCTIONS

Floats = np.ndarray[Any, np.dtype[np.float64]]
TARGET = 1e-8  # above the least value
MOST = 2_000_000  # evaluations of a run with restarts; one without them gives up after 10,000 n
VERSIONS = {"evo": evo.__version__, "pycma": cma.__version__, "cmaes": cmaes.__version__}
# of the speed measurement: parameters → generations in a turn, in which evo decomposes its matrix at least once
GENERATIONS = {10: 200, 100: 60, 1_000: 40}
SLOW = 3  # generations in a turn of cmaes, which decomposes every time, at 1,000


class Case(NamedTuple):
    """What is to be minimised, (points, n) → (points,), with its least value, and where one begins: `spread` around
    `center`, uniformly, in every coordinate. `restarts`: of which kind, if any."""

    values: Callable[[Floats], Floats]
    least: float
    center: float
    spread: float
    sigma: float
    bounds: tuple[float, float] | None = None
    restarts: str = ""


def cases(size: int) -> dict[str, Case]:
    rotation, _ = np.linalg.qr(generator(0, "rotation", size).standard_normal((size, size)))
    optimum = np.linspace(-2, 2, size)  # half of it outside the box

    def named(name: str) -> Callable[[Floats], Floats]:
        return FUNCTIONS[name].values

    def rotated(name: str) -> Callable[[Floats], Floats]:
        return lambda points: FUNCTIONS[name].values(points @ rotation)

    def shifted(points: Floats) -> Floats:
        return FUNCTIONS["ellipsoid"].values(points - optimum)

    nearest = float(shifted(np.clip(optimum, -1, 1)[np.newaxis])[0])
    return {
        "sphere": Case(named("sphere"), 0, 0, 3, 1),
        "ellipsoid": Case(named("ellipsoid"), 0, 0, 3, 1),
        "rotated ellipsoid": Case(rotated("ellipsoid"), 0, 0, 3, 1),
        "bounded ellipsoid": Case(shifted, nearest, 0, 1, 0.5, bounds=(-1, 1)),
        "Rosenbrock": Case(named("rosenbrock"), 0, 0, 0.5, 0.1),
        "rotated Rosenbrock": Case(rotated("rosenbrock"), 0, 0, 0.5, 0.1),
        "Rastrigin, IPOP": Case(named("rastrigin"), 0, 0, 5, 2, restarts="ipop"),
        "Rastrigin, BIPOP": Case(named("rastrigin"), 0, 0, 5, 2, restarts="bipop"),
    }


class Over(Exception):  # noqa: N818
    """The target is reached, or all evaluations are spent."""


class Objective:
    """Counts evaluations, and ends a search by raising Over."""

    def __init__(self, case: Case, most: int) -> None:
        self.case, self.most, self.spent, self.reached = case, most, 0, False

    def __call__(self, points: Any) -> Floats:
        values = self.case.values(np.asarray(points))
        self.spent += len(values)
        self.reached = bool(values.min() < self.case.least + TARGET)
        if self.reached or self.spent >= self.most:
            raise Over
        return values


def beginnings(case: Case, size: int, seed: int) -> Iterator[Floats]:
    """Of the first attempt, and then of its restarts around it."""
    random = generator(seed, "start")
    start = case.center + random.uniform(-case.spread, case.spread, size)
    yield start
    while True:
        yield start + case.sigma * random.standard_normal(size)


def by_evo(case: Case, objective: Objective, starts: Iterator[Floats], seed: int) -> None:
    low, high = case.bounds or (None, None)
    begin, step = next(starts), case.sigma
    searches: dict[str, Callable[[], CMAES | IPOP | BIPOP]] = {
        "": lambda: CMAES(begin, seed, sigma=step, low=low, high=high),
        "ipop": lambda: IPOP(begin, seed, sigma=step, spread=step),
        "bipop": lambda: BIPOP(begin, seed, sigma=step, spread=step),
    }
    algorithm = searches[case.restarts]()
    while not algorithm.finished():
        algorithm.tell(-objective(algorithm.ask().dense()))


def by_pycma(case: Case, objective: Objective, starts: Iterator[Floats], seed: int) -> None:
    options = {"seed": seed + 1, "verbose": -9, "verb_log": 0, "bounds": case.bounds or [None, None]}
    if case.restarts:
        kind = {"restarts": 9, "bipop": case.restarts == "bipop"}

        def listed(points: Any) -> list[float]:
            return list(objective(points))

        cma.fmin2(None, lambda: next(starts), case.sigma, options, parallel_objective=listed, **kind)
        return
    strategy = cma.CMAEvolutionStrategy(next(starts), case.sigma, options)
    while not strategy.stop():
        points = strategy.ask()
        strategy.tell(points, list(objective(points)))


def by_cmaes(case: Case, objective: Objective, starts: Iterator[Floats], seed: int) -> None:
    begin = next(starts)
    bounds = None if case.bounds is None else np.tile(case.bounds, (len(begin), 1)).astype(float)
    population = None
    for attempt in range(10):
        search = cmaes.CMA(begin, case.sigma, bounds=bounds, seed=100 * seed + attempt, population_size=population)
        while not search.should_stop():
            points = [search.ask() for _ in range(search.population_size)]
            search.tell(list(zip(points, objective(points), strict=True)))
        if not case.restarts:
            return
        population, begin = 2 * search.population_size, next(starts)


SOLVERS: dict[str, Callable[[Case, Objective, Iterator[Floats], int], None]] = {
    "evo": by_evo,
    "pycma": by_pycma,
    "cmaes": by_cmaes,
}


def evaluations(who: str, case: Case, size: int, seed: int, most: int) -> float:
    """To the target; infinite where it was not reached."""
    objective = Objective(case, most)
    with contextlib.suppress(Over):
        SOLVERS[who](case, objective, beginnings(case, size, seed), seed)
    return objective.spent if objective.reached else math.inf


def measured(given: argparse.Namespace) -> None:
    done = {}
    if given.results.exists():
        for line in given.results.read_text().splitlines():
            *key, spent = json.loads(line)
            done[tuple(key)] = spent
    lines = [["function", "n", *VERSIONS, "evo / better", "95 %"]]
    for size in given.dimensions:
        for name, case in cases(size).items():
            if given.only and given.only not in name:
                continue
            found: dict[str, list[float]] = {}
            for who in VERSIONS:
                # It has no BIPOP, and its resampling takes minutes where many parameters are at their bounds.
                if who == "cmaes" and (case.restarts == "bipop" or (case.bounds and size > 10)):
                    continue
                for seed in range(100, 100 + given.seeds):
                    key = (who, VERSIONS[who], name, size, seed)
                    if key not in done:
                        done[key] = evaluations(who, case, size, seed, MOST if case.restarts else 10_000 * size)
                        with given.results.open("a") as file:
                            file.write(json.dumps([*key, done[key]]) + "\n")
                    found.setdefault(who, []).append(done[key])
            lines.append([name, str(size), *summary(found, np.mean if case.restarts else np.median)])
            print(table_text(lines[-1:]), flush=True)
    print("\n" + table_text(lines))


def summary(found: dict[str, list[float]], middle: Callable[[Any], Any]) -> list[str]:
    """Cells for VERSIONS, the ratio of evo's middle to the better one of the others, and its bootstrap interval.

    The interval is of all of them drawn anew.
    """
    cells = []
    for who in VERSIONS:
        if who not in found:
            cells.append("–")
            continue
        solved = sum(math.isfinite(one) for one in found[who])
        share = "" if solved == len(found[who]) else f" ({solved} of {len(found[who])})"
        cells.append(f"{middle(found[who]):,.0f}{share}")
    random = generator(0, "bootstrap")
    drawn = [
        ratio({who: list(random.choice(spent, len(spent))) for who, spent in found.items()}, middle)
        for _ in range(2_000)
    ]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return [*cells, f"{ratio(found, middle):.2f}", f"{low:.2f} to {high:.2f}"]


def ratio(found: dict[str, list[float]], middle: Callable[[Any], Any]) -> float:
    middles = {who: float(middle(spent)) for who, spent in found.items()}
    better = min(number for who, number in middles.items() if who != "evo")
    return middles["evo"] / better if math.isfinite(better) else math.nan


def asking_and_telling(who: str, size: int) -> Iterator[tuple[float, int]]:
    """Seconds spent in ask and tell, and individuals, a generation, on the ellipsoid."""
    values, clock = FUNCTIONS["ellipsoid"].values, time.perf_counter
    start, sigma = np.ones(size), 0.5
    ours = CMAES(start, 0, sigma=sigma)
    theirs = cma.CMAEvolutionStrategy(start, sigma, {"seed": 1, "verbose": -9})
    others = cmaes.CMA(start, sigma, seed=1)
    while True:
        began = clock()
        if who == "evo":
            points: Any = ours.ask().dense()
        elif who == "pycma":
            points = theirs.ask()
        else:
            points = [others.ask() for _ in range(others.population_size)]
        asked = clock() - began
        fitness = values(np.asarray(points))
        listed, pairs, negated = list(fitness), list(zip(points, fitness, strict=True)), -fitness
        began = clock()
        if who == "evo":
            ours.tell(negated)
        elif who == "pycma":
            theirs.tell(points, listed)
        else:
            others.tell(pairs)
        yield asked + clock() - began, len(points)


def speed(repeats: int) -> None:
    """Microseconds an evaluation: medians of turns, the three taking turns."""
    lines = [["n", *VERSIONS, "better / evo"]]
    for size, generations in GENERATIONS.items():
        searches = {who: asking_and_telling(who, size) for who in VERSIONS}
        turns: dict[str, list[float]] = {who: [] for who in VERSIONS}
        for turn in range(repeats + 1):
            for who, search in searches.items():
                count = SLOW if who == "cmaes" and size == 1_000 else generations
                seconds, individuals = np.sum([next(search) for _ in range(count)], axis=0)
                if turn:  # the first compiles and warms up
                    turns[who].append(1e6 * seconds / individuals)
        medians = {who: float(np.median(times)) for who, times in turns.items()}
        times_as_fast = min(medians["pycma"], medians["cmaes"]) / medians["evo"]
        lines.append([str(size), *(f"{median:,.1f}" for median in medians.values()), f"{times_as_fast:.2f}"])
        print(table_text(lines[-1:]), flush=True)
    print("\n" + table_text(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--seeds", type=int, default=21, help="from 100 up")
    parser.add_argument("--only", default="", help="functions whose name has this in it")
    parser.add_argument("--results", type=Path, default=Path("beside_pycma.jsonl"))
    parser.add_argument("--speed", action="store_true", help="measure ask and tell instead")
    parser.add_argument("--repeats", type=int, default=7, help="of the speed runs")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # theirs
    if given.speed:
        speed(given.repeats)
    else:
        measured(given)


if __name__ == "__main__":
    main()
