"""Functions of several objectives: published values and fronts, and what lies outside their domain."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

import evo
from evo.algorithms.multi_objective.dominance import rank_fronts
from evo.algorithms.multi_objective.hypervolume import hypervolume
from evo.problems.named_functions import find_landscape
from evo.problems.objective_functions import OBJECTIVE_FUNCTIONS, ObjectiveLandscape

Floats = NDArray[np.float64]


def landscape(name: str, **options: int) -> ObjectiveLandscape:
    made = find_landscape(name)(**options)
    assert isinstance(made, ObjectiveLandscape)
    return made


def judge(problem: ObjectiveLandscape, points: Floats) -> Floats:
    fitness, measures, objectives = problem.judge(np.atleast_2d(points), np.zeros(1, np.int64))
    np.testing.assert_allclose(fitness[:, 0], objectives.mean(axis=1), rtol=1e-14)
    assert measures.shape == (len(objectives), 0)
    return objectives


def plain(name: str, x: list[float], k: int) -> list[float]:
    """The formulae as they are printed."""
    n, tail = len(x), x[1:]
    mean = sum(tail) / (n - 1)
    match name:
        case "zdt1" | "zdt2" | "zdt3":
            f, g = x[0], 1 + 9 * mean
        case "zdt4":
            f, g = x[0], 1 + 10 * (n - 1) + sum(xi**2 - 10 * math.cos(4 * math.pi * xi) for xi in tail)
        case "zdt6":
            f, g = 1 - math.exp(-4 * x[0]) * math.sin(6 * math.pi * x[0]) ** 6, 1 + 9 * mean**0.25
    match name:
        case "zdt1" | "zdt4":
            return [f, g * (1 - math.sqrt(f / g))]
        case "zdt2" | "zdt6":
            return [f, g * (1 - (f / g) ** 2)]
        case "zdt3":
            return [f, g * (1 - math.sqrt(f / g) - f / g * math.sin(10 * math.pi * f))]
    rest = x[k - 1 :]
    if name == "dtlz1":
        g = 100 * (len(rest) + sum((xi - 0.5) ** 2 - math.cos(20 * math.pi * (xi - 0.5)) for xi in rest))
        ahead, aside, scale = x[: k - 1], [1 - xi for xi in x[: k - 1]], 0.5
    else:
        g = sum((xi - 0.5) ** 2 for xi in rest)
        angles = [xi * math.pi / 2 for xi in x[: k - 1]]
        ahead, aside, scale = [math.cos(a) for a in angles], [math.sin(a) for a in angles], 1.0
    values = []
    for m in range(k):
        value = scale * (1 + g) * math.prod(ahead[: k - 1 - m])
        values.append(value * (aside[k - 1 - m] if m else 1))
    return values


CASES = [(name, 2) for name in OBJECTIVE_FUNCTIONS if name.startswith("zdt")]
CASES += [(name, k) for name in ("dtlz1", "dtlz2") for k in (2, 3, 5)]


@pytest.mark.parametrize(("name", "k"), CASES)
def test_values_are_those_of_the_papers(name: str, k: int) -> None:
    problem = landscape(name) if k == 2 and name.startswith("zdt") else landscape(name, objectives=k)
    low, high = problem.describe(np.zeros(problem.size), 0)["domain"]
    points = np.random.default_rng(0).uniform(low, high, (20, problem.size))
    expected = [plain(name, point.tolist(), k) for point in points]
    np.testing.assert_allclose(judge(problem, points), -np.array(expected), rtol=1e-12)


# Above (1.1, 1.1): by integrals of the published fronts. ZDT3's ends of its five parts are those of its paper's curve.
VOLUMES = {
    "zdt1": 1.21 - 1 / 3,
    "zdt2": 1.21 - 2 / 3,
    "zdt4": 1.21 - 1 / 3,
    "zdt6": 1.1 * (1.1 - 0.2807753191) - (1 - 0.2807753191) + (1 - 0.2807753191**3) / 3,
    "dtlz2": 1.331 - math.pi / 6,
    "dtlz1": 0.55**3 - 0.5**3 / 6,
}


@pytest.mark.parametrize("name", VOLUMES)
def test_fronts_have_the_volume_that_integrals_give(name: str) -> None:
    problem = landscape(name)
    reference = np.array([worst for _, worst in problem.describe(np.zeros(problem.size), 0)["known_objectives"]])
    front = problem.front(20_000)
    volume = hypervolume(front, reference)
    assert volume < VOLUMES[name] + 1e-9
    assert volume == pytest.approx(VOLUMES[name], rel=0.02 if name.startswith("dtlz") else 1e-3)
    assert (rank_fronts(front[:: len(front) // 500]) == 0).all()


def test_the_front_of_zdt3_has_its_five_parts() -> None:
    f1 = -landscape("zdt3").front(100_000)[:, 0]
    breaks = np.flatnonzero(np.diff(f1) > 1e-3)
    ends = np.stack([f1[np.r_[0, breaks + 1]], f1[np.r_[breaks, len(f1) - 1]]], axis=1)
    published = [
        [0, 0.0830015349],
        [0.1822287280, 0.2577623634],
        [0.4093136748, 0.4538821041],
        [0.6183967944, 0.6525117038],
        [0.8233317983, 0.8518328654],
    ]
    np.testing.assert_allclose(ends, published, atol=2e-5)


@pytest.mark.parametrize("name", OBJECTIVE_FUNCTIONS)
def test_points_of_the_front_are_reached_and_no_point_is_beyond(name: str) -> None:
    problem = landscape(name)
    low, high = problem.describe(np.zeros(problem.size), 0)["domain"]
    best = np.full((9, problem.size), 0.5 if name.startswith("dtlz") else 0.0)
    best[:, 0] = np.linspace(0, 1, 9)
    found = judge(problem, best)
    if name == "dtlz1":
        np.testing.assert_allclose(found.sum(axis=1), -0.5, rtol=1e-12)
    elif name == "dtlz2":
        np.testing.assert_allclose(np.square(found).sum(axis=1), 1, rtol=1e-12)
    elif name == "zdt3":
        shown = -found[:, 0]
        np.testing.assert_allclose(-found[:, 1], 1 - np.sqrt(shown) - shown * np.sin(10 * np.pi * shown), atol=1e-12)
    else:
        shown = -found[:, 0]
        curve = 1 - np.sqrt(shown) if name in ("zdt1", "zdt4") else 1 - np.square(shown)
        np.testing.assert_allclose(-found[:, 1], curve, atol=1e-12)
    drawn = judge(problem, np.random.default_rng(1).uniform(low, high, (200, problem.size)))
    front = problem.front(300)
    assert (rank_fronts(np.concatenate([front, drawn]))[len(front) :] > 0).all()


@pytest.mark.parametrize("name", OBJECTIVE_FUNCTIONS)
def test_outside_its_domain_a_point_is_a_little_worse_than_the_nearest_inside(name: str) -> None:
    problem = landscape(name)
    low, high = problem.describe(np.zeros(problem.size), 0)["domain"]
    inside = np.where(np.arange(problem.size) % 2, low, high)
    outside = np.where(np.arange(problem.size) % 2, low - 2, high)
    distance = 4.0 * (problem.size // 2)
    np.testing.assert_allclose(judge(problem, inside) - judge(problem, outside), 1e-6 * distance, rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("zdt1", {"dim": 1}, "dim=1: must be at least 2"),
        ("dtlz2", {"objectives": 1}, "objectives=1: must be"),
        ("dtlz2", {"dim": 4, "objectives": 5}, "dim=4: must be at least 5"),
    ],
)
def test_what_is_no_such_function_is_told_in_one_line(name: str, options: dict[str, int], said: str) -> None:
    with pytest.raises(evo.EvoError, match=said) as error:
        evo.task(name, **options)
    assert "\n" not in str(error.value)
