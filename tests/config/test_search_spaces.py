"""Search spaces: what is drawn lies in them, and makes methods."""

import math
from typing import Any

import numpy as np
import pytest

from evo.config.build import make_learner
from evo.config.resolve import resolve_config
from evo.config.search_spaces import SEARCH_SPACES, LogUniform, OneOf, declared_space, describe, draw
from evo.evaluation.workers import Threads

ACTING = {"sac", "td3", "ppo"}
DATA = {"adam", "sgd"}


def test_a_number_is_drawn_log_uniformly_and_in_its_text() -> None:
    part = LogUniform("sigma", 0.01, 1.0)
    assert [part.value(share, 1.0)["sigma"] for share in (0.0, 0.5, 1.0)] == [0.01, 0.1, 1.0]
    wide = LogUniform("mutate", 0.01, 1.0, "gaussian:sigma={}", of_width=True)
    assert wide.value(0.5, 10.0) == {"mutate": "gaussian:sigma=1.0"}
    assert wide.describe(10.0) == "mutate gaussian:sigma=0.1 to 10"
    rng = np.random.default_rng(0)
    logs = [math.log10(draw([part], rng)["sigma"]) for _ in range(1000)]
    assert min(logs) >= -2 and max(logs) <= 0
    counts, _ = np.histogram(logs, 4, (-2, 0))
    assert counts.min() > 200  # of 250 on average: as many in each half decade


def test_one_of_a_list_takes_what_goes_together() -> None:
    part = OneOf(({"a": 1, "b": 2}, {"a": 3, "b": 4}))
    found = [part.value(share, 1.0) for share in (0.0, 0.49, 0.5, 0.999, 1.0)]
    assert found == [{"a": 1, "b": 2}] * 2 + [{"a": 3, "b": 4}] * 3
    assert part.describe(1.0) == "a, b one of 1/2, 3/4"
    assert describe([LogUniform("c", 0.1, 1.0), part]) == "c 0.1 to 1; a, b one of 1/2, 3/4"


def test_a_space_is_declared_by_ranges_and_lists() -> None:
    assert declared_space({"a": (0.1, 1), "b": [3, None]}) == [LogUniform("a", 0.1, 1), OneOf(({"b": 3}, {"b": None}))]
    assert declared_space({}) == []
    for wrong in ({"a": (0, 1)}, {"a": (1, 1)}, {"a": (1, 2, 3)}, {"a": []}, {"a": 3}, {"a": ("x", "y")}, ["a"]):
        with pytest.raises(ValueError, match="search_space"):
            declared_space(wrong)


def corners(family: str, width: float) -> list[dict[str, Any]]:
    """Settings with every part of the space at its beginning, in each of its choices, and at its end."""
    space = SEARCH_SPACES[family]
    most = max((len(part.choices) for part in space if isinstance(part, OneOf)), default=1)
    shares = [0.0, *((choice + 0.5) / most for choice in range(most)), 1.0]
    return [{key: value for part in space for key, value in part.value(share, width).items()} for share in shares]


@pytest.mark.parametrize("family", sorted(SEARCH_SPACES))
def test_every_corner_of_a_space_makes_its_method(family: str) -> None:
    task = "xor" if family in DATA else "pendulum" if family in ACTING else "rastrigin"
    flags = {"task.name": task, "method.name": family, "budget.steps": 1000}
    config = resolve_config(flags=flags)
    for settings in corners(family, config.task.kind.width(config.task.name, config.task.given)):
        keys = {f"method.{option}": value for option, value in settings.items()}
        resolved = resolve_config(settings=[*keys.items()], flags=flags)
        assert {key: resolved[key] for key in keys} == keys == {key: config.changed(keys)[key] for key in keys}
        make_learner(resolved, Threads(1))
