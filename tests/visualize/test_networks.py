"""Networks drawn: what is drawn is the network that is evaluated, where it is drawn follows its depth."""

import html
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evo.networks import Network, network_from_text
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.numerics.randomness import generator
from evo.visualize.networks.diagram import Diagram, Names, activity, diagram_of
from evo.visualize.networks.layout import lay_out
from evo.visualize.networks.picture import LivePicture, draw_network
from evo.visualize.networks.signs import shape_of

CHAINS = ["linear", "mlp:5", "mlp:4,3:relu", "dense:4:elu>dense:2", "take:3>dense:2:tanh:nobias", "dense:3>squash"]
FUNCTIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}


def network_of(text: str, inputs: int = 4, outputs: int = 2) -> tuple[Network, np.ndarray]:
    network = network_from_text(text, inputs, outputs, bounds=(-np.ones(outputs), np.ones(outputs)))
    params = generator(0, "test").normal(size=network.size).astype(np.float32)
    return network, params


def values_of(diagram: Diagram, observation: np.ndarray) -> np.ndarray:
    """The values of a diagram's units, in plain Python; units stand in the order in which they are computed."""
    values = np.zeros(len(diagram))
    values[: diagram.inputs] = observation
    for unit in range(diagram.inputs, len(diagram)):
        reads = diagram.targets == unit
        total = diagram.biases[unit] + float(diagram.weights[reads] @ values[diagram.sources[reads]])
        values[unit] = FUNCTIONS[diagram.activations[unit]](total)
    return values


@pytest.mark.parametrize("text", CHAINS)
def test_units_and_links_drawn_compute_what_the_network_does(text: str) -> None:
    network, params = network_of(text)
    diagram = diagram_of(network, params)
    observations = generator(1, "test").normal(size=(6, 4))
    shown = activity(network, params, observations, np.zeros(4), np.ones(4))
    assert shown.shape == (6, len(diagram))
    np.testing.assert_allclose(shown, [values_of(diagram, each) for each in observations], rtol=2e-5, atol=2e-6)
    np.testing.assert_array_equal(
        shown[:, diagram.outputs], [out for out, _ in unrolled(network, params, observations)]
    )


