"""A policy as a torch module; needs the package torch."""

from typing import Any

import numpy as np
import torch
from torch import nn

from evo.export.parts import Part, Parts
from evo.export.torch_networks import CELLS, build_gated


def torch_policy(parts: Parts) -> tuple[nn.Module, float]:
    """Return a torch module, and the largest difference of its outputs from the compiled network's. Raises EvoError."""
    module = TorchPolicy(parts)
    module.eval()

    def run(rows: np.ndarray) -> np.ndarray:
        state, found = None, []
        with torch.no_grad():
            for row in torch.tensor(rows):
                outputs, state = module.outputs(row[None], state)
                found.append(outputs[0].numpy())
        return np.array(found)

    return module, parts.check(run, "torch module")


class TorchPolicy(nn.Module):
    """A policy: `forward(observation, state=None)` takes float32 (batch, observation_size).

    It returns actions, float32 (batch, action_size) or int64 (batch,); where the policy remembers, a pair of actions
    and the next state, a list with the state of each layer that remembers.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.clip, self.choices = parts.network.clip_observation, parts.choices
        for name in ("mean", "scale", "low", "high"):
            self.register_buffer(name, torch.tensor(getattr(parts, name), dtype=torch.float32))
        layers, at, made = parts.network.layers, 0, []
        remembering = {"recurrent": "RNNCell", "gru": "GRUCell", "lstm": "LSTMCell"}
        described: list[Part] = parts.layers()  # refuses what has no twin here
        for layer, shape in zip(layers, parts.network.shapes, strict=False):
            size = layer.size(shape)
            own = torch.tensor(np.array(parts.params[at : at + size], np.float32))
            at += size
            if layer.word in remembering:
                cell = getattr(nn, remembering[layer.word])(shape[0], layer.shape(shape)[0])
                made.append(build_gated(torch, layer, shape, own, cell))
            else:
                made.append(CELLS[type(layer)](torch, layer, shape, own))
        self.layers = nn.ModuleList(made)
        self.remembers = any(part.state for part in described)

    def outputs(self, observation: torch.Tensor, state: Any = None) -> tuple[torch.Tensor, Any]:
        """Return the outputs before they become an action, and the next state."""
        values: Any = torch.clamp((observation - self.mean) * self.scale, -self.clip, self.clip)
        before, after = list(state or ()), []
        for layer in self.layers:
            if isinstance(layer, nn.RNNCellBase):
                found = layer(values, before.pop(0) if before else None)
                after.append(found)
                values = found[0] if isinstance(found, tuple) else found
            else:
                values = layer(values)
        return values, after

    def forward(self, observation: torch.Tensor, state: Any = None) -> Any:
        outputs, after = self.outputs(observation, state)
        action = outputs.argmax(dim=1) if self.choices else torch.minimum(torch.maximum(outputs, self.low), self.high)
        return (action, after) if self.remembers else action
