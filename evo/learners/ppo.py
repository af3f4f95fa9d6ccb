"""PPO: proximal policy optimisation (Schulman et al. 2017).

Schulman, Wolski, Dhariwal, Radford & Klimov 2017, "Proximal Policy Optimization Algorithms", Algorithm 1, with the
details that Huang et al. 2022, "The 37 Implementation Details of PPO", document from the reference implementations.
"""

import copy
import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np

from evo.autodiff import Node, Program, Tape
from evo.autodiff.descent import Feeds, Settings, assess, descend
from evo.autodiff.team import Team
from evo.envs.engine import interruption
from evo.envs.engine.physics import EngineError
from evo.evaluation.collector import Experience
from evo.learners import segments
from evo.learners.demands import bounds_of, critic_from_text, require_world
from evo.learners.environments import Environments
from evo.learners.learner import Candidate
from evo.learners.segments import WEIGHT, Examples, Relived, mask_counted, replay_critic, to_table, weigh
from evo.learners.stochastic_policy import drawing, log_density
from evo.networks import Dense, Network
from evo.networks.initialisation import orthogonal
from evo.numerics.advantages import RewardScale, advantages, standardise
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import Adam
from evo.problems.problem import Problem
from evo.storage.states import below, check_shapes

DIVERGED = "PPO diverged: its gradient was no longer finite; try a lower method.learning_rate"
_SHARD = 32  # least number of steps in each of a minibatch's two shards: smaller ones gained nothing
_LOG_PROBABILITY, _ADVANTAGE, _TARGET, _VALUE = range(-4, 0)  # columns of a step in the examples
_EPSILON = 1e-5  # Adam's (Huang 2022, detail 3)
_HIDDEN_GAIN, _ACTOR_GAIN, _CRITIC_GAIN = math.sqrt(2.0), 0.01, 1.0  # Huang 2022, detail 2


class _Loss(NamedTuple):
    """The loss on a tape, and the nodes whose values are read."""

    programs: tuple[Program, ...]  # each takes an equal shard of a minibatch
    feeds: Feeds
    log_probabilities: tuple[Node, ...]  # of each step of an example
    value: Node
    watched: tuple[Node, ...]  # policy loss, value loss, entropy, approximate KL divergence


