"""A clock for tests of budgets in minutes: what a run does must not depend on how busy the machine is."""

import itertools
import time
from types import SimpleNamespace

import pytest

from evo.runs import training


def ticking(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.1) -> None:
    """Each selection, and each generation, takes so many seconds by the clocks of the training loop."""
    ticks = itertools.count()

    def clock() -> float:
        return seconds * next(ticks)

    own = SimpleNamespace(perf_counter=clock, process_time=time.process_time, monotonic=time.monotonic)
    monkeypatch.setattr(training, "time", own)
