"""A run of NEAT keeps who lived, to the bit also when it is resumed, and draws its species, ancestry and network."""

from pathlib import Path

import numpy as np
import pytest

import evo
from evo.errors import EvoError
from evo.storage.states import below

OPTIONS = {"method": "neat", "settings": {"method.population_size": 30}, "seed": 2, "video": False, "threads": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return evo.run("xor", generations=14, out=tmp_path_factory.mktemp("runs") / "run", **OPTIONS)


def test_fossils_say_who_lived(run: evo.Run) -> None:
    metrics = run.metrics
    assert run.directory.fossils() == list(range(1, 15))
    for generation in run.directory.fossils():
        fossil, row = run.directory.read_fossil(generation), generation - 1
        species, line = below("species/", fossil), below("line/", fossil)
        assert species["sizes"].sum() == 30
        assert len(species["sizes"]) == len(species["numbers"]) == metrics["species"][row]
        assert (line["nodes"][-1], line["links"][-1]) == (metrics["nodes"][row], metrics["links"][row])
        assert line["generations"][0] == 1
        assert (np.diff(line["generations"]) > 0).all()
        assert line["species"][-1] in species["numbers"]


def test_resumed_it_keeps_the_same(run: evo.Run, tmp_path: Path) -> None:
    evo.run("xor", generations=6, out=tmp_path / "parts", **OPTIONS)
    evo.resume(tmp_path / "parts", generations=14, video=False, threads=2)
    parts = evo.load(tmp_path / "parts")
    for generation in run.directory.fossils():
        one, other = (each.directory.read_fossil(generation) for each in (run, parts))
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_its_pictures_are_drawn_at_its_end(run: evo.Run) -> None:
    names = {path.name for path in run.directory.plots.iterdir()}
    assert {"species.png", "ancestry.png", "network.svg", "learning.png"} <= names


def test_they_are_drawn_on_demand(run: evo.Run, tmp_path: Path) -> None:
    text = run.plot_species(tmp_path / "species.svg").read_text()
    assert "<!-- individuals, by species -->" in text
    text = run.plot_ancestry(tmp_path / "ancestry.svg").read_text()
    assert "ancestry of the fittest of generation" in text
    text = run.plot_network(tmp_path / "network.svg").read_text()
    assert "2 inputs, " in text


def test_a_run_without_species_says_so(tmp_path: Path) -> None:
    run = evo.run("xor", method="ga", generations=2, out=tmp_path / "run", video=False, threads=1)
    assert not (run.directory.plots / "species.png").exists()
    with pytest.raises(EvoError, match="keeps no species: runs of --method neat do"):
        run.plot_species(tmp_path / "species.png")
    with pytest.raises(EvoError, match="keeps no species"):
        run.plot_ancestry(tmp_path / "ancestry.png")


def test_a_damaged_fossil_is_refused(run: evo.Run, tmp_path: Path) -> None:
    fossil = next(iter(sorted((run.path / "fossils").iterdir())))
    whole = fossil.read_bytes()
    arrays = dict(np.load(fossil))
    try:
        np.savez(fossil, **{**arrays, "species/sizes": arrays["species/sizes"].astype(float)})
        with pytest.raises(EvoError, match="a damaged fossil: its numbers, sizes are not rows of whole numbers"):
            run.plot_species(tmp_path / "species.png")
    finally:
        fossil.write_bytes(whole)
