"""evo's NSGA-II and NSGA-III beside pymoo's: hypervolume at equal evaluations, and the cost of ask and tell.

    pip install pymoo
    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_pymoo --seeds 31

ZDT1 to 4 and 6 and DTLZ2 of three objectives, 100 individuals and 250 generations, both with simulated binary crossover
and polynomial mutation as they are by default. The hypervolume is above 1.1 in every objective, of the final
population, by moocore for both. Both run in the same process and take turns of one generation, so that a busy machine
slows both; only ask and tell are timed, in processor time. Every finished pair becomes a line of the results file, and
is not run again.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moocore
import numpy as np
from scipy.stats import ttest_ind

from evo.algorithms.multi_objective.nsga_ii import NSGAII
from evo.algorithms.multi_objective.nsga_iii import NSGAIII
from evo.numerics.formatting import table_text
from evo.numerics.randomness import generator
from evo.problems.named_functions import find_landscape

FUNCTIONS = ("zdt1", "zdt2", "zdt3", "zdt4", "zdt6", "dtlz2")
OURS: dict[str, Any] = {"nsga-ii": NSGAII, "nsga-iii": NSGAIII}
POPULATION = 100
Turn = tuple[float, np.ndarray]  # seconds of ask and tell, and the population's values, to be minimised


def ours(method: str, function: str, seed: int) -> Iterator[Turn]:
    problem: Any = find_landscape(function)()
    initial = problem.initial(generator(seed, "start of a benchmark"))
    search = OURS[method](initial, seed, population_size=POPULATION, **problem.describe(initial, seed))
    while True:
        began = time.process_time()
        population = search.ask()
        asked = time.process_time() - began
        fitness, _, objectives = problem.judge(population.dense(), np.zeros(1, np.int64))
        began = time.process_time()
        search.tell(fitness[:, 0], objectives=objectives)
        yield asked + time.process_time() - began, -search.objectives


def theirs(method: str, function: str, seed: int) -> Iterator[Turn]:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.algorithms.moo.nsga3 import NSGA3
    from pymoo.core.evaluator import Evaluator
    from pymoo.problems import get_problem
    from pymoo.util.ref_dirs import get_reference_directions

    problem = get_problem(function, **({"n_var": 12, "n_obj": 3} if function == "dtlz2" else {}))
    if method == "nsga-ii":
        search = NSGA2(pop_size=POPULATION)
    else:
        partitions = 12 if problem.n_obj == 3 else POPULATION - 1
        directions = get_reference_directions("das-dennis", problem.n_obj, n_partitions=partitions)
        search = NSGA3(directions, pop_size=POPULATION)
    search.setup(problem, termination=("n_gen", 10**9), seed=seed, verbose=False)
    while True:
        began = time.process_time()
        population = search.ask()
        asked = time.process_time() - began
        Evaluator().eval(problem, population)
        began = time.process_time()
        search.tell(infills=population)
        yield asked + time.process_time() - began, search.pop.get("F")


def measure(method: str, function: str, seed: int, generations: int) -> dict[str, Any]:
    """Run one seed of both; the first generation, which compiles, is not timed."""
    runs = {"evo": ours(method, function, seed), "pymoo": theirs(method, function, seed)}
    seconds: dict[str, list[float]] = {who: [] for who in runs}
    values: dict[str, np.ndarray] = {}
    for _ in range(generations):
        for who, run in runs.items():
            took, values[who] = next(run)
            seconds[who].append(took)
    record: dict[str, Any] = {"method": method, "function": function, "seed": seed, "generations": generations}
    for who in runs:
        volume = float(moocore.hypervolume(values[who], ref=[1.1] * values[who].shape[1]))
        record[who] = {"hypervolume": volume, "milliseconds": 1e3 * float(np.median(seconds[who][1:]))}
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=250)
    parser.add_argument("--seeds", type=int, default=31, help="from 100 up")
    parser.add_argument("--methods", default=",".join(OURS))
    parser.add_argument("--functions", default=",".join(FUNCTIONS))
    parser.add_argument("--results", type=Path, default=Path("beside_pymoo.jsonl"))
    given = parser.parse_args()
    known = [json.loads(line) for line in given.results.read_text().splitlines()] if given.results.exists() else []
    done = {(one["method"], one["function"], one["seed"]): one for one in known}
    lines = [["method", "function", "seeds", "evo", "pymoo", "difference (95 %)", "ask + tell: evo, pymoo", "ratio"]]
    for method in given.methods.split(","):
        for function in given.functions.split(","):
            records = []
            for seed in range(100, 100 + given.seeds):
                key = (method, function, seed)
                if key not in done or done[key]["generations"] != given.generations:
                    done[key] = measure(method, function, seed, given.generations)
                    with given.results.open("a") as file:
                        file.write(json.dumps(done[key]) + "\n")
                records.append(done[key])
            lines.append([method, function, str(len(records)), *compare(records)])
            print(table_text(lines[-1:]), flush=True)
    print("\n" + table_text(lines))


def compare(records: list[dict[str, Any]]) -> list[str]:
    """Return means of the hypervolumes, the interval of their difference (Welch), and the cost of a generation."""
    one, other = (np.array([record[who]["hypervolume"] for record in records]) for who in ("evo", "pymoo"))
    one_ms, other_ms = (np.array([record[who]["milliseconds"] for record in records]) for who in ("evo", "pymoo"))
    interval = ""
    if len(records) > 1:
        least, most = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
        interval = f" ({least:+.5f} to {most:+.5f})"
    return [
        f"{one.mean():.5f}",
        f"{other.mean():.5f}",
        f"{one.mean() - other.mean():+.5f}{interval}",
        f"{np.median(one_ms):.2f} ms, {np.median(other_ms):.2f} ms",
        f"{np.median(other_ms / one_ms):.1f}",
    ]


if __name__ == "__main__":
    main()
