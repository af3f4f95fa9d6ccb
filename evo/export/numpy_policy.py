"""A policy from an exported .npz, with NumPy alone: copy this file to where it is to act."""

import json
from pathlib import Path
from typing import Any

import numpy as np


class NumpyPolicy:
    """A policy as a function from an observation, (observation_size,), to an action, (action_size,) or int.

    Call `reset()` between episodes. The file holds `about`, a JSON text; `mean`, `scale`, `low`, `high`; and the arrays
    of layer i as `i.W`, `i.b`, and so on.
    """

    def __init__(self, path: Path | str) -> None:
        with np.load(path, allow_pickle=False) as file:
            self.arrays = {name: file[name] for name in file.files}
        self.about: dict[str, Any] = json.loads(str(self.arrays["about"]))
        self.reset()

    def reset(self) -> None:
        """Forget earlier observations."""
        self.states = [np.zeros(layer["state"], np.float32) for layer in self.about["layers"]]

    def outputs(self, observation: np.ndarray) -> np.ndarray:
        """Return the network's outputs, before they become an action."""
        clip = self.about["clip_observation"] or np.inf
        values = np.clip((observation - self.arrays["mean"]) * self.arrays["scale"], -clip, clip).astype(np.float32)
        for index, layer in enumerate(self.about["layers"]):
            own = {name[len(f"{index}.") :]: a for name, a in self.arrays.items() if name.startswith(f"{index}.")}
            values = globals()[f"_{layer['kind']}"](values, own, self.states[index], layer["activation"])
        return values

    def __call__(self, observation: np.ndarray) -> Any:
        outputs = self.outputs(observation)
        return int(outputs.argmax()) if self.about["choices"] else outputs.clip(self.arrays["low"], self.arrays["high"])


def _sigmoid(x: Any) -> Any:
    return np.float32(1) / (np.float32(1) + np.exp(-x))


def _dense(x: Any, own: Any, state: Any, activation: str) -> Any:
    x = x @ own["W"] + own.get("b", np.float32(0))
    return {"linear": lambda: x, "tanh": lambda: np.tanh(x), "relu": lambda: np.maximum(x, 0)}.get(
        activation, lambda: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
    )()


def _layernorm(x: Any, own: Any, state: Any, activation: str) -> Any:
    return own["gain"] * (x - x.mean()) / np.sqrt(x.var() + np.float32(1e-5)) + own["bias"]


def _recurrent(x: Any, own: Any, state: Any, activation: str) -> Any:
    state[:] = np.tanh(x @ own["W"] + state @ own["U"] + own["b"])
    return state.copy()


def _gru(x: Any, own: Any, state: Any, activation: str) -> Any:
    (r, z, n), (r0, z0, n0) = np.split(x @ own["W"] + own["b"], 3), np.split(state @ own["U"] + own["d"], 3)
    new = np.tanh(n + _sigmoid(r + r0) * n0)
    state[:] = new + _sigmoid(z + z0) * (state - new)
    return state.copy()


def _lstm(x: Any, own: Any, state: Any, activation: str) -> Any:
    hidden, cell = np.split(state, 2)
    i, f, g, o = np.split(x @ own["W"] + hidden @ own["U"] + own["b"], 4)
    cell[:] = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
    hidden[:] = _sigmoid(o) * np.tanh(cell)
    return hidden.copy()


def _graph(x: Any, own: Any, state: Any, activation: str) -> Any:
    """Compute nodes one after the other, from the row of `evo.networks.wiring`; only recurrent ones have a state."""
    row = own["row"]
    outputs, nodes, values = int(row[1]), int(row[2]), [*x, *state]
    now, at = np.zeros(nodes, np.float32), 4 + outputs + 6 * nodes
    for node in range(nodes):
        kind, gathering, bias, response, rate, count = row[4 + outputs + 6 * node :][:6]
        links, at = row[at : at + 2 * int(count)].reshape(-1, 2), at + 2 * int(count)
        terms = np.array([weight * values[int(source)] for source, weight in links], np.float32)
        total = _GATHERINGS[int(gathering)](terms) if len(terms) else np.float32(0)
        old = state[node] if len(state) else np.float32(0)
        now[node] = old + rate * (_NODES[int(kind)](bias + response * total) - old)
        if not len(state):
            values.append(now[node])
    state[:] = now[: len(state)]
    return now[row[4 : 4 + outputs].astype(int)]


_NODES = (
    lambda x: x,
    _sigmoid,
    lambda x: _sigmoid(np.float32(4.9) * x),
    np.tanh,
    lambda x: np.maximum(x, 0),
    lambda x: np.exp(-x * x),
    np.sin,
    np.cos,
    np.abs,
    np.square,
    lambda x: np.float32(x > 0),
    lambda x: np.clip(x, -1, 1),
)
_GATHERINGS = (np.sum, np.prod, np.mean, np.max, np.min, lambda terms: terms[np.abs(terms).argmax()])