@final
class PPO:
    """Proximal policy optimisation: collects steps in persistent environments, then takes epochs of Adam's steps.

    The actor is the problem's network; its outputs are the mean of a normal distribution whose standard deviation is
    learned, the same in all states, or the logits of choices. The critic shares nothing with it. The champion is the
    actor without noise; `start` gives the initial one. Observations are normalised by the statistics of all earlier
    iterations; where a network normalises, the first iteration gathers them and learns nothing yet.

    Where actor or critic has memory, both learn by truncated backprop through time, from segments that begin with the
    stored memory (see `evo.learners.segments`). The critic's memory persists between iterations, as the actor's does.

    environments: number of environments. horizon: env steps of each environment in an iteration. segment: env steps of
    a segment of backprop through time. It must divide `horizon` and `minibatch`. minibatch: env steps of a minibatch.
    It must divide environments × horizon. epochs: passes over an iteration's steps. learning_rate: learning rate of
    Adam. anneal_steps: env steps over which that falls linearly to zero, by default those of the budget, 0 for a
    constant one. discount: discount γ of the return. gae_lambda: λ of generalised advantage estimation (Schulman 2016).
    clip: bound ε of the probability ratio, in equation 7. clip_value: whether the change of the value is bounded by ε
    too. value_coefficient: coefficient c1 of the value's loss in equation 9, the plain squared error.
    entropy_coefficient: coefficient c2 of the entropy in equation 9. max_gradient_norm: norm to which longer gradients
    are scaled down. initial_deviation: initial standard deviation of the actions. normalise_reward: whether rewards are
    divided by the standard deviation of the discounted return. critic: layers of the critic's network.
    """

    summary = "proximal policy optimisation, by backprop (Schulman 2017)"

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        environments: int = 8,
        horizon: int = 256,
        segment: int = 16,
        minibatch: int = 64,
        epochs: int = 10,
        learning_rate: float = 3e-4,
        anneal_steps: int | None = None,
        discount: float = 0.99,
        gae_lambda: float = 0.95,
        clip: float = 0.2,
        clip_value: bool = True,
        value_coefficient: float = 0.25,
        entropy_coefficient: float = 0.0,
        max_gradient_norm: float = 0.5,
        initial_deviation: float = 1.0,
        normalise_reward: bool = True,
        critic: str = "mlp:64,64",
    ) -> None:
        problem = require_world("ppo", problem)
        self.problem, self.seed = problem, seed
        self.environments = whole_number("environments", environments, 1)
        self.horizon = whole_number("horizon", horizon, 1)
        self.minibatch = whole_number("minibatch", minibatch, 2, environments * horizon)
        if environments * horizon % minibatch:
            raise ValueError(
                f"minibatch must divide environments × horizon = {environments * horizon}, got {minibatch}"
            )
        self.epochs = whole_number("epochs", epochs, 1)
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.anneal_steps = None if anneal_steps is None else whole_number("anneal_steps", anneal_steps, 0)
        self.discount = number_between("discount", discount, 0.0, 1.0)
        self.gae_lambda = number_between("gae_lambda", gae_lambda, 0.0, 1.0)
        self.clip, self.clip_value = positive_number("clip", clip), clip_value
        self.value_coefficient = positive_number("value_coefficient", value_coefficient)
        self.entropy_coefficient = number_between("entropy_coefficient", entropy_coefficient, 0.0)
        self.max_gradient_norm = positive_number("max_gradient_norm", max_gradient_norm)
        self.normalise_reward = normalise_reward

        self.actor = problem.network
        self.critic = critic_from_text(critic, self.actor.inputs)
        self.deviations = 0 if problem.task.choices else self.actor.outputs
        for option, network in (("name ppo", self.actor), ("critic", self.critic)):
            for layer in network.layers:
                if not layer.differentiable:
                    raise ValueError(
                        f"{option}: {type(layer).__name__} has no gradient, and PPO needs one; try mlp:64,64"
                    )
            if network.remembers and not network.carried.size:
                raise ValueError(
                    f"{option}: {network.text!r} can only begin with an empty memory, and PPO begins within episodes; "
                    "try lstm:32"
                )
        self._remembers = self.actor.remembers or self.critic.remembers
        self.segment = whole_number("segment", segment, 1) if self._remembers else 1
        if horizon % self.segment or minibatch % self.segment:
            raise ValueError(f"segment must divide horizon = {horizon} and minibatch = {minibatch}, got {segment}")
        self._size = minibatch // self.segment  # number of examples in a minibatch
        self._shards = 2 if self._size % 2 == 0 and minibatch >= 2 * _SHARD else 1
        self._team = Team(min(problem.workers.threads, self._shards))
        every = self.segment if self._remembers else 0
        self._world = Environments(problem, seed, environments, horizon, every=every)

        first = _initial(self.actor, _ACTOR_GAIN, generator(seed, "initial parameters"))
        weights = first if start is None else start.params
        self._weights = len(weights)  # an actor may have as many as it likes
        parameters = [
            weights,
            np.full(self.deviations, math.log(positive_number("initial_deviation", initial_deviation))),
            _initial(self.critic, _CRITIC_GAIN, generator(seed, "initial critic")),
        ]
        self.parameters = np.concatenate(parameters).astype(np.float32)  # actor, log deviations, critic
        self.optimizer = Adam(len(self.parameters), self.learning_rate, epsilon=_EPSILON, dtype=np.float32)
        self.statistics = problem.no_statistics() if start is None else start.statistics
        self.reward_scale = RewardScale(np.zeros(environments))
        self.critic_memory = np.zeros((environments, self.critic.memory_size), np.float32)
        self.generation = 0
        self.diverged, self.errors = False, tuple[str, ...]()

    @property
    def steps(self) -> int:
        return self._world.steps

    @property
    def episodes(self) -> int:
        return self._world.episodes

    @property
    def learns(self) -> bool:
        """Whether the next step learns; the first observations are not normalised, and only give statistics."""
        return not self.actor.normalise or self.statistics.count > 0

    @functools.cached_property
    def _loss(self) -> _Loss:
        """The loss of a minibatch: Schulman 2017, equations 7 and 9."""
        task, at = self.problem.task, self._weights + self.deviations
        steps, size = self.segment, self._size // self._shards
        tape = Tape(at + self.critic.size)
        observations = tape.input(steps * size, self.actor.inputs)
        actions = tape.input(steps * size, 1 if task.choices else self.actor.outputs)
        old_log_probability, advantage, target, old_value = (tape.input(steps * size, 1) for _ in range(4))
        inputs, weight = [observations, actions, old_log_probability, advantage, target, old_value], None
        if self._remembers:
            goes_on, weight = tape.input(steps * size, 1), tape.input(steps * size, 1)
            tape.go_on(goes_on)
            inputs = [goes_on, weight, *inputs]

        def mean(node: Node) -> Node:
            return (node if weight is None else node * weight).mean()

        outputs = self.actor.apply(tape, observations, 0, steps)
        if task.choices:
            log_probabilities = outputs.log_softmax()
            log_probability = log_probabilities.pick(actions)
            entropy = -mean((log_probabilities.exp() * log_probabilities).total())
        else:
            log_deviation = tape.parameters(self._weights, 1, self.deviations)
            log_probability = log_density(outputs, actions, log_deviation)
            entropy = (log_deviation + 0.5 * math.log(2.0 * math.pi * math.e)).total()
        change = log_probability - old_log_probability
        ratio = change.exp()  # r_t(θ)
        clipped = ratio.clip(1.0 - self.clip, 1.0 + self.clip)
        policy_loss = -mean((ratio * advantage).minimum(clipped * advantage))  # equation 7

        value = self.critic.apply(tape, observations, at, steps)
        error = value - target
        square = error * error
        if self.clip_value:
            bounded = old_value + (value - old_value).clip(-self.clip, self.clip) - target
            square = square.maximum(bounded * bounded)
        value_loss = mean(square)

        loss = policy_loss + value_loss * self.value_coefficient - entropy * self.entropy_coefficient  # equation 9
        divergence = mean(ratio - 1.0 - change)  # an unbiased, low-variance estimate of KL(old, new)
        parts = [node.part(step * size, size) for step in range(steps) for node in inputs]
        feeds = Feeds.into(*parts, *tape.states)
        watched = (policy_loss, value_loss, entropy, divergence)
        program = tape.program(loss)
        programs = (program, *(program.replica() for _ in range(self._shards - 1)))
        each = tuple(log_probability.part(step * size, size) for step in range(steps))
        return _Loss(programs, feeds, each, value, watched)

    def prepare(self) -> None:
        """Compile, or load from the cache, what learning needs besides the problem."""
        self._world.prepare()
        unlived = np.zeros((self.environments, 0)), np.zeros((self.environments, 0), np.int64)
        lengths = np.zeros(self.environments, np.int64)
        self.reward_scale.scale(*unlived, lengths, self.discount)
        advantages(unlived[0], unlived[0].astype(np.float32), unlived[1], lengths, self.discount, self.gae_lambda)
        examples = np.zeros((1, int(self._loss.feeds.columns.sum())), np.float32)
        assess(self._loss.programs[0], self._loss.feeds, examples, *self._loss.log_probabilities)
        self._descend(examples, np.zeros((0, self._size), np.int64), self.optimizer)
        if self._remembers:
            observations = np.zeros((self.environments, 1, self.critic.inputs), np.float32)
            self._replay_critic(observations, unlived[1], lengths)

    def step(self) -> dict[str, float]:
        """Run one iteration of Algorithm 1; return its metrics. Interrupted, it leaves everything as it was."""
        blocks, seen = self._collect()
        self._world.check(seen, self.generation)
        self.errors = seen.errors
        learning_rate = self._anneal()
        scaled, reward_scale = seen.rewards, self.reward_scale
        if self.normalise_reward:
            scaled, reward_scale = reward_scale.scale(seen.rewards, seen.marks, seen.lengths, self.discount)
        critic_memory = self.critic_memory
        if self._remembers:
            examples, critic_memory = self._segments(seen, scaled)
        else:
            examples = self._single_steps(seen, scaled)
        rows = np.flatnonzero(examples.counts.any(axis=1))
        if len(rows) < self._size:
            reasons = "; ".join([*seen.failures, *seen.errors[:1]])
            raise EngineError(f"hardly any step of iteration {self.generation} succeeded: {reasons}")
        optimizer, watched = copy.copy(self.optimizer), np.full(len(self._loss.watched), np.nan)
        sums = np.zeros(len(watched))
        epochs = self.epochs if self.learns else 0
        for epoch in range(epochs):
            interruption.check()
            shuffled = generator(self.seed, "minibatches", self.generation, epoch).permutation(rows)
            order = shuffled[: len(rows) // self._size * self._size].reshape(-1, self._size)
            self._standardise(examples, order)
            means = self._descend(examples.table, order, optimizer)
            if means is None:
                self.diverged = True
                break
            sums += means
        else:
            if epochs:
                watched = sums / epochs
            self.parameters, self.optimizer = self._loss.programs[0].parameters.copy(), optimizer
        self.reward_scale, self.statistics = reward_scale, self.statistics.merged(seen.statistics)
        self.critic_memory = critic_memory
        self.generation += 1
        policy_loss, value_loss, entropy, divergence = watched.tolist()
        return {
            "generation": self.generation,
            **self._world.commit(blocks, seen),
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "divergence": divergence,
            "explained_variance": examples.explained,
            "learning_rate": learning_rate,
        }

    def _collect(self) -> tuple[np.ndarray, Experience]:
        weights, log_deviation, _ = np.split(self.parameters, np.cumsum([self._weights, self.deviations]))
        return self._world.collect(weights, self.statistics, self.generation, *drawing(log_deviation))

    def _single_steps(self, seen: Experience, rewards: np.ndarray) -> Examples:
        """Return examples of one step each: a row for every observation, not only those acted upon."""
        observed = segments.network_inputs(seen, self.problem, self.statistics)
        (environments, rows, inputs), taken = observed.shape, seen.actions.shape[2]
        table = np.zeros((environments, rows, inputs + taken + 4), np.float32)
        table[:, :, :inputs] = observed
        table[:, : self.horizon, inputs : inputs + taken] = seen.actions
        flat = table.reshape(environments * rows, -1)
        log_probabilities, values = self._assess(flat, self._loss.value).T.reshape(2, environments, rows)

        gains = advantages(rewards, values, seen.marks, seen.lengths, self.discount, self.gae_lambda)
        acted = table[:, : self.horizon, inputs + taken :]
        acted[:, :, 0], acted[:, :, 1] = log_probabilities[:, : self.horizon], gains
        acted[:, :, 2], acted[:, :, 3] = gains + values[:, : self.horizon], values[:, : self.horizon]
        counts = np.zeros((environments, rows), np.bool_)
        counts[:, : self.horizon] = mask_counted(seen)
        explained = segments.explained_share(gains[counts[:, : self.horizon]], table[counts, _TARGET])
        advantage = flat[:, _ADVANTAGE, np.newaxis].astype(np.float64)
        return Examples(flat, 1, flat.shape[1], advantage, counts.reshape(-1, 1), explained)

    def _segments(self, seen: Experience, rewards: np.ndarray) -> tuple[Examples, np.ndarray]:
        """Return a row for every segment, and the critic's memory after them."""
        observed = segments.network_inputs(seen, self.problem, self.statistics)
        values, memories, after = self._replay_critic(observed, seen.marks, seen.lengths)
        gains = advantages(rewards, values, seen.marks, seen.lengths, self.discount, self.gae_lambda)
        counts, values = mask_counted(seen), values[:, : self.horizon]
        table = to_table(seen, observed, counts, spare=4)
        table[:, :, _TARGET], table[:, :, _VALUE] = np.where(counts, [gains + values, values], 0.0)
        explained = segments.explained_share(gains[counts], table[counts, _TARGET])
        states = seen.memories[:, :, self.actor.carried], memories[:, :, self.critic.carried]
        number, steps = counts.size // self.segment, self.segment
        flat = np.concatenate([part.reshape(number, -1) for part in (table, *states)], axis=1)
        shares = gains.reshape(number, steps), counts.reshape(number, steps)
        examples = Examples(flat, steps, table.shape[2], *shares, explained)
        examples.column(_LOG_PROBABILITY)[:] = self._assess(flat)
        return examples, after

    def _assess(self, table: np.ndarray, *nodes: Node) -> np.ndarray:
        """Return log-probabilities of all steps' actions, and nodes, at the current parameters: (examples, columns)."""
        program = self._loss.programs[0]
        program.parameters[:] = self.parameters
        return assess(program, self._loss.feeds, table, *self._loss.log_probabilities, *nodes)

    def _replay_critic(self, observations: np.ndarray, marks: np.ndarray, lengths: np.ndarray) -> Relived:
        params = self.parameters[self._weights + self.deviations :]
        return replay_critic(self.critic, params, self.critic_memory, observations, marks, lengths, self.segment)

    def _standardise(self, examples: Examples, order: np.ndarray) -> None:
        """Standardise the advantages in each minibatch (Huang 2022, detail 7)."""
        gains = examples.gains[order].reshape(len(order), self.minibatch)
        if self._remembers:
            gains, weights = weigh(gains, examples.counts[order].reshape(gains.shape))
            examples.column(WEIGHT)[order] = weights.reshape(*order.shape, -1)
        else:
            gains = standardise(gains)
        examples.column(_ADVANTAGE)[order] = gains.reshape(*order.shape, -1)

    def _descend(self, examples: np.ndarray, order: np.ndarray, optimizer: Adam) -> np.ndarray | None:
        actor, critic = slice(0, self._weights), slice(self._weights + self.deviations, None)
        bounds = bounds_of(self.parameters, (self.actor, actor), (self.critic, critic))
        settings = Settings(np.full(len(order), self._anneal()), self.max_gradient_norm, bounds=bounds)
        loss = self._loss
        return descend(loss.programs, loss.feeds, examples, order, optimizer, settings, loss.watched, self._team)

    def _anneal(self) -> float:
        """Return the learning rate of this iteration."""
        if not self.anneal_steps:
            return self.learning_rate
        return self.learning_rate * max(0.0, 1.0 - self.steps / self.anneal_steps)

    def finished(self) -> str | None:
        if self.anneal_steps and self.steps >= self.anneal_steps:
            return f"the learning rate fell to zero at {self.anneal_steps:,} steps; a new run may go on --from this one"
        return DIVERGED if self.diverged else None

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.parameters[: self._weights].copy(), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "parameters": self.parameters,
            **({"critic_memory": self.critic_memory} if self._remembers else {}),
            "counts": np.array([self.generation, int(self.diverged)], np.int64),
            **{f"world/{name}": array for name, array in self._world.state().items()},
            **{f"optimizer/{name}": array for name, array in self.optimizer.state().items()},
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
            **{f"reward_scale/{name}": array for name, array in self.reward_scale.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        check_shapes(state, self.state(), "world/")
        self.actor.check(state["parameters"][: self._weights])
        self._world.restore(below("world/", state))
        self.parameters = np.array(state["parameters"])
        if self._remembers:
            self.critic_memory = np.array(state["critic_memory"])
        self.optimizer.restore(below("optimizer/", state))
        self.statistics = ObservationStatistics.restored(below("statistics/", state))
        self.reward_scale = RewardScale.restored(below("reward_scale/", state))
        self.generation, diverged = (int(count) for count in state["counts"])
        self.diverged = bool(diverged)


def _initial(network: Network, last_gain: float, rng: np.random.Generator) -> np.ndarray:
    """Return orthogonal weights and zero biases; layers that are not dense keep their own initialisation."""
    parts = []
    for layer, shape, size in zip(network.layers, network.shapes, network.sizes, strict=False):
        if isinstance(layer, Dense):
            gain = last_gain if layer is network.layers[-1] else _HIDDEN_GAIN
            weights = gain * orthogonal(shape[0], layer.outputs, rng).ravel()
            parts += [weights, np.zeros(size - len(weights))]
        else:
            parts.append(layer.initial(shape, rng))
    return np.concatenate(parts)
