"""NEAT whose networks learn in their lives, beside NEAT alone for as many generations, and for as much computation.

    python -m benchmarks.neat_learning --seeds 10

Two spirals (Lang & Witbrock 1988), 50 networks, minibatches of 64 examples; a life is five of Adam's steps. An example
that is learned from counts as three that are only looked at, since its gradient multiplies by inputs and by weights.
Every run becomes a line of the results file and is not repeated: the command goes on where it was stopped.
"""

import argparse
import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

import evo
from evo.comparison.statistics import bootstrap_interval, interquartile_mean
from evo.numerics.formatting import table_text

FIRST = 100  # seeds below are for tuning
GENERATIONS, BATCH, LESSONS = 60, 64, 5
SETTINGS = ("method.population_size=50", "method.activations=tanh", "method.add_node=0.1", "method.add_link=0.2")
LEARNING = (f"method.learning_steps={LESSONS}", "method.learning_rate=0.05")
# what a network takes in a generation, in units of a look at its minibatch, is 1 or 1 + 3 LESSONS
CASES: Mapping[str, tuple[str, int]] = {
    "NEAT": ("none", GENERATIONS),
    "Baldwin": ("baldwin", GENERATIONS),
    "Lamarck": ("lamarck", GENERATIONS),
    "NEAT, as much computation": ("none", (1 + 3 * LESSONS) * GENERATIONS),
}


class Row(NamedTuple):
    """A run. accuracy: the champion's on the test split. hidden: its hidden nodes. examples: looked at or learned
    from. seconds: of processor time.
    """

    case: str
    seed: int
    accuracy: float
    hidden: int
    examples: int
    seconds: float


def measure(case: str, seed: int) -> Row:
    """Run one case with one seed, on one thread."""
    learning, generations = CASES[case]
    began = time.process_time()
    with TemporaryDirectory() as folder:
        run = evo.run(
            "spirals",
            method="neat",
            seed=seed,
            generations=generations,
            out=Path(folder) / "run",
            threads=1,
            video=False,
            settings=[f"evaluation.batch={BATCH}", *SETTINGS, *LEARNING, f"method.learning={learning}"],
        )
        metrics, score = run.metrics, run.champion.reported_fitness.mean
        hidden, examples = int(metrics["nodes"][-1]), int(metrics["steps"][-1])
    return Row(case, seed, score, hidden, examples, time.process_time() - began)


def measure_all(seeds: Sequence[int], path: Path) -> list[Row]:
    """Return the rows of all cases and seeds; those that the file at `path` lacks are measured and added to it."""
    rows = {(row.case, row.seed): row for row in read(path)}
    for seed in seeds:
        for case in CASES:
            if (case, seed) in rows:
                continue
            row = rows[case, seed] = measure(case, seed)
            with path.open("a", newline="") as file:
                writer = csv.writer(file)
                if not file.tell():
                    writer.writerow(Row._fields)
                writer.writerow(row)
            print(*row, sep="  ", flush=True)
    return [rows[case, seed] for case in CASES for seed in seeds]


def read(path: Path) -> Iterator[Row]:
    if path.exists():
        with path.open(newline="") as file:
            for line in csv.DictReader(file):
                numbers = float(line["accuracy"]), int(line["hidden"]), int(line["examples"]), float(line["seconds"])
                yield Row(line["case"], int(line["seed"]), *numbers)


def table(rows: Sequence[Row]) -> list[list[str]]:
    """Cells, a line for each case: means over its seeds, and the accuracy's interquartile mean with its interval."""
    lines = [["", "generations", "accuracy", "middle mean", "95 %", "hidden nodes", "million examples", "processor, s"]]
    for case, (_, generations) in CASES.items():
        mine = [row for row in rows if row.case == case]
        accuracies = np.array([row.accuracy for row in mine])
        low, high = bootstrap_interval(accuracies)
        means = [np.mean([getattr(row, name) for row in mine]) for name in ("hidden", "examples", "seconds")]
        cells = [
            f"{accuracies.mean():.3f}",
            f"{interquartile_mean(accuracies):.3f}",
            f"{low:.3f} to {high:.3f}",
            f"{means[0]:.1f}",
            f"{means[1] / 1e6:.2f}",
        ]
        lines.append([case, str(generations), *cells, f"{means[2]:.1f}"])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help=f"from {FIRST} up")
    parser.add_argument("--results", type=Path, default=Path("neat_learning.csv"))
    given = parser.parse_args()
    rows = measure_all(range(FIRST, FIRST + given.seeds), given.results)
    print("\n" + table_text(table(rows)))


if __name__ == "__main__":
    main()
