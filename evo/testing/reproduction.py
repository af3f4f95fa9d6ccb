"""Checks of reproducibility: an algorithm follows from its seed and its `state()` alone."""

import random
from functools import partial

import numpy as np

from evo.testing.expectation import expect, expect_refusal
from evo.testing.trial import START, Make, advance, expect_same, snapshot, sphere

_GENERATIONS = 5


def global_generators(make: Make) -> None:
    """Check that neither NumPy's nor Python's global generator is drawn from or seeded."""
    before = _global_states()
    advance(make(START, 0), _GENERATIONS)
    words = (
        "it draws from a global random generator: take evo.numerics.randomness.generator(self.seed, …, self.generation)"
    )
    expect(_global_states() == before, words)


def _global_states() -> list[object]:
    name, words, *rest = np.random.get_state()
    return [random.getstate(), name, np.asarray(words).tobytes(), rest]


def seeds(make: Make) -> None:
    """Check that the same seed gives the same search to the bit, and another seed another one."""
    first, again, other = make(START, 7), make(START, 7), make(START, 8)
    for algorithm in (first, again, other):
        advance(algorithm, _GENERATIONS)
        algorithm.ask()
    words = "two searches of one seed are not the same: all that is random must follow from the seed and the generation"
    expect_same(snapshot(first), snapshot(again), words)
    expect(np.array_equal(first.ask().dense(), again.ask().dense()), f"{words}: ask() differs")
    alike = np.array_equal(first.ask().dense(), other.ask().dense())
    expect(not alike, "seeds 7 and 8 give the same search: draw from evo.numerics.randomness.generator(self.seed, …)")


def state(make: Make) -> None:
    """Check that `state()` and candidates are plain arrays, copies of what the algorithm holds."""
    algorithm, twin = make(START, 0), make(START, 0)
    for one in (algorithm, twin):
        advance(one, 2)
    for name, array in algorithm.state().items():
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        plain = isinstance(kind, np.dtype) and kind.kind in "fiub"
        expect(plain, f"state {name!r} is {kind}: a state is arrays of numbers")
    for array in (*algorithm.state().values(), algorithm.candidates()):
        array[...] = 99
    expect_same(snapshot(twin), snapshot(algorithm), "what state() and candidates() give must be copies, and is not")


def resuming(make: Make) -> None:
    """Check that, restored from the state of any generation, it equals the uninterrupted search."""
    whole, states = make(START, 3), []
    for _ in range(_GENERATIONS):
        states.append(whole.state())
        advance(whole, 1)
    for generation, taken in enumerate(states):
        resumed = make(START, 3)
        resumed.restore(taken)
        words = f"restored at generation {generation} and gone on, it is not what it was uninterrupted"
        expect(resumed.generation == generation, f"{words}: generation is {resumed.generation}")
        advance(resumed, _GENERATIONS - generation)
        expect_same(snapshot(whole), snapshot(resumed), f"{words}; all that `tell` changes belongs to state()")


def going_back(make: Make) -> None:
    """Check that a state taken between ask and tell gives the same population; restoring drops a pending one."""
    algorithm, resumed = make(START, 0), make(START, 0)
    start, first = algorithm.state(), algorithm.ask().dense().copy()
    advance(algorithm, 2)
    asked = algorithm.ask().dense().copy()
    resumed.restore(algorithm.state())
    words = "tell() after restoring a state that was taken between ask and tell"
    expect_refusal(words, partial(resumed.tell, sphere(asked)), RuntimeError)
    same = np.array_equal(resumed.ask().dense(), asked)
    expect(same, "restored between ask and tell, ask() gives another population: derive it from state and seed alone")
    algorithm.restore(start)
    same = np.array_equal(algorithm.ask().dense(), first)
    expect(same, "restored to its beginning, it asks for another population than then: restore() must forget the rest")


def foreign_states(make: Make) -> None:
    """Check that a state of another size, or with an array missing or added, is refused and changes nothing."""
    algorithm, untouched = make(START, 0), make(START, 0)
    own = algorithm.state()
    foreign = {
        "the state of another number of parameters": make(np.append(START, 1.0), 0).state(),
        "a state without its generation": {name: array for name, array in own.items() if name != "generation"},
        "a state with an array too many": own | {"surplus": np.zeros(1)},
    }
    for what, taken in foreign.items():
        expect_refusal(what, partial(algorithm.restore, taken), ValueError)
        expect_same(snapshot(untouched), snapshot(algorithm), f"{what} was refused and yet changed something")
