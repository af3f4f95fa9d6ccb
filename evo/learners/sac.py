"""SAC: soft actor-critic, with twin critics and a temperature that is learned (Haarnoja et al. 2018).

Haarnoja, Zhou, Hartikainen, Tucker, Ha, Tan, Kumar, Zhu, Gupta, Abbeel & Levine 2018, "Soft Actor-Critic Algorithms and
Applications", Algorithm 1; the squashed Gaussian is that of appendix C.
"""

import functools
import math
from typing import NamedTuple, final

import numpy as np

from evo.autodiff import Node, Tape
from evo.autodiff.stages import Stage
from evo.evaluation.exploration import GREATEST_LOG_DEVIATION, LEAST_LOG_DEVIATION, Draw, squashed_gaussian
from evo.learners.learner import Candidate
from evo.learners.off_policy import Batch, OffPolicy, Recorded, initial
from evo.networks import Dense, Network, Sequential
from evo.numerics.validation import finite_number, positive_number
from evo.problems.problem import Problem


class Places(NamedTuple):
    """Where parameters begin after the actor's: log temperature, critics, their targets; and how many there are."""

    temperature: int
    critics: tuple[int, int]
    targets: tuple[int, int]
    size: int

    @classmethod
    def of(cls, actor: Network, critic: Network) -> "Places":
        first, second, third, fourth, size = (actor.size + 1 + count * critic.size for count in range(5))
        return cls(actor.size, (first, second), (third, fourth), size)


def sample(outputs: Node, noise: Node) -> tuple[Node, Node]:
    """Return actions of a squashed Gaussian within ±1, and the logarithm of their density, (rows, 1).

    outputs: the means, then log deviations, (rows, 2 actions); noise: standard normals, (rows, actions).
    """
    count = noise.columns
    log_deviation = outputs.take(count, count).clip(LEAST_LOG_DEVIATION, GREATEST_LOG_DEVIATION)
    raw = outputs.take(0, count) + log_deviation.exp() * noise
    normal = noise * noise * -0.5 - log_deviation - 0.5 * math.log(2.0 * math.pi)
    # appendix C, equation 26: log (1 - tanh² u) = 2 (log 2 - u - softplus (-2 u)), which loses no digits
    slope = (-raw - (raw * -2.0).softplus() + math.log(2.0)) * 2.0
    return raw.tanh(), (normal - slope).total()


def record(
    tape: Tape,
    actor: Network,
    critic: Network,
    batch: Batch,
    noise: tuple[Node, Node],
    discount: float,
    target_entropy: float,
    target_rate: float,
) -> tuple[Recorded, Node]:
    """Record an update of Algorithm 1; return it, and the critics' target. noise: of the next actions, and of new ones.

    In each stage the parameters of the others are frozen, and the target depends on none that moves.
    """
    places = Places.of(actor, critic)
    with tape.frozen():
        temperature = tape.parameters(places.temperature, 1, 1).exp()
        next_action, next_log_probability = sample(actor.apply(tape, batch.following, 0, 1), noise[0])
        pairs = batch.following.concat(next_action)
        first, second = (critic.apply(tape, pairs, at, 1) for at in places.targets)
        value = first.minimum(second) - temperature * next_log_probability  # equation 3
        target = batch.rewards + batch.continues * value * discount
    errors = [critic.apply(tape, batch.pairs, at, 1) - target for at in places.critics]
    critic_loss = ((errors[0] * errors[0]).mean() + (errors[1] * errors[1]).mean()) * 0.5  # equation 5
    start, stop = places.critics[0], places.targets[0]
    critics = Stage(tape.stage(critic_loss), start, stop, target=stop, rate=target_rate)

    action, log_probability = sample(actor.apply(tape, batch.observations, 0, 1), noise[1])
    with tape.frozen():
        pairs = batch.observations.concat(action)
        first, second = (critic.apply(tape, pairs, at, 1) for at in places.critics)
        value = first.minimum(second)
    actor_loss = (temperature * log_probability - value).mean()  # equation 9
    # equation 18, with the logarithm in the temperature's place, as in the authors' code
    log_temperature = tape.parameters(places.temperature, 1, 1)
    entropy_error = log_probability.detach() + target_entropy
    temperature_loss = -(log_temperature * entropy_error).mean()
    # the two share no parameters, and the temperature's stand right after the actor's
    loss = actor_loss + temperature_loss
    entropy = -log_probability.detach().mean()
    actors = Stage(tape.stage(loss), 0, places.critics[0])
    watched = {
        "critic_loss": critic_loss,
        "actor_loss": actor_loss,
        "temperature_loss": temperature_loss,
        "temperature": temperature,
        "entropy": entropy,
    }
    return Recorded((critics, actors), watched, loss), target


