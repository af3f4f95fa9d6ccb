"""HyperNEAT against a plain twin, on substrates of several resolutions, on bodies, and what it refuses."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.envs.creatures.places import places_of
from evo.errors import EvoError
from evo.evaluation.forward_pass import Examiner
from evo.evaluation.workers import Threads
from evo.networks import Graph, HyperNEAT, Network, network_from_text
from evo.networks.substrate import ends, grid, line
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS
from evo.testing import check_network
from evo.testing.network import run_steps
from tests.support.graphs import random_wiring

_HIDDEN = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "linear": lambda x: x}


def _answers(wiring: Wiring, given: list[np.ndarray]) -> np.ndarray:
    """What the graph itself, as a layer, answers to each of these rows, float32 (rows, outputs)."""
    network = Network([Graph(outputs=len(wiring.outputs))], wiring.inputs, "graph", False)
    return run_steps(network, wiring.row().astype(np.float32), np.array(given, np.float32))


def _weights(layer: HyperNEAT, wiring: Wiring, units: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Paint weights and biases in plain Python, by the paper's words."""
    painted = []
    for index, (before, after) in enumerate(pairwise(units)):
        rows = [np.concatenate([here, there, there - here]) for here in before for there in after]
        rows += [np.concatenate([0 * there, there, there]) for there in after]
        found = _answers(wiring, rows)
        answers = np.concatenate([found[: -len(after), index], found[-len(after) :, len(units) - 1 + index]])
        sizes = np.minimum(np.abs(answers.astype(float)), 1)
        scaled = np.sign(answers) * (sizes - layer.threshold) / (1 - layer.threshold) * layer.maximum
        weights = np.where(sizes > layer.threshold, scaled, 0.0)
        painted.append((weights[: -len(after)].reshape(len(before), len(after)), weights[-len(after) :]))
    return painted


@pytest.mark.parametrize("hidden", [(), ((4, 1),), ((2, 3), (5, 1))])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_step_equals_a_plain_twin(hidden: tuple[tuple[int, int], ...], activation: str) -> None:
    rng, layer = (
        np.random.default_rng(3),
        HyperNEAT(hidden, activation, layout="grid", threshold=0.1, maximum=2.0, outputs=3),
    )
    network = Network([layer], 9, "hyperneat", False)
    units = [grid(3, 3), *(grid(*sides) for sides in hidden), line(3)]
    connected = 0
    for _ in range(40):
        wiring = random_wiring(rng, 6, 2 * (len(units) - 1), recurrent=False, aggregations=("sum",))
        row, sequence = wiring.row(), rng.normal(size=(3, 9)).astype(np.float32)
        network.check(row)
        values = sequence.astype(float)
        painted = _weights(layer, wiring, units)
        for index, (weights, biases) in enumerate(painted):
            values = values @ weights + biases
            values = values if index == len(painted) - 1 else _HIDDEN[activation](values)
            connected += np.count_nonzero(weights)
        found = run_steps(network, row.astype(np.float32), sequence)
        np.testing.assert_allclose(found, values, rtol=2e-3, atol=2e-3 * max(1.0, float(np.abs(values).max())))
    assert connected > 100


@pytest.mark.parametrize("layer", [HyperNEAT(((3, 1),), outputs=2), HyperNEAT(layout="grid", bias=False, outputs=9)])
def test_it_keeps_its_promises(layer: HyperNEAT) -> None:
    check_network(layer, (9,))
    check_network(layer, (3, 3, 1))


def _distance_pattern(dimensions: int = 2, outputs: int = 1) -> np.ndarray:
    """The row of a graph that answers 2 exp(-(4 Δ)²) - 0.9 in each output: near units excite, others inhibit."""
    hidden = dimensions + 1
    names = [*["square"] * dimensions, "gaussian", *["linear"] * outputs]
    deltas = 2 * dimensions + np.arange(dimensions)
    roots = 3 * dimensions + np.arange(dimensions)
    return Wiring(
        inputs=3 * dimensions,
        outputs=hidden + np.arange(outputs),
        activations=np.array([ACTIVATIONS.index(name) for name in names]),
        aggregations=np.zeros(hidden + outputs, np.int64),
        biases=np.array([*[0.0] * hidden, *[-0.5] * outputs]),
        responses=np.ones(hidden + outputs),
        rates=np.ones(hidden + outputs),
        incoming=np.array([*[1] * dimensions, dimensions, *[1] * outputs]),
        sources=np.concatenate([deltas, roots, [3 * dimensions + dimensions] * outputs]),
        weights=np.concatenate([[1.0] * dimensions, [20.0] * dimensions, [1.5] * outputs]),
    ).row()


