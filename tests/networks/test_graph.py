"""The graph layer against a plain twin, its text, and what it refuses."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.envs.engine.compile import njit
from evo.networks import Dense, Graph, Network, Sequential, network_from_text
from evo.networks.layer import Shape
from evo.networks.wiring import HEADER, Wiring
from evo.numerics.node_functions import ACTIVATIONS, activate_node
from evo.testing import check_network
from evo.testing.network import run_steps
from tests.support.graphs import SMOOTH, random_wiring, run_plainly


@njit
def _activate(value: Any, place: int) -> Any:
    return activate_node(value, place)


def _in_float32(name: str, value: np.float32) -> np.float32:
    return np.float32(_activate(value, ACTIVATIONS.index(name)))


def _network(recurrent: bool, inputs: int, outputs: int, nodes: int = 8) -> Network:
    return Network([Graph(nodes, recurrent, outputs)], inputs, "graph", False)


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_step_equals_a_plain_twin_to_the_bit(recurrent: bool) -> None:
    """10,000 graphs of all functions in all, the recurrent ones with rates, over an episode."""
    rng = np.random.default_rng(0)
    kinds = [(inputs, outputs) for inputs in (1, 3) for outputs in (1, 2)]
    networks = {kind: _network(recurrent, *kind) for kind in kinds}
    used = set[tuple[int, int]]()
    for index in range(5_000):
        kind = kinds[index % len(kinds)]
        wiring = random_wiring(rng, *kind, recurrent)
        used |= set(zip(wiring.activations.tolist(), wiring.aggregations.tolist(), strict=True))
        row, sequence = wiring.row(), rng.normal(size=(4, kind[0])).astype(np.float32)
        networks[kind].check(row)
        with np.errstate(all="ignore"):  # products of products may leave float32's range
            expected = run_plainly(wiring, sequence, recurrent, np.float32, _in_float32)
        found = run_steps(networks[kind], row.astype(np.float32), sequence)
        np.testing.assert_array_equal(found, expected.astype(np.float32))
    assert len(used) == 12 * 6


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_step_equals_a_twin_in_float64_to_rounding(recurrent: bool) -> None:
    rng, network = np.random.default_rng(1), _network(recurrent, 3, 2)
    for _ in range(500):
        wiring = random_wiring(rng, 3, 2, recurrent, activations=SMOOTH[1:], aggregations=("sum", "mean"))
        sequence = rng.normal(size=(10, 3)).astype(np.float32)
        found = run_steps(network, wiring.row().astype(np.float32), sequence)
        np.testing.assert_allclose(found, run_plainly(wiring, sequence, recurrent), atol=1e-3)


@pytest.mark.parametrize("recurrent", [False, True])
def test_it_keeps_its_promises(recurrent: bool) -> None:
    for inputs in (1, 4, 9):
        check_network(Graph(5, recurrent, 3), (inputs,))
    check_network(Graph(5, recurrent, 2), (3, 3))
    check_network([Dense(3, "tanh"), Graph(5, recurrent, 2)], (5,))


class Drawn(Graph):
    """A graph that begins with a given row."""

    row = np.zeros(0)

    def size(self, inputs: Shape) -> int:
        return len(self.row)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        return self.row


@pytest.mark.parametrize("recurrent", [False, True])
def test_gradients_equal_finite_differences(recurrent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of graphs with all aggregations, and all activations whose outputs have no steps or corners near."""
    rng = np.random.default_rng(2)
    for index in range(12):
        row = random_wiring(rng, 3, 2, recurrent, 6, (*SMOOTH, "square")).row()
        monkeypatch.setattr(Drawn, "row", row)
        check_network([Dense(3, "tanh"), Drawn(6, recurrent, 2)] if index % 2 else Drawn(6, recurrent, 2), (3,))


