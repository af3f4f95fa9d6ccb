"""Parent selection: what holds for every fitness, and the statistics against exact probabilities."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evo.envs.reference import resolve
from evo.numerics.randomness import generator
from evo.operators import SELECTION
from evo.operators.selection import (
    best,
    boltzmann_selection,
    rank_selection,
    roulette_selection,
    stochastic_universal_sampling,
    tournament_selection,
    truncation_selection,
    windowed_fitness,
)

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

DRAWS = 30_000

finite = st.floats(-1e100, 1e100)
few_values = st.integers(-3, 3).map(float)  # many ties
fitnesses = st.integers(1, 30).flatmap(lambda n: arrays(np.float64, n, elements=finite | few_values))
seeds = st.integers(0, 2**64)
counts = st.integers(0, 40)

every_selection = pytest.mark.parametrize("name", SELECTION)


def select(name: str, random: np.random.Generator, fitness: Floats, count: int) -> Indices:
    """The table's selection, with defaults that suit any fitness; of cases it gets the fitness and its opposite."""
    function = resolve(SELECTION[name])
    if "lexicase" in name:
        fitness = np.stack([fitness, -fitness], axis=1) if fitness.ndim == 1 else fitness
    options = {"truncation": max(1, len(fitness) // 2)} if name == "truncation" else {}
    result: Indices = function(random, fitness, count, **options)
    return result


def assert_drawn_with(probabilities: Floats, drawn: Indices) -> None:
    """Those of probability 0 never; of the others, the chi-square test would fail one true selection in a billion."""
    counts = np.bincount(drawn, minlength=len(probabilities))
    possible = probabilities > 0
    assert counts[~possible].sum() == 0
    expected = probabilities[possible] * len(drawn)
    if len(expected) > 1:
        assert scipy.stats.chisquare(counts[possible], expected, sum_check=False).pvalue > 1e-9
    np.testing.assert_allclose(probabilities.sum(), 1, rtol=1e-12)


# All of them


@every_selection
@given(fitness=fitnesses, seed=seeds, count=counts)
def test_selected_are_as_many_indices_as_asked_for(name: str, fitness: Floats, seed: int, count: int) -> None:
    before = fitness.copy()
    parents = select(name, generator(seed, "selection"), fitness, count)
    assert parents.shape == (count,)
    assert parents.dtype == np.intp
    assert ((parents >= 0) & (parents < len(fitness))).all()
    np.testing.assert_array_equal(fitness, before)
    np.testing.assert_array_equal(select(name, generator(seed, "selection"), fitness, count), parents)


@every_selection
def test_another_generator_selects_others(name: str) -> None:
    fitness = np.arange(20.0)
    assert len({tuple(select(name, generator(seed, "selection"), fitness, 20)) for seed in range(5)}) > 1


@every_selection
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_fitness_that_is_not_finite_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        select(name, generator(0, "selection"), np.array([1.0, value, 2.0]), 3)


@every_selection
def test_nobody_cannot_be_selected(name: str) -> None:
    with pytest.raises(ValueError, match=r"at least one|one at least"):
        select(name, generator(0, "selection"), np.empty((0, 2) if "lexicase" in name else 0), 3)


@pytest.mark.parametrize("name", ["uniform", "truncation", "tournament", "rank", "lexicase"])
@given(fitness=st.lists(st.integers(-1000, 1000), min_size=1, max_size=20), seed=seeds)
def test_only_the_order_of_fitness_matters_to_ranks(name: str, fitness: list[int], seed: int) -> None:
    values = np.array(fitness, dtype=np.float64)
    parents = select(name, generator(seed, "selection"), values, 30)
    cubes = values**3 + 7  # strictly increasing, and exact
    np.testing.assert_array_equal(select(name, generator(seed, "selection"), cubes, 30), parents)


@pytest.mark.parametrize("name", ["roulette", "sus", "boltzmann"])
@given(fitness=st.lists(st.integers(-1000, 1000), min_size=1, max_size=20), seed=seeds)
def test_a_constant_added_to_the_fitness_does_not_matter(name: str, fitness: list[int], seed: int) -> None:
    values = np.array(fitness, dtype=np.float64)
    parents = select(name, generator(seed, "selection"), values, 30)
    np.testing.assert_array_equal(select(name, generator(seed, "selection"), values - 5000, 30), parents)


@pytest.mark.parametrize(
    ("selection", "options", "message"),
    [
        (truncation_selection, {"truncation": 0}, r"truncation=0: must be a whole number in \[1, 3\]"),
        (truncation_selection, {"truncation": 4}, r"truncation=4: must be a whole number in \[1, 3\]"),
        (tournament_selection, {"size": 0}, "size=0: must be a whole number >= 1"),
        (tournament_selection, {"size": 2.0}, "size=2.0: must be a whole number >= 1"),
        (rank_selection, {"pressure": 0.9}, r"pressure=0.9: must be a number in \[1, 2\]"),
        (rank_selection, {"pressure": 2.1}, r"pressure=2.1: must be a number in \[1, 2\]"),
        (boltzmann_selection, {"temperature": 0}, "temperature=0: must be a finite number > 0"),
        (boltzmann_selection, {"temperature": np.nan}, "temperature=nan: must be a finite number > 0"),
    ],
)
def test_options_out_of_range_are_refused(
    selection: Callable[..., Indices], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        selection(generator(0, "selection"), np.array([1.0, 2.0, 3.0]), 5, **options)


# Best, uniform and truncation


@given(fitnesses, st.data())
def test_best_are_the_fittest_best_first_and_ties_by_index(fitness: Floats, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, len(fitness)))
    twin = sorted(range(len(fitness)), key=lambda individual: (-fitness[individual], individual))
    assert best(fitness, count).tolist() == twin[:count]


@given(fitnesses, seeds, st.data())
def test_truncation_draws_from_the_fittest(fitness: Floats, seed: int, data: st.DataObject) -> None:
    truncation = data.draw(st.integers(1, len(fitness)))
    parents = truncation_selection(generator(seed, "selection"), fitness, 40, truncation=truncation)
    assert set(parents.tolist()) <= set(best(fitness, truncation).tolist())


@pytest.mark.parametrize(
    ("name", "probabilities"), [("uniform", [0.2, 0.2, 0.2, 0.2, 0.2]), ("truncation", [0.5, 0, 0.5, 0, 0])]
)
def test_uniform_and_truncation_draw_evenly(name: str, probabilities: list[float]) -> None:
    fitness = np.array([5.0, 1.0, 4.0, 3.0, 2.0])
    assert_drawn_with(np.array(probabilities), select(name, generator(0, "selection"), fitness, DRAWS))


# Tournaments


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_tournaments_are_won_with_their_exact_probabilities(size: int) -> None:
    fitness = np.array([5.0, 1.0, 4.0, 3.0, 2.0])
    fitter = np.array([0, 4, 1, 2, 3])  # how many are fitter
    probabilities = ((5 - fitter) ** size - (4 - fitter) ** size) / 5**size
    assert_drawn_with(probabilities, tournament_selection(generator(0, "selection"), fitness, DRAWS, size=size))


@given(seeds, st.integers(1, 5))
def test_of_equal_contestants_the_first_drawn_wins(seed: int, size: int) -> None:
    contestants = generator(seed, "selection").integers(6, size=(20, size))
    winners = tournament_selection(generator(seed, "selection"), np.zeros(6), 20, size=size)
    np.testing.assert_array_equal(winners, contestants[:, 0])


# Roulette and stochastic universal sampling


@pytest.mark.parametrize("selection", [roulette_selection, stochastic_universal_sampling])
def test_proportionate_selection_is_in_proportion_to_the_windowed_fitness(
    selection: Callable[..., Indices],
) -> None:
    fitness = np.array([-7.0, -10.0, -9.0, -4.0])
    assert_drawn_with(np.array([0.3, 0, 0.1, 0.6]), selection(generator(0, "selection"), fitness, DRAWS))
    assert_drawn_with(np.full(3, 1 / 3), selection(generator(0, "selection"), np.full(3, -2.5), DRAWS))


@pytest.mark.parametrize("selection", [roulette_selection, stochastic_universal_sampling])
@given(fitnesses, seeds)
def test_the_least_fit_is_never_selected_by_proportion(
    selection: Callable[..., Indices], fitness: Floats, seed: int
) -> None:
    parents = selection(generator(seed, "selection"), fitness, 40)
    if fitness.min() < fitness.max():
        assert (fitness[parents] > fitness.min()).all()


@given(fitnesses, seeds, st.integers(1, 40))
def test_universal_sampling_gives_everyone_their_share_within_one(fitness: Floats, seed: int, count: int) -> None:
    parents = stochastic_universal_sampling(generator(seed, "selection"), fitness, count)
    weights = windowed_fitness(fitness) / windowed_fitness(fitness).max()
    share = count * weights / weights.sum()
    # Rounded down or up; a share that is whole but for rounding may go either way.
    times = np.bincount(parents, minlength=len(fitness))
    assert (np.floor(share - 1e-9) <= times).all()
    assert (times <= np.ceil(share + 1e-9)).all()


def test_universal_sampling_comes_in_random_order() -> None:
    orders = [
        stochastic_universal_sampling(generator(seed, "selection"), np.zeros(3), 3).tolist() for seed in range(3000)
    ]
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    permutations = [list(order) for order in itertools.permutations(range(3))]
    assert_drawn_with(np.full(6, 1 / 6), np.array([permutations.index(order) for order in orders]))


def test_the_wheel_bears_extreme_fitness() -> None:
    for fitness in ([0.0, 5e-324], [0.0, 1e308, 1.7e308], [-8e307, 8e307]):
        for selection in (roulette_selection, stochastic_universal_sampling):
            parents = selection(generator(0, "selection"), np.array(fitness), 100)
            assert 1 <= parents.min() <= parents.max() < len(fitness)
    with pytest.raises(ValueError, match="greatest less its least"):
        roulette_selection(generator(0, "selection"), np.array([-1.7e308, 1.7e308]), 2)


class AtTheEdge:
    """A generator that draws only the least or the greatest number of [0, 1)."""

    def __init__(self, draw: float) -> None:
        self.draw = draw

    def random(self, size: int | None = None) -> Any:
        return self.draw if size is None else np.full(size, self.draw)

    def permuted(self, values: Indices) -> Indices:
        return values


@pytest.mark.parametrize("draw", [0.0, np.nextafter(1.0, 0.0)])
@pytest.mark.parametrize("selection", [roulette_selection, stochastic_universal_sampling])
def test_the_edges_of_the_wheel_belong_to_somebody(selection: Callable[..., Indices], draw: float) -> None:
    fitness = np.array([-1.0, 0.0, 2.0, -1.0])  # nobody at either end has a share
    assert set(selection(AtTheEdge(draw), fitness, 7).tolist()) <= {1, 2}


# Ranks and temperature


@pytest.mark.parametrize("pressure", [1.0, 1.5, 2.0])
def test_ranks_have_linear_chances_and_share_ties(pressure: float) -> None:
    fitness = np.array([3.0, -80.0, -80.0, 1e9])
    rank = np.array([2.0, 0.5, 0.5, 3.0])
    probabilities = (2 - pressure + 2 * (pressure - 1) * rank / 3) / 4
    parents = rank_selection(generator(0, "selection"), fitness, DRAWS, pressure=pressure)
    assert_drawn_with(probabilities, parents)


def test_the_least_fit_has_no_chance_at_the_greatest_pressure() -> None:
    parents = rank_selection(generator(0, "selection"), np.array([3.0, -1.0, 2.0]), DRAWS, pressure=2.0)
    assert_drawn_with(np.array([2 / 3, 0, 1 / 3]), parents)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 10.0])
def test_chances_are_boltzmanns(temperature: float) -> None:
    fitness = np.array([1.0, -1.0, 0.5, 2.0])
    weights = np.exp(fitness / temperature)
    parents = boltzmann_selection(generator(0, "selection"), fitness, DRAWS, temperature=temperature)
    assert_drawn_with(weights / weights.sum(), parents)


def test_boltzmann_bears_extreme_fitness() -> None:
    cold = boltzmann_selection(generator(0, "selection"), np.array([-1e308, 1e308, 9e307]), 100, temperature=1e-300)
    assert (cold == 1).all()
    hot = boltzmann_selection(generator(0, "selection"), np.array([-1.0, 1.0]), DRAWS, temperature=1e300)
    assert_drawn_with(np.array([0.5, 0.5]), hot)
