"""Env steps per second, beside MuJoCo's own open-loop rollout and Gymnasium.

The limit is MuJoCo's own open-loop `Batch.rollout`, in C, of exactly the controls that our policies chose: it has no
observations, no network, no reward. Timings on a shared machine drift, so both run in alternating pairs in one process,
and the ratio is the median over the pairs.
"""

import math
import os
import resource
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import mujoco
import mujoco.batch
import numpy as np

from evo.config.build import make_compiled_task, make_network
from evo.envs.engine.physics import available_threads
from evo.envs.engine.random import streams
from evo.envs.task import Task
from evo.errors import EvoError
from evo.evaluation.episode import Episodes, Evaluator
from evo.evaluation.workers import Threads
from evo.genomes.rows import Rows
from evo.numerics.randomness import generator

_SEEDS = np.arange(1)


class NoLimitError(EvoError):
    """A task has no open-loop limit: MuJoCo does not move it, or its episodes end early whatever its options."""


def _policies(evaluator: Evaluator, individuals: int) -> np.ndarray:
    """Return random policies of moderate actions: normal weights, scaled by 1/sqrt(inputs) of each layer."""
    network, draws = evaluator.network, generator(0, "bench")
    scale = np.repeat([1 / math.sqrt(math.prod(shape)) for shape in network.shapes[:-1]], network.sizes)
    return (draws.normal(size=(individuals, network.size)) * scale).astype(np.float32)


def _evaluator(task_name: str, network: str, options: Mapping[str, Any], threads: int) -> Evaluator:
    task = make_compiled_task(task_name, options)
    evaluator = Evaluator(task, make_network(network, task, False), Threads(threads))
    evaluator.prepare()
    return evaluator


def _running(evaluator: Evaluator, params: Rows | np.ndarray, steps: int) -> Callable[..., Episodes]:
    size = evaluator.task.observation_size
    fixed = (params, streams(_SEEDS), np.zeros(size), np.ones(size), steps)
    return lambda **what: evaluator.run(*fixed, **what)


def never_ending(task_name: str) -> dict[str, Any]:
    """Return options that keep episodes from ending, so that both sides take the same number of steps."""
    task = make_compiled_task(task_name, {})
    return {name: False for name in ("terminate_when_unhealthy", "terminate_when_fallen") if name in task.options}


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _time(work: Callable[[], Any]) -> tuple[float, float]:
    """Return wall and processor seconds, all threads together."""
    cpu, wall = _cpu_seconds(), time.perf_counter()
    work()
    return time.perf_counter() - wall, _cpu_seconds() - cpu


