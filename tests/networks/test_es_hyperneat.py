"""ES-HyperNEAT against a plain twin in the paper's words, as a graph, on bodies and grids, and what it refuses."""

import re
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.envs.engine.compile import njit
from evo.networks import ESHyperNEAT, Graph, Network, network_from_text
from evo.networks.wiring import HEADER, Wiring
from evo.numerics.graph_nodes import compute_nodes
from evo.numerics.node_functions import ACTIVATIONS
from evo.testing import check_network
from evo.testing.network import run_steps

_PATTERNS = ("sine", "gaussian", "absolute", "tanh", "linear", "cosine", "step")


@njit
def _values(row: Any, given: Any) -> Any:
    values = np.zeros(given.size + int(row[2]), np.float32)
    values[: given.size] = given
    compute_nodes(row, values, given.size, 0)
    return values


@dataclass
class _QuadPoint:
    x: float
    y: float
    width: float
    level: int
    weight: Any = None
    children: "list[_QuadPoint]" = field(default_factory=list)

    def weights(self) -> list[float]:
        if not self.children:
            return [float(self.weight)]
        return [weight for child in self.children for weight in child.weights()]

    def variance(self) -> float:
        weights = self.weights()
        mean = sum(weights) / len(weights)
        return sum((weight - mean) ** 2 for weight in weights) / len(weights)


