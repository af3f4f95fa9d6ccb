"""Guided evolution strategy: part of the noise lies in the subspace of recent gradients.

Maheswaranathan, Metz, Tucker, Choi & Sohl-Dickstein 2019, "Guided evolutionary strategies: augmenting random search
with surrogate gradients", Algorithm 1; the surrogates are its own past estimates, as in Meier, Mujika, Gauy & Steger
2019, "Improving Gradient Estimation in Evolutionary Strategies With Past Descent Directions".
"""

import math
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.strategies.covariance import combine
from evo.algorithms.strategies.ranked_gradient import ranked_gradient
from evo.genomes.population import PerturbedPopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.optimizers import Adam


@final
class GuidedES(AskTell[PerturbedPopulation]):
    """Guided ES: antithetic perturbations, partly in the subspace of the last gradient estimates, followed by Adam.

    Args:
        learning_rate: learning rate of Adam.
        sigma: standard deviation σ of the perturbations.
        pairs: number P of antithetic pairs of a generation.
        subspace: number k of past gradient estimates that span the subspace, at most.
        balance: share α of the variance that lies in the whole space.
    """

    summary = "evolution strategy guided by its past gradient estimates (Maheswaranathan 2019)"
    remembered = ("mean", "estimates", "optimizer", "update_norm")

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        *,
        learning_rate: float = 0.01,
        sigma: float = 0.05,
        pairs: int = 16,
        subspace: int = 4,
        balance: float = 0.5,
    ) -> None:
        super().__init__(initial, seed)
        self.learning_rate = positive_number("learning_rate", learning_rate)
        self.sigma = positive_number("sigma", sigma)
        self.pairs = whole_number("pairs", pairs, 1)
        self.subspace = min(whole_number("subspace", subspace, 1), self.initial.size)
        self.balance = number_between("balance", balance, 0, 1)

        self.mean = self.initial  # x, (parameters,)
        self.estimates = np.zeros((self.subspace, self.initial.size))  # the newest first
        self.optimizer = Adam(self.initial.size, self.learning_rate)
        self.update_norm = 0.0

    def propose(self) -> PerturbedPopulation:
        n, basis = self.initial.size, _orthonormal(self.estimates)  # U, (k, parameters)
        random = generator(self.seed, "noise", self.generation)
        whole = random.standard_normal((self.pairs, n))
        inside = random.standard_normal((self.pairs, self.subspace))[:, : len(basis)]
        balance = self.balance if len(basis) else 1.0  # without past estimates all variance is in the whole space
        steps = math.sqrt(balance) * whole
        if len(basis):
            steps = steps + math.sqrt((1 - balance) * n / len(basis)) * combine(inside, basis)
        return PerturbedPopulation(self.mean, steps, self.sigma)  # epsilon ~ N(0, sigma² (a I + (1-a) n/k Uᵀ U))

    def update(self, population: PerturbedPopulation, fitness: NDArray[np.float64]) -> None:
        gradient = ranked_gradient(fitness, population.noise)
        step = self.optimizer.step(gradient)
        self.mean = self.mean + step
        self.estimates = np.concatenate([gradient[np.newaxis], self.estimates[:-1]])
        self.update_norm = math.sqrt(np.sum(np.square(step)))

    def candidates(self) -> NDArray[np.float64]:
        return self.mean[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {"update_norm": self.update_norm, "sigma": self.sigma}


def _orthonormal(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal basis of the span of rows (k, n), in rows, by Gram-Schmidt in their order."""
    basis: list[NDArray[np.float64]] = []
    for row in rows:
        rest = row
        for _ in range(2):  # twice, against rounding
            for axis in basis:
                rest = rest - np.sum(rest * axis) * axis
        length, whole = math.sqrt(np.sum(np.square(rest))), math.sqrt(np.sum(np.square(row)))
        if length > 1e-6 * whole:
            basis.append(rest / length)
    return np.array(basis).reshape(len(basis), rows.shape[1])
