"""What does not fit the memory is said in a line, with the figure, before it is allocated."""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.algorithms import ALGORITHMS
from evo.algorithms.footprint import bytes_needed
from evo.config.resolve import resolve_config
from evo.evaluation.episode import SCRATCH_BYTES
from evo.evaluation.life import Lives
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.networks.parsing import words_of
from evo.problems.control import Walking
from evo.storage import memory
from tests.support.places import ROOT

FREE = 8e9  # bytes, wherever the tests run
SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


@pytest.fixture(autouse=True)
def _free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available", lambda: FREE)


def run(task: str, **words: Any) -> Callable[[Path], object]:
    settings = {**({} if task == "rastrigin" else SMALL), **words.pop("settings", {})}
    return lambda path: evo.run(task, **words, settings=settings, generations=1, video=False, out=path / "run")


ABSURD = {
    "a matrix for a large network": (run("quadruped", method="cma-es", network="mlp:256,256"), "CMAES on 70,"),
    "a matrix in restarts": (run("quadruped", method="bipop", network="mlp:256,256"), "sep-cma-es, lm-ma-es"),
    "a matrix in a natural gradient": (run("cartpole", method="xnes", network="mlp:256,256"), "XNES on 6"),
    "a matrix for digits": (run("xor", method="ipop", network="mlp:128,128"), "IPOP on 1"),
    "population": (
        run("cartpole", method="ga", settings={"method.population_size": 10**9}),
        "population_size 1,000,000,000",
    ),
    "population of restarts": (
        run("rastrigin", method="ipop", settings={"method.population_size": 10**9}),
        "population",
    ),
    "pairs": (run("cartpole", method="openai-es", settings={"method.pairs": 10**9}), "pairs 1,000,000,000"),
    "directions": (run("cartpole", method="ars", settings={"method.directions": 10**9}), "directions 1,000,000,000"),
    "islands": (run("cartpole", method="islands", settings={"method.islands": 10**9}), "1,000,000,000 islands"),
    "islands' populations": (
        run("cartpole", method="islands", settings={"method.algorithm": "ga:population_size=1000000000"}),
        "GA on",
    ),
    "environments": (run("cartpole", method="ppo", settings={"method.environments": 2**30}), "1,073,741,824 environ"),
    "horizon": (run("cartpole", method="ppo", settings={"method.horizon": 2**40}), "environments of 1,099,511,627,776"),
    "environments in pairs": (run("cartpole", method="persistent-es", settings={"method.pairs": 10**9}), "pairs"),
    "dim": (run("rastrigin", dim=10**9), "rastrigin of 1,000,000,000 numbers"),
    "lstm": (run("quadruped", network="lstm:20000"), "'lstm:20000', 1,"),
    "a window": (run("cartpole", network="dense:4>attention:1:100000000>dense:1"), "a shorter window"),
    "letters": (run("cartpole", network="mlp:" + "1," * 500_000 + "1"), "at most 20,000"),
    "examples": (lambda _: evo.dataset("spirals", examples=10**9), "1,000,000,000 examples"),
    "remembered examples": (
        lambda _: evo.dataset("memory", delay=1000, classes=100, examples=10**5),
        "100,000 examples",
    ),
    "episodes": (lambda _: evo.evaluate("cartpole", "linear", np.zeros(4), episodes=10**9), "1,000,000,000 episodes"),
    "threads": (lambda _: evo.evaluate("cartpole", "linear", np.zeros(4), threads=10**9), "between 1 and 1024"),
    "a film": (
        lambda path: evo.replay(ROOT / "runs/reference/quadruped", path / "x.gif", width=10**6),
        "between 16 and 4096",
    ),
    "a minibatch": (
        run("xor", method="adam", network="mlp:8", settings={"evaluation.batch": 10**9}),
        "at most",
    ),
}


@pytest.mark.parametrize(("ask", "said"), ABSURD.values(), ids=ABSURD)
def test_absurd_sizes_are_one_line(ask: Callable[[Path], object], said: str, tmp_path: Path) -> None:
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(evo.EvoError) as caught:
        ask(tmp_path)
    text = str(caught.value)
    assert said in text and "\n" not in text and len(text) < 400, text[:500]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400_000  # kB
    assert time.process_time() - began < 60
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["cma-es", "xnes", "sep-cma-es", "lm-ma-es", "snes", "ga", "cem", "crowding"])
def test_an_estimate_is_no_less_than_what_a_search_keeps(name: str) -> None:
    cls = getattr(evo.algorithms, ALGORITHMS[name].partition(":")[2])
    search = cls(np.zeros(300), 0, population_size=40)
    kept = sum(array.nbytes for array in search.state().values()) + search.ask().dense().nbytes
    needed = bytes_needed(cls, 300, {"population_size": 40})
    assert kept <= needed <= 8 * kept + 256 * 40


def test_what_fits_is_not_refused() -> None:
    for name in ("cma-es", "ipop", "xnes"):
        cls = getattr(evo.algorithms, ALGORITHMS[name].partition(":")[2])
        assert bytes_needed(cls, 5_000, {"population_size": None, "algorithm": "cma-es"}) < FREE
    assert resolve_config(flags={"task.name": "cartpole", "method.directions": 100_000})["method.directions"] == 100_000


def test_a_long_memory_is_evaluated_episode_by_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    live = Lives.live

    def watched(lives: Lives, blocks: np.ndarray, *arguments: Any) -> Any:
        held.append(blocks.nbytes)
        return live(lives, blocks, *arguments)

    monkeypatch.setattr(Lives, "live", watched)
    window = 300_000  # 9.6 MB in each of 40 episodes
    task = evo.task("cartpole", steps=5)
    problem = Walking(task, evo.network(f"dense:4>attention:1:{window}>dense:1", task), Threads(2))
    params = np.random.default_rng(0).standard_normal((1, problem.size))
    together = problem.returns(params, np.arange(40))
    assert len(held) > 1 and max(held) <= SCRATCH_BYTES < sum(held)
    assert together[0, 37] == problem.returns(params, np.array([37]))[0, 0]


def test_large_checkpoints_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    from evo.api import running as api
    from evo.runs.callbacks import Watcher

    class Listener(Watcher):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def phase(self, what: str) -> None:
            self.heard.append(what)

    listener = Listener()
    monkeypatch.setattr(api, "_LARGE", 1000)
    asked = {"method": "cma-es", "network": "mlp:4", "generations": 1, "out": tmp_path / "run", "video": False}
    evo.run("cartpole", **asked, settings=SMALL, display=lambda config: nullcontext(listener))  # type: ignore[arg-type]
    assert [line for line in listener.heard if "kB, of which two are kept" in line]


def test_a_chain_is_read_in_one_pass() -> None:
    text = ">".join(["dense:1"] * 2_400)
    assert words_of(text) == ["dense:1"] * 2_400
    assert network_from_text("residual( dense:3 > dense:2 ) > dense:1>", 2, 1).text.startswith("residual")


def test_a_limit_of_the_process_is_respected() -> None:
    code = (
        "import resource; from evo.storage import memory; taken = memory._number(memory.Path('/proc/self/statm')) * "
        "resource.getpagesize(); hard = resource.getrlimit(resource.RLIMIT_AS)[1]; "
        "resource.setrlimit(resource.RLIMIT_AS, (int(taken + 2e9), hard)); "
        "assert memory.available() < 2.1e9; memory.check_bytes('a thing', 3e9, 'take less')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "EvoError: a thing: that needs 3 GB of memory, and 2 GB are free; take less" in ended.stderr
    assert memory.size_text(39_411_111_111) == "39.4 GB" and memory.size_text(12) == "12 bytes"