class _Twin:
    """The paper's algorithms in plain Python, point by point. Units are places; hidden ones (x, y)."""

    def __init__(self, layer: ESHyperNEAT, row: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> None:
        self.layer, self.row = layer, row.astype(np.float32)
        self.inputs, self.outputs = ([tuple(each) for each in units.tolist()] for units in (inputs, outputs))

    def ask(self, source: tuple[float, ...], target: tuple[float, ...], output: int = 0) -> Any:
        count = len(self.inputs[0])
        one, other = (np.array([*place, 0.0][:count], np.float32) for place in (source, target))
        values = _values(self.row, np.concatenate([one, other, other - one]))
        answer = values[3 * count + int(self.row[HEADER + output])]
        return np.float32(0) if np.isnan(answer) else np.clip(answer, np.float32(-1), np.float32(1))

    def connections(self, unit: tuple[float, ...], outgoing: bool) -> list[tuple[tuple[float, float], Any]]:
        """The points to which a unit is connected, from coarse to fine, row by row, with their weights."""

        def weight(x: float, y: float) -> Any:
            return self.ask(unit, (x, y)) if outgoing else self.ask((x, y), unit)

        # algorithm 1
        layer, root = self.layer, _QuadPoint(0, 0, 1, 1)
        waiting = deque([root])
        while waiting:
            point = waiting.popleft()
            half = point.width / 2
            for x, y in ((-half, -half), (-half, half), (half, half), (half, -half)):
                child = _QuadPoint(point.x + x, point.y + y, half, point.level + 1)
                child.weight = weight(child.x, child.y)
                point.children.append(child)
            if point.level < layer.initial_depth or (point.level < layer.depth and point.variance() > layer.division):
                waiting.extend(point.children)
        # algorithm 2
        found: list[tuple[_QuadPoint, Any]] = []

        def extract(point: _QuadPoint) -> None:
            for child in point.children:
                if child.children and child.variance() >= layer.variance:
                    extract(child)
                    continue
                left, right = (
                    abs(child.weight - weight(child.x + way, child.y)) for way in (-point.width, point.width)
                )
                top, bottom = (
                    abs(child.weight - weight(child.x, child.y + way)) for way in (-point.width, point.width)
                )
                if max(min(top, bottom), min(left, right)) > layer.band and child.weight != 0:
                    found.append((child, child.weight * np.float32(layer.maximum)))

        extract(root)
        found.sort(key=lambda each: (each[0].level, each[0].y, each[0].x))
        return [((point.x, point.y), weight) for point, weight in found]

    def wiring(self) -> Wiring:
        """Algorithm 3."""
        layer, hidden, links = self.layer, dict[tuple[float, float], int](), dict[tuple[Any, Any], Any]()

        def add(place: tuple[float, float], turn: int) -> bool:
            if place not in hidden and len(hidden) < layer.hidden:
                hidden[place] = turn
            return place in hidden

        for source, unit in enumerate(self.inputs):
            for place, weight in self.connections(unit, True):
                if add(place, 0):
                    links[source, place] = weight
        unexplored = list(hidden)
        for turn in range(1, layer.rounds + 1):
            explored = list(hidden)
            for unit in unexplored:
                for place, weight in self.connections(unit, True):
                    if add(place, turn) and (layer.recurrent or hidden[place] == turn):
                        links[unit, place] = weight
            unexplored = [place for place in hidden if place not in explored]
        for target, unit in enumerate(self.outputs):
            for place, weight in self.connections(unit, False):
                if place in hidden:
                    links[place, target] = weight
        useful = set(range(len(self.outputs)))  # outputs, and neurons that lead to them
        while more := {source for source, target in links if target in useful and not isinstance(source, int)} - useful:
            useful |= more
        return self._assembled([place for place in hidden if place in useful], links)

    def _assembled(self, hidden: list[tuple[float, float]], links: dict[tuple[Any, Any], Any]) -> Wiring:
        count, nodes = len(self.inputs), [*hidden, *range(len(self.outputs))]
        sources: list[Any] = [*range(count), *hidden]
        incoming = [
            [(index, links[source, node]) for index, source in enumerate(sources) if (source, node) in links]
            for node in nodes
        ]
        kinds = [self.layer.activation if index < len(hidden) else "linear" for index in range(len(nodes))]
        biases = np.zeros(len(nodes), np.float32)
        if self.layer.bias:
            places = [*hidden, *self.outputs]
            biases[:] = [self.ask((0.0,) * len(self.inputs[0]), place, 1) for place in places]
            biases *= np.float32(self.layer.maximum)
        return Wiring(
            count,
            len(hidden) + np.arange(len(self.outputs)),
            np.array([ACTIVATIONS.index(kind) for kind in kinds]),
            np.zeros(len(nodes), np.int64),
            biases.astype(float),
            np.ones(len(nodes)),
            np.ones(len(nodes)),
            np.array([len(each) for each in incoming]),
            np.array([source for each in incoming for source, _ in each], np.int64),
            np.array([weight for each in incoming for _, weight in each], float),
        )


def _pattern(seed: int, dimensions: int = 2, outputs: int = 2) -> np.ndarray:
    """The row of a graph with steep and periodic functions, each output of which reads some of them."""
    rng, hidden, inputs = np.random.default_rng(seed), 5, 3 * dimensions
    reads = [rng.choice(inputs, 2, replace=False) for _ in range(hidden)]
    reads += [inputs + rng.choice(hidden, 3, replace=False) for _ in range(outputs)]
    functions = [*rng.choice(_PATTERNS, hidden), *["tanh"] * outputs]

    def numbers(size: int, scale: float) -> np.ndarray:
        return (scale * rng.normal(size=size)).astype(np.float32).astype(float)

    return Wiring(
        inputs=inputs,
        outputs=hidden + np.arange(outputs),
        activations=np.array([ACTIVATIONS.index(name) for name in functions]),
        aggregations=np.zeros(hidden + outputs, np.int64),
        biases=numbers(hidden + outputs, 0.5),
        responses=np.ones(hidden + outputs),
        rates=np.ones(hidden + outputs),
        incoming=np.array([len(each) for each in reads]),
        sources=np.concatenate(reads),
        weights=numbers(sum(map(len, reads)), 2.0),
    ).row()


def _compare(layer: ESHyperNEAT, shape: tuple[int, ...], row: np.ndarray) -> int:
    """Compare with the twin, to the bit; return how many neurons there are."""
    found, expected = layer.develop(row, shape), _Twin(layer, row, *layer._units(shape)).wiring()
    np.testing.assert_array_equal(found.row(), expected.row())
    return len(found.incoming) - layer.outputs


@pytest.mark.parametrize("recurrent", [False, True])
def test_development_equals_a_plain_twin(recurrent: bool) -> None:
    layer = ESHyperNEAT(3, initial_depth=2, recurrent=recurrent, rounds=2, band=0.2, outputs=2)
    counts = [_compare(layer, (3,), _pattern(seed)) for seed in range(40)]
    assert np.count_nonzero(counts) > 10 and max(counts) > 20


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    depths=st.sampled_from([(1, 1), (1, 3), (2, 3), (3, 3)]),
    thresholds=st.tuples(*[st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.3])] * 3),
    rounds=st.integers(0, 2),
    hidden=st.sampled_from([1, 5, 256]),
    words=st.tuples(st.booleans(), st.booleans(), st.sampled_from(["line", "grid"])),
)
def test_it_equals_the_twin_with_any_settings(
    seed: int,
    depths: tuple[int, int],
    thresholds: tuple[float, float, float],
    rounds: int,
    hidden: int,
    words: tuple[bool, bool, str],
) -> None:
    layer = ESHyperNEAT(
        depths[1],
        initial_depth=depths[0],
        recurrent=words[0],
        bias=words[1],
        layout=words[2],
        rounds=rounds,
        hidden=hidden,
        **dict(zip(("division", "variance", "band"), thresholds, strict=True)),
        outputs=2,
    )
    count = _compare(layer, (4,), _pattern(seed, 2 if words[2] == "line" else 3, 1 + words[1]))
    assert count <= min(hidden, layer.most_neurons)


