"""Phase portraits: the angle of each joint against its velocity; a steady gait is a closed loop."""

from collections.abc import Sequence

import mujoco
import numpy as np

from evo.errors import EvoError
from evo.runs.plots.kind import Kind, acts
from evo.runs.plots.subject import Subject
from evo.visualize.charts import COLUMNS, Line, Lines, Row
from evo.visualize.curves import in_rows

_HINGE, _SLIDE = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtJoint.mjJNT_SLIDE)
_MOST = 16  # joints


def joints_of(model: mujoco.MjModel) -> list[int]:
    """Return the joints of one degree of freedom, those that actuators drive where there are such."""
    single = [joint for joint in range(model.njnt) if model.jnt_type[joint] in (_HINGE, _SLIDE)]
    moved = np.isin(model.actuator_trntype, (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT)))
    driven = set(model.actuator_trnid[moved, 0].tolist())
    return [joint for joint in single if joint in driven] or single


def _rows(subjects: Sequence[Subject], seconds: float) -> list[Row]:
    model = subjects[0].world.model
    joints = joints_of(model)
    if not joints:
        raise EvoError(f"{subjects[0].world.name} has no joints that turn or slide")
    for subject in subjects[1:]:
        if _named(subject.world.model) != _named(model):
            here, there = subjects[0].world.name, subject.world.name
            raise EvoError(f"phase portraits are of one body: {there} has other joints than {here}")
    charts = []
    for joint, name in list(zip(joints, _named(model), strict=True))[:_MOST]:
        at, rate = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
        lines = [Line(*_state(subject, at, rate, seconds), "", subject.colour, width=0.6) for subject in subjects]
        across, up = ("rad", "rad/s") if model.jnt_type[joint] == _HINGE else ("m", "m/s")
        charts.append(Lines(across, up, lines, name))
    columns = -(-len(charts) // -(-len(charts) // COLUMNS))  # as even rows as there can be
    return in_rows(charts, columns, 1.8)


def _named(model: mujoco.MjModel) -> list[str]:
    return [(model.joint(joint).name or f"joint {joint}").replace("_", " ") for joint in joints_of(model)]


def _state(subject: Subject, at: int, rate: int, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Return position and velocity of a joint in the last `seconds` of an episode, when a gait has settled."""
    states = slice(-subject.steps(seconds), None)
    return subject.episode.qpos[states, at], subject.episode.qvel[states, rate]


PHASE = Kind("phase", "phase portraits: each joint's angle against its velocity, in the last seconds", _rows, acts)
