"""The robustness card: a champion's return under adversities that it may never have met in training.

Each row is an adversity (`evo.envs.adversity.adverse`) on report episodes; of joints and limbs, every one in turn.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from evo.cluster.named import workers_of
from evo.config.build import make_compiled_task, make_network
from evo.envs.adversity.injuries import limbs
from evo.errors import EvoError
from evo.numerics.formatting import csv_text, number, table_text
from evo.numerics.randomness import report_seeds
from evo.problems.control import Walking
from evo.problems.problem import evaluate_alone
from evo.runs.champion import Champion
from evo.runs.record import champion_of
from evo.runs.run import Run

# Adversities for every creature, besides those of its own joints and limbs.
HARDSHIPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gravity × 0.8", {"gravity": 0.8}),
    ("gravity × 1.2", {"gravity": 1.2}),
    ("mass × 1.25", {"mass": 1.25}),
    ("friction × 0.5", {"friction": 0.5}),
    ("strength × 0.7", {"strength": 0.7}),
    ("sensor noise 0.05", {"sensor_noise": 0.05}),
    ("sensor noise 0.2", {"sensor_noise": 0.2}),
    ("sensors 1 step late", {"sensor_delay": 1}),
    ("sensors 3 steps late", {"sensor_delay": 3}),
    ("a push of 0.5 m/s every 2 s", {"push": 0.5}),
)


@dataclass(frozen=True, eq=False)
class Row:
    """An adversity and the returns under it, float64 (episodes,), NaN where an episode failed."""

    name: str
    returns: np.ndarray

    @property
    def mean(self) -> float:
        """Mean of the episodes that did not fail; NaN where all did."""
        fine = self.returns[~np.isnan(self.returns)]
        return float(fine.mean()) if len(fine) else math.nan

    @property
    def failed(self) -> int:
        """Number of episodes that failed."""
        return int(np.isnan(self.returns).sum())


@dataclass(frozen=True, eq=False)
class Card:
    """A champion's rows; the first is without adversity. Its text is a table."""

    champion: Champion
    rows: tuple[Row, ...]

    def share(self, row: Row) -> float:
        """Return a row's mean return as a share of the one without adversity; NaN where that is not positive."""
        calm = self.rows[0].mean
        return row.mean / calm if calm > 0 else math.nan

    def texts(self) -> list[tuple[str, str, str, str]]:
        """Return name, mean return, share in per cent and failed episodes of each row, as texts."""
        shares = [self.share(row) for row in self.rows]
        return [
            (row.name, number(row.mean), "–" if math.isnan(share) else f"{100 * share:.0f} %", str(row.failed or ""))
            for row, share in zip(self.rows, shares, strict=True)
        ]

    def csv(self) -> str:
        """Return every number, unrounded, a line for each row."""
        lines = []
        for row in self.rows:
            spread = float(np.nanstd(row.returns)) if row.failed < len(row.returns) else math.nan
            lines.append([row.name, row.mean, spread, self.share(row), len(row.returns), row.failed])
        return csv_text(["hardship", "return_mean", "return_std", "share", "episodes", "failed_episodes"], lines)

    def __str__(self) -> str:
        return table_text([("", "return", "share", "failed"), *self.texts()])


def robustness(
    run: Run | Champion | Path | str, episodes: int = 20, threads: int | None = None, trust: bool = False
) -> Card:
    """Return the returns of a run's champion, without and under every adversity, on the first report episodes.

    episodes: how many. trust: whether modules that its files name may be imported. Raises EvoError for a champion of a
    task that takes no adversity.
    """
    if episodes < 1:
        raise EvoError(f"episodes must be at least 1, got {episodes}")
    champion = (
        run.champion if isinstance(run, Run) else champion_of(Path(run), trust) if isinstance(run, Path | str) else run
    )
    seeds, workers = report_seeds(episodes), workers_of(threads)

    def row(name: str, adversity: Mapping[str, Any]) -> Row:
        task = make_compiled_task(champion.task_name, {**champion.task_options, **adversity})
        network = make_network(champion.network_text, task, champion.normalise, champion.clip_observation)
        problem = Walking(task, network, workers)
        return Row(name, evaluate_alone(problem, *champion.candidate, seeds).returns[0])

    model = make_compiled_task(champion.task_name, champion.task_options).model
    rows = [row("as it is", {})]
    rows += [row(name, adversity) for name, adversity in HARDSHIPS if model.nu or "sensor" in next(iter(adversity))]
    for what, option, names in (("joint locked", "locked", _driven(model)), ("limb removed", "removed", limbs(model))):
        each = [row(name, {option: name}) for name in names]
        if each:
            every = Row(f"a {what}, any of {len(each)}", np.concatenate([one.returns for one in each]))
            worst = min(each, key=lambda one: math.inf if math.isnan(one.mean) else one.mean)
            rows += [every, Row(f"… the worst one, {worst.name}", worst.returns)]
    return Card(champion, tuple(rows))


def _driven(model: mujoco.MjModel) -> list[str]:
    """Return the names of the joints that actuators move."""
    on_joints = np.isin(model.actuator_trntype, (mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_JOINTINPARENT))
    joints = dict.fromkeys(model.actuator_trnid[on_joints, 0].tolist())
    return [name for name in (model.joint(joint).name for joint in joints) if name and not {",", "|"} & set(name)]
