"""A method of your own in one file: an evolution strategy with Rechenberg's rule of one success in five (1973).

`evo run rastrigin --method examples.own_method:Search` runs it from the command line, from the folder that holds
`examples`. Its keyword-only arguments are its options: `--set method.sigma=0.1`.
"""

from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

import evo
from evo.algorithms import AskTell, DensePopulation
from evo.numerics.randomness import generator
from evo.numerics.validation import positive_number, whole_number
from evo.testing import check_algorithm


@final
class Search(AskTell[DensePopulation]):
    """The (1 + λ) evolution strategy: the best of a parent and its mutants is the next parent.

    `sigma` (the first deviation of mutations), `children` (λ, a generation).
    """

    summary = "(1 + λ) evolution strategy with one success in five (Rechenberg 1973)"
    remembered = ("parent", "sigma")

    def __init__(self, initial: ArrayLike, seed: int, *, sigma: float = 0.5, children: int = 20) -> None:
        super().__init__(initial, seed)
        self.sigma = positive_number("sigma", sigma)
        self.children = whole_number("children", children, 2)
        self.parent = self.initial  # (parameters,)

    def propose(self) -> DensePopulation:
        noise = generator(self.seed, "mutations", self.generation).standard_normal((self.children, self.parent.size))
        # The parent is evaluated again beside its children: a generation shares its episodes, so that only fitness of
        # one generation is comparable.
        return DensePopulation(np.vstack([self.parent, self.parent + self.sigma * noise]))

    def update(self, population: DensePopulation, fitness: NDArray[np.float64]) -> None:
        successes = np.mean(fitness[1:] > fitness[0])
        self.sigma *= np.exp((successes - 0.2) / 0.8 / 3)
        self.parent = population.dense()[np.argmax(fitness)]

    def candidates(self) -> NDArray[np.float64]:
        return self.parent[np.newaxis].copy()

    def diagnostics(self) -> dict[str, float]:
        return {"sigma": float(self.sigma)}


if __name__ == "__main__":
    check_algorithm("examples.own_method:Search")  # what evo promises of every algorithm
    options = {"dim": 5, "settings": {"method.sigma": 2.0}}
    run = evo.run("rastrigin", method="examples.own_method:Search", generations=100, video=False, **options)
    print(f"fitness {run.champion.reported_fitness}, the best possible is 0")
