"""`evo replay --network`: the network that was scored, drawn alone and beside the film of its episode."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evo
from evo.errors import EvoError
from evo.learners.learner import Candidate
from evo.networks.wiring import Wiring
from evo.runs.champion import Champion
from evo.runs.pictures.network import watch_network
from evo.visualize.networks.diagram import activity, diagram_of

PAIR = Wiring(  # of which each node reads the other
    inputs=4,
    outputs=np.array([1]),
    activations=np.array([3, 0]),
    aggregations=np.array([0, 0]),
    biases=np.array([0.1, -0.2]),
    responses=np.ones(2),
    rates=np.array([0.5, 1.0]),
    incoming=np.array([3, 2]),
    sources=np.array([0, 1, 5, 2, 4]),
    weights=np.array([0.7, 2.0, 0.4, 1.5, 3.0]),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    out = tmp_path_factory.mktemp("runs") / "run"
    return evo.run("cartpole", method="ars", network="mlp:3", generations=3, out=out, video=False)


@pytest.fixture(scope="module")
def recurrent(run: evo.Run) -> Champion:
    """A champion whose network is a recurrent graph."""
    candidate = Candidate(PAIR.row().astype(np.float32), run.champion.statistics)
    return replace(run.champion, network_text="graph:recurrent", normalise=False, candidate=candidate)


def test_what_is_shown_is_what_was_scored(recurrent: Champion) -> None:
    episode = recurrent.rollout(3)
    row, problem = recurrent.params, recurrent.walking
    shown = activity(recurrent.network, row, episode.observations, *problem.normalisation(recurrent.statistics))
    outputs = shown[:-1, diagram_of(recurrent.network, row).outputs]
    assert len(outputs) > 5
    np.testing.assert_array_equal(np.clip(outputs, -1, 1), episode.actions)
    assert watch_network(recurrent, recurrent.candidate, episode, 60).frame(2).shape == (60, 72, 3)


@pytest.mark.parametrize("evolution", [False, True])
def test_the_network_stands_beside_the_film(run: evo.Run, evolution: bool, tmp_path: Path) -> None:
    size = {"width": 80, "height": 60, "seconds": 0.2}
    with Image.open(evo.replay(run, tmp_path / "film.webp", network=True, evolution=evolution, **size)) as film:
        assert film.size == (80 + 72, 60)
        assert film.n_frames >= 5  # type: ignore[attr-defined]
    with Image.open(evo.replay(run, tmp_path / "alone.webp", evolution=evolution, **size)) as film:
        assert film.size == (80, 60)


def test_the_film_has_a_place_in_its_run(run: evo.Run) -> None:
    shown = evo.replay(run, network=True, width=32, height=32, seconds=0.1)
    assert shown == run.path / "videos" / "champion-network.mp4"


def test_a_picture_names_what_the_task_does(run: evo.Run, recurrent: Champion, tmp_path: Path) -> None:
    text = evo.replay(run, tmp_path / "network.svg", network=True).read_text()
    assert all(f"<!-- {name} -->" in text for name in ("position", "angle", "velocity", "spin"))
    assert evo.replay(run.path / "champion.npz", tmp_path / "network.png", network=True).stat().st_size > 4000
    assert (
        "4 inputs, 1 hidden, 1 output, 5 links" in evo.replay(recurrent, tmp_path / "g.svg", network=True).read_text()
    )


def test_on_a_data_set_the_network_is_a_picture(tmp_path: Path) -> None:
    run = evo.run("xor", method="backprop", network="mlp:3", generations=1, out=tmp_path / "run", video=False)
    shown = evo.replay(run, network=True)
    assert shown == run.path / "plots" / "network.svg"
    assert "2 inputs, 3 hidden" in shown.read_text()


def test_what_has_no_network_to_draw_says_so(run: evo.Run, tmp_path: Path) -> None:
    sphere = evo.run("sphere", method="cma-es", generations=1, out=tmp_path / "sphere", video=False)
    with pytest.raises(EvoError, match="without a network"):
        evo.replay(sphere, network=True)
    with pytest.raises(EvoError, match="an episode is filmed to"):
        evo.replay(run, tmp_path / "network.svg", network=True, seed=3)