@final
class SAC(OffPolicy):
    """Soft actor-critic: collects with a squashed Gaussian policy; improves it and two critics from the replay buffer.

    The policy's network is the problem's with two numbers for each action, mean and log deviation; the champion is the
    tanh of the mean, scaled to the range of actions. The smaller of the two critics' values counts, and the temperature
    is learned so that the entropy keeps near its target. `start` gives the initial means.

    target_entropy: entropy that the policy is kept near, with actions in ±1, by default minus the number of actions.
    initial_temperature: temperature α at the beginning. The other options are those of `OffPolicy`.
    """

    summary = "soft actor-critic: off-policy backprop with a learned entropy bonus (Haarnoja 2018)"
    name = "sac"

    def __init__(
        self,
        problem: Problem,
        seed: int,
        start: Candidate | None = None,
        *,
        capacity: int = 1_000_000,
        warm_up: int = 10_000,
        environments: int = 1,
        horizon: int = 50,
        updates_per_step: float = 1.0,
        batch: int = 256,
        learning_rate: float = 3e-4,
        discount: float = 0.99,
        target_rate: float = 0.005,
        target_entropy: float | None = None,
        initial_temperature: float = 1.0,
        critic: str = "mlp:256,256:relu",
    ) -> None:
        self.target_entropy = None if target_entropy is None else finite_number("target_entropy", target_entropy)
        self.initial_temperature = positive_number("initial_temperature", initial_temperature)
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

    @functools.cached_property
    def acting(self) -> Network:
        """The policy: a mean and a log deviation for each action."""
        network, head = self.problem.network, Dense(2 * self.problem.task.outputs)
        layers = (*network.layers[:-1], head)
        text = Sequential(*layers).text  # by which another process makes it, for an environment of Gymnasium's
        return Network(layers, network.inputs, text, network.normalise, network.clip_observation)

    @property
    def size(self) -> int:
        return Places.of(self.acting, self.critic).size

    def _initial(self, rng: np.random.Generator, policy: np.ndarray | None) -> np.ndarray:
        actor, critics = initial(self.acting, rng), [initial(self.critic, rng) for _ in range(2)]
        if policy is not None:
            whole = self.problem.network.layout()
            *_, weights, bias = whole
            actor[: weights.place.start] = policy[: weights.place.start]
            for head, block in zip(self._head(actor), (weights, bias), strict=True):
                head[..., : block.shape[-1]] = policy[block.place].reshape(block.shape)
        return np.concatenate([actor, [math.log(self.initial_temperature)], *critics, *critics])

    def _head(self, parameters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return weights and biases of the policy's last layer, views (inputs, 2 actions) and (2 actions,)."""
        *_, weights, bias = self.acting.layout()
        return parameters[weights.place].reshape(weights.shape), parameters[bias.place]

    def _record(self, tape: Tape, batch: Batch) -> Recorded:
        count = self.problem.task.outputs
        noise = tape.normal(batch.rewards.rows, count), tape.normal(batch.rewards.rows, count)
        entropy = -float(count) if self.target_entropy is None else self.target_entropy
        return record(tape, self.acting, self.critic, batch, noise, self.discount, entropy, self.target_rate)[0]

    def _acting_parameters(self) -> np.ndarray:
        return self.parameters[: self.acting.size]

    def _exploration(self) -> tuple[Draw, np.ndarray | None]:
        return squashed_gaussian, None

    def policy(self) -> np.ndarray:
        """Return the parameters of the means alone, as the problem's network takes them."""
        weights, bias = self._head(self.parameters)
        count = self.problem.task.outputs
        first = self.acting.layout()[-2].place.start
        return np.concatenate([self.parameters[:first], weights[:, :count].ravel(), bias[:count]])
