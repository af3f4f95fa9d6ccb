"""evo: evolve neural-network controllers for walking creatures, and see what backprop does on the same task.

The functions are the words of the command line: `evo.run`, `evo.resume`, `evo.replay`, `evo.load`, … They are loaded
when first used, so that `import evo` and `evo --help` are quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from evo.api import evaluate, load, network, replay, resume, rollout, run, task
    from evo.catalogue import catalogue as list
    from evo.champion import Champion
    from evo.errors import EvoError
    from evo.finished import Run

_API = ("evaluate", "load", "network", "replay", "resume", "rollout", "run", "task")
_HOMES = {
    **{name: ("evo.api", name) for name in _API},
    "list": ("evo.catalogue", "catalogue"),
    "bench": ("evo.benchmarks", "bench"),
    "doctor": ("evo.examination", "examine"),
    "Champion": ("evo.champion", "Champion"),
    "EvoError": ("evo.errors", "EvoError"),
    "Run": ("evo.finished", "Run"),
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evo' has no attribute {name!r}")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
