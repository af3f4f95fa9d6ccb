"""The network on a page does what the network did in the episode: its values, to their quantisation."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evo
from evo.networks import network_from_text
from evo.numerics.randomness import generator
from evo.runs.pictures.network import NetworkWatch
from evo.visualize.networks.choice import describe, fold
from evo.visualize.networks.diagram import Names, activity, diagram_of
from evo.visualize.page import Activity, plan, record_activity
from evo.visualize.page.packing import unpack
from tests.support.browser import NODE, run_in_node
from tests.support.html_pages import content_of
from tests.support.places import REFERENCE


def decoded(held: dict[str, Any]) -> np.ndarray:
    """The values that a page holds, (steps, units)."""
    codes = np.cumsum(unpack(held["changes"]), axis=1, dtype=np.uint8)
    return ((codes.astype(float) - 128) / 127 * np.array(held["scales"])[:, None]).T


def recorded(text: str, steps: int = 6) -> tuple[Activity, np.ndarray]:
    """What a network of random parameters does, and the values of the same units by itself."""
    network, random = network_from_text(text, 5, 3), generator(3, "test")
    params, observations = random.normal(size=network.size), random.normal(size=(steps, 5))
    diagram = diagram_of(network, params)
    values = activity(network, params, observations, np.zeros(5), np.ones(5))
    planned = plan(diagram)
    return record_activity(diagram, planned, Names(), values), values[:, planned.units]


def test_the_page_holds_what_the_policy_computed_in_the_episode() -> None:
    run = evo.load(REFERENCE / "quadruped")
    champion = run.champion
    page = evo.view(run, seconds=1.0, seed=4).html
    (creature,) = content_of(page)["creatures"]
    assert "<p>Its network: 8 inputs, 8 outputs, 64 links.</p>" in page
    (episode,) = creature["episodes"]
    held, trajectory = episode["activity"], champion.rollout(4)
    mean, scale = champion.walking.normalisation(champion.statistics)
    steps = round(1.0 / champion.task.control_period)
    inputs = (trajectory.observations[:steps] - mean) * scale
    rows, columns = champion.network.shapes[0][0], champion.network.outputs
    expected = np.concatenate([inputs, inputs @ champion.params.reshape(rows, columns)], axis=1)
    shown = decoded(held)
    assert shown.shape == expected.shape and held["inputs"] == rows and 0 not in map(len, held["names"])
    half = np.array(held["scales"]) / 254
    assert (np.abs(shown - expected) <= half + 1e-5 * np.abs(expected).max()).all()
    assert held["columns"] == [0] * rows + [1] * columns and len(unpack(held["weights"])) == rows * columns


@pytest.mark.parametrize("text", ["linear", "mlp:7,6", "gru:4>dense:3", "clock:8x2>dense:3", "dense:70>dense:3"])
def test_values_are_those_of_the_network_to_half_a_code(text: str) -> None:
    found, values = recorded(text)
    shown = decoded(found.to_json())
    assert shown.shape == values.shape
    assert (np.abs(shown - values) <= np.array(found.scales) / 254 * (1 + 1e-4)).all()


def test_a_large_layer_is_folded_to_its_most_linked_units() -> None:
    network = network_from_text("dense:70>dense:3", 5, 3)
    diagram = diagram_of(network, generator(3, "test").normal(size=network.size))
    drawn = fold(diagram, 64)
    links = [(diagram.sources == unit) | (diagram.targets == unit) for unit in range(78)]
    strength = [np.abs(diagram.weights[own]).sum() for own in links]
    assert drawn[:5].all() and drawn[75:].all() and drawn[5:75].sum() == 64
    assert np.min(np.array(strength)[5:75][drawn[5:75]]) > np.max(np.array(strength)[5:75][~drawn[5:75]])
    said = describe(diagram, np.flatnonzero(drawn), np.arange(400))
    assert said == "5 inputs, 70 hidden (the 64 most linked drawn), 3 outputs, 560 links (the 400 strongest drawn)"


def test_networks_of_the_same_links_stand_in_the_same_places() -> None:
    champion = evo.load(REFERENCE / "quadruped").champion
    other = champion.candidate._replace(params=-2.0 * champion.params)
    watch, trajectory = NetworkWatch(champion), champion.rollout_of(other, 4)
    mine, its = (watch.record(one, trajectory, 5) for one in (champion.candidate, other))
    assert (mine.heights, mine.columns, mine.names) == (its.heights, its.columns, its.names)
    assert not np.array_equal(mine.values, its.values) and len(its.thin(2).values) == 3


@given(st.lists(st.floats() | st.just(0.0), min_size=3, max_size=3))
def test_what_is_not_finite_is_drawn_all_the_same(values: list[float]) -> None:
    diagram = diagram_of(network_from_text("linear", 2, 1), np.zeros(3))
    found = record_activity(diagram, plan(diagram), Names(), np.array([values]))
    assert found.values.min() >= 1
    json.dumps(found.to_json(), allow_nan=False)


if NODE:

    def test_the_page_s_script_reads_the_same_values() -> None:
        found, _ = recorded("mlp:7,6")
        probe = f"""
            const activity = await unpackAll({json.dumps(found.to_json())});
            const at = (state) => activity.columns.map((_, unit) => valueAt(activity, unit, state));
            const rows = [0, 3, 5, 6, 99].map(at);
            const places = placeUnits(activity, 300, 400, (name) => 6 * name.length);
            const ends = [...activity.sources].map((from, link) => [places[from], places[activity.targets[link]]]);
            const curves = ends.map((pair) => curveOf(...pair, 400));
            console.log(JSON.stringify([rows, places, curves]));
        """
        rows, places, curves = json.loads(run_in_node(("vectors", "unpack", "network"), probe))
        np.testing.assert_allclose(rows, (found.values[[0, 3, 5, 5, 5]].astype(float) - 128) / 127, atol=1e-12)
        assert all(0 < place["x"] < 300 and 0 < place["y"] < 400 and place["radius"] >= 1 for place in places)
        assert len(curves) == len(found.weights) and np.isfinite(curves).all()
