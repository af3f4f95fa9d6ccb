"""Our creatures in someone else's hands: stable-baselines3 checks and trains on evo/Quadruped-v0.

pip install evo-creatures stable-baselines3
python examples/train_with_stable_baselines3.py --task evo/Quadruped-v0 --steps 8192
"""

import argparse

import gymnasium
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

import evo.envs  # registers evo/…


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="evo/Quadruped-v0", choices=[name for name in evo.envs.TASKS if "/" in name])
    parser.add_argument("--steps", type=int, default=8192)
    given = parser.parse_args()
    check_env(gymnasium.make(given.task).unwrapped)
    env = Monitor(gymnasium.make(given.task))
    model = PPO("MlpPolicy", env, seed=0, device="cpu")
    before, _ = evaluate_policy(model, env, n_eval_episodes=5)
    model.learn(given.steps)
    after, _ = evaluate_policy(model, env, n_eval_episodes=5)
    print(f"{given.task}: mean return {before:.1f} before, {after:.1f} after {given.steps:,} steps")


if __name__ == "__main__":
    main()
