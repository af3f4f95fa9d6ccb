"""The experiments of NEAT's paper: what solves them, the starts of the generalisation test, and files that go on."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.neat_examination import Examination, starts_balanced
from benchmarks.neat_experiments import EXPERIMENTS, Row, judge_poles, judge_xor, solve
from benchmarks.neat_solves import Case, options_of, read, run, table
from benchmarks.neat_starts import Start, hidden_layer, random_structures
from evo.algorithms import NEAT
from evo.genomes.graph import GraphPopulation, genes_of
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.operators.graph_genes import check_genes


def graph(inputs: int, weights: Any, **changes: Any) -> Wiring:
    """A graph of one linear node."""
    count = len(weights)
    wiring = Wiring(
        inputs=inputs,
        outputs=np.zeros(1, np.int64),
        activations=np.full(1, ACTIVATIONS.index("linear")),
        aggregations=np.zeros(1, np.int64),
        biases=np.zeros(1),
        responses=np.ones(1),
        rates=np.ones(1),
        incoming=np.full(1, count),
        sources=np.arange(count),
        weights=np.asarray(weights, np.float64),
    )
    return dataclasses.replace(wiring, **changes)


def population(wiring: Wiring, recurrent: bool = False) -> GraphPopulation:
    return GraphPopulation(genes_of(wiring, bias_unit=True), recurrent)


def test_xor_is_solved_by_a_network_that_computes_it_and_by_no_other() -> None:
    # a hidden node for "both", and an output that sees a + b - 2 both
    nodes: dict[str, Any] = {
        "activations": np.array([ACTIVATIONS.index("step"), ACTIVATIONS.index("linear")]),
        "aggregations": np.zeros(2, np.int64),
        "responses": np.ones(2),
        "rates": np.ones(2),
    }
    solution = Wiring(
        inputs=2,
        outputs=np.array([1]),
        biases=np.array([-1.5, 0.0]),
        incoming=np.array([2, 3]),
        sources=np.array([0, 1, 0, 1, 2]),
        weights=np.array([1.0, 1.0, 1.0, 1.0, -2.0]),
        **nodes,
    )
    judge = judge_xor()
    fitness, found, _ = judge(population(solution))
    assert (fitness.tolist(), found) == ([16.0], 0)
    fitness, found, _ = judge(population(graph(2, [1.0, 1.0])))
    assert (fitness.tolist(), found) == ([4.0], None)  # of 0, 1, 1, 2 the last is wrong by 2


def test_poles_that_fall_are_not_balanced() -> None:
    fitness, found, _ = judge_poles()(population(graph(6, np.zeros(6))))
    assert found is None
    assert 10 < fitness[0] < 100


def test_a_network_that_does_nothing_balances_what_begins_upright_and_still() -> None:
    assert starts_balanced(graph(3, np.zeros(3)).row()) == 5  # at each of five positions


def test_species_take_turns_at_the_test_until_they_become_fitter_than_ever() -> None:
    examination, species = Examination(), np.array([7, 7, 3, 5])
    fitness = np.array([1.0, 4.0, 3.0, 2.0])
    turns = [examination.choose(fitness, species) for _ in range(5)]
    assert turns == [1, 2, 3, 1, 1]  # the fittest of 7, of 3, of 5; then all are tested
    fitness[3] = 2.5
    assert examination.choose(fitness, species) == 3
    fitness[3] = 2.2  # less than before is no reason
    assert examination.choose(fitness, species) == 1
    species[2], fitness[1] = 9, 4.5  # a new species has not been tested; 7 is fitter than before, and the fittest
    assert [examination.choose(fitness, species) for _ in range(3)] == [1, 2, 1]


def test_what_falls_in_the_long_test_is_no_solution() -> None:
    found = Examination()(population(graph(3, np.zeros(3)), recurrent=True), np.ones(1), np.zeros(1, np.int64))
    assert found == (None, 0)


def test_a_seed_gives_the_same_row_again() -> None:
    row = solve("xor", 3, {})
    assert row == solve("xor", 3, {})
    assert row.solved and row.evaluations == 150 * row.generations and row.hidden >= 1


@pytest.mark.parametrize("start", [hidden_layer, random_structures])
def test_first_generations_are_valid_and_have_hidden_nodes(start: Start) -> None:
    minimal = genes_of(EXPERIMENTS["poles"].wiring, bias_unit=True)
    genes = start(minimal, 0, 100)
    check_genes(genes, False, (len(ACTIVATIONS), len(AGGREGATIONS)))
    hidden, links = np.diff(genes.node_offsets) - 1, np.diff(genes.link_offsets)
    joined = {*zip(genes.innovations.tolist(), genes.sources.tolist(), genes.targets.tolist(), strict=True)}
    assert len({link[0] for link in joined}) == len(joined)  # a number joins the same nodes in all genomes
    direct = {(link[1], link[2]): link[0] for link in joined}
    known = zip(minimal.innovations.tolist(), minimal.sources.tolist(), minimal.targets.tolist(), strict=True)
    if start is hidden_layer:
        assert (set(hidden), set(links)) == ({10}, {10 * (7 + 1)})
    else:
        assert set(hidden) == set(range(1, 11))
        assert all(direct[source, target] == number for number, source, target in known)
        possible = 7 + hidden * 8 + hidden * (hidden - 1) / 2
        assert 0.45 < (links / possible).mean() < 0.55


def test_a_run_may_begin_with_hidden_nodes() -> None:
    row = solve("xor", 0, {"add_node": 0.0, "add_link": 0.0}, "layer", hidden_layer)
    assert row == solve("xor", 0, {"add_node": 0.0, "add_link": 0.0}, "layer", hidden_layer)
    assert row.evaluations == 150 * row.generations and row.hidden == 10


def test_a_file_of_results_goes_on_where_it_ended(tmp_path: Path) -> None:
    path, case = tmp_path / "rows.csv", Case("xor")
    first = run([case], [114], path, 1)
    both = run([case], [114, 111], path, 1)
    assert both[:1] == first and [row.seed for row in both] == [114, 111]
    assert sorted(read(path)) == sorted(both)
    with path.open(newline="") as file:
        assert next(iter(csv.reader(file))) == [*Row._fields]


def test_the_table_counts_failures() -> None:
    case = Case("poles")
    rows = [Row("poles", "", 100 + seed, int(seed < 3), 4, 600, 1, 7, 0) for seed in range(4)]
    line = table([case], rows)[1]
    assert line[:5] == ["poles", "3 of 4", "600", "0", "600"]
    assert line[-1] == "3,600"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_options_of_an_experiment_are_neats(name: str) -> None:
    experiment = EXPERIMENTS[name]
    neat = NEAT(experiment.wiring.row(), 0, experiment.recurrent, 256, **experiment.options)
    assert len(neat.ask()) == experiment.options.get("population_size", 150)


def test_words_are_read_as_options() -> None:
    assert options_of(["power=1.8", "species=15", "start=few"]) == {"power": 1.8, "species": 15, "start": "few"}
