"""Adversity: hard times as options of any task. What was easy becomes heavy, slippery, weak, numb, lame or stormy.

Gravity, mass, friction and strength may be ranges: every episode then draws its own, from its seed alone, so that a
creature can be trained for what it will not be told. `adverse(task, …)` is a Task like any other.
"""

import copy
import inspect
import math
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
from numba import carray

from envs.kernels import njit
from envs.physics import call, mj_reset_data, mj_set_const, pointer
from envs.random import apart, random, standard_normal, uniform
from envs.structs import address_of
from envs.task import Task

_Factor = float | tuple[float, float] | None
_FACTORS = ("gravity", "mass", "friction", "strength")
_GRAVITY, _MASS, _FRICTION, _STRENGTH = range(4)
_RUST = 1e4, 5e5  # inertia and damping of a locked joint, kg·m² and N·m·s: no motor moves it, and no solver is asked
_GHOST = 1e-3  # what is left of the mass of a limb that was removed


def _options(
    *,
    gravity: _Factor = None,
    mass: _Factor = None,
    friction: _Factor = None,
    strength: _Factor = None,
    sensor_noise: float | None = None,
    sensor_delay: int | None = None,
    push: float | None = None,
    push_interval: float | None = None,
    locked: str | None = None,
    removed: str | None = None,
) -> None:
    """What every task takes besides its own options; None leaves the world as it is.

    gravity, mass, friction, strength: factors on gravity, on every body's mass, on every surface's friction and on
    every motor's strength; or a range of each, from which every episode draws. sensor_noise: standard deviation, in the
    observation's own units. sensor_delay: control steps. push: the body is pushed level in a random direction, which
    alone would give it this speed (m/s); push_interval: every so many seconds, 2 by default. locked: joints that are
    stiff, removed: bodies that are gone with all that hangs on them; names, separated by commas.
    """


OPTIONS: Mapping[str, inspect.Parameter] = inspect.signature(_options).parameters
OPTION_TYPES: Mapping[str, Any] = {name: typing.get_type_hints(_options)[name] for name in OPTIONS}


def construct(constructor: Callable[..., Task], options: Mapping[str, Any]) -> Task:
    """A constructor's task under its own options and those of adversity. Raises what the constructor raises."""
    ours = OPTIONS.keys() - inspect.signature(constructor).parameters.keys()  # a constructor's own names are its own
    adversity = {name: value for name, value in options.items() if name in ours and value is not None}
    task = constructor(**{name: value for name, value in options.items() if name not in ours})
    if not adversity:
        return task
    if not isinstance(task, Task):
        raise TypeError(f"it has no option {next(iter(adversity))!r}: adversity is for compiled tasks")
    return adverse(task, adversity)


