"""What a run would cost, before it is begun: its parameters, checkpoints, steps and time."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.learners.learner import Learner
from evo.runs.display import duration
from evo.storage.memory import size_text

_WARM = 2.0  # seconds: a first step that took longer is the sample, a shorter one is followed by another
_LONGEST = 60.0  # seconds that a learner may take until it learns


@dataclass(frozen=True)
class Plan:
    """The cost of a run.

    parameters: of an individual. checkpoint: bytes, of which two are kept. steps_a_second: of training, as measured,
    NaN where no step was taken. steps, seconds: the whole run's, by its budget; None where they cannot be known. notes:
    what the learner has to say of its cost.
    """

    parameters: int
    checkpoint: int
    steps_a_second: float
    steps: int | None
    seconds: float | None
    notes: tuple[str, ...] = ()

    def lines(self) -> list[tuple[str, str]]:
        """Return it for people, as names and texts."""
        rate = "none was taken" if math.isnan(self.steps_a_second) else f"{self.steps_a_second:,.0f} a second here"
        steps = "as many as it takes" if self.steps is None else f"about {self.steps:,}"
        return [
            ("parameters", f"{self.parameters:,}"),
            ("checkpoint", f"{size_text(self.checkpoint)}, of which two are kept"),
            ("steps", f"{steps}; {rate}"),
            ("time", "not known" if self.seconds is None else f"about {duration(self.seconds)}"),
            *(("note", note) for note in self.notes),
        ]


def plan_of(task: str, settings: Mapping[str, Any], learner: Learner) -> Plan:
    """Take steps of a new learner, which is of no use afterwards; return what the run would cost.

    settings: the run's configuration, by dotted keys. Raises EvoError where the learner fails.
    """
    size = sum(array.nbytes for array in learner.state().values())
    parameters = len(learner.candidates()[0].params)
    try:
        learner.prepare()
        began = time.perf_counter()
        # a learner may first only gather experience, which costs less: it says whether it `learns` yet
        while not getattr(learner, "learns", True) and time.perf_counter() - began < _LONGEST:
            learner.step()
        steps, seconds = _time(learner)
        if seconds < _WARM and learner.finished() is None:
            steps, seconds = _time(learner)
    except (KernelError, EngineError, FloatingPointError) as error:
        raise EvoError(f"{task}: {error}") from error
    rate = steps / max(seconds, 1e-9) if steps else math.nan
    share = 1.0 + settings["evaluation.selection_share"]
    whole = [settings["budget.steps"]] if settings.get("budget.steps") is not None else []
    whole += [settings["budget.generations"] * steps] if settings.get("budget.generations") is not None else []
    times = [share * min(whole) / rate] if whole and rate > 0 else []
    if (minutes := settings.get("budget.minutes")) is not None:
        times.append(60.0 * minutes)
        whole += [round(60.0 * minutes / share * rate)] if rate > 0 else []
    notes = tuple(getattr(learner, "notes", ()))
    return Plan(parameters, size, rate, min(whole, default=None), min(times, default=None), notes)


def _time(learner: Learner) -> tuple[int, float]:
    """Take a step; return its steps of the task, and its seconds."""
    before, began = learner.steps, time.perf_counter()
    learner.step()
    return learner.steps - before, time.perf_counter() - began
