"""Kinds of problems: what a task is made of, how it is configured, and which problem it gives.

`KINDS` lists them all; a kind is one file, and one entry here. How runs of a kind are drawn is an entry of
`evo.runs.pictures.PICTURES`.
"""

from typing import Any

from evo.config.kinds.control import Control
from evo.config.kinds.function import FunctionKind
from evo.config.kinds.kind import ProblemKind
from evo.config.kinds.supervised import SupervisedKind

__all__ = ["KINDS", "ProblemKind", "find_kind", "kind_of"]

KINDS: list[ProblemKind] = [Control(), FunctionKind(), SupervisedKind()]


def find_kind(returned: object) -> ProblemKind | None:
    """Return the kind whose constructors are annotated to return this type; None where there is none."""
    return next((kind for kind in KINDS if returned in kind.made), None)


def kind_of(made: Any) -> ProblemKind:
    """Return the kind of what a constructor made. Raises TypeError where it is of none."""
    for kind in KINDS:
        if isinstance(made, kind.made):
            return kind
    raise TypeError(f"a {type(made).__name__} is no task, function or data set")