class _Limit:
    """MuJoCo's open-loop rollout of recorded episodes.

    Raises RuntimeError where its final states differ from theirs.
    """

    def __init__(self, task: Task, recorded: Episodes, steps: int, threads: int) -> None:
        trajectories = recorded.trajectories
        assert trajectories is not None
        individuals = len(recorded.returns)
        self._batch = mujoco.batch.Batch(task.model, individuals, threads, persistent=False)
        self._substeps = steps * task.frame_skip
        self._controls = np.repeat(trajectories.actions[:, :steps], task.frame_skip, axis=1)
        self._batch.reset(stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        self._batch.bind("qpos")[:] = trajectories.qpos[:, 0]
        self._batch.bind("qvel")[:] = trajectories.qvel[:, 0]
        # as after a reset: the acceleration that warm-starts the solver is part of the state
        self._batch.forward()
        self._begin = self._batch.state.copy()
        self.run()
        for name, ours in (("qpos", trajectories.qpos), ("qvel", trajectories.qvel)):
            if not np.array_equal(self._batch.bind(name), ours[:, steps]):
                raise RuntimeError(f"{task.name}: MuJoCo's open-loop rollout ends in another {name} than the episodes")

    def rewind(self) -> None:
        self._batch.state[:] = self._begin

    def run(self) -> None:
        self._batch.rollout(self._substeps, self._controls, record=())


def _gymnasium_loop(task: Task, actions: np.ndarray) -> Callable[[], None]:
    """Return a function that steps one Gymnasium environment with the given actions (steps, action_size)."""
    options = dict(task.options)
    length = options.pop("steps", None)
    name = task.gymnasium_id or task.name
    environment: Any = gymnasium.make(name, max_episode_steps=length, disable_env_checker=True, **options)
    environment.reset(seed=0)

    def run() -> None:
        for action in actions:
            _, _, terminated, truncated, _ = environment.step(action)
            if terminated or truncated:
                environment.reset()

    return run


def throughput(
    task: str = "HalfCheetah-v5",
    network: str = "linear",
    pairs: int = 9,
    individuals: int = 64,
    steps: int | None = None,
    threads: int | None = None,
    gymnasium_steps: int = 1000,
) -> dict[str, Any]:
    """Measure env steps a second: our episodes, MuJoCo's open-loop limit, and one Gymnasium environment.

    `ratio` is ours over the limit, the median over `pairs` alternating pairs; ratio_low and ratio_high are its
    quartiles. cpu_ratio is the same in processor time, which other work on the machine disturbs less. Episodes do not
    end early. Raises RuntimeError where the limit's final states differ from ours.
    """
    threads = threads or available_threads()
    evaluator = _evaluator(task, network, never_ending(task), threads)
    if not evaluator.task.model.nu:
        raise NoLimitError(f"MuJoCo does not move {task}, so its speed has no open-loop limit to compare with")
    policies = _policies(evaluator, individuals)
    found = beside_limit(evaluator, policies, steps or evaluator.task.steps, threads, pairs, gymnasium_steps)
    return {"task": task, "network": network, **found}


def beside_limit(
    evaluator: Evaluator, params: Rows | np.ndarray, steps: int, threads: int, pairs: int, gymnasium_steps: int
) -> dict[str, Any]:
    """Measure individuals' episodes of so many steps beside the limit and Gymnasium: see `throughput`.

    params: float32 (individuals, size), or rows of their own length.
    """
    world = evaluator.task
    run = _running(evaluator, params, steps)
    recorded = run(recording=True)
    if (recorded.lengths != steps).any():
        raise NoLimitError(f"{world.name}'s episodes end early, so its speed has no open-loop limit to compare with")
    limit = _Limit(world, recorded, steps, threads)
    assert recorded.trajectories is not None
    plain = _gymnasium_loop(world, recorded.trajectories.actions[0, : min(gymnasium_steps, steps)].copy())
    run()
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    gymnasiums = []
    for pair in range(pairs):
        limit.rewind()
        # in alternating order, so that neither always inherits the other's cache and clock rate
        first, second = ((run, ours), (limit.run, theirs))[:: 1 if pair % 2 else -1]
        for work, seconds in (first, second):
            seconds.append(_time(work))
        gymnasiums.append(_time(plain)[0] / min(gymnasium_steps, steps))
    total = len(params) * steps
    ratios, cpu_ratios = ([b[of] / a[of] for a, b in zip(ours, theirs, strict=True)] for of in (0, 1))
    low, _, high = statistics.quantiles(ratios, n=4) if pairs > 1 else ratios * 3
    return {
        "env_steps_per_s": total / statistics.median(wall for wall, _ in ours),
        "limit_env_steps_per_s": total / statistics.median(wall for wall, _ in theirs),
        "gymnasium_env_steps_per_s": 1 / statistics.median(gymnasiums),
        "ratio": statistics.median(ratios),
        "ratio_low": low,
        "ratio_high": high,
        "cpu_ratio": statistics.median(cpu_ratios),
        # simulated seconds a second: comparable between tasks of different control rates
        "simulated_s_per_s": total * world.control_period / statistics.median(wall for wall, _ in ours),
        "pairs": pairs,
        "individuals": len(params),
        "steps": steps,
        "threads": threads,
    }


def utilisation(
    task: str = "Hopper-v5",
    network: str = "mlp:64,64",
    individuals_per_thread: int = 32,
    repeats: int = 9,
    threads: int | None = None,
    episodes: int = 16,
) -> dict[str, Any]:
    """Measure how busy the threads are when episodes end early at unequal times: CPU over threads × wall seconds."""
    threads = threads or available_threads()
    evaluator = _evaluator(task, network, {}, threads)
    params = _policies(evaluator, individuals_per_thread * threads)
    size, begin = evaluator.task.observation_size, streams(np.arange(episodes))
    mean, scale, found = np.zeros(size), np.ones(size), []
    lengths = evaluator.run(params, begin, mean, scale).lengths
    for _ in range(repeats):
        wall, cpu = _time(lambda: evaluator.run(params, begin, mean, scale))
        found.append(cpu / (threads * wall))
    return {
        "task": task,
        "network": network,
        "utilisation": statistics.median(found),
        "utilisation_low": min(found),
        "utilisation_high": max(found),
        "individuals": len(params),
        "episodes": episodes,
        "threads": threads,
        # other work on the machine takes processor time away: a load far above `threads` spoils this measurement
        "load": os.getloadavg()[0],
        "shortest": int(lengths.min()),
        "longest": int(lengths.max()),
    }
