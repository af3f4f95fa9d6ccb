"""Evolve a creature from Python, look at its numbers, and film it."""

import evo

run = evo.run("quadruped", method="ars", generations=20, seed=1)

print(run.champion.reported_fitness)  # on 100 episodes that nothing was chosen by
print(
    f"{run.metrics['mean'][0]:.1f} -> {run.metrics['mean'][-1]:.1f} mean fitness over {len(run.metrics['mean'])} generations"
)
print(evo.replay(run.path, run.path / "videos" / "evolution.gif", evolution=True, seconds=3, width=320, height=180))
