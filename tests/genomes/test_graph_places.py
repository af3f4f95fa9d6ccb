"""Numbers of a row and the genes that they came from: what a row learned goes into genes, and out of them again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.genomes.graph import GraphPopulation, develop
from evo.genomes.graph_places import gene_places, inherit
from evo.operators.graph_genes import ARRAYS, Genes
from tests.support.graph_genes import genomes

NUMBERS = ("weights", "biases")


def grown(seed: int, recurrent: bool, biases: bool) -> Genes:
    """Genomes with splits, joins and disabled links; with biases of nodes, of which some are 0."""
    genes = genomes(seed, 12, 5, recurrent)
    random = np.random.default_rng(seed)
    shut = random.random(len(genes.weights)) < 0.2
    genes = genes._replace(enabled=genes.enabled & ~shut)
    if biases:
        genes = genes._replace(
            biases=np.where(random.random(len(genes.ids)) < 0.3, 0.0, random.normal(size=len(genes.ids)))
        )
    return genes


@given(seed=st.integers(0, 2**32), recurrent=st.booleans(), biases=st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_a_row_learned_goes_into_the_genes_and_develops_again(seed: int, recurrent: bool, biases: bool) -> None:
    genes = grown(seed, recurrent, biases)
    places, (values, offsets) = gene_places(genes, recurrent), develop(genes, recurrent)
    before = values.astype(np.float32)
    same = inherit(genes, places, before, before)
    for name in ARRAYS:
        assert getattr(same, name).tobytes() == getattr(genes, name).tobytes(), name
    free = (places.links >= 0) | (places.nodes >= 0)
    after = np.where(free, np.random.default_rng(seed + 1).normal(size=len(values)).astype(np.float32), before)
    learned = inherit(genes, places, before, after)
    again, where = develop(learned, recurrent)
    np.testing.assert_array_equal(again.astype(np.float32), after)
    np.testing.assert_array_equal(where, offsets)
    for name in ARRAYS:
        if name not in NUMBERS:
            np.testing.assert_array_equal(getattr(learned, name), getattr(genes, name), err_msg=name)
    untouched = np.setdiff1d(np.arange(len(genes.weights)), places.links)
    assert not genes.enabled.all() and set(np.flatnonzero(~genes.enabled)) <= set(untouched)
    np.testing.assert_array_equal(learned.weights[untouched], genes.weights[untouched])


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_number_comes_from_the_gene_that_moves_it(recurrent: bool) -> None:
    genes = grown(7, recurrent, biases=True)
    places, values = gene_places(genes, recurrent), develop(genes, recurrent)[0]
    for link in range(len(genes.weights)):
        moved = genes.weights.copy()
        moved[link] += 1.0
        differs = np.flatnonzero(develop(genes._replace(weights=moved), recurrent)[0] != values)
        np.testing.assert_array_equal(differs, np.flatnonzero(places.links == link))
    for node in np.flatnonzero(genes.biases):
        moved = genes.biases.copy()
        moved[node] *= 2
        differs = np.flatnonzero(develop(genes._replace(biases=moved), recurrent)[0] != values)
        np.testing.assert_array_equal(differs, np.flatnonzero(places.nodes == node))


def test_rows_that_these_genes_do_not_make_are_refused() -> None:
    genes = grown(3, False, biases=True)
    places, values = gene_places(genes, False), develop(genes, False)[0].astype(np.float32)
    with pytest.raises(ValueError, match="where genomes have"):
        inherit(genes, places, values, values[:-1])
    other = values.copy()
    other[0] += 1
    with pytest.raises(ValueError, match="number 0 of the rows changed, and comes from no gene"):
        inherit(genes, places, values, other)
    other = values.copy()
    other[np.flatnonzero((places.nodes >= 0) & (places.links < 0) & (values != 0))[0]] = 0
    with pytest.raises(ValueError, match="a bias became 0"):
        inherit(genes, places, values, other)


def test_a_population_that_learned_has_its_rows_and_steps() -> None:
    born = GraphPopulation(grown(1, False, biases=False), False)
    assert born.lesson_steps == 0
    taught = born.after_learning(2 * born.part(0, len(born)).values, born.genes, 70)
    assert taught.lesson_steps == 70 and born.lesson_steps == 0
    np.testing.assert_array_equal(taught.part(0, 3).values, 2 * born.part(0, 3).values)
