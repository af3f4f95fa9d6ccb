"""evo's SAC beside stable-baselines3's, with the same hyper-parameters: returns, their difference, and wall-clock.

    pip install evo-creatures stable-baselines3
    python benchmarks/sac_beside_stable_baselines3.py --task HalfCheetah-v5 --seeds 3 --steps 300000
    python benchmarks/sac_beside_stable_baselines3.py --task HalfCheetah-v5 --speed

Networks of 256 and 256 units, minibatches of 256, Adam at 1e-3, 10,000 steps of warm-up, then 50 updates after every 50
steps; one thread each. The policies that were learned last (no best-of) are scored by evo on the same report episodes,
stable-baselines3's weights copied into evo's network. A run lies in its own folder, and one that was cut short goes on:
ours as every run does, theirs from the last 20,000 steps, with its replay buffer, but without the episode that it was
in. (They keep both by pickle: only files of your own.) `--speed` alternates both, so that a busy machine slows both.
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import stable_baselines3
import torch
from beside_stable_baselines3 import EVO, OTHER, print_difference
from threadpoolctl import threadpool_limits

import evo
from evo.evaluation.workers import Threads
from evo.learners.learner import Candidate
from evo.learners.sac import SAC
from evo.numerics.randomness import report_seeds
from evo.problems.control import Walking
from evo.problems.problem import evaluate_alone

BATCH = 256
LAYERS, LEARNING_RATE, WARM_UP = "mlp:256,256:relu>squash", 1e-3, 10_000
REPORT_EPISODES = 100
KEPT = 20_000  # steps between two of their checkpoints


def problem_of(task: str, threads: int = 1) -> Walking:
    world = evo.task(task)
    return Walking(world, evo.network(LAYERS, world), Threads(threads))


def ours(task: str, seed: int, steps: int, folder: Path) -> Candidate:
    """Train, or go on; return the policy that was learned last."""
    path = folder / f"evo-{task}-{seed}"
    if path.exists():
        run = evo.resume(path, steps=steps, threads=1, video=False)
    else:
        settings = {"method.learning_rate": LEARNING_RATE, "method.warm_up": WARM_UP, "network.layers": LAYERS}
        run = evo.run(task, method="sac", seed=seed, steps=steps, settings=settings, out=path, threads=1, video=False)
    last = run.last
    return Candidate(last.params, last.statistics)


def their_model(task: str, seed: int, warm_up: int) -> Any:
    return stable_baselines3.SAC(
        "MlpPolicy",
        gymnasium.make(task),
        learning_rate=LEARNING_RATE,
        batch_size=256,
        learning_starts=warm_up,
        train_freq=50,
        gradient_steps=50,
        seed=seed,
        policy_kwargs={"net_arch": [256, 256]},
        device="cpu",
    )


def theirs(task: str, seed: int, steps: int, folder: Path) -> Candidate:
    """Train, or go on; return the policy that was learned last."""
    torch.set_num_threads(1)
    path = folder / f"stable-baselines3-{task}-{seed}"
    path.mkdir(parents=True, exist_ok=True)
    model, buffer = path / "model.zip", path / "buffer.pkl"
    if model.exists():
        learner = stable_baselines3.SAC.load(model, env=gymnasium.make(task), device="cpu")
        learner.load_replay_buffer(buffer)
    else:
        learner = their_model(task, seed, WARM_UP)
    while learner.num_timesteps < steps:
        began = learner.num_timesteps
        learner.learn(min(KEPT, steps - began), reset_num_timesteps=began == 0)
        learner.save_replay_buffer(path / "new.pkl")
        learner.save(path / "new.zip")
        os.replace(path / "new.pkl", buffer)
        os.replace(path / "new.zip", model)
        print(f"{OTHER}, {task}, seed {seed}: {learner.num_timesteps:,} steps", flush=True)
    actor = learner.policy.actor
    linear = [layer for layer in (*actor.latent_pi, actor.mu) if isinstance(layer, torch.nn.Linear)]
    parts = [part.detach().numpy() for layer in linear for part in (layer.weight.T.reshape(-1), layer.bias)]
    return Candidate(np.concatenate(parts).astype(np.float32), problem_of(task).no_statistics())


def learning(task: str, count: int, steps: int, folder: Path, who: str | None) -> None:
    """Train what is missing, seed by seed, then compare."""
    made: dict[str, Callable[..., Candidate]] = {EVO: ours, OTHER: theirs}
    returns: dict[str, list[float]] = {name: [] for name in made if who in (None, name)}
    for seed in range(100, 100 + count):
        for name, values in returns.items():
            candidate = made[name](task, seed, steps, folder)
            outcome = evaluate_alone(problem_of(task), *candidate, report_seeds(REPORT_EPISODES))
            values.append(float(np.mean(outcome.returns)))
            print(f"{name}, {task}, seed {seed}: return {values[-1]:.1f} after {steps:,} steps", flush=True)
    if who is None:
        print_difference(f"{task}, {steps:,} steps", {name: np.array(values) for name, values in returns.items()})


def products(task: str) -> list[tuple[int, int, int]]:
    """Rows, inner and columns of the matrix products that an update cannot do without, whoever computes them."""
    world = evo.task(task)
    actor = (world.observation_size, 256, 256, 2 * world.action_size)
    critic = (world.observation_size + world.action_size, 256, 256, 1)

    def forward(widths: Sequence[int]) -> list[tuple[int, int, int]]:
        return [(BATCH, before, after) for before, after in pairwise(widths)]

    def to_weights(widths: Sequence[int]) -> list[tuple[int, int, int]]:
        return [(before, BATCH, after) for before, after in pairwise(widths)]

    def to_inputs(widths: Sequence[int]) -> list[tuple[int, int, int]]:
        return [(BATCH, after, before) for before, after in pairwise(widths)]

    targets = forward(actor) + 2 * forward(critic)
    critics = 2 * (forward(critic) + to_weights(critic) + to_inputs(critic[1:]))
    policy = forward(actor) + 2 * (forward(critic) + to_inputs(critic)) + to_weights(actor) + to_inputs(actor[1:])
    return targets + critics + policy


def speed(task: str, updates: int, repeats: int) -> None:
    """Milliseconds of an env step with its update: medians of alternating runs, and of the ratios of each round.

    Beside them the products alone, by NumPy on one thread: the limit that this machine's BLAS sets.
    """

    def ours_with(threads: int) -> float:
        learner = SAC(problem_of(task, threads), 0, warm_up=1000, learning_rate=LEARNING_RATE)
        learner.problem.prepare()
        learner.prepare()
        while not learner.updates:
            learner.step()
        began, before = time.perf_counter(), learner.updates
        while learner.updates < before + updates:
            learner.step()
        return (time.perf_counter() - began) / (learner.updates - before)

    def theirs_with(threads: int) -> float:
        torch.set_num_threads(threads)
        learner = their_model(task, 0, 1000)
        learner.learn(1050)
        began, before = time.perf_counter(), learner.num_timesteps
        learner.learn(updates, reset_num_timesteps=False)
        return (time.perf_counter() - began) / (learner.num_timesteps - before)

    shapes, random = products(task), np.random.default_rng(0)
    factors = [
        (random.standard_normal((rows, inner), np.float32), random.standard_normal((inner, columns), np.float32))
        for rows, inner, columns in shapes
    ]

    def products_with() -> float:
        with threadpool_limits(1):
            began = time.perf_counter()
            for _ in range(updates):
                for first, second in factors:
                    np.matmul(first, second)
            return (time.perf_counter() - began) / updates

    runs = {(name, threads): one for threads in (1, 2) for name, one in ((EVO, ours_with), (OTHER, theirs_with))}
    rounds = [([run(threads) for (_, threads), run in runs.items()], products_with()) for _ in range(repeats)]
    seconds, alone = np.array([row for row, _ in rounds]), np.array([one for _, one in rounds])
    for (name, threads), column in zip(runs, seconds.T, strict=True):
        print(f"{task}, {name}, {threads} threads: {1e3 * np.median(column):.2f} ms")
    work = 2 * sum(rows * inner * columns for rows, inner, columns in shapes)
    share = np.median(alone / seconds[:, 0])
    print(
        f"{task}, products alone: {1e3 * np.median(alone):.2f} ms for {work / 1e6:.0f} MFLOP, "
        f"{work / np.median(alone) / 1e9:.0f} GFLOP/s; {100 * share:.0f} % of {EVO}'s time on one thread"
    )
    ratios = seconds[:, 1::2].min(axis=1) / seconds[:, 0::2].min(axis=1)
    print(f"{task}: {np.median(ratios):.2f} times as fast ({', '.join(f'{one:.2f}' for one in ratios)})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="HalfCheetah-v5")
    parser.add_argument("--seeds", type=int, default=3, help="from 100 up")
    parser.add_argument("--steps", type=int, default=300_000, help="of training")
    parser.add_argument("--who", choices=[EVO, OTHER], help="train only these; by default both, compared")
    parser.add_argument("--out", type=Path, default=Path("sac_beside_stable_baselines3"))
    parser.add_argument("--speed", action="store_true", help="measure speed instead")
    parser.add_argument("--updates", type=int, default=400, help="of a speed run")
    parser.add_argument("--repeats", type=int, default=5, help="of the speed runs")
    given = parser.parse_args()
    if given.speed:
        speed(given.task, given.updates, given.repeats)
    else:
        learning(given.task, given.seeds, given.steps, given.out, given.who)


if __name__ == "__main__":
    main()
