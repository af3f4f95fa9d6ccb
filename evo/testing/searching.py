"""Checks of the search: it improves, stays within bounds, and uses only what it should."""

import inspect
import math
from functools import partial

import numpy as np

from evo.testing.expectation import expect, expect_refusal
from evo.testing.trial import START, Make, advance, sphere, tell

# Options that must be > 0, and counts that must be >= 1, wherever an algorithm has them.
_POSITIVE = ("sigma", "step", "learning_rate")
_COUNTS = ("population_size", "pairs", "directions")
_SOLVED = 0.01  # of the sphere's height at the start


def options(make: Make) -> None:
    """Check that initial parameters, a seed and options out of their range are refused by name."""
    wrong = {
        "initial parameters of shape (2, 2)": np.zeros((2, 2)),
        "no initial parameters": np.zeros(0),
        "initial parameters that are one number": np.array(0.0),
        "initial parameters with a NaN": np.array([0.0, math.nan]),
    }
    for what, initial in wrong.items():
        expect_refusal(what, partial(make, initial, 0), ValueError, "initial")
    expect_refusal("seed=-1", partial(make, START, -1), ValueError, "seed")
    taken = inspect.signature(make).parameters
    for names, values in ((_POSITIVE, (0.0, -1.0, math.nan)), (_COUNTS, (0, -1))):
        for name in (name for name in names if name in taken):
            for value in values:
                expect_refusal(f"{name}={value}", partial(make, START, 0, **{name: value}), ValueError, name)


def bounds(make: Make) -> None:
    """Check that with options `low` and `high` nothing outside them is proposed; crossed bounds are refused."""
    if not {"low", "high"} <= inspect.signature(make).parameters.keys():
        return
    low, high = 0.0, 1.25
    for side in (-10.0, 10.0):  # the optimum lies beyond one bound and then the other
        algorithm = make(START, 0, low=low, high=high)
        for _ in range(20):
            rows = algorithm.ask().dense()
            for what, found in (("asked for", rows), ("offered", algorithm.candidates())):
                inside = bool(((found >= low) & (found <= high)).all())
                expect(inside, f"between {low=} and {high=}, an individual was {what} that is outside")
            tell(algorithm, rows, sphere(rows - side))
    expect_refusal("low=1.0 above high=0.5", partial(make, START, 0, low=1.0, high=0.5), ValueError, "low")
    expect_refusal("initial outside its bounds", partial(make, START, 0, low=2.0, high=3.0), ValueError, "initial")


def flat_fitness(make: Make) -> None:
    """Check that individuals of equal fitness do no harm."""
    algorithm = make(START, 0)
    advance(algorithm, 3, lambda rows: np.full(len(rows), 3.0))
    finite = np.isfinite(algorithm.candidates()).all() and np.isfinite(algorithm.ask().dense()).all()
    expect(bool(finite), "equal fitness leads to parameters that are not finite")


def ranks(make: Make) -> None:
    """Check that a rank-based search is invariant to monotone transforms of the fitness."""
    algorithm, transformed = make(START, 0), make(START, 0)
    if not getattr(algorithm, "rank_based", False):
        return
    advance(algorithm, 6)
    advance(transformed, 6, lambda rows: 7 - np.sqrt(-sphere(rows)))
    same = np.array_equal(algorithm.ask().dense(), transformed.ask().dense())
    same = same and np.array_equal(algorithm.candidates(), transformed.candidates())
    expect(same, "other fitness in the same order leads it elsewhere: use ranks only, or set rank_based = False")


def check_sphere(make: Make, evaluations: int) -> None:
    """Check that from (1, 1) its first candidate gets within 1 % of the sphere's height."""
    start = np.ones(2)
    algorithm, height, spent = make(start, 0), -float(sphere(start[np.newaxis])[0]), 0
    words = "it does not solve the sphere in two dimensions from (1, 1); fitness is maximised"
    while (reached := float(sphere(algorithm.candidates()[:1])[0])) < -_SOLVED * height:
        reason = algorithm.finished()
        expect(reason is None, f"{words}: it is finished ({reason}) at a fitness of {reached:.3g}")
        expect(spent < evaluations, f"{words}: it is at {reached:.3g} after {spent} evaluations")
        population = algorithm.ask()
        tell(algorithm, population.dense(), sphere(population.dense()))
        spent += len(population)