def unrolled(network: Network, params: np.ndarray, observations: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(network.unroll(params, observations, np.zeros(4), np.ones(4)))


def test_the_inputs_shown_are_normalised_as_the_network_reads_them() -> None:
    network = network_from_text("linear", 2, 1, normalise=True, clip_observation=1.5)
    shown = activity(network, np.ones(2), np.array([[3.0, 100.0]]), np.array([1.0, 0.0]), np.array([0.5, 1.0]))
    np.testing.assert_array_equal(shown, [[1.0, 1.5, 2.5]])


def test_a_clock_is_drawn_as_its_rhythm() -> None:
    network = network_from_text("clock:4x2>dense:1", 2, 1)
    diagram = diagram_of(network, np.zeros(network.size))
    assert diagram.activations[2:6] == ("sine", "cosine", "sine", "cosine")
    shown = activity(network, np.zeros(network.size), np.zeros((3, 2)), np.zeros(2), np.ones(2))
    np.testing.assert_allclose(shown[1, 2:6], [1, 0, 0, -1], atol=1e-6)  # a quarter of a turn, and a half


def test_what_a_pattern_develops_into_is_drawn() -> None:
    network = network_from_text("es-hyperneat(3, linear, band=0.1)", 4, 2)
    stripes = Wiring(  # sin(6 x) of the target, for weights and biases
        inputs=6,
        outputs=np.array([0, 0]),
        activations=np.array([ACTIVATIONS.index("sine")]),
        aggregations=np.zeros(1, np.int64),
        biases=np.array([0.3]),
        responses=np.ones(1),
        rates=np.ones(1),
        incoming=np.array([2]),
        sources=np.array([0, 2]),
        weights=np.array([5.0, 6.0]),
    ).row()
    diagram, observations = diagram_of(network, stripes), generator(1, "test").normal(size=(3, 4))
    shown = activity(network, stripes, observations, np.zeros(4), np.ones(4))
    assert shown.shape == (3, len(diagram)) and len(diagram) > 10
    expected = np.array([values_of(diagram, each) for each in observations])
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    found = [out for out, _ in unrolled(network, stripes, observations)]
    np.testing.assert_array_equal(shown[:, diagram.outputs], found)


@pytest.mark.parametrize("text", ["lstm:4", "residual(dense:4)>dense:2", "ctrnn:4>dense:2"])
def test_units_of_other_layers_are_their_outputs(text: str, tmp_path: Path) -> None:
    network, params = network_of(text)
    diagram, observations = diagram_of(network, params), generator(2, "test").normal(size=(5, 4))
    shown = activity(network, params, observations, np.zeros(4), np.ones(4))
    for depth in range(len(network.layers) + 1):
        assert diagram.places is not None
        found = [out for out, _ in network.unroll(params, observations, np.zeros(4), np.ones(4), depth)]
        np.testing.assert_array_equal(shown[:, diagram.places[:, 0] == depth], found)
    assert diagram.unlinked == (text.split(">")[0],) and len(diagram.sources) == 8  # of the last, dense one
    draw_network(diagram, Names(), "title", tmp_path / "network.svg")
    assert f"those of {diagram.unlinked[0]} not drawn" in html.unescape((tmp_path / "network.svg").read_text())


def diagram_of_wiring(wiring: Wiring) -> Diagram:
    return diagram_of(graph_of(wiring), wiring.row())


def graph_of(wiring: Wiring) -> Network:
    return network_from_text("graph:recurrent", wiring.inputs, len(wiring.outputs))


@st.composite
def wirings(draw: st.DrawFn, recurrent: bool) -> Wiring:
    inputs, nodes = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    rng = generator(draw(st.integers(0, 2**31)), "wiring")
    links = [
        (source, target)
        for target in range(nodes)
        for source in range(inputs + (nodes if recurrent else target))
        if rng.random() < 0.4
    ]
    outputs = rng.permutation(nodes)[: rng.integers(1, nodes + 1)]
    return Wiring(
        inputs,
        outputs,
        rng.integers(len(ACTIVATIONS), size=nodes),
        rng.integers(len(AGGREGATIONS), size=nodes),
        rng.normal(size=nodes),
        np.ones(nodes),
        np.ones(nodes),
        np.bincount([target for _, target in links], minlength=nodes),
        np.array([source for source, _ in links], np.int64),
        rng.normal(size=len(links)),
    )


@given(wirings(recurrent=False))
def test_every_link_of_a_feed_forward_graph_leads_right(wiring: Wiring) -> None:
    diagram = diagram_of_wiring(wiring)
    layout = lay_out(diagram, np.ones(len(diagram), bool))
    final = np.zeros(len(diagram), bool)
    final[diagram.outputs] = True
    assert not layout.back[~final[diagram.sources]].any()  # an output that is read stands last all the same
    assert set(layout.columns[final]) == {layout.columns.max()}
    assert set(np.flatnonzero(layout.columns == 0)) == set(range(wiring.inputs))


@given(st.one_of(wirings(recurrent=True), wirings(recurrent=False)))
def test_units_do_not_overlap_and_links_that_lead_back_are_all_that_closes_cycles(wiring: Wiring) -> None:
    diagram = diagram_of_wiring(wiring)
    layout = lay_out(diagram, np.ones(len(diagram), bool))
    assert layout.heights.min() >= -1e-9
    assert layout.heights.max() <= 1 + 1e-9
    assert set(layout.columns) == set(range(layout.columns.max() + 1))
    for column, gap in enumerate(layout.gaps):
        apart = np.diff(np.sort(layout.heights[layout.columns == column]))
        assert (apart >= gap - 1e-9).all()
    forward = ~layout.back
    assert (layout.columns[diagram.sources[forward]] < layout.columns[diagram.targets[forward]]).all()


@given(wirings(recurrent=True))
def test_a_layout_is_the_same_every_time(wiring: Wiring) -> None:
    first, second = (
        lay_out(diagram_of_wiring(wiring), np.ones(wiring.inputs + len(wiring.biases), bool)) for _ in "12"
    )
    np.testing.assert_array_equal(first.heights, second.heights)


@given(wirings(recurrent=True))
def test_what_a_node_holds_follows_from_what_it_read_the_step_before(wiring: Wiring) -> None:
    simple = replace(wiring, activations=0 * wiring.activations, aggregations=0 * wiring.aggregations)
    diagram, observations = diagram_of_wiring(simple), generator(2, "test").normal(size=(4, wiring.inputs))
    none = np.zeros(wiring.inputs)
    shown = activity(graph_of(simple), simple.row(), observations, none, none + 1)
    before = np.vstack([np.zeros(len(diagram)), shown[:-1]])
    before[:, : wiring.inputs] = observations
    expected = np.tile(diagram.biases, (4, 1))
    for source, target, weight in zip(diagram.sources, diagram.targets, diagram.weights, strict=True):
        expected[:, target] += weight * before[:, source]
    expected[:, : wiring.inputs] = observations
    np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-4)


