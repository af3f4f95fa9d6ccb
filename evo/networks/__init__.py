"""Networks: stacks of layers, each with one compiled step; written in text or built from layers."""

from evo.networks.attention import Attention
from evo.networks.ctrnn import CTRNN
from evo.networks.dense import Dense
from evo.networks.dropout import Dropout
from evo.networks.embedding import Embedding
from evo.networks.gru import GRU
from evo.networks.layer import Layer, Shape
from evo.networks.layernorm import LayerNorm
from evo.networks.lstm import LSTM
from evo.networks.recurrent import Recurrent
from evo.networks.residual import Residual
from evo.networks.sequential import Network
from evo.networks.text import NETWORKS, network_from_text

__all__ = [
    "CTRNN",
    "GRU",
    "LSTM",
    "NETWORKS",
    "Attention",
    "Dense",
    "Dropout",
    "Embedding",
    "Layer",
    "LayerNorm",
    "Network",
    "Recurrent",
    "Residual",
    "Shape",
    "network_from_text",
]
