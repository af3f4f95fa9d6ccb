"""Construction of the task, network, problem and learner that a configuration names."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numba

from evo.config.meanings import options_of
from evo.config.resolve import DATASET, Config, task_constructor, task_name
from evo.config.values import Key, checked
from evo.datasets import DATASETS, Dataset, is_data_path
from evo.envs.adversity.adversity import OPTION_TYPES, OPTIONS, construct
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.task import Task, named
from evo.errors import EvoError, nearest, one_line
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import Workers
from evo.learners import method_named
from evo.learners.learner import Candidate, Learner
from evo.networks import Network, network_from_text
from evo.problems.control import Walking
from evo.problems.function import Landscape
from evo.problems.problem import Problem
from evo.problems.supervised import Supervised


def make_task(name: str, options: Mapping[str, Any], step_timeout: float | None = None) -> AnyTask:
    """Return a task by its name, short or full, or `package.module:attribute`.

    step_timeout: of a Gymnasium environment, seconds. Raises EvoError for options it refuses.
    """
    task = _made(name, options, step_timeout)
    if isinstance(task, Landscape | Dataset):
        is_one = "a function to optimise" if isinstance(task, Landscape) else "a data set to learn"
        raise EvoError(f"{name} is {is_one}, not a world to walk in: try `evo run {name}`")
    return task


def make_dataset(name: str, options: Mapping[str, Any]) -> Dataset:
    """Return a data set by its name, its file or folder, or `package.module:attribute`. Raises EvoError."""
    brought = name not in DATASETS and is_data_path(name)
    if brought:
        name = str(Path(name).absolute())  # also where a task has the folder's name
    named = brought or name in DATASETS or ":" in name
    if not named or not isinstance(made := _made(name, options), Dataset):
        raise EvoError(f"{name!r} is no data set, no .csv or .npz file and no folder{nearest(name, DATASETS)}")
    return made


def _made(name: str, options: Mapping[str, Any], step_timeout: float | None = None) -> AnyTask | Landscape | Dataset:
    full = task_name(name)
    constructor = task_constructor(full, step_timeout)
    taken = inspect.signature(constructor, follow_wrapped=False).parameters
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in taken.values()):
        known = [*taken, *(() if full in DATASETS or is_data_path(full) else OPTIONS)]
        for option in options:
            if option not in known:
                raise EvoError(f"task {full}: it takes no option {option!r}{nearest(option, known)}")
    options = _typed(full, constructor, options)
    try:
        made = construct(constructor, options)
    except (TypeError, ValueError, OSError) as error:
        raise EvoError(f"task {full}: {one_line(error)}") from error
    if not isinstance(made, Task | GymnasiumTask | Landscape | Dataset):
        raise EvoError(f"task {full}: its constructor returned a {type(made).__name__}, not an evo.envs.task.Task")
    if isinstance(made, GymnasiumTask):
        return replace(made, step_timeout=step_timeout)
    return named(made, full) if isinstance(made, Task) else made


def _typed(name: str, constructor: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options, each converted to its type. Raises EvoError naming one of another type."""
    kinds = {**OPTION_TYPES, **options_of(constructor)}
    typed = dict(options)
    for option, value in options.items():
        if option in kinds:
            known = kinds[option]
            key = known if isinstance(known, Key) else Key(known, None)
            typed[option] = checked(f"task {name}: {option}", value, key)
    return typed


def make_compiled_task(name: str, options: Mapping[str, Any]) -> Task:
    """Return a compiled task, as all are except Gymnasium environments. Raises EvoError."""
    task = make_task(name, options)
    if not isinstance(task, Task):
        raise EvoError(f"{name} is an environment of Gymnasium's; this works with compiled tasks only (see evo list)")
    return task


def make_network(text: str, task: AnyTask | Dataset, normalise: bool, clip_observation: float = math.inf) -> Network:
    """Return a network sized for a task, from its text. Raises EvoError."""
    try:
        if isinstance(task, Dataset):
            return network_from_text(text, task.shape, task.outputs, normalise, task.symbols)
        size, outputs = task.observation_size, task.outputs
        return network_from_text(text, size, outputs, normalise, clip_observation=clip_observation)
    except ValueError as error:
        raise EvoError(f"network.layers: {error}") from error


def check_compiler() -> None:
    """Raise EvoError where Numba's compilation is disabled."""
    if numba.config.DISABLE_JIT:
        raise EvoError("episodes and networks are compiled, and NUMBA_DISABLE_JIT forbids it: run without it")


def problem_named(
    name: str,
    options: Mapping[str, Any],
    layers: str,
    normalise: bool,
    workers: Workers,
    batch: int | None = None,
    clip_observation: float = math.inf,
    step_timeout: float | None = None,
) -> Problem:
    """Return a function, or the problem of a network with these layers on a task or a data set.

    batch: size of the minibatches that it is trained on; None for scoring. step_timeout: of a Gymnasium environment,
    seconds. Raises EvoError.
    """
    check_compiler()
    made = _made(name, options, step_timeout)
    if isinstance(made, Landscape):
        made.workers = workers
        return made
    network = make_network(layers, made, normalise, clip_observation)
    return Supervised(made, network, workers, batch) if isinstance(made, Dataset) else Walking(made, network, workers)


def make_problem(config: Config, workers: Workers, training: bool) -> Problem:
    """Return the problem for training (with the `training.*` options) or for scoring."""
    options = config.section("task") | (config.section("training") if training else {})
    batch = config["evaluation.batch"] if training and config.kind == DATASET else None
    network = config.layers, config.normalise, workers
    problem = problem_named(
        config["task.name"],
        options,
        *network,
        batch=batch,
        clip_observation=config.clip_observation,
        step_timeout=config.values.get("evaluation.step_timeout"),
    )
    if isinstance(problem, Supervised) and config["data.digest"] not in (None, problem.dataset.digest):
        raise EvoError(
            f"the examples of {config['task.name']} are no longer those that this run began with: begin anew"
        )
    problem.origin = lambda: (config.toml(), training)
    return problem


def make_learner(config: Config, workers: Workers, start: Candidate | None = None) -> Learner:
    """Return a new learner, begun from `start` if given. Raises EvoError for options that its method refuses."""
    problem = make_problem(config, workers, training=True)
    if isinstance(problem, Walking):
        timeout = config.values.get("evaluation.step_timeout")
        scored = make_task(config["task.name"], config.section("task"), timeout)
        here, there = ((task.observation_size, task.outputs) for task in (problem.task, scored))
        if here != there:
            raise EvoError(f"training.* changes the observations or actions from {there} to {here}; they must stay")
    if start is not None:
        _check_start(config, problem, start)
    method, options = method_named(config["method.name"]), config.section("method")
    assert method is not None
    try:
        episodes, racing = config["evaluation.episodes"], config["evaluation.racing"]
        return method.build(problem, config["seed"], episodes, start, racing, options)
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
            f"{config['start.champion']} has {has[0]} parameters and {has[1]} observations; "
            f"{config.layers or config['task.name']} on {config['task.name']} has {needs[0]} and {needs[1]}: "
            "begin with the task and the network that it was made with"
        )
