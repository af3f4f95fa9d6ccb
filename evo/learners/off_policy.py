"""Off-policy learning: experience goes into a replay buffer, and updates draw minibatches from all of it.

An iteration collects a few steps in every environment with the policy as it is, then makes the updates that are due.
Collecting and updating do not overlap: an update keeps two processors busy, and collecting takes a few percent of it.
What an update is, and how actions are drawn, a subclass says: SAC, TD3.
"""

import copy
import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from evo.autodiff import Node, Program, Tape
from evo.autodiff.descent import Feeds
from evo.autodiff.stages import Stage, update
from evo.autodiff.team import Team
from evo.envs.engine import interruption
from evo.evaluation.collector import Experience
from evo.evaluation.exploration import Draw, uniform
from evo.learners.demands import critic_from_text, require_world
from evo.learners.environments import Environments
from evo.learners.learner import Candidate
from evo.learners.replay_buffer import Columns, ReplayBuffer
from evo.learners.segments import mask_counted
from evo.networks import Dense, Layer, Network, Squash
from evo.numerics.advantages import ENDED
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import Adam
from evo.problems.control import Walking
from evo.problems.problem import Problem
from evo.storage.memory import size_text
from evo.storage.states import below, check_shapes

_SHARD = 32  # least number of examples in each of a minibatch's two shards
_AT_ONCE = 64  # updates between two checks for an interrupt: some tenths of a second with wide networks


class Batch(NamedTuple):
    """A minibatch on a tape: inputs with a row for each transition. Actions are scaled to ±1.

    pairs: observation and action side by side. continues: 0 where the task ended the episode, else 1.
    """

    pairs: Node
    observations: Node
    rewards: Node
    continues: Node
    following: Node

    @classmethod
    def on(cls, tape: Tape, rows: int, observation_size: int, action_size: int) -> "Batch":
        widths = observation_size + action_size, observation_size, 1, 1, observation_size
        return cls(*(tape.input(rows, width) for width in widths))

    def feeds(self, columns: Columns) -> Feeds:
        """Return from where in a row of the replay buffer the inputs are filled."""
        starts = 0, 0, columns.reward, columns.continues, columns.following
        widths, places = zip(*((node.columns, node.at) for node in self), strict=True)
        return Feeds(np.array(starts), np.array(widths), np.array(places), self.pairs.rows)


class Recorded(NamedTuple):
    """An update on a tape. watched: single numbers whose means are logged, by name. loss: of the last stage."""

    stages: tuple[Stage, ...]
    watched: Mapping[str, Node]
    loss: Node


class _Compiled(NamedTuple):
    programs: tuple[Program, ...]  # each takes an equal shard of a minibatch
    feeds: Feeds
    recorded: Recorded


