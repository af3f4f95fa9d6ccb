"""Checks of ask and tell: shapes, order, and that a failed call changes nothing."""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from evo.algorithms.algorithm import Algorithm
from evo.genomes.population import Population
from evo.testing.expectation import expect, expect_refusal
from evo.testing.trial import START, Floats, Make, advance, expect_same, snapshot, sphere, tell

_MOST_ASSIGNMENTS = 10_000


def shapes(make: Make) -> None:
    """Check that candidates, populations and diagnostics have the right shapes, and that generations are counted."""
    algorithm = make(START, 0)
    _check_candidates(algorithm)
    names: set[str] | None = None
    for generation in range(3):
        counted = algorithm.generation
        expect(counted == generation, f"generation is {counted} after {generation} rounds of ask and tell")
        population = algorithm.ask()
        _check_population(population)
        tell(algorithm, population.dense(), sphere(population.dense()))
        _check_candidates(algorithm)
        found = algorithm.diagnostics()
        expect(names in (None, found.keys()), f"diagnostics() names {[*found]}, and other columns before")
        names = set(found)
        for name, value in found.items():
            expect(math.isfinite(value), f"diagnostics() has {name}={value}: only finite numbers can be logged")
        reason = algorithm.finished()
        expect(reason is None or isinstance(reason, str), f"finished() is {reason!r}: a reason in words, or None")


def _check_candidates(algorithm: Algorithm) -> None:
    found = algorithm.candidates()
    fits = found.ndim == 2 and len(found) > 0 and found.shape[1] == START.size and found.dtype == np.float64
    layout = f"{found.dtype} of shape {found.shape}"
    expect(fits, f"candidates() is {layout}: it must be float64 of shape (candidates, {START.size})")
    expect(bool(np.isfinite(found).all()), "candidates() is not finite")


def _check_population(population: Population) -> None:
    rows = population.dense()
    expected = (len(population), START.size)
    expect(len(population) > 0, "a population of no individuals was asked for")
    expect(population.size == START.size, f"a population's size is {population.size}, for {START.size} parameters")
    layout = f"{rows.dtype} of shape {rows.shape}"
    fits = rows.shape == expected and rows.dtype == np.float64
    expect(fits, f"a population's dense() is {layout}: it must be float64 of shape {expected}")
    expect(bool(np.isfinite(rows).all()), "a population has individuals that are not finite")
    for individual, kind in itertools.product(range(len(rows)), (np.float64, np.float32)):
        out = np.full(START.size, np.nan, kind)
        population.row(individual, out)
        same = np.array_equal(out, rows[individual].astype(kind))
        expect(same, f"a population's row({individual}, …) is not row {individual} of its dense(), cast to {out.dtype}")


def asking(make: Make) -> None:
    """Check that `ask` is a pure function of the state: the same until `tell`, without side effects."""
    algorithm = make(START, 0)
    advance(algorithm, 1)
    before = snapshot(algorithm)
    population = algorithm.ask()
    first = population.dense().copy()
    expect_same(before, snapshot(algorithm), "ask() changed what the algorithm shows; only tell() may")
    again = np.array_equal(algorithm.ask().dense(), first)
    expect(again, "ask() gave another population the second time; until tell() it must give the same")
    tell(algorithm, first, sphere(first))
    kept = np.array_equal(population.dense(), first)
    expect(kept, "tell() changed a population that was asked for before: replace arrays, and never write into them")
    moved = not np.array_equal(algorithm.ask().dense(), first)
    expect(moved, "ask() gave the same population after tell(): derive its noise from the generation too")


def order(make: Make) -> None:
    """Check that `tell` before `ask` is refused, at the beginning and after every `tell`."""
    for rounds in (0, 1):
        algorithm, twin = make(START, 0), make(START, 0)
        for one in (algorithm, twin):
            advance(one, rounds)
        rows, before = twin.ask().dense(), snapshot(algorithm)
        telling = partial(tell, algorithm, rows, sphere(rows))
        expect_refusal(f"tell() before ask(), after {rounds} rounds,", telling, RuntimeError)
        expect_same(before, snapshot(algorithm), "a tell() before ask() was refused and yet changed something")


def unfit_fitness(make: Make) -> None:
    """Check that fitness of the wrong length or shape, or not finite, is refused, and the population stays pending."""
    algorithm, twin = make(START, 0), make(START, 0)
    for one in (algorithm, twin):
        advance(one, 1)
    rows = algorithm.ask().dense()
    fitness = sphere(rows)
    wrong: dict[str, Floats] = {
        "one value too few": fitness[:-1],
        "one value too many": np.append(fitness, 0.0),
        "a column": fitness[:, np.newaxis],
        "a single number": np.array(1.0),
    }
    for value in (math.nan, math.inf, -math.inf):
        wrong[f"a value of {value}"] = np.where(np.arange(len(fitness)) == len(fitness) - 1, value, fitness)
    for what, values in wrong.items():
        _expect_harmless(f"a fitness with {what}", algorithm, twin, rows, values)
    twin.ask()
    for one in (algorithm, twin):
        tell(one, rows, fitness)
    words = "after fitness that was refused, the right one taught something else"
    expect_same(snapshot(twin), snapshot(algorithm), words)


def _expect_harmless(what: str, algorithm: Algorithm, twin: Algorithm, rows: Floats, fitness: Floats) -> None:
    expect_refusal(what, partial(tell, algorithm, rows, fitness), ValueError)
    expect_same(snapshot(twin), snapshot(algorithm), f"{what} was refused and yet changed something")


def interruption(make: Make) -> None:
    """Check that a `tell` interrupted at any assignment changes nothing and can be repeated."""
    algorithm, twin = make(START, 0), make(START, 0)
    for one in (algorithm, twin):
        advance(one, 2)
    rows = algorithm.ask().dense()
    fitness = sphere(rows)
    twin.ask()
    words = "a tell() that was interrupted must leave everything as it was (AskTell sees to that)"
    for assignment in range(_MOST_ASSIGNMENTS):
        try:
            with _interrupted(algorithm, assignment):
                tell(algorithm, rows, fitness)
        except _Interruption:
            expect_same(snapshot(twin), snapshot(algorithm), words)
        else:
            break
    tell(twin, rows, fitness)
    expect_same(snapshot(twin), snapshot(algorithm), "a tell() after one that was interrupted taught something else")


class _Interruption(KeyboardInterrupt):
    """Ctrl-C at a chosen moment."""


@contextmanager
def _interrupted(algorithm: Algorithm, assignment: int) -> Iterator[None]:
    """Raise _Interruption once, in place of the given assignment (from 0) to an attribute of the algorithm.

    Between two assignments to attributes the algorithm is unchanged, so these are the places where it may be torn.
    """
    kind, left = type(algorithm), assignment

    def assign(self: Any, name: str, value: Any) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise _Interruption
        kind.__setattr__(self, name, value)

    object.__setattr__(algorithm, "__class__", type(kind.__name__, (kind,), {"__setattr__": assign, "__slots__": ()}))
    try:
        yield
    finally:
        object.__setattr__(algorithm, "__class__", kind)
