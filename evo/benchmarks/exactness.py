"""Comparison of our episodes with Gymnasium's, to the bit, from the same seeds with the same actions.

The streams of `evo.envs.engine.random` equal NumPy's, so even initial states must be equal. Random policies of several
scales give quiet and violent motion, the largest keeps every actuator at its bounds; a trained policy does what the
task is for.
"""

import atexit
import functools
import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import gymnasium
import llvmlite.binding
import mujoco
import numba
import numpy as np
import threadpoolctl
from gymnasium.envs.mujoco.mujoco_env import expand_model_path

from evo.config.build import make_compiled_task, make_learner, make_network
from evo.config.resolve import resolve_config
from evo.envs.engine.numpy_order import FOUND
from evo.envs.engine.physics import available_threads
from evo.envs.engine.random import streams
from evo.envs.task import Task
from evo.evaluation.episode import Episodes, Evaluator
from evo.evaluation.life import COMPLETED, TERMINATED, UNSTABLE
from evo.evaluation.workers import Threads
from evo.numerics.platform_facts import processor_name
from evo.numerics.randomness import generator
from evo.numerics.running_statistics import ObservationStatistics

# network text, scales of its random parameters: one individual each
POLICIES = (("linear", (0.01, 1.0, 100.0)), ("mlp:16,16", (0.3, 2.0)))
THREADS = (1, 2, 4)

_ANY_BODY: dict[str, Any] = {"forward_reward_weight": 0.37, "exclude_current_positions_from_observation": False}
_WALKER = _ANY_BODY | {"healthy_reward": 2.3, "terminate_when_unhealthy": False, "reset_noise_scale": 0.037}

_PARTS = (
    "include_cinert_in_observation",
    "include_cvel_in_observation",
    "include_qfrc_actuator_in_observation",
    "include_cfrc_ext_in_observation",
)

# Task → constructor option → a value other than its default; `ALTERED` stands for a changed copy of the model's file.
ALTERED = "<altered>"
CASES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "Ant-v5": _WALKER
        | {"xml_file": ALTERED, "frame_skip": 3, "ctrl_cost_weight": 0.13, "contact_cost_weight": 0.07}
        | {"healthy_z_range": (0.5, 0.9), "contact_force_range": (-3.0, 0.5), "main_body": "aux_1"}
        | {"include_cfrc_ext_in_observation": False},
        "HalfCheetah-v5": _ANY_BODY
        | {"xml_file": ALTERED, "frame_skip": 3, "ctrl_cost_weight": 0.71, "reset_noise_scale": 0.31},
        "Hopper-v5": _WALKER
        | {"xml_file": ALTERED, "frame_skip": 3, "ctrl_cost_weight": 0.013}
        | {"healthy_state_range": (-1.5, 1.3), "healthy_z_range": (1.22, 1.253), "healthy_angle_range": (-0.05, 0.02)},
        "Humanoid-v5": _WALKER
        | {"xml_file": ALTERED, "frame_skip": 3, "ctrl_cost_weight": 0.71, "contact_cost_weight": 1e-4}
        | {"contact_cost_range": (0.5, 3.0), "healthy_z_range": (1.2, 1.45)}
        | dict.fromkeys(_PARTS, False),
        "HumanoidStandup-v5": {"xml_file": ALTERED, "frame_skip": 3, "ctrl_cost_weight": 0.71, "uph_cost_weight": 3.0}
        | {"impact_cost_weight": 1e-4, "impact_cost_range": (0.5, 3.0), "reset_noise_scale": 0.037}
        | {"exclude_current_positions_from_observation": False}
        | dict.fromkeys(_PARTS, False),
        "InvertedDoublePendulum-v5": {"xml_file": ALTERED, "frame_skip": 3}
        | {"healthy_reward": 2.3, "reset_noise_scale": 0.31},
        "InvertedPendulum-v5": {"xml_file": ALTERED, "frame_skip": 3, "reset_noise_scale": 0.11},
        "Pusher-v5": {"xml_file": ALTERED, "frame_skip": 3}
        | {"reward_near_weight": 0.37, "reward_dist_weight": 2.3, "reward_control_weight": 0.71},
        "Reacher-v5": {"xml_file": ALTERED, "frame_skip": 3}
        | {"reward_dist_weight": 2.3, "reward_control_weight": 0.71},
        "Walker2d-v5": _WALKER
        | {"xml_file": ALTERED, "frame_skip": 5, "ctrl_cost_weight": 0.013}
        | {"healthy_z_range": (1.22, 1.252), "healthy_angle_range": (-0.1, 0.05)},
        "Swimmer-v5": _ANY_BODY
        | {"xml_file": ALTERED, "frame_skip": 7, "ctrl_cost_weight": 0.013, "reset_noise_scale": 0.31},
    }
)