@pytest.mark.parametrize("recurrent", [False, True])
def test_a_step_is_that_of_the_graph_it_develops_into(recurrent: bool) -> None:
    """To the bit, over whole episodes."""
    layer = ESHyperNEAT(3, recurrent=recurrent, band=0.1, outputs=3)
    network, rng = Network([layer], 4, layer.text, False), np.random.default_rng(0)
    graph = Network([Graph(512, recurrent=recurrent, outputs=3)], 4, "graph", False)
    for seed in range(30):
        row, sequence = _pattern(seed), rng.normal(size=(6, 4)).astype(np.float32)
        network.check(row)
        developed = layer.develop(row, (4,)).row()
        graph.check(developed)
        found = run_steps(network, row.astype(np.float32), sequence)
        np.testing.assert_array_equal(found, run_steps(graph, developed.astype(np.float32), sequence))


@pytest.mark.parametrize(
    "layer", [ESHyperNEAT(2, initial_depth=1, outputs=2), ESHyperNEAT(2, initial_depth=2, layout="grid", outputs=2)]
)
def test_it_keeps_its_promises(layer: ESHyperNEAT) -> None:
    check_network(layer, (9,))
    check_network(replace(layer, recurrent=True, bias=False), (3, 3, 1))


def test_neurons_stand_where_the_pattern_has_bands() -> None:
    """A pattern of one vertical ridge places neurons on it, in a column of the finest squares, and nowhere else."""
    names = ("square", "gaussian")
    wiring = Wiring(
        inputs=6,
        outputs=np.array([1]),
        activations=np.array([ACTIVATIONS.index(name) for name in names]),
        aggregations=np.zeros(2, np.int64),
        biases=np.array([-0.1875, 0.0]),
        responses=np.ones(2),
        rates=np.ones(2),
        incoming=np.array([1, 1]),
        sources=np.array([2, 6]),
        weights=np.array([1.0, 200.0]),
    )
    layer = ESHyperNEAT(4, bias=False, rounds=0, outputs=1)
    twin = _Twin(layer, wiring.row(), *layer._units((2,)))
    found = twin.connections(twin.inputs[0], True)
    assert len(found) == 16 and {place[0] for place, _ in found} == {0.1875}


def test_results_do_not_depend_on_threads_or_on_who_was_developed_before() -> None:
    task = evo.task("boxes", resolution=4)
    network = evo.network("es-hyperneat(2, grid, initial_depth=2, band=0.1)", task)
    rows = [_pattern(seed, 3) for seed in range(12)]
    together = evo.evaluate(task, network, rows, episodes=2, threads=2)
    alone = [evo.evaluate(task, network, [row], episodes=2, threads=1)[0] for row in rows]
    np.testing.assert_array_equal(together, alone)


