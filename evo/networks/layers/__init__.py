"""The layers, a file for each, and the one list of them: `__all__`.

A layer of the package is one file more, and its class in this list. The class says how it is written and what it is
(`Layer.word`, `Layer.summary`, `Layer.from_call`): networks in text, `evo list` and `evo.networks` have it from there.
"""

from evo.networks.layers.attention import Attention
from evo.networks.layers.clock import Clock
from evo.networks.layers.convolution import Conv
from evo.networks.layers.ctrnn import CTRNN
from evo.networks.layers.dense import Dense
from evo.networks.layers.dropout import Dropout
from evo.networks.layers.embedding import Embedding
from evo.networks.layers.es_hyperneat import ESHyperNEAT
from evo.networks.layers.flatten import Flatten
from evo.networks.layers.graph import Graph
from evo.networks.layers.gru import GRU
from evo.networks.layers.hebbian import Hebbian
from evo.networks.layers.hyperneat import HyperNEAT
from evo.networks.layers.layernorm import LayerNorm
from evo.networks.layers.lstm import LSTM
from evo.networks.layers.pattern_generator import PatternGenerator
from evo.networks.layers.pooling import AveragePool, MaxPool
from evo.networks.layers.recurrent import Recurrent
from evo.networks.layers.residual import Residual
from evo.networks.layers.spiking import Spiking
from evo.networks.layers.squash import Squash
from evo.networks.layers.take import Take

__all__ = [
    "CTRNN",
    "GRU",
    "LSTM",
    "Attention",
    "AveragePool",
    "Clock",
    "Conv",
    "Dense",
    "Dropout",
    "ESHyperNEAT",
    "Embedding",
    "Flatten",
    "Graph",
    "Hebbian",
    "HyperNEAT",
    "LayerNorm",
    "MaxPool",
    "PatternGenerator",
    "Recurrent",
    "Residual",
    "Spiking",
    "Squash",
    "Take",
]
