"""The locomotion task of a creature from a user's MJCF or URDF file."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import mujoco
import numpy as np

from evo.envs.adversity.adverse import root_of
from evo.envs.creatures.extent import creature_root, extent, travel
from evo.envs.creatures.model_file import check_digest, compile_spec, load_spec, without_range
from evo.envs.creatures.rewards import simulate_measured
from evo.envs.creatures.terrains import Terrain, add_terrain
from evo.envs.creatures.urdf import is_urdf
from evo.envs.engine.names import state_names
from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import standard_normal, uniform
from evo.envs.notes import note
from evo.envs.options import Constructor, Option
from evo.envs.task import Task, record

_SECONDS, _PERIOD = 10.0, 0.04  # of an episode; approximate duration of an action
_FREE, _SLIDE = int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_SLIDE)
_MUSCLE, _AFFINE = int(mujoco.mjtDyn.mjDYN_MUSCLE), int(mujoco.mjtBias.mjBIAS_AFFINE)
_HINGE, _INTEGRATOR = int(mujoco.mjtJoint.mjJNT_HINGE), int(mujoco.mjtDyn.mjDYN_INTEGRATOR)
_JOINTS = int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT)
_TENDON = int(mujoco.mjtTrn.mjTRN_TENDON)
_WIDEST = 100.0  # rad, m: limits of a joint beyond these are none
_FARTHEST = 5.0  # m; a slide of this length or less does not count as locomotion
# Values of these options in configurations and champions that are older than the options.
ABSENT: Mapping[str, Any] = {
    "scale_actions": False,
    "keyframe": "none",
    "observe_activations": False,
    "body": "heaviest",
    "joint_ranges": False,
}


class Start(NamedTuple):
    """The initial state of an episode.

    name: of the keyframe, "" for none. ctrl: the keyframe's, None where it has none.
    """

    name: str
    qpos: np.ndarray  # (nq,)
    act: np.ndarray  # (na,)
    ctrl: np.ndarray | None  # (nu,)


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    scale = task.reset_noise_scale
    for index in range(data.qpos.size):
        data.qpos[index] = task.start[index] + uniform(rng, -scale, scale) * task.noisy[index]
    for index in range(data.qvel.size):
        data.qvel[index] = scale * standard_normal(rng)
    for index in range(data.act.size):
        data.act[index] = task.activations[index]
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    count = task.observed.size
    for index in range(count):
        obs[index] = data.qpos[task.observed[index]]
    for index in range(data.qvel.size):
        obs[count + index] = data.qvel[index]
    count += data.qvel.size
    for index in range(obs.size - count):
        obs[count + index] = data.act[index]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    root, before = task.root, data.xpos[task.root, 0]
    for index in range(action.size):
        # the only mapping from actions to controls: 0 is the centre of a control's range, ±1 are its ends
        side = task.above[index] if action[index] > 0.0 else task.below[index]
        data.ctrl[index] = task.centre[index] + side * action[index]
    power = simulate_measured(model, data, data.ctrl, task.frame_skip)
    speed = (data.xpos[root, 0] - before) / (model.opt.timestep * task.frame_skip)
    matrix, up = data.xmat[root], task.up
    upright = matrix[6] * up[0] + matrix[7] * up[1] + matrix[8] * up[2]
    out.reward = task.alive_reward + task.forward_reward_weight * speed - task.power_cost_weight * power / task.weight
    out.terminated = upright < task.least_upright


_OPTIONS: Mapping[str, Any] = {
    "terrain": "flat",
    "terrain_seed": 0,
    "terrain_scale": 1.0,
    "frame_skip": 0,
    "forward_reward_weight": 2.0,
    "alive_reward": 0.5,
    "power_cost_weight": 0.1,
    "least_upright": 0.0,
    "reset_noise_scale": 0.02,
    "scale_actions": True,
    "keyframe": "auto",
    "observe_activations": True,
    "body": "",
    "joint_ranges": True,
    "model_root": "",
    "digest": "",
}


def walking_constructor(path: str) -> Constructor[Task]:
    """Return the constructor of the walking task of a model file."""
    options = {option: Option(type(default), default) for option, default in _OPTIONS.items()}
    return Constructor(partial(_walk, path), options, Task, _walk.__doc__ or "", others=True)


def _walk(path: str, options: dict[str, Any], rendering: dict[str, Any]) -> Task:
    """A creature from a file is rewarded for going forward, less power spent.

    Observation: qpos, without the root's position along x and y, then qvel, then the activations of muscles and
    filters (observe_activations). Action: -1 to 1 of each control's range; without scale_actions, the controls
    themselves. Where the model sets no range it is 0 to 1 for a muscle, the joint's for a position servo, or ±1
    around its initial target where the joint has none (joint_ranges), and else ±1. keyframe: where episodes begin,
    and the targets of position servos at action 0: by name; "auto": `home`, else `stand`, else the first, if there
    is one; "none": the model's initial posture. body: the root; "": of the heaviest tree that actuators move,
    "heaviest": of the heaviest that moves. Reward: alive_reward + forward_reward_weight × speed of the root body
    along x (m/s) - power_cost_weight × power / weight (m/s). The episode ends after 10 s, or when the root body
    leans so far from its initial posture that the cosine is below `least_upright`; -1 lets it tumble. frame_skip:
    time steps in a control step; 0 makes it last about 0.04 s. model_root: the folder in which the files that it
    names must lie, as in `evo.envs.creatures.model_file.load_spec`. digest: of the model, by
    `evo.envs.creatures.model_file.digest_of`; a model with another digest is refused, so that a run is never
    resumed with another body.
    """
    model_root, frame_skip, scale_actions = (options[name] for name in ("model_root", "frame_skip", "scale_actions"))
    options["digest"] = check_digest(path, options["digest"], model_root)
    model = _model(path, model_root, Terrain(options["terrain"], options["terrain_seed"], options["terrain_scale"]))
    root, start = _root(model, options["body"]), _start(model, options["keyframe"])
    if options["joint_ranges"]:
        _reach(model, start, without_range(path, model_root))
    low, high = _ranges(model)
    centre = _centre(model, start, low, high) if scale_actions else np.zeros(model.nu)
    if said := _note(model, start, low, high, scale_actions):
        note(f"{Path(path).name}: {said}")
    if not 0 <= frame_skip <= 10_000:
        raise ValueError(f"frame_skip must be between 0 and 10,000, got {frame_skip}")
    skip = frame_skip or max(1, round(_PERIOD / model.opt.timestep))
    if not 0 <= options["reset_noise_scale"] < math.inf:
        raise ValueError(f"reset_noise_scale must not be negative, got {options['reset_noise_scale']}")
    activations = range(model.na if options["observe_activations"] else 0)
    observed = (
        *state_names(model, _observed_positions(model, root)),
        *(f"activation {index}" for index in activations),
    )
    return Task(
        name=Path(path).name,
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=_record(
            model,
            root,
            start,
            options | {"frame_skip": skip},
            centre=[*centre, 0.0],  # a record has no empty arrays
            below=[*((centre - low) if scale_actions else np.ones(model.nu)), 0.0],
            above=[*((high - centre) if scale_actions else np.ones(model.nu)), 0.0],
        ),
        observation_size=len(observed),
        observation_names=observed,
        steps=max(1, round(_SECONDS / (model.opt.timestep * skip))),
        frame_skip=skip,
        action_low=-np.ones(model.nu) if scale_actions else low,
        action_high=np.ones(model.nu) if scale_actions else high,
        options=options,
        rendering=rendering,
        root=root,
    )


def _root(model: mujoco.MjModel, body: str) -> int:
    """Return the body whose speed along x is rewarded.

    Raises ValueError where there is none, or it cannot move along x.
    """
    if body == "heaviest":
        return root_of(model)
    if body:
        root = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, body)
        if root < 0:
            names = [model.body(index).name for index in range(1, model.nbody)]
            raise ValueError(f"body={body!r}: the model has {', '.join(filter(None, names[:20])) or 'no named bodies'}")
    else:
        root = creature_root(model)
    carriers = [root]
    while carriers[-1]:
        carriers.append(int(model.body_parentid[carriers[-1]]))
    if (far := max(travel(model, carrier) for carrier in carriers)) <= _FARTHEST:
        name = model.body(root).name or f"number {root}"
        able = f"can go {far:.3g} m along x at most" if far else "cannot go along x"
        raise ValueError(
            f"what its actuators move, body {name!r}, {able}, and the reward of a model file is speed along x: give it "
            "a <freejoint/>, or write its own task, as in `def swing_up(...) -> Task` (see examples/own_task.py)"
        )
    return root


def _start(model: mujoco.MjModel, keyframe: str) -> Start:
    """Return the initial state of episodes. Raises ValueError for a keyframe that does not exist."""
    names = [model.key(index).name for index in range(model.nkey)]
    if keyframe in ("", "none") or (keyframe == "auto" and not names):
        return Start("", np.array(model.qpos0), np.zeros(model.na), None)
    lower = [name.lower() for name in names]
    chosen = next((lower.index(name) for name in ("home", "stand") if name in lower), 0)
    if keyframe != "auto":
        if keyframe not in names:
            raise ValueError(f"keyframe={keyframe!r}: the model has {', '.join(map(repr, names)) or 'none'}")
        chosen = names.index(keyframe)
    ctrl, act = np.array(model.key_ctrl[chosen]), np.array(model.key_act[chosen])
    qpos = np.array(model.key_qpos[chosen])
    if not all(np.isfinite(numbers).all() for numbers in (ctrl, act, qpos)):
        raise ValueError(f"keyframe {names[chosen]!r} has numbers that are not finite; try task.keyframe=none")
    if not act.any():  # a servo that filters or integrates its target begins where the joint is
        held = _lengths(model, qpos)
        for actuator in np.flatnonzero(_servos(model) & (model.actuator_actadr >= 0)):
            act[model.actuator_actadr[actuator] + model.actuator_actnum[actuator] - 1] = held[actuator]
    return Start(names[chosen] or f"number {chosen}", qpos, act, ctrl if ctrl.any() else None)


def _servos(model: mujoco.MjModel) -> np.ndarray:
    """Return whether each actuator is a position servo, a spring from its joint or tendon to its target: bool (nu,)."""
    gain, bias = model.actuator_gainprm[:, 0], model.actuator_biasprm[:, 1]
    return np.asarray((model.actuator_biastype == _AFFINE) & (gain > 0) & np.isclose(gain, -bias))


def _lengths(model: mujoco.MjModel, qpos: np.ndarray) -> np.ndarray:
    """Return the actuators' lengths in a posture, in the unit of a servo's target: (nu,)."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_fwdPosition(model, data)
    return np.array(data.actuator_length)