def test_a_creature_is_moved_by_what_is_found_on_its_body() -> None:
    task = evo.task("quadruped", steps=10)
    network = evo.network("es-hyperneat(3, body, band=0.1)", task)
    first, again = (evo.rollout(task, network, _pattern(8, 3), seed=0) for _ in range(2))
    np.testing.assert_array_equal(first.actions, again.actions)


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("es-hyperneat", ESHyperNEAT()),
        ("es-hyperneat:3", ESHyperNEAT(3)),
        ("es-hyperneat:5:relu:grid:nobias:recurrent", ESHyperNEAT(5, "relu", True, layout="grid", bias=False)),
        ("es-hyperneat:line", ESHyperNEAT()),
        ("es-hyperneat(3, band=0.1, rounds=2)", ESHyperNEAT(3, band=0.1, rounds=2)),
        (
            "es-hyperneat(depth=6, initial_depth=2, hidden=9, variance=0)",
            ESHyperNEAT(6, initial_depth=2, hidden=9, variance=0.0),
        ),
        ("es-hyperneat(maximum=5.0, nodes=40, division=1.5)", ESHyperNEAT(maximum=5.0, nodes=40, division=1.5)),
    ],
)
def test_it_is_written_as_it_is_read(text: str, layer: ESHyperNEAT) -> None:
    assert network_from_text(text, 4, 3).layers[0] == replace(layer, outputs=3)
    assert network_from_text(layer.text, 4, 3).layers[0] == replace(layer, outputs=3)


@pytest.mark.parametrize(
    ("text", "inputs", "why"),
    [
        ("es-hyperneat:x", 4, "neither a layout (line, grid, body) nor an activation"),
        ("es-hyperneat:3,4", 4, "it takes one number, the depth"),
        ("es-hyperneat:9", 4, "depth=9: a plane is quartered 1 to 8 times"),
        ("es-hyperneat:2", 4, "initial_depth=3: it must be from 1 to the depth, 2"),
        ("es-hyperneat(band=-1)", 4, "band=-1: the threshold must be a number, 0 or more"),
        ("es-hyperneat(rounds=99)", 4, "rounds=99"),
        ("es-hyperneat(hidden=0)", 4, "hidden=0"),
        ("es-hyperneat(maximum=0)", 4, "maximum=0"),
        ("es-hyperneat(brand=1)", 4, "no option 'brand'"),
        ("es-hyperneat:grid", 5, "5 inputs are no grid"),
        ("es-hyperneat:body", 4, "nothing here has a body"),
        ("es-hyperneat>dense:3", 4, "stands at the end"),
        ("es-hyperneat(8, hidden=87380)", 4, "too large|in every episode"),
    ],
)
def test_what_cannot_be_a_substrate_is_one_line(text: str, inputs: int, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(").replace(")", r"\)")) as error:
        network_from_text(text, inputs, 3)
    assert "\n" not in str(error.value)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_damaged_row_passes_and_develops_beyond_its_memory(data: st.DataObject) -> None:
    network = network_from_text("es-hyperneat(2, initial_depth=2, band=0.05)", 2, 2)
    row = _pattern(data.draw(st.integers(0, 99)))
    for _ in range(data.draw(st.integers(0, 3))):
        value = data.draw(st.sampled_from([0.0, 1.0, -1.0, 2.5, 3.0, 1e9, float("nan")]))
        row[data.draw(st.integers(0, len(row) - 1))] = value
    try:
        network.check(row)
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        run_steps(network, row.astype(np.float32), np.ones((2, 2), np.float32))


def test_damaged_rows_are_refused() -> None:
    network = network_from_text("es-hyperneat", 5, 2)
    row = network.initial(np.random.default_rng(0))
    network.check(row)
    for place, value, why in ((0, 5, "5 inputs"), (1, 3, "outputs"), (3, 1e7, "links"), (5, 99, "outputs' nodes")):
        damaged = row.copy()
        damaged[place] = value
        with pytest.raises(ValueError, match=re.escape(why)):
            network.check(damaged)


def test_a_run_by_neat_goes_on_to_the_bit_and_reproduces_its_score(tmp_path: Path) -> None:
    def begin(name: str, generations: int, threads: int) -> evo.Run:
        settings = {"task.resolution": 3, "task.ratio": 2, "method.population_size": 20}
        return evo.run(
            "boxes",
            method="neat",
            network="es-hyperneat(2, grid, initial_depth=1)",
            generations=generations,
            settings=settings,
            threads=threads,
            out=tmp_path / name,
            video=False,
        )

    whole = begin("whole", 4, 2)
    begin("parts", 2, 1)
    parts = evo.resume(tmp_path / "parts", generations=4, video=False)
    np.testing.assert_array_equal(whole.metrics["best"], parts.metrics["best"])
    np.testing.assert_array_equal(whole.champion.params, parts.champion.params)
    assert whole.champion.verify().exact
