"""evo's sep-CMA-ES, SNES, xNES and PGPE beside evosax's (and cmaes's sep-CMA-ES): how many evaluations they need.

    pip install 'evo-creatures[references]' evosax
    JAX_ENABLE_X64=1 OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_evosax

All begin at the same points, drawn anew for every seed, with the same deviation and the same population, 4 + 3 ln n.
The first table: median evaluations to 1e-8. PGPE's steps are of a size that is chosen, so it never comes to rest; the
second table: how far above the optimum the mean is after so many evaluations, with the same hyper-parameters.
(evosax's xNES multiplies its matrix by the exponential of each element, where the paper, as evo, takes the exponential
of the matrix; on functions without rotation that is another algorithm by the same name.)
"""

import argparse
import functools
import math
from collections.abc import Callable
from typing import Any

import cmaes
import evosax.algorithms
import jax
import jax.numpy as jnp
import numpy as np
from evosax.core.optimizer import clipup

from evo.algorithms.strategies.cma_parameters import default_population_size
from evo.algorithms.strategies.pgpe import PGPE
from evo.algorithms.strategies.sep_cma_es import SepCMAES
from evo.algorithms.strategies.snes import SNES
from evo.algorithms.strategies.xnes import XNES
from evo.numerics.formatting import table_text
from evo.numerics.randomness import generator
from evo.problems.classic_functions import FUNCTIONS

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ask, Tell = Callable[[], Floats], Callable[[Floats, Floats], None]
TARGET, DEVIATION = 1e-8, 1.0
OURS: dict[str, type[Any]] = {"sep-CMA-ES": SepCMAES, "SNES": SNES, "xNES": XNES}
THEIRS = {"sep-CMA-ES": "Sep_CMA_ES", "SNES": "SNES", "xNES": "xNES"}
# what both PGPEs are given, and the evaluations after which they are looked at
PAIRS, LEARNING_RATE, SIGMA, LOOKED_AT = 32, 0.05, 0.1, (10_000, 30_000)


def start_of(size: int, seed: int) -> Floats:
    return generator(seed, "start").uniform(-3, 3, size)


def by_evo(algorithm: Any) -> tuple[Ask, Tell]:
    return (lambda: algorithm.ask().dense()), (lambda points, values: algorithm.tell(-values))


@functools.cache
def compiled(algorithm: Any) -> tuple[Any, Any]:
    return jax.jit(algorithm.ask), jax.jit(algorithm.tell)


def by_evosax(algorithm: Any, start: Floats, deviation: float, seed: int) -> tuple[Ask, Tell]:
    key = jax.random.key(seed)
    params = algorithm.default_params.replace(std_init=jnp.asarray(deviation))
    state = algorithm.init(key, jnp.asarray(start), params)
    asked, told = compiled(algorithm)

    def ask() -> Floats:
        nonlocal key, state
        key, drawn = jax.random.split(key)
        points, state = asked(drawn, state, params)
        return np.asarray(points)

    def tell(points: Floats, values: Floats) -> None:
        nonlocal state
        state, _ = told(key, jnp.asarray(points), jnp.asarray(values), state, params)

    return ask, tell


def by_cmaes(start: Floats, seed: int) -> tuple[Ask, Tell]:
    search = cmaes.SepCMA(start, DEVIATION, seed=seed)
    return (
        lambda: np.array([search.ask() for _ in range(search.population_size)]),
        lambda points, values: search.tell(list(zip(points, values, strict=True))),
    )


def evaluations(ask: Ask, tell: Tell, name: str, most: int) -> float:
    """To the target; infinite where it was not reached."""
    spent = 0
    while spent < most:
        points = ask()
        values = FUNCTIONS[name].values(points)
        spent += len(points)
        if values.min() < TARGET:
            return spent
        tell(points, values)
    return math.inf


def strategies(dimensions: list[int], seeds: range) -> None:
    lines = [["strategy, function", "n", "evo", "evosax", "cmaes"]]
    for method, ours in OURS.items():
        for name in ("sphere", "ellipsoid", "rosenbrock"):
            for size in dimensions:
                if method != "xNES" and name == "rosenbrock":
                    continue  # no diagonal follows its valley
                population = default_population_size(size)
                theirs = getattr(evosax.algorithms, THEIRS[method])(population, jnp.zeros(size))
                kinds: dict[str, Callable[[Floats, int], tuple[Ask, Tell]]] = {
                    "evo": lambda start, seed, ours=ours: by_evo(ours(start, seed, sigma=DEVIATION)),
                    "evosax": lambda start, seed, theirs=theirs: by_evosax(theirs, start, DEVIATION, seed),
                }
                if method == "sep-CMA-ES":
                    kinds["cmaes"] = by_cmaes
                cells = [f"{method}, {name}", str(size)]
                for kind in kinds.values():
                    needed = [evaluations(*kind(start_of(size, seed), seed), name, 20_000 * size) for seed in seeds]
                    solved = sum(map(math.isfinite, needed))
                    share = "" if solved == len(needed) else f" ({solved} of {len(needed)})"
                    cells.append(f"{np.median(needed):,.0f}{share}")
                lines.append([*cells, "–"][:5])
                print(table_text(lines[-1:]), flush=True)
    print("\n" + table_text(lines) + "\n")


def pgpe(dimensions: list[int], seeds: range) -> None:
    lines = [["PGPE, function", "n", "evaluations", "evo", "evosax"]]
    for name in ("sphere", "rosenbrock"):
        for size in dimensions:
            optimizer = clipup(learning_rate=LEARNING_RATE, max_velocity=2 * LEARNING_RATE)
            theirs = evosax.algorithms.PGPE(2 * PAIRS, jnp.zeros(size), optimizer=optimizer)
            above: dict[str, list[list[float]]] = {"evo": [], "evosax": []}
            for seed in seeds:
                start = start_of(size, seed)
                ours = PGPE(start, seed, learning_rate=LEARNING_RATE, sigma=SIGMA, pairs=PAIRS)
                runs = {"evo": by_evo(ours), "evosax": by_evosax(theirs, start, SIGMA, seed)}
                for who, (ask, tell) in runs.items():
                    above[who].append(list(map(functools.partial(after, ask, tell, name), np.diff([0, *LOOKED_AT]))))
            for place, spent in enumerate(LOOKED_AT):
                medians = [f"{np.median(np.array(values)[:, place]):.2g}" for values in above.values()]
                lines.append([f"PGPE, {name}", str(size), f"{spent:,}", *medians])
    print(table_text(lines))


def after(ask: Ask, tell: Tell, name: str, spent: int) -> float:
    """The value in the middle of the population, so many evaluations later."""
    for _ in range(spent // (2 * PAIRS)):
        points = ask()
        tell(points, FUNCTIONS[name].values(points))
    middle = np.mean(ask(), axis=0)  # of mirrored pairs: the mean of the distribution
    return float(FUNCTIONS[name].values(middle[np.newaxis])[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimensions", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--seeds", type=int, default=21, help="from 100 up")
    given = parser.parse_args()
    seeds = range(100, 100 + given.seeds)
    strategies(given.dimensions, seeds)
    pgpe(given.dimensions, seeds)


if __name__ == "__main__":
    main()
