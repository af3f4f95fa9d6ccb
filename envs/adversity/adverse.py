"""Adversity options of every task: gravity, mass, friction, strength, sensor noise and delay, pushes, injuries.

Gravity, mass, friction, strength and the time of an injury may be ranges, and an injury one of several: every episode
then draws its own, from its seed alone, so that a creature can be trained for conditions that it cannot observe.
`adverse(task, …)` is a Task like any other.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np
from numba import carray

from evo.envs.adversity.injuries import become, differences, models_with_losses
from evo.envs.engine.compile import njit
from evo.envs.engine.physics import (
    call,
    is_kept_whole,
    load_data,
    mj_reset_data,
    mj_set_const,
    pointer,
    save_data,
    snapshot_size,
)
from evo.envs.engine.random import apart, random, standard_normal, streams, uniform
from evo.envs.engine.structs import address_of
from evo.envs.options import Option, options_of
from evo.envs.task import Task, Wrapped

_Factor = float | tuple[float, float] | None
_FACTORS = ("gravity", "mass", "friction", "strength")
_GRAVITY, _MASS, _FRICTION, _STRENGTH = range(4)


def _options(
    *,
    steps: int | None = None,
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
    struck_at: _Factor = None,
    reward_limit: float | None = None,
) -> None:
    """Options that every task takes besides its own; None changes nothing.

    Args:
        steps: most control steps of an episode, Gymnasium's `max_episode_steps`.
        gravity: factor on gravity, or a range from which every episode draws.
        mass: factor on the mass of every body, or a range from which every episode draws.
        friction: factor on the friction of every surface, or a range from which every episode draws.
        strength: factor on the strength of every motor, or a range from which every episode draws.
        sensor_noise: standard deviation of the noise on observations, in their units.
        sensor_delay: control steps by which observations are late.
        push: speed (m/s) that a horizontal push in a random direction would give to the free body.
        push_interval: seconds between pushes, 2 by default.
        locked: names of joints that are stiff, with commas between them, or | between alternatives of which every
            episode draws one.
        removed: names of bodies that are missing with all their children, with commas between them, or | between
            alternatives of which every episode draws one.
        struck_at: seconds from the beginning of an episode until joints lock and bodies go, or a range from which every
            episode draws, 0 by default.
        reward_limit: most reward of a control step. In training it makes an early, fast fall worth less than a walk.
    """


OPTIONS: Mapping[str, Option] = options_of(_options)
DESCRIPTION: str = _options.__doc__ or ""


def construct(constructor: Callable[..., Task], options: Mapping[str, Any]) -> Task:
    """Return a constructor's task with its own options and those of adversity. Raises what the constructor raises."""
    ours = OPTIONS.keys() - options_of(constructor).keys()  # a constructor's own take precedence
    adversity = {name: value for name, value in options.items() if name in ours and value is not None}
    task = constructor(**{name: value for name, value in options.items() if name not in ours})
    if isinstance(task, Task) and "steps" in adversity:
        steps = adversity.pop("steps")
        task = replace(task, steps=steps, options={**task.options, "steps": steps})
    if not adversity:
        return task
    if not isinstance(task, Task):
        raise TypeError(f"it has no option {next(iter(adversity))!r}: adversity is for compiled tasks")
    return adverse(task, adversity)


