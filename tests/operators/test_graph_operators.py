"""Operators of graph genomes, beside plain twins, and no sequence of them that breaks a genome."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo.genomes.graph import GraphPopulation, direct_wiring, genes_of
from evo.networks.wiring import Wiring
from evo.operators.graph_distance import Compatibility, distances, divide
from evo.operators.graph_genes import ARRAYS, Genes, check_genes, take
from evo.operators.graph_mating import mate
from evo.operators.graph_mutation import draw_functions, move_numbers, mutate_weights
from evo.operators.graph_species import Breeding, choose_parents, shares
from evo.operators.graph_structure import Counters, grow, shrink
from tests.support.graph_genes import FUNCTIONS, SMOOTH, genomes, growth, links, nodes, words

CODE = Compatibility(1.0, 1.0, 0.4, 0)
STEPS = st.lists(st.sampled_from(["split", "join", "both", "lose", "cut", "weights", "mate"]), max_size=30)


@given(STEPS, st.integers(0, 2**32), st.booleans(), st.integers(1, 3), st.integers(1, 3), st.integers(4, 12))
@settings(max_examples=150, deadline=None)
def test_no_sequence_of_operators_breaks_a_genome(
    steps: list[str], seed: int, recurrent: bool, inputs: int, outputs: int, most: int
) -> None:
    count, random, stream = 6, np.random.default_rng(seed), words(seed)
    genes = take(genes_of(direct_wiring(inputs, outputs), bias_unit=True), np.zeros(count, np.int64))
    counters = Counters(inputs + outputs + 1, (inputs + 1) * outputs)
    everyone, nobody = np.ones(count, bool), np.zeros(count, bool)
    for step in steps:
        some = random.random(count) < 0.7
        if step in ("split", "join", "both"):
            split, join = (some if step != "join" else nobody), (everyone if step != "split" else nobody)
            genes, counters = grow(stream, genes, split, join, growth(recurrent, most), counters)
        elif step in ("lose", "cut"):
            genes = shrink(stream, genes, some if step == "lose" else nobody, some if step == "cut" else nobody)
        elif step == "weights":
            genes = mutate_weights(stream, genes, some, power=2.5, severe=0.5, limit=8.0)
        else:
            first, second = random.integers(count, size=(2, count))
            genes = mate(stream, genes, random.random(count), first, second, averaging=0.4, disabling=0.75)
        check_genes(genes, recurrent, FUNCTIONS)
        assert np.diff(genes.node_offsets).max() <= max(most, outputs)
        assert genes.ids.max() < counters.node and genes.innovations.max(initial=-1) < counters.innovation
    population = GraphPopulation(genes, recurrent)
    for individual, length in enumerate(population.lengths):
        row = np.empty(length)
        population.row(individual, row)
        found = Wiring.of(row)
        assert np.array_equal(found.row(), row)
        if not recurrent:
            found.check_order()


def test_of_one_innovation_are_the_same_nodes_everywhere() -> None:
    genes = genomes(3, 60, 25, recurrent=False)
    ends: dict[int, set[tuple[int, int]]] = {}
    for genome in range(genes.genomes):
        for link in links(genes, genome):
            ends.setdefault(link["innovations"], set()).add((link["sources"], link["targets"]))
    assert max(map(len, ends.values())) == 1 and len(ends) > 50


def test_what_is_split_or_joined_alike_is_numbered_alike_whoever_comes_first() -> None:
    first = genes_of(direct_wiring(1, 1), bias_unit=False)
    genes = take(first, np.zeros(5, np.int64))
    split = np.array([False, True, True, False, True])
    found, counters = grow(words(0), genes, split, ~split, growth(True), Counters(3, 9))
    assert counters.node == 4  # there is one link to split
    made = [links(found, genome) for genome in range(5)]
    assert made[1][1:] == [
        {"innovations": 9, "sources": 0, "targets": 3, "weights": 1.0, "enabled": True},
        {"innovations": 10, "sources": 3, "targets": 2, "weights": 0.0, "enabled": True},
    ]
    assert not made[1][0]["enabled"] and made[1] == made[2] == made[4]
    joined = {(link["sources"], link["targets"]) for genome in (0, 3) for link in made[genome][1:]}
    assert joined <= {(1, 2), (2, 2)}  # the bias unit, and the output to itself
    turned, again = grow(
        words(0), take(genes, np.arange(5)), split[::-1].copy(), ~split[::-1], growth(True), Counters(3, 9)
    )
    assert again.node == 4 and links(turned, 0) == made[4]


def _plain_distance(one: dict[int, float], two: dict[int, float], divided_from: int) -> float:
    last = min(max(one, default=-1), max(two, default=-1))
    single = one.keys() ^ two.keys()
    excess = [number for number in single if number > last]
    shared = sorted(one.keys() & two.keys())
    size = max(len(one), len(two))
    divisor = size if 0 < divided_from <= size else 1
    mean = sum(abs(one[number] - two[number]) for number in shared) / len(shared) if shared else 0.0
    return (2.0 * len(excess) + 1.5 * (len(single) - len(excess))) / divisor + 0.4 * mean


@pytest.mark.parametrize("divided_from", [0, 20])
def test_distance_is_that_of_the_papers_equation(divided_from: int) -> None:
    genes = genomes(1, 40, 20, recurrent=True)
    weights = [
        {link["innovations"]: link["weights"] for link in links(genes, genome)} for genome in range(genes.genomes)
    ]
    first, second = np.divmod(np.arange(1600), 40)
    found = distances(genes, first, second, Compatibility(2.0, 1.5, 0.4, divided_from))
    expected = [_plain_distance(weights[a], weights[b], divided_from) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("rule", [CODE, Compatibility(2.0, 1.5, 0.4, 20), Compatibility(1.0, 3.0, 0.1, 1)])
def test_species_are_those_of_the_first_representative_that_is_near(rule: Compatibility) -> None:
    genes, former = genomes(5, 60, 12, recurrent=False), genomes(5, 60, 11, recurrent=False)
    representatives = np.array([3, 40, 7])
    threshold = 3.0 if not rule.divided_from else 0.6
    found = divide(genes, former, representatives, threshold, rule)
    both = Genes(*_joined(former, genes))
    stand = [*representatives]
    for genome in range(60):
        here = np.full(len(stand), 60 + genome)
        near = np.flatnonzero(distances(both, np.array(stand), here, rule) < threshold)
        if not len(near):
            stand.append(60 + genome)
        assert found[genome] == (near[0] if len(near) else len(stand) - 1)
    assert len(stand) > 4


def _joined(one: Genes, two: Genes) -> list[Any]:
    """The fields of the genes of some genomes, then of others."""
    offsets = ("node_offsets", "link_offsets")
    parts = [(getattr(one, name), getattr(two, name)) for name in ARRAYS]
    pairs = zip(ARRAYS, parts, strict=True)
    joined = [np.concatenate([a, a[-1] + b[1:]] if name in offsets else [a, b]) for name, (a, b) in pairs]
    return [one.inputs, one.outputs, *joined]


def test_a_child_has_the_genes_of_the_fitter_and_matching_ones_of_either() -> None:
    genes, random = genomes(2, 30, 20, recurrent=False), np.random.default_rng(0)
    fitness = random.integers(4, size=30).astype(float)
    first, second = random.integers(30, size=(2, 4000))
    children = mate(words(1), genes, fitness, first, second, averaging=0.4, disabling=0.75)
    either = {"second": 0, "matching": 0, "disabled": 0, "re-enabled": 0, "averaged": 0, "differing": 0}
    for child, (one, two) in enumerate(zip(first, second, strict=True)):
        sizes = np.diff(genes.link_offsets)
        if fitness[two] > fitness[one] or (fitness[two] == fitness[one] and sizes[two] < sizes[one]):
            one, two = two, one
        made, lead = links(children, child), links(genes, one)
        other = {link["innovations"]: link for link in links(genes, two)}
        assert [link["innovations"] for link in made] == [link["innovations"] for link in lead]
        assert list(nodes(children, child)) == list(nodes(genes, one))
        means = 0
        for link, own in zip(made, lead, strict=True):
            match = other.get(link["innovations"], own)
            mean = 0.5 * (own["weights"] + match["weights"])
            assert link["weights"] in (own["weights"], match["weights"], mean)
            differs = own["weights"] != match["weights"]
            means += differs and link["weights"] == mean
            either["matching"] += differs
            either["second"] += differs and link["weights"] == match["weights"]
            if match is own:
                assert link["enabled"] == own["enabled"]
            elif own["enabled"] and match["enabled"]:
                assert link["enabled"]
            elif one != two:
                either["disabled" if not link["enabled"] else "re-enabled"] += 1
        differing = sum(own["weights"] != other.get(own["innovations"], own)["weights"] for own in lead)
        assert means in (0, differing)  # all of a child, or none
        either["averaged"] += bool(means)
        either["differing"] += bool(differing)
    assert 0.73 < either["disabled"] / (either["disabled"] + either["re-enabled"]) < 0.77
    assert 0.37 < either["averaged"] / either["differing"] < 0.43
    assert 0.28 < either["second"] / either["matching"] < 0.32  # half of those not averaged
    alone = mate(words(1), genes, fitness, first, first, averaging=0.4, disabling=0.75)
    for name in ("weights", "enabled", "ids"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(take(genes, first), name))


def test_weights_move_no_further_than_they_may() -> None:
    genes = genomes(4, 400, 8, recurrent=False)
    chosen = np.arange(400) % 2 == 0
    found = mutate_weights(words(0), genes, chosen, power=2.5, severe=0.5, limit=8.0)
    owner = np.repeat(np.arange(400), np.diff(genes.link_offsets))
    moves = np.abs(found.weights - genes.weights)
    assert not moves[owner % 2 == 1].any()
    changed = moves[owner % 2 == 0]
    still = (changed == 0).mean()
    assert 0.05 < still < 0.15 and np.abs(found.weights).max() <= 8.0
    assert (np.minimum(changed[changed > 0], np.abs(found.weights)[owner % 2 == 0][changed > 0]) <= 2.5).all()


def test_only_hidden_nodes_draw_functions_and_numbers_stay_within_bounds() -> None:
    genes = genomes(6, 100, 10, recurrent=False)
    drawn = draw_functions(words(0), genes, genes.activations, 1.0, SMOOTH[1:3])
    hidden = genes.ids > genes.inputs + genes.outputs
    assert set(drawn[hidden]) == set(SMOOTH[1:3])
    np.testing.assert_array_equal(drawn[~hidden], genes.activations[~hidden])
    moved = move_numbers(words(0), genes.rates, 0.5, power=0.2, low=0.9, high=1.0)
    assert 0.2 < (moved < 1).mean() < 0.3 and moved.min() == 0.9 and moved.max() == 1  # half of them, half of it down


def test_who_loses_a_node_keeps_nothing_that_hangs_loose() -> None:
    genes = genomes(7, 100, 15, recurrent=True)
    everyone, nobody = np.ones(100, bool), np.zeros(100, bool)
    found = shrink(words(0), genes, everyone, nobody)
    for genome in range(100):
        before, after = len(nodes(genes, genome)), len(nodes(found, genome))
        assert after < before or before == genes.outputs
        for node in list(nodes(found, genome))[found.outputs :]:
            others = [link for link in links(found, genome) if link["sources"] != link["targets"]]
            assert any(link["sources"] == node for link in others)
            assert any(link["targets"] == node for link in others)


@given(
    st.lists(st.floats(0, 1e9), min_size=1, max_size=40),
    st.integers(1, 6),
    st.integers(0, 500),
    st.integers(0, 2**32),
)
@settings(max_examples=200, deadline=None)
def test_shares_add_up_and_follow_the_mean_fitness(fitness: list[float], count: int, children: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    count = min(count, len(fitness))
    species = np.concatenate([np.arange(count), random.integers(count, size=len(fitness) - count)])
    fertile = random.random(count) < 0.7
    fertile[0] = True
    found = shares(np.array(fitness), species, fertile, children)
    assert found.sum() == children and (found >= 0).all() and not found[~fertile].any()
    means = np.array([np.mean(np.array(fitness)[species == index]) for index in range(count)]) * fertile
    if means.sum() > 1e-3:
        expected = means / means.sum() * children
        best = np.argmax(means)
        assert (np.abs(found - expected)[np.arange(count) != best] < 1 + 1e-6).all()


def test_parents_are_the_fittest_fifth_and_one_more() -> None:
    genes, fitness = genomes(8, 50, 10, recurrent=False), np.random.default_rng(0).random(50)
    species = np.arange(50) % 3
    breeding = Breeding(survival=0.2, champion_size=5, mutation_only=0.25, interspecies=0.0, mating_only=0.2)
    offspring = np.array([600, 5, 395])
    plan = choose_parents(words(0), genes, fitness, species, offspring, breeding, CODE)
    owner = np.repeat(np.arange(3), offspring)
    for index in range(3):
        members = np.flatnonzero(species == index)
        pool = members[np.argsort(-fitness[members], kind="stable")][: int(0.2 * len(members)) + 1]
        for parents in (plan.first, plan.second):
            assert set(parents[owner == index]) <= set(pool)
        if offspring[index] > 5:
            assert set(plan.first[owner == index]) == set(pool)
            champion = np.flatnonzero(owner == index)[0]
            assert plan.first[champion] == plan.second[champion] == pool[0] and not plan.mutated[champion]
    mated = plan.first != plan.second
    assert 0.12 < (~plan.mutated[mated]).mean() < 0.28 and plan.mutated[~mated].sum() == (~mated).sum() - 2
    other = choose_parents(
        words(0), genes, fitness, species, offspring, breeding._replace(interspecies=1.0, mutation_only=0.0), CODE
    )
    crossed = other.second != other.first
    assert (species[other.second[crossed]] != owner[crossed]).all()
