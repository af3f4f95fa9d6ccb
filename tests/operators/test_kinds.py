"""Kinds of genomes, and that the operators said to suit one, and only those, keep it."""

import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evo.envs.reference import resolve
from evo.numerics.randomness import generator
from evo.operators import CROSSOVER, GENOMES, MUTATION, SELF_ADAPTIVE_MUTATION
from evo.operators.binding import operator_from_text
from evo.operators.kinds import GenomeKind, kind_from_text

KINDS = [
    kind_from_text(text)
    for text in ("binary", "bounded:low=-3,high=5", "integer:low=-3,high=5", "permutation", "real:spread=2")
]
MUTATIONS = MUTATION | SELF_ADAPTIVE_MUTATION
OPTIONS: dict[str, Any] = {"groups": np.arange(6) // 2, "low": -3, "high": 5, "sigma": 1.0, "sensitivity": np.ones_like}


def individuals(kind: GenomeKind, purpose: str) -> NDArray[Any]:
    initial = np.arange(6) if kind.name == "permutation" else np.zeros(6)
    return kind.first(generator(0, purpose), initial.astype(kind.dtype), 40)


def kept(kind: GenomeKind, name: str) -> bool:
    """Whether an operator keeps forty genomes of a kind."""
    first, second = individuals(kind, "first"), individuals(kind, "second")
    table = CROSSOVER if name in CROSSOVER else MUTATIONS
    operator, given = operator_from_text(name, table, OPTIONS), [generator(0, name), first]
    given += [second] if name in CROSSOVER else [np.ones(40)] if name in SELF_ADAPTIVE_MUTATION else []
    try:
        made = operator(*given)
    except ValueError:
        return False
    made = made[0] if isinstance(made, tuple) else made
    return made.dtype == kind.dtype and kind.keeps(made)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("name", [*CROSSOVER, *MUTATIONS])
def test_the_operators_that_suit_a_kind_are_those_that_keep_it(kind: GenomeKind, name: str) -> None:
    assert kept(kind, name) == (name in (*kind.crossovers, *kind.mutations))


def test_every_kind_has_a_name_and_every_operator_a_kind() -> None:
    assert [kind.name for kind in KINDS] == sorted(GENOMES)
    suited = set(itertools.chain.from_iterable(kind.crossovers + kind.mutations for kind in KINDS))
    assert suited == {*CROSSOVER, *MUTATIONS}
    assert all(callable(resolve(reference)) for reference in GENOMES.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_first_genomes_are_of_their_kind_and_as_spread_as_said(kind: GenomeKind) -> None:
    genomes = individuals(kind, "first")
    assert genomes.dtype == kind.dtype
    assert genomes.shape == (40, 6)
    np.testing.assert_array_equal(kind.convert(genomes.astype(np.float64)), genomes)
    if kind.name == "integer":
        assert (genomes.min(), genomes.max()) == (-3, 5)
    if kind.name != "permutation":
        assert np.std(genomes) == pytest.approx(kind.spread, rel=0.15)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        (KINDS[0], [[0, 1, 0.5]]),
        (KINDS[0], [[0, 1, 2]]),
        (KINDS[1], [[0, 1, 5.5]]),
        (KINDS[1], [[0, np.nan, 2]]),
        (KINDS[2], [[0, 1, 6]]),
        (KINDS[2], [[0, 1.5, 2]]),
        (KINDS[2], [[0, 1e300, np.nan]]),
        (KINDS[3], [[0, 1, 1]]),
        (KINDS[3], [[1, 2, 3]]),
        (KINDS[3], [[0, 1, 2], [0, 2, 2]]),
        (KINDS[4], [[0, np.inf, 2]]),
    ],
)
def test_parameters_that_are_no_genomes_are_refused(kind: GenomeKind, rows: list[list[float]]) -> None:
    with pytest.raises(ValueError, match=f"as it is a genome of kind {kind.name}"):
        kind.convert(np.array(rows))
