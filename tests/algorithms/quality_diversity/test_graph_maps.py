"""Graph networks in maps and in novelty search: insertion, breeding, resuming to the bit, and what a run leaves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import evo
from evo.algorithms.genetic.neat import NEAT
from evo.algorithms.quality_diversity.archive import Archive
from evo.algorithms.quality_diversity.cells import Grid
from evo.algorithms.quality_diversity.map_elites import MAPElites
from evo.algorithms.quality_diversity.novelty import novelty_of
from evo.algorithms.quality_diversity.novelty_search import NoveltySearch
from evo.algorithms.quality_diversity.pools import Graphs, rows_of
from evo.genomes.graph import GraphPopulation, direct_wiring
from evo.networks.wiring import Wiring
from evo.operators.graph_genes import take

Floats = NDArray[np.float64]
ROW = direct_wiring(3, 2, "tanh").row()
WILD = "neat:add_node=0.3,add_link=0.3"
KINDS = [MAPElites, NoveltySearch]


def make(kind: Any, seed: int = 0, **options: Any) -> Any:
    settings = {"ranges": "-9:9,0:12", "archive": "grid:6", "population_size": 24, "graph": WILD, **options}
    return kind(ROW, seed, recurrent=False, most_nodes=12, **settings)


def told(population: GraphPopulation) -> tuple[Floats, Floats]:
    """Fitness: minus the sum of squared weights; measures: the sum of the weights, and the number of links."""
    genes = [take(population.genes, np.array([one])) for one in range(len(population))]
    fitness = [-float(np.sum(np.square(one.weights))) for one in genes]
    measures = [[float(one.weights.sum()), float(one.enabled.sum())] for one in genes]
    return np.array(fitness), np.array(measures)


def search(algorithm: Any, generations: int) -> Any:
    for _ in range(generations):
        fitness, measures = told(algorithm.ask())
        algorithm.tell(fitness, measures=measures)
    return algorithm


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_of_graphs_grows_and_keeps_the_fittest_that_it_met(kind: Any) -> None:
    algorithm, met, rows = make(kind), dict[int, float](), dict[int, bytes]()
    for _ in range(40):
        population = algorithm.ask()
        fitness, measures = told(population)
        for one, cell in enumerate(algorithm.archive.locate(measures).tolist()):
            if fitness[one] > met.get(cell, -np.inf):
                met[cell], rows[cell] = fitness[one], rows_of(population)[one].tobytes()
        algorithm.tell(fitness, measures=measures)
    cells = algorithm.archive.elites()
    kept = rows_of(algorithm.archive.pool.population(cells))
    assert met == dict(zip(cells.tolist(), algorithm.archive.fitness[cells].tolist(), strict=True))
    assert rows == {cell: row.tobytes() for cell, row in zip(cells.tolist(), kept, strict=True)}
    assert len({len(row) for row in kept}) > 2 and max(len(Wiring.of(row).incoming) for row in kept) > 2
    best = algorithm.candidates()
    assert best[0].tobytes() == rows[max(met, key=lambda cell: met[cell])]


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_on_from_its_state_to_the_bit(kind: Any) -> None:
    whole, first = search(make(kind), 20), search(make(kind), 9)
    resumed = make(kind)
    resumed.restore(first.state())
    assert same(search(resumed, 11).state(), whole.state())
    assert not same(search(make(kind, seed=1), 20).state(), whole.state())


def test_graphs_that_are_evaluated_again_go_on_from_a_state_to_the_bit() -> None:
    whole, resumed = search(make(MAPElites, resampled=8), 20), make(MAPElites, resampled=8)
    resumed.restore(search(make(MAPElites, resampled=8), 9).state())
    assert same(search(resumed, 11).state(), whole.state())
    assert len(whole.ask()) == 24 and whole.samples.max() > 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_tell_changes_nothing(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    algorithm, twin = search(make(kind), 5), search(make(kind), 5)
    fitness, measures = told(algorithm.ask())
    where, name = (algorithm.archive.pool, "put") if kind is MAPElites else (algorithm.neat, "update")
    original = getattr(where, name)

    def interrupted(*arguments: Any) -> None:
        original(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(where, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            algorithm.tell(fitness, measures=measures)
    assert same(algorithm.state(), twin.state())
    assert same(search(algorithm, 4).state(), search(twin, 4).state())


@settings(max_examples=15)
@given(st.integers(0, 2**20))
def test_the_answer_does_not_depend_on_the_order_of_a_batch(seed: int) -> None:
    population = search(make(MAPElites, seed), 6).ask()
    fitness, measures = np.round(told(population)[0]), np.round(told(population)[1] / 4)  # many are equal
    order = np.random.default_rng(seed).permutation(len(population))
    states = []
    for genes, chosen in ((population.genes, np.arange(len(order))), (take(population.genes, order), order)):
        archive = Archive(Grid((3, 3)), np.array([[-3.0, 3.0], [0.0, 4.0]]), Graphs(9, genes, False))
        archive.add(GraphPopulation(genes, False), fitness[chosen], measures[chosen])
        states.append(archive.state())
    assert same(*states)


def test_novelty_search_is_neat_on_novelty() -> None:
    """The paper's: NEAT, told the mean distance to the nearest behaviours in place of a fitness."""
    algorithm, options = make(NoveltySearch, neighbours=3, added=0), {"add_node": 0.3, "add_link": 0.3}
    neat = NEAT(ROW, 0, False, 12, population_size=24, patience=2**62, stagnation=2**62, **options)  # type: ignore[arg-type]
    for _ in range(12):
        population = algorithm.ask()
        assert np.array_equal(population.values, neat.ask().values)
        fitness, measures = told(population)
        algorithm.tell(fitness, measures=measures)
        neat.tell(novelty_of((measures - [-9, 0]) / [18, 12], np.zeros((0, 2)), 3))


