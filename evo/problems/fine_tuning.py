"""Training of individuals on a data set: what they learn in their lives.

Whether that is inherited (Lamarck) or only counts for selection (Baldwin) is for the algorithm that asks for it.

Hinton & Nowlan 1987, "How learning can guide evolution"; Whitley, Gordon & Mathias 1994, "Lamarckian evolution, the
Baldwin effect and function optimization".
"""

from typing import TYPE_CHECKING, Protocol, SupportsIndex, final

import numpy as np
from numpy.typing import NDArray

from evo.datasets import Dataset, Split, minibatch
from evo.envs.engine import interruption
from evo.envs.engine.physics import StopFlag, run_interruptibly
from evo.evaluation.workers import Workers
from evo.genomes.rows import Rows, rows_for
from evo.networks import Network
from evo.numerics.validation import positive_number, whole_number
from evo.optimizers import Adam

if TYPE_CHECKING:  # scoring does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape
    from evo.autodiff.descent import Feeds


class Lessons(Protocol):
    """What individuals learn from: a network's problem with minibatches, as `evo.problems.supervised.Supervised` is."""

    batch: int | None
    dataset: Dataset
    network: Network
    workers: Workers

    def cast(self, params: np.ndarray) -> np.ndarray: ...

    def check(self, params: np.ndarray) -> None: ...

    def loss(self, tape: "Tape", size: int) -> tuple["Node", "Feeds"]: ...

    def examples(self, split: Split) -> np.ndarray: ...


@final
class FineTuning:
    """Trains a population, each individual alone, by a few of Adam's steps on minibatches of a problem for training.

    Raises ValueError for a problem without minibatches.
    """

    def __init__(self, problem: Lessons) -> None:
        if problem.batch is None:
            raise ValueError("individuals learn on minibatches of a problem for training; this one is for scoring")
        self.problem, self.batch = problem, problem.batch

    def __call__(
        self,
        rows: Rows,
        least: NDArray[np.float64],
        greatest: NDArray[np.float64],
        steps: int,
        seed: SupportsIndex,
        learning_rate: float = 0.01,
    ) -> tuple[NDArray[np.float32], int]:
        """Return all numbers of the rows after so many steps, float32 (numbers,), and the examples that this took.

        least, greatest: of each number, (numbers,); where they are equal it stays. All individuals see the same
        minibatches, a function of seed alone. One whose gradient is not finite stays as it was. Raises ValueError for a
        layer without gradient, and EvoError for rows that do not fit.
        """
        from evo.autodiff import Tape
        from evo.autodiff.descent import Individuals, descend_each
        from evo.autodiff.team import Team

        problem, batch = self.problem, self.batch
        whole_number("steps", steps, 0)
        positive_number("learning_rate", learning_rate)
        if not len(least) == len(greatest) == len(rows.values):
            raise ValueError(f"{len(least)} and {len(greatest)} bounds of {len(rows.values)} numbers")
        rows = rows_for(problem.network, rows)
        longest = int(rows.lengths.max())
        tape = Tape(longest, training=True)
        loss, feeds = problem.loss(tape, batch)
        examples = problem.examples(problem.dataset.train)
        order = np.empty((steps, batch), np.int64)
        for step in range(steps):
            interruption.check()
            order[step] = minibatch(len(examples), batch, seed, step)
        individuals = Individuals(rows.values, rows.offsets, least, greatest)
        optimizer, team = Adam(longest, learning_rate, dtype=np.float32), Team(min(problem.workers.threads, len(rows)))
        program, stop = (tape.program(loss), feeds, examples, order), StopFlag()
        given = *program, optimizer, individuals, team
        return run_interruptibly(lambda: descend_each(*given, stop=stop.address), stop), steps * batch * len(rows)


def fine_tune(
    problem: Lessons, params: NDArray[np.floating], steps: int, seed: SupportsIndex, learning_rate: float = 0.01
) -> NDArray[np.float32]:
    """Return parameters of one individual after so many of Adam's steps on the problem's minibatches, float32.

    params: (own length,). A graph keeps its structure, and learns all else. The minibatches are a function of seed
    alone. Where a gradient is not finite the parameters are returned as they were. Raises ValueError for a problem
    without minibatches, a layer without gradient, or parameters that do not fit.
    """
    tuning, row = FineTuning(problem), problem.cast(np.asarray(params))
    problem.check(row)
    least, greatest = np.full(len(row), -np.inf), np.full(len(row), np.inf)
    places, lower, upper = problem.network.bounds(row)
    least[places], greatest[places] = lower, upper
    return tuning(Rows(row, np.array([0, len(row)])), least, greatest, steps, seed, learning_rate)[0]
