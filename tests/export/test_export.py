"""Exported policies act as the champion does, or are not written."""

import importlib.util
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.cli import app
from evo.errors import EvoError
from evo.export import formats
from evo.export.numpy_policy import NumpyPolicy
from evo.export.parts import Parts
from evo.export.torch_networks import acting
from evo.networks import Layer, Network, network_from_text
from evo.networks.parsing import layers_of
from evo.numerics.validation import plain
from tests.support.graphs import SMOOTH, random_wiring
from tests.support.places import REFERENCE

NETWORKS = (
    "linear",
    "mlp:8,8",
    "mlp:6:relu",
    "dense:5:elu>layernorm>dense:4:tanh:nobias",
    "recurrent:4",
    "dense:4:tanh>gru:5",
    "lstm:4>lstm:3",
    "dropout:0.2>gru:3>layernorm>recurrent:4",
    "mlp:6:relu>squash",
    "take:3>mlp:5",
)
# packages that the extras bring; where they are not installed the refusals are tested alone
FORMATS = [name for name, package in ((".onnx", "onnx"), ("torch", "torch")) if importlib.util.find_spec(package)]


def made(text: str, seed: int = 0, choices: int = 0, clip: float = 5.0) -> Parts:
    """A policy of four observations and two actions, or of so many choices."""
    rng = np.random.default_rng(seed)
    whole = f"{text}>dense:{choices or 2}" if ">" in text and "squash" not in text and "graph" not in text else text
    bounds = np.array([-0.5, -0.4]), np.array([0.3, 0.4])
    network = network_from_text(whole, 4, choices or 2, True, clip_observation=clip, bounds=bounds)
    return Parts(
        network=network,
        params=rng.normal(size=network.size).astype(np.float32),
        mean=rng.normal(size=4),
        scale=np.exp(rng.normal(size=4)),
        low=np.full(1 if choices else 2, 0.0 if choices else -0.5),
        high=np.full(1 if choices else 2, choices - 1.0 if choices else 0.4),
        choices=choices,
        about={"task": "a test", "network": text},
    )


@pytest.mark.parametrize("text", NETWORKS)
def test_numpy_acts_the_same(text: str, tmp_path: Path) -> None:
    parts = made(text)
    path, difference = formats.export(parts, tmp_path / "policy.npz")
    policy, rng = NumpyPolicy(path), np.random.default_rng(1)
    observations = rng.normal(size=(20, 4)) * 3
    expected = parts.outputs(observations)
    assert 0 <= difference < 1e-5
    for episode in range(2):  # `reset` begins a new one
        for observation, outputs in zip(observations, expected, strict=True):
            np.testing.assert_allclose(policy(observation), outputs.clip(-0.5, 0.4), atol=1e-5, err_msg=str(episode))
        policy.reset()
    assert policy.about["task"] == "a test" and policy.about["clip_observation"] == 5.0


@pytest.mark.parametrize("text", NETWORKS)
@pytest.mark.parametrize("target", FORMATS)
def test_other_formats_act_the_same(text: str, target: str, tmp_path: Path) -> None:
    for choices in (0,) if "squash" in text else (0, 3):
        parts = made(text, choices=choices)
        result, difference = formats.export(parts, target if target == "torch" else tmp_path / f"{choices}.onnx")
        assert 0 <= difference < 1e-5
        observations = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32) * 3
        expected = parts.outputs(observations)
        found = torch_actions(result, observations) if target == "torch" else onnx_actions(result, observations)
        if choices:
            assert found.tolist() == expected.argmax(1).tolist()
        else:
            np.testing.assert_allclose(found, expected.clip(-0.5, 0.4), atol=1e-5)


PICTURES = [("take:5", (4, 3, 2)), ("conv:2x3>take:5", (4, 4, 2)), ("take:3", (6,))]

if "torch" in FORMATS:

    @pytest.mark.parametrize(("text", "shape"), PICTURES)
    def test_torch_takes_the_first_numbers_of_a_picture_too(text: str, shape: tuple[int, ...]) -> None:
        layers = [layer for word in text.split(">") for layer in layers_of(word, text)]
        inputs = np.random.default_rng(0).standard_normal((3, math.prod(shape)), dtype=np.float32)

        def told(layers: Sequence[Layer]) -> np.ndarray:
            network = Network(layers, shape, text, False)
            run = acting(network, network.initial(np.random.default_rng(1)).astype(np.float32), inputs)
            assert run is not None
            return run(len(inputs))

        before = told(layers[:-1]) if layers[:-1] else inputs
        np.testing.assert_allclose(told(layers), before[:, : int(text.rpartition(":")[2])], rtol=1e-6)


def torch_actions(module: Any, observations: np.ndarray) -> np.ndarray:
    import torch

    state, found = None, []
    with torch.no_grad():
        for row in torch.tensor(observations):
            acted = module(row[None], state) if state is not None else module(row[None])
            action, state = acted if isinstance(acted, tuple) else (acted, None)
            found.append(action[0].numpy())
    assert sum(parameter.numel() for parameter in module.parameters()) > 0  # it can be trained further
    return np.array(found)