def test_one_pattern_finds_the_larger_box_at_any_resolution_without_training() -> None:
    """The paper's point: the same graph paints 11 × 11, 33 × 33 and 3 × 3 fields."""
    found = []
    for resolution in (11, 33):
        task = evo.task("boxes", resolution=resolution)
        network = evo.network("hyperneat:grid:nobias", task)
        returns, distances = evo.evaluate(task, network, [_distance_pattern()], measures=True)
        assert returns[0, 0] <= 0 and distances[0, 0] <= -returns[0, 0]
        found.append(distances[0, 0])
    assert found[0] == 0.0 and found[1] < 0.5  # mean distance from the middle, in units
    task = evo.task("boxes", resolution=3, ratio=2)
    nothing = Graph(outputs=1).initial((6,), np.random.default_rng(0))
    rows = [_distance_pattern(), nothing]
    pattern, none = evo.evaluate(task, evo.network("hyperneat:grid:nobias", task), rows)[:, 0]
    assert pattern > none


def test_results_do_not_depend_on_threads_or_on_who_was_painted_before() -> None:
    task = evo.task("boxes", resolution=5)
    network, rng = evo.network("hyperneat:4:grid", task), np.random.default_rng(0)
    rows = [random_wiring(rng, 6, 4, recurrent=False).row() for _ in range(12)]
    together = evo.evaluate(task, network, rows, episodes=2, threads=2)
    alone = [evo.evaluate(task, network, [row], episodes=2, threads=1)[0] for row in rows]
    np.testing.assert_array_equal(together, alone)


def test_examples_are_answered_alike_one_by_one_and_together() -> None:
    """An individual's weights are painted once for many examples."""
    data = evo.dataset("spirals", examples=100)
    network = network_from_text("hyperneat:6", data.shape, data.outputs)
    row = random_wiring(np.random.default_rng(5), 6, 4, recurrent=False).row()
    examiner, everyone = Examiner(network, data.loss, Threads(1)), np.arange(len(data.train))
    asked = row.astype(np.float32)[np.newaxis], data.train.inputs, data.train.targets
    whole = examiner.run(*asked, everyone)
    for index in (0, 33, 69):
        one = examiner.run(*asked, everyone[index : index + 1])
        np.testing.assert_array_equal(one.losses[0], whole.losses[0, index : index + 1])


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("hyperneat", HyperNEAT()),
        ("hyperneat:16", HyperNEAT(((16, 1),))),
        ("hyperneat:16,4x5:relu:grid:nobias", HyperNEAT(((16, 1), (4, 5)), "relu", layout="grid", bias=False)),
        ("hyperneat:body", HyperNEAT(layout="body")),
        ("hyperneat(16, 3, line, threshold=0.3)", HyperNEAT(((16, 1), (3, 1)), threshold=0.3)),
        ("hyperneat(maximum=5.0, nodes=40)", HyperNEAT(maximum=5.0, nodes=40)),
    ],
)
def test_it_is_written_as_it_is_read(text: str, layer: HyperNEAT) -> None:
    read = network_from_text(text, 4, 3).layers[0] if layer.layout == "line" else None
    if read is not None:
        assert read == replace(layer, outputs=3)
    again = network_from_text(layer.text.replace("body", "line").replace("grid", "line"), 4, 3).layers[0]
    assert again == replace(layer, outputs=3, layout="line")


@pytest.mark.parametrize(
    ("text", "inputs", "why"),
    [
        ("hyperneat:x", 4, "neither a layout (line, grid, body) nor an activation"),
        ("hyperneat:4x", 4, "the widths of its hidden layers"),
        ("hyperneat:0", 4, "each needs one unit at least"),
        ("hyperneat:3x3x3", 4, "the widths of its hidden layers"),
        ("hyperneat(4, threshold=1.5)", 4, "threshold=1.5"),
        ("hyperneat(4, maximum=0)", 4, "maximum=0"),
        ("hyperneat:grid", 5, "5 inputs are no grid"),
        ("hyperneat:body", 4, "nothing here has a body"),
        ("hyperneat>dense:3", 4, "stands at the end"),
        ("hyperneat:9999x9999", 4, "too large|in every episode"),
    ],
)
def test_what_cannot_be_a_substrate_is_one_line(text: str, inputs: int, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(").replace(")", r"\)")) as error:
        network_from_text(text, inputs, 3)
    assert "\n" not in str(error.value)


