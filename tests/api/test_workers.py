"""Workers of one's own: each public function takes them, and gives the bits of threads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.evaluation.workers import Threads, Work
from evo.learners.learner import Candidate
from evo.numerics.randomness import generator
from evo.runs.champion import Champion
from tests.support.slices import PROBLEMS, Elsewhere, cut


@pytest.mark.parametrize("name", ["world", "formula", "data"])
def test_a_champion_is_scored_elsewhere(name: str) -> None:
    config = resolve_config(flags={one.replace("__", "."): value for one, value in PROBLEMS[name].items()})
    problem = make_problem(config, Threads(1), training=False)
    champion = Champion(
        spec=config.task,
        network_text=config.network.layers,
        normalise=config.network.normalise,
        method="by hand",
        seed=0,
        generation=0,
        steps=0,
        candidate=Candidate(problem.cast(problem.initial(generator(0, "test"))), problem.no_statistics()),
        selection_returns=np.zeros(1),
        report_returns=None,
        facts={},
    )
    workers = Elsewhere()
    there, here = champion.evaluate(3, workers=workers), champion.evaluate(3)
    np.testing.assert_array_equal(there.returns, here.returns)
    assert workers.count and there.measures == here.measures


def test_a_comparison_is_evaluated_elsewhere(tmp_path: Path) -> None:
    workers, settings = Elsewhere(), {"task.dim": 2}
    asked: dict[str, Any] = {"methods": "snes,random-search", "seeds": 1, "steps": 200, "settings": settings}
    found = evo.compare("sphere", **asked, out=tmp_path / "study", workers=workers, video=False)
    assert workers.count > 20
    assert len(found.members) == 2 and all(one.champion.verify().exact for one in found.members)


def test_evaluate_takes_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    task, params = evo.task("evo/PointMass-v0", steps=20), np.random.default_rng(0).normal(size=(5, 8))
    workers = Elsewhere()
    cut(monkeypatch, 3)
    given = (task, evo.network("linear", task), params, 2, 3)
    expected = evo.evaluate(*given, measures=True)
    for found, one in zip(evo.evaluate(*given, workers=workers, measures=True), expected, strict=True):
        np.testing.assert_array_equal(found, one)
    assert workers.count == 2
    with pytest.raises(EvoError, match="threads and workers both say where to evaluate: give one of them"):
        evo.evaluate(*given, threads=2, workers=workers)


def test_what_was_made_by_hand_is_for_threads_alone() -> None:
    task = evo.task("evo/PointMass-v0")
    task.model.opt.timestep *= 0.5
    with pytest.raises(EvoError, match="was made or changed by hand"):
        evo.evaluate(task, "linear", np.zeros(8), workers=Elsewhere())


class Leaving(Elsewhere):
    """Workers that are gone after some evaluations."""

    def evaluate(self, work: Work[Any]) -> Any:
        return work.merge(_leaving(work)) if self.count > 30 else super().evaluate(work)


def _leaving(work: Work[Any]) -> Iterator[bytes]:
    yield evo.evaluate_slice(work.slices()[0], work.shared())
    raise EOFError("a worker ended")


def test_a_run_whose_workers_leave_is_resumed_with_the_bits_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(monkeypatch, 3, 50)
    settings = {"task.steps": 20, "method.directions": 8}
    asked: dict[str, Any] = {"method": "ars", "seed": 2, "generations": 9, "video": False, "settings": settings}
    whole = evo.run("evo/PointMass-v0", threads=2, out=tmp_path / "threads", **asked)
    with pytest.raises(EvoError, match=r"^evo/PointMass-v0: the workers failed: EOFError: a worker ended$"):
        evo.run("evo/PointMass-v0", workers=Leaving(), out=tmp_path / "own", **asked)
    assert 2 < len(evo.load(tmp_path / "own").metrics["steps"]) < 9
    checkpoint = evo.load(tmp_path / "own").directory.newest_checkpoint()
    assert checkpoint is not None and checkpoint[0] == evo.load(tmp_path / "own").metrics["steps"][-1]  # none is lost
    own = evo.resume(tmp_path / "own", workers=Elsewhere(), video=False)
    assert own.champion.params.tobytes() == whole.champion.params.tobytes()
    for name in ("selection_returns", "report_returns"):
        np.testing.assert_array_equal(getattr(own.champion, name), getattr(whole.champion, name))
    assert own.metrics.keys() == whole.metrics.keys()
    for name in {*whole.metrics} - {"wall_s", "cpu_s", "selection_s", "selection_cpu_s"}:
        np.testing.assert_array_equal(own.metrics[name], whole.metrics[name], err_msg=name)


def test_what_are_no_workers_is_the_users_error() -> None:
    with pytest.raises(
        EvoError, match=r"workers takes an object with threads and evaluate\(work\), got 3; see threads="
    ):
        evo.run("sphere", dim=2, generations=1, workers=3)  # type: ignore[arg-type]