def test_outputs_stand_in_their_order() -> None:
    network, params = network_of("mlp:6", outputs=5)
    diagram = diagram_of(network, params)
    layout = lay_out(diagram, np.ones(len(diagram), bool))
    assert (np.diff(layout.heights[diagram.outputs]) > 0).all()
    assert (np.diff(layout.heights[: diagram.inputs]) > 0).all()


@pytest.mark.parametrize(
    "name", ["</svg><script>alert(1)</script>", "--><script>1</script>", "$\\frac{", "a\x1b[31m\x00b"]
)
def test_hostile_names_do_no_harm(name: str, tmp_path: Path) -> None:
    network, params = network_of("linear", 2, 1)
    draw_network(diagram_of(network, params), Names((name, "b"), (name,)), name, tmp_path / "network.svg")
    tree = ElementTree.parse(tmp_path / "network.svg")
    assert not [each for each in tree.iter() if each.tag.endswith("script")]
    assert not {"\x1b", "\x00"} & set((tmp_path / "network.svg").read_text())


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_names_inputs_outputs_and_counts(suffix: str, tmp_path: Path) -> None:
    network, params = network_of("mlp:3", 2, 1)
    path = tmp_path / f"network{suffix}"
    draw_network(diagram_of(network, params), Names(("pitch", "roll"), ("hip",)), "a title", path)
    assert path.stat().st_size > 4000
    if suffix == ".svg":
        said = ("pitch", "roll", "hip", "a title", "2 inputs, 3 hidden, 1 output, 9 links; units are filled by bias")
        assert all(f"<!-- {words} -->" in path.read_text() for words in said)


def test_of_many_inputs_those_without_links_are_left_out(tmp_path: Path) -> None:
    few = Wiring(376, *(np.zeros(1, int),) * 3, *(np.ones(1),) * 3, np.array([2]), np.array([7, 300]), np.ones(2))
    draw_network(diagram_of_wiring(few), Names(), "", tmp_path / "few.png")
    draw_network(diagram_of_wiring(few), Names(), "many", tmp_path / "few.svg")
    text = (tmp_path / "few.svg").read_text()
    assert "376 inputs (374 without links, not drawn), 1 output, 2 links" in text
    assert "<!-- 300 -->" in text
    assert "<!-- 8 -->" not in text


def test_of_very_many_links_the_strongest_are_drawn(tmp_path: Path) -> None:
    network, params = network_of("mlp:60", 60, 4)
    draw_network(diagram_of(network, params), Names(), "wide", tmp_path / "wide.svg")
    assert "3,840 links (the 2,000 strongest drawn)" in (tmp_path / "wide.svg").read_text()


