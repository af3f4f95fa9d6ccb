"""Rows of their own length: evaluation, checks, runs that go on, champions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.evaluation.collector import Collector
from evo.evaluation.workers import Threads
from evo.export.parts import Parts
from evo.genomes.population import DensePopulation, RaggedPopulation, Subpopulation, parts_of, row_of
from evo.genomes.rows import Rows, rows_for
from evo.networks import Network
from evo.testing import check_network
from examples.own_genome import GENE, Waves

SETTINGS = ["task.steps=100", "network.normalise=false", "evaluation.selection_episodes=2"]
SETTINGS += ["evaluation.report_episodes=2"]
NETWORK = "examples.own_genome:Waves(8)>"


def _genes(*joints: int) -> np.ndarray:
    return np.ravel([[joint, 1, 0.3, 0.1 * joint] for joint in joints])


ROWS = [_genes(0), _genes(0, 5, 5), np.zeros(0), _genes(1, 2)]


def test_populations_of_several_lengths_are_handed_on_whole() -> None:
    population = RaggedPopulation(ROWS)
    assert population.size == 3 * GENE
    for one in (population, Subpopulation(population, np.array([0, 1, 2, 3]))):
        parts = [row for part in parts_of(one, 3) for row in part]
        for row, given, index in zip(parts, ROWS, range(4), strict=True):
            np.testing.assert_array_equal(row, given.astype(np.float32))
            np.testing.assert_array_equal(row_of(one, index), given)
    with pytest.raises(ValueError, match="individuals of 0 to 12 numbers"):
        population.dense()
    np.testing.assert_array_equal(RaggedPopulation(ROWS[:1]).dense(), ROWS[:1])


def test_rows_of_one_length_are_an_array() -> None:
    array = np.arange(6.0).reshape(3, 2)
    rows = Rows.of(array)
    np.testing.assert_array_equal([*rows], array)
    np.testing.assert_array_equal([*rows.part(1, 3)], array[1:])
    np.testing.assert_array_equal([*next(parts_of(DensePopulation(array), 10))], array)
    with pytest.raises(IndexError):
        rows[3]
    with pytest.raises(ValueError, match="individuals, parameters"):
        Rows.of(np.zeros(3))


def test_individuals_do_what_their_own_genes_say() -> None:
    task = evo.task("quadruped", steps=20)
    network = evo.network(NETWORK, task)
    returns = evo.evaluate(task, network, ROWS, episodes=2)
    for individual, row in enumerate(ROWS):
        np.testing.assert_array_equal(returns[individual], evo.evaluate(task, network, row, episodes=2)[0])
    seen = evo.rollout(task, network, ROWS[1])
    phase = np.arctan2(seen.observations[:-1, 6], seen.observations[:-1, 7])
    np.testing.assert_allclose(seen.actions[:, 0], 0.3 * np.sin(phase), atol=1e-6)
    np.testing.assert_allclose(seen.actions[:, 5], 2 * 0.3 * np.sin(phase + 0.5), atol=1e-6)
    assert not seen.actions[:, 1].any()


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ([ROWS[0], ROWS[1][:-1]], "individual 1: 11 numbers: genes are 4"),
        ([_genes(8)], "individual 0: a gene's first number"),
        ([np.array([0.0, np.nan, 0.0, 0.0])], "individual 0: 4 numbers"),
        ([], "at least one individual"),
    ],
)
def test_genes_that_compiled_code_could_not_read_are_refused(params: Any, why: str) -> None:
    with pytest.raises(evo.EvoError, match=why):
        evo.evaluate("quadruped", NETWORK, params)


def test_a_network_of_fixed_length_takes_no_other() -> None:
    network = evo.network("linear", evo.task("evo/PointMass-v0"))
    with pytest.raises(ValueError, match="12 parameters"):
        rows_for(network, Rows.of(np.zeros((1, 12))))
    with pytest.raises(ValueError, match="they must be"):
        rows_for(network, np.zeros((1, 12)))


class Empty(Waves):
    def size(self, inputs: tuple[int, ...]) -> int:
        return 0


class Picky(Waves):
    """Takes nothing but zeros."""

    first = 0.0

    def check(self, params: np.ndarray, inputs: tuple[int, ...]) -> None:
        if params.any():
            raise ValueError("only zeros")

    def initial(self, inputs: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return np.full(GENE, self.first)


class Refusing(Picky):
    first = 1.0


def test_a_layer_is_tried_with_what_it_takes() -> None:
    check_network(Picky(8), (8,))
    with pytest.raises(AssertionError, match="its check refuses what its initial makes: only zeros"):
        check_network(Refusing(8), (8,))


def test_a_method_that_makes_other_genes_is_one_line(tmp_path: Path) -> None:
    options: dict[str, Any] = {"network": NETWORK, "generations": 2, "settings": SETTINGS, "video": False}
    with pytest.raises(evo.EvoError, match=r"individual \d does not fit .*; take a method that makes such rows"):
        evo.run("quadruped", method="cma-es", out=tmp_path / "run", **options)


def test_no_genes_of_its_own_length_are_exported(tmp_path: Path) -> None:
    network, none = evo.network(NETWORK, evo.task("quadruped")), np.zeros(0)
    for row in (ROWS[0], none):
        with pytest.raises(evo.EvoError, match="cannot be exported"):
            Parts(network, row, none, none, none, none, 0, {}).layers()


def test_environments_that_go_on_take_no_other_genes() -> None:
    task = evo.task("quadruped", steps=20)
    collector = Collector(task, evo.network(NETWORK, task), 2, 5, Threads(1))
    blocks, rows = collector.begin(np.ones((2, 4), np.uint64)), np.stack([_genes(0), _genes(9)]).astype(np.float32)
    normal = np.zeros(task.observation_size), np.ones(task.observation_size)
    for params in (rows, rows[1]):
        with pytest.raises(evo.EvoError, match=r"does not fit .*: a gene's first number is its joint"):
            collector.collect(blocks, params, *normal)
    collector.collect(blocks, rows[0], *normal)


def test_no_layer_after_one_of_its_own_length_has_parameters() -> None:
    Network([Waves(3), evo.LayerNorm()][:1], 8, "alone", False)
    with pytest.raises(ValueError, match="no layer after it may have any; 'dense:2"):
        Network([Waves(3), evo.Dense(2)], 8, "two", False)
    with pytest.raises(ValueError, match=r"no layer after it may have any; 'examples.own_genome:Waves"):
        Network([Waves(8), Empty(3)], 8, "two", False)  # it would be given what belongs to the first
    with pytest.raises(ValueError, match="cannot be in a residual"):
        evo.Residual(Waves(8))
    network = Network([evo.Dense(8), Waves(3)], 8, "behind", False)
    with pytest.raises(ValueError, match="71 parameters; 'behind' has at least 72"):
        network.check(np.zeros(71))
    network.check(np.zeros(72 + GENE))


def _run(path: Path, generations: int) -> evo.Run:
    return evo.run(
        "quadruped",
        method="examples.own_genome:GrowingGait",
        network=NETWORK,
        generations=generations,
        settings=SETTINGS,
        out=path,
        video=False,
    )


def test_a_run_of_growing_genomes_goes_on_to_the_bit(tmp_path: Path) -> None:
    whole = _run(tmp_path / "whole", 6)
    _run(tmp_path / "parts", 3)
    resumed = evo.resume(tmp_path / "parts", generations=6, video=False)
    assert whole.champion.digest == resumed.champion.digest
    np.testing.assert_array_equal(whole.metrics["best"], resumed.metrics["best"])
    assert len(set(whole.metrics["genes"])) > 1  # its length did change
    assert whole.champion.verify().exact
    fossils = [whole.directory.read_fossil(generation) for generation in whole.directory.fossils()]
    lengths = {whole.champion.fossil(arrays).params.size for arrays in fossils}
    assert len(lengths) > 1


def test_a_champion_whose_genes_do_not_fit_is_refused(tmp_path: Path) -> None:
    champion = _run(tmp_path / "run", 1).champion
    arrays = champion.arrays() | {"params": np.array([9, 0, 0, 0], np.float32)}
    damaged = evo.Champion.from_arrays(arrays, "file", trust=True)
    with pytest.raises(evo.EvoError, match=r"a damaged champion: a gene's first number .* on evo/Quadruped-v0"):
        damaged.rollout(0)
