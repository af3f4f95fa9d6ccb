"""NEAT: what the paper shows on XOR, exact resume, and one line for what it cannot do."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.algorithms import NEAT
from evo.genomes.graph import GraphPopulation, direct_wiring
from evo.genomes.population import row_of
from evo.networks.wiring import Wiring
from evo.operators.graph_genes import check_genes
from tests.support.graph_genes import FUNCTIONS, act

XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0, 1.0, 0.0])
START = direct_wiring(2, 1).row()


def outputs(row: np.ndarray) -> np.ndarray:
    """What a feed-forward network makes of the four patterns."""
    wiring = Wiring.of(row)
    values = [0.0] * len(wiring.incoming)
    return np.array([act(wiring, pattern, values, recurrent=False)[wiring.outputs[0]] for pattern in XOR[0]])


def xor(population: GraphPopulation) -> np.ndarray:
    """The paper's fitness, section 4.1: (4 - sum of the errors) squared."""
    errors = [np.abs(outputs(row_of(population, individual)) - XOR[1]).sum() for individual in range(len(population))]
    return (4 - np.array(errors)) ** 2


def grown(population: GraphPopulation) -> np.ndarray:
    """A fitness that wants large and uneven genomes."""
    return population.lengths + np.sin(np.arange(len(population)))


def advance(neat: NEAT, generations: int, fitness: Callable[[GraphPopulation], np.ndarray] = grown) -> None:
    for _ in range(generations):
        neat.tell(fitness(neat.ask()))


def assert_same(one: NEAT, other: NEAT) -> None:
    first, second = one.state(), other.state()
    assert first.keys() == second.keys() and one.diagnostics() == other.diagnostics()
    for name in first:
        assert first[name].dtype == second[name].dtype
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
    np.testing.assert_array_equal(one.ask().values, other.ask().values)
    np.testing.assert_array_equal(one.candidates(), other.candidates())


def test_it_solves_xor_with_a_hidden_node() -> None:
    for seed in range(3):
        neat = NEAT(START, seed)
        while neat.generation < 100:
            neat.tell(xor(neat.ask()))
            if ((outputs(neat.candidates()[0]) > 0.5) == (XOR[1] > 0.5)).all():
                break
        assert neat.generation < 100
        assert len(Wiring.of(neat.candidates()[0]).incoming) > 1  # it cannot be solved without


VARIANTS: dict[str, dict[str, Any]] = {
    "the paper's": {},
    "recurrent": {"recurrent": True, "most_nodes": 6},
    "few links": {"start": "few", "species": 4},
    "all that evolves": {
        "bias": "node",
        "activations": "tanh,gaussian,sine",
        "mutate_activation": 0.2,
        "aggregations": "sum,product",
        "mutate_aggregation": 0.2,
        "mutate_rate": 0.2,
        "remove_node": 0.05,
        "remove_link": 0.05,
        "interspecies": 0.2,
    },
    "phased": {"phased": 2.0, "add_node": 0.2, "add_link": 0.3, "stagnation": 3, "patience": 4, "threshold": 1.0},
}


@pytest.mark.parametrize("options", VARIANTS.values(), ids=VARIANTS)
def test_resumed_it_is_what_it_was_uninterrupted(options: dict[str, Any]) -> None:
    whole, states = NEAT(START, 3, population_size=40, **options), []
    for _ in range(30):
        states.append(whole.state())
        advance(whole, 1)
        check_genes(whole.parents.genes, whole.recurrent, FUNCTIONS)
    for generation in (0, 1, 7, 22):
        resumed = NEAT(START, 3, population_size=40, **options)
        resumed.restore(states[generation])
        advance(resumed, 30 - generation)
        assert_same(whole, resumed)
    other = NEAT(START, 4, population_size=40, **options)
    assert not np.array_equal(other.ask().values, NEAT(START, 3, population_size=40, **options).ask().values)


