"""The genetic algorithm on a plain function: what to pack, beside the exact best by dynamic programming."""

import numpy as np

import evo

random = np.random.default_rng(0)
weights, values = random.integers(5, 50, size=40), random.integers(10, 100, size=40)
capacity = int(weights.sum() // 3)


def fitness(packed: np.ndarray) -> np.ndarray:
    """The value of what is packed, (individuals,); too heavy a knapsack is worth less than an empty one."""
    excess = packed @ weights - capacity
    return np.where(excess > 0, -excess, packed @ values)


ga = evo.GA(
    np.zeros(40),  # an empty knapsack to begin with; 1 is packed
    seed=0,
    genome="binary",
    population_size=200,
    select="tournament:size=3",
    cross="uniform",
    mutate="bit-flip",
)
for _ in range(300):
    ga.tell(fitness(ga.ask().dense()))

best_at = np.zeros(capacity + 1, dtype=int)  # the most value of each weight at most (Bellman 1957)
for weight, value in zip(weights, values, strict=True):
    best_at[weight:] = np.maximum(best_at[weight:], best_at[:-weight] + value)

packed = ga.candidates()[0]
print(f"evolved {fitness(packed[np.newaxis])[0]:.0f}, the best there is {best_at[capacity]}")
assert packed @ weights <= capacity
assert fitness(packed[np.newaxis])[0] == best_at[capacity]
