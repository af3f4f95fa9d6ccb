"""Profile of a method's iterations by Python's profiler, for each of our functions."""

import cProfile
import pstats
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evo.config.build import make_learner
from evo.config.resolve import resolve_config
from evo.envs.engine.physics import available_threads
from evo.evaluation.workers import Threads

_ROOT = Path(__file__).parents[2]
_ENOUGH = 60.0  # seconds of iterations
_LEAST = 0.01  # least share of the whole for a function to be listed


def profile(task: str, method: str, steps: int) -> Iterator[dict[str, Any]]:
    """Run iterations for `steps` env steps, or a minute; yield a row for all of them, then one for each function.

    Functions are ours that took 1 % or more. seconds, share and us_per_step (microseconds of wall-clock an env step) of
    a function include its callees and the profiler's own cost. Only the calling thread is measured; compiled code
    counts to the function that calls it. Before, compilation happens, and what a learner gathers until it learns.
    """
    learner = make_learner(
        resolve_config(flags={"task.name": task, "method.name": method}), Threads(available_threads())
    )
    learner.prepare()
    while not getattr(learner, "learns", True):
        learner.step()
    learner.step()
    profiler, first, began = cProfile.Profile(), learner.steps, time.perf_counter()
    iterations = 0
    while learner.steps - first < steps and (not iterations or time.perf_counter() - began < _ENOUGH):
        profiler.runcall(learner.step)
        iterations += 1
    total, taken = time.perf_counter() - began, learner.steps - first

    def row(function: str, calls: int, seconds: float) -> dict[str, Any]:
        timing = {"seconds": seconds, "share": seconds / total, "us_per_step": seconds / taken * 1e6}
        return {"task": task, "method": method, "steps": taken, "function": function, "calls": calls, **timing}

    yield row("all iterations", iterations, total)
    spent = pstats.Stats(profiler).stats.items()  # type: ignore[attr-defined]  # missing in typeshed
    for (file, line, name), (_, calls, _, seconds, _) in sorted(spent, key=lambda one: -one[1][3]):
        ours = Path(file).is_relative_to(_ROOT / "evo")
        if ours and seconds / total >= _LEAST:
            yield row(f"{Path(file).relative_to(_ROOT)}:{line} {name}", calls, seconds)
