"""evo's MAP-Elites, CMA-ME and CMA-MAE beside pyribs': the linear projection of the sphere, and an evaluation's cost.

    pip install ribs
    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_pyribs --generations 10000 --seeds 5
    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.beside_pyribs --generations 300 --theirs

100 dimensions, 100 × 100 cells, 540 evaluations a generation, with the settings of pyribs' `examples/sphere.py`; the
published values (its documentation, 20 trials of 10,000 generations) stand beside ours. With `--theirs` pyribs runs
too, in the same process, the two taking turns of a few generations, so that a busy machine slows both. Every finished
run becomes a line of the results file.
"""

import argparse
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

with contextlib.suppress(ImportError):
    import ribs  # noqa: F401  # before evo: numba's cache, which evo replaces, is a base class in what it imports

from evo.algorithms.quality_diversity.cma_mae import CMAMAE
from evo.algorithms.quality_diversity.cma_me import CMAME
from evo.algorithms.quality_diversity.map_elites import MAPElites
from evo.numerics.formatting import table_text
from evo.problems.measured_functions import MEASURED_FUNCTIONS

SIZE, CELLS, EMITTERS, BATCH = 100, 100, 15, 36
FUNCTION = MEASURED_FUNCTIONS["projected-sphere"]
PUBLISHED = {  # QD score, its standard deviation, coverage in per cent
    "MAP-Elites": (416_112, 2_681, 50.72),
    "MAP-Elites, iso + line": (491_014, 1_119, 60.44),
    "CMA-ME": (456_678, 2_882, 55.84),
    "CMA-MAE": (633_369, 1_504, 81.02),
}
Turn = tuple[float, float, float]  # seconds, QD score and coverage so far


def make_ours(name: str, seed: int) -> MAPElites | CMAME | CMAMAE:
    ranges = ",".join(f"{low}:{high}" for low, high in FUNCTION.ranges(SIZE))
    common: dict[str, Any] = {"ranges": ranges, "archive": f"grid:{CELLS}"}
    if name == "CMA-ME":
        return CMAME(np.zeros(SIZE), seed, emitters=EMITTERS, population_size=BATCH, sigma=0.5, **common)
    if name == "CMA-MAE":
        return CMAMAE(np.zeros(SIZE), seed, emitters=EMITTERS, population_size=BATCH, sigma=0.5, **common)
    cross = "line:sigma=0.2" if "line" in name else "none"
    variation = {"cross": cross, "mutate": "gaussian:sigma=0.5", "genome": "real:spread=0.5"}
    return MAPElites(np.zeros(SIZE), seed, population_size=EMITTERS * BATCH, **variation, **common)


def ours(name: str, seed: int, generations: int) -> Iterator[Turn]:
    algorithm = make_ours(name, seed)
    while True:
        began = time.process_time()
        for _ in range(generations):
            rows = algorithm.ask().dense()
            algorithm.tell(FUNCTION.fitness(rows), measures=FUNCTION.measure(rows))
        seconds, found = time.process_time() - began, algorithm.diagnostics()
        yield seconds, found["qd_score"], 100 * found["coverage"]


def theirs(name: str, seed: int, generations: int) -> Iterator[Turn]:
    from ribs.archives import GridArchive
    from ribs.emitters import EvolutionStrategyEmitter, GaussianEmitter, IsoLineEmitter
    from ribs.schedulers import Scheduler

    shape: dict[str, Any] = {"solution_dim": SIZE, "dims": (CELLS, CELLS), "ranges": FUNCTION.ranges(SIZE)}
    kept = None
    if name == "CMA-MAE":
        archive, kept = GridArchive(**shape, learning_rate=0.01, threshold_min=0.0), GridArchive(**shape)
    else:
        archive = GridArchive(**shape)
    start: dict[str, Any] = {"x0": np.zeros(SIZE)}
    if name in ("CMA-ME", "CMA-MAE"):
        rules = {
            "CMA-ME": {"ranker": "2imp", "selection_rule": "filter", "restart_rule": "no_improvement"},
            "CMA-MAE": {"ranker": "imp", "selection_rule": "mu", "restart_rule": "basic"},
        }[name]
        emitters = [
            EvolutionStrategyEmitter(archive, **start, sigma0=0.5, batch_size=BATCH, seed=1000 * seed + one, **rules)
            for one in range(EMITTERS)
        ]
    elif "line" in name:
        size = EMITTERS * BATCH
        emitters = [IsoLineEmitter(archive, **start, iso_sigma=0.5, line_sigma=0.2, batch_size=size, seed=seed)]
    else:
        emitters = [GaussianEmitter(archive, **start, sigma=0.5, batch_size=EMITTERS * BATCH, seed=seed)]
    scheduler = Scheduler(archive, emitters, result_archive=kept)
    while True:
        began = time.process_time()
        for _ in range(generations):
            rows = scheduler.ask()
            scheduler.tell(FUNCTION.fitness(rows), FUNCTION.measure(rows))
        seconds, stats = time.process_time() - began, (kept if kept is not None else archive).stats
        yield seconds, float(stats.qd_score), 100 * float(stats.coverage)


def measure(name: str, seed: int, generations: int, beside: bool) -> dict[str, Any]:
    """Run one seed, in turns of which the first, which compiles, is not timed."""
    turn = max(1, generations // 20)
    runs = {"evo": ours(name, seed, turn), **({"pyribs": theirs(name, seed, turn)} if beside else {})}
    found: dict[str, list[Turn]] = {who: [] for who in runs}
    for _ in range(generations // turn):
        for who, run in runs.items():
            found[who].append(next(run))
    record: dict[str, Any] = {"name": name, "seed": seed, "generations": generations // turn * turn}
    for who, turns in found.items():
        rate = EMITTERS * BATCH * turn / float(np.median([seconds for seconds, _, _ in turns[1:] or turns]))
        record[who] = {"qd_score": turns[-1][1], "coverage": turns[-1][2], "evaluations_per_second": rate}
    return record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5, help="from 100 up")
    parser.add_argument("--only", default="", help="algorithms whose name has this in it")
    parser.add_argument("--theirs", action="store_true", help="run pyribs beside it")
    parser.add_argument("--results", type=Path, default=Path("beside_pyribs.jsonl"))
    given = parser.parse_args()
    lines = [["algorithm", "seeds", "who", "QD score", "coverage", "evaluations/s of a core", "published at 10,000"]]
    for name in (name for name in PUBLISHED if given.only in name):
        records = []
        for seed in range(100, 100 + given.seeds):
            records.append(measure(name, seed, given.generations, given.theirs))
            with given.results.open("a") as file:
                file.write(json.dumps(records[-1]) + "\n")
        for who in ("evo", "pyribs")[: 1 + given.theirs]:
            score, coverage, rate = (
                np.array([record[who][key] for record in records])
                for key in ("qd_score", "coverage", "evaluations_per_second")
            )
            spread = f" ± {score.std(ddof=1):,.0f}" if len(score) > 1 else ""
            mean, deviation, covered = PUBLISHED[name]
            row = [name, str(len(records)), who, f"{score.mean():,.0f}{spread}", f"{coverage.mean():.2f} %"]
            lines.append([*row, f"{np.median(rate):,.0f}", f"{mean:,} ± {deviation:,}, {covered} %"])
            print(table_text(lines[-1:]), flush=True)
    print("\n" + table_text(lines))


if __name__ == "__main__":
    main()
