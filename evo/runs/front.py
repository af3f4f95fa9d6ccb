"""RunFront: the Pareto front that a run leaves, each individual scored again on held-out episodes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evo.algorithms.multi_objective.dominance import rank_fronts
from evo.algorithms.multi_objective.front_search import FrontSearch
from evo.algorithms.multi_objective.hypervolume import hypervolume
from evo.errors import EvoError, one_line
from evo.genomes.population import DensePopulation
from evo.learners.learner import Learner
from evo.problems.objective_functions import ObjectiveLandscape
from evo.problems.problem import Problem
from evo.runs.archive import as_evaluated, held_out, score_again
from evo.runs.callbacks import Watcher
from evo.runs.data_frame import data_frame
from evo.storage.files import read_arrays, write_arrays

_LIMIT = 2**34  # bytes
_ARRAYS = ("params", "fitness", "objectives", "returns", "corrected_objectives", "reference", "names")


@dataclass(frozen=True, eq=False)
class RunFront:
    """Individuals that nobody dominated, best by the first objective first, and as they are on held-out episodes.

    params: (individuals, parameters), as they are evaluated. fitness: (individuals,) and objectives: (individuals, k),
    each maximised, as the search knew them. returns: (individuals, episodes) on the first selection seeds, NaN where an
    episode failed; corrected_objectives: (individuals, k), means over these, NaN where one failed. reference: (k,), the
    point above which hypervolumes are measured. names: of the objectives.
    """

    params: np.ndarray
    fitness: np.ndarray
    objectives: np.ndarray
    returns: np.ndarray
    corrected_objectives: np.ndarray
    reference: np.ndarray
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        count, k = len(self.params), len(self.names)
        shapes = {"fitness": (count,), "objectives": (count, k), "corrected_objectives": (count, k), "reference": (k,)}
        wrong = [name for name, shape in shapes.items() if getattr(self, name).shape != shape]
        wrong += [name for name in ("params", "returns") if np.ndim(getattr(self, name)) != 2]
        wrong += ["returns"] * (len(self.returns) != count)
        if wrong:
            raise ValueError(f"{wrong[0]} is of shape {np.shape(getattr(self, wrong[0]))}, for {count} individuals")

    def __len__(self) -> int:
        return len(self.params)

    def __repr__(self) -> str:
        return f"RunFront({len(self):,} individuals by {', '.join(self.names)}; hypervolume {self.hypervolume:.6g})"

    @property
    def hypervolume(self) -> float:
        """What the front dominates above the reference, as the search knew it."""
        return hypervolume(self.objectives, self.reference)

    @property
    def corrected_hypervolume(self) -> float:
        """What the front dominates above the reference on held-out episodes."""
        known = ~np.isnan(self.corrected_objectives).any(axis=1)
        return hypervolume(self.corrected_objectives[known], self.reference)

    def place(self, place: int) -> int:
        """Return the place of an individual, from 0 on. Raises EvoError where there is none."""
        if isinstance(place, bool) or not isinstance(place, int | np.integer) or not 0 <= place < len(self):
            raise EvoError(f"front {place!r}: must be a place in the front of {len(self)}, from 0 to {len(self) - 1}")
        return int(place)

    def to_pandas(self) -> Any:
        """Return a pandas.DataFrame, a row for each individual, without its parameters. Raises EvoError without it."""
        columns = {"fitness": self.fitness} | {name: self.objectives[:, k] for k, name in enumerate(self.names)}
        columns |= {f"corrected_{name}": self.corrected_objectives[:, k] for k, name in enumerate(self.names)}
        return data_frame(columns, "the front has the arrays")

    def save(self, path: Path) -> None:
        """Write it as one .npz file. Raises EvoError."""
        write_arrays(path, {name: np.asarray(getattr(self, name)) for name in _ARRAYS})

    @classmethod
    def load(cls, path: Path) -> "RunFront":
        """Read what `save` wrote. Raises EvoError for a file that is none, or damaged."""
        arrays = read_arrays(path, _LIMIT)
        try:
            numbers = {name: arrays[name] for name in _ARRAYS if name != "names"}
            return cls(**numbers, names=tuple(str(name) for name in np.atleast_1d(arrays["names"])))
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise EvoError(f"{path} is no front that evo wrote, or a damaged one: {one_line(error)}") from error


def draw_front(front: RunFront, task: Any, title: str, path: Path) -> None:
    """Draw a front as it is on held-out episodes, and the known front of a function beside it. Raises EvoError."""
    from evo.visualize.fronts import plot_front

    known = task.front(500) if isinstance(task, ObjectiveLandscape) and task.objectives == front.names else None
    whole = ~np.isnan(front.corrected_objectives).any(axis=1)
    shown = front.corrected_objectives[whole]
    plot_front(shown, rank_fronts(shown) == 0, known, front.names, title, path)


def keep_front(learner: Learner, judge: Problem, path: Path, watcher: Watcher) -> None:
    """Write the front of a learner that searches for one, and say what it is on held-out episodes. Raises EvoError."""
    search = getattr(learner, "algorithm", None)
    if not isinstance(search, FrontSearch):
        return
    if not judge.deterministic:
        watcher.phase("scoring the front on held-out episodes")
    front = front_of(search, learner, judge)
    front.save(path)
    watcher.note(f"front   {len(front):,} individuals by {', '.join(front.names)}, hypervolume {front.hypervolume:.6g}")
    if not judge.deterministic:
        watcher.note(
            f"on {front.returns.shape[1]} held-out episodes each: hypervolume {front.corrected_hypervolume:.6g}"
        )


def front_of(search: FrontSearch, learner: Learner, judge: Problem) -> RunFront:
    """Return the front of a learner's search, its individuals scored again by `judge`. Raises EvoError."""
    places = search.front()
    rows = search.individuals[places].astype(np.float64)
    k = len(search.reference)
    returns, corrected = np.zeros((0, held_out(judge))), np.zeros((0, k))
    if len(rows):
        again = score_again(DensePopulation(rows), learner, judge)
        returns, corrected = np.array(again.returns, np.float64), np.full((len(rows), k), np.nan)
        if again.objectives.shape[1]:
            told = search.chosen.choose(again.objectives)
            corrected = np.where(np.isinf(told), np.nan, told)
    return RunFront(
        params=as_evaluated(rows, learner),
        fitness=search.fitness[places],
        objectives=search.objectives[places].reshape(len(rows), k),
        returns=returns,
        corrected_objectives=corrected,
        reference=search.reference,
        names=search.chosen.name(k),
    )