def test_asking_changes_nothing_and_tell_comes_after_it() -> None:
    neat, twin = NEAT(START, 0, population_size=20), NEAT(START, 0, population_size=20)
    with pytest.raises(RuntimeError, match="before ask"):
        neat.tell(np.zeros(20))
    for one in (neat, twin):
        advance(one, 3)
    values = neat.ask().values.copy()
    np.testing.assert_array_equal(neat.ask().values, values)
    for unfit in (np.zeros(19), np.full(20, math.nan)):
        with pytest.raises(ValueError, match="fitness"):
            neat.tell(unfit)
    twin.ask()
    assert_same(neat, twin)


def test_the_first_is_the_initial_one_and_the_others_have_its_links() -> None:
    start = direct_wiring(3, 2)
    start.weights[:] = np.linspace(-1, 1, 6)
    population = NEAT(start.row(), 0).ask()
    np.testing.assert_array_equal(row_of(population, 0), start.row())
    weights = np.array([Wiring.of(row_of(population, individual)).weights for individual in range(150)])
    assert np.abs(weights - start.weights).max() <= 1.0 and weights.std(axis=0).min() > 0.4
    few = NEAT(start.row(), 0, start="few").ask()
    assert {len(Wiring.of(row_of(few, individual)).weights) for individual in range(150)} == {1}


@pytest.mark.parametrize(
    "options",
    [{"bias": "node"}, {"mutate_rate": 1.0}, {"activations": "tanh,sine", "mutate_activation": 1.0, "add_node": 0.5}],
)
def test_the_fittest_of_a_large_species_is_copied_unchanged(options: dict[str, Any]) -> None:
    neat = NEAT(START, 1, population_size=20, threshold=1e9, **options)
    advance(neat, 1)
    for _ in range(10):
        fittest = neat.candidates()[0]
        population = neat.ask()
        assert any(np.array_equal(row_of(population, individual), fittest) for individual in range(20))
        neat.tell(grown(population))


def test_fitness_of_any_finite_size_is_shared() -> None:
    neat = NEAT(START, 0, population_size=20, threshold=0.5)
    for _ in range(5):
        neat.tell(1.7e308 * np.linspace(-1, 1, len(neat.ask())))
    assert len(neat.ask()) == 20 and neat.diagnostics()["species"] > 1


def test_species_adapt_to_a_wanted_number() -> None:
    neat = NEAT(START, 0, species=8, threshold=0.5)
    counts = []
    for _ in range(60):
        advance(neat, 1, lambda population: 2 + np.sin(np.arange(len(population))))
        counts.append(len(neat.numbers))
    assert 5 <= np.mean(counts[20:]) <= 12
    assert neat.diagnostics()["threshold"] == neat.threshold != 3.0


def test_a_species_that_does_not_improve_dies_out() -> None:
    neat = NEAT(START, 0, threshold=1.0, stagnation=5, patience=1000, species=None)
    numbers = []
    for _ in range(40):
        numbers.append(set(neat.numbers.tolist()))
        advance(neat, 1, lambda population: np.full(len(population), 1.0))
    assert len(numbers[6] & numbers[2]) > 1 >= len(numbers[-1] & numbers[2])


def test_two_species_remain_where_nobody_improves() -> None:
    neat = NEAT(START, 0, threshold=1.0, stagnation=1000, patience=6)
    flat = lambda population: np.full(len(population), 1.0)  # noqa: E731
    advance(neat, 6, flat)
    fertile, concentrated = neat._fertile()
    assert not concentrated and fertile.sum() > 2
    advance(neat, 1, flat)
    fertile, concentrated = neat._fertile()
    assert concentrated and fertile.sum() == 2
    assert len(neat.ask()) == 150
    advance(neat, 1, flat)
    assert not neat._fertile()[1]


def test_phases_of_simplification_end_in_fewer_links() -> None:
    neat = NEAT(START, 0, phased=3.0, add_node=0.2, add_link=0.2)
    sizes, phases = [], []
    for _ in range(80):
        advance(neat, 1)
        sizes.append(neat.diagnostics()["complexity"])
        phases.append(bool(neat.simplifying))
    begun = phases.index(True)
    ended = phases.index(False, begun)
    assert sizes[begun] > 6 and min(sizes[begun:ended]) < sizes[begun]
    assert True in phases[ended:]  # and it grows again


