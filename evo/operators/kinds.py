"""Kinds of genomes (real, bounded, binary, integer, permutation): initial populations and suitable operators.

`evo.operators.GENOMES` names the functions that make one.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.errors import nearest
from evo.grammar import parse_call
from evo.numerics.validation import number_between, whole_number
from evo.operators import GENOMES, crossovers_for, mutations_for
from evo.operators.binding import operator_from_text
from evo.operators.genomes import Genomes, finite_bounds
from evo.operators.permutation import are_permutations

_EXACT = 2**53  # float64, the type of an algorithm's parameters, is exact up to here


@dataclass(frozen=True)
class GenomeKind:
    """One kind of genome: an array of `dtype`, (genes,), that obeys the `rule`.

    keeps: whether genomes (individuals, genes) obey it. first: makes the first population, (individuals, genes), from a
    random generator, an initial genome (genes,) and the number of individuals. crossovers, mutations: the names of
    suitable operators in our tables. spread: the deviation of the first genes, where sigmas begin. bounds: values
    for operators that have these options.
    """

    name: str
    dtype: type[Any]
    rule: str
    keeps: Callable[[Genomes], bool]
    first: Callable[[np.random.Generator, Genomes, int], Genomes]
    crossovers: tuple[str, ...]
    mutations: tuple[str, ...]
    spread: float = 1.0
    bounds: Mapping[str, Any] = field(default_factory=dict)

    def convert(self, rows: NDArray[np.float64]) -> Genomes:
        """Convert parameters, (individuals, genes), to this kind's genomes. Raises ValueError against its rule."""
        with np.errstate(invalid="ignore"):  # numbers outside int64
            genomes: Genomes = rows.astype(self.dtype, copy=False)
        if not (np.array_equal(genomes, rows) and self.keeps(genomes)):
            raise ValueError(f"must be {self.rule}, as it is a genome of kind {self.name}")
        return genomes


def kind_from_text(text: str) -> GenomeKind:
    """Return the kind named in `evo.operators.GENOMES`, with options: `integer(low=0, high=9)`. Raises ValueError."""
    name = parse_call(text.strip(), GENOMES).name.partition(":")[0]
    if name not in GENOMES:
        raise ValueError(f"unknown kind {name!r}{nearest(name, GENOMES)}")
    kind: GenomeKind = operator_from_text(text, GENOMES)()
    return kind


def real_genome(*, spread: float = 0.1) -> GenomeKind:
    """Real numbers; the first genomes are normally distributed around the initial one, with deviation `spread` >= 0."""
    deviation = number_between("spread", spread, 0)

    def first(random: np.random.Generator, initial: Genomes, individuals: int) -> Genomes:
        draws: Genomes = random.standard_normal((individuals, len(initial)))
        return initial + deviation * draws

    return GenomeKind(
        name="real",
        dtype=np.float64,
        rule="finite numbers",
        keeps=lambda genomes: bool(np.isfinite(genomes).all()),
        first=first,
        crossovers=crossovers_for("real"),
        mutations=mutations_for("real"),
        spread=deviation,
    )


def bounded_genome(*, low: ArrayLike, high: ArrayLike) -> GenomeKind:
    """Real numbers in [`low`, `high`], numbers or (genes,); the first genomes are uniformly random."""
    least, most = finite_bounds(low, high)

    def first(random: np.random.Generator, initial: Genomes, individuals: int) -> Genomes:
        return random.uniform(least, most, size=(individuals, len(initial)))

    return GenomeKind(
        name="bounded",
        dtype=np.float64,
        rule=f"numbers in [{least.min():g}, {most.max():g}]",
        keeps=lambda genomes: bool(((least <= genomes) & (genomes <= most)).all()),
        first=first,
        crossovers=crossovers_for("bounded"),
        mutations=mutations_for("bounded"),
        spread=float(np.mean(most - least)) / math.sqrt(12),
        bounds={"low": least, "high": most},
    )


def binary_genome() -> GenomeKind:
    """Bits; the first genomes are the initial one and uniformly random ones."""

    def first(random: np.random.Generator, initial: Genomes, individuals: int) -> Genomes:
        others = random.integers(2, size=(individuals - 1, len(initial)), dtype=np.bool_)
        return np.vstack([initial, others])

    return GenomeKind(
        name="binary",
        dtype=np.bool_,
        rule="0 or 1",
        keeps=lambda genomes: genomes.dtype == np.bool_,
        first=first,
        crossovers=crossovers_for("binary"),
        mutations=mutations_for("binary"),
        spread=0.5,
    )


def integer_genome(*, low: int, high: int) -> GenomeKind:
    """Whole numbers `low` … `high`; the first genomes are the initial one and uniformly random ones."""
    whole_number("low", low, -_EXACT, _EXACT - 1)
    whole_number("high", high, low + 1, _EXACT)

    def first(random: np.random.Generator, initial: Genomes, individuals: int) -> Genomes:
        others = random.integers(low, high, size=(individuals - 1, len(initial)), endpoint=True)
        return np.vstack([initial, others])

    return GenomeKind(
        name="integer",
        dtype=np.int64,
        rule=f"whole numbers in [{low}, {high}]",
        keeps=lambda genomes: bool(((low <= genomes) & (genomes <= high)).all()),
        first=first,
        crossovers=crossovers_for("integer"),
        mutations=mutations_for("integer"),
        spread=(((high - low + 1) ** 2 - 1) / 12) ** 0.5,
        bounds={"low": low, "high": high},
    )


def permutation_genome() -> GenomeKind:
    """Permutations of 0 … genes - 1; the first genomes are the initial one and uniformly random ones."""

    def first(random: np.random.Generator, initial: Genomes, individuals: int) -> Genomes:
        others = random.permuted(np.tile(np.arange(len(initial)), (individuals - 1, 1)), axis=1)
        return np.vstack([initial, others])

    return GenomeKind(
        name="permutation",
        dtype=np.int64,
        rule="each of 0 … genes - 1 once",
        keeps=lambda genomes: bool(are_permutations(np.ascontiguousarray(genomes))),
        first=first,
        crossovers=crossovers_for("permutation"),
        mutations=mutations_for("permutation"),
    )
