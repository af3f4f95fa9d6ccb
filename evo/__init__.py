"""evo: evolve neural-network controllers for walking creatures, and see what backprop does on the same task.

The functions are the words of the command line: `evo.run`, `evo.resume`, `evo.replay`, `evo.load`, … They are loaded
when first used, so that `import evo` and `evo --help` are quick.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from evo.algorithms.ga import GA
    from evo.api import dataset, evaluate, load, network, replay, resume, rollout, run, task
    from evo.catalogue import catalogue as list
    from evo.champion import Champion
    from evo.comparison.compare import compare
    from evo.comparison.comparison import Comparison
    from evo.datasets import Dataset
    from evo.errors import EvoError
    from evo.finished import Run
    from evo.hardships import robustness
    from evo.networks import CTRNN, GRU, LSTM, AveragePool, Conv, Dense, Flatten, Layer, MaxPool, Recurrent, Sequential

__all__ = [
    "CTRNN",
    "GA",
    "GRU",
    "LSTM",
    "AveragePool",
    "Champion",
    "Comparison",
    "Conv",
    "Dataset",
    "Dense",
    "EvoError",
    "Flatten",
    "Layer",
    "MaxPool",
    "Recurrent",
    "Run",
    "Sequential",
    "bench",
    "compare",
    "dataset",
    "doctor",
    "evaluate",
    "list",
    "load",
    "network",
    "replay",
    "resume",
    "robustness",
    "rollout",
    "run",
    "task",
]

_LAYERS = (
    "CTRNN",
    "GRU",
    "LSTM",
    "AveragePool",
    "Conv",
    "Dense",
    "Flatten",
    "Layer",
    "MaxPool",
    "Recurrent",
    "Sequential",
)
# Where the words live that do not live in evo.api under their own name.
_HOMES = {
    **{name: ("evo.networks", name) for name in _LAYERS},
    "Dataset": ("evo.datasets", "Dataset"),
    "Champion": ("evo.champion", "Champion"),
    "Comparison": ("evo.comparison.comparison", "Comparison"),
    "EvoError": ("evo.errors", "EvoError"),
    "GA": ("evo.algorithms.ga", "GA"),
    "Run": ("evo.finished", "Run"),
    "bench": ("evo.benchmarks", "bench"),
    "compare": ("evo.comparison.compare", "compare"),
    "doctor": ("evo.diagnosis.diagnosis", "doctor"),
    "list": ("evo.catalogue", "catalogue"),
    "robustness": ("evo.hardships", "robustness"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'evo' has no attribute {name!r}")
    module, attribute = _HOMES.get(name, ("evo.api", name))
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> Sequence[str]:
    return sorted(__all__)
