"""evo's PPO beside stable-baselines3's, with the same hyper-parameters: returns, their difference, and wall-clock.

    pip install evo-creatures stable-baselines3
    python examples/beside_stable_baselines3.py --task HalfCheetah-v5 --seeds 5 --steps 1000000

Both train the same network from the same kind of initial weights, one environment, observations and rewards normalised;
the final policies (no best-of) are scored by evo on the same report episodes, stable-baselines3's weights copied into
evo's network. (Theirs clips normalised observations at ±10 while it learns; ours never does.) Runs alternate, so that a
busy machine slows both. Speed is measured first, on short runs, with 1 and with 2 torch threads.
"""

import argparse
import time
from collections.abc import Iterator

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import evo
from envs.physics import available_threads
from evo.champion import score
from evo.comparison.statistics import difference_interval, interquartile_mean
from evo.learners.learner import Candidate
from evo.learners.ppo import PPO
from evo.problems.walking import Walking
from evo.randomness import report_seeds
from evo.statistics import ObservationStatistics

# stable-baselines3's defaults; its value loss is the plain squared error, as ours
SAME = {
    "horizon": 2048,
    "minibatch": 64,
    "epochs": 10,
    "learning_rate": 3e-4,
    "discount": 0.99,
    "gae_lambda": 0.95,
    "clip": 0.2,
    "value_coefficient": 0.5,
    "entropy_coefficient": 0.0,
    "max_gradient_norm": 0.5,
}


def ours(problem: Walking, seed: int, steps: int) -> tuple[Candidate, float]:
    learner = PPO(problem, seed, environments=1, clip_value=False, critic="mlp:64,64", **SAME)
    learner.prepare()
    began = time.perf_counter()
    while learner.steps < steps:
        learner.step()
    return learner.candidates()[0], time.perf_counter() - began


def theirs(task: str, seed: int, steps: int, threads: int) -> tuple[Candidate, float]:
    torch.set_num_threads(threads)
    env = VecNormalize(DummyVecEnv([lambda: gymnasium.make(task)]), gamma=SAME["discount"])
    model = stable_baselines3.PPO(
        "MlpPolicy",
        env,
        n_steps=SAME["horizon"],
        batch_size=SAME["minibatch"],
        n_epochs=SAME["epochs"],
        learning_rate=SAME["learning_rate"],
        gamma=SAME["discount"],
        gae_lambda=SAME["gae_lambda"],
        clip_range=SAME["clip"],
        vf_coef=SAME["value_coefficient"],
        ent_coef=SAME["entropy_coefficient"],
        max_grad_norm=SAME["max_gradient_norm"],
        seed=seed,
        device="cpu",
    )
    began = time.perf_counter()
    model.learn(steps)
    seconds = time.perf_counter() - began
    layers = [*model.policy.mlp_extractor.policy_net, model.policy.action_net]
    parts = [
        part.detach().numpy()
        for layer in layers
        if isinstance(layer, torch.nn.Linear)
        for part in (layer.weight.T.reshape(-1), layer.bias)
    ]
    seen = env.obs_rms
    statistics = ObservationStatistics(seen.count, seen.mean, (seen.var + env.epsilon) * seen.count)
    return Candidate(np.concatenate(parts).astype(np.float32), statistics), seconds


def pairs(task: str, seeds: int, steps: int) -> Iterator[tuple[float, float, float, float]]:
    """For each seed our return, theirs, our seconds, theirs."""
    made = evo.task(task)
    problem = Walking(made, evo.network("mlp:64,64", made, normalise=True), available_threads())
    for seed in range(100, 100 + seeds):
        outcomes = [ours(problem, seed, steps), theirs(task, seed, steps, threads=1)]
        returns = [float(np.mean(score(problem, candidate, report_seeds(20)).returns)) for candidate, _ in outcomes]
        yield (*returns, *(seconds for _, seconds in outcomes))


def speeds(task: str, steps: int, repeats: int = 3) -> dict[str, float]:
    """Env steps/s, medians of alternating short runs."""
    made = evo.task(task)
    problem = Walking(made, evo.network("mlp:64,64", made, normalise=True), available_threads())
    runs = {
        "evo": lambda: ours(problem, 0, steps)[1],
        "stable-baselines3, 1 thread": lambda: theirs(task, 0, steps, threads=1)[1],
        "stable-baselines3, 2 threads": lambda: theirs(task, 0, steps, threads=2)[1],
    }
    seconds = [{name: run() for name, run in runs.items()} for _ in range(repeats)]
    return {name: steps / float(np.median([one[name] for one in seconds])) for name in runs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="HalfCheetah-v5")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--speed-steps", type=int, default=20_480)
    given = parser.parse_args()

    measured = speeds(given.task, given.speed_steps)
    for name, speed in measured.items():
        print(f"{name}: {speed:,.0f} env steps/s, {measured['evo'] / speed:.1f} times as long as evo", flush=True)
    found = []
    for seed, row in enumerate(pairs(given.task, given.seeds, given.steps), 100):
        found.append(row)
        print(f"seed {seed}: return {row[0]:8.1f} and {row[1]:8.1f}; {row[2]:7.1f} s and {row[3]:7.1f} s", flush=True)
    our, their, our_seconds, their_seconds = np.array(found).T
    low, high = difference_interval(our, their)
    middle = interquartile_mean(our) - interquartile_mean(their)
    print(f"difference of interquartile means {middle:.1f}, 95 % interval {low:.1f} to {high:.1f}")
    print(f"wall-clock: theirs takes {np.median(their_seconds / our_seconds):.1f} times as long with 1 torch thread")


if __name__ == "__main__":
    main()