def onnx_actions(path: Path, observations: np.ndarray) -> np.ndarray:
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    assert json.loads({entry.key: entry.value for entry in model.metadata_props}["about"])["task"] == "a test"
    session, found = ReferenceEvaluator(model), []
    sizes = {one.name: one.type.tensor_type.shape.dim[1].dim_value for one in model.graph.input}
    feeds = {name: np.zeros((1, size), np.float32) for name, size in sizes.items()}
    for row in observations:
        names = ["action", *(["next_state"] if "state" in feeds else [])]
        action, *after = session.run(names, feeds | {"observation": row[None]})
        feeds |= {"state": after[0]} if after else {}
        found.append(action[0])
    return np.array(found)


def test_choices_and_no_clipping(tmp_path: Path) -> None:
    parts = made("mlp:8", choices=3, clip=np.inf)
    policy = NumpyPolicy(formats.export(parts, tmp_path / "policy.npz")[0])
    observations = np.random.default_rng(1).normal(size=(30, 4)) * 4
    assert [policy(row) for row in observations] == parts.outputs(observations).argmax(1).tolist()
    assert len({policy(row) for row in observations}) == 3 and isinstance(policy(observations[0]), int)


def test_what_acts_otherwise_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = NumpyPolicy.outputs
    monkeypatch.setattr(NumpyPolicy, "outputs", lambda self, row: read(self, row) * 1.001)
    with pytest.raises(EvoError, match=r"the \.npz would act otherwise: its outputs differ by .*nothing was written"):
        formats.export(made("mlp:8"), tmp_path / "policy.npz")
    monkeypatch.setattr(NumpyPolicy, "outputs", lambda self, row: read(self, row) * np.nan)
    with pytest.raises(EvoError, match="differ by nan"):
        formats.export(made("mlp:8"), tmp_path / "policy.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["spiking:4", "hebbian:4", "ctrnn:4", "cpg:4"])
def test_layers_that_cannot_be_exported_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(EvoError, match=f"{text.partition(':')[0]}.* cannot be exported: policies of dense"):
        formats.export(made(text), tmp_path / "policy.npz")


def test_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvoError, match=r"as \.npz or \.onnx, or to a torch module"):
        formats.export(made("linear"), tmp_path / "policy.pt")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for target, package in (("policy.onnx", "onnx"), ("torch", "torch")):
        with pytest.raises(EvoError, match=rf"needs {package}: pip install 'evo-creatures\[{package}\]'"):
            formats.export(made("linear"), target)


def test_a_champion_is_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = REFERENCE / "cartpole"
    app(["export", str(run), str(tmp_path / "policy.npz")], standalone_mode=False)
    assert "policy.npz: its outputs differ from the champion's by at most" in capsys.readouterr().out
    shutil.copy(Path(formats.__file__).parent / "numpy_policy.py", tmp_path / "alone.py")
    namespace: dict[str, Any] = {}
    text = (tmp_path / "alone.py").read_text()
    assert "import evo" not in text and "from evo" not in text
    exec(compile(text, "alone.py", "exec"), namespace)
    policy, ours = namespace["NumpyPolicy"](tmp_path / "policy.npz"), evo.load(run).champion.policy()
    for observation in np.random.default_rng(0).normal(size=(50, ours.parameters.size)):
        assert policy(observation) == pytest.approx(plain(ours(observation)), abs=1e-5)
    with pytest.raises(EvoError, match="exported to a file"):
        app(["export", str(run), "torch"], standalone_mode=False)
    with pytest.raises(EvoError, match="is a data set"):
        evo.load(REFERENCE / "digits").champion.export(tmp_path / "x.npz")


def test_a_policy_without_normalisation(tmp_path: Path) -> None:
    parts = replace(made("mlp:8"), mean=np.zeros(4), scale=np.ones(4))
    assert formats.export(parts, tmp_path / "policy.npz")[1] < 1e-5


@pytest.mark.parametrize("text", ["graph", "graph:recurrent", "dense:3:tanh>graph:8:recurrent"])
def test_a_graph_is_exported_as_arrays(text: str, tmp_path: Path) -> None:
    """Of all functions; other formats are refused."""
    rng, parts = np.random.default_rng(0), made(text)
    before = parts.network.sizes[0] if len(parts.network.layers) > 1 else 0
    for _ in range(20):
        recurrent, inputs = "recurrent" in text, parts.network.shapes[-2][0]
        row = random_wiring(rng, inputs, 2, recurrent, activations=(*SMOOTH, "relu", "absolute", "clamped")).row()
        grown = replace(parts, params=np.concatenate([parts.params[:before], row]).astype(np.float32))
        path, difference = formats.export(grown, tmp_path / "policy.npz")
        assert difference < 1e-4
        assert NumpyPolicy(path).outputs(np.zeros(4)).shape == (2,)
    for other in FORMATS:
        with pytest.raises(EvoError, match=r"a graph is exported as \.npz alone"):
            formats.export(parts, tmp_path / f"policy{other}" if other.startswith(".") else other)
