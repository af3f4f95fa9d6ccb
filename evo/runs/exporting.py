"""Export of a policy that acts in a world."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evo.export.formats import check_target, export
from evo.export.parts import Parts
from evo.learners.learner import Candidate
from evo.problems.control import Walking


def export_policy(
    problem: Walking, candidate: Candidate, about: Mapping[str, Any], target: Path | str
) -> tuple[Any, float]:
    """Write a policy to a file .npz or .onnx, or make a torch module of it, for the target `torch`.

    about: what the file says of it. Returns the path or module, and the largest difference of its outputs from the
    compiled network's, on random observations. Raises EvoError, also where that is more than the rounding of float32:
    then nothing is written.
    """
    check_target(target)
    mean, scale = problem.normalisation(candidate.statistics)
    low, high = problem.task.action_low, problem.task.action_high
    assert low is not None and high is not None
    parts = Parts(
        network=problem.network,
        params=candidate.params,
        mean=np.array(mean, np.float64),
        scale=np.array(scale, np.float64),
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
        choices=problem.task.choices,
        about=dict(about),
    )
    return export(parts, target)
