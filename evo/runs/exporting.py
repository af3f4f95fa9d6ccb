"""Export of a champion as a policy."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.export.formats import check_target, export
from evo.export.parts import Parts

if TYPE_CHECKING:
    from evo.runs.champion import Champion


def export_champion(champion: "Champion", target: Path | str) -> tuple[Any, float]:
    """Write a champion's policy to a file .npz or .onnx, or make a torch module of it, for the target `torch`.

    Returns the path or module, and the largest difference of its outputs from the compiled network's, on random
    observations. Raises EvoError, also where that is more than the rounding of float32: then nothing is written.
    """
    check_target(target)
    problem = champion.walking
    mean, scale = problem.normalisation(champion.statistics)
    low, high = problem.task.action_low, problem.task.action_high
    assert low is not None and high is not None
    parts = Parts(
        network=problem.network,
        params=champion.params,
        mean=np.array(mean, np.float64),
        scale=np.array(scale, np.float64),
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
        choices=problem.task.choices,
        about={
            "task": champion.task_name,
            "network": champion.network_text,
            "method": champion.method,
            "score": champion.score,
        },
    )
    return export(parts, target)
