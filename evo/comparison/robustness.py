"""Robustness of champions: the share of the return that remains when parameters are perturbed.

Source: Lehman, Chen, Clune & Stanley 2018, "ES Is More Than Just a Traditional Finite-Difference Approximator":
Gaussian noise on the parameters that each method found. Parameters of different methods and layers may have different
scales, so the noise on each layer is measured in units of that layer's root mean square. Even so the same noise may
change the behaviour of one network more than another's. So the distance of the actions is measured too, and returns can
be compared at equal distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evo.comparison.member import Member
from evo.evaluation.workers import Workers
from evo.genomes.population import DensePopulation
from evo.networks import Network
from evo.numerics.randomness import generator, report_seeds
from evo.problems.control import Walking
from evo.runs.champion import Champion
from evo.runs.policy import Policy

SIZES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
DRAWS = 6
EPISODES = 4
_LONGEST = 200  # steps of an episode in which actions are compared


@dataclass(frozen=True, eq=False)
class Robustness:
    """Returns of perturbed champions.

    sizes: standard deviations of the noise on a layer, as shares of its root mean square parameter, (sizes,).
    methods, seeds: of each member, (members,). returns: mean over draws and episodes, float64 (members, sizes). failed:
    number of failed episodes, int64 (members, sizes). astray: root mean square distance of the perturbed champions'
    actions from the champion's, on the champion's observations, in halves of an action's range, float64 (members,
    sizes); where actions are choices, the share of different choices. choices: whether actions are choices.
    """

    sizes: tuple[float, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    returns: np.ndarray
    failed: np.ndarray
    astray: np.ndarray
    choices: bool = False

    @property
    def shares(self) -> np.ndarray:
        """Returns as shares of the unperturbed one, (members, sizes); NaN for members where that is not positive."""
        unperturbed = self.returns[:, :1]
        return np.divide(self.returns, unperturbed, out=np.full_like(self.returns, np.nan), where=unperturbed > 0)

    def shares_at(self, astray: np.ndarray) -> np.ndarray:
        """Return shares at distances `astray` (places,), interpolated linearly between sizes: (members, places).

        NaN beyond the distance of the largest size.
        """
        pairs = zip(np.maximum.accumulate(self.astray, axis=1), self.shares, strict=True)
        return np.stack([np.interp(astray, away, share, right=np.nan) for away, share in pairs])


def robustness(
    members: Sequence[Member],
    workers: Workers,
    sizes: Sequence[float] = SIZES,
    draws: int = DRAWS,
    episodes: int = EPISODES,
) -> Robustness:
    """Perturb each member's champion, `draws` times for each of `sizes`, of which the first is 0.

    Every perturbed champion runs the first `episodes` report episodes; its observation statistics stay unchanged. All
    sizes use the same noise directions, so that a curve shows the effect of the size. A failed episode counts as the
    worst return of the member's others, and a member without any other has NaN. Raises ValueError where the first size
    is not 0.
    """
    if sizes[0] != 0:
        raise ValueError(f"sizes begin with {sizes[0]}: the first must be 0, the unperturbed champion")
    shape = len(members), len(sizes)
    returns, astray, failed = np.empty(shape), np.zeros(shape), np.zeros(shape, np.int64)
    choices = False
    for index, member in enumerate(members):
        problem = member.champion.walking_on(workers)
        choices = problem.task.choices > 0
        noise = _noise(problem.network, member.champion.params, member.seed, draws)
        perturbed = [member.champion.params + size * noise for size in sizes[1:]]
        population = DensePopulation(np.concatenate([member.champion.params[None].astype(np.float64), *perturbed]))
        evaluation = problem.evaluate(population, report_seeds(episodes), member.champion.candidate.statistics)
        astray[index, 1:] = _astray(member.champion, problem, perturbed)
        earned = evaluation.returns
        lost = np.isnan(earned)
        earned = np.where(lost, np.nan if lost.all() else np.nanmin(earned), earned)
        # the unperturbed champion is one individual, every other size has `draws`
        returns[index, 0], failed[index, 0] = earned[0].mean(), lost[0].sum()
        returns[index, 1:] = earned[1:].reshape(len(sizes) - 1, -1).mean(axis=1)
        failed[index, 1:] = lost[1:].reshape(len(sizes) - 1, -1).sum(axis=1)
    methods, seeds = tuple(member.method for member in members), tuple(member.seed for member in members)
    return Robustness(tuple(sizes), methods, seeds, returns, failed, astray, choices)


def _noise(network: Network, params: np.ndarray, seed: int, draws: int) -> np.ndarray:
    """Return noise of size 1 on each layer, float64 (draws, parameters)."""
    layers = np.split(params.astype(np.float64), np.cumsum(network.sizes)[:-1])
    scales = [np.full(len(layer), np.sqrt(np.mean(layer**2))) for layer in layers if len(layer)]
    return generator(0, "robustness", seed).standard_normal((draws, len(params))) * np.concatenate(scales)


def _astray(champion: Champion, problem: Walking, perturbed: Sequence[np.ndarray]) -> list[float]:
    """Return the distance of perturbed parameters' actions from the champion's, for each size.

    perturbed: (draws, parameters) of each size. All act on the observations of the champion's first report episode.
    """
    trajectory = problem.rollout(champion.params, int(report_seeds(1)[0]), champion.candidate.statistics)
    seen = trajectory.observations[: max(min(len(trajectory), _LONGEST), 1)]
    policy, task = Policy(problem, champion.candidate), problem.task
    taken = _actions(policy, champion.params, seen)
    others = [np.stack([_actions(policy, row, seen) for row in rows]) for rows in perturbed]
    if task.choices:
        return [float((actions != taken).mean()) for actions in others]
    assert task.action_low is not None and task.action_high is not None
    half = (task.action_high - task.action_low) / 2
    half = np.where(np.isfinite(half), half, 1.0)
    return [float(np.sqrt(np.mean(((actions - taken) / half) ** 2))) for actions in others]


def _actions(policy: Policy, params: np.ndarray, observations: np.ndarray) -> np.ndarray:
    """Return the actions of parameters on these observations of an episode, (steps, …)."""
    policy.parameters[:] = params
    policy.reset()
    return np.stack([np.ravel(policy(observation)) for observation in observations])