def test_damaged_rows_are_refused() -> None:
    network = network_from_text("hyperneat:4", 5, 2)
    row = network.initial(np.random.default_rng(0))
    network.check(row)
    for place, value, why in ((0, 5, "5 inputs"), (1, 3, "outputs"), (3, 1e7, "links"), (5, 99, "outputs' nodes")):
        damaged = row.copy()
        damaged[place] = value
        with pytest.raises(ValueError, match=re.escape(why)):
            network.check(damaged)
    with pytest.raises(ValueError, match="row begins with"):
        network.check(row[:2])


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_damaged_row_passes_and_paints_beyond_its_memory(data: st.DataObject) -> None:
    network = network_from_text("hyperneat:3", 2, 2)
    row = random_wiring(np.random.default_rng(data.draw(st.integers(0, 99))), 6, 4, recurrent=False).row()
    for _ in range(data.draw(st.integers(0, 3))):
        value = data.draw(st.sampled_from([0.0, 1.0, -1.0, 2.5, 3.0, 1e9, float("nan")]))
        row[data.draw(st.integers(0, len(row) - 1))] = value
    try:
        network.check(row)
    except ValueError as error:
        assert "\n" not in str(error)
    else:
        run_steps(network, row.astype(np.float32), np.ones((2, 2), np.float32))


def test_units_are_in_the_middles_of_equal_parts() -> None:
    np.testing.assert_allclose(line(2), [[-0.5, 0], [0.5, 0]])
    np.testing.assert_allclose(grid(2, 1), line(2))
    np.testing.assert_allclose(grid(33, 33).reshape(33, 33, 2)[1::3, 1::3].reshape(-1, 2), grid(11, 11), atol=1e-15)
    inputs, outputs = ends("grid", (2, 2, 3), 5)
    assert inputs.shape == (12, 3) and len(np.unique(inputs, axis=0)) == 12
    np.testing.assert_array_equal(outputs, line(5))
    inputs, outputs = ends("grid", (9,), 9)
    np.testing.assert_array_equal(inputs, outputs)


def test_a_body_places_units_where_its_joints_are() -> None:
    sensors, actuators = map(np.array, places_of(evo.task("Walker2d-v5")))
    assert sensors.shape == (17, 3) and actuators.shape == (6, 3)
    assert len(np.unique(sensors, axis=0)) == 17 and len(np.unique(actuators, axis=0)) == 6
    assert np.abs([*sensors, *actuators]).max() <= 1
    thigh, leg, foot = actuators[:3, 1]
    assert thigh > leg > foot  # from the hip down
    np.testing.assert_array_equal(actuators[:3, :2], actuators[3:, :2])  # two legs side by side
    np.testing.assert_array_equal(sensors[2:5, :2], actuators[:3, :2])  # its joints' angles
    np.testing.assert_array_equal(sensors[11:14, :2], actuators[:3, :2])  # and their velocities
    sensors, actuators = map(np.array, places_of(evo.task("quadruped")))
    np.testing.assert_allclose(actuators[0::4, 1], -actuators[2::4, 1])  # left and right
    assert (actuators[:4, 0] > 0).all() and (actuators[4:, 0] < 0).all()  # front and hind


@pytest.mark.parametrize("name", ["Walker2d-v5", "HalfCheetah-v5", "Ant-v5"])
def test_a_start_without_noise_has_the_same_places(name: str) -> None:
    still, noisy = (places_of(evo.task(name, reset_noise_scale=scale)) for scale in (0.0, 0.1))
    assert still == noisy
    assert len(set(still[0])) == len(still[0])


def test_a_creature_is_moved_by_what_is_painted_on_its_body() -> None:
    task = evo.task("quadruped", steps=10)
    network = evo.network("hyperneat:4:body", task)
    row = random_wiring(np.random.default_rng(1), 9, 4, recurrent=False).row()
    first, again = (evo.rollout(task, network, row, seed=0) for _ in range(2))
    np.testing.assert_array_equal(first.actions, again.actions)
    for name in ("pointmass", "cartpole"):
        with pytest.raises(EvoError, match="has no body whose joints its actions drive: take line or grid"):
            evo.network("hyperneat:body", evo.task(name))


def test_a_run_by_neat_goes_on_to_the_bit_and_reproduces_its_score(tmp_path: Path) -> None:
    def begin(name: str, generations: int, threads: int) -> evo.Run:
        settings = {"task.resolution": 5, "method.population_size": 20}
        return evo.run(
            "boxes", method="neat", generations=generations, settings=settings, threads=threads, out=tmp_path / name
        )

    whole = begin("whole", 4, 2)
    begin("parts", 2, 1)
    parts = evo.resume(tmp_path / "parts", generations=4)
    assert whole.config["network.layers"] == "hyperneat:grid:nobias"
    np.testing.assert_array_equal(whole.metrics["best"], parts.metrics["best"])
    np.testing.assert_array_equal(whole.champion.params, parts.champion.params)
    assert whole.champion.verify().exact
    used = {ACTIVATIONS[place] for place in Wiring.of(whole.champion.params).activations}
    assert used <= {"sine", "gaussian", "absolute", "steep_sigmoid", "linear"}
