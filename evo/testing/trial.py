"""Trial: a small run of an algorithm on a known function."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.algorithms.algorithm import Algorithm
from evo.testing.expectation import expect

Floats = NDArray[np.float64]
Make = Callable[..., Algorithm]
"""An algorithm's class, or any other callable X(initial, seed, **options)."""

START: Floats = np.ones(5)


def sphere(rows: Floats) -> Floats:
    """Return the fitness (individuals,) of rows (individuals, parameters): 0 at the origin, less everywhere else."""
    return -np.sum(np.square(rows), axis=1)


def advance(algorithm: Algorithm, generations: int, fitness: Callable[[Floats], Floats] = sphere) -> None:
    """Run `generations` rounds of ask and tell."""
    for _ in range(generations):
        rows = algorithm.ask().dense()
        tell(algorithm, rows, fitness(rows))


def tell(algorithm: Algorithm, rows: Floats, fitness: Floats) -> None:
    """Tell the fitness of rows (individuals, parameters), and where it uses them, measures and objectives.

    The measures are the first two parameters. The objectives are to be near (-0.1, …) and (0.1, …), so that the best of
    all compromises is the origin.
    """
    told = {
        "measures": rows[:, :2],
        "objectives": np.stack([sphere(rows + 0.1), sphere(rows - 0.1)], axis=1),
    }
    algorithm.tell(fitness, **{name: told[name] for name in getattr(algorithm, "uses", ())})


def snapshot(algorithm: Algorithm) -> dict[str, NDArray[Any]]:
    """Return copies of all that an algorithm shows, by name."""
    return {
        **{f"state {name!r}": np.array(array) for name, array in algorithm.state().items()},
        **{f"diagnostic {name!r}": np.array(value) for name, value in algorithm.diagnostics().items()},
        "generation": np.array(algorithm.generation),
        "candidates()": np.array(algorithm.candidates()),
        "finished()": np.array(str(algorithm.finished())),
    }


def expect_same(one: dict[str, NDArray[Any]], other: dict[str, NDArray[Any]], words: str) -> None:
    """Raise AssertionError with `words` and the first of two `snapshot` results that is not equal to the bit."""
    for name in dict.fromkeys([*one, *other]):
        expect(name in one and name in other and _equal(one[name], other[name]), f"{words}: {name} differs")


def _equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
