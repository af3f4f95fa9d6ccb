"""NEAT without one of its parts, on two poles with velocities: evaluations and failures.

    python -m benchmarks.neat_ablations --seeds 20

The ablations of Stanley & Miikkulainen 2002, section 5: without species everybody is of one; structures that do not
grow are minimal for ever, or random from the start (ten generations of changes without selection) and grow on; without
mating every child has one parent.
"""

import argparse
from pathlib import Path

from benchmarks.neat_solves import FIRST, Case, run, table
from evo.envs.engine.physics import available_threads
from evo.numerics.formatting import table_text

CASES = (
    Case("poles"),
    Case("poles", "no mating", {"mutation_only": 1.0}),
    Case("poles", "random structures", {}, 10),
    Case("poles", "no growth", {"add_node": 0.0, "add_link": 0.0}),
    Case("poles", "no species", {"threshold": 1e9}),
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
