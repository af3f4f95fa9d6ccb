"""Networks: stacks of layers, each with one compiled step; written in text or built from layers."""

from evo.networks.dense import Dense
from evo.networks.layer import Layer, Shape
from evo.networks.sequential import Network
from evo.networks.text import NETWORKS, network_from_text

__all__ = ["NETWORKS", "Dense", "Layer", "Network", "Shape", "network_from_text"]
