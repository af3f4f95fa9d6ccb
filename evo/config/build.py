"""Construction of the task, network, problem and learner that a configuration names."""

import math
from collections.abc import Mapping
from typing import Any

import numba

from evo.config.config import Config
from evo.config.kinds import kind_of
from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.config.task_names import data_name, task_name
from evo.config.task_spec import TaskSpec
from evo.datasets import DATASETS, Dataset, is_data_path
from evo.envs.task import Task
from evo.errors import EvoError, nearest, one_line
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import Workers
from evo.learners import find_method
from evo.learners.learner import Candidate, Learner
from evo.networks import Network
from evo.problems.problem import Problem


def make_task(name: str, options: Mapping[str, Any], step_timeout: float | None = None) -> AnyTask:
    """Return a task by its name, short or full, or `package.module:attribute`.

    step_timeout: of a Gymnasium environment, seconds. Raises EvoError for options it refuses.
    """
    spec = TaskSpec.find(task_name(name), options, step_timeout)
    task: AnyTask = spec.made
    if not spec.kind.acts:
        raise EvoError(f"{name} is a {spec.kind.aim}, not a world to walk in: try `evo run {name}`")
    return task


def make_dataset(name: str, options: Mapping[str, Any]) -> Dataset:
    """Return a data set by its name, its file or folder, or `package.module:attribute`. Raises EvoError."""
    brought = name not in DATASETS and is_data_path(name)
    if brought:
        name = data_name(name)  # also where a task has the folder's name
    named = brought or name in DATASETS or ":" in name
    if not named or not isinstance(made := TaskSpec.find(task_name(name), options).made, Dataset):
        known = nearest(name, DATASETS)
        raise EvoError(f"{name!r} is no data set, no file of data (.csv, .npz, a picture) and no folder{known}")
    return made


def make_compiled_task(name: str, options: Mapping[str, Any]) -> Task:
    """Return a compiled task, as all are except Gymnasium environments. Raises EvoError."""
    task = make_task(name, options)
    if not isinstance(task, Task):
        raise EvoError(f"{name} is an environment of Gymnasium's; this works with compiled tasks only (see evo list)")
    return task


def make_network(text: str, task: AnyTask | Dataset, normalise: bool, clip_observation: float = math.inf) -> Network:
    """Return a network sized for a task, from its text. Raises EvoError."""
    return kind_of(task).network(task, NetworkSettings(text, normalise, clip_observation))


def check_compiler() -> None:
    """Raise EvoError where Numba's compilation is disabled."""
    if numba.config.DISABLE_JIT:
        raise EvoError("episodes and networks are compiled, and NUMBA_DISABLE_JIT forbids it: run without it")


def build_problem(
    name: str, options: Mapping[str, Any], layers: str, normalise: bool, workers: Workers, batch: int | None = None
) -> Problem:
    """Return a function, or the problem of a network with these layers on a task or a data set.

    batch: size of the minibatches that it is trained on; None for scoring. Raises EvoError.
    """
    check_compiler()
    evaluation = EvaluationSettings(batch=batch)
    return TaskSpec.find(task_name(name), options).problem(
        NetworkSettings(layers, normalise), workers, evaluation, training=batch is not None
    )


def make_problem(config: Config, workers: Workers, training: bool) -> Problem:
    """Return the problem for training (with the `training.*` options) or for scoring."""
    check_compiler()
    spec = config.trained if training else config.task
    if config.data.digest not in (None, spec.kind.digest(spec.made)):
        raise EvoError(f"the examples of {spec.name} are no longer those that this run began with: begin anew")
    problem = spec.problem(config.network, workers, config.evaluation, training)
    problem.origin = lambda: (config.toml(), training)
    return problem


def make_learner(config: Config, workers: Workers, start: Candidate | None = None) -> Learner:
    """Return a new learner, begun from `start` if given. Raises EvoError for options that its method refuses."""
    problem = make_problem(config, workers, training=True)
    if config.trained is not config.task:
        scored, trained = config.task.made, config.trained.made
        here, there = ((task.observation_size, task.outputs) for task in (trained, scored))
        if here != there:
            raise EvoError(f"training.* changes the observations or actions from {there} to {here}; they must stay")
    if start is not None:
        _check_start(config, problem, start)
    method = find_method(config.method.name)
    assert method is not None
    try:
        episodes, racing = config.evaluation.episodes, config.evaluation.racing
        return method.build(problem, config.seed, episodes, start, racing, config.method.given)
    except (TypeError, ValueError) as error:
        raise EvoError(f"method.{one_line(error)}") from error


def _check_start(config: Config, problem: Problem, start: Candidate) -> None:
    has = (len(start.params), len(start.statistics.mean))
    needs = (problem.size, len(problem.no_statistics().mean))
    try:
        problem.check(start.params)
        fits = has[1] == needs[1]
    except ValueError:
        fits = False
    if not fits:
        raise EvoError(
            f"{config.start.champion} has {has[0]} parameters and {has[1]} observations; "
            f"{config.network.layers or config.task.name} on {config.task.name} has {needs[0]} and {needs[1]}: "
            "begin with the task and the network that it was made with"
        )