def _ranges(model: mujoco.MjModel) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper bounds of the controls, (nu,) each."""
    low, high = (model.actuator_ctrlrange[:, side].astype(np.float32).astype(np.float64) for side in (0, 1))
    muscle = model.actuator_dyntype == _MUSCLE  # MuJoCo clips the excitation of muscles to this range
    return np.where(muscle, np.maximum(low, 0.0), low), np.where(muscle, np.minimum(high, 1.0), high)


def _reach(model: mujoco.MjModel, start: Start, unlimited: Sequence[int]) -> None:
    """Set the control range of position servos among these actuators to that of their joint or tendon.

    It is extended to the initial target; without limits it is ±1 around that.
    """
    held = _holding_controls(model, start, np.zeros(model.nu))
    for actuator in unlimited:
        if _targets(model)[actuator]:
            reached = _limits(model, actuator)
            low, high = (held[actuator] - 1.0, held[actuator] + 1.0) if reached is None else reached
            model.actuator_ctrlrange[actuator] = min(low, held[actuator]), max(high, held[actuator])


def _limits(model: mujoco.MjModel, actuator: int) -> tuple[float, float] | None:
    """Return the range of a servo's targets that its joint or tendon can reach; None where nothing limits it."""
    moved, kind = int(model.actuator_trnid[actuator, 0]), model.actuator_trntype[actuator]
    if kind in _JOINTS and model.jnt_type[moved] in (_HINGE, _SLIDE) and model.jnt_limited[moved]:
        ends = model.jnt_range[moved]
    elif kind == _TENDON and model.tendon_limited[moved]:
        ends = model.tendon_range[moved]
    else:
        return None
    if not np.abs(ends).max() <= _WIDEST:
        return None
    low, high = sorted(float(model.actuator_gear[actuator, 0] * end) for end in ends)
    return low, high


