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
    if unlike := [one for one in subjects if [one.world.model.joint(j).name for j in joints_of(one.world.model)] != [model.joint(j).name for j in joints]]:
        raise EvoError(f"phase portraits are of one body: {unlike[0].world.name} has other joints than {subjects[0].world.name}")
    charts = []
    for joint in joints[:_MOST]:
        turns = model.jnt_type[joint] == _HINGE
        at, rate = model.jnt_qposadr[joint], model.jnt_dofadr[joint]
        lines = [Line(one.episode.qpos[:, at], one.episode.qvel[:, rate], "", one.colour) for one in subjects]
        across, up = ("rad", "rad/s") if turns else ("m", "m/s")
        name = model.joint(joint).name or f"joint {joint}"
        charts.append(Lines(across, up, lines, name.replace("_", " ")))
    return in_rows(charts, COLUMNS, 1.75)


PHASE = Kind("phase", "phase portraits: each joint's angle against its velocity", _rows, acts)
