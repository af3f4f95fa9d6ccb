"""TD3: twin delayed deep deterministic policy gradient (Fujimoto et al. 2018).

Fujimoto, van Hoof & Meger 2018, "Addressing Function Approximation Error in Actor-Critic Methods", Algorithm 1; sizes
and settings are those of the authors' code where it differs from the paper.
"""

import functools
from typing import NamedTuple, final

import numpy as np

from evo.autodiff import Node, Tape
from evo.autodiff.stages import Stage
from evo.evaluation.exploration import Draw, gaussian
from evo.learners.learner import Candidate
from evo.learners.off_policy import Batch, OffPolicy, Recorded, initial
from evo.networks import Dense, Network
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.problems.problem import Problem


class Places(NamedTuple):
    """Where parameters begin after the actor's: critics, the target actor, target critics; and how many there are."""

    critics: tuple[int, int]
    slow_actor: int
    targets: tuple[int, int]
    size: int

    @classmethod
    def of(cls, actor: Network, critic: Network) -> "Places":
        first, second, slow = (actor.size + count * critic.size for count in range(3))
        third, fourth, size = (slow + actor.size + count * critic.size for count in range(3))
        return cls((first, second), slow, (third, fourth), size)


class Smoothing(NamedTuple):
    """Noise on the target's actions: its deviation, and the bound that it is clipped to, of actions in ±1."""

    deviation: float
    clip: float


def record(
    tape: Tape,
    actor: Network,
    critic: Network,
    batch: Batch,
    noise: Node,
    discount: float,
    smoothing: Smoothing,
    target_rate: float,
    policy_every: int,
) -> tuple[Recorded, Node]:
    """Record an update of Algorithm 1; return it, and the critics' target. noise: standard normals, (rows, actions)."""
    places = Places.of(actor, critic)
    with tape.frozen():
        shift = (noise * smoothing.deviation).clip(-smoothing.clip, smoothing.clip)
        next_action = (actor.apply(tape, batch.following, places.slow_actor, 1) + shift).clip(-1.0, 1.0)  # equation 14
        pairs = batch.following.concat(next_action)
        first, second = (critic.apply(tape, pairs, at, 1) for at in places.targets)
        target = batch.rewards + batch.continues * first.minimum(second) * discount  # equation 10
    errors = [critic.apply(tape, batch.pairs, at, 1) - target for at in places.critics]
    critic_loss = (errors[0] * errors[0]).mean() + (errors[1] * errors[1]).mean()
    start, stop = places.critics[0], places.slow_actor
    critics = Stage(tape.stage(critic_loss), start, stop, 1, places.targets[0], target_rate, policy_every)

    # every so many updates: the deterministic policy gradient, of the first critic
    action = actor.apply(tape, batch.observations, 0, 1)
    with tape.frozen():
        value = critic.apply(tape, batch.observations.concat(action), places.critics[0], 1)
    actor_loss = -value.mean()
    every = policy_every, places.slow_actor, target_rate, policy_every
    actors = Stage(tape.stage(actor_loss), 0, actor.size, *every)
    return Recorded((critics, actors), {"critic_loss": critic_loss, "actor_loss": actor_loss}, actor_loss), target


@final
class TD3(OffPolicy):
    """Twin delayed DDPG: collects with a noisy policy; improves it and two critics from the replay buffer.

    The smaller of the two critics' values counts, noise on the target's actions smooths the critics, and the policy and
    the target networks move in every second update only. The policy without noise is the champion; `start` gives the
    initial one.

    exploration: standard deviation of the noise on actions, as a share of half their range. smoothing: standard
    deviation of the noise on the target's actions, in the same unit. smoothing_clip: bound of that noise. policy_every:
    updates of the critics for each of the policy, d in the paper. The other options are those of `OffPolicy`.
    """

    summary = "twin delayed DDPG: off-policy backprop through the critics (Fujimoto 2018)"
    name = "td3"

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        capacity: int = 1_000_000,
        warm_up: int = 25_000,
        environments: int = 1,
        horizon: int = 50,
        updates_per_step: float = 1.0,
        batch: int = 256,
        learning_rate: float = 3e-4,
        discount: float = 0.99,
        target_rate: float = 0.005,
        exploration: float = 0.1,
        smoothing: float = 0.2,
        smoothing_clip: float = 0.5,
        policy_every: int = 2,
        critic: str = "mlp:256,256:relu",
    ) -> None:
        self.exploration = number_between("exploration", exploration, 0.0)
        deviation = number_between("smoothing", smoothing, 0.0)
        self.smoothing = Smoothing(deviation, positive_number("smoothing_clip", smoothing_clip))
        self.policy_every = whole_number("policy_every", policy_every, 1)
        super().__init__(
            problem,
            seed,
            start,
            capacity=capacity,
            warm_up=warm_up,
            environments=environments,
            horizon=horizon,
            updates_per_step=updates_per_step,
            batch=batch,
            learning_rate=learning_rate,
            discount=discount,
            target_rate=target_rate,
            critic=critic,
        )

    @property
    def acting(self) -> Network:
        return self.problem.network

    @functools.cached_property
    def actor(self) -> Network:
        """The policy within ±1, with the parameters of the problem's network."""
        network = self.acting
        last = Dense(network.outputs, "tanh")
        return Network((*network.layers[:-1], last), network.inputs, network.text, normalise=False)

    @property
    def size(self) -> int:
        return Places.of(self.actor, self.critic).size

    def _initial(self, rng: np.random.Generator, policy: np.ndarray | None) -> np.ndarray:
        drawn, critics = initial(self.actor, rng), [initial(self.critic, rng) for _ in range(2)]
        actor = drawn if policy is None else policy
        return np.concatenate([actor, *critics, actor, *critics])

    def _record(self, tape: Tape, batch: Batch) -> Recorded:
        noise = tape.normal(batch.rewards.rows, self.actor.outputs)
        given = noise, self.discount, self.smoothing, self.target_rate, self.policy_every
        return record(tape, self.actor, self.critic, batch, *given)[0]

    def _acting_parameters(self) -> np.ndarray:
        return self.policy()

    def _exploration(self) -> tuple[Draw, np.ndarray | None]:
        return gaussian, self.exploration * self.half

    def policy(self) -> np.ndarray:
        return self.parameters[: self.actor.size].copy()
