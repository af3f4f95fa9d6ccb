"""Evaluations that NEAT needs to solve XOR, and two poles with and without velocities, beside the paper's figures.

    python -m benchmarks.neat_solves xor poles poles-without-velocities --seeds 100

The experiments are those of `benchmarks.neat_experiments`. Every seed becomes a line of the results file and is not
repeated: the command goes on where it was stopped. One seed runs on one processor, as many at once as there are.
"""

import argparse
import csv
import multiprocessing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.neat_experiments import EXPERIMENTS, Row, solve
from benchmarks.neat_starts import Start
from evo.comparison.statistics import bootstrap_interval, interquartile_mean
from evo.envs.engine.physics import available_threads
from evo.numerics.formatting import table_text

FIRST = 100  # seeds below are for tuning
# mean evaluations, with the standard deviation where it was found, as later papers cite them
PAPER = {"xor": "4,755 ± 2,553", "poles": "3,600", "poles-without-velocities": "33,184"}


class Case(NamedTuple):
    """An experiment with options of NEAT's that differ; see `solve`."""

    experiment: str
    variant: str = ""
    options: Mapping[str, Any] = {}
    start: Start | None = None


def run(cases: Sequence[Case], seeds: Sequence[int], path: Path, processes: int) -> list[Row]:
    """Return the rows of all cases and seeds; those that the file at `path` lacks are computed and added to it."""
    rows = {(row.experiment, row.variant, row.seed): row for row in read(path)}
    missing = [(case, seed) for seed in seeds for case in cases if (case.experiment, case.variant, seed) not in rows]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("forkserver")) as pool:
        tasks = [
            pool.submit(solve, case.experiment, seed, case.options, case.variant, case.start) for case, seed in missing
        ]
        for done in as_completed(tasks):
            row = done.result()
            with path.open("a", newline="") as file:
                writer = csv.writer(file)
                if not file.tell():
                    writer.writerow(Row._fields)
                writer.writerow(row)
            rows[row.experiment, row.variant, row.seed] = row
            print(*row[:6], sep="  ", flush=True)
    return [rows[case.experiment, case.variant, seed] for case in cases for seed in seeds]


def read(path: Path) -> Iterator[Row]:
    if path.exists():
        with path.open(newline="") as file:
            for line in csv.DictReader(file):
                yield Row(line["experiment"], line["variant"], *(int(line[name]) for name in Row._fields[2:]))


def table(cases: Sequence[Case], rows: Sequence[Row]) -> list[list[str]]:
    """Cells, a line for each case: evaluations of the seeds that solved it, and their networks.

    The interquartile mean counts a failure as all the evaluations that it had.
    """
    lines = [["", "solved", "mean", "SD", "most", "middle mean", "95 %", "hidden", "links", "paper"]]
    for case in cases:
        mine = [row for row in rows if (row.experiment, row.variant) == (case.experiment, case.variant)]
        solved = [row for row in mine if row.solved]
        spent = np.array([row.evaluations for row in mine], np.float64)
        low, high = bootstrap_interval(spent)
        cells = [f"{case.experiment} {case.variant}".strip(), f"{len(solved)} of {len(mine)}"]
        if solved:
            needed = np.array([row.evaluations for row in solved], np.float64)
            deviation = needed.std(ddof=1) if len(needed) > 1 else np.nan
            cells += [f"{needed.mean():,.0f}", f"{deviation:,.0f}", f"{needed.max():,.0f}"]
        else:
            cells += ["–"] * 3
        cells += [f"{interquartile_mean(spent):,.0f}", f"{low:,.0f} to {high:,.0f}"]
        for name in ("hidden", "links"):
            cells.append(f"{np.mean([getattr(row, name) for row in solved]):.2f}" if solved else "–")
        lines.append([*cells, "" if case.variant else PAPER[case.experiment]])
    return lines


def options_of(words: Sequence[str]) -> dict[str, Any]:
    """Return NEAT's options from words such as `power=1.8`."""
    given = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            given[name] = float(value) if any(sign in value for sign in ".e") else int(value)
        except ValueError:
            given[name] = value
    return given


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiments", nargs="+", choices=list(EXPERIMENTS))
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=FIRST, help="the first seed; those below 100 are for tuning")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="other options of NEAT's")
    parser.add_argument("--results", type=Path, default=Path("neat_solves.csv"))
    parser.add_argument("--processes", type=int, default=available_threads())
    given = parser.parse_args()
    cases = [Case(name, " ".join(given.set), options_of(given.set)) for name in given.experiments]
    rows = run(cases, range(given.first, given.first + given.seeds), given.results, given.processes)
    print("\n" + table_text(table(cases, rows)))


if __name__ == "__main__":
    main()
