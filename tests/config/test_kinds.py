"""Kinds of problems: a fourth one is one file and one entry, and its runs are configured, resumed, shown and drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.kinds import KINDS, ProblemKind, kind_of
from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.config.settings import list_settings
from evo.config.task_spec import TaskSpec
from evo.evaluation.workers import Workers
from evo.genomes.population import Population
from evo.networks import Network
from evo.numerics.formatting import RETURN
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, fitness_of
from evo.runs.champion import Champion
from evo.runs.pictures import PICTURES, Pictures, Wishes
from evo.runs.run import Run


@dataclass(frozen=True)
class Cities:
    """Places on a map, float64 (cities, 2)."""

    places: np.ndarray


class Tour:
    """The problem of the shortest round trip: cities are visited in the order of their parameters."""

    step_unit, metric, deterministic = "tour", RETURN, True
    measures = ()

    def __init__(self, cities: Cities) -> None:
        self.cities, self.size = cities, len(cities.places)

    def describe(self, params: np.ndarray, seed: int) -> dict[str, Any]:
        return {}

    def clocks(self, steps: int, passes: int = 1) -> dict[str, float]:
        return {}

    def prepare(self) -> None:
        pass

    def initial(self, random: np.random.Generator) -> np.ndarray:
        return random.standard_normal(self.size)

    def cast(self, params: np.ndarray) -> np.ndarray:
        return np.asarray(params, np.float64)

    def check(self, params: np.ndarray) -> None:
        if params.shape != (self.size,):
            raise ValueError(f"{params.shape} for {self.size} cities")

    def no_statistics(self) -> ObservationStatistics:
        return ObservationStatistics.empty(0)

    def evaluate(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool = False,
        measured: bool = False,
    ) -> Evaluation:
        tours = self.cities.places[np.argsort(population.dense(), axis=1)]  # (individuals, cities, 2)
        legs = np.linalg.norm(tours - np.roll(tours, 1, axis=1), axis=2)
        returns = np.repeat(-legs.sum(axis=1)[:, None], len(seeds), axis=1)
        steps = len(returns)
        return Evaluation(fitness_of(returns), returns, steps, steps, {}, (), np.zeros((0, 1)))

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


class TourKind(ProblemKind):
    name = "tour"
    aim = "round trip to shorten"
    made = (Cities,)
    step_unit = "tour"
    default_method = "ga"
    compared = ("ga", "random-search")
    without = frozenset(
        {"network.layers", "network.normalise", "network.clip_observation", "data.digest"}
        | {"evaluation.batch", "evaluation.step_timeout"}
    )
    held_out = False

    def exact(self, constructor: Any) -> bool:
        return True

    def preset(self, task: str, family: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return {"budget.generations": 4, **({"method.population_size": 12} if family == "ga" else {})}

    def network(self, made: Cities, settings: NetworkSettings) -> Network:
        raise evo.EvoError("a tour takes no network")

    def problem(
        self, made: Cities, network: NetworkSettings, workers: Workers, evaluation: EvaluationSettings, training: bool
    ) -> Tour:
        return Tour(made)


class Route(Pictures):
    label, suffix = "route", ".svg"

    def draw(self, champion: Champion, run: Run | None, path: Path, wishes: Wishes) -> None:
        path.write_text(f"<svg>{np.argsort(champion.params).tolist()}</svg>")

    def finish(self, run: Run, video: bool, watcher: Any, workers: Workers | None) -> None:
        self.draw(run.champion, run, self.place(run, Wishes()), Wishes())

    def describe(self, champion: Champion) -> list[str]:
        return [f"by way of {np.argsort(champion.params)[0]}"]


made_of: list[int] = []


def cities(*, count: int = 7) -> Cities:
    """Cities on a circle, in no order.

    count: how many.
    """
    made_of.append(count)
    angles = np.random.default_rng(0).permutation(count) * 2 * np.pi / count
    return Cities(np.stack([np.cos(angles), np.sin(angles)], axis=1))


@pytest.fixture
def tours() -> Iterator[str]:
    kind = TourKind()
    KINDS.append(kind)
    PICTURES["tour"] = Route()
    made_of.clear()
    yield f"{__name__}:cities"
    KINDS.remove(kind)
    del PICTURES["tour"]


def test_a_fourth_kind_runs_and_is_made_once(tours: str, tmp_path: Path) -> None:
    run = evo.run(tours, settings={"task.count": 6}, out=tmp_path / "run")
    assert made_of == [6]
    assert (run.config.method.name, run.config.budget.generations, run.ended) == ("ga", 4, "4 generations")
    assert run.champion.verify().exact and made_of == [6]
    assert (run.path / "plots" / "learning.png").exists()
    assert "network" not in run.config.toml() and run.config.evaluation.selection_episodes == 1

    again = evo.load(run.path, trust=True)
    assert again.config == run.config and again.champion.kind == "tour"
    shown = evo.replay(again)
    assert shown == run.path / "plots" / "champion.svg"
    assert shown.read_text() == f"<svg>{np.argsort(run.champion.params).tolist()}</svg>"
    assert again.plot(tmp_path / "curve.png").stat().st_size > 0
    longer = evo.resume(run, generations=6)
    assert longer.metrics["generation"][-1] == 6 and longer.champion.score >= run.champion.score
    with pytest.raises(evo.EvoError, match=r"is a tour: its champion does not act in a world"):
        run.champion.policy()
    with pytest.raises(evo.EvoError, match="is a tour: it takes no network"):
        evo.run(tours, network="linear")
    with pytest.raises(evo.EvoError, match="has no epochs"):
        evo.run(tours, epochs=1)


def test_a_fourth_kind_is_listed_compared_and_printed(
    tours: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from evo.cli import app

    found = {setting.key: setting for setting in list_settings(task=tours)}
    assert found["task.count"].help == "how many"
    app(["run", tours, "--generations", "2", "--out", str(tmp_path / "run"), "-q"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "by way of" in printed and "route" in printed
    study = evo.compare(tours, seeds=1, steps=40, out=tmp_path / "study", video=False)
    assert [row.method for row in study.rows] != [] and not study.failures


def test_without_pictures_of_its_own_a_kind_has_a_curve(tours: str, tmp_path: Path) -> None:
    kept = PICTURES.pop("tour")
    try:
        run = evo.run(tours, generations=2, out=tmp_path / "run")
        assert (run.path / "plots" / "learning.png").exists()
        with pytest.raises(evo.EvoError, match="is a tour, and there is no picture of its champion"):
            evo.replay(run)
    finally:
        PICTURES["tour"] = kept


@pytest.mark.parametrize(("task", "name"), [("cartpole", "world"), ("rastrigin", "function"), ("xor", "data set")])
def test_kinds_of_old(task: str, name: str) -> None:
    from evo.config.task_names import task_name

    spec = TaskSpec.find(task_name(task), {})
    assert spec.kind.name == name and kind_of(spec.made) is spec.kind
    assert spec.made is spec.made
    assert [kind.name for kind in KINDS] == [*PICTURES]


@pytest.mark.parametrize(
    ("task", "options"),
    [("cartpole", {"generations": 1}), ("rastrigin", {"generations": 1}), ("xor", {"epochs": 1})],
)
def test_a_run_finds_and_makes_its_task_once(
    task: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evo.config import task_spec

    calls: list[str] = []

    def counted(name: str, function: Any) -> Any:
        return lambda *given, **more: (calls.append(name), function(*given, **more))[1]

    monkeypatch.setattr(task_spec, "task_constructor", counted("found", task_spec.task_constructor))
    monkeypatch.setattr(task_spec.adverse, "construct", counted("made", task_spec.adverse.construct))
    monkeypatch.setattr(Champion, "load", counted("read", Champion.load))
    few = {"evaluation.selection_episodes": 1, "evaluation.report_episodes": 1}
    run = evo.run(task, out=tmp_path / "run", video=False, settings=few if task == "cartpole" else {}, **options)
    assert sorted(calls)[:2] == ["found", "made"] and {*calls[2:]} <= {"read"}
    assert run.champion is run.champion and run.config is run.config
    assert run.champion.spec is run.config.task and run.champion.verify().exact
    assert calls.count("found") == calls.count("made") == calls.count("read") == 1


def test_options_are_a_table_or_a_signature() -> None:
    from evo.envs.options import Constructor, Option, options_of, returned_by, takes_others

    made = Constructor(lambda options, others: (options, others), {"size": Option(int, 3)}, tuple, "Sizes.")
    assert made() == ({"size": 3}, {}) and made(size=4) == ({"size": 4}, {})
    with pytest.raises(TypeError, match="it has no option 'colour'"):
        made(colour="red")
    assert options_of(made) == {"size": Option(int, 3)} and returned_by(made) is tuple and not takes_others(made)
    open_made = Constructor(made._make, made.options, tuple, "", others=True)
    assert open_made(colour="red") == ({"size": 3}, {"colour": "red"}) and takes_others(open_made)
    assert options_of(cities) == {"count": Option(int, 7)} and returned_by(cities) is Cities
