"""evo's PPO beside stable-baselines3's, with the same hyper-parameters: returns, their difference, and wall-clock.

    pip install evo-creatures stable-baselines3 sbx-rl
    python benchmarks/beside_stable_baselines3.py --task HalfCheetah-v5 --seeds 5 --steps 1000000
    python benchmarks/beside_stable_baselines3.py --task HalfCheetah-v5 --speed

Both train the same network from the same kind of initial weights in the same number of environments, observations and
rewards normalised; the final policies (no best-of) are scored by evo on the same report episodes, stable-baselines3's
weights copied into evo's network. Both clip normalised observations at ±10, while they learn and when they are scored.
(Ours learns nothing in its first iteration.) Every finished run becomes a line of the results file, and is not repeated
with the same versions, hyper-parameters and clipping. `--speed` alternates short runs of evo, of stable-baselines3
with 1 and with 2 torch threads, and of sbx (the same in JAX) where it is installed, so that a busy machine slows all of
them; it wants a quiet one. What each compiles, and its first iteration, is not counted.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import stable_baselines3
import torch
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import evo
from evo.comparison.statistics import interquartile_mean, least_p, rank_test, seed_range
from evo.envs.engine.physics import available_threads
from evo.evaluation.workers import Threads
from evo.learners.learner import Candidate
from evo.learners.ppo import PPO
from evo.numerics.randomness import report_seeds
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.control import Walking
from evo.problems.problem import evaluate_alone

# Its value loss is the plain squared error, as ours.
HYPERPARAMETERS = {
    # stable-baselines3's own, its 2,048 steps an iteration spread over two environments: one for each processor of a
    # small machine
    "default": {
        "environments": 2,
        "horizon": 1024,
        "minibatch": 64,
        "epochs": 10,
        "learning_rate": 3e-4,
        "discount": 0.99,
        "gae_lambda": 0.95,
        "clip": 0.2,
        "value_coefficient": 0.5,
        "entropy_coefficient": 0.0,
        "max_gradient_norm": 0.5,
    },
    # tuned for Walker2d in rl-baselines3-zoo, hyperparams/ppo.yml; HalfCheetah's and Hopper's are for another network
    "zoo-walker2d": {
        "environments": 1,
        "horizon": 512,
        "minibatch": 32,
        "epochs": 20,
        "learning_rate": 5.05041e-5,
        "discount": 0.99,
        "gae_lambda": 0.95,
        "clip": 0.1,
        "value_coefficient": 0.871923,
        "entropy_coefficient": 0.000585045,
        "max_gradient_norm": 1.0,
    },
}
REPORT_EPISODES = 20
CLIP_OBSERVATION = 10.0  # theirs by default
EVO, OTHER = "evo", "stable-baselines3"
VERSIONS = {EVO: evo.__version__, OTHER: stable_baselines3.__version__}


class Trained(NamedTuple):
    candidate: Candidate
    seconds: float


def ours(task: str, given: dict[str, Any], seed: int, steps: int) -> Trained:
    learner = PPO(problem_of(task), seed, clip_value=False, critic="mlp:64,64", **given)
    learner.prepare()
    learner.step()  # it only looks, and would flatter the clock
    looked, began = learner.steps, time.perf_counter()
    while learner.steps < max(steps, looked + 1):
        learner.step()
    seconds = (time.perf_counter() - began) * learner.steps / (learner.steps - looked)
    return Trained(learner.candidates()[0], seconds)


def their_model(made: Callable[..., Any], task: str, given: dict[str, Any], seed: int) -> tuple[Any, VecNormalize]:
    """made: PPO of stable-baselines3 or of sbx."""
    environments = DummyVecEnv([lambda: gymnasium.make(task)] * given["environments"])
    env = VecNormalize(environments, gamma=given["discount"], clip_obs=CLIP_OBSERVATION)
    model = made(
        "MlpPolicy",
        env,
        n_steps=given["horizon"],
        batch_size=given["minibatch"],
        n_epochs=given["epochs"],
        learning_rate=given["learning_rate"],
        gamma=given["discount"],
        gae_lambda=given["gae_lambda"],
        clip_range=given["clip"],
        vf_coef=given["value_coefficient"],
        ent_coef=given["entropy_coefficient"],
        max_grad_norm=given["max_gradient_norm"],
        seed=seed,
        device="cpu",
    )
    return model, env


def theirs(task: str, given: dict[str, Any], seed: int, steps: int) -> Trained:
    torch.set_num_threads(1)
    model, env = their_model(stable_baselines3.PPO, task, given, seed)
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
    return Trained(Candidate(np.concatenate(parts).astype(np.float32), statistics), seconds)


def learning(task: str, name: str, chosen: Sequence[str], seeds: Sequence[int], steps: int, results: Path) -> None:
    """Train what the results do not hold yet, then compare what they hold of these seeds."""
    given = HYPERPARAMETERS[name]
    terms = {"task": task, "steps": steps, "clip_observation": CLIP_OBSERVATION, **given}
    kinds = {who: {"who": who, "version": VERSIONS[who], **terms} for who in VERSIONS}
    for seed in seeds:
        for who in chosen:
            if seed in returns_in(results, kinds[who]):
                continue
            trained = ours(task, given, seed, steps) if who == EVO else theirs(task, given, seed, steps)
            outcome = evaluate_alone(problem_of(task), *trained.candidate, report_seeds(REPORT_EPISODES))
            scored = float(np.mean(outcome.returns))
            run = {**kinds[who], "seed": seed, "return": scored, "seconds": round(trained.seconds, 1)}
            with results.open("a") as lines:
                lines.write(json.dumps(run) + "\n")
            print(f"{who}, seed {seed}: return {scored:.1f}, {trained.seconds:.1f} s", flush=True)
    found = {who: returns_in(results, kind) for who, kind in kinds.items()}
    both = [seed for seed in seeds if all(seed in returns for returns in found.values())]
    returns = {who: np.array([found[who][seed] for seed in both]) for who in VERSIONS}
    if not both:
        return
    print_difference(f"{task}, {steps:,} steps", returns)


def print_difference(what: str, returns: dict[str, np.ndarray]) -> None:
    """Print the returns of both on the same seeds, and the exact rank test."""
    for who, values in returns.items():
        low, high = seed_range(values)
        seeds_of = f"{len(values)} seeds, {low:.0f} to {high:.0f}"
        print(f"{what}, {who}: interquartile mean {interquartile_mean(values):.0f} ({seeds_of})")
    count = len(returns[EVO])
    p_value, least = rank_test(returns[EVO], returns[OTHER]), least_p(count, count)
    print(f"exact rank test: p = {p_value:.3g}; so many seeds cannot go below {least}")


def returns_in(results: Path, kind: dict[str, Any]) -> dict[int, float]:
    """By seed, of runs of one kind."""
    runs = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    return {run["seed"]: run["return"] for run in runs if kind.items() <= run.items()}


def seconds_of_theirs(made: Callable[..., Any], task: str, given: dict[str, Any], steps: int, threads: int) -> float:
    torch.set_num_threads(threads)
    model, _ = their_model(made, task, given, 0)
    model.learn(1)  # an iteration
    looked, began = model.num_timesteps, time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    return (time.perf_counter() - began) * steps / (model.num_timesteps - looked)


def speed(task: str, given: dict[str, Any], steps: int, repeats: int) -> None:
    """Env steps/s: medians of alternating runs, and of the ratios within each round."""
    other = stable_baselines3.PPO
    runs: dict[str, Callable[[], float]] = {
        # as long on the clock, roughly
        "evo": lambda: ours(task, given, 0, 10 * steps).seconds / 10,
        "stable-baselines3, 1 torch thread": lambda: seconds_of_theirs(other, task, given, steps, 1),
        "stable-baselines3, 2 torch threads": lambda: seconds_of_theirs(other, task, given, steps, 2),
    }
    if importlib.util.find_spec("sbx"):
        from sbx import PPO as SBX

        runs["sbx"] = lambda: seconds_of_theirs(SBX, task, given, steps, 1)
    seconds = np.array([[run() for run in runs.values()] for _ in range(repeats)])
    for name, column in zip(runs, seconds.T, strict=True):
        print(f"{task}, {name}: {steps / np.median(column):,.0f} env steps/s")
    ratios = seconds[:, 1:].min(axis=1) / seconds[:, 0]
    print(f"{task}: {np.median(ratios):.1f} times as fast as the fastest ({', '.join(f'{one:.1f}' for one in ratios)})")


def problem_of(task: str) -> Walking:
    world = evo.task(task)
    network = evo.network("mlp:64,64", world, normalise=True, clip_observation=CLIP_OBSERVATION)
    return Walking(world, network, Threads(available_threads()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="HalfCheetah-v5")
    parser.add_argument("--seeds", type=int, default=5, help="from 100 up")
    parser.add_argument("--steps", type=int, default=1_000_000, help="of training")
    parser.add_argument("--hyperparameters", choices=HYPERPARAMETERS, default="default")
    parser.add_argument("--who", choices=list(VERSIONS), help="train only these; by default both")
    parser.add_argument("--results", type=Path, default=Path("beside_stable_baselines3.jsonl"))
    parser.add_argument("--speed", action="store_true", help="measure speed instead")
    parser.add_argument("--speed-steps", type=int, default=10_240, help="of theirs; ten times as many of ours")
    parser.add_argument("--repeats", type=int, default=5, help="of the speed runs")
    given = parser.parse_args()
    if given.speed:
        speed(given.task, HYPERPARAMETERS[given.hyperparameters], given.speed_steps, given.repeats)
        return
    chosen, seeds = [who for who in VERSIONS if given.who in (None, who)], range(100, 100 + given.seeds)
    learning(given.task, given.hyperparameters, chosen, seeds, given.steps, given.results)


if __name__ == "__main__":
    main()
