"""How far creatures come that lose a limb, with and without trial and error in their maps.

    python -m benchmarks.recovery RUN… [--limbs 3] [--out recovery.csv]

Cully, Clune, Tarapore & Mouret 2015, "Robots that can adapt like animals": `evo recover` on every map and limb. Each
line of the table is a map without one limb: metres of the champion before and after the loss, and of the gait found, as
means of 100 report episodes, and the trials that this took. A line is written as soon as it is known and not repeated.
"""

import argparse
import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np

import evo
from evo.envs.adversity.injuries import limbs
from evo.envs.task import Task
from evo.numerics.formatting import table_text


class Row(NamedTuple):
    """A map without one limb: metres on average, and trials."""

    run: str
    limb: str
    whole: float
    damaged: float
    recovered: float
    trials: int


def without(run: evo.Run, limb: str, trials: int) -> Row:
    """Recover a run's creature from the loss of a limb."""
    found = run.recover(limb, trials, threads=1)
    metres = [fitness.measures["x"] for fitness in (found.whole, found.damaged, found.recovered)]
    return Row(run.path.name, limb, *metres, len(found.trials))


def summary(rows: list[Row]) -> str:
    """Return a table by limb, and of all: medians over maps, and how often the gait found comes farther."""
    lines = [("limb", "maps", "whole", "damaged", "recovered", "farther", "trials")]
    for name in [*dict.fromkeys(row.limb for row in rows), "all"]:
        of = [row for row in rows if name in (row.limb, "all")]
        metres = (f"{np.median([getattr(row, what) for row in of]):.2f}" for what in ("whole", "damaged", "recovered"))
        farther = sum(row.recovered > row.damaged for row in of)
        lines.append((name, str(len(of)), *metres, str(farther), f"{np.median([row.trials for row in of]):g}"))
    return table_text(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="runs of one creature that left an archive")
    parser.add_argument("--limbs", type=int, default=3, help="number of limbs that are lost, one at a time")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("recovery.csv"))
    given = parser.parse_args()
    rows = []
    if given.out.exists():
        for one in csv.DictReader(given.out.read_text().splitlines()):
            numbers = (float(one[name]) for name in ("whole", "damaged", "recovered"))
            rows.append(Row(one["run"], one["limb"], *numbers, int(one["trials"])))
    done = {row[:2] for row in rows}
    for run in map(evo.load, given.runs):
        task = run.champion.task
        assert isinstance(task, Task)
        for limb in limbs(task.model)[: given.limbs]:
            if (run.path.name, limb) in done:
                continue
            rows.append(without(run, limb, given.trials))
            print(*rows[-1])
            with given.out.open("a", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                if file.tell() == 0:
                    writer.writerow(Row._fields)
                writer.writerow(rows[-1])
    print(summary(rows))


if __name__ == "__main__":
    main()
