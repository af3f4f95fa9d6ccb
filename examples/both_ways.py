"""The same small network on a data set by backprop and by evolution, and what each of them cost.

`python -m examples.both_ways --out DIRECTORY` makes the table in runs/reference/both-ways, in about half an hour of one
core; runs that are there already stay. `--only spirals` makes a table of two lines, `--share 0.01` with so much of the
budget, to be kept in a directory of its own.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import evo
from evo.numerics.formatting import number
from evo.runs.champion import Fitness
from examples.universality import run_or_load

SEEDS = (100, 101, 102)
ADAM, EVOLUTION = "adam", "openai-es"
# Data set → its options; a network small enough to be evolved; epochs of backprop; and of evolution the generations,
# pairs, examples that everyone answers in one, sigma and learning rate. Tuned on seed 0.
DATA: dict[str, tuple[dict[str, Any], str, int, tuple[int, int, int, float, float]]] = {
    "houses": ({}, "mlp:16", 400, (1500, 64, 128, 0.1, 0.05)),
    "signs": ({}, "average:2>conv:8x3>pool:2>conv:16x3>pool:2>dense:2", 30, (1000, 128, 32, 0.05, 0.02)),
    "text": ({"length": 4, "sequence": False}, "mlp:32", 10, (3000, 128, 64, 0.05, 0.02)),
    "spirals": ({}, "mlp:32,32", 10_000, (5000, 64, 256, 0.1, 0.05)),
}


def learned(name: str, method: str, seed: int, share: float, folder: Path) -> evo.Run:
    """The finished run of a data set, a method and a seed."""
    options, network, epochs, (generations, pairs, batch, sigma, learning_rate) = DATA[name]
    settings = {f"task.{option}": value for option, value in options.items()}
    path = folder / f"{name}-{method}-seed{seed}"
    budget = {"epochs": share * epochs}
    if method == EVOLUTION:
        count = max(1, round(share * generations))
        budget = {"generations": count}
        search = {"pairs": pairs, "sigma": sigma, "learning_rate": learning_rate, "anneal_generations": count}
        settings |= {"evaluation.batch": batch, **{f"method.{option}": value for option, value in search.items()}}
    return run_or_load(path, name, network=network, method=method, seed=seed, settings=settings, **budget)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=DATA)
    parser.add_argument("--share", type=float, default=1.0, help="of the budget")
    parser.add_argument("--out", type=Path, default=Path("runs/both-ways"))
    given = parser.parse_args()
    lines = [
        ["data set", "network", "method", *(f"seed {seed}" for seed in SEEDS), "mean", "examples", "10⁹ operations"]
    ]
    for name in [given.only] if given.only else DATA:
        for method in (ADAM, EVOLUTION):
            runs = [learned(name, method, seed, given.share, given.out) for seed in SEEDS]
            reached = [run.champion.reported_fitness for run in runs]
            mean = Fitness(np.array([fitness.mean for fitness in reached]), reached[0].metric)
            examples, operations = (float(runs[0].metrics[clock][-1]) for clock in ("steps", "flops"))
            told = [*map(str, reached), str(mean), f"{examples:,.0f}", number(operations / 1e9)]
            lines.append([name, f"`{runs[0].champion.network_text}`", method, *told])
            print(" | ".join(lines[-1]), flush=True)
    lines.insert(1, ["---"] * len(lines[0]))
    (given.out / "table.md").write_text("\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n")


if __name__ == "__main__":
    main()