def adverse(task: Task, adversity: Mapping[str, Any]) -> Task:
    """Return the task under adversity, by the options above. Raises ValueError naming a wrong one."""
    if task.addresses:
        raise ValueError(f"{task.name} is under adversity already; give all of it at once")
    ranges = np.array([_range(name, adversity.get(name, 1.0)) for name in _FACTORS])
    given: dict[str, float] = {"sensor_noise": 0.0, "sensor_delay": 0, "push": 0.0, "push_interval": 2.0}
    given |= {name: value for name, value in adversity.items() if name in given}
    for name, value in given.items():
        most = 1000 if name == "sensor_delay" else 1e6
        if not 0 <= value <= most:
            raise ValueError(f"{name} must be between 0 and {most:,.0f}, got {value}")
    limit = adversity.get("reward_limit", math.inf)
    if not limit > 0:
        raise ValueError(f"reward_limit must be above 0, got {limit}")
    physical = [name for name in adversity if not name.startswith(("sensor", "reward"))]
    if physical and not task.model.nu:
        others = "sensor_noise, sensor_delay and reward_limit"
        raise ValueError(f"{physical[0]}: {task.name} has no motors in MuJoCo; it takes {others}")
    varied = bool((ranges != 1).any())
    if varied and task.remodel is not None:
        raise ValueError(f"{task.name} changes its model itself: {', '.join(_FACTORS)} cannot be changed besides")

    struck_at = _time_of_loss(task, adversity)
    variants = models_with_losses(task.model, adversity.get("locked", ""), adversity.get("removed", ""))
    changing = "struck_at" in adversity or len(variants) > 1  # else the injury is in the model itself, from the start
    if changing and (task.remodel is not None or not is_kept_whole(task.model)):
        raise ValueError(f"{task.name} changes its model itself, or has plugins: it can lose nothing on the way")
    models = [copy.copy(task.model), *variants] if changing else variants
    places, values = differences(models)
    for model in models:
        mujoco.mj_setConst(model, mujoco.MjData(model))

    constants = np.stack([np.concatenate([np.ravel(part) for part in _scaled_parts(model)]) for model in models])
    base = np.frombuffer(task.record.tobytes(), np.uint8)
    base_size = -(-len(base) // 8) * 8
    history_size = 8 * (int(given["sensor_delay"]) + 1) * task.observation_size
    trailing = base_size + history_size + (snapshot_size(task.model) if changing else 0)
    record = np.zeros(1 + -(-trailing // _HEADER.itemsize), _HEADER)
    head = record[0]
    head["reset"], head["observe"], head["advance"], head["remodel"] = task.kernels
    head["constants"], head["places"], head["values"] = (each.ctypes.data for each in (constants, places, values))
    head["base_size"], head["low"], head["high"], head["factors"] = base_size, ranges[:, 0], ranges[:, 1], 1.0
    head["noise"], head["delay"], head["push"] = given["sensor_noise"], given["sensor_delay"], given["push"]
    head["period"], head["root"] = task.control_period, root_of(models[0]) if task.root is None else task.root
    head["push_steps"] = max(1, round(given["push_interval"] / task.control_period))
    head["history_size"], head["place_count"], head["variants"] = history_size, len(places), len(variants)
    head["struck_at"] = struck_at
    head["limit"] = limit
    record.view(np.uint8)[_HEADER.itemsize : _HEADER.itemsize + len(base)] = base
    return replace(
        task,
        model=models[0],
        reset=reset,
        observe=observe,
        advance=advance,
        remodel=remodel if varied or changing or task.remodel is not None else None,
        record=record,
        addresses=_ADDRESSES,
        wrapped=Wrapped(task, adverse, models, (constants, places, values)),
        options={**task.options, **adversity},
        gymnasium_id=None,
    )


def model_of(task: Task, record: np.ndarray) -> mujoco.MjModel:
    """Return the model in the current state of an episode, given its record: without what it has lost, for rendering.

    (Factors drawn by the episode are not in it.)
    """
    if task.wrapped is None or not record[0]["place_count"]:
        return task.model
    head = record[0]
    return task.wrapped.models[head["variant"] if head["step"] > head["struck"] or not head["struck"] else 0]


def loss(task: Task, seed: int) -> tuple[int, mujoco.MjModel]:
    """Return the control step before which an episode's injury happens, and the model from then on.

    It is 0 and the task's own model where nothing happens during the episode.
    """
    if not task.addresses:
        return 0, task.model
    record = task.record.copy()
    _begin(record[0], streams(np.array([seed]))[0])
    step = int(record[0]["struck"])
    record[0]["step"] = step + 1
    return step, model_of(task, record)


def _time_of_loss(task: Task, adversity: Mapping[str, Any]) -> tuple[float, float]:
    value = adversity.get("struck_at", 0.0)
    low, high = value if isinstance(value, Sequence) else (value, value)
    end = task.steps * task.control_period
    if not (0.0 <= low <= high < math.inf and low < end):
        raise ValueError(
            f"struck_at must be seconds from 0 to {end:g}, where the episode ends, or a range of them as in [2.0, 6.0],"
            f" got {value}"
        )
    if "struck_at" in adversity and not (adversity.get("locked") or adversity.get("removed")):
        raise ValueError("struck_at: nothing is lost then; name joints by locked or limbs by removed")
    return low, high


def _range(name: str, value: float | Sequence[float]) -> tuple[float, float]:
    low, high = value if isinstance(value, Sequence) else (value, value)
    least = {"gravity": -math.inf, "strength": 0.0}.get(name, 1e-3)  # the engine is unstable below
    if not (math.isfinite(low) and least <= low <= high < math.inf):
        bound = "" if name == "gravity" else f" of at least {least:g}"
        raise ValueError(f"{name} must be a factor{bound}, or a range of factors as in [0.5, 2.0], got {value}")
    return low, high


def root_of(model: mujoco.MjModel) -> int:
    """Return the heaviest body that is a child of the world and can move; 0 where there is none."""
    roots = [body for body in range(1, model.nbody) if model.body_parentid[body] == 0 and model.body_dofnum[body]]
    return max(roots, key=lambda body: float(model.body_subtreemass[body]), default=0)


def _scaled_parts(model: mujoco.MjModel) -> list[np.ndarray]:
    """Return the arrays that factors scale, in the order in which `_remodel` reads them."""
    friction = np.ascontiguousarray(model.geom_friction[:, 0])
    parts = [model.opt.gravity, model.body_mass, model.body_inertia, friction]
    return [*parts, model.actuator_gainprm, model.actuator_biasprm, model.actuator_forcerange]


# An episode's record: this header, then the record of the wrapped task, then the last observations, then room for the
# engine's state while its model changes. struck: the control step before which the model becomes `variant`.
_HEADER = np.dtype(
    [(name, np.int64) for name in ("reset", "observe", "advance", "remodel", "constants", "places", "values")]
    + [(name, np.float64, 4) for name in ("low", "high", "factors")]
    + [("struck_at", np.float64, 2), ("stream", np.uint64, 4)]
    + [(name, np.float64) for name in ("noise", "push", "period", "limit")]
    + [(name, np.int64) for name in ("base_size", "delay", "observed", "push_steps", "step", "root")]
    + [(name, np.int64) for name in ("history_size", "place_count", "variants", "variant", "struck")]
)
_ADDRESSES, _SIZE, _STREAM = 7, _HEADER.itemsize, int(_HEADER.fields["stream"][1])  # type: ignore[index]


@njit
def _stream(task: Any) -> Any:
    return carray(pointer(address_of(task) + _STREAM), (4,), np.uint64)


@njit
def _scale(values: Any, constants: Any, at: int, factor: float) -> int:
    """Set values to the constants from `at` on, times the factor; return where these end."""
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
    count, places = 3 + 4 * nbody + ngeom + 22 * nu, task.place_count
    row = task.variant if task.step >= task.struck else 0
    if places:
        values = carray(pointer(task.values + places * row), (places,), np.uint8)
        become(model, carray(pointer(task.places), (places,), np.int64), values)
    constants = carray(pointer(task.constants + 8 * count * row), (count,), np.float64)
    at = _scale(model.opt.gravity, constants, 0, factors[_GRAVITY])
    at = _scale(model.body_mass, constants, at, factors[_MASS])
    at = _scale(model.body_inertia, constants, at, factors[_MASS])
    for geom in range(ngeom):
        model.geom_friction[geom, 0] = factors[_FRICTION] * constants[at + geom]
    at = _scale(model.actuator_gainprm, constants, at + ngeom, factors[_STRENGTH])
    at = _scale(model.actuator_biasprm, constants, at, factors[_STRENGTH])
    _scale(model.actuator_forcerange, constants, at, factors[_STRENGTH])
    if places or task.low[_MASS] != 1.0 or task.high[_MASS] != 1.0:
        mj_set_const(model, data)
        mj_reset_data(model, data)


def remodel(model: Any, data: Any, task: Any) -> None:
    _remodel(model, data, task)


@njit
def _begin(task: Any, rng: Any) -> bool:
    """Draw the episode's adversity; return whether its model changes."""
    stream = _stream(task)
    apart(rng, stream)  # the wrapped task begins as it would without adversity
    changed = task.remodel != 0
    for index in range(4):
        task.factors[index] = uniform(stream, task.low[index], task.high[index])
        changed |= task.low[index] != 1.0 or task.high[index] != 1.0
    if task.place_count:
        task.variant = 1 + int(uniform(stream, 0.0, task.variants))
        task.struck = int(uniform(stream, task.struck_at[0], task.struck_at[1]) / task.period + 0.5)
        changed = True
    return changed


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    if _begin(task, rng):
        _remodel(model, data, task)
    call(task.reset, (model, data, address_of(task) + _SIZE, rng))
    random(rng)  # a later episode of this stream draws other adversity


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
    if task.struck and task.step == task.struck:
        memory = address_of(task) + _SIZE + task.base_size + task.history_size
        save_data(data, memory)
        _remodel(model, data, task)
        load_data(data, memory)
    task.step += 1
    pushed = task.push > 0.0 and task.step % task.push_steps == 0
    if pushed:
        stream = _stream(task)
        x, y = standard_normal(stream), standard_normal(stream)
        force = task.push * model.body_subtreemass[task.root] / task.period / math.sqrt(x * x + y * y)
        data.xfrc_applied[task.root, 0], data.xfrc_applied[task.root, 1] = x * force, y * force
    call(task.advance, (model, data, address_of(task) + _SIZE, action, out))
    out.reward = min(out.reward, task.limit)
    if pushed:
        data.xfrc_applied[task.root, 0] = data.xfrc_applied[task.root, 1] = 0.0
