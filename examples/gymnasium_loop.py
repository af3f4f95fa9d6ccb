"""Use an evolved champion in a plain Gymnasium loop; it scores exactly what evo recorded."""

import gymnasium

import evo

run = evo.run("HalfCheetah-v5", generations=3, video=False)
policy = run.champion.policy()

env = gymnasium.make("HalfCheetah-v5")
observation, _ = env.reset(seed=7)
total, over = 0.0, False
while not over:
    observation, reward, terminated, truncated, _ = env.step(policy(observation))
    total, over = total + float(reward), terminated or truncated

print(total, run.champion.rollout(seed=7).total)
assert total == run.champion.rollout(seed=7).total
