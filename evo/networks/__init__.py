"""Networks: stacks of layers, each with one compiled step; written in text or built from layers."""

from evo.networks import layers
from evo.networks.layer import Layer, Shape
from evo.networks.layers import *  # noqa: F403  # the one list of layers
from evo.networks.network import Network
from evo.networks.parsing import NETWORKS
from evo.networks.sequential import Sequential, network_for_task, network_from_text

__all__ = ["NETWORKS", "Layer", "Network", "Sequential", "Shape", "network_for_task", "network_from_text"]
__all__ += layers.__all__
