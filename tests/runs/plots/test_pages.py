"""Pages of plots: kinds by name, what is drawn where nobody names any, the same bytes each time, and mistakes."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

import evo
from evo.cli import app
from evo.errors import EvoError
from evo.networks import network_from_text
from evo.runs.plots.page import KINDS, default_kinds, names_of, summaries
from evo.runs.plots.subject import subject_of
from evo.runs.plots.weights import weights_of
from evo.runs.run import Run
from tests.support.places import REFERENCE


def default(name: str) -> list[str]:
    return default_kinds(subject_of(Run(REFERENCE / name)))


def test_a_newcomer_sees_what_the_run_is_about(tmp_path: Path) -> None:
    assert default("quadruped") == ["fitness", "path", "gait", "effort"]
    assert default("cartpole") == ["fitness", "path"]
    assert default("digits") == ["fitness", "weights"]
    evo.run("sphere", dim=2, method="cma-es", generations=3, out=tmp_path / "run", video=False, threads=1)
    assert default_kinds(subject_of(Run(tmp_path / "run"))) == ["fitness", "sigma"]
    assert "sigma, deviation of the search" in evo.plot(tmp_path / "run").text()


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_the_same_run_makes_the_same_bytes(suffix: str, finished_run: Path, tmp_path: Path) -> None:
    run = evo.load(finished_run)
    paths = [run.plot(tmp_path / f"{name}.{suffix}", "fitness,path,phase,weights") for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert evo.plot(finished_run, kind="fitness,path,phase,weights", out=tmp_path / f"c.{suffix}").text()
    assert (tmp_path / f"c.{suffix}").read_bytes() == paths[0].read_bytes()


def test_a_creature_fills_every_kind_of_its_page(tmp_path: Path) -> None:
    run = evo.load(REFERENCE / "quadruped")
    run.plot(tmp_path / "all.svg", [name for name in KINDS if name != "diversity"], seconds=1.0)
    text = (tmp_path / "all.svg").read_text()
    for words in (
        "env steps",
        "sigma, deviation of the search",
        "front left, 36 %",
        "x / m",
        "N m",
        "rad/s",
        "pitch rate",
    ):
        assert f"<!-- {words} -->" in text
    assert re.search(r"<!-- joint torques, the first 1 s of 10 s -->", text)


def test_kinds_are_given_by_name() -> None:
    assert names_of("gait, path,gait") == names_of(["gait", "path"]) == ["gait", "path"]
    assert names_of(()) == []
    assert {*KINDS} < {*summaries()}
    with pytest.raises(EvoError, match="there is no kind of plot 'gate'; did you mean 'gait'"):
        names_of("fitness,gate")
    for text in ("gait,", "", " ", ","):
        with pytest.raises(EvoError, match="there is no kind of plot ''"):
            names_of(text)
    with pytest.raises(EvoError, match="species is a picture by itself: plot it alone, without gait"):
        names_of("species,gait")


def test_a_kind_that_a_run_has_nothing_for_is_said(finished_run: Path, tmp_path: Path) -> None:
    def fails(path: Path, kind: str | tuple[str, ...]) -> str:
        with pytest.raises(EvoError) as error:
            evo.plot(path, kind=kind).save(tmp_path / "x.png")
        assert not (tmp_path / "x.png").exists()
        return str(error.value)

    for kind in ("gait", "path", "effort", "phase"):
        assert "digits is a data set: its champion answers examples" in fails(REFERENCE / "digits", kind)
    assert "has no feet to draw a gait of" in fails(finished_run, "gait")
    assert "has no actuators in MuJoCo" in fails(finished_run, "effort")
    assert "ars records no diversity (diversity, " in fails(finished_run, "diversity")
    assert "keeps no species: runs of --method neat do" in fails(finished_run, "species")
    assert "is a champion alone" in fails(finished_run / "champion.npz", "fitness")
    assert "network is drawn of a run directory" in fails(finished_run / "champion.npz", "network")
    with pytest.raises(EvoError, match=r"network is no picture for a terminal: give a file, --out network\.png"):
        evo.plot(finished_run, kind="network").text()
    place = tmp_path / "x.png"
    place.mkdir()
    with pytest.raises(EvoError) as error:
        evo.plot(finished_run, kind="fitness", out=place)
    assert str(error.value) == f"cannot write {place}: is a directory"
    place.rmdir()
    with pytest.raises(EvoError, match=r"'x\.bmp': the suffix must be"):
        evo.plot(finished_run, out=tmp_path / "x.bmp")
    for file in ("metrics.csv", "champion.npz"):
        shutil.copytree(finished_run, tmp_path / file)
        (tmp_path / file / file).unlink()
    assert "there is no curve yet: " in fails(tmp_path / "metrics.csv", "fitness")
    assert "there is nothing to plot yet: " in fails(tmp_path / "champion.npz", ())


def test_pictures_by_themselves_are_kinds_too(finished_run: Path, tmp_path: Path) -> None:
    assert evo.plot(finished_run, kind="network", out=tmp_path / "a.svg").save(tmp_path / "b.svg").exists()
    evo.load(finished_run).plot_network(tmp_path / "c.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "c.svg").read_bytes()


def test_a_champion_alone_is_plotted(finished_run: Path) -> None:
    text = evo.plot(finished_run / "champion.npz", kind="path").text()
    assert text == evo.plot(evo.load(finished_run).champion, kind="path").text()
    assert "path of the centre of mass" in text


def test_a_notebook_shows_the_plot(finished_run: Path) -> None:
    assert (
        evo.plot(finished_run)
        ._repr_html_()
        .startswith('<div><img style="max-width:640px" alt="plot" src="data:image/svg')
    )


@pytest.mark.parametrize("text", ["mlp:5,4", "lstm:3", "linear"])
def test_every_weight_of_a_network_is_drawn_once(text: str) -> None:
    network = network_from_text(text, 6, 2)
    params = np.arange(network.size, dtype=float)
    found = weights_of(network, params)
    drawn = np.concatenate([array.ravel() for array in found.values()])
    assert len({*drawn}) == len(drawn)
    vectors = sum(np.prod(block.shape) for block in network.layout() if len(block.shape) < 2)
    assert len(drawn) == network.size - vectors


def test_the_weights_of_a_graph_are_those_of_its_links(tmp_path: Path) -> None:
    run = evo.run("xor", method="neat", generations=2, out=tmp_path / "run", video=False, threads=1)
    champion = run.champion
    (links,) = weights_of(champion.network, champion.params).values()
    assert len(links) >= 2 and np.isin(links, champion.params).all()
    assert "links" in evo.plot(run, kind="weights").text()
    assert "species" in evo.plot(run, kind="diversity").text()


def test_the_help_names_every_kind() -> None:
    told = next(option.help for option in get_command(app).commands["plot"].params if option.name == "kind")  # type: ignore[attr-defined]
    assert re.findall(r"[a-z]+", told.partition(":")[2].partition("(")[0].replace("or one of", "")) == [*summaries()]
