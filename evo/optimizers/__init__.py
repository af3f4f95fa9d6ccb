"""Optimisers, shared by evolution strategies and backprop: from a direction of ascent to a change of parameters."""

from collections.abc import Callable

from evo.errors import nearest
from evo.optimizers.adam import Adam, AdamW
from evo.optimizers.clipup import ClipUp
from evo.optimizers.momentum import Momentum
from evo.optimizers.nesterov import Nesterov
from evo.optimizers.optimizer import Optimizer
from evo.optimizers.rmsprop import RMSProp
from evo.optimizers.sgd import SGD

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adam",
    "AdamW",
    "ClipUp",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "find_optimizer",
]

# Name → constructor, from a number of parameters and a learning rate.
OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
    "clipup": ClipUp,
}


def find_optimizer(name: str) -> Callable[..., Optimizer]:
    """Return the constructor of the optimiser `name`. Raises ValueError for an unknown name."""
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer={name!r}: must be the name of an optimiser{nearest(name, OPTIMIZERS)}")
    return OPTIMIZERS[name]
