"""Networks: stacks of layers, each with one compiled step; written in text or built from layers."""

from evo.networks.layer import Layer, Shape
from evo.networks.layers.attention import Attention
from evo.networks.layers.convolution import Conv
from evo.networks.layers.ctrnn import CTRNN
from evo.networks.layers.dense import Dense
from evo.networks.layers.dropout import Dropout
from evo.networks.layers.embedding import Embedding
from evo.networks.layers.flatten import Flatten
from evo.networks.layers.gru import GRU
from evo.networks.layers.hebbian import Hebbian
from evo.networks.layers.layernorm import LayerNorm
from evo.networks.layers.lstm import LSTM
from evo.networks.layers.pattern_generator import PatternGenerator
from evo.networks.layers.pooling import AveragePool, MaxPool
from evo.networks.layers.recurrent import Recurrent
from evo.networks.layers.residual import Residual
from evo.networks.layers.spiking import Spiking
from evo.networks.network import Network
from evo.networks.parsing import NETWORKS
from evo.networks.sequential import Sequential, network_from_text

__all__ = [
    "CTRNN",
    "GRU",
    "LSTM",
    "NETWORKS",
    "Attention",
    "AveragePool",
    "Conv",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Hebbian",
    "Layer",
    "LayerNorm",
    "MaxPool",
    "Network",
    "PatternGenerator",
    "Recurrent",
    "Residual",
    "Sequential",
    "Shape",
    "Spiking",
    "network_from_text",
]
