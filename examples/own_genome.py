"""A genome of your own whose length evolves: a gait is a sum of waves, and a mutation may add one or drop one.

A gene is four numbers: which joint, which multiple of the creature's clock, how far, and when. `Waves` is the layer
that says what a row of genes does, `GrowingGait` the search that varies them; rows of any length pass through
evaluation, checkpoints and champions.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import evo
from evo.algorithms import AskTell
from evo.genomes.population import RaggedPopulation
from evo.networks import Layer

GENE, MULTIPLES = 4, 3


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    phase = math.atan2(inputs[6], inputs[7])  # the clock that every creature of ours observes
    outputs[:] = 0.0
    for gene in range(0, params.size, 4):
        wave = math.sin(params[gene + 1] * phase + params[gene + 3])
        outputs[int(params[gene])] += params[gene + 2] * wave


class Waves(Layer):
    """Joints follow sums of waves; an individual has as many as it likes."""

    own_length = True
    step = staticmethod(_step)

    def __init__(self, joints: int) -> None:
        self.joints = joints

    @property
    def text(self) -> str:
        return f"examples.own_genome:Waves({self.joints})"

    def shape(self, inputs: tuple[int, ...]) -> tuple[int, ...]:
        return (self.joints,)

    def size(self, inputs: tuple[int, ...]) -> int:
        return GENE

    def check(self, params: np.ndarray, inputs: tuple[int, ...]) -> None:
        if params.size % GENE or not np.isfinite(params).all():
            raise ValueError(f"{params.size} numbers: genes are {GENE} finite ones each")
        joints = params[::GENE]
        if not ((joints >= 0) & (joints < self.joints) & (joints == np.floor(joints))).all():
            raise ValueError(f"a gene's first number is its joint, 0 to {self.joints - 1}")


class GrowingGait(AskTell[RaggedPopulation]):
    """The fittest of a generation have children with one gene more, one less, or one changed."""

    remembered = ("genes", "offsets")
    growing = ("genes", "offsets")

    def __init__(
        self, initial: np.ndarray, seed: int, *, population_size: int = 32, parents: int = 4, joints: int = 8
    ) -> None:
        super().__init__(initial, seed)
        self.population_size, self.parents, self.joints = population_size, parents, joints
        self._keep([self.initial])

    def _keep(self, rows: Sequence[np.ndarray]) -> None:
        self.genes, self.offsets = np.concatenate(rows), np.cumsum([0, *map(len, rows)])

    def _kept(self) -> list[np.ndarray]:
        return np.split(self.genes, self.offsets[1:-1])

    def propose(self) -> RaggedPopulation:
        random = np.random.default_rng([self.seed, self.generation])
        rows = self._kept()
        children = [self._mutated(rows[index % len(rows)], random) for index in range(self.population_size)]
        return RaggedPopulation([*rows, *children])

    def _mutated(self, row: np.ndarray, random: np.random.Generator) -> np.ndarray:
        genes, how = row.reshape(-1, GENE).copy(), random.integers(3)
        place = random.integers(len(genes)) if len(genes) else 0
        if how == 0 or not len(genes):
            wave = [random.integers(self.joints), random.integers(1, MULTIPLES + 1), 0.3 * random.standard_normal()]
            genes = np.vstack([genes, [*wave, random.uniform(-math.pi, math.pi)]])
        elif how == 1 and len(genes) > 1:
            genes = np.delete(genes, place, axis=0)
        else:
            genes[place, 2:] += [0.2, 0.5] * random.standard_normal(2)
        return genes.ravel()

    def update(self, population: RaggedPopulation, fitness: np.ndarray) -> None:
        fittest = np.argsort(-fitness, kind="stable")[: self.parents]
        self._keep([population.rows[index] for index in fittest])

    def candidates(self) -> np.ndarray:
        return self._kept()[0][np.newaxis]

    def diagnostics(self) -> dict[str, float]:
        return {"genes": len(self._kept()[0]) / GENE}


if __name__ == "__main__":
    run = evo.run(
        "quadruped",
        method="examples.own_genome:GrowingGait",
        network="examples.own_genome:Waves(8)>",
        generations=10,
        settings=["task.steps=100", "network.normalise=false"],
        video=False,
    )
    print(
        f"{run.metrics['genes'][0]:.0f} gene, then {run.champion.params.size // GENE}: {run.champion.reported_fitness}"
    )
