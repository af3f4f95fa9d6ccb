"""What evo.testing says of search algorithms that keep their promises, and of those that break one each."""

import math
import random
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.algorithms import AskTell, DensePopulation
from evo.algorithms.strategies.ars import ARS
from evo.errors import EvoError
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number
from evo.testing import check_algorithm

Floats = NDArray[np.float64]


class Search(AskTell[DensePopulation]):
    """A small (5, 20) evolution strategy that keeps every promise; the others below break one each."""

    remembered = ("mean", "spread")

    def __init__(
        self,
        initial: Any,
        seed: int,
        *,
        sigma: float = 0.1,
        population_size: int = 20,
        low: float = -math.inf,
        high: float = math.inf,
    ) -> None:
        super().__init__(initial, seed)
        self.sigma = positive_number("sigma", sigma)
        self.population_size = whole_number("population_size", population_size, 5)
        if not low < high:
            raise ValueError(f"low={low}, high={high}: low must be less than high")
        if (self.initial < low).any() or (self.initial > high).any():
            raise ValueError(f"initial must be between low={low} and high={high}")
        self.low, self.high = low, high
        self.mean, self.spread = self.initial, 0.0

    def noise(self) -> Floats:
        return generator(self.seed, "noise", self.generation).standard_normal((self.population_size, self.initial.size))

    def propose(self) -> DensePopulation:
        return DensePopulation(np.clip(self.mean + self.sigma * self.noise(), self.low, self.high))

    def parents(self, fitness: Floats) -> NDArray[np.intp]:
        return np.argsort(-fitness, kind="stable")[:5]

    def update(self, population: DensePopulation, fitness: Floats) -> None:
        parents = population.dense()[self.parents(fitness)]
        self.mean = np.mean(parents, axis=0)
        self.spread = float(np.std(parents))

    def candidates(self) -> Floats:
        return self.mean[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {"spread": self.spread}


def test_a_search_that_keeps_every_promise_passes() -> None:
    check_algorithm(Search)
    check_algorithm("random-search")
    check_algorithm("tests.testing.test_check_algorithm:Search")


class WithoutOurBase:
    """Random search from the bare interface, with nothing of AskTell's, and slots in place of a dictionary."""

    __slots__ = ("asked", "best", "fitness", "generation", "initial", "seed")

    def __init__(self, initial: Any, seed: int) -> None:
        self.initial = np.array(initial, dtype=np.float64)
        if self.initial.ndim != 1 or not self.initial.size or not np.isfinite(self.initial).all():
            raise ValueError("initial must be finite and of shape (parameters,)")
        if seed < 0:
            raise ValueError("seed must be >= 0")
        self.seed, self.generation, self.asked = seed, 0, False
        self.best, self.fitness = self.initial, -math.inf

    def ask(self) -> DensePopulation:
        self.asked = True
        noise = generator(self.seed, "noise", self.generation).standard_normal((8, self.initial.size))
        return DensePopulation(self.initial + noise)

    def tell(self, fitness: Floats) -> None:
        if not self.asked:
            raise RuntimeError("tell() before ask()")
        if fitness.shape != (8,) or not np.isfinite(fitness).all():
            raise ValueError("fitness must be 8 finite numbers")
        rows, before = self.ask().dense(), (self.best, self.fitness, self.generation)
        try:
            if fitness.max() > self.fitness:
                self.best, self.fitness = rows[np.argmax(fitness)], float(fitness.max())
            self.generation += 1
            self.asked = False
        except BaseException:
            self.best, self.fitness, self.generation = before
            raise

    def candidates(self) -> Floats:
        return self.best[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {}

    def finished(self) -> str | None:
        return None

    def state(self) -> dict[str, NDArray[Any]]:
        return {"best": self.best.copy(), "fitness": np.array(self.fitness), "generation": np.array(self.generation)}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        if state.keys() != self.state().keys() or state["best"].shape != self.initial.shape:
            raise ValueError("not a state of this search")
        self.best, self.fitness = np.array(state["best"]), float(state["fitness"])
        self.generation, self.asked = int(state["generation"]), False


def test_the_bare_interface_is_enough() -> None:
    check_algorithm(WithoutOurBase)


# Broken in one way each


class Transposed(Search):
    def candidates(self) -> Floats:
        return self.mean[:, np.newaxis].copy()


class OtherRows(Search):
    def propose(self) -> DensePopulation:
        class Doubled(DensePopulation):
            def row(self, individual: int, out: NDArray[Any]) -> None:
                out[:] = 2 * self.array[individual]

        return Doubled(super().propose().array)


class Miscounting(Search):
    def update(self, population: DensePopulation, fitness: Floats) -> None:
        super().update(population, fitness)
        self.generation += 1


class NewColumns(Search):
    def diagnostics(self) -> dict[str, float]:
        return {f"spread{self.generation}": self.spread}


class UnfinishedSentence(Search):
    def finished(self) -> Any:
        return False


class GlobalGenerator(Search):
    def noise(self) -> Floats:
        return np.random.standard_normal((20, self.initial.size))


class PythonsGenerator(Search):
    def noise(self) -> Floats:
        return np.array([random.gauss(0, 1) for _ in range(20 * self.initial.size)]).reshape(20, -1)


class Clocked(Search):
    def noise(self) -> Floats:
        return generator(time.perf_counter_ns(), "noise").standard_normal((20, self.initial.size))


class Seedless(Search):
    def noise(self) -> Floats:
        return generator(0, "noise", self.generation).standard_normal((20, self.initial.size))


class Restless(Search):
    def ask(self) -> DensePopulation:
        self._asked = None
        self.mean = self.mean + 1e-9
        return super().ask()


class Overwriting(Search):
    def propose(self) -> DensePopulation:
        population = super().propose()
        self.rows = population.array.copy()
        population.array = self.rows
        return population

    def update(self, population: DensePopulation, fitness: Floats) -> None:
        super().update(population, fitness)
        self.rows[:] = 0


class StandingStill(Search):
    def noise(self) -> Floats:
        return generator(self.seed, "noise").standard_normal((20, self.initial.size))

    def update(self, population: DensePopulation, fitness: Floats) -> None:
        pass


class Eager(Search):
    def tell(self, fitness: Floats) -> None:
        self.ask()
        super().tell(fitness)


class WrongRefusal(Search):
    def tell(self, fitness: Floats) -> None:
        if self._asked is None:
            raise ValueError("tell() before ask()")
        super().tell(fitness)


class Truncating(Search):
    def tell(self, fitness: Floats) -> None:
        super().tell(np.resize(np.ravel(fitness), 20))


class Credulous(Search):
    def tell(self, fitness: Floats) -> None:
        super().tell(np.nan_to_num(fitness))


class Forgetful(Search):
    def tell(self, fitness: Floats) -> None:
        asked, self._asked = self._asked, None
        if asked is not None and not np.isfinite(fitness).all():
            raise ValueError("fitness must be finite")
        self._asked = asked
        super().tell(fitness)


class Torn(Search):
    def tell(self, fitness: Floats) -> None:
        mean = self.mean
        super().tell(fitness)
        self.spread = float(np.std(mean - self.mean))


class Listing(Search):
    def state(self) -> dict[str, Any]:
        return super().state() | {"parents": ["mean"]}


class Sharing(Search):
    def candidates(self) -> Floats:
        return self.mean[np.newaxis]


class HiddenMomentum(Search):
    momentum = 0.0

    def update(self, population: DensePopulation, fitness: Floats) -> None:
        before = self.mean
        super().update(population, fitness)
        self.momentum = 0.5 * self.momentum + (self.mean - before)
        self.mean = self.mean + 0.1 * self.momentum


class Clinging(Search):
    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        asked = self._asked
        super().restore(state)
        self._asked = asked


class Omnivorous(Search):
    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        super().restore({name: array for name, array in state.items() if name != "surplus"})


class AnySeed(Search):
    def __init__(self, initial: Any, seed: int) -> None:
        super().__init__(initial, abs(seed))


class AnySigma(Search):
    def __init__(self, initial: Any, seed: int, *, sigma: float = 0.1) -> None:
        super().__init__(initial, seed, sigma=max(sigma, 1e-9))


class NamelessRefusal(Search):
    def __init__(self, initial: Any, seed: int, *, population_size: int = 20) -> None:
        if population_size < 5:
            raise ValueError("too few")
        super().__init__(initial, seed, population_size=population_size)


class Boundless(Search):
    def propose(self) -> DensePopulation:
        return DensePopulation(self.mean + self.sigma * self.noise())


class CrossedBounds(Search):
    def __init__(self, initial: Any, seed: int, *, low: float = -math.inf, high: float = math.inf) -> None:
        super().__init__(initial, seed, low=min(low, high), high=max(low, high))


class Dividing(Search):
    def update(self, population: DensePopulation, fitness: Floats) -> None:
        super().update(population, fitness)
        self.mean = self.mean + 0 * (fitness[0] / np.ptp(fitness))


class Poisoned(Search):
    def update(self, population: DensePopulation, fitness: Floats) -> None:
        super().update(population, fitness)
        self.mean = self.mean if np.ptp(fitness) else self.mean + math.nan


class Proportional(Search):
    def update(self, population: DensePopulation, fitness: Floats) -> None:
        weights = fitness - fitness.min() + 1e-3
        self.mean = weights @ population.dense() / weights.sum()


class Minimising(Search):
    def parents(self, fitness: Floats) -> NDArray[np.intp]:
        return np.argsort(fitness)[:5]


class Resigned(Search):
    def finished(self) -> str | None:
        return "that will do" if self.generation > 7 else None


BROKEN: dict[type[Search], str] = {
    Transposed: r"candidates\(\) is float64 of shape \(5, 1\)",
    OtherRows: r"row\(0, …\) is not row 0",
    Miscounting: r"generation is 2 after 1 rounds",
    NewColumns: r"diagnostics\(\) names \['spread2'\]",
    UnfinishedSentence: r"finished\(\) is False",
    GlobalGenerator: "global random generator",
    PythonsGenerator: "global random generator",
    Clocked: "two searches of one seed are not the same.*differs",
    Seedless: "seeds 7 and 8 give the same search",
    Restless: r"ask\(\) changed what the algorithm shows.*state 'mean'",
    Overwriting: r"tell\(\) changed a population that was asked for before",
    StandingStill: r"ask\(\) gave the same population after tell\(\)",
    Eager: r"tell\(\) before ask\(\), after 0 rounds, is not refused",
    WrongRefusal: "it must raise RuntimeError",
    Truncating: "a fitness with one value too few is not refused",
    Credulous: "a fitness with a value of nan is not refused",
    Forgetful: r"RuntimeError: tell\(\) before ask\(\)",
    Torn: r"interrupted must leave everything as it was.*differs",
    Listing: "state 'parents' is list",
    Sharing: r"must be copies.*state 'mean' differs",
    HiddenMomentum: r"restored at generation 1.*all that `tell` changes belongs to state\(\): state 'mean'",
    Clinging: "restored to its beginning",
    Omnivorous: "a state with an array too many is not refused",
    AnySeed: "seed=-1 is not refused",
    AnySigma: "sigma=0.0 is not refused",
    NamelessRefusal: "population_size=0 is refused without a word about 'population_size'",
    Boundless: "an individual was asked for that is outside",
    CrossedBounds: r"low=1.0 above high=0.5 is",
    Dividing: "it raised FloatingPointError: divide by zero",
    Poisoned: "equal fitness leads to parameters that are not finite",
    Proportional: "other fitness in the same order leads it elsewhere.*rank_based = False",
    Minimising: "does not solve the sphere.*fitness is maximised",
    Resigned: r"finished \(that will do\)",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_each_broken_promise_is_told(broken: type[Search]) -> None:
    with pytest.raises(AssertionError, match=BROKEN[broken]) as told:
        check_algorithm(broken, evaluations=2_000)
    assert "\n" not in str(told.value)


def test_what_claims_nothing_of_ranks_is_not_asked_for_it() -> None:
    class Frank(Proportional):
        rank_based = False

    check_algorithm(Frank)
    check_algorithm(ARS)


def test_a_budget_too_small_is_told_with_what_was_reached() -> None:
    with pytest.raises(AssertionError, match="after 20 evaluations"):
        check_algorithm(Search, evaluations=20)


@pytest.mark.parametrize(
    ("name", "words"),
    [("arz", "did you mean 'ars'"), ("evo.algorithms.strategies.ars:ARZ", "no attribute 'ARZ'"), ("a:b", "'a'")],
)
def test_a_name_that_is_no_algorithm_is_the_users_error(name: str, words: str) -> None:
    with pytest.raises(EvoError, match=words):
        check_algorithm(name)
