"""Networks: stacks of layers, each with one compiled step; written in text or built from layers."""

from evo.networks.ctrnn import CTRNN
from evo.networks.dense import Dense
from evo.networks.gru import GRU
from evo.networks.hebbian import Hebbian
from evo.networks.layer import Layer, Shape
from evo.networks.lstm import LSTM
from evo.networks.pattern_generator import PatternGenerator
from evo.networks.recurrent import Recurrent
from evo.networks.sequential import Network
from evo.networks.spiking import Spiking
from evo.networks.text import NETWORKS, network_from_text

__all__ = [
    "CTRNN",
    "GRU",
    "LSTM",
    "NETWORKS",
    "Dense",
    "Hebbian",
    "Layer",
    "Network",
    "PatternGenerator",
    "Recurrent",
    "Shape",
    "Spiking",
    "network_from_text",
]
