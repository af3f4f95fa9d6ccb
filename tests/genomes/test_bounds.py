"""A box around the parameters: the map into it, and the optima on and beyond its bounds."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms import AskTell
from evo.algorithms.restarts.bipop import BIPOP
from evo.algorithms.restarts.ipop import IPOP
from evo.algorithms.strategies.cem import CEM
from evo.algorithms.strategies.cma_es import CMAES
from evo.algorithms.strategies.lm_ma_es import LMMAES
from evo.algorithms.strategies.sep_cma_es import SepCMAES
from evo.algorithms.strategies.snes import SNES
from evo.algorithms.strategies.xnes import XNES
from evo.genomes.bounds import EVERYWHERE, Box
from evo.numerics.randomness import generator
from evo.problems.classic_functions import FUNCTIONS

Floats = NDArray[np.float64]
BOXES = [(-1.0, 1.0), (0.0, 5.0), (None, 2.0), (3.0, None), (100.0, 100.01), (-1e3, 1e3)]
BOUNDED: list[Any] = [CMAES, SepCMAES, LMMAES, SNES, XNES, CEM, IPOP, BIPOP]


def plain_map(x: float, low: float, high: float) -> float:
    """Identity, parabolas at the bounds, and mirrors where the parabolas end, one coordinate and one mirror a time."""
    al = min((high - low) / 2, max(1, abs(low)) / 20)
    au = min((high - low) / 2, max(1, abs(high)) / 20)
    while not low - al <= x <= high + au:
        x = 2 * (low - al) - x if x < low - al else 2 * (high + au) - x
    if x < low + al:
        return low + (x - (low - al)) ** 2 / (4 * al)
    if x > high - au:
        return high - (x - (high + au)) ** 2 / (4 * au)
    return x


@pytest.mark.parametrize(("low", "high"), BOXES)
def test_the_map_equals_its_plain_twin_and_has_an_inverse(low: float | None, high: float | None) -> None:
    ends = -math.inf if low is None else low, math.inf if high is None else high
    begin = low if low is not None else high
    assert begin is not None
    box, random = Box(low, high, np.array([begin])), generator(0, "points")
    size = 1.0 if math.inf in ends or -math.inf in ends else ends[1] - ends[0]
    points = begin + size * random.standard_normal((300, 2)) * random.choice([0.1, 1.0, 10.0], (300, 2))
    mapped = box.inside(points)
    expected = [[plain_map(x, *ends) for x in row] for row in points]
    np.testing.assert_allclose(mapped, expected, rtol=1e-11, atol=1e-11)
    assert ends[0] <= mapped.min() and mapped.max() <= ends[1]
    np.testing.assert_allclose(box.inside(box.outside(mapped)), mapped, rtol=1e-14, atol=1e-14)
    for bound in (low, high):
        if bound is not None:
            assert box.inside(box.outside(np.array([bound])))[0] == bound


def test_without_bounds_nothing_is_mapped() -> None:
    points = np.array([[1e300, -3.0]])
    assert EVERYWHERE.inside(points) is points


@pytest.mark.parametrize("strategy", BOUNDED)
@pytest.mark.parametrize(("low", "high"), [(0.5, 4.0), (0.0, None)], ids=["beyond the bound", "on the bound"])
def test_the_optimum_at_a_bound_is_found(strategy: Any, low: float, high: float | None) -> None:
    """The sphere's in the corner, from the middle; no individual is ever outside."""
    sphere, evaluations = FUNCTIONS["sphere"].values, 0
    least = sphere(np.full((1, 4), low))[0]
    algorithm: AskTell[Any] = strategy(np.full(4, 1.5), 0, low=low, high=high)
    value = math.inf
    while value - least >= 1e-8:
        population = algorithm.ask()
        rows = population.dense()
        out = np.empty(4)
        population.row(1, out)
        np.testing.assert_array_equal(out, rows[1])
        assert low <= rows.min() and rows.max() <= (high or math.inf)
        values = sphere(rows)
        value, evaluations = values.min(), evaluations + len(values)
        assert evaluations < 45_000
        algorithm.tell(-values)
    offered = algorithm.candidates()
    assert low <= offered.min()
    np.testing.assert_allclose(offered[0], low, atol=0.01)


def beyond(points: Floats) -> Floats:
    """An ellipsoid whose optimum is far beyond the bounds in four coordinates of six, between them in two."""
    values: Floats = np.sum(np.logspace(0, 6, 6) * np.square(points - np.linspace(-2, 2, 6)), axis=1)
    return values


@pytest.mark.parametrize("sigma", [0.2, 3.0], ids=["small steps", "steps beyond the box"])
@pytest.mark.parametrize("strategy", [CMAES, SepCMAES, SNES, XNES])
def test_an_optimum_beyond_some_bounds_is_found_however_far_steps_begin(strategy: Any, sigma: float) -> None:
    """Steps wider than the box would see its mirror images alone, and learn nothing."""
    least = beyond(np.clip(np.linspace(-2, 2, 6), -1, 1)[np.newaxis])[0]
    for seed in range(2):
        algorithm = strategy(np.zeros(6), seed, sigma=sigma, low=-1, high=1)
        value, evaluations = math.inf, 0
        while value - least >= 1e-8:
            assert algorithm.finished() is None
            values = beyond(algorithm.ask().dense())
            value, evaluations = values.min(), evaluations + len(values)
            algorithm.tell(-values)
        assert evaluations < 5_000


def test_restarts_begin_within_the_box() -> None:
    algorithm, beginnings = IPOP(np.full(3, 2.5), 0, low=2.0, high=3.0, spread=5.0, attempts=4), []
    while not algorithm.finished():
        if algorithm.attempt.strategy.generation == 0:
            beginnings.append(algorithm.attempt.strategy.candidates()[0])
        algorithm.tell(-FUNCTIONS["rastrigin"].values(algorithm.ask().dense()))
    assert len({beginning.tobytes() for beginning in beginnings}) == 4
    assert all((2 <= beginning).all() and (beginning <= 3).all() for beginning in beginnings)
    np.testing.assert_allclose(algorithm.candidates()[0], 2, atol=1e-4)  # the least of the box


@pytest.mark.parametrize("strategy", BOUNDED)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 2.0, "high": 1.0}, "low=2, high=1: low must be below high"),
        ({"low": 1.0, "high": 1.0}, "low=1, high=1: low must be below high"),
        (
            {"low": -1.0, "high": 0.5},
            "low=-1, high=0.5: must hold what the search begins with, but parameter 2 of initial is 0.75",
        ),
        ({"low": math.nan}, "low=nan: must be a finite number"),
        ({"high": "5"}, "high='5': must be a finite number"),
    ],
)
def test_bounds_that_cannot_be_get_one_line(strategy: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        strategy(np.array([0.0, 0.25, 0.75]), 0, **options)
    assert str(error.value) == message
