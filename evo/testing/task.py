"""check_task: the contract of a task."""

import inspect
from collections.abc import Callable

import numpy as np

from evo.api.arguments import as_task
from evo.benchmarks.exactness import check_invariance
from evo.config.build import make_network
from evo.envs.engine.random import streams
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.envs.task import Task
from evo.errors import EvoError
from evo.evaluation.episode import Episodes, Evaluator
from evo.evaluation.life import REASONS, TERMINATED
from evo.evaluation.workers import Threads
from evo.numerics.randomness import generator
from evo.testing.expectation import expect

_SCALES, _SEEDS = (0.01, 0.3, 3.0), (0, 1)


def check_task(task: Task | str | Callable[..., Task], steps: int = 200) -> None:
    """Check a task: raise AssertionError, with a message, for the first requirement that fails; EvoError for no task.

    task: a Task, its name as `evo run` takes it, or the function that makes it. steps: how many control steps of an
    episode are checked, at most. Policies are random linear ones, quiet to violent; the quiet ones must not fail.

    Observations and rewards are finite; the same seed gives the same episode again and another seed another one; the
    number of threads and the splitting of a population change nothing; as a `gymnasium.Env` the task gives the same
    numbers as in the compiled episode; and a body can be filmed.
    """
    made = task() if inspect.isroutine(task) else as_task(task)
    if not isinstance(made, Task):
        raise EvoError(f"check_task takes a compiled task, its name or what makes it; got a {type(made).__name__}")
    network, limit = make_network("linear", made, False), min(steps, made.steps)
    draws = generator(0, "check task").normal(size=(len(_SCALES), network.size))
    policies = (draws * np.array(_SCALES)[:, np.newaxis]).astype(np.float32)
    size, evaluator = made.observation_size, Evaluator(made, network, Threads(1))

    def run() -> Episodes:
        begin = streams(np.array(_SEEDS))
        return evaluator.run(policies, begin, np.zeros(size), np.ones(size), limit, recording=True)

    seen, again = run(), run()
    assert seen.trajectories is not None and again.trajectories is not None
    for episode, ending in enumerate(seen.endings[0]):
        expect(ending not in REASONS, f"a quiet policy on seed {_SEEDS[episode]}: {REASONS.get(int(ending))}")
    lengths = seen.lengths.ravel()
    for what in seen.trajectories._fields:
        for row, length in enumerate(lengths):
            one, other = (getattr(episodes.trajectories, what)[row, :length] for episodes in (seen, again))
            policy, seed = divmod(row, len(_SEEDS))
            where = f"{what} of policy {policy} on seed {seed}"
            if seen.endings.ravel()[row] not in REASONS:
                expect(bool(np.isfinite(one).all()), f"{where} are not finite")
            expect(
                np.array_equal(one, other, equal_nan=True),
                f"{where} differ when run again: keep what a task remembers in its record",
            )
    first, second = seen.trajectories.observations[:2, 0]
    expect(not np.array_equal(first, second), "seeds 0 and 1 begin alike: reset should draw from its rng")
    found = check_invariance(made, _SEEDS, limit)
    expect(not found.mismatches, f"threads or splits change the result: {found.first}")
    _check_environment(made, seen)
    expect(made.model.nv == 0 or made.model.ngeom > 0, "the model has joints but no geoms: there is nothing to film")


def _check_environment(task: Task, seen: Episodes) -> None:
    """Compare the quiet policy's episodes with the environment's, given the same actions."""
    env, trajectories = TaskEnv(task), seen.trajectories
    assert trajectories is not None
    for row, seed in enumerate(_SEEDS):
        observation, _ = env.reset(seed=seed)
        for step in range(int(seen.lengths.ravel()[row])):
            where = f"as an environment, seed {seed}, step {step}:"
            expect(np.array_equal(observation, trajectories.observations[row, step]), f"{where} observations differ")
            observation, reward, terminated, _, _ = env.step(trajectories.actions[row, step])
            expect(reward == trajectories.rewards[row, step], f"{where} rewards differ")
        expect(terminated == (seen.endings.ravel()[row] == TERMINATED), f"{where} endings differ")
