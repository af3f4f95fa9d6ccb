"""What notebooks show of a champion."""

from typing import TYPE_CHECKING

from evo.runs.fitness import Fitness

if TYPE_CHECKING:
    from evo.runs.champion import Champion


def facts_of(champion: "Champion") -> list[tuple[str, str]]:
    """Return what a champion is and does, as names and texts."""
    chosen = Fitness(champion.selection_returns, champion.measure)
    network = f"{champion.network_text}, {len(champion.params):,} parameters" if champion.network_text else "a point"
    return [
        ("task", champion.task_name),
        ("network", network),
        ("method", f"{champion.method}, seed {champion.seed}"),
        ("champion of", f"generation {champion.generation:,}, after {champion.steps:,} steps"),
        ("score", f"{chosen}, by which it was chosen"),
        ("report", "not yet" if champion.report_returns is None else str(champion.reported_fitness)),
    ]
