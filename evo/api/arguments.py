"""Arguments of the public functions: tasks, networks and methods by name or as objects."""

import contextlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import gymnasium
import mujoco
import numpy as np
from gymnasium.envs.registration import EnvSpec

from evo.algorithms import ALGORITHMS
from evo.config.build import make_dataset, make_network, make_task
from evo.config.task_names import task_name
from evo.config.task_spec import TaskSource
from evo.datasets import DATASETS, Dataset
from evo.envs.gymnasium_bridge import gymnasium_task
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.reference import load, trust
from evo.envs.task import Task
from evo.errors import EvoError, one_line
from evo.evaluation.evaluator import AnyTask
from evo.networks import Layer, Network, Sequential
from evo.storage.files import make_folder

# includes Gymnasium environments and specs, whose types are not named here
TaskLike = AnyTask | str | Path | Callable[..., Any] | Any
_DATA = Path("runs") / "data"  # folder of arrays that runs learn from
NetworkLike = Network | Sequential | Layer | str


def as_task(task: TaskLike) -> AnyTask:
    """Return a world: a Task, the name or file of one, or a function that makes it. Raises EvoError."""
    if isinstance(task, Task | GymnasiumTask):
        return task
    name, options = task_reference(task)
    return make_task(name, options)


def as_world_or_data(task: TaskLike | Dataset) -> AnyTask | Dataset:
    """Return a world or a data set, by name or as it is. Raises EvoError."""
    if isinstance(task, Dataset):
        return task
    if isinstance(task, str | Path) and TaskSource(task_name(str(task))).returned is Dataset:
        return make_dataset(str(task), {})
    return as_task(task)


def task_reference(task: object) -> tuple[str, Mapping[str, Any]]:
    """Return the name and options that make a task again, of any kind. Raises EvoError where there are none."""
    if isinstance(task, str | Path):
        trust(str(task))
        return str(task), {}
    if isinstance(task, Task):
        return _of_task(task), task.options
    if isinstance(task, GymnasiumTask):
        return task.name, task.options
    if isinstance(task, gymnasium.Env | EnvSpec):
        try:
            return gymnasium_task.reference_of(task)
        except ValueError as error:
            raise EvoError(one_line(error)) from error
    if inspect.isroutine(task):
        return reference_of(task), {}
    raise EvoError(
        "a task is a name such as 'quadruped', a file, a Task, a Dataset or a function in a module; "
        f"got a {type(task).__name__}"
    )


def data_reference(dataset: Dataset) -> tuple[str, Mapping[str, Any]]:
    """Return the name and options that make a data set again. Raises EvoError.

    A data set that no name makes is written to a file, whose path is its name.
    """
    if dataset.name in DATASETS:
        with contextlib.suppress(EvoError):
            if make_dataset(dataset.name, dataset.options).digest == dataset.digest:
                return dataset.name, dataset.options
    path = _DATA / f"{dataset.digest}.npz"
    if not path.exists():
        make_folder(path.parent)
        dataset.save(path)
    return str(path), {}


def _of_task(task: Task) -> str:
    """Return a task's reference. Raises EvoError for a task that its name and options do not make again."""
    if task.reference is not None:
        trust(task.reference)
        made = make_task(task.reference, task.options)
        if isinstance(made, Task) and np.array_equal(_save(made.model), _save(task.model)):
            return task.reference
    raise EvoError(
        f"{task!r} was made or changed by hand, and a run must be able to make it again: write `def mine() -> Task` in "
        "a module of yours and give 'module:mine'"
    )


def _save(model: mujoco.MjModel) -> np.ndarray:
    buffer = np.zeros(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, buffer)
    return buffer


def reference_of(made: Any) -> str:
    """Return `module:name` of a function or class. Raises EvoError where that does not lead to it again."""
    module, name = getattr(made, "__module__", None), getattr(made, "__qualname__", repr(made))
    if module == "__main__":
        file = Path(str(getattr(sys.modules["__main__"], "__file__", "mine.py"))).stem
        raise EvoError(
            f"{name} is defined in the program itself, where a resumed run cannot find it: put it into a module, and "
            f"give 'module:{name}' in place of {file}'s own"
        )
    try:
        if load(f"{module}:{name}") is made:
            trust(f"{module}:{name}")
            return f"{module}:{name}"
    except (ImportError, ValueError):
        pass
    raise EvoError(f"{name} of {module} cannot be found by name: define it at the top level of a module")


def as_network(
    network: NetworkLike, task: AnyTask | Dataset, normalise: bool = False, clip_observation: float = math.inf
) -> Network:
    """Return a network as it is, or one sized for the task. Raises EvoError."""
    if isinstance(network, Network):
        return network
    return make_network(str(network_settings(network)["network.layers"]), task, normalise, clip_observation)


def network_settings(network: object) -> dict[str, Any]:
    """Return the configuration keys that make a network again. Raises EvoError for what is no network."""
    if isinstance(network, str):
        trust(network)
        return {"network.layers": network}
    if isinstance(network, Sequential):
        trust(network.text)
        return {"network.layers": network.text}
    if isinstance(network, Layer):
        return network_settings(Sequential(network))
    if isinstance(network, Network) and network.text:
        return {
            "network.layers": network.text,
            "network.normalise": network.normalise,
            "network.clip_observation": network.clip_observation,
        }
    raise EvoError(
        "a network is a text such as 'mlp:64,64', evo.Sequential(…) or what evo.network gives; "
        f"got a {type(network).__name__}"
    )


def method_name(method: object) -> str:
    """Return the name of a method: a name, or an algorithm's class. Raises EvoError."""
    if isinstance(method, str):
        trust(method)
        return method
    if inspect.isclass(method):
        reference = reference_of(method)
        return next((name for name, known in ALGORITHMS.items() if known == reference), reference)
    raise EvoError(
        "a method is a name such as 'ars', or an algorithm's class, its options among the settings; "
        f"got a {type(method).__name__}"
    )
