"""Recovery from damage: a creature that lost a limb finds another gait in its map in a dozen trials.

Cully, Clune, Tarapore & Mouret 2015, "Robots that can adapt like animals". A trial is one episode of the damaged
creature; nothing is known of the damage but how the elites perform that are tried.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evo.algorithms.quality_diversity.cells import scale
from evo.algorithms.quality_diversity.trial_and_error import TrialAndError
from evo.cluster.named import workers_of
from evo.envs.adversity.injuries import limbs
from evo.envs.task import Task
from evo.errors import EvoError, nearest
from evo.numerics.formatting import csv_text, number, table_text
from evo.numerics.randomness import episode_seeds, selection_seeds
from evo.runs.champion import Champion
from evo.runs.fitness import Fitness, measure_text
from evo.runs.record import Record
from evo.storage.files import make_folder, refuse_link, write_text

TRIALS = 20
_MOST_TRIALS = 1000
_SELECTION = 20  # episodes that the gait found is scored on, as champions are
_DISTANCE = "x"


@dataclass(frozen=True)
class Trial:
    """An episode of the damaged creature. cell: of the elite. expected: fitness, before it. measured: its return.

    distance: how far it came, m; None of a task that does not measure it.
    """

    cell: str
    expected: float
    measured: float
    distance: float | None


@dataclass(frozen=True, eq=False)
class Recovery:
    """What a damaged creature tried, and the gait that it found.

    damage: options of its task. trials: in order. satisfied: whether it ended because the best gait was as good as 0.9
    of the best that is expected. best: the index of the best trial. champion: its elite on the damaged creature, scored
    as champions are. whole, damaged: the run's champion without and with the damage, on the report episodes. recovered:
    the gait found, on the same.
    """

    damage: Mapping[str, Any]
    trials: tuple[Trial, ...]
    satisfied: bool
    best: int
    champion: Champion
    whole: Fitness
    damaged: Fitness
    recovered: Fitness

    def __str__(self) -> str:
        lines = [("", "return", "distance"), ("whole", *_texts(self.whole)), ("damaged", *_texts(self.damaged))]
        lines.append((f"recovered, cell {self.trials[self.best].cell}", *_texts(self.recovered)))
        return table_text(lines)

    def csv(self) -> str:
        """Return every trial, unrounded, a line each."""
        lines = [[n, one.cell, one.expected, one.measured, one.distance] for n, one in enumerate(self.trials, start=1)]
        return csv_text(["trial", "cell", "expected", "measured", "distance"], lines)

    def save(self, path: Path) -> None:
        """Write the gait found as a champion file, .npz, and the trials beside it, .csv. Raises EvoError."""
        refuse_link(path.parent)
        make_folder(path.parent)
        self.champion.save(path)
        write_text(path.with_suffix(".csv"), self.csv())


def recover(
    run: Record,
    lose: str = "",
    trials: int = TRIALS,
    options: Mapping[str, Any] | None = None,
    threads: int | None = None,
    out: Path | None = None,
    tried: Callable[[int, Trial], None] | None = None,
) -> Recovery:
    """Find a gait in a run's map for the creature without some limbs, in a few trials.

    What the map expects of an elite is its mean return on the held-out episodes, less `method.qd_offset`; what is less
    counts as nothing, as a failed episode does. The best elite of the map is the unit.

    lose: names of bodies, with commas between them. trials: at most. options: of the task, other damage, as in
    `{"strength": 0.5}`. threads: as of `evo.run`. out: where `Recovery.save` writes it. tried: called with the number
    of each trial, from 1 on, and the trial. Raises EvoError.
    """
    if out is not None and out.suffix != ".npz":
        raise EvoError(f"the gait found is written to a .npz file, and {out} is none")
    if out is not None and out.resolve().parent == run.path.resolve():  # where the run's own champion lies
        raise EvoError(f"{out} lies among the run's own files; write it to {run.path / 'recovered' / out.name}")
    if isinstance(trials, bool) or not 1 <= trials <= _MOST_TRIALS:
        raise EvoError(f"trials must be between 1 and {_MOST_TRIALS:,}, got {trials}")
    archive = run.archive
    damage = _damage(run.champion, lose, options or {})
    champion, workers = run.champion.on_options(damage), workers_of(threads)
    known = np.flatnonzero(~(np.isnan(archive.corrected_fitness) | np.isnan(archive.corrected_measures).any(axis=1)))
    floor = float(run.config.method.given.get("qd_offset", 0.0))
    fitness = archive.corrected_fitness[known]
    unit = float(np.max(fitness, initial=-np.inf)) - floor
    if not unit > 0:
        raise EvoError(f"{run.path} has no gait to try: no elite is worth more than {floor:g} on held-out episodes")

    search = TrialAndError(scale(archive.corrected_measures[known], archive.ranges), (fitness - floor) / unit)
    elites, seen = list[Champion](), list[Trial]()
    while len(seen) < trials and not search.satisfied:
        chosen = search.choose()
        elite = int(known[chosen])
        elites.append(replace(champion, candidate=run.elite_of(archive, elite).candidate))
        outcome = elites[-1].evaluate(seeds=episode_seeds(run.config.seed, "trial", len(seen), 1), workers=workers)
        expected = floor + unit * float(search.process.mean[chosen])
        seen.append(Trial(archive.label(elite), expected, outcome.mean, outcome.measures.get(_DISTANCE)))
        search.tell(chosen, max(0.0, (outcome.mean - floor) / unit) if np.isfinite(outcome.mean) else 0.0)
        if tried is not None:
            tried(len(seen), seen[-1])

    found = elites[search.best]
    found = replace(found, selection_returns=found.evaluate(seeds=selection_seeds(_SELECTION), workers=workers).returns)
    whole, damaged, recovered = (one.evaluate(workers=workers) for one in (run.champion, champion, found))
    found = found.with_report(recovered.returns, {})
    done = Recovery(damage, tuple(seen), search.satisfied, search.best, found, whole, damaged, recovered)
    if out is not None:
        done.save(out)
    return done


def name_damage(lose: str, options: Mapping[str, Any]) -> str:
    """Return damage as part of a path: `hind_left_thigh`, `hind_left_thigh-strength-0.5`."""
    words = [*lose.split(","), *(f"{name}-{value}" for name, value in options.items())]
    return re.sub(r"[^\w.-]+", "-", "-".join(word.strip() for word in words if word.strip())).strip("-.") or "nothing"


def _damage(champion: Champion, lose: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the task under which the creature is damaged. Raises EvoError where it has no such limb."""
    task = champion.task
    if not isinstance(task, Task):
        raise EvoError(f"{champion.task_name} can lose nothing: damage is for compiled tasks")
    names = limbs(task.model)
    bodies = [task.model.body(body).name for body in np.flatnonzero(task.model.body_parentid)]  # not the whole creature
    lost = [name.strip() for name in lose.split(",") if name.strip()]
    for name in lost:
        if name not in bodies:
            raise EvoError(f"{champion.task_name} has no limb {name!r}{nearest(name, names)}")
    if not lost and not options:
        raise EvoError(f"nothing is lost: give lose, one of {', '.join(names)}, or other damage as options of the task")
    missing = champion.task_options.get("removed")  # since it was trained
    removed = {"removed": ",".join([*([missing] if missing else []), *lost])} if lost else {}
    return {**options, **removed}


def _texts(fitness: Fitness) -> tuple[str, str]:
    distance = fitness.measures.get(_DISTANCE)
    return number(fitness.mean), "" if distance is None else measure_text(_DISTANCE, distance)