def test_a_run_leaves_an_archive_of_graphs(tmp_path: Path) -> None:
    settings = {"method.archive": "grid:5", "method.population_size": 20, "method.graph": WILD, "task.steps": 20}
    words: dict[str, Any] = {"method": "map-elites", "network": "graph", "video": False, "settings": settings}
    whole = evo.run("point-mass", out=tmp_path / "whole", generations=6, threads=2, **words)
    evo.run("point-mass", out=tmp_path / "resumed", generations=3, threads=1, **words)
    resumed = evo.resume(tmp_path / "resumed", generations=6, video=False)
    assert resumed.archive_path.read_bytes() == whole.archive_path.read_bytes()
    archive = whole.archive
    assert len({*archive.params.lengths.tolist()}) > 1
    corrected = archive.correct()
    place = int(np.argmax(archive.corrected_fitness))
    elite = whole.elite(archive.label(place))
    np.testing.assert_array_equal(elite.candidate.params, archive.params[place])
    assert corrected.fitness.max() == pytest.approx(archive.corrected_fitness[place])
    task = evo.task("point-mass", steps=20)
    network = evo.network("graph", task)
    assert network.misfit(archive.params.values, archive.params.offsets) == -1


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("neat:power=-1", "graph: power=-1"),
        ("neat:pover=1", "graph: neat has no option 'pover'"),
        ("neat:population_size=9", "graph: population_size is an option of the method itself"),
        ("meat", "graph: unknown operator 'meat'"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_options_that_are_none_are_one_line(kind: Any, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make(kind, graph=text)


def test_rows_that_are_no_graph_are_refused() -> None:
    with pytest.raises(ValueError, match="initial: NEAT evolves graphs"):
        MAPElites(np.zeros(7), 0, recurrent=False, ranges="0:1,0:1")


def test_a_damaged_state_is_refused() -> None:
    algorithm = search(make(MAPElites), 4)
    state = algorithm.state()
    state["archive_sources"] = state["archive_sources"] + 999
    with pytest.raises(ValueError, match="archive: genome"):
        make(MAPElites).restore(state)
