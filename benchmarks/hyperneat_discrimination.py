"""HyperNEAT on visual discrimination, and what it evolved at higher resolutions without further evolution.

    python benchmarks/hyperneat_discrimination.py --seeds 20 --out runs/discrimination

The terms of Stanley, D'Ambrosio & Gauci 2009, "A hypercube-based encoding for evolving large-scale neural networks",
section 4: a field of 11 × 11, 75 trials, a population of 100, 300 generations, 20 runs; fitness is minus the sum of the
squared distances between the chosen place and the middle of the larger box. The same graphs then paint substrates of
33 × 33 and 55 × 55. Distances are in units: sides of the small box, which is one number wide on 11 × 11, and three and
five on the others. NEAT's settings are evo's preset for the task, not the paper's. A seed's run lies in its own folder,
and one that was cut short goes on.
"""

import argparse
from pathlib import Path

import numpy as np

import evo

NETWORK = "hyperneat:grid:nobias"
RESOLUTIONS = (11, 33, 55)


def evolved(seed: int, generations: int, population: int, folder: Path) -> evo.Run:
    """Evolve on 11 × 11, or go on with it."""
    path = folder / f"seed-{seed}"
    if path.exists():
        return evo.resume(path, generations=generations, video=False)
    settings = {"method.population_size": population}
    return evo.run(
        "boxes",
        method="neat",
        network=NETWORK,
        seed=seed,
        generations=generations,
        settings=settings,
        out=path,
        video=False,
    )


def distances(params: np.ndarray) -> list[float]:
    """Return the mean distance from the middle of the larger box at each resolution, in units."""
    found = []
    for resolution in RESOLUTIONS:
        task = evo.task("boxes", resolution=resolution)
        _, measures = evo.evaluate(task, evo.network(NETWORK, task), [params], measures=True)
        found.append(float(measures[0, 0]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--generations", type=int, default=300)
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path("runs/discrimination"))
    given = parser.parse_args()
    weights = ", ".join(f"{side} × {side}: {side**4:,} weights" for side in RESOLUTIONS)
    print(f"mean distance in units ({weights})", flush=True)
    rows = []
    for seed in range(given.seeds):
        run = evolved(seed, given.generations, given.population, given.out)
        rows.append(distances(run.champion.params))
        solved = np.flatnonzero(run.metrics["best"] == 0)
        when = f"every trial right from generation {int(solved[0])} on" if len(solved) else "some trials wrong"
        print(f"seed {seed}: " + "  ".join(f"{each:.3f}" for each in rows[-1]) + f"  {when}", flush=True)
    found = np.array(rows)
    for column, side in enumerate(RESOLUTIONS):
        told = f"mean {found[:, column].mean():.3f}, SD {found[:, column].std(ddof=min(1, len(found) - 1)):.3f}"
        print(f"{side} × {side}: {told}, worst {found[:, column].max():.3f}, perfect {np.sum(found[:, column] == 0)}")


if __name__ == "__main__":
    main()
