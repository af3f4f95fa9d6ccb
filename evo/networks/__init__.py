"""Networks: stacks of layers, each with one compiled step; written in text or built from layers."""

from evo.networks.attention import Attention
from evo.networks.convolution import Conv
from evo.networks.ctrnn import CTRNN
from evo.networks.dense import Dense
from evo.networks.dropout import Dropout
from evo.networks.embedding import Embedding
from evo.networks.flatten import Flatten
from evo.networks.gru import GRU
from evo.networks.hebbian import Hebbian
from evo.networks.layer import Layer, Shape
from evo.networks.layernorm import LayerNorm
from evo.networks.lstm import LSTM
from evo.networks.pattern_generator import PatternGenerator
from evo.networks.pooling import AveragePool, MaxPool
from evo.networks.recurrent import Recurrent
from evo.networks.residual import Residual
from evo.networks.sequential import Network
from evo.networks.spiking import Spiking
from evo.networks.text import Sequential, network_from_text
from evo.networks.words import NETWORKS

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
