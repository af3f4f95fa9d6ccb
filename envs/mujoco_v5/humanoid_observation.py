"""The observation and the contact cost that Humanoid-v5 and HumanoidStandup-v5 share."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import mujoco

from evo.envs.engine.compile import njit
from evo.envs.engine.numpy_order import sum_of_squares
from evo.envs.mujoco_v5.construction import build_walker
from evo.envs.mujoco_v5.gait import Gait
from evo.envs.mujoco_v5.shared_kernels import append, observe_state
from evo.envs.task import Task

_GAIT = Gait(2, 4.0, {"right_foot": "right_foot", "left_foot": "left_foot"})


@njit
def observe_humanoid(data: Any, task: Any, obs: Any) -> None:
    """Write positions and velocities, then the optional parts.

    They are: inertia and velocity of each body except the world about the centre of mass, the actuators' forces on all
    joints except the root's, and the external forces on each body except the world.
    """
    at = observe_state(data, obs, task.hidden_positions, math.inf)
    if task.include_cinert_in_observation:
        at = append(obs, at, data.cinert, 10)
    if task.include_cvel_in_observation:
        at = append(obs, at, data.cvel, 6)
    if task.include_qfrc_actuator_in_observation:
        at = append(obs, at, data.qfrc_actuator, 6)
    if task.include_cfrc_ext_in_observation:
        at = append(obs, at, data.cfrc_ext, 6)


@njit
def contact_cost(data: Any, weight: float, bounds: Any) -> float:
    """Return the weighted sum of squares of the external forces on all bodies, within bounds."""
    forces = data.cfrc_ext.reshape(data.cfrc_ext.size)
    return min(max(weight * sum_of_squares(forces), bounds[0]), bounds[1])


def build_humanoid(
    gymnasium_id: str,
    kernels: tuple[Callable[..., None], Callable[..., None], Callable[..., None]],
    options: Mapping[str, Any],
    rendering: Mapping[str, Any],
) -> Task:
    """Call `build_walker` with the numbers that `observe_humanoid` writes. Raises ValueError for an unfit model."""
    included = {name: bool(value) for name, value in options.items() if name.startswith("include_")}

    def extra_size(model: mujoco.MjModel) -> int:
        bodies = model.nbody - 1
        return (
            10 * bodies * included["include_cinert_in_observation"]
            + 6 * bodies * included["include_cvel_in_observation"]
            + (model.nv - 6) * included["include_qfrc_actuator_in_observation"]
            + 6 * bodies * included["include_cfrc_ext_in_observation"]
        )

    def numbers(model: mujoco.MjModel) -> dict[str, float]:
        if model.nv < 7 or model.nu != model.nv - 6:
            raise ValueError(f"xml_file: {gymnasium_id} needs a free root and a motor for each other joint")
        return {"mass": model.body_mass.sum(), "subtree_mass": float(model.body_subtreemass[0])}

    return build_walker(gymnasium_id, kernels, options, rendering, 2, extra_size, numbers, _GAIT)