class OffPolicy(ABC):
    """A learner from a replay buffer, with an actor and critics of its own.

    `problem.network` must end in `squash`: the champion is that network. Observations are normalised only by the
    statistics of `start`, which stay as they are. A subclass is final. Raises ValueError naming an option.

    capacity: transitions in the replay buffer. warm_up: env steps with uniform actions, before the first update.
    environments: number of environments. horizon: env steps of each environment in an iteration. updates_per_step:
    updates for each env step after the warm-up. batch: transitions of a minibatch. learning_rate: learning rate of
    Adam. discount: discount γ of the return. target_rate: τ, the share of the way by which target networks follow.
    critic: layers of each critic's network.
    """

    name: ClassVar[str]
    """The method's name, for errors."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None,
        *,
        capacity: int,
        warm_up: int,
        environments: int,
        horizon: int,
        updates_per_step: float,
        batch: int,
        learning_rate: float,
        discount: float,
        target_rate: float,
        critic: str,
    ) -> None:
        self.problem = _check_problem(self.name, problem, start)
        self.seed, task, network = seed, self.problem.task, self.problem.network
        self.environments = whole_number("environments", environments, 1)
        self.horizon = whole_number("horizon", horizon, 1)
        self.capacity = whole_number("capacity", capacity, environments * horizon)
        self.warm_up = whole_number("warm_up", warm_up, 1)
        self.updates_per_step = positive_number("updates_per_step", updates_per_step)
        self.batch = whole_number("batch", batch, 1)
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.discount = number_between("discount", discount, 0.0, 1.0)
        self.target_rate = number_between("target_rate", target_rate, 0.0, 1.0)
        self.critic = critic_from_text(critic, network.inputs + task.outputs)
        _check_layers(f"name {self.name}", network.layers)
        _check_layers("critic", self.critic.layers)
        if self.critic.remembers:
            raise ValueError(f"critic: it judges single transitions, and {critic!r} remembers; try mlp:256,256:relu")
        squash = network.layers[-1]
        assert isinstance(squash, Squash)
        self.centre, self.half = squash.centre, squash.half
        self.columns = Columns.of(task.observation_size, task.outputs)
        self.buffer = ReplayBuffer(capacity, self.columns.width, seed)

        rng = generator(seed, "initial parameters")
        self.parameters = self._initial(rng, None if start is None else start.params).astype(np.float32)
        self.statistics = self.problem.no_statistics() if start is None else start.statistics
        self._shards = 2 if batch % 2 == 0 and batch >= 2 * _SHARD else 1
        self._team = Team(min(self.problem.workers.threads, self._shards))
        self._world = Environments(self.problem, seed, environments, horizon, network=self.acting)
        self.optimizers = tuple(
            Adam(stage.stop - stage.start, self.learning_rate, dtype=np.float32)
            for stage in self._compiled.recorded.stages
        )
        self.generation = self.updates = 0
        self.diverged, self.errors = False, tuple[str, ...]()
        self.notes = (f"replay buffer: up to {size_text(self.buffer.rows.nbytes)} of memory, and in each checkpoint",)

    @property
    @abstractmethod
    def acting(self) -> Network:
        """The network that collects, with the parameters of `_acting_parameters`."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of all parameters, those of target networks included."""

    @abstractmethod
    def _initial(self, rng: np.random.Generator, policy: np.ndarray | None) -> np.ndarray:
        """Return all initial parameters, (size,); `policy` gives those of the policy, where there is one."""

    @abstractmethod
    def _record(self, tape: Tape, batch: Batch) -> Recorded:
        """Record an update: losses, stages and what is logged of them."""

    @abstractmethod
    def _acting_parameters(self) -> np.ndarray:
        """Return the parameters of `acting`, float32."""

    @abstractmethod
    def _exploration(self) -> tuple[Draw, np.ndarray | None]:
        """Return how actions are drawn after the warm-up, and its numbers: see `evo.evaluation.exploration`."""

    @abstractmethod
    def policy(self) -> np.ndarray:
        """Return the deterministic policy's parameters, as `problem.network` takes them: float32."""

    @property
    def steps(self) -> int:
        return self._world.steps

    @property
    def episodes(self) -> int:
        return self._world.episodes

    @property
    def learns(self) -> bool:
        """Whether the next step makes updates too."""
        return self.steps >= self.warm_up

    @functools.cached_property
    def _compiled(self) -> _Compiled:
        tape = Tape(self.size)
        sizes = self.problem.task.observation_size, self.problem.task.outputs
        batch = Batch.on(tape, self.batch // self._shards, *sizes)
        recorded = self._record(tape, batch)
        program = tape.program(recorded.loss)
        programs = (program, *(program.replica() for _ in range(self._shards - 1)))
        return _Compiled(programs, batch.feeds(self.columns), recorded)

    def prepare(self) -> None:
        """Compile, or load from the cache, what learning needs besides the problem."""
        self._world.prepare()
        self.buffer.sample(0, 0, self.batch)
        self._update(0, 0, self._copies())

    def step(self) -> dict[str, float]:
        """Collect, then make the updates that are due; return metrics. Interrupted, it leaves everything as it was."""
        draw, numbers = (uniform, None) if self.steps < self.warm_up else self._exploration()
        parameters = self._acting_parameters()
        blocks, seen = self._world.collect(parameters, self.statistics, self.generation, draw, numbers)
        self._world.check(seen, self.generation)
        self.errors = seen.errors
        before = self.buffer.append(self._transitions(seen))
        try:
            learned = self._learn(self.steps + int(seen.lengths.sum()))
        except BaseException:
            self.buffer.take_back(before)
            raise
        self.generation += 1
        return {"generation": self.generation, **self._world.commit(blocks, seen), **learned}

    def _transitions(self, seen: Experience) -> np.ndarray:
        """Return the steps that succeeded as rows of the replay buffer, float32 (count, width).

        A step whose following observation is not finite is left out: the next one fails.
        """
        counts, columns = mask_counted(seen), self.columns
        (mean, scale), clip = self.problem.normalisation(self.statistics), self.problem.network.clip_observation
        rows = np.empty((int(counts.sum()), columns.width), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            rows[:, : columns.action] = np.clip((seen.observations[counts] - mean) * scale, -clip, clip)
            actions = (seen.actions[counts] - self.centre) / self.half
            rows[:, columns.action : columns.reward] = np.clip(actions, -1.0, 1.0)
            rows[:, columns.reward] = seen.rewards[counts]
            rows[:, columns.continues] = seen.marks[counts] != ENDED
            rows[:, columns.following :] = np.clip((seen.following[counts] - mean) * scale, -clip, clip)
        return rows[np.isfinite(rows).all(axis=1)]

    def _learn(self, steps: int) -> dict[str, float]:
        """Make the updates that are due after so many env steps; return their metrics."""
        due = int(self.updates_per_step * max(0, steps - self.warm_up)) - self.updates
        names = self._compiled.recorded.watched
        optimizers, sums, made = self._copies(), np.zeros((2, len(names))), 0
        programs = self._compiled.programs
        programs[0].parameters[:] = self.parameters
        while made < due:
            interruption.check()
            count = min(_AT_ONCE, due - made)
            found = self._update(self.updates + made, count, optimizers)
            if found is None:
                self.diverged = True
                return dict.fromkeys(names, math.nan) | {"updates": self.updates}
            sums, made = sums + found, made + count
        if made:
            self.parameters, self.optimizers = programs[0].parameters.copy(), optimizers
            self.updates += made
        means = np.where(sums[1] > 0, sums[0] / np.maximum(sums[1], 1.0), math.nan)
        return dict(zip(names, means.tolist(), strict=True)) | {"updates": self.updates}

    def _update(self, first: int, count: int, optimizers: tuple[Adam, ...]) -> np.ndarray | None:
        programs, feeds, recorded = self._compiled
        order = self.buffer.sample(first, count, self.batch)
        watched = tuple(recorded.watched.values())
        given = recorded.stages, optimizers, first, watched, self._team, self.seed
        return update(programs, feeds, self.buffer.rows, order, *given)

    def _copies(self) -> tuple[Adam, ...]:
        return tuple(copy.copy(optimizer) for optimizer in self.optimizers)

    def finished(self) -> str | None:
        if not self.diverged:
            return None
        return f"{self.name.upper()} diverged: its gradient was no longer finite; try a lower method.learning_rate"

    def candidates(self) -> list[Candidate]:
        return [Candidate(self.policy(), self.statistics)]

    def state(self) -> dict[str, np.ndarray]:
        return {
            "parameters": self.parameters,
            "counts": np.array([self.generation, self.updates, int(self.diverged)], np.int64),
            **{f"world/{name}": array for name, array in self._world.state().items()},
            **{f"buffer/{name}": array for name, array in self.buffer.state().items()},
            **{
                f"optimizer{index}/{name}": array
                for index, optimizer in enumerate(self.optimizers)
                for name, array in optimizer.state().items()
            },
            **{f"statistics/{name}": array for name, array in self.statistics.state().items()},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        check_shapes(state, self.state(), "world/", "buffer/")
        self._world.restore(below("world/", state))
        self.buffer.restore(below("buffer/", state))
        self.parameters = np.array(state["parameters"])
        for index, optimizer in enumerate(self.optimizers):
            optimizer.restore(below(f"optimizer{index}/", state))
        self.statistics = type(self.statistics).restored(below("statistics/", state))
        self.generation, self.updates, diverged = (int(count) for count in state["counts"])
        self.diverged = bool(diverged)


def _check_problem(name: str, problem: Problem, start: Candidate | None) -> Walking:
    """Return the problem. Raises ValueError where an off-policy learner cannot learn on it."""
    problem = require_world(name, problem)
    task, network = problem.task, problem.network
    if task.choices:
        raise ValueError(
            f"name {name} takes continuous actions, and {task.name} one of {task.choices} choices: for example ppo"
        )
    if not isinstance(network.layers[-1], Squash):
        raise ValueError(
            f"name {name} learns a policy that ends in squash, and network.layers is {network.text!r}: for example "
            "'mlp:256,256:relu>squash'"
        )
    if network.remembers:
        raise ValueError(f"name {name} learns from single transitions, and {network.text!r} remembers: for example ppo")
    if network.normalise and start is None:
        raise ValueError(
            f"name {name} has no statistics to normalise observations by: set network.normalise to false, or begin "
            "--from a champion that has some"
        )
    return problem


def _check_layers(option: str, layers: tuple[Layer, ...]) -> None:
    for layer in layers:
        if not layer.differentiable:
            raise ValueError(
                f"{option}: {type(layer).__name__} has no gradient, and it needs one; try mlp:256,256:relu"
            )


def initial(network: Network, rng: np.random.Generator) -> np.ndarray:
    """Return initial parameters: in dense layers weights and biases uniform within ±1/√inputs, as torch's begin."""
    parts = []
    for layer, shape, size in zip(network.layers, network.shapes, network.sizes, strict=False):
        limit = 1.0 / math.sqrt(math.prod(shape))
        parts.append(rng.uniform(-limit, limit, size) if isinstance(layer, Dense) else layer.initial(shape, rng))
    return np.concatenate(parts)
