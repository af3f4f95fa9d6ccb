"""MAP-Elites on our hexapod (Mouret & Clune 2015): a map of gaits, by how long the left and right feet are down.

`evo.evaluate(…, measures=True)` says of each individual how it walked; the rest is thirty lines.
"""

import numpy as np

import evo

task = evo.task("hexapod", steps=60)  # three seconds
network = evo.network("linear", task)
random = np.random.default_rng(0)
left, right = ([f"_{side}_" in name for name in task.measures] for side in ("left", "right"))
cells, batch, generations, sigma = 8, 64, 20, 0.2

elites = np.zeros((cells * cells, network.size))
best = np.full(cells * cells, -np.inf)
for generation in range(generations):
    filled = np.flatnonzero(np.isfinite(best))
    parents = elites[random.choice(filled, batch)] if filled.size else np.zeros((batch, network.size))
    children = parents + sigma * random.standard_normal(parents.shape)
    returns, measures = evo.evaluate(task, network, children, seed=0, measures=True)
    shares = np.stack([measures[:, left].mean(axis=1), measures[:, right].mean(axis=1)])  # 0 to 1
    rows = np.ravel_multi_index(tuple(np.minimum((shares * cells).astype(int), cells - 1)), (cells, cells))
    for child, cell, fitness in zip(children, rows, returns.mean(axis=1), strict=True):
        if fitness > best[cell]:
            elites[cell], best[cell] = child, fitness
    if generation % 5 == 4:
        print(f"generation {generation + 1}: {np.isfinite(best).sum()} of {cells * cells} cells, best {best.max():.1f}")
