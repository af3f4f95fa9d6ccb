"""A creature that a user brings, as an MJCF or URDF file, and the walking task it gets."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from evo.envs.adversity import root_of
from evo.envs.creatures.terrains import Terrain, add_terrain
from evo.envs.extent import extent
from evo.envs.model_file import check_digest, compiled, load_spec
from evo.envs.physics import mj_forward
from evo.envs.random import standard_normal, uniform
from evo.envs.rewards import simulate_measured
from evo.envs.task import Task, record

_SECONDS, _PERIOD = 10.0, 0.04  # of an episode; about as long an action lasts
_FREE, _SLIDE = int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_SLIDE)


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    scale = task.reset_noise_scale
    for index in range(data.qpos.size):
        data.qpos[index] = model.qpos0[index] + uniform(rng, -scale, scale) * task.noisy[index]
    for index in range(data.qvel.size):
        data.qvel[index] = scale * standard_normal(rng)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    count = task.observed.size
    for index in range(count):
        obs[index] = data.qpos[task.observed[index]]
    for index in range(data.qvel.size):
        obs[count + index] = data.qvel[index]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    root, before = task.root, data.xpos[task.root, 0]
    power = simulate_measured(model, data, action, task.frame_skip)
    speed = (data.xpos[root, 0] - before) / (model.opt.timestep * task.frame_skip)
    matrix, up = data.xmat[root], task.up
    upright = matrix[6] * up[0] + matrix[7] * up[1] + matrix[8] * up[2]
    out.reward = task.alive_reward + task.forward_reward_weight * speed - task.power_cost_weight * power / task.weight
    out.terminated = upright < task.least_upright


def brought(path: str) -> Callable[..., Task]:
    """The constructor of the walking task of a model file."""

    def constructor(
        *,
        terrain: str = "flat",
        terrain_seed: int = 0,
        terrain_scale: float = 1.0,
        frame_skip: int = 0,
        forward_reward_weight: float = 2.0,
        alive_reward: float = 0.5,
        power_cost_weight: float = 0.1,
        least_upright: float = 0.0,
        reset_noise_scale: float = 0.02,
        digest: str = "",
        **rendering: Any,
    ) -> Task:
        """A creature from a file is rewarded for going forward, less power spent.

        Observation: qpos, but for how far the root has come along x and y, then qvel. Action: the model's controls
        within their ranges, ±1 where it sets none. Reward: alive_reward + forward_reward_weight × speed of the root
        body along x (m/s) - power_cost_weight × power / weight (m/s). The episode ends after 10 s, or when the root
        body leans so far from its initial posture that the cosine is below `least_upright`; -1 lets it tumble.
        frame_skip: time steps in a control step; 0 makes it last about 0.04 s. digest: of the model, as
        `evo.envs.model_file.digest_of` makes it; another is refused, so that a run never goes on with another body.
        """
        options = {name: value for name, value in locals().items() if name not in ("rendering", "path")}
        options["digest"] = check_digest(path, digest)
        model = _model(path, Terrain(terrain, terrain_seed, terrain_scale))
        if not 0 <= frame_skip <= 10_000:
            raise ValueError(f"frame_skip must be between 0 and 10,000, got {frame_skip}")
        skip = frame_skip or max(1, round(_PERIOD / model.opt.timestep))
        if not 0 <= reset_noise_scale < math.inf:
            raise ValueError(f"reset_noise_scale must not be negative, got {reset_noise_scale}")
        return Task(
            name=Path(path).name,
            model=model,
            reset=reset,
            observe=observe,
            advance=advance,
            record=_record(model, options | {"frame_skip": skip}),
            observation_size=len(_observed(model)) + model.nv,
            steps=max(1, round(_SECONDS / (model.opt.timestep * skip))),
            frame_skip=skip,
            options=options,
            rendering=rendering,
        )

    return constructor


def _model(path: str, terrain: Terrain) -> mujoco.MjModel:
    spec = load_spec(path)
    if terrain.kind != "flat":
        for geom in list(spec.worldbody.geoms):
            if geom.type in (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD):
                spec.delete(geom)
        add_terrain(spec, terrain, for_all=True)
    model = compiled(spec)
    if path.lower().endswith(".urdf"):
        _put_on_the_ground(model)
    return model


def _put_on_the_ground(model: mujoco.MjModel) -> None:
    """A URDF says nothing of height: its lowest point is put at 0."""
    lowest, _ = extent(model, 2, touching=True)
    root = root_of(model)
    joint = int(model.body_jntadr[root])
    if not math.isnan(lowest) and model.jnt_type[joint] == _FREE:
        model.body_pos[root, 2] -= lowest
        model.qpos0[model.jnt_qposadr[joint] + 2] -= lowest
        mujoco.mj_setConst(model, mujoco.MjData(model))


def _observed(model: mujoco.MjModel) -> Sequence[int]:
    """Places in qpos, without those that say how far the root has come along x and y."""
    hidden: list[int] = []
    root = root_of(model)
    for joint in range(model.body_jntadr[root], model.body_jntadr[root] + model.body_jntnum[root]):
        place = int(model.jnt_qposadr[joint])
        if model.jnt_type[joint] == _FREE:
            hidden += [place, place + 1]
        elif model.jnt_type[joint] == _SLIDE and abs(model.jnt_axis[joint, 2]) < 0.5:
            hidden.append(place)
    return [place for place in range(model.nq) if place not in hidden]


def _record(model: mujoco.MjModel, options: dict[str, Any]) -> np.ndarray:
    root, noisy = root_of(model), np.ones(model.nq)
    for joint in np.flatnonzero(model.jnt_type == _FREE):
        noisy[model.jnt_qposadr[joint] : model.jnt_qposadr[joint] + 7] = 0.0
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    numbers = {name: value for name, value in options.items() if not name.startswith(("terrain", "digest"))}
    return record(
        root=root,
        up=data.xmat[root].reshape(3, 3)[2],
        weight=9.81 * float(model.body_subtreemass[root]),
        observed=_observed(model),
        noisy=noisy,
        **numbers,
    )