@pytest.mark.parametrize("size", [(64, 64), (432, 360)])
def test_units_change_their_colour_with_their_values(size: tuple[int, int]) -> None:
    network, params = network_of("linear", 1, 1)
    diagram, width, height = diagram_of(network, params), *size
    live = LivePicture(diagram, Names(), np.array([[0.5, 1.0], [-0.5, -1.0], [0.0, 0.0]]), width, height)
    warm, cold, none = (live.frame(step).copy() for step in range(3))
    assert warm.shape == (height, width, 3)
    assert warm.dtype == np.uint8
    differs = (warm != cold).any(axis=2)
    assert differs.any()
    red = [int(frame[differs][:, 0].sum()) for frame in (warm, cold)]
    assert red[0] > red[1]  # orange above zero, teal below
    np.testing.assert_array_equal(live.frame(0), warm)  # a frame depends on its step alone
    assert (none != warm).any()


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "elu"])
def test_every_activation_has_a_sign_of_its_own(activation: str) -> None:
    shape = shape_of(activation)
    assert shape is not None
    assert np.abs(shape).max() <= 1.2
    assert not any(np.allclose(shape, shape_of(other)) for other in ACTIVATIONS if other != activation)


def test_a_picture_fills_its_size(tmp_path: Path) -> None:
    network, params = network_of("mlp:3", 2, 1)
    draw_network(diagram_of(network, params), Names(), "", tmp_path / "network.png")
    with Image.open(tmp_path / "network.png") as picture:
        drawn = np.argwhere(np.asarray(picture.convert("L")) < 128)
        share = (drawn.max(axis=0) - drawn.min(axis=0)) / [picture.height, picture.width]
    assert (share > 0.7).all()


@pytest.mark.parametrize("text", ["hyperneat:5x5:grid:nobias", "hyperneat:6,4", "hyperneat:3:relu"])
def test_a_painted_network_is_drawn_where_its_units_are(text: str, tmp_path: Path) -> None:
    network = network_from_text(text, 9, 9)
    row = painting(network)
    diagram = diagram_of(network, row)
    layout = lay_out(diagram, np.ones(len(diagram), bool))
    assert diagram.places is not None and 0 < len(diagram.weights) and (diagram.weights != 0).all()
    np.testing.assert_array_equal(layout.columns, diagram.places[:, 0])
    for layer in range(int(layout.columns.max()) + 1):
        units = np.flatnonzero(layout.columns == layer)
        assert (np.diff(layout.heights[units[np.argsort(diagram.places[units, 1])]]) > 0).all()
    observations = generator(3, "test").normal(size=(2, 9))
    shown = activity(network, row, observations, np.zeros(9), np.ones(9))
    acted = np.array([outputs for outputs, _ in network.unroll(row, observations, np.zeros(9), np.ones(9))])
    np.testing.assert_allclose(shown[:, diagram.outputs], acted, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(shown[0, -9:], values_of(diagram, observations[0])[-9:], rtol=1e-4, atol=1e-5)
    for name in ("network.svg", "network.png"):
        draw_network(diagram, Names(), text, tmp_path / name)
    ElementTree.parse(tmp_path / "network.svg")


def test_units_of_a_grid_stand_row_by_row_from_the_top() -> None:
    network = network_from_text("hyperneat:grid", 9, 9)
    places = diagram_of(network, painting(network)).places
    assert places is not None
    np.testing.assert_array_equal(places[:9, 1].reshape(3, 3)[::-1], np.arange(9).reshape(3, 3))


def painting(network: Network) -> np.ndarray:
    """A graph that paints many weights: of one node for each output, tanh."""
    wiring = Wiring.of(network.initial(np.random.default_rng(0)))
    weights = generator(0, "test").normal(size=len(wiring.weights))
    tanh = np.full(len(wiring.activations), ACTIVATIONS.index("tanh"))
    return replace(wiring, weights=weights, activations=tanh).row().astype(np.float32)
