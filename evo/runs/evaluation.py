"""Scoring a champion again: on other options of its task, other seeds, another split."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from evo.errors import EvoError, nearest
from evo.evaluation.workers import Workers
from evo.numerics.randomness import report_seeds
from evo.runs.champion import Champion
from evo.runs.fitness import Fitness

_EPISODES, _LOOKED_AT = 100, 10
_MOST_EPISODES = 1_000_000
_LARGEST_SEED = 2**63 - 1


def score(
    champion: Champion,
    episodes: int | None = None,
    seed: int | None = None,
    options: Mapping[str, Any] | None = None,
    split: str | None = None,
    workers: Workers | str | None = None,
) -> Fitness:
    """Return the champion's returns on `episodes` episodes, or its score on a split of its data set.

    episodes: 100 by default. seed: of the first episode, the next have the seeds after it; by default those of the
    report. options: of its task, in place of those it was scored under. split: `train`, `validation` or `test`, the
    default. What is deterministic takes neither episodes nor a seed. workers: evaluate episodes, as of `evo.run`; a
    split takes none. Raises EvoError.
    """
    champion = champion.on_options(options) if options else champion
    if splits := champion.spec.kind.splits:
        if split is not None and split not in splits:
            raise EvoError(f"the split {split!r} is none of {', '.join(splits)}{nearest(split, splits)}")
        _refuse_episodes(champion, episodes, seed, "scored on all examples of a split: give --split")
        if workers is not None:
            raise EvoError(f"{champion.task_name} is scored on a split in this process alone: leave out --workers")
        return champion.evaluate(getattr(champion.supervised.dataset, split or "test"))
    if split is not None:
        raise EvoError(f"{champion.task_name} is a {champion.kind}, which has episodes and no splits")
    if champion.problem.deterministic:
        _refuse_episodes(champion, episodes, seed, "deterministic: one evaluation is exact")
        return champion.evaluate(1, workers=workers)
    count = _EPISODES if episodes is None else episodes
    if not 1 <= count <= _MOST_EPISODES:
        raise EvoError(f"episodes must be between 1 and {_MOST_EPISODES:,}, got {count}")
    if seed is None:
        return champion.evaluate(seeds=report_seeds(count), workers=workers)
    if not 0 <= seed <= _LARGEST_SEED - count:
        raise EvoError(f"seed must be between 0 and {_LARGEST_SEED - count} for {count} episodes, got {seed}")
    return champion.evaluate(seeds=np.arange(seed, seed + count, dtype=np.int64), workers=workers)


def whereabouts(champion: Champion) -> str:
    """Return where a champion's episodes end on average, in words; "" where nobody can say."""
    try:
        return champion.evaluate(_LOOKED_AT).whereabouts() if champion.problem.measures else ""
    except EvoError:
        return ""  # its report has said what is wrong


def _refuse_episodes(champion: Champion, episodes: int | None, seed: int | None, reason: str) -> None:
    for name, value in (("episodes", episodes), ("seed", seed)):
        if value is not None:
            raise EvoError(f"{champion.task_name} is {reason}; it takes no {name}")
