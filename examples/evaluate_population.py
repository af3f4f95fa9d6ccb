"""The fast path for research: score a whole population of networks, on all processors, without Python in the loop."""

import time

import numpy as np

import evo

task = evo.task("HalfCheetah-v5", ctrl_cost_weight=0.05)
network = evo.network("mlp:32,32", task)
population = np.random.default_rng(0).normal(scale=0.1, size=(64, network.size)).astype(np.float32)

evo.evaluate(task, network, population[:2])  # compiles, the first time on a machine
began = time.perf_counter()
returns = evo.evaluate(task, network, population, episodes=2, seed=0)  # (individuals, episodes)
seconds = time.perf_counter() - began
print(f"best individual {returns.mean(axis=1).argmax()}, {returns.size * task.steps / seconds:,.0f} env steps a second")

trajectory = evo.rollout(task, network, population[0], seed=0)  # the same episode, step by step
assert trajectory.total == returns[0, 0]
