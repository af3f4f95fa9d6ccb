"""Runs every method that asks and tells on clusters of nodes, and compares with threads: nothing may differ.

From the top of the repository, with the extra `ray`:

    python -m tests.cluster.equality --nodes 1,2,3,5

Each method runs on each of the problems below, a few generations, once on threads and once on each cluster; metrics,
last checkpoint, champion and fossils are compared bit by bit. Slices are cut much smaller than usual, so that these
small populations make many of them. What is done is recorded in --out, and the same command goes on there. Exit status
1 where anything differed, or a node that was there evaluated nothing.
"""

import argparse
import csv
import itertools
import math
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import evo
from evo.cluster.named import workers_by_name
from evo.cluster.nodes import Nodes
from evo.learners import METHODS
from evo.learners.local_search import LocalSearch
from tests.chaos import differences, draw_nothing
from tests.support.ray_cluster import begin

_FEW = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 3}
# What a slice has of env steps, of a data set's multiplications, of a function's numbers.
_SMALL = {
    "evo.problems.control._SLICE_STEPS": 1000,
    "evo.problems.supervised._SLICE_PRODUCTS": 2000,
    "evo.problems.function._SLICE_NUMBERS": 8,
}


@dataclass(frozen=True)
class Case:
    """A method on a problem, some generations of it."""

    problem: str
    task: str
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return " ".join([self.task, self.method, *map(str, self.settings)])

    def run(self, path: Path, **where: Any) -> None:
        evo.run(
            self.task,
            method=self.method,
            generations=3,
            seed=3,
            out=path,
            video=False,
            settings={**_FEW, **self.settings},
            **where,
        )


PROBLEMS = {"compiled task": "cartpole", "data set": "xor", "Gymnasium environment": "CartPole-v1"}
# Those that ask and tell, and scipy's, which evaluate a point at a time.
ASKING = [
    name
    for name, method in METHODS.items()
    if hasattr(method.constructor(), "ask") or issubclass(method.constructor(), LocalSearch)
]
CASES = [Case(problem, task, method) for problem, task in PROBLEMS.items() for method in ASKING]
CASES += [
    Case("compiled task", "cartpole", "ga", {"evaluation.racing": True, "evaluation.episodes": 6}),
    Case("compiled task", "cartpole", "openai-es", {"evaluation.episodes": 40}),
    Case("function", "rastrigin", "cma-es"),
]


@contextmanager
def small_slices() -> Iterator[None]:
    """Cut slices small in this process, which is where they are cut."""
    patches = [mock.patch(name, size) for name, size in _SMALL.items()]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in patches:
            patch.stop()


def wait_for(nodes: Nodes, count: int, patience: float = math.inf) -> None:
    """Evaluate something until so many nodes have joined, or some seconds have passed."""
    task = evo.task("cartpole")
    network = evo.network("linear", task)
    rows = np.zeros((64, network.size))
    until = time.monotonic() + patience
    while len(nodes.dispatch.nodes) < count and time.monotonic() < until:
        evo.evaluate(task, network, rows, seed=0, workers=nodes)


def compare(case: Case, whole: Path, path: Path, nodes: Nodes) -> dict[str, Any]:
    """Run a case on nodes; return what differs from the run `whole` on threads, and how many slices each node did."""
    if not (whole / "whole").exists():
        shutil.rmtree(whole, ignore_errors=True)
        case.run(whole, threads=1)
        (whole / "whole").touch()
    shutil.rmtree(path, ignore_errors=True)
    before = {name: node.slices for name, node in nodes.dispatch.nodes.items()}
    with small_slices():
        case.run(path, workers=nodes)
    problems = differences(whole, path) + [f"{name} refused: {why}" for name, why in nodes.refused.items()]
    problems += [f"{nodes.differing} second evaluations differed"] if nodes.differing else []
    if not problems:
        shutil.rmtree(path)
    slices = [node.slices - before.get(name, 0) for name, node in nodes.dispatch.nodes.items()]
    return {
        "problem": case.problem,
        "case": case.name,
        "nodes": len(nodes.dispatch.nodes),
        "slices": "+".join(map(str, slices)),
        "differing": "; ".join(problems),
    }


def run_on(count: int, cases: list[Case], folder: Path) -> Iterator[dict[str, Any]]:
    """Run cases on a cluster of so many nodes, which ends with them."""
    cluster = begin(count)
    try:
        nodes = workers_by_name(f"ray:{cluster.address}", 1)
        wait_for(nodes, count)
        for case in cases:
            name = case.name.replace(" ", "-")
            yield compare(case, folder / "threads" / name, folder / f"nodes-{count}" / name, nodes)
        nodes.close()
    finally:
        cluster.end()


def by_node(rows: Iterable[Mapping[str, Any]]) -> np.ndarray:
    """How many slices each node evaluated in all of some runs on one cluster."""
    each = [[int(part) for part in row["slices"].split("+")] for row in rows]
    return np.sum([*itertools.zip_longest(*each, fillvalue=0)], axis=1)


def table(rows: list[Mapping[str, Any]]) -> str:
    """Runs, slices and what differed, by cluster and kind of problem."""
    lines = [f"{'nodes':>5}  {'problem':22} {'methods':>7} {'slices':>7} {'differing':>9}  slices of each node"]
    for count, problem in dict.fromkeys((row["nodes"], row["problem"]) for row in rows):
        mine = [row for row in rows if (row["nodes"], row["problem"]) == (count, problem)]
        each, differing = by_node(mine), sum(bool(row["differing"]) for row in mine)
        lines.append(f"{count:>5}  {problem:22} {len(mine):7} {each.sum():7} {differing:9}  {' '.join(map(str, each))}")
    return "\n".join(lines)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.equality", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--nodes", default="1,2,3,5", help="numbers of nodes (default: 1,2,3,5)")
    parser.add_argument("--case", action="append", help="only cases whose name has this in it; repeatable")
    parser.add_argument("--out", type=Path, default=Path("runs/equality"), help="folder (default: runs/equality)")
    given = parser.parse_args(words)
    cases = [case for case in CASES if not given.case or any(part in case.name for part in given.case)]
    if not cases:
        parser.error(f"no such case; there are {', '.join(case.name for case in CASES)}")
    draw_nothing()
    given.out.mkdir(parents=True, exist_ok=True)
    results, fields = given.out / "results.csv", ["problem", "case", "nodes", "slices", "differing"]
    if not results.exists():
        results.write_text(",".join(fields) + "\n")
    with results.open() as file:
        rows: list[Mapping[str, Any]] = [{**row, "nodes": int(row["nodes"])} for row in csv.DictReader(file)]
    for count in map(int, given.nodes.split(",")):
        done = {row["case"] for row in rows if row["nodes"] == count}
        missing = [case for case in cases if case.name not in done]
        for row in run_on(count, missing, given.out) if missing else ():
            with results.open("a", newline="") as file:
                csv.DictWriter(file, fields).writerow(row)
            rows.append(row)
            if row["differing"]:
                print(f"{row['case']} on {count} nodes differs: {row['differing']}", flush=True)
    print(table(rows))
    idle = any(
        (by_node(row for row in rows if row["nodes"] == count) == 0).any() for count in {row["nodes"] for row in rows}
    )
    return int(idle or any(row["differing"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
