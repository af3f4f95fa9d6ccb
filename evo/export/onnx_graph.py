"""A policy as an ONNX graph, of basic operations; needs the package onnx.

Inputs: `observation`, float32 (batch, observation_size), and, where the policy remembers, `state`, float32 (batch,
state), zeros at first. Outputs: `action`, float32 (batch, action_size) or int64 (batch,); `outputs`, before they become
an action; and `next_state`.
"""

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from evo.export.parts import FORMAT, Part, Parts

_OPSET, _IR = 17, 8  # of 2022: runtimes of today read them
_EPSILON = 1e-5  # of LayerNorm


class _Graph:
    """Nodes and constants of a graph that is being built; each method returns the name of a value."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._count = 0

    def constant(self, array: Any, kind: Any = np.float32) -> str:
        self._count += 1
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, kind), f"c{self._count}"))
        return f"c{self._count}"

    def node(self, operation: str, *inputs: str, outputs: int = 1, **options: Any) -> Any:
        self._count += 1
        names = [f"v{self._count}"] if outputs == 1 else [f"v{self._count}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operation, inputs, names, **options))
        return names[0] if outputs == 1 else names

    def name(self, value: str, name: str) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def affine(self, values: str, part: Part, weights: str, bias: str) -> str:
        product = self.node("MatMul", values, self.constant(part.arrays[weights]))
        return self.node("Add", product, self.constant(part.arrays[bias])) if bias in part.arrays else product

    def split(self, values: str, parts: int, width: int) -> list[str]:
        if parts == 1:
            return [values]
        return self.node("Split", values, self.constant([width] * parts, np.int64), outputs=parts, axis=1)

    def layer(self, part: Part, values: str, state: str | None) -> tuple[str, str | None]:
        """Return the outputs and the next state of a layer."""
        if part.kind == "dense":
            values = self.affine(values, part, "W", "b")
            name = {"tanh": "Tanh", "relu": "Relu", "elu": "Elu"}.get(part.activation)
            return (self.node(name, values) if name else values), None
        if part.kind == "layernorm":
            centred = self.node("Sub", values, self.node("ReduceMean", values, axes=[1]))
            variance = self.node("ReduceMean", self.node("Mul", centred, centred), axes=[1])
            scale = self.node("Sqrt", self.node("Add", variance, self.constant(_EPSILON)))
            scaled = self.node("Mul", self.constant(part.arrays["gain"]), self.node("Div", centred, scale))
            return self.node("Add", scaled, self.constant(part.arrays["bias"])), None
        assert state is not None
        if part.kind == "lstm":
            return self._lstm(part, values, state)
        heard = self.affine(values, part, "W", "b")
        if part.kind == "recurrent":
            hidden = self.node("Tanh", self.node("Add", heard, self.affine(state, part, "U", "")))
            return hidden, hidden
        past = self.affine(state, part, "U", "d")
        (r, z, n), (r0, z0, n0) = (self.split(gates, 3, part.state) for gates in (heard, past))
        reset, keep = (self.node("Sigmoid", self.node("Add", *pair)) for pair in ((r, r0), (z, z0)))
        new = self.node("Tanh", self.node("Add", n, self.node("Mul", reset, n0)))
        hidden = self.node("Add", new, self.node("Mul", keep, self.node("Sub", state, new)))
        return hidden, hidden

    def _lstm(self, part: Part, values: str, state: str) -> tuple[str, str]:
        hidden, cell = self.split(state, 2, part.state // 2)
        gates = self.node("Add", self.affine(values, part, "W", "b"), self.affine(hidden, part, "U", ""))
        i, f, g, o = self.split(gates, 4, part.state // 2)
        i, f, o = (self.node("Sigmoid", gate) for gate in (i, f, o))
        cell = self.node("Add", self.node("Mul", f, cell), self.node("Mul", i, self.node("Tanh", g)))
        hidden = self.node("Mul", o, self.node("Tanh", cell))
        return hidden, self.node("Concat", hidden, cell, axis=1)


def onnx_model(parts: Parts) -> Any:
    """Return the policy as an `onnx.ModelProto`, checked by onnx."""
    graph, layers = _Graph(), parts.layers()
    centred = graph.node("Sub", "observation", graph.constant(parts.mean))
    values = graph.node("Mul", centred, graph.constant(parts.scale))
    if np.isfinite(parts.network.clip_observation):
        clip = parts.network.clip_observation
        values = graph.node("Clip", values, graph.constant(-clip), graph.constant(clip))
    remembering = [part.state for part in layers if part.state]
    states: list[str] = []
    if len(remembering) > 1:
        states = graph.node("Split", "state", graph.constant(remembering, np.int64), outputs=len(remembering), axis=1)
    elif remembering:
        states = ["state"]
    following: list[str] = []
    for part in layers:
        values, after = graph.layer(part, values, states[len(following)] if part.state else None)
        following += [after] if after is not None else []
    graph.name(values, "outputs")
    if parts.choices:
        graph.name(graph.node("ArgMax", values, axis=1, keepdims=0), "action")
        action = helper.make_tensor_value_info("action", TensorProto.INT64, ["batch"])
    else:
        low, high = graph.constant(parts.low), graph.constant(parts.high)
        graph.name(graph.node("Min", graph.node("Max", values, low), high), "action")
        action = helper.make_tensor_value_info("action", TensorProto.FLOAT, ["batch", len(parts.low)])
    inputs = [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["batch", len(parts.mean)])]
    raw = helper.make_tensor_value_info("outputs", TensorProto.FLOAT, ["batch", parts.network.outputs])
    outputs = [action, raw]
    if following:
        size = sum(remembering)
        graph.name(graph.node("Concat", *following, axis=1) if len(following) > 1 else following[0], "next_state")
        inputs.append(helper.make_tensor_value_info("state", TensorProto.FLOAT, ["batch", size]))
        outputs.append(helper.make_tensor_value_info("next_state", TensorProto.FLOAT, ["batch", size]))
    made = helper.make_graph(graph.nodes, "policy", inputs, outputs, graph.constants)
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR, producer_name="evo"
    )
    helper.set_model_props(model, {"about": parts.description(), "format": str(FORMAT)})
    checker.check_model(model)
    return model


def onnx_runner(model: Any, state_size: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from observations, one after the other, to outputs, by onnxruntime, or onnx's own reference."""
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime

        session: Any = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    else:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(model)

    def run(observations: np.ndarray) -> np.ndarray:
        state, found = np.zeros((1, state_size), np.float32), []
        for row in observations:
            feeds = {"observation": row[np.newaxis], **({"state": state} if state_size else {})}
            outputs, *after = session.run(["outputs", *(["next_state"] if state_size else [])], feeds)
            state = after[0] if after else state
            found.append(outputs[0])
        return np.array(found)

    return run