def _targets(model: mujoco.MjModel) -> np.ndarray:
    """Return whether each control is a servo's target, not the rate of change of one: bool (nu,)."""
    return np.asarray(_servos(model) & (model.actuator_dyntype != _INTEGRATOR))


def _holding_controls(model: mujoco.MjModel, start: Start, otherwise: np.ndarray) -> np.ndarray:
    """Return the keyframe's controls (nu,), or without them its posture as targets of position servos."""
    if start.ctrl is not None:
        return start.ctrl
    return np.where(_targets(model), _lengths(model, start.qpos), otherwise) if start.name else otherwise


def _centre(model: mujoco.MjModel, start: Start, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the controls at action 0, (nu,): the initial targets, else the middle of the control's range."""
    return np.clip(_holding_controls(model, start, 0.5 * (low + high)), low, high)


def _note(model: mujoco.MjModel, start: Start, low: np.ndarray, high: np.ndarray, scaled: bool) -> str:
    """Return a note for the user on actions and the beginning; "" where nothing is unexpected."""
    parts = []
    if scaled and (start.name or (low != -1).any() or (high != 1).any()):
        parts.append("actions are -1 to 1 of each control's range (task.scale_actions=false: the controls themselves)")
    if start.name:
        held = ", which position servos hold at action 0" if scaled and _servos(model).any() else ""
        parts.append(f"episodes begin at keyframe {start.name!r}{held} (task.keyframe=none: they do not)")
    return "; ".join(parts)


def _model(path: str, model_root: str, terrain: Terrain) -> mujoco.MjModel:
    spec = load_spec(path, model_root)
    if terrain.kind != "flat":
        for geom in list(spec.worldbody.geoms):
            if geom.type in (mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_HFIELD):
                spec.delete(geom)
        add_terrain(spec, terrain, for_all=True)
    model = compile_spec(spec)
    if is_urdf(Path(path).resolve()):
        _put_on_the_ground(model)
    return model


def _put_on_the_ground(model: mujoco.MjModel) -> None:
    """Move a model whose root is free so that its lowest point is at height 0, which a URDF leaves open."""
    lowest, _ = extent(model, 2, touching=True)
    root = root_of(model)
    joint = int(model.body_jntadr[root])
    if not math.isnan(lowest) and model.jnt_type[joint] == _FREE:
        model.body_pos[root, 2] -= lowest
        model.qpos0[model.jnt_qposadr[joint] + 2] -= lowest
        mujoco.mj_setConst(model, mujoco.MjData(model))


def _observed_positions(model: mujoco.MjModel, root: int) -> Sequence[int]:
    """Return the indices of qpos without those of the root's position along x and y."""
    hidden: list[int] = []
    body = root
    while body:
        for joint in range(model.body_jntadr[body], model.body_jntadr[body] + model.body_jntnum[body]):
            place = int(model.jnt_qposadr[joint])
            if model.jnt_type[joint] == _FREE:
                hidden += [place, place + 1]
            elif model.jnt_type[joint] == _SLIDE and abs(model.jnt_axis[joint, 2]) < 0.5:
                hidden.append(place)
        body = int(model.body_parentid[body])
    return [place for place in range(model.nq) if place not in hidden]


def _record(
    model: mujoco.MjModel, root: int, start: Start, options: dict[str, Any], **controls: Sequence[float]
) -> np.ndarray:
    noisy = np.ones(model.nq)
    for joint in np.flatnonzero(model.jnt_type == _FREE):
        noisy[model.jnt_qposadr[joint] : model.jnt_qposadr[joint] + 7] = 0.0
    data = mujoco.MjData(model)
    data.qpos[:] = start.qpos
    mujoco.mj_kinematics(model, data)
    apart = ("terrain", "digest", "scale_actions", "keyframe", "observe", "body", "joint_ranges", "model_root")
    numbers = {name: value for name, value in options.items() if not name.startswith(apart)}
    return record(
        root=root,
        up=data.xmat[root].reshape(3, 3)[2],
        weight=9.81 * float(model.body_subtreemass[root]),
        observed=_observed_positions(model, root),
        noisy=noisy,
        start=start.qpos,
        activations=[*start.act, 0.0],
        **controls,
        **numbers,
    )
