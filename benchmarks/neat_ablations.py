"""NEAT without one of its parts, on two poles with velocities: evaluations and failures.

    python -m benchmarks.neat_ablations --seeds 20

The ablations of Stanley & Miikkulainen 2002, section 5; first generations are those of `benchmarks.neat_starts`.
Without mating every child has one parent. Without minimal structure NEAT begins with random structures, and so it does
without species, when everybody is of one. Without growth the structure stays a layer of 10 hidden nodes, fully
connected. Beside these, without growth or species but minimal all the same.
"""

import argparse
from pathlib import Path

from benchmarks.neat_solves import FIRST, Case, run, table
from benchmarks.neat_starts import hidden_layer, random_structures
from evo.envs.engine.physics import available_threads
from evo.numerics.formatting import table_text

_NO_GROWTH = {"add_node": 0.0, "add_link": 0.0}
_NO_SPECIES = {"threshold": 1e9}
CASES = (
    Case("poles"),
    Case("poles", "no mating", {"mutation_only": 1.0}),
    Case("poles", "random structures", {}, random_structures),
    Case("poles", "random structures, no species", _NO_SPECIES, random_structures),
    Case("poles", "hidden layer, no growth", _NO_GROWTH, hidden_layer),
    Case("poles", "minimal, no growth", _NO_GROWTH),
    Case("poles", "minimal, no species", _NO_SPECIES),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help=f"from {FIRST} up")
    parser.add_argument("--results", type=Path, default=Path("neat_solves.csv"), help="that of neat_solves")
    parser.add_argument("--processes", type=int, default=available_threads())
    given = parser.parse_args()
    rows = run(CASES, range(FIRST, FIRST + given.seeds), given.results, given.processes)
    print("\n" + table_text(table(CASES, rows)))


if __name__ == "__main__":
    main()