def adverse(task: Task, adversity: Mapping[str, Any]) -> Task:
    """The task under adversity, by the options above. Raises ValueError naming one that is wrong."""
    if task.addresses:
        raise ValueError(f"{task.name} is under adversity already; give all of it at once")
    ranges = np.array([_range(name, adversity.get(name, 1.0)) for name in _FACTORS])
    given: dict[str, float] = {"sensor_noise": 0.0, "sensor_delay": 0, "push": 0.0, "push_interval": 2.0}
    given |= {name: value for name, value in adversity.items() if name in given}
    for name, value in given.items():
        most = 1000 if name == "sensor_delay" else 1e6
        if not 0 <= value <= most:
            raise ValueError(f"{name} must be between 0 and {most:,.0f}, got {value}")
    physical = [name for name in adversity if not name.startswith("sensor")]
    if physical and not task.model.nu:
        raise ValueError(f"{physical[0]}: {task.name} has no motors in MuJoCo; it takes sensor_noise and sensor_delay")
    varied = bool((ranges != 1).any())
    if varied and task.remodel is not None:
        raise ValueError(f"{task.name} changes its model itself: {', '.join(_FACTORS)} cannot be changed besides")

    model = copy.copy(task.model)
    for name in _names(adversity.get("locked", "")):
        _lock(model, name)
    for name in _names(adversity.get("removed", "")):
        _remove(model, name)
    mujoco.mj_setConst(model, mujoco.MjData(model))

    constants = np.concatenate([np.ravel(part) for part in _scaled_parts(model)])
    base = np.frombuffer(task.record.tobytes(), np.uint8)
    base_size = -(-len(base) // 8) * 8
    trailing = base_size + 8 * (int(given["sensor_delay"]) + 1) * task.observation_size
    record = np.zeros(1 + -(-trailing // _HEADER.itemsize), _HEADER)
    head = record[0]
    head["reset"], head["observe"], head["advance"], head["remodel"] = task.kernels
    head["constants"] = constants.ctypes.data
    head["base_size"], head["low"], head["high"], head["factors"] = base_size, ranges[:, 0], ranges[:, 1], 1.0
    head["noise"], head["delay"], head["push"] = given["sensor_noise"], given["sensor_delay"], given["push"]
    head["period"], head["root"] = task.control_period, root_of(model)
    head["push_steps"] = max(1, round(given["push_interval"] / task.control_period))
    record.view(np.uint8)[_HEADER.itemsize : _HEADER.itemsize + len(base)] = base
    return replace(
        task,
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        remodel=remodel if varied or task.remodel is not None else None,
        record=record,
        addresses=_ADDRESSES,
        kept=(task, constants),
        options={**task.options, **adversity},
        gymnasium_id=None,
    )


def _range(name: str, value: float | Sequence[float]) -> tuple[float, float]:
    low, high = value if isinstance(value, Sequence) else (value, value)
    least = {"gravity": -math.inf, "strength": 0.0}.get(name, 1e-3)  # the engine is unstable below
    if not (math.isfinite(low) and least <= low <= high < math.inf):
        bound = "" if name == "gravity" else f" of at least {least:g}"
        raise ValueError(f"{name} must be a factor{bound}, or a range of factors as in [0.5, 2.0], got {value}")
    return low, high


def root_of(model: mujoco.MjModel) -> int:
    """The heaviest body that hangs on the world and can move; 0 where none can."""
    roots = [body for body in range(1, model.nbody) if model.body_parentid[body] == 0 and model.body_dofnum[body]]
    return max(roots, key=lambda body: float(model.body_subtreemass[body]), default=0)


def _names(text: str) -> Iterator[str]:
    return (name.strip() for name in text.split(",") if name.strip())


def _lock(model: mujoco.MjModel, name: str) -> None:
    joint = _found(model, "locked", "joint", name, model.njnt)
    stiff = model.dof_jntid == joint
    model.dof_armature[stiff], model.dof_damping[stiff] = _RUST


def _remove(model: mujoco.MjModel, name: str) -> None:
    """Parts that weigh next to nothing, touch nothing, pull at nothing and are not seen; the sizes stay."""
    body = _found(model, "removed", "body", name, model.nbody)
    if model.body_parentid[body] == 0:
        raise ValueError(f"removed: {name!r} is a whole creature; name one of its limbs")
    gone = np.zeros(model.nbody, bool)
    gone[body] = True
    for other in range(body + 1, model.nbody):  # parents come before children
        gone[other] |= gone[model.body_parentid[other]]
    model.body_mass[gone] *= _GHOST
    model.body_inertia[gone] *= _GHOST
    geoms = gone[model.geom_bodyid]
    model.geom_contype[geoms] = model.geom_conaffinity[geoms] = 0
    model.geom_matid[geoms], model.geom_rgba[geoms, 3] = -1, 0.0
    for pair in range(model.npair):
        if geoms[model.pair_geom1[pair]] or geoms[model.pair_geom2[pair]]:
            model.pair_margin[pair] = -1e9  # never near enough
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    for actuator in range(model.nu):  # whatever it pulls by, joints or tendons
        first = data.moment_rowadr[actuator]
        dofs = data.moment_colind[first : first + data.moment_rownnz[actuator]]
        if gone[model.dof_bodyid[dofs]].any():
            model.actuator_gainprm[actuator] = model.actuator_biasprm[actuator] = 0.0


def _found(model: mujoco.MjModel, option: str, kind: str, name: str, count: int) -> int:
    try:
        return int(getattr(model, kind)(name).id)
    except KeyError:
        names = [getattr(model, kind)(index).name for index in range(count)]
        raise ValueError(f"{option}: no {kind} {name!r}; there are {', '.join(filter(None, names))}") from None


def _scaled_parts(model: mujoco.MjModel) -> list[np.ndarray]:
    """The numbers that factors change, in the order in which `_remodel` reads them."""
    friction = np.ascontiguousarray(model.geom_friction[:, 0])
    parts = [model.opt.gravity, model.body_mass, model.body_inertia, friction]
    return [*parts, model.actuator_gainprm, model.actuator_biasprm, model.actuator_forcerange]


# What an episode remembers: this, then the record of the task beneath, then the last observations.
_HEADER = np.dtype(
    [(name, np.int64) for name in ("reset", "observe", "advance", "remodel", "constants")]
    + [(name, np.float64, 4) for name in ("low", "high", "factors")]
    + [("stream", np.uint64, 4)]
    + [(name, np.float64) for name in ("noise", "push", "period")]
    + [(name, np.int64) for name in ("base_size", "delay", "observed", "push_steps", "step", "root")]
)
_ADDRESSES, _SIZE, _STREAM = 5, _HEADER.itemsize, int(_HEADER.fields["stream"][1])  # type: ignore[index]


@njit
def _stream(task: Any) -> Any:
    return carray(pointer(address_of(task) + _STREAM), (4,), np.uint64)


@njit
def _scale(values: Any, constants: Any, at: int, factor: float) -> int:
    """values = constants from `at` on, times the factor; returns where they end."""
    flat = values.reshape(values.size)
    for index in range(flat.size):
        flat[index] = factor * constants[at + index]
    return at + flat.size


@njit
def _remodel(model: Any, data: Any, task: Any) -> None:
    base, factors = address_of(task) + _SIZE, task.factors
    if task.remodel:
        call(task.remodel, (model, data, base))
        return
    nbody, ngeom, nu = model.body_mass.size, model.geom_friction.shape[0], model.actuator_gainprm.shape[0]
    count = 3 + 4 * nbody + ngeom + 22 * nu
    constants = carray(pointer(task.constants), (count,), np.float64)
    at = _scale(model.opt.gravity, constants, 0, factors[_GRAVITY])
    at = _scale(model.body_mass, constants, at, factors[_MASS])
    at = _scale(model.body_inertia, constants, at, factors[_MASS])
    for geom in range(ngeom):
        model.geom_friction[geom, 0] = factors[_FRICTION] * constants[at + geom]
    at = _scale(model.actuator_gainprm, constants, at + ngeom, factors[_STRENGTH])
    at = _scale(model.actuator_biasprm, constants, at, factors[_STRENGTH])
    _scale(model.actuator_forcerange, constants, at, factors[_STRENGTH])
    if task.low[_MASS] != 1.0 or task.high[_MASS] != 1.0:
        mj_set_const(model, data)
        mj_reset_data(model, data)


def remodel(model: Any, data: Any, task: Any) -> None:
    _remodel(model, data, task)


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    stream = _stream(task)
    apart(rng, stream)  # the task beneath begins as it would without adversity
    changed = task.remodel != 0
    for index in range(4):
        task.factors[index] = uniform(stream, task.low[index], task.high[index])
        changed |= task.low[index] != 1.0 or task.high[index] != 1.0
    if changed:
        _remodel(model, data, task)
    call(task.reset, (model, data, address_of(task) + _SIZE, rng))
    random(rng)  # whoever goes on with this stream meets other adversity


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    base = address_of(task) + _SIZE
    call(task.observe, (model, data, base, obs))
    if task.delay:
        rows = task.delay + 1
        history = carray(pointer(base + task.base_size), (rows, obs.size), np.float64)
        if task.observed == 0:
            for row in range(rows):
                history[row] = obs
        history[task.observed % rows] = obs
        task.observed += 1
        obs[:] = history[task.observed % rows]  # the oldest
    if task.noise > 0.0:
        stream = _stream(task)
        for index in range(obs.size):
            obs[index] += task.noise * standard_normal(stream)


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    task.step += 1
    pushed = task.push > 0.0 and task.step % task.push_steps == 0
    if pushed:
        stream = _stream(task)
        x, y = standard_normal(stream), standard_normal(stream)
        force = task.push * model.body_subtreemass[task.root] / task.period / math.sqrt(x * x + y * y)
        data.xfrc_applied[task.root, 0], data.xfrc_applied[task.root, 1] = x * force, y * force
    call(task.advance, (model, data, address_of(task) + _SIZE, action, out))
    if pushed:
        data.xfrc_applied[task.root, 0] = data.xfrc_applied[task.root, 1] = 0.0
