"""How much of a champion's return is left when its parameters are perturbed.

Source: Lehman, Chen, Clune & Stanley 2018, "ES Is More Than Just a Traditional Finite-Difference Approximator":
Gaussian noise on the parameters of what each method found. Another method's parameters may be of another scale, so the
noise is measured in each champion's own root mean square.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evo.algorithms.population import DensePopulation
from evo.champion import Champion
from evo.comparison.member import Member
from evo.problems.problem import Evaluation
from evo.randomness import generator, report_seeds

SIZES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
DRAWS = 16
EPISODES = 4


@dataclass(frozen=True, eq=False)
class Robustness:
    """sizes: standard deviations of the noise, as shares of a champion's root mean square parameter, (sizes,).

    methods, seeds: of each member, (members,). returns: mean over draws and episodes, float64 (members, sizes). failed:
    how many of the episodes failed, int64 (members, sizes).
    """

    sizes: tuple[float, ...]
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    returns: np.ndarray
    failed: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Returns as shares of the unperturbed one, (members, sizes); NaN for members where that is not positive."""
        unperturbed = self.returns[:, :1]
        return np.divide(self.returns, unperturbed, out=np.full_like(self.returns, np.nan), where=unperturbed > 0)


def robustness(
    members: Sequence[Member],
    threads: int,
    sizes: Sequence[float] = SIZES,
    draws: int = DRAWS,
    episodes: int = EPISODES,
) -> Robustness:
    """Perturb each member's champion, `draws` times for each of `sizes`, of which the first is 0.

    Every perturbed champion lives through the first `episodes` report episodes; its observation statistics stay as they
    are. The same directions of noise are taken in every size, so that a curve shows the size and not the luck. A failed
    episode counts as the worst return of the member's others, and a member without any other has NaN.
    """
    if sizes[0] != 0:
        raise ValueError(f"sizes begin with {sizes[0]}: the first must be 0, the unperturbed champion")
    returns, failed = np.empty((len(members), len(sizes))), np.zeros((len(members), len(sizes)), np.int64)
    for index, member in enumerate(members):
        evaluation = _evaluate(member.champion, threads, member.seed, sizes, draws, episodes)
        earned = evaluation.returns
        lost = np.isnan(earned)
        earned = np.where(lost, np.nan if lost.all() else np.nanmin(earned), earned)
        # the unperturbed champion is one individual, each other size `draws` of them
        returns[index, 0], failed[index, 0] = earned[0].mean(), lost[0].sum()
        returns[index, 1:] = earned[1:].reshape(len(sizes) - 1, -1).mean(axis=1)
        failed[index, 1:] = lost[1:].reshape(len(sizes) - 1, -1).sum(axis=1)
    methods, seeds = tuple(member.method for member in members), tuple(member.seed for member in members)
    return Robustness(tuple(sizes), methods, seeds, returns, failed)


def _evaluate(
    champion: Champion, threads: int, seed: int, sizes: Sequence[float], draws: int, episodes: int
) -> Evaluation:
    """The champion itself, then `draws` perturbed ones of each further size."""
    params = champion.params.astype(np.float64)
    scale = np.sqrt(np.mean(params**2))
    noise = generator(0, "robustness", seed).standard_normal((draws, len(params)))
    perturbed = [params + size * scale * noise for size in sizes[1:]]
    population = DensePopulation(np.concatenate([params[None], *perturbed]))
    return champion.problem_on(threads).evaluate(population, report_seeds(episodes), champion.candidate.statistics)
