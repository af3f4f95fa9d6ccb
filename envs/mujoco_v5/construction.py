"""Construction of the v5 tasks: their model files, checks of options, the Task itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mujoco
from gymnasium.envs.mujoco import mujoco_env
from gymnasium.envs.mujoco.mujoco_env import expand_model_path

from evo.envs.creatures.model_file import ModelFileError, examine
from evo.envs.creatures.urdf import is_urdf
from evo.envs.engine.names import state_names
from evo.envs.mujoco_v5.gait import Gait, measure
from evo.envs.task import Task, record

_ASSETS = (Path(mujoco_env.__file__).parent / "assets").resolve()  # Gymnasium's own model files


def load(xml_file: str) -> mujoco.MjModel:
    """Return the model that Gymnasium's MujocoEnv loads for `xml_file`.

    Raises FileNotFoundError, ValueError (bad MJCF).
    """
    return mujoco.MjModel.from_xml_path(model_path(xml_file))


def model_path(xml_file: str) -> str:
    """Return the path of that model; unless it is Gymnasium's, it is examined as any model file of a user.

    Raises FileNotFoundError, ModelFileError.
    """
    try:
        path = expand_model_path(xml_file)
        if Path(path).resolve().parent != _ASSETS:
            real = examine(path)
            if is_urdf(real):  # the examined text is another: its names are resolved, and parts of it left out
                raise ModelFileError(f"{path} is a URDF; it must be MJCF here")
            return str(real)
    except OSError as error:
        raise FileNotFoundError(f"xml_file: {error}") from error
    except ModelFileError as error:
        raise ModelFileError(f"xml_file: {error}") from error
    return path


def _check_ranges(options: Mapping[str, Any]) -> None:
    if options["frame_skip"] < 1:
        raise ValueError(f"frame_skip must be at least 1, got {options['frame_skip']}")
    if not options.get("reset_noise_scale", 0.0) >= 0:
        raise ValueError(f"reset_noise_scale must not be negative, got {options['reset_noise_scale']}")
    for name, value in options.items():
        if name.endswith("_range") and (len(value) != 2 or not value[0] <= value[1]):
            raise ValueError(f"{name} must be two numbers, the lower first, got {value}")


def find_body(model: mujoco.MjModel, name: int | str, option: str = "xml_file") -> int:
    """Return the id of a body. Raises ValueError naming the option that selected it."""
    try:
        return int(model.body(name).id)
    except (KeyError, IndexError) as error:
        raise ValueError(f"{option}: the model has no body {name!r}; it has {_bodies(model)}") from error


def _bodies(model: mujoco.MjModel) -> str:
    return ", ".join(repr(model.body(index).name) for index in range(model.nbody))


def build(
    gymnasium_id: str,
    kernels: tuple[Callable[..., None], Callable[..., None], Callable[..., None]],
    options: Mapping[str, Any],
    rendering: Mapping[str, Any],
    observation_size: Callable[[mujoco.MjModel], int],
    numbers: Callable[[mujoco.MjModel], Mapping[str, Any]] = lambda model: {},
    steps: int = 1000,
    sizes: Mapping[str, int] | None = None,
    gait: Gait | None = None,
    names: Callable[[mujoco.MjModel], tuple[str, ...]] = lambda model: (),
) -> Task:
    """Return the Task equal to `gymnasium_id` with these constructor options.

    sizes: of the model, required by its kernels, as nq, nv. kernels: reset, observe, advance; the task's record holds
    every option that is a number, and `numbers` of the model. gait: what is measured; None for nothing. names: of the
    observations. Raises FileNotFoundError or ValueError naming a wrong option.
    """
    _check_ranges(options)
    model = load(options["xml_file"])
    for name, size in (sizes or {}).items():
        if getattr(model, name) != size:
            raise ValueError(f"xml_file: {gymnasium_id} needs a model of {name} {size}, not {getattr(model, name)}")
    given = {name: value for name, value in options.items() if not isinstance(value, str)}
    reset, observe, advance = kernels
    return Task(
        name=gymnasium_id,
        gymnasium_id=gymnasium_id,
        model=model,
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**given | dict(numbers(model)) | (gait.numbers(model) if gait else {})),
        observation_size=observation_size(model),
        observation_names=names(model),
        steps=steps,
        frame_skip=options["frame_skip"],
        options=options,
        rendering=rendering,
        measure=measure if gait else None,
        measures=gait.names(model) if gait else (),
        feet=tuple(gait.find(model)) if gait else (),
        ranges=gait.ranges(model, steps * options["frame_skip"] * model.opt.timestep) if gait else {},
    )


def build_walker(
    gymnasium_id: str,
    kernels: tuple[Callable[..., None], Callable[..., None], Callable[..., None]],
    options: Mapping[str, Any],
    rendering: Mapping[str, Any],
    hidden_positions: int,
    extra_size: Callable[[mujoco.MjModel], int] = lambda model: 0,
    numbers: Callable[[mujoco.MjModel], Mapping[str, Any]] = lambda model: {},
    gait: Gait | None = None,
) -> Task:
    """Call `build` for a task that observes positions without the first `hidden_positions`, velocities, and extras."""
    hidden = hidden_positions * bool(options["exclude_current_positions_from_observation"])
    return build(
        gymnasium_id,
        kernels,
        options,
        rendering,
        lambda model: model.nq + model.nv - hidden + extra_size(model),
        lambda model: {"hidden_positions": hidden, **numbers(model)},
        gait=gait,
        names=lambda model: (
            *state_names(model, range(hidden, model.nq)),
            *(f"further {index}" for index in range(extra_size(model))),
        ),
    )
