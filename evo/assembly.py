"""From a configuration to the things it names: task, network, problem, learner."""

from collections.abc import Mapping
from typing import Any

from envs.adversity import construct
from envs.gymnasium_task import GymnasiumTask
from envs.task import Task
from evo.config import Config, task_constructor, task_name
from evo.engines import AnyTask
from evo.errors import EvoError, one_line
from evo.learners import method_named
from evo.learners.learner import Candidate, Learner
from evo.networks import Network, network_from_text
from evo.problems.walking import Walking


def make_task(name: str, options: Mapping[str, Any]) -> AnyTask:
    """A task by its name, short or full, or `package.module:attribute`. Raises EvoError for options it refuses."""
    full = task_name(name)
    try:
        task = construct(task_constructor(full), options)
    except (TypeError, ValueError, OSError) as error:
        raise EvoError(f"task {full}: {one_line(error)}") from error
    if not isinstance(task, Task | GymnasiumTask):
        raise EvoError(f"task {full}: its constructor returned a {type(task).__name__}, not an envs.task.Task")
    return task


def make_compiled_task(name: str, options: Mapping[str, Any]) -> Task:
    """A task that is compiled, as all but Gymnasium's environments are. Raises EvoError."""
    task = make_task(name, options)
    if not isinstance(task, Task):
        raise EvoError(f"{name} is an environment of Gymnasium's; this works with compiled tasks only (see evo list)")
    return task


def make_network(text: str, task: AnyTask, normalise: bool) -> Network:
    """A network sized for a task, from its text. Raises EvoError."""
    try:
        return network_from_text(text, task.observation_size, task.outputs, normalise)
    except ValueError as error:
        raise EvoError(f"network.layers: {error}") from error


def make_problem(config: Config, threads: int, training: bool) -> Walking:
    """The problem as it is trained on (with the `training.*` options) or as it is scored."""
    options = config.section("task") | (config.section("training") if training else {})
    task = make_task(config["task.name"], options)
    network = make_network(config["network.layers"], task, config["network.normalise"])
    return Walking(task, network, threads)


def make_learner(config: Config, threads: int, start: Candidate | None = None) -> Learner:
    """The learner at its beginning, or begun from `start`. Raises EvoError for options that its method refuses."""
    problem = make_problem(config, threads, training=True)
    scored = make_task(config["task.name"], config.section("task"))
    sizes = [(task.observation_size, task.outputs) for task in (problem.task, scored)]
    if sizes[0] != sizes[1]:
        raise EvoError(f"training.* changes the observations or actions from {sizes[1]} to {sizes[0]}; they must stay")
    if start is not None and (len(start.params), len(start.statistics.mean)) != (problem.size, sizes[0][0]):
        raise EvoError(
            f"{config['start.champion']} has {len(start.params)} parameters and {len(start.statistics.mean)} "
            f"observations; {config['network.layers']} on {config['task.name']} has {problem.size} and {sizes[0][0]}: "
            "begin with the task and the network that it was made with"
        )
    method, options = method_named(config["method.name"]), config.section("method")
    assert method is not None
    try:
        return method.build(problem, config["seed"], config["evaluation.episodes"], start, options)
    except (TypeError, ValueError) as error:
        raise EvoError(f"method.{one_line(error)}") from error
