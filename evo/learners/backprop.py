"""Backprop: gradient descent on the loss over minibatches, the usual way to train networks."""

import copy
import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np

from evo.autodiff import Node, Program, Tape
from evo.autodiff.descent import Feeds, Settings, descend
from evo.autodiff.team import Team
from evo.envs.engine import interruption
from evo.learners.demands import bounds_of
from evo.learners.learner import Candidate
from evo.numerics.randomness import generator, selection_seeds
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import find_optimizer
from evo.optimizers.schedules import schedule_from_text
from evo.problems.problem import Problem, evaluate_alone
from evo.problems.supervised import Supervised
from evo.storage.states import below

DIVERGED = "backprop diverged: its gradient was no longer finite; try a lower method.learning_rate"
_SHARD = 8  # least number of examples in each of a minibatch's two shards
_AT_ONCE = 2**18  # examples between two checks for an interrupt


class _Loss(NamedTuple):
    programs: tuple[Program, ...]  # each takes an equal shard of a minibatch
    feeds: Feeds
    loss: Node


@final
class Backprop:
    """Minibatch gradient descent on a data set; a generation is an epoch.

    An epoch takes every example of the training split once, in a newly drawn order. Its last minibatch is filled up
    with examples from the epoch's beginning, which are not counted again. The size of minibatches is the problem's,
    `evaluation.batch`. With early stopping the candidate is the best one so far.

    Args:
        optimizer: name of the optimiser: sgd, momentum, nesterov, rmsprop, adam, adamw or clipup.
        learning_rate: learning rate of the optimiser.
        schedule: schedule of the learning rate, as in `constant`, `linear`, `cosine`, `step(0.5, 0.3, 0.6)` or
            `warmup(0.1, cosine)`.
        anneal_steps: examples over which the schedule runs, by default those of the budget.
        max_gradient_norm: norm to which longer gradients are scaled down (Pascanu, Mikolov & Bengio 2013), 0 for no
            bound.
        l1: coefficient λ of the penalty λ |w| added to the loss.
        l2: coefficient λ of the penalty λ w² / 2 added to the loss.
        weight_decay: coefficient of weight decay, decoupled from the gradient with adamw (Loshchilov & Hutter 2019),
            otherwise added to l2.
        patience: epochs without a better validation score after which training stops early, 0 for never.

    Raises ValueError for a problem or a layer that has no gradient.
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        schedule: str = "constant",
        anneal_steps: int | None = None,
        max_gradient_norm: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        weight_decay: float = 0.0,
        patience: int = 0,
    ) -> None:
        if not isinstance(problem, Supervised) or problem.batch is None:
            raise ValueError(
                "name: backprop needs a data set, and this task is not one; use ppo or ars in a world, or cma-es"
            )
        for layer in problem.network.layers:
            if not layer.differentiable:
                raise ValueError(
                    f"name: backprop needs gradients, and the layer {layer.text} has none; use openai-es, for example"
                )
        self.problem, self.seed = problem, seed
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.schedule = schedule_from_text(schedule)
        self.anneal_steps = None if anneal_steps is None else whole_number("anneal_steps", anneal_steps, 0)
        self.max_gradient_norm = number_between("max_gradient_norm", max_gradient_norm, 0.0)
        self.l1, self.l2 = number_between("l1", l1, 0.0), number_between("l2", l2, 0.0)
        self.weight_decay = number_between("weight_decay", weight_decay, 0.0)
        self.patience = whole_number("patience", patience, 0)

        self._batch = problem.batch
        self._shards = 2 if self._batch % 2 == 0 and self._batch >= 2 * _SHARD else 1
        self._team = Team(min(problem.workers.threads, self._shards))
        self._judge = Supervised(problem.dataset, problem.network, problem.workers)
        first = problem.initial(generator(seed, "initial parameters")) if start is None else start.params
        self.parameters = problem.cast(np.asarray(first))
        problem.check(self.parameters)
        self.optimizer = find_optimizer(optimizer)(len(self.parameters), self.learning_rate, dtype=np.float32)
        self.generation = self.steps = 0
        self.diverged = False
        # on the validation split: the best parameters so far, their score, and the number of epochs since
        self._best, self._best_score, self._waited = self.parameters, -math.inf, 0

    @property
    def episodes(self) -> int:
        """Completed epochs."""
        return self.generation

    @functools.cached_property
    def _loss(self) -> _Loss:
        tape = Tape(len(self.parameters), training=True)
        loss, feeds = self.problem.loss(tape, self._batch // self._shards)
        program = tape.program(loss)
        return _Loss((program, *(program.replica() for _ in range(self._shards - 1))), feeds, loss)

    @functools.cached_property
    def _examples(self) -> np.ndarray:
        return self.problem.examples(self.problem.dataset.train)

    def prepare(self) -> None:
        """Compile, or load from the cache, what learning needs."""
        self.problem.prepare()
        self._descend(np.zeros((0, self._batch), np.int64), copy.copy(self.optimizer), np.zeros(0))

    def step(self) -> dict[str, float]:
        """Train for one epoch; return its metrics. Interrupted, it leaves everything as it was."""
        order = self._order()
        optimizer, losses = copy.copy(self.optimizer), []
        count = len(self.problem.dataset.train)
        seen = self.steps + count * np.arange(len(order)) / len(order)
        learning_rates = self.learning_rate * self._factors(seen)
        programs, at_once = self._loss.programs, max(1, _AT_ONCE // self._batch)
        programs[0].parameters[:] = self.parameters
        diverged = False
        for first in range(0, len(order), at_once):
            interruption.check()
            some = slice(first, first + at_once)
            means = self._descend(order[some], optimizer, learning_rates[some])
            if means is None:
                diverged = True
                break
            losses.append(float(means[0]) * len(order[some]))
        parameters = self.parameters if diverged else programs[0].parameters.copy()
        loss = math.nan if diverged else sum(losses) / len(order)
        if self.patience:
            self._look(parameters)
        if not diverged:
            self.parameters, self.optimizer = parameters, optimizer
        self.diverged = diverged
        self.generation, self.steps = self.generation + 1, self.steps + count
        return {
            "generation": self.generation,
            "steps": self.steps,
            "episodes": self.episodes,
            "best": -loss,
            "mean": -loss,
            "std": 0.0,
            "failures": int(diverged),
            "learning_rate": float(learning_rates[-1]),
            # the backward pass multiplies by inputs and by weights: twice the products of the forward pass
            **self.problem.clocks(self.steps, passes=3),
        }

    def _order(self) -> np.ndarray:
        """Return the examples of an epoch's minibatches, int64 (minibatches, batch)."""
        count = len(self.problem.dataset.train)
        shuffled = generator(self.seed, "minibatches", self.generation).permutation(count)
        return np.resize(shuffled, (-(-count // self._batch), self._batch))

    def _factors(self, seen: np.ndarray) -> np.ndarray:
        """Return the schedule's factor of the learning rate after each number of examples in `seen`."""
        if not self.anneal_steps:
            return np.ones(len(seen))
        return np.array([self.schedule(min(1.0, examples / self.anneal_steps)) for examples in seen])

    def _descend(self, order: np.ndarray, optimizer: Any, learning_rates: np.ndarray) -> np.ndarray | None:
        apart = self.weight_decay if optimizer.decoupled else 0.0
        l2 = self.l2 + self.weight_decay - apart
        bounds = bounds_of(self.parameters, (self.problem.network, slice(None)))
        settings = Settings(learning_rates, self.max_gradient_norm, self.l1, l2, apart, bounds)
        programs, feeds, loss = self._loss
        return descend(programs, feeds, self._examples, order, optimizer, settings, (loss,), self._team, self.seed)

    def _look(self, parameters: np.ndarray) -> None:
        """Score parameters on the validation split; update the best and the epochs since."""
        outcome = evaluate_alone(self._judge, parameters, self.problem.no_statistics(), selection_seeds(1))
        score = float(outcome.fitness[0])
        if score > self._best_score:
            self._best, self._best_score, self._waited = parameters, score, 0
        else:
            self._waited += 1

    def finished(self) -> str | None:
        if self.diverged:
            return DIVERGED
        if self.anneal_steps and self.steps >= self.anneal_steps and self.schedule(1.0) == 0.0:
            return (
                f"the learning rate fell to zero at {self.anneal_steps:,} examples; a new run may go on --from this one"
            )
        if self.patience and self._waited >= self.patience:
            return f"no better on the validation split for {self._waited} epochs"
        return None

    def candidates(self) -> list[Candidate]:
        best = self._best if self.patience and self.generation else self.parameters
        return [Candidate(best.copy(), self.problem.no_statistics())]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "parameters": self.parameters,
            "counts": np.array([self.generation, self.steps, int(self.diverged), self._waited], np.int64),
            "best": self._best,
            "best_score": np.array(self._best_score),
            **{f"optimizer/{name}": array for name, array in self.optimizer.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        if state["parameters"].shape != self.parameters.shape:
            raise ValueError(f"parameters is {state['parameters'].shape}, and {self.parameters.shape} is needed")
        self.problem.check(state["parameters"])
        self.optimizer.restore(below("optimizer/", state))
        self.parameters, self._best = np.array(state["parameters"]), np.array(state["best"])
        self._best_score = float(state["best_score"])
        self.generation, self.steps, diverged, self._waited = (int(count) for count in state["counts"])
        self.diverged = bool(diverged)