def machine() -> dict[str, str]:
    """Return what the last bit of a result can depend on: the processor, and the libraries' builds for it."""
    blas = {
        f"{one['internal_api']} {one['architecture']}": None
        for one in threadpoolctl.threadpool_info()
        if "architecture" in one
    }
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "processor": processor_name(),
        "libc": " ".join(platform.libc_ver()),
        "BLAS": ", ".join(blas) or "unknown",
        "NumPy": " ".join([np.__version__, *simd["baseline"], *simd["found"]]),
        "Numba": f"{numba.__version__} for {numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name()}",
        "arithmetic": ", ".join(f"{name} {variant}" for name, variant in FOUND.items()),
    }


class Case(NamedTuple):
    """A Gymnasium task with constructor options."""

    task: str
    options: Mapping[str, Any]


class Exactness(NamedTuple):
    """Result of a comparison.

    steps: control steps compared. first: a description of the first mismatch, '' for none.
    """

    task: str
    options: Mapping[str, Any]
    seeds: tuple[int, ...]
    steps: int
    mismatches: int
    first: str


@functools.cache
def altered_model(xml_file: str) -> str:
    """Return the path of a copy of Gymnasium's model with other masses, damping, gears and time step."""
    spec = mujoco.MjSpec.from_file(expand_model_path(xml_file))
    spec.compiler.settotalmass = -1  # deprecated; it would override the densities
    spec.option.timestep *= 0.75
    for geom in spec.geoms:
        geom.density *= 1.3
    for joint in spec.joints:
        joint.damping *= 0.6
    for actuator in spec.actuators:
        actuator.gear *= 1.2
    spec.compile()
    folder = tempfile.TemporaryDirectory(prefix="evo-altered-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / xml_file
    path.write_text(spec.to_xml())
    return str(path)


def cases() -> list[Case]:
    """Return every task with its defaults, and once with each option of its constructor changed."""
    found = []
    for name, options in CASES.items():
        found.append(Case(name, {}))
        for option, value in options.items():
            if value == ALTERED:
                value = altered_model(make_compiled_task(name, {}).options[option])
            found.append(Case(name, {option: value}))
    return found


class _Comparison:
    """Counts differences and keeps the first."""

    def __init__(self) -> None:
        self.steps, self.mismatches, self.first = 0, 0, ""

    def expect(self, what: str, where: str, ours: Any, theirs: Any) -> None:
        if not np.array_equal(ours, theirs):
            self.mismatches += 1
            self.first = self.first or f"{where}: {what} {_words(ours, theirs)}"


def _words(ours: Any, theirs: Any) -> str:
    ours, theirs = np.atleast_1d(np.asarray(ours)), np.atleast_1d(np.asarray(theirs))
    if ours.shape != theirs.shape:
        return f"has shape {ours.shape}, expected {theirs.shape}"
    index = int(np.argmax(ours != theirs))
    return f"[{index}] is {ours.flat[index]!r}, expected {theirs.flat[index]!r}"


def _population(task: Task, text: str, scales: Sequence[float]) -> tuple[Any, np.ndarray]:
    network = make_network(text, task, False)
    draws = generator(0, f"exactness, {text}").normal(size=(len(scales), network.size))
    return network, (draws * np.asarray(scales)[:, None]).astype(np.float32)


@functools.cache
def train_policy(task_id: str, steps: int, **options: Any) -> np.ndarray:
    """Return parameters, (1, size), of the linear policy that ARS finds in `steps` env steps, or in one generation."""
    settings = {f"task.{name}": value for name, value in options.items()}
    settings |= {"network.layers": "linear", "network.normalise": False}
    settings |= {"method.name": "ars", "method.directions": 4, "method.elite_directions": 2}
    learner = make_learner(resolve_config(flags={"task.name": task_id, **settings}), Threads(available_threads()))
    while learner.steps < steps:
        learner.step()
    return learner.candidates()[0].params[None]


def _run(evaluator: Evaluator, params: np.ndarray, seeds: Sequence[int], steps: int, **what: bool) -> Episodes:
    size = evaluator.task.observation_size
    return evaluator.run(params, streams(np.asarray(seeds)), np.zeros(size), np.ones(size), steps=steps, **what)


def check(
    task_id: str, options: Mapping[str, Any], seeds: Sequence[int], steps: int | None = None, training: int = 0
) -> Exactness:
    """Compare our episodes of `steps` control steps (the task's own by default) with Gymnasium's, from every seed.

    training: env steps for which a further policy is trained; 0 for none.
    """
    task = make_compiled_task(task_id, options)
    environment = gymnasium.make(task_id, disable_env_checker=True, **options)
    found = _Comparison()
    assert environment.spec is not None
    found.expect("the time limit", task_id, task.steps, environment.spec.max_episode_steps)
    bare: Any = environment.unwrapped
    for bound, theirs in ((task.action_low, bare.action_space.low), (task.action_high, bare.action_space.high)):
        found.expect("the action space", task_id, bound, theirs)
    populations = [
        (f"{text} x {scale:g}", network, row[None])
        for text, scales in POLICIES
        for network, rows in [_population(task, text, scales)]
        for scale, row in zip(scales, rows, strict=True)
    ]
    if training:
        # trained once with the defaults, unless the observations differ
        seen = make_compiled_task(task_id, {}).observation_size
        params = train_policy(task_id, training, **(options if task.observation_size != seen else {}))
        populations.append(("trained", make_network("linear", task, False), params))
    for label, network, params in populations:
        episodes = _run(Evaluator(task, network, Threads(2)), params, seeds, steps or task.steps, recording=True)
        for column, seed in enumerate(seeds):
            _compare(bare, episodes, column, seed, f"{label}, seed {seed}", found)
    environment.close()
    return Exactness(task_id, options, tuple(seeds), found.steps, found.mismatches, found.first)


def _compare(bare: Any, ours: Episodes, row: int, seed: int, where: str, found: _Comparison) -> None:
    """Compare one of our episodes, step by step, with Gymnasium's environment `bare`."""
    trajectories = ours.trajectories
    assert trajectories is not None
    length, ending = int(ours.lengths[0, row]), ours.endings[0, row]
    observation, _ = bare.reset(seed=seed)
    found.expect("the initial observation", where, trajectories.observations[row, 0], observation)
    total, terminated = 0.0, False
    for step in range(length):
        at = f"{where}, step {step}"
        observation, reward, terminated, _, _ = bare.step(trajectories.actions[row, step])
        found.steps += 1
        if bare.data.warning.number.any():
            break  # MuJoCo has reset an unstable state: our episode ends here, Gymnasium's continues
        found.expect("the reward", at, trajectories.rewards[row, step], reward)
        found.expect("the observation", at, trajectories.observations[row, step + 1], observation)
        found.expect("qpos", at, trajectories.qpos[row, step + 1], bare.data.qpos)
        found.expect("qvel", at, trajectories.qvel[row, step + 1], bare.data.qvel)
        total += reward
        if terminated:
            found.expect("the length", at, length, step + 1)
            break
    expected = UNSTABLE if bare.data.warning.number.any() else TERMINATED if terminated else COMPLETED
    found.expect("the ending", where, ending, expected)
    found.expect("the return", where, ours.returns[0, row], total)


def check_invariance(task: Task, seeds: Sequence[int], steps: int | None = None) -> Exactness:
    """Run a population on 1, 2 and 4 threads, whole, one by one and in chunks: all results must be equal."""
    network, population = _population(task, "mlp:16,16", (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0))
    limit, found = steps or task.steps, _Comparison()
    whole = _run(Evaluator(task, network, Threads(1)), population, seeds, limit, statistics=True)
    reference = _results(whole, task.observation_size)
    for threads in THREADS:
        evaluator = Evaluator(task, network, Threads(threads))
        for chunk in (len(population), 3, 1):
            parts = [
                _results(_run(evaluator, population[start : start + chunk], seeds, limit, statistics=True))
                for start in range(0, len(population), chunk)
            ]
            joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
            joined |= _merge(joined["statistics"], task.observation_size)
            found.steps += int(joined["lengths"].sum())
            for name, expected in reference.items():
                found.expect(f"{name}", f"{threads} threads, chunks of {chunk}", joined[name], expected)
    return Exactness(task.name, {}, tuple(seeds), found.steps, found.mismatches, found.first)


def _results(episodes: Episodes, size: int = 0) -> dict[str, np.ndarray]:
    assert episodes.statistics is not None
    names = ("returns", "lengths", "endings", "statistics")
    found = {name: getattr(episodes, name) for name in names}
    return found | _merge(found["statistics"], size) if size else found


def _merge(rows: np.ndarray, size: int) -> dict[str, np.ndarray]:
    merged = ObservationStatistics.empty(size).merged(rows.reshape(-1, 1 + 2 * size))
    return {"merged count": np.asarray(merged.count), "merged mean": merged.mean, "merged M2": merged.m2}
