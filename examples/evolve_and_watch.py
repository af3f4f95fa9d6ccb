"""Evolve a creature from Python, look at its numbers, and film it."""

import evo

run = evo.run("quadruped", method="ars", generations=20, seed=1)

print(run.champion.reported_fitness)  # on 100 episodes that nothing was chosen by
means = run.metrics["mean"]
print(f"mean fitness {means[0]:.1f} -> {means[-1]:.1f} in {len(means)} generations")
print(evo.replay(run.path, run.path / "videos" / "evolution.gif", evolution=True, seconds=3, width=320, height=180))