WRONG: dict[str, list[Any]] = {
    "population_size": [1, 0, 50.0],
    "start": ["all", 3],
    "bias": ["none"],
    "mutated": [-0.1, 1.1, math.nan, "1"],
    "power": [0.0, -1.0, math.inf, 1e30],
    "weight_limit": [0.0, math.nan, 1e30],
    "first_spread": [-1.0, 1e30],
    "add_link": [2.0],
    "activations": ["tanhh", "", "tanh,,sine"],
    "aggregations": ["median"],
    "output_activation": ["tanhh"],
    "threshold": [0.0, math.nan],
    "species": [0, 151, 1.5],
    "stagnation": [0, 2.5],
    "survival": [-1, 1.5],
    "phased": [0.0],
    "tries": [0],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_an_option_out_of_its_range_is_refused_in_one_line(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}=.*must be") as error:
        NEAT(START, 0, **{name: value})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("initial", [np.zeros(4), np.ones(7), START[:-1], np.zeros(0)])
def test_what_is_no_graph_is_refused_in_one_line(initial: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^initial") as error:
        NEAT(initial, 0)
    assert "\n" not in str(error.value)


DAMAGE: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "parents_ids": ("parents", lambda array: array[::-1].copy()),
    "parents_weights": ("parents", lambda array: array * math.nan),
    "parents_sources": ("parents", lambda array: array + 900),
    "parents_species": ("parents_species", lambda array: array + 1),
    "parents_fitness": ("parents_species", lambda array: array[:-1]),
    "parents_row": ("parents", lambda array: array[:-1]),
    "ancestry_living": ("ancestry", lambda array: array[:-1]),
    "bests": ("bests", lambda array: array[:-1]),
    "next_node": ("next_node", lambda array: np.array(0)),
    "next_innovation": ("next_innovation", lambda array: np.array(2**31)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_state_is_refused_and_changes_nothing(name: str) -> None:
    neat, twin = NEAT(START, 0, population_size=20), NEAT(START, 0, population_size=20)
    for one in (neat, twin):
        advance(one, 5)
    state, (named, change) = neat.state(), DAMAGE[name]
    with pytest.raises(ValueError, match=f"state '{named}'"):
        neat.restore(state | {name: change(state[name])})
    neat.ask(), twin.ask()
    assert_same(neat, twin)


@pytest.mark.parametrize("network", ["graph", "graph:8:recurrent"])
def test_runs_go_on_as_if_uninterrupted_with_any_number_of_threads(network: str, tmp_path: Path) -> None:
    few = {"task.steps": 60, "evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
    settings = {**few, "method.population_size": 30, "method.add_node": 0.3, "method.add_link": 0.3}

    def run(name: str, generations: int, threads: int) -> evo.Run:
        return evo.run(
            "cartpole",
            method="neat",
            network=network,
            seed=1,
            generations=generations,
            threads=threads,
            settings=settings,
            out=tmp_path / name,
            video=False,
        )

    whole, parallel = run("whole", 8, 1), run("parallel", 8, 3)
    resumed = evo.resume(run("resumed", 3, 2), generations=8, video=False)
    for other in (parallel, resumed):
        np.testing.assert_array_equal(other.champion.params, whole.champion.params)
        for column in ("best", "mean", "species", "links", "complexity"):
            np.testing.assert_array_equal(other.metrics[column], whole.metrics[column])
    started = run("again", 1, 1) if network == "graph" else whole
    begun = evo.run(
        start=started, method="neat", seed=2, generations=1, settings=few, out=tmp_path / "from", video=False
    )
    assert begun.champion.network_text == network


@pytest.mark.parametrize(("task", "network"), [("sphere", None), ("cartpole", "linear")])
def test_what_has_no_graph_is_refused_in_one_line(task: str, network: str | None, tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match="take a task with a network, and network graph") as error:
        evo.run(task, method="neat", network=network, generations=1, out=tmp_path / "run", video=False)
    assert "\n" not in str(error.value)
