"""REINFORCE with a baseline: the policy gradient in its simplest form (Williams 1992).

Williams 1992, "Simple statistical gradient-following algorithms for connectionist reinforcement learning"; with a
learned baseline as in Sutton & Barto 2018, "Reinforcement Learning: An Introduction", section 13.4.
"""

import copy
import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np

from evo.autodiff import Node, Program, Tape
from evo.autodiff.descent import Feeds, Settings, descend
from evo.evaluation.collector import Experience
from evo.learners.demands import bounds_of, critic_from_text, require_world
from evo.learners.environments import Environments
from evo.learners.learner import Candidate
from evo.learners.segments import mask_counted, network_inputs
from evo.learners.stochastic_policy import drawing, log_density
from evo.numerics.advantages import GOING_ON
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import Adam
from evo.problems.problem import Problem
from evo.storage.states import below, check_shapes

DIVERGED = "REINFORCE diverged: its gradient was no longer finite; try a lower method.learning_rate"


class _Loss(NamedTuple):
    program: Program
    feeds: Feeds
    watched: tuple[Node, ...]  # policy loss, baseline's loss


@final
class REINFORCE:
    """REINFORCE with a baseline: collects whole episodes, then takes one step of Adam up the policy gradient.

    The policy is the problem's network; its outputs are the mean of a normal distribution whose standard deviation is
    learned, the same in all states, or the logits of choices. The baseline is a critic that shares nothing with it.
    Returns are standardised in each iteration. The champion is the policy without noise; `start` gives the initial one.
    Where a network normalises, the first iteration gathers statistics and learns nothing yet.

    episodes: episodes of an iteration. learning_rate: learning rate of Adam. discount: discount γ of the return.
    initial_deviation: initial standard deviation of the actions. critic: layers of the baseline's network.
    """

    summary = "REINFORCE with a baseline: the plain policy gradient (Williams 1992)"

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        episodes: int = 8,
        learning_rate: float = 3e-3,
        discount: float = 0.99,
        initial_deviation: float = 1.0,
        critic: str = "mlp:64,64",
    ) -> None:
        problem = require_world("reinforce", problem)
        self.problem, self.seed, self.policy = problem, seed, problem.network
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.discount = number_between("discount", discount, 0.0, 1.0)
        self.critic = critic_from_text(critic, self.policy.inputs)
        for option, network in (("name reinforce", self.policy), ("critic", self.critic)):
            if network.remembers or not all(layer.differentiable for layer in network.layers):
                raise ValueError(f"{option} needs layers with a gradient and without memory: try mlp:64,64")
        # an environment waits at its episode's end, so each call collects one whole episode of each
        self._count = whole_number("episodes", episodes, 1)
        self._world = Environments(problem, seed, self._count, problem.task.steps, waits=True)
        self._deviations = 0 if problem.task.choices else self.policy.outputs
        rng = generator(seed, "initial parameters")
        weights = self.policy.initial(rng) if start is None else start.params
        self._weights = len(weights)  # a policy may have as many as it likes
        deviations = np.full(self._deviations, math.log(positive_number("initial_deviation", initial_deviation)))
        parameters = [weights, deviations, self.critic.initial(rng)]
        self.parameters = np.concatenate(parameters).astype(np.float32)  # policy, log deviations, baseline
        self.optimizer = Adam(len(self.parameters), self.learning_rate, dtype=np.float32)
        self.statistics = problem.no_statistics() if start is None else start.statistics
        self.generation, self.diverged, self.errors = 0, False, tuple[str, ...]()

    @property
    def steps(self) -> int:
        return self._world.steps

    @property
    def episodes(self) -> int:
        return self._world.episodes

    @functools.cached_property
    def _loss(self) -> _Loss:
        task, rows, size = self.problem.task, self._count * self.problem.task.steps, self._weights
        tape = Tape(len(self.parameters))
        observations, actions = (
            tape.input(rows, self.policy.inputs),
            tape.input(rows, 1 if task.choices else task.outputs),
        )
        returns, weight = tape.input(rows, 1), tape.input(rows, 1)  # G_t, and 0 for a step that was not taken

        outputs = self.policy.apply(tape, observations, 0, 1)
        if task.choices:
            log_probability = outputs.log_softmax().pick(actions)
        else:
            log_deviation = tape.parameters(size, 1, self._deviations)
            log_probability = log_density(outputs, actions, log_deviation)
        baseline = self.critic.apply(tape, observations, size + self._deviations, 1)
        advantage = returns - baseline.detach()
        policy_loss = -(log_probability * advantage * weight).mean()  # its gradient: -(G_t - b(s_t)) ∇ log π(a_t | s_t)
        error = returns - baseline
        baseline_loss = (error * error * weight).mean()
        feeds = Feeds.into(observations, actions, returns, weight)
        return _Loss(tape.program(policy_loss + baseline_loss), feeds, (policy_loss, baseline_loss))

    def prepare(self) -> None:
        """Compile, or load from the cache, what learning needs besides the problem."""
        self._world.prepare()
        self._descend(np.zeros((0, int(self._loss.feeds.columns.sum())), np.float32), copy.copy(self.optimizer))

    def step(self) -> dict[str, float]:
        """Run one iteration; return its metrics. Interrupted, it leaves everything as it was."""
        weights, log_deviation, _ = np.split(self.parameters, np.cumsum([self._weights, self._deviations]))
        blocks, seen = self._world.collect(weights, self.statistics, self.generation, *drawing(log_deviation))
        self._world.check(seen, self.generation)
        self.errors = seen.errors
        losses = np.full(2, math.nan)
        if not self.policy.normalise or self.statistics.count:
            optimizer = copy.copy(self.optimizer)
            found = self._descend(self._examples(seen), optimizer)
            self.diverged = found is None
            if found is not None:
                losses, self.parameters, self.optimizer = found, self._loss.program.parameters.copy(), optimizer
        self.statistics = self.statistics.merged(seen.statistics)
        self.generation += 1
        return {
            "generation": self.generation,
            **self._world.commit(blocks, seen),
            "policy_loss": float(losses[0]),
            "baseline_loss": float(losses[1]),
        }

    def _examples(self, seen: Experience) -> np.ndarray:
        """Return a row for each step, taken or not: observation, action, return, weight, (steps, columns)."""
        counts = mask_counted(seen)
        rewards, following = np.where(counts, seen.rewards, 0.0), np.zeros(len(counts))
        returns = np.zeros_like(rewards)
        for step in reversed(range(counts.shape[1])):
            going_on = seen.marks[:, step] == GOING_ON
            following = rewards[:, step] + self.discount * np.where(going_on, following, 0.0)
            returns[:, step] = following
        returns = (returns - returns[counts].mean()) / (returns[counts].std() + 1e-8)
        weight = counts * (counts.size / counts.sum())
        inputs = network_inputs(seen, self.problem, self.statistics)[:, : returns.shape[1]]
        parts = [inputs, seen.actions, returns[:, :, np.newaxis], weight[:, :, np.newaxis]]
        table = np.concatenate(parts, axis=2, dtype=np.float32, casting="unsafe")
        table[~counts] = 0.0
        return table.reshape(counts.size, -1)

    def _descend(self, examples: np.ndarray, optimizer: Adam) -> np.ndarray | None:
        program, feeds, watched = self._loss
        program.parameters[:] = self.parameters
        order = np.arange(feeds.rows).reshape(1, -1) if len(examples) else np.zeros((0, feeds.rows), np.int64)
        policy, critic = slice(0, self._weights), slice(self._weights + self._deviations, None)
        bounds = bounds_of(self.parameters, (self.policy, policy), (self.critic, critic))
        settings = Settings(np.full(len(order), self.learning_rate), bounds=bounds)
        return descend((program,), feeds, examples, order, optimizer, settings, watched)

    def finished(self) -> str | None:
        return DIVERGED if self.diverged else None

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.parameters[: self._weights].copy(), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "parameters": self.parameters,
            "counts": np.array([self.generation, int(self.diverged)], np.int64),
            **{f"world/{name}": array for name, array in self._world.state().items()},
            **{f"optimizer/{name}": array for name, array in self.optimizer.state().items()},
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        check_shapes(state, self.state(), "world/")
        self.policy.check(state["parameters"][: self._weights])
        self._world.restore(below("world/", state))
        self.parameters = np.array(state["parameters"])
        self.optimizer.restore(below("optimizer/", state))
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.generation, diverged = (int(count) for count in state["counts"])
        self.diverged = bool(diverged)
