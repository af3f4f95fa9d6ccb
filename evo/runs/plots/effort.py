"""Joint torques, and the mechanical power and energy that go through the actuators."""

from collections.abc import Sequence

import mujoco
import numpy as np

from evo.envs.engine.names import actuator_names
from evo.errors import EvoError
from evo.runs.plots.kind import Kind, acts, of
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Line, Lines, Raster, Row
from evo.visualize.colours import ORANGE, TEAL

_JOINTS = (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT))


def torques(subject: Subject) -> np.ndarray:
    """Return what each actuator exerts on its joint at the end of each step, N m (N where it slides): (steps, nu).

    That is its force times its gear; of an actuator that drives no joint it is its force.
    """
    model, forces = subject.world.model, subject.episode.forces
    gears = np.where(np.isin(model.actuator_trntype, _JOINTS), model.actuator_gear[:, 0], 1.0)
    return np.asarray(forces * gears)


def power(subject: Subject) -> np.ndarray:
    """Return the mechanical power through the actuators at the end of each step, driving or braking, W: (steps,).

    It is the sum of |force × velocity|, which our creatures measure as `power`.
    """
    episode = subject.episode
    return np.asarray(np.abs(episode.forces * episode.speeds).sum(axis=1))


def energy(subject: Subject) -> np.ndarray:
    """Return the work done until the end of each step, J: (steps,)."""
    return np.cumsum(power(subject)) * subject.world.control_period


def _rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    rows: list[Row] = []
    for subject in subjects:
        task, steps = subject.world, subject.steps(seconds)
        if not task.model.nu:
            raise EvoError(f"{task.name} has no actuators in MuJoCo, and so no torques")
        time = (1 + np.arange(steps)) * task.control_period
        shown = torques(subject)[:steps].T
        most = float(np.nanmax(np.abs(shown))) or 1.0
        title = of(subject, f"joint torques{subject.within(seconds)}")
        names = [name.replace("_", " ") for name in actuator_names(task.model)]
        slides = np.isin(task.model.jnt_type[_joints(task.model)], int(mujoco.mjtJoint.mjJNT_SLIDE))
        unit = "N m" if not slides.any() else "N" if slides.all() else "N m, N"
        rows.append(
            Row([Raster(shown, "time / s", most, title, names, (0.0, time[-1]), unit)], 0.9 + 0.17 * len(names))
        )
        spent, work = power(subject), energy(subject)
        whole = len(work) * task.control_period
        told = f"energy: {_si(work[-1], 'J')} in {whole:.3g} s, mean {_si(spent.mean(), 'W')}"
        powers = Lines("time / s", "power / W", [Line(time, spent[:steps], "", TEAL, width=1.0)], "mechanical power")
        rows.append(Row([powers, Lines("time / s", "energy / J", [Line(time, work[:steps], "", ORANGE)], told)], 1.9))
    return rows


def _si(value: float, unit: str) -> str:
    """Return a size in words of its unit: `108 kJ`."""
    return f"{value / 1000:.3g} k{unit}" if value >= 1000 else f"{value:.3g} {unit}"


def _joints(model: mujoco.MjModel) -> np.ndarray:
    """Return the joints that actuators drive."""
    drives = np.isin(model.actuator_trntype, _JOINTS)
    return np.asarray(model.actuator_trnid[drives, 0])


EFFORT = Kind(
    "effort", "joint torques, mechanical power and energy", _rows, lambda one: acts(one) and one.world.model.nu > 0
)
