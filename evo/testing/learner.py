"""check_learner: the contract of `evo.learners.learner.Learner`, each promise a function."""

from collections.abc import Callable
from typing import Any

import numpy as np

from evo.errors import EvoError, one_line
from evo.learners import METHODS
from evo.learners.learner import Candidate, Learner, check_candidate
from evo.problems.classic_functions import FUNCTIONS
from evo.problems.function import ClassicLandscape
from evo.problems.problem import Problem
from evo.testing.algorithm import named
from evo.testing.expectation import expect
from evo.testing.trial import expect_same

Make = Callable[..., Learner]
MakeProblem = Callable[[], Problem]

COLUMNS = ("generation", "steps", "episodes", "best", "mean", "std", "failures")
"""Columns of a row of metrics that every learner has."""
_GENERATIONS = 4


def sphere() -> Problem:
    """Return the problem that learners are checked on by default: the sphere in three dimensions."""
    return ClassicLandscape("sphere", FUNCTIONS["sphere"], 3, False, 0)


def check_learner(learner: Make | str, problem: MakeProblem = sphere) -> None:
    """Check a learner: raise AssertionError, with a message, for the first requirement that fails.

    learner: a class, called as X(problem, seed, start, **options), or any such callable: options of your own are given
    by `functools.partial(MyLearner, width=0.2)`. Or its name, in METHODS or as `package.module:attribute`; EvoError
    where that names none. problem: makes what it learns on, anew each time.

    `step()` returns a row with the columns in COLUMNS and counts on; candidates fit the problem; the same seed gives
    the same learner to the bit; restored from `state()`, or interrupted in the middle of a step, it ends like an
    uninterrupted one; and it begins from a candidate that it is given.
    """
    make = named(learner, {name: method.reference for name, method in METHODS.items()}, "learner")
    if not callable(make):
        raise EvoError(f"check_learner takes a class, or what is called as one; got a {type(make).__name__}")
    try:
        for promise in (rows, candidates, seeds, state, resuming, interruption, beginning):
            promise(make, problem)
    except AssertionError:
        raise
    except Exception as error:
        raise AssertionError(f"it raised {type(error).__name__}: {one_line(error)}") from error


def rows(make: Make, problem: MakeProblem) -> None:
    """Check what a step returns, and that generation, steps and episodes count on."""
    learner = make(problem(), 0, None)
    learner.prepare()
    for generation in range(1, _GENERATIONS):
        steps = learner.steps
        row = learner.step()
        missing = [name for name in COLUMNS if name not in row]
        expect(not missing, f"step() returns a row without {', '.join(missing)}; a row has {', '.join(COLUMNS)}")
        expect(learner.generation == generation, f"after step {generation}, generation is {learner.generation}")
        expect(learner.steps > steps, f"step {generation} takes no steps of its problem: a budget would never end")
        for name in ("generation", "steps", "episodes"):
            held = getattr(learner, name)
            expect(row[name] == held, f"its row says {name} {row[name]}, and the learner {held}")


def candidates(make: Make, problem: MakeProblem) -> None:
    """Check that there are candidates from the beginning, such as the problem evaluates."""
    made = problem()
    learner = make(made, 0, None)
    for generation in range(2):
        found = learner.candidates()
        expect(len(found) > 0, f"candidates() is empty at generation {generation}: give the best guess there is")
        for one in found:
            own = Candidate(made.cast(made.initial(np.random.default_rng(0))), made.no_statistics())
            try:
                check_candidate(one, own, made)
            except ValueError as error:
                raise AssertionError(f"candidates() at generation {generation}: {one_line(error)}") from error
        learner.step()


def seeds(make: Make, problem: MakeProblem) -> None:
    """Check that the same seed gives the same learner to the bit."""
    first, again = (_advanced(make(problem(), 7, None), _GENERATIONS) for _ in range(2))
    expect_same(_snapshot(first), _snapshot(again), "two learners of one seed are not the same")


def state(make: Make, problem: MakeProblem) -> None:
    """Check that `state()` is plain arrays."""
    for name, array in _advanced(make(problem(), 0, None), 1).state().items():
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        plain = isinstance(kind, np.dtype) and kind.kind in "fiub"
        expect(plain, f"state {name!r} is {kind}: a state is arrays of numbers")


def resuming(make: Make, problem: MakeProblem) -> None:
    """Check that, restored from the state of any generation, it equals the uninterrupted learner."""
    whole, states, shown = make(problem(), 3, None), [], []
    for _ in range(_GENERATIONS):
        states.append({name: array.copy() for name, array in whole.state().items()})
        shown.append(_snapshot(whole))
        whole.step()
    for generation, taken in enumerate(states):
        resumed = make(problem(), 3, None)
        resumed.restore(taken)
        expect_same(
            shown[generation], _snapshot(resumed), f"restored at generation {generation}, it is not what it was"
        )
        words = f"restored at generation {generation} and gone on, it is not what it was uninterrupted"
        _advanced(resumed, _GENERATIONS - generation)
        expect_same(_snapshot(whole), _snapshot(resumed), f"{words}; all that `step` changes belongs to state()")


def interruption(make: Make, problem: MakeProblem) -> None:
    """Check that a step that is interrupted in an evaluation changes nothing that shows when it is taken again."""
    whole = _advanced(make(problem(), 3, None), 2)
    for call in range(3):
        made = problem()
        learner = _advanced(make(made, 3, None), 1)
        evaluate, left = made.evaluate, [call]

        def interrupted(*given: Any, evaluate: Any = evaluate, left: list[int] = left, **more: Any) -> Any:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            return evaluate(*given, **more)

        made.evaluate = interrupted  # type: ignore[method-assign]
        try:
            learner.step()
        except KeyboardInterrupt:
            made.evaluate = evaluate  # type: ignore[method-assign]
            learner.step()
        words = f"interrupted in evaluation {call + 1} of a step and gone on, it is not what it was uninterrupted"
        expect_same(_snapshot(whole), _snapshot(learner), f"{words}: change attributes at the end of `step`")


def beginning(make: Make, problem: MakeProblem) -> None:
    """Check that it begins from a candidate that it is given, as in `evo run --from`."""
    made = problem()
    start = Candidate(made.cast(np.full(made.size, 0.25)), made.no_statistics())
    found = make(made, 0, start).candidates()[0].params
    expect(np.array_equal(found, start.params), "given a start, its first candidate at generation 0 is another one")


def _advanced(learner: Learner, generations: int) -> Learner:
    for _ in range(generations):
        learner.step()
    return learner


def _snapshot(learner: Learner) -> dict[str, np.ndarray]:
    """Return copies of all that a learner shows, by name."""
    found = {f"state {name!r}": np.array(array) for name, array in learner.state().items()}
    found |= {f"candidate {index}": one.params.copy() for index, one in enumerate(learner.candidates())}
    counts = (learner.generation, learner.steps, learner.episodes)
    return {**found, "generation, steps, episodes": np.array(counts), "finished()": np.array(str(learner.finished()))}
