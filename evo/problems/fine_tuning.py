"""Training of one individual on a data set: what it learns in its life.

Whether that is inherited (Lamarck) or only counts for selection (Baldwin) is for the caller: no method does it yet.

Hinton & Nowlan 1987, "How learning can guide evolution"; Whitley, Gordon & Mathias 1994, "Lamarckian evolution, the
Baldwin effect and function optimization".
"""

from typing import SupportsIndex

import numpy as np
from numpy.typing import NDArray

from evo.datasets import minibatch
from evo.numerics.validation import positive_number, whole_number
from evo.optimizers import Adam
from evo.problems.supervised import Supervised


def fine_tune(
    problem: Supervised, params: NDArray[np.floating], steps: int, seed: SupportsIndex, learning_rate: float = 0.01
) -> NDArray[np.float32]:
    """Return parameters of one individual after so many of Adam's steps on the problem's minibatches, float32.

    params: (own length,). A graph keeps its structure. The minibatches are a function of seed alone. Where a gradient
    is not finite the parameters are returned as they were. Raises ValueError for a problem without minibatches, a layer
    without gradient, or parameters that do not fit.
    """
    from evo.autodiff import Tape  # scoring does not need scipy, which brings BLAS
    from evo.autodiff.descent import Bounds, Settings, descend

    if problem.batch is None:
        raise ValueError("individuals are trained on minibatches of a problem for training; this one is for scoring")
    whole_number("steps", steps, 0)
    row = problem.cast(np.asarray(params))
    problem.check(row)
    tape = Tape(len(row), training=True)
    loss, feeds = problem.loss(tape, problem.batch)
    program = tape.program(loss)
    program.parameters[:] = row
    examples = problem.examples(problem.dataset.train)
    order = np.array([minibatch(len(examples), problem.batch, seed, step) for step in range(steps)], np.int64)
    rates = np.full(steps, positive_number("learning_rate", learning_rate))
    settings = Settings(rates, bounds=Bounds(*problem.network.bounds(row)))
    optimizer = Adam(len(row), learning_rate, dtype=np.float32)
    moved = descend((program,), feeds, examples, order.reshape(steps, problem.batch), optimizer, settings)
    return row if moved is None else program.parameters.copy()
