"""evo: evolve neural-network controllers for walking creatures, and see what backprop does on the same task.

The functions are the words of the command line: `evo.run`, `evo.resume`, `evo.replay`, `evo.load`, … They are loaded
when first used, so that `import evo` and `evo --help` are quick.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from evo import testing as testing
    from evo.algorithms.ga import GA
    from evo.api import dataset, load, network, replay, resume, run, task
    from evo.catalogue import catalogue as list  # noqa: F401
    from evo.champion import Champion
    from evo.comparison.compare import compare
    from evo.comparison.comparison import Comparison
    from evo.datasets import Dataset
    from evo.errors import EvoError
    from evo.finished import Run
    from evo.hardships import robustness
    from evo.networks import (
        CTRNN,
        GRU,
        LSTM,
        Attention,
        AveragePool,
        Conv,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        Hebbian,
        Layer,
        LayerNorm,
        MaxPool,
        PatternGenerator,
        Recurrent,
        Residual,
        Sequential,
        Spiking,
    )
    from evo.scoring import collect_statistics, evaluate, rollout
    from evo.statistics import ObservationStatistics

__all__ = [
    "CTRNN",
    "GA",
    "GRU",
    "LSTM",
    "Attention",
    "AveragePool",
    "Champion",
    "Comparison",
    "Conv",
    "Dataset",
    "Dense",
    "Dropout",
    "Embedding",
    "EvoError",
    "Flatten",
    "Hebbian",
    "Layer",
    "LayerNorm",
    "MaxPool",
    "ObservationStatistics",
    "PatternGenerator",
    "Recurrent",
    "Residual",
    "Run",
    "Sequential",
    "Spiking",
    "bench",
    "collect_statistics",
    "compare",
    "dataset",
    "doctor",
    "evaluate",
    "load",
    "network",
    "replay",
    "resume",
    "robustness",
    "rollout",
    "run",
    "task",
]

# Where the words live that do not live in evo.api, nor are layers, under their own name.
_HOMES = {
    "Champion": ("evo.champion", "Champion"),
    "Comparison": ("evo.comparison.comparison", "Comparison"),
    "Dataset": ("evo.datasets", "Dataset"),
    "EvoError": ("evo.errors", "EvoError"),
    "GA": ("evo.algorithms.ga", "GA"),
    "ObservationStatistics": ("evo.statistics", "ObservationStatistics"),
    "Run": ("evo.finished", "Run"),
    "bench": ("evo.benchmarks", "bench"),
    "compare": ("evo.comparison.compare", "compare"),
    "doctor": ("evo.diagnosis.diagnosis", "doctor"),
    "collect_statistics": ("evo.scoring", "collect_statistics"),
    "evaluate": ("evo.scoring", "evaluate"),
    "list": ("evo.catalogue", "catalogue"),
    "robustness": ("evo.hardships", "robustness"),
    "rollout": ("evo.scoring", "rollout"),
}


def __getattr__(name: str) -> Any:
    if name == "testing":
        return importlib.import_module("evo.testing")
    if name not in (*__all__, "list"):  # which a star import would put in the place of Python's own
        raise AttributeError(f"module 'evo' has no attribute {name!r}")
    # of what is not named above, functions live in evo.api, and layers, whose names are capital, among the networks
    home = "evo.api" if name.islower() else "evo.networks"
    module, attribute = _HOMES.get(name, (home, name))
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> Sequence[str]:
    return sorted([*__all__, "list", "testing"])
