"""Gait: what the walkers of Gymnasium's measure of an episode, besides their reward.

x, y            where the root has come to, m (y where it can leave the plane)
height          mean height of the torso, m
energy          mean squared control: of each control step, the mean over the actuators
speed           mean forward speed, m/s
right_foot, …   share of control steps that a foot touches something: its duty factor, as in Cully, Clune, Tarapore &
                Mouret 2015, "Robots that can adapt like animals"
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import mujoco
import numpy as np

from evo.envs.engine.numpy_order import sum_of_squares
from evo.envs.engine.structs import contact_geom

_TORSO = 1
_OTHERS = ("height", "energy", "speed")


class Gait(NamedTuple):
    """What is measured of a walker.

    places: how many of the first positions are of where it is: 1 in a plane, 2 in space. top_speed: m/s, more than
    which no good gait needs. feet: the geom of each foot, by the name that it has here.
    """

    places: int
    top_speed: float
    feet: Mapping[str, str] = {}

    def find(self, model: mujoco.MjModel) -> dict[str, int]:
        """Return the ids of the feet that a model has, by name; a model of a user's may have others."""
        ids = {name: mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_GEOM, geom) for name, geom in self.feet.items()}
        return {name: geom for name, geom in ids.items() if geom >= 0}

    def names(self, model: mujoco.MjModel) -> tuple[str, ...]:
        return (*("x", "y")[: self.places], *_OTHERS, *self.find(model))

    def ranges(self, model: mujoco.MjModel, seconds: float) -> dict[str, tuple[float, float]]:
        """Return the least and the greatest of each measure that a map should tell apart, in episodes this long."""
        reach, limits = self.top_speed * seconds, model.actuator_ctrlrange
        height = 2 * abs(float(model.body_pos[_TORSO, 2])) or 1.0  # of a swimmer, which is in the plane z = 0
        effort = float(np.mean(np.square(limits).max(axis=1))) if model.nu else 0.0
        return {
            "x": (-reach / 4, reach),
            "y": (-reach / 2, reach / 2),
            "height": (0.0, height),
            "energy": (0.0, effort or 1.0),
            "speed": (-self.top_speed / 4, self.top_speed),
            **dict.fromkeys(self.find(model), (0.0, 1.0)),
        }

    def numbers(self, model: mujoco.MjModel) -> dict[str, int | Sequence[int]]:
        """Return what `measure` needs of a task's record."""
        return {"places": self.places, "feet": [*self.find(model).values()] or [-1]}  # a record has no empty arrays


def measure(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    for index in range(task.places):
        out[index] = data.qpos[index]
    at = task.places
    out[at] += (data.xpos[_TORSO, 2] - out[at]) / step
    out[at + 1] += (sum_of_squares(data.ctrl) / max(data.ctrl.size, 1) - out[at + 1]) / step
    out[at + 2] = data.qpos[0] / data.time if data.time > 0.0 else 0.0
    for foot in range(out.size - at - 3):
        touches = 0.0
        for contact in range(data.ncon):
            for side in range(2):
                if contact_geom(data, contact, side) == task.feet[foot]:
                    touches = 1.0
        out[at + 3 + foot] += (touches - out[at + 3 + foot]) / step
