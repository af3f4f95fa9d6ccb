"""evo: evolve neural-network controllers for walking creatures, and compare backprop on the same task.

The functions are named like the commands: `evo.run`, `evo.resume`, `evo.replay`, `evo.load`, … They are loaded at first
use, so that `import evo` and `evo --help` are quick.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evo.version import __version__ as __version__

if TYPE_CHECKING:
    from evo import testing as testing
    from evo.algorithms.genetic.ga import GA
    from evo.api.running import dataset, load, network, replay, resume, run, task, view
    from evo.api.scoring import collect_statistics, evaluate, rollout
    from evo.cluster.answering import evaluate_slice
    from evo.comparison.compare import compare
    from evo.comparison.comparison import Comparison
    from evo.comparison.plotting import plot
    from evo.datasets import Dataset
    from evo.diagnosis.robustness import robustness
    from evo.errors import EvoError
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
    from evo.numerics.running_statistics import ObservationStatistics
    from evo.problems.outcome import Outcome
    from evo.runs.catalogue import catalogue as list  # noqa: F401
    from evo.runs.champion import Champion
    from evo.runs.run import Run

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
    "Outcome",
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
    "evaluate_slice",
    "load",
    "network",
    "plot",
    "replay",
    "resume",
    "robustness",
    "rollout",
    "run",
    "task",
    "view",
]

# Modules and names of attributes that are neither in evo.api.running nor layers under their own name.
_HOMES = {
    "Champion": ("evo.runs.champion", "Champion"),
    "Comparison": ("evo.comparison.comparison", "Comparison"),
    "Dataset": ("evo.datasets", "Dataset"),
    "EvoError": ("evo.errors", "EvoError"),
    "GA": ("evo.algorithms.genetic.ga", "GA"),
    "ObservationStatistics": ("evo.numerics.running_statistics", "ObservationStatistics"),
    "Outcome": ("evo.problems.outcome", "Outcome"),
    "Run": ("evo.runs.run", "Run"),
    "bench": ("evo.benchmarks.bench", "bench"),
    "compare": ("evo.comparison.compare", "compare"),
    "doctor": ("evo.diagnosis.doctor", "doctor"),
    "collect_statistics": ("evo.api.scoring", "collect_statistics"),
    "evaluate": ("evo.api.scoring", "evaluate"),
    "evaluate_slice": ("evo.cluster.answering", "evaluate_slice"),
    "plot": ("evo.comparison.plotting", "plot"),
    "list": ("evo.runs.catalogue", "catalogue"),
    "robustness": ("evo.diagnosis.robustness", "robustness"),
    "rollout": ("evo.api.scoring", "rollout"),
}


def __getattr__(name: str) -> Any:
    if name == "testing":
        return importlib.import_module("evo.testing")
    if name not in (*__all__, "list"):  # not in __all__, because a star import would replace Python's `list`
        raise AttributeError(f"module 'evo' has no attribute {name!r}")
    # of the names not listed above, functions are in evo.api.running, and layers, which are capitalised, in
    # evo.networks
    home = "evo.api.running" if name.islower() else "evo.networks"
    module, attribute = _HOMES.get(name, (home, name))
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> Sequence[str]:
    return sorted([*__all__, "list", "testing"])