def test_gradient_descent_leaves_the_structure() -> None:
    places, least, greatest = _network(False, 2, 1).bounds(SMALL.row())
    fixed = least == greatest
    np.testing.assert_array_equal(SMALL.row()[places[fixed]], least[fixed])
    free = np.setdiff1d(np.arange(len(SMALL.row())), places)
    node = np.array([FIRST + 2, FIRST + 3])
    np.testing.assert_array_equal(free, [*node, *(node + 6), *(LINKS + 1 + 2 * np.arange(3))])
    np.testing.assert_array_equal(places[~fixed], [FIRST + 4, FIRST + 10])
    np.testing.assert_array_equal([least[~fixed], greatest[~fixed]], [[2.0**-10] * 2, [1.0] * 2])


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("graph", Graph()),
        ("graph:30", Graph(30)),
        ("graph:recurrent", Graph(recurrent=True)),
        ("graph:30:recurrent", Graph(30, True)),
    ],
)
def test_it_is_written_as_text(text: str, layer: Graph) -> None:
    network = network_from_text(text, 4, 2)
    assert layer.text == text
    assert network.layers == (Graph(layer.nodes, layer.recurrent, 2),)
    assert network.own_length and network.remembers == layer.recurrent
    network.check(network.initial(np.random.default_rng(0)))
    behind = network_from_text(f"dense:3>{text}", 4, 2)
    assert behind.layers == (Dense(3), Graph(layer.nodes, layer.recurrent, 2))
    parentheses = f"graph(nodes={layer.nodes}, recurrent={str(layer.recurrent).lower()})".replace(
        ", recurrent=false", ""
    )
    assert network_from_text(parentheses, 4, 2).layers == network.layers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("graph:0", "'graph' needs the most nodes that it may have, as in 'graph:256'; got 'graph:0'"),
        ("graph:3,4", "'graph:3,4': it takes one number, of nodes"),
        ("graph:forward", "'forward' is not a kind of graph (recurrent)"),
        ("graph:1", "'graph:1': 2 outputs, and no more than 1 nodes; write graph:4"),
        ("graph>dense:2", "'graph' stands at the end"),
        ("graph(node=3)", "it has no option 'node'; did you mean 'nodes'?"),
    ],
)
def test_a_wrong_text_is_explained(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        network_from_text(text, 4, 2)


def test_it_acts_in_a_task() -> None:
    task = evo.task("evo/PointMass-v0")
    network = evo.network("graph", task)
    assert evo.network(Sequential(Graph()), task).size == network.size
    rng = np.random.default_rng(0)
    rows = [random_wiring(rng, network.inputs, network.outputs, False).row() for _ in range(5)]
    together = evo.evaluate(task, network, rows, episodes=2)
    for row, returns in zip(rows, together, strict=True):
        np.testing.assert_array_equal(returns, evo.evaluate(task, network, row, episodes=2)[0])


def _change(wiring: Wiring, place: int, value: float) -> np.ndarray:
    row = wiring.row()
    row[place] = value
    return row


SMALL = Wiring(
    inputs=2,
    outputs=np.array([1]),
    activations=np.array([0, 3]),
    aggregations=np.array([0, 1]),
    biases=np.zeros(2),
    responses=np.ones(2),
    rates=np.ones(2),
    incoming=np.array([1, 2]),
    sources=np.array([0, 1, 2]),
    weights=np.array([0.5, -0.5, 1.0]),
)
FIRST, LINKS = HEADER + 1, HEADER + 1 + 2 * 6  # where its nodes, and its links, begin


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, 3, "a graph from 3 inputs to 1 outputs; it must be from 2 to 1"),
        (1, 2, "is 24 numbers, not 23"),
        (2, 1, "is 17 numbers, not 23"),
        (2, np.nan, "counts are not all whole numbers"),
        (3, 2, "is 21 numbers, not 23"),
        (HEADER, 2, "outputs' nodes are not all whole numbers from 0 to 1"),
        (HEADER, 0.5, "outputs' nodes are not all whole numbers from 0 to 1"),
        (FIRST, 12, "activations are not all whole numbers from 0 to 11"),
        (FIRST + 1, -1, "aggregations are not all whole numbers from 0 to 5"),
        (FIRST + 2, 1e39, "a number that is not finite"),
        (FIRST + 3, np.nan, "a number that is not finite"),
        (FIRST + 4, 0, "a rate outside (0, 1]"),
        (FIRST + 4, 1e-50, "a rate outside (0, 1]"),
        (FIRST + 4, 1.5, "a rate outside (0, 1]"),
        (FIRST + 5, 2, "whose nodes take 4 links and that has 3"),
        (FIRST + 5, 9, "numbers of links are not all whole numbers from 0 to 3"),
        (LINKS, 4, "sources are not all whole numbers from 0 to 3"),
        (LINKS, 2, "whose node 0 reads node 0, which is not computed before it"),
        (LINKS + 1, np.inf, "a number that is not finite"),
    ],
)
def test_a_row_that_is_no_graph_is_explained(place: int, value: float, message: str) -> None:
    network = _network(False, 2, 1)
    network.check(SMALL.row())
    with pytest.raises(ValueError, match=re.escape(message)):
        network.check(_change(SMALL, place, value))


def test_a_recurrent_graph_may_read_what_comes_later() -> None:
    _network(True, 2, 1).check(_change(SMALL, LINKS, 2))


def test_too_many_nodes_are_explained() -> None:
    with pytest.raises(ValueError, match="a graph of 2 nodes, where 'graph:1' takes 1 at most; write graph:2"):
        _network(False, 2, 1, nodes=1).check(SMALL.row())
    with pytest.raises(ValueError, match="its row begins with 4 counts"):
        _network(False, 2, 1).check(np.zeros(3))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.data())
def test_what_is_altered_is_refused_in_words_or_is_a_graph(seed: int, recurrent: bool, data: st.DataObject) -> None:
    """The compiled check agrees with Wiring's own: it refuses none but with a reason, and lets none through."""
    network, rng = _network(recurrent, 2, 2), np.random.default_rng(seed)
    row = random_wiring(rng, 2, 2, recurrent).row().astype(np.float32)
    for _ in range(data.draw(st.integers(0, 2))):
        values = st.sampled_from([-1.0, -0.0, 0.5, 1.0, 2.0, 3.0, 7.0, 12.0, 1e9, 3e38, np.nan, np.inf])
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(values)
    row = row[: len(row) - data.draw(st.sampled_from([0, 0, 0, 1, 2, 6]))]
    try:
        network.check(row)
    except ValueError:
        return
    wiring = Wiring.of(row)
    assert (wiring.inputs, len(wiring.outputs)) == (2, 2)
    if not recurrent:
        wiring.check_order()
    np.testing.assert_array_equal(wiring.row(), row)
