"""Variation: children by crossover and mutation of one kind of genome.

Genomes are (individuals, genes) in the dtype of their kind (`evo.operators.kinds`), sigmas (individuals,).
"""

import inspect
from collections.abc import Callable
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.numerics.randomness import generator
from evo.operators import CROSSOVER, MUTATION, SELF_ADAPTIVE_MUTATION
from evo.operators.binding import Operator, concerning, suitable_operator
from evo.operators.genomes import Genomes
from evo.operators.kinds import GenomeKind, kind_from_text

Floats = NDArray[np.float64]


@final
class Variation:
    """Crossover and mutation that suit a kind of genomes, and the sigmas that individuals inherit.

    initial: float64 (genes,). genome: a kind, or its text. cross, mutate: operators, or their texts. groups: (genes,),
    the groups that neuron-wise crossover passes on as a whole, or None. sensitivity: a function of genomes for safe
    mutation, or None.

    A child's sigma is the geometric mean of its parents', which self-adaptive mutation changes and uses, and any
    other ignores. Raises ValueError for unsuitable operators; each is tried once to find out.
    """

    def __init__(
        self,
        initial: Floats,
        genome: str | GenomeKind,
        cross: str | Operator,
        mutate: str | Operator,
        groups: ArrayLike | None,
        sensitivity: Callable[[Floats], Floats] | None,
    ) -> None:
        with concerning("genome"):
            self.kind = kind_from_text(genome) if isinstance(genome, str) else genome
        with concerning("initial"):
            self.initial = self.kind.convert(initial[np.newaxis])[0]
        purpose, known = f"{self.kind.name} genomes", dict(self.kind.bounds)
        with concerning("cross"):
            more: dict[str, Any] = {} if groups is None else {"groups": np.asarray(groups)}
            self.cross = suitable_operator(cross, CROSSOVER, self.kind.crossovers, purpose, known | more)
        with concerning("mutate"):
            table = MUTATION | SELF_ADAPTIVE_MUTATION
            more = {} if sensitivity is None else {"sensitivity": sensitivity}
            self.mutate = suitable_operator(mutate, table, self.kind.mutations, purpose, known | more)
        self.adapts = "sigmas" in inspect.signature(self.mutate).parameters
        if self.adapts and not self.kind.spread > 0:
            raise ValueError("genome: sigmas begin as the spread of the first genomes, which must be > 0")

        random = generator(0, "trial")
        pair = self.make_first(random, 2)
        self.make_mutants(random, self.make_children(random, pair[:1], pair[1:]), self.first_sigmas(1))

    def make_first(self, random: np.random.Generator, individuals: int) -> Genomes:
        """Return the genomes of the first population."""
        return self.kind.first(random, self.initial, individuals)

    def first_sigmas(self, individuals: int) -> Floats:
        return np.full(individuals, self.kind.spread)

    def make_children(self, random: np.random.Generator, first: Genomes, second: Genomes) -> Genomes:
        """Return a child of each row of `first` with the same row of `second`."""
        with concerning("cross"):
            return self._check(self.cross(random, first, second), first)

    def make_mutants(self, random: np.random.Generator, genomes: Genomes, sigmas: Floats) -> tuple[Genomes, Floats]:
        """Return mutants, and the sigmas that they were made with."""
        with concerning("mutate"):
            if self.adapts:
                mutants, adapted = self.mutate(random, genomes, sigmas)
                if np.shape(adapted) != sigmas.shape:
                    raise ValueError(f"gave sigmas of shape {np.shape(adapted)}: must be {sigmas.shape}")
                return self._check(mutants, genomes), adapted
            return self._check(self.mutate(random, genomes), genomes), sigmas

    def breed(self, seed: int, generation: int, first: Genomes, second: Genomes) -> Genomes:
        """Return a mutated child of each row of `first` with the same row of `second`, for searches without sigmas."""
        crossed = self.make_children(generator(seed, "crossover", generation), first, second)
        return self.make_mutants(generator(seed, "mutation", generation), crossed, self.first_sigmas(len(crossed)))[0]

    def _check(self, made: Genomes, of: Genomes) -> Genomes:
        """Check an operator's result, which must be genomes like those it was given. Raises ValueError."""
        if not isinstance(made, np.ndarray) or made.dtype != of.dtype or made.shape != of.shape:
            gave = f"{made.dtype} of shape {made.shape}" if isinstance(made, np.ndarray) else type(made).__name__
            raise ValueError(f"gave {gave}: must be {of.dtype} of shape {of.shape}, as the genomes it was given")
        if not self.kind.keeps(made):
            raise ValueError(f"gave genomes that are not {self.kind.rule}")
        return made
