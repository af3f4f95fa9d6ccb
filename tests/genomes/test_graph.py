"""Graph genomes: development beside a plain twin, and rows read back."""

import numpy as np
import pytest

from evo.genomes.graph import GraphPopulation, develop, direct_wiring, genes_of
from evo.networks.wiring import Wiring
from evo.operators.graph_genes import check_genes
from tests.support.graph_genes import FUNCTIONS, act, act_by_genes, genomes


def _wirings(population: GraphPopulation) -> list[Wiring]:
    rows = [np.empty(length) for length in population.lengths]
    for individual, row in enumerate(rows):
        population.row(individual, row)
    return [Wiring.of(row) for row in rows]


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_row_does_what_its_genes_say(recurrent: bool) -> None:
    genes, random = genomes(11, 80, 25, recurrent), np.random.default_rng(0)
    for genome, wiring in enumerate(_wirings(GraphPopulation(genes, recurrent))):
        before, by_genes = [0.0] * len(wiring.incoming), dict[int, float]()
        for _ in range(4):
            inputs = random.standard_normal(genes.inputs)
            before = act(wiring, inputs, before, recurrent)
            by_genes = act_by_genes(genes, genome, inputs, by_genes, recurrent)
            outputs = [before[node] for node in wiring.outputs]
            expected = [by_genes[genes.inputs + 1 + output] for output in range(genes.outputs)]
            np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("recurrent", [False, True])
def test_what_neither_is_reached_nor_reaches_an_output_is_left_out(recurrent: bool) -> None:
    genes = genomes(12, 60, 25, recurrent)
    left_out = 0
    for genome, wiring in enumerate(_wirings(GraphPopulation(genes, recurrent))):
        count = len(wiring.incoming)
        ends = set(wiring.sources.tolist())
        for node in range(count):
            if node not in wiring.outputs:
                assert wiring.incoming[node] or wiring.biases[node]
                assert node + wiring.inputs in ends
        left_out += genes.node_offsets[genome + 1] - genes.node_offsets[genome] - count
    assert left_out > 0


@pytest.mark.parametrize("bias_unit", [False, True])
@pytest.mark.parametrize("recurrent", [False, True])
def test_a_row_read_back_is_the_same_row(recurrent: bool, bias_unit: bool) -> None:
    for wiring in _wirings(GraphPopulation(genomes(13, 60, 20, recurrent), recurrent)):
        genes = genes_of(wiring, bias_unit)
        check_genes(genes, recurrent, FUNCTIONS)
        again = Wiring.of(develop(genes, recurrent)[0])
        inputs, before = np.linspace(-1, 1, wiring.inputs), [0.0] * len(wiring.incoming)
        one, two = act(wiring, inputs, before, recurrent), act(again, inputs, before, recurrent)
        np.testing.assert_allclose([one[k] for k in wiring.outputs], [two[k] for k in again.outputs], rtol=1e-12)
        once = develop(genes_of(again, bias_unit), recurrent)[0]
        np.testing.assert_allclose(once, develop(genes_of(Wiring.of(once), bias_unit), recurrent)[0], rtol=1e-12)


def test_networks_of_one_shape_share_the_numbers_of_direct_links() -> None:
    one = genes_of(direct_wiring(3, 2), bias_unit=True)
    assert one.innovations.tolist() == list(range(8))
    assert list(zip(one.sources, one.targets, strict=True)) == [(s, t) for s in range(4) for t in (4, 5)]
    for wiring in _wirings(GraphPopulation(genomes(14, 40, 20, recurrent=False), False)):
        genes = genes_of(wiring, bias_unit=True)
        for source, target, number in zip(genes.sources, genes.targets, genes.innovations, strict=True):
            direct = source <= 3 and target <= 5
            assert (number == 2 * source + target - 4) if direct else number >= 8


def test_what_is_no_genome_is_refused_in_one_line() -> None:
    wiring = direct_wiring(2, 2)
    wiring.outputs[1] = 0
    with pytest.raises(ValueError, match="two outputs read one node"):
        genes_of(wiring, bias_unit=True)
    wiring = direct_wiring(2, 1)
    wiring.sources[1] = 0
    with pytest.raises(ValueError, match="two links join the same nodes"):
        genes_of(wiring, bias_unit=True)
    with pytest.raises(ValueError, match="unknown activation 'sigmoidal'"):
        direct_wiring(2, 1, "sigmoidal")
    population = GraphPopulation(genomes(15, 20, 10, recurrent=False), False)
    with pytest.raises(ValueError, match="only a network of graphs"):
        population.dense()
    with pytest.raises(IndexError):
        population.row(20, np.empty(5))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("ids", lambda a: a[::-1].copy(), "does not begin with all outputs"),
        ("innovations", lambda a: np.zeros_like(a), "innovation numbers that do not ascend"),
        ("sources", lambda a: a + 1000, "from a node that it does not have"),
        ("targets", lambda a: np.zeros_like(a), "to a node that it does not have"),
        ("weights", lambda a: a * np.nan, "not finite"),
        ("rates", lambda a: a * 2, "rate outside"),
        ("activations", lambda a: a + 100, "activations are not all from 0 to"),
        ("biases", lambda a: a[:-1], "not as many as their offsets say"),
        ("node_offsets", lambda a: a[:-1], "not as many as their offsets say"),
    ],
)
def test_damaged_genes_are_refused_in_one_line(name: str, change: object, why: str) -> None:
    genes = genomes(16, 10, 10, recurrent=False)
    assert callable(change)
    with pytest.raises(ValueError, match=why) as error:
        check_genes(genes._replace(**{name: change(getattr(genes, name))}), False, FUNCTIONS)
    assert "\n" not in str(error.value)


def test_a_cycle_is_refused_in_a_feed_forward_genome() -> None:
    genes = genomes(17, 40, 20, recurrent=True)
    with pytest.raises(ValueError, match="has a cycle"):
        check_genes(genes, False, FUNCTIONS)
    with pytest.raises(ValueError, match="a cycle"):
        develop(genes, recurrent=False)
