"""Supervised: the problem of a data set and a network; fitness is minus the loss, or accuracy.

In training, fitness is minus the loss on a minibatch of the training split, drawn by the episode's seed: all
individuals of a generation see the same examples. When scored, it is what the data set reports, such as accuracy: on
the whole validation split for selection seeds, on the whole test split for report seeds (see
`evo.numerics.randomness`).
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.datasets import CROSS_ENTROPY, Dataset, Split, minibatch
from evo.envs.engine.compile import njit
from evo.evaluation.forward_pass import Answers, Examiner
from evo.evaluation.workers import Workers
from evo.genomes.population import Population, parts_of
from evo.networks import Network
from evo.numerics.formatting import ACCURACY
from evo.numerics.randomness import REPORT_START, SELECTION_START
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.fine_tuning import FineTuning
from evo.problems.problem import Evaluation, fitness_of
from evo.problems.shared import NetworkProblem

if TYPE_CHECKING:  # scoring does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape
    from evo.autodiff.descent import Feeds

NOT_FINITE = "an output was not finite"
_SLICE_PRODUCTS = 2**28  # multiplications of a slice: some tenths of a second


class Supervised(NetworkProblem):
    """Evaluates populations of a network's parameters on a data set.

    batch: size of the minibatch of a training episode, at most the training split; None: held-out scoring. `prepare`
    raises KernelError.
    """

    step_unit = "example"
    measures: tuple[str, ...] = ()

    def __init__(self, dataset: Dataset, network: Network, workers: Workers, batch: int | None = None) -> None:
        super().__init__(network, workers)
        self.dataset, self.metric = dataset, _metric(dataset)
        self.batch = batch if batch is None else min(batch, len(dataset.train))
        self.deterministic = batch is None or self.batch == len(dataset.train)
        self._examiner = Examiner(network, dataset.loss, workers)

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        """Return the network's facts and, in training where it has gradients, how individuals learn in their lives."""
        known: dict[str, Any] = self.network.facts
        if self.batch is not None and all(layer.differentiable for layer in self.network.layers):
            known["train"] = FineTuning(self)
        return known

    def clocks(self, steps: int, passes: int = 1) -> dict[str, float]:
        """Return floating-point operations: a product and a sum for each multiplication of the network."""
        return {"flops": 2.0 * passes * steps * self.dataset.steps * self.network.products}

    def prepare(self) -> None:
        """Compile what is not compiled yet; takes seconds the first time on a machine."""
        self._examiner.prepare()
        _sum_in_order(np.zeros((1, 1)))

    def no_statistics(self) -> ObservationStatistics:
        """Return empty statistics: a data set is normalised when it is made."""
        return ObservationStatistics.empty(0)

    def evaluate_here(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool,
        measured: bool,
    ) -> Evaluation:
        returns, steps = np.empty((len(population), len(seeds))), 0
        columns: dict[bytes, np.ndarray] = {}  # each set of examples is evaluated once
        for column, seed in enumerate(map(int, seeds)):
            split, rows = self._asked(seed)
            key = split.inputs.ctypes.data.to_bytes(8) + rows.tobytes()
            if key not in columns:
                columns[key] = self._fitness(population, split, rows)
                steps += len(population) * len(rows)
            returns[:, column] = columns[key]
        failed = int(np.isnan(returns).sum())
        return Evaluation(
            fitness=fitness_of(returns),
            returns=returns,
            episodes=len(population) * len(columns),
            steps=steps,
            failures={NOT_FINITE: failed} if failed else {},
            errors=(),
            statistics=np.zeros((0, 1)),
        )

    def slice_shape(self, episodes: int) -> tuple[int, int]:
        """Return as many individuals as take 2²⁸ multiplications; episodes may share examples and stay together."""
        examples = len(self.dataset.test) if self.batch is None else self.batch
        products = episodes * examples * self.dataset.steps * max(1, self.network.products)
        return max(1, _SLICE_PRODUCTS // products), episodes

    def _asked(self, seed: int) -> tuple[Split, np.ndarray]:
        """Return the split and the rows of it that an episode's seed selects."""
        data = self.dataset
        if self.batch == len(data.train):
            return data.train, np.arange(self.batch)
        if self.batch is not None:
            return data.train, minibatch(len(data.train), self.batch, seed)
        split = data.validation if SELECTION_START <= seed < REPORT_START else data.test
        return split, np.arange(len(split))

    def _fitness(self, population: Population, split: Split, rows: np.ndarray) -> np.ndarray:
        """Return the fitness of all individuals on these rows of a split, float64 (individuals,)."""
        found = []
        for params in parts_of(population, self._examiner.capacity(len(rows))):
            answers = self._examiner.run(params, split.inputs, split.targets, rows)
            found.append(self.score(answers) if self.batch is None else -_means(answers.losses))
        return np.concatenate(found)

    def score(self, answers: Answers) -> np.ndarray:
        """Return the score that the data set reports, higher being better, float64 (individuals,).

        NaN where an output was not finite.
        """
        losses = _means(answers.losses)
        if self.dataset.score == ACCURACY:
            return np.where(np.isnan(losses), np.nan, _means(answers.hits))
        if self.dataset.loss == CROSS_ENTROPY:
            return -losses / math.log(2.0)
        return -np.sqrt(losses) * self.dataset.scale

    def prepare_inputs(self, inputs: np.ndarray) -> Split:
        """Return inputs, (examples, …) as the data set prepares them, as examples whose targets are blank.

        Raises ValueError for inputs of another size, TypeError for what is no array of numbers.
        """
        data = self.dataset
        with np.errstate(over="ignore"):  # infinite inputs are refused
            rows = np.array(inputs, np.float32)
        rows = rows.reshape(len(inputs), data.steps, math.prod(data.shape))
        return Split(rows, np.zeros((len(rows), data.predictions, data.train.targets.shape[2]), np.float32))

    def answers(self, params: np.ndarray, split: Split) -> Answers:
        """Run one individual, parameters (size,), on all examples of a split; the result includes the outputs."""
        row = np.asarray(params, np.float32)[np.newaxis]
        return self._examiner.run(row, split.inputs, split.targets, np.arange(len(split)), answering=True)

    def loss(self, tape: "Tape", size: int) -> tuple["Node", "Feeds"]:
        """Return the mean loss of a minibatch of `size` examples on a tape, and where the columns of `examples` go.

        The tape's parameters are the network's. Raises ValueError for a network that has no gradient.
        """
        from evo.autodiff.descent import Feeds

        data, features = self.dataset, self.network.inputs
        inputs = tape.input(data.steps * size, features)
        targets = tape.input(data.predictions * size, data.train.targets.shape[2])
        outputs = self.network.apply(tape, inputs, 0, data.steps)
        outputs = outputs.part((data.steps - data.predictions) * size, data.predictions * size)
        if data.loss == CROSS_ENTROPY:
            loss = -outputs.log_softmax().pick(targets).mean()
        else:
            error = outputs - targets
            loss = (error * error).mean()
        parts = [inputs.part(step * size, size) for step in range(data.steps)]
        parts += [targets.part(step * size, size) for step in range(data.predictions)]
        return loss, Feeds.into(*parts)

    def examples(self, split: Split) -> np.ndarray:
        """Return a row for each example, its inputs step by step and then its targets: float32 (examples, columns)."""
        return np.concatenate([split.inputs.reshape(len(split), -1), split.targets.reshape(len(split), -1)], axis=1)


def _metric(dataset: Dataset) -> str:
    return f"{dataset.score} ({dataset.unit})" if dataset.unit else dataset.score


@njit(cache=True)
def _sum_in_order(values: Any) -> Any:
    """Return the sum of each row of values (rows, columns), added from first to last: (rows,)."""
    sums = np.zeros(values.shape[0])
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            sums[row] += values[row, column]
    return sums


def _means(values: np.ndarray) -> np.ndarray:
    return _sum_in_order(values) / values.shape[1]
