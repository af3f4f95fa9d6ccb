"""A small helping of the proofs: methods on nodes beside threads, and runs whose nodes and driver are killed."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.chaos import CASES, KINDS, plan
from tests.cluster.equality import ASKING, PROBLEMS
from tests.cluster.equality import CASES as EQUAL
from tests.support.places import ROOT

# One for each way in which a population travels, and each kind of problem; restarts, and racing.
FEW = (
    "xor openai-es",
    "xor deep-ga",
    "xor bipop",
    "cartpole ga",
    "cartpole islands",
    "CartPole-v1 pgpe",
    "cartpole powell",
)


def test_every_method_that_asks_is_run_on_every_kind_of_problem() -> None:
    assert {"ars", "cma-es", "deep-ga", "islands", "bipop", "powell", "ars-v1"} <= {*ASKING}
    assert {(case.problem, case.method) for case in EQUAL} >= set(itertools.product(PROBLEMS, ASKING))


def test_the_plan_is_a_function_of_its_seed_and_holds_all_kinds() -> None:
    def first(seed: int) -> list[object]:
        return list(itertools.islice(plan(seed, CASES), 20))

    assert first(3) == first(3) and first(3) != first(4)
    struck = [strike.kind for trial in itertools.islice(plan(0, CASES), 20) for strike in trial.strikes]
    assert {*struck} == {*KINDS} and len(struck) > 100


def prove(module: str, *words: str) -> str:
    """Run a proof; return the last line of its table."""
    told = subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout.splitlines()[-1]


@pytest.mark.ray
def test_methods_on_two_nodes_equal_threads(tmp_path: Path) -> None:
    few = [word for name in FEW for word in ("--case", name)]
    prove("tests.cluster.equality", "--nodes", "2", "--out", str(tmp_path), *few)


@pytest.mark.ray
def test_a_run_whose_nodes_and_driver_are_killed_and_stopped_equals_threads(tmp_path: Path) -> None:
    """The first trial of seed 0 kills the head of its cluster too."""
    last = prove(
        "tests.cluster.chaos", "--kills", "1", "--runs", "1", "--out", str(tmp_path), "--case", "function, cma"
    )
    name, trials, *kills, _, differing = last.split()
    assert (name, trials, differing) == ("all", "1", "0") and sum(map(int, kills)) >= 5
