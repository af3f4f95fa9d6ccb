"""Median evaluations that pycma and cmaes need, written to tests/fixtures/strategies.json for test_strategies.py.

python tests/make_pycma_fixtures.py          # needs: pip install cma cmaes
"""

import json
import math
import statistics
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from evo.functions import FUNCTIONS

PATH = Path(__file__).parent / "fixtures" / "strategies.json"
TARGET, SEEDS, MOST = 1e-8, 21, 300_000
# function, dimensions → where to begin, in every coordinate, and with what step-size
CASES = {
    (name, size): (0.0, 0.1) if name == "rosenbrock" else (1.0, 0.5)
    for name in ("sphere", "ellipsoid", "rosenbrock", "cigar")
    for size in (5, 10, 20)
}


def evaluations(ask: Callable[[], Any], tell: Callable[[Any, Any], None], name: str) -> float:
    """Until the target is reached; infinite where it is not."""
    spent = 0
    while spent < MOST:
        points = ask()
        values = FUNCTIONS[name].values(np.array(points))
        spent += len(points)
        if values.min() < TARGET:
            return spent
        tell(points, values)
    return math.inf


def pycma(name: str, size: int, start: float, step_size: float, seed: int) -> float:
    import cma

    options = {"seed": seed + 1, "verbose": -9}
    strategy = cma.CMAEvolutionStrategy([start] * size, step_size, options)
    return evaluations(strategy.ask, lambda points, values: strategy.tell(points, list(values)), name)


def cmaes(name: str, size: int, start: float, step_size: float, seed: int) -> float:
    import cmaes

    strategy = cmaes.CMA(mean=np.full(size, start), sigma=step_size, seed=seed)

    def ask() -> list[Any]:
        return [strategy.ask() for _ in range(strategy.population_size)]

    return evaluations(ask, lambda points, values: strategy.tell(list(zip(points, values, strict=True))), name)


def main() -> None:
    warnings.simplefilter("ignore")
    medians = {}
    for (name, size), begin in CASES.items():
        medians[f"{name}/{size}"] = {
            solver.__name__: statistics.median(solver(name, size, *begin, seed) for seed in range(SEEDS))
            for solver in (pycma, cmaes)
        }
    PATH.write_text(json.dumps(medians, indent=1) + "\n")


if __name__ == "__main__":
    main()
