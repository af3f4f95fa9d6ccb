"""Functions as problems: exact wherever they are evaluated, one's own ones too, and what optimisers make of them."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from scipy import optimize

import evo
from evo.algorithms.algorithm import Algorithm
from evo.algorithms.baselines.random_search import RandomSearch
from evo.algorithms.genetic.ga import GA
from evo.algorithms.strategies.pgpe import PGPE
from evo.config.build import build_problem
from evo.config.config import Config
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.evaluation.workers import Threads
from evo.genomes.population import DensePopulation
from evo.learners.evolution import Evolution
from evo.learners.local_search import LocalSearch
from evo.numerics.randomness import generator
from evo.problems.classic_functions import FUNCTIONS
from evo.problems.function import Landscape, OwnLandscape
from evo.problems.named_functions import landscape_of
from evo.problems.problem import Evaluation, Problem, evaluate_alone, fitness_of
from evo.runs.display import PlainLines

NO_SEEDS = np.zeros(1, np.int64)
QUIET = {"video": False, "threads": 1}


def landscape(name: str, **options: object) -> Landscape:
    problem = build_problem(name, options, "", False, Threads(1))
    assert isinstance(problem, Landscape)
    return problem


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("size", [1, 2, 10, 40])
def test_a_point_is_worth_the_same_alone_and_among_others(name: str, size: int, rotated: bool) -> None:
    problem = landscape(name, dim=size, rotated=rotated)
    points = generator(1, "points").uniform(problem.low, problem.high, (23, size))
    together = problem.evaluate(DensePopulation(points), np.arange(2), problem.no_statistics())
    alone = [evaluate_alone(problem, point, problem.no_statistics(), NO_SEEDS).fitness[0] for point in points]
    np.testing.assert_array_equal(together.fitness, alone)
    assert together.steps == 23
    assert together.returns.shape == (23, 2)


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nothing_is_higher_than_the_optimum(name: str, rotated: bool) -> None:
    problem = landscape(name, dim=5, rotated=rotated)
    optimum = np.full((1, 5), FUNCTIONS[name].optimum)
    highest = problem.heights(optimum, NO_SEEDS)[0, 0]
    assert highest == pytest.approx(0, abs=1e-4 if name == "schwefel" else 1e-12)
    anywhere = generator(2, "anywhere").uniform(problem.low, problem.high, (1000, 5))
    assert (problem.heights(anywhere, NO_SEEDS) < highest).all()


def test_a_rotation_is_orthogonal_and_an_instance_has_its_own() -> None:
    first, second = (landscape("ellipsoid", dim=7, rotated=True, instance=instance) for instance in (0, 1))
    np.testing.assert_allclose(first.rotation @ first.rotation.T, np.eye(7), atol=1e-14)
    assert not np.allclose(first.rotation, second.rotation)
    # by a rotation no coordinate can be searched by itself, and a bowl stays as it is
    points = generator(3, "points").standard_normal((5, 7))
    bowl, turned = landscape("sphere", dim=7), landscape("sphere", dim=7, rotated=True)
    np.testing.assert_allclose(turned.heights(points, NO_SEEDS), bowl.heights(points, NO_SEEDS), rtol=1e-12)
    plain = landscape("ellipsoid", dim=7)
    assert not np.allclose(first.heights(points, NO_SEEDS), plain.heights(points, NO_SEEDS))


def test_rosenbrock_is_scipys() -> None:
    points = generator(4, "points").standard_normal((6, 9))
    values = [-optimize.rosen(point) for point in points]
    np.testing.assert_allclose(landscape("rosenbrock", dim=9).heights(points, NO_SEEDS)[:, 0], values, rtol=1e-12)


@given(number=st.integers(1, 24), instance=st.integers(1, 5))
def test_bbob_is_cocos(number: int, instance: int) -> None:
    from cocoex import BareProblem

    problem, theirs = landscape(f"bbob-f{number}", dim=5, instance=instance), BareProblem("bbob", number, 5, instance)
    points = generator(number, "points").uniform(-5, 5, (4, 5))
    heights = problem.heights(points, NO_SEEDS)[:, 0]
    np.testing.assert_array_equal(heights, [theirs.best_value() - theirs(point) for point in points])
    assert problem.heights(np.array([theirs.best_parameter()]), NO_SEEDS)[0, 0] == pytest.approx(0, abs=1e-6)


# A function of one's own


def _bowl(x: np.ndarray) -> float:
    """Not by BLAS, whose sums depend on where in memory a row lies on some processors."""
    return -float(sum(value * value for value in x))


class Fragile:
    """-|x|², which breaks at every call whose number is in `bad`."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.calls = bad, 0

    def __call__(self, x: np.ndarray) -> float:
        self.calls += 1
        if self.calls in self.bad:
            raise ZeroDivisionError("the creature exploded")
        return _bowl(x)


def own(function: object, **options: object) -> Landscape:
    return landscape_of("mine:function", function)(dim=3, **options)  # type: ignore[arg-type]


def test_what_was_evaluated_before_a_function_broke_is_not_evaluated_again() -> None:
    function = Fragile(8)
    problem = own(function)
    population = DensePopulation(generator(5, "points").standard_normal((20, 3)))
    with pytest.raises(EngineError, match=r"individual 7 of 20: ZeroDivisionError: the creature exploded; what was"):
        problem.evaluate(population, NO_SEEDS, problem.no_statistics())
    state = problem.state()
    for going_on in (problem, own(function)):
        going_on.restore(state)
        function.calls = 8
        outcome = going_on.evaluate(population, NO_SEEDS, problem.no_statistics())
        assert function.calls == 8 + 13
        np.testing.assert_array_equal(outcome.fitness, [_bowl(x) for x in population.dense()])
        assert going_on.state()["found"].size == 0
    problem.restore(state)
    others = DensePopulation(population.dense() + 1)
    outcome = problem.evaluate(others, NO_SEEDS, problem.no_statistics())
    np.testing.assert_array_equal(outcome.fitness, [_bowl(x) for x in others.dense()])


def test_a_function_may_break_where_asked_to_go_on() -> None:
    problem = own(Fragile(2, 5), on_error="worst")
    population = DensePopulation(np.diag([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])[:, :3].copy())
    outcome = problem.evaluate(population, NO_SEEDS, problem.no_statistics())
    np.testing.assert_array_equal(outcome.fitness, [-1, -9, -9, 0, -9, 0])
    assert outcome.failures == {"the function refused": 2}
    assert outcome.errors == ("ZeroDivisionError: the creature exploded",)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_fitness_that_is_no_number_is_a_failure(value: float) -> None:
    problem = own(lambda x: value if x[0] > 0 else 1.0)
    with pytest.raises(EngineError, match=r"individual 1 of 2: its fitness is .*, not a finite number"):
        problem.evaluate(DensePopulation(np.array([[-1.0, 0, 0], [1.0, 0, 0]])), NO_SEEDS, problem.no_statistics())


def test_a_fitness_too_large_to_compute_with_and_an_exit_are_failures() -> None:
    for function, message in (
        (lambda x: 1.7e308, r"its fitness is 1.7e\+308, larger than can be computed with"),
        (lambda x: sys.exit(3), r"ExitError: it called sys.exit\(3\)"),
    ):
        with pytest.raises(EngineError, match=f"individual 0 of 2: {message}"):
            own(function).evaluate(DensePopulation(np.ones((2, 3))), NO_SEEDS, own(function).no_statistics())
    returns = np.array([[1e308, 1e308, 1e308], [1.0, 2.0, 3.0], [-1e308, -1e308, -1e308]])
    np.testing.assert_array_equal(fitness_of(returns), [2.0, 2.0, 2.0])


HALF = """
def half(x) -> float:
    if x[0] > 0:
        raise ValueError("infeasible here")
    return -float(x @ x)

def unknown(x) -> float:
    return nothing_of_this_name
"""


@pytest.mark.parametrize("method", ["cma-es", "ga", "random-search"])
def test_a_function_that_half_its_domain_refuses_is_searched_all_the_same(
    method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"half_{method[:2]}.py").write_text(HALF)
    monkeypatch.syspath_prepend(tmp_path)
    notes: list[str] = []
    for seed in range(6):
        run = evo.run(
            f"half_{method[:2]}:half",
            dim=3,
            method=method,
            generations=30,
            seed=seed,
            settings={"task.on_error": "worst"},
            out=tmp_path / str(seed),
            display=lambda config: noting(config, notes),
            **QUIET,
        )
        assert run.champion.params[0] <= 0
        assert np.isfinite(run.champion.score)
        evaluated = np.diff(run.metrics["steps"], prepend=0)
        somebody = run.metrics["failures"] < evaluated  # where all fail nobody earns anything
        assert np.array_equal(np.isfinite(run.metrics["mean"]), somebody)
    assert "failed: ValueError: infeasible here" in notes
    with pytest.raises(EvoError, match="NameError: name 'nothing_of_this_name' is not defined"):
        evo.run(
            f"half_{method[:2]}:unknown",
            method=method,
            steps=3000,
            settings={"task.on_error": "worst"},
            out=tmp_path / "unknown",
            **QUIET,
        )


@contextlib.contextmanager
def noting(config: Config, notes: list[str]) -> Iterator[PlainLines]:
    """A display that keeps notes."""

    class Noting(PlainLines):
        def note(self, text: str) -> None:
            notes.append(text)

    yield Noting(config, Console(quiet=True))


def test_failures_before_anybody_has_succeeded_are_worse_than_what_succeeds() -> None:
    def far(x: np.ndarray) -> float:
        if x[0] < 2:
            raise ValueError("infeasible here")
        return -100 - float(np.sum((x - 4) ** 2))

    problem = OwnLandscape("far", far, 3, -1.0, 1.0, "worst")
    for seed in range(3):
        learner = Evolution(problem, RandomSearch(np.zeros(3), seed, sigma=1.0, population_size=2), seed)
        rows = [learner.step() for _ in range(200)]
        in_vain = next(place for place, row in enumerate(rows) if row["failures"] < 2)
        assert in_vain > 0
        assert np.isnan([row[name] for row in rows[:in_vain] for name in ("best", "mean", "std")]).all()
        assert learner.algorithm.state()["fitness"] < -100
        assert max(row["best"] for row in rows if not np.isnan(row["best"])) < -100


def test_a_search_at_its_end_asks_for_no_larger_budget(tmp_path: Path) -> None:
    out, told = tmp_path / "run", list[str]()
    evo.run("sphere", dim=2, method="cma-es", steps=100_000, out=out, threads=1)
    assert evo.load(out).ended == "the fitness has converged"
    evo.resume(out, generations=10_000, threads=1, display=lambda config: noting(config, told))
    assert next(line for line in told if line.startswith("finished at generation")).endswith(
        ": the fitness has converged; `evo run --from RUN` begins anew from its champion"
    )


def test_what_is_kept_is_kept_for_its_seeds() -> None:
    calls: list[int] = []

    def breaking(x: np.ndarray, seed: int) -> float:
        calls.append(seed)
        if len(calls) == 4:
            raise ValueError("no more")
        return float(seed)

    problem, population = own(breaking), DensePopulation(np.ones((3, 3)))
    with pytest.raises(EngineError):
        problem.evaluate(population, np.array([10, 20]), problem.no_statistics())
    state = problem.state()
    other = problem.evaluate(population, np.array([30, 40]), problem.no_statistics())
    np.testing.assert_array_equal(other.returns, [[30, 40]] * 3)
    problem.restore(state)
    same = problem.evaluate(population, np.array([10, 20]), problem.no_statistics())
    np.testing.assert_array_equal(same.returns, [[10, 20]] * 3)
    assert calls == [10, 20, 10, 20, 30, 40, 30, 40, 30, 40, 20, 10, 20]


@pytest.mark.parametrize(
    ("algorithm", "episodes", "parts"),
    [
        (
            lambda: GA(np.zeros(3), 5, population_size=12, select="truncation:truncation=3"),
            8,
            3,
        ),  # a race of some rounds
        (lambda: PGPE(np.zeros(3), 5, pairs=4, interactions=40), 2, 3),  # 8 individuals, then 8 more, and again
    ],
    ids=["race", "growth"],
)
@pytest.mark.parametrize("again", ["in the same process", "from a checkpoint"])
def test_of_a_generation_in_parts_nothing_is_evaluated_twice(
    algorithm: Callable[[], Algorithm], episodes: int, parts: int, again: str
) -> None:
    """Interrupted in each of its parts, a generation is the same, of a function that is called as often."""
    calls, breaks = [0], list[int]()

    def fitness(x: np.ndarray, seed: int) -> float:
        if calls[0] in breaks:
            breaks.remove(calls[0])
            raise ValueError("out of order")
        calls[0] += 1
        return float(-((x - 1) @ (x - 1)) + 0.1 * (seed % 7) + calls[0])  # another answer each time

    def begun() -> Evolution:
        return Evolution(own(fitness), algorithm(), 3, episodes)

    whole = begun()
    evaluations = counted(whole.problem)
    rows = [whole.step(), whole.step()]
    assert len(evaluations) >= 2 * parts, evaluations
    ends = np.cumsum(evaluations)
    breaks[:] = sorted({1, *(int(end) for end in ends[:-1]), *(int(end) + 3 for end in ends[:-1])})
    calls[0] = 0
    going_on, found = begun(), []
    while len(found) < 2:
        try:
            found.append(going_on.step())
        except EngineError:
            state = going_on.state()
            if again == "from a checkpoint":
                going_on = begun()
                going_on.restore({name: np.array(array) for name, array in state.items()})
    assert not breaks and found == rows and calls[0] == sum(evaluations)
    assert going_on.state().keys() == whole.state().keys()
    for name, array in whole.state().items():
        np.testing.assert_array_equal(going_on.state()[name], array)


def counted(problem: Problem) -> list[int]:
    """The calls of each evaluation, as they come."""
    counts: list[int] = []
    evaluate = problem.evaluate

    def counting(*arguments: Any, **options: Any) -> Evaluation:
        outcome = evaluate(*arguments, **options)
        counts.append(outcome.episodes)
        return outcome

    problem.evaluate = counting  # type: ignore[method-assign]
    return counts


def test_a_noisy_function_is_called_once_an_episode() -> None:
    problem = own(lambda x, seed: float(x[0] + seed))
    outcome = problem.evaluate(DensePopulation(np.ones((2, 3))), np.array([10, 20]), problem.no_statistics())
    np.testing.assert_array_equal(outcome.returns, [[11, 21], [11, 21]])
    assert (outcome.steps, problem.deterministic) == (4, False)


OWN = '''
def hill(x, *, height: float = 1.0) -> float:
    """A hill of some height."""
    return height - float(x @ x)

def broken(x) -> float:
    if abs(x).max() > 0.5:
        raise RuntimeError("too far out")
    return 0.0

def taken(x, *, dim: int = 3) -> float:
    return 0.0

def scaled(x, scale: float = 2.0) -> float:
    return 0.0

def noisy(x, seed) -> float:
    return -float(x @ x) + seed % 7

def half(x) -> float:
    if x[0] > 0.7:
        raise ValueError("over the edge")
    return -float((x - 1) @ (x - 1))
'''


def test_a_function_of_ones_own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_hills.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    settings = {"task.height": 3.0, "task.high": 2.0}
    run = evo.run("own_hills:hill", dim=4, method="cma-es", until=2.999, settings=settings, out=tmp_path / "r", **QUIET)
    assert run.champion.score > 2.999
    assert run.champion.params.shape == (4,)
    assert run.config["method.sigma"] == pytest.approx(0.2 * 3)
    assert evo.load(tmp_path / "r").champion.verify().exact
    with pytest.raises(EvoError, match=r"own_hills:broken: individual \d+ of \d+: RuntimeError: too far out; what was"):
        evo.run("own_hills:broken", method="random-search", out=tmp_path / "b", **QUIET)
    assert (tmp_path / "b" / "checkpoints").is_dir()
    assert not list((run.path / "plots").glob("landscape*"))  # what it costs to look at it, only its owner knows
    with pytest.raises(EvoError, match="its option 'dim' is one that evo gives every function"):
        evo.run("own_hills:taken", out=tmp_path / "t", **QUIET)
    with pytest.raises(EvoError, match="own_hills:scaled takes x, scale: must be x, or x and seed"):
        evo.run("own_hills:scaled", out=tmp_path / "t", **QUIET)
    assert not (tmp_path / "t").exists()
    many = evo.run("own_hills:noisy", method="random-search", generations=1, out=tmp_path / "n", **QUIET).champion
    assert (len(many.selection_returns), len(many.report_returns)) == (20, 100)  # luck is met as in a world
    edge = {"task.on_error": "worst"}
    half = evo.run("own_hills:half", method="nelder-mead", steps=90, settings=edge, out=tmp_path / "e", **QUIET)
    assert half.champion.params[0] <= 0.7
    assert half.metrics["failures"].sum() > 0
    assert np.isfinite(half.metrics["mean"]).all()
    assert evo.replay(half.path, tmp_path / "half.png").stat().st_size > 1000


def test_a_function_of_ones_own_is_searched_beyond_what_benchmarks_end_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their best value is known to be 0, a user's is not."""
    (tmp_path / "own_peak.py").write_text("def fitness(x) -> float:\n    return 1.0 - float(x @ x)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert evo.run("sphere", dim=3, method="cma-es", out=tmp_path / "s", **QUIET).ended == "reached -1e-08"
    run = evo.run("own_peak:fitness", dim=5, method="cma-es", out=tmp_path / "r", **QUIET)
    assert run.config["budget.until"] is None
    assert run.champion.score > 1.0 - 1e-9


# Local search


METHODS = {"nelder-mead": "Nelder-Mead", "powell": "Powell", "bfgs": "BFGS"}


@pytest.mark.parametrize("method", METHODS)
def test_a_local_search_is_scipys(method: str, tmp_path: Path) -> None:
    run = evo.run("rastrigin", dim=4, method=method, seed=2, out=tmp_path / "r", **QUIET)
    problem = landscape("rastrigin", dim=4)
    start = problem.initial(generator(2, "initial parameters"))
    options = {"maxiter": 10**6} | ({} if method == "bfgs" else {"maxfev": 10**6})
    tried: list[tuple[float, np.ndarray]] = []

    def value(x: np.ndarray) -> float:
        tried.append((-float(problem.heights(x[None], NO_SEEDS)[0, 0]), np.array(x)))
        return tried[-1][0]

    found = optimize.minimize(value, start, method=METHODS[method], tol=1e-10, options=options)
    np.testing.assert_array_equal(run.champion.params, min(tried, key=lambda one: one[0])[1])
    assert run.metrics["steps"][-1] == found.nfev
    assert run.ended is not None
    assert run.ended.startswith("stuck after 1 search: ")
    assert run.champion.score < -1  # in a local optimum: that is what the method is here to show


@pytest.mark.parametrize("method", ["bipop", *METHODS])
def test_a_search_stopped_and_resumed_equals_uninterrupted(method: str, tmp_path: Path) -> None:
    options = {"dim": 3, "method": method, "seed": 4, "settings": {"method.restarts": 2} if method in METHODS else {}}
    whole = evo.run("rastrigin", generations=14, out=tmp_path / "whole", **options, **QUIET)
    evo.run("rastrigin", generations=5, out=tmp_path / "parts", **options, **QUIET)
    parts = evo.resume(tmp_path / "parts", generations=14, **QUIET)
    for column in ("best", "mean", "std", "steps", "episodes"):
        np.testing.assert_array_equal(whole.metrics[column], parts.metrics[column], err_msg=column)
    np.testing.assert_array_equal(whole.champion.params, parts.champion.params)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("breaks", [1, 40, 61])
def test_a_step_that_broke_off_leaves_no_trace_but_what_it_found(method: str, breaks: int) -> None:
    from evo.learners import METHODS as ALL

    def learner(function: Fragile) -> LocalSearch:
        made = ALL[method].constructor()(own(function), 7, None)
        assert isinstance(made, LocalSearch)
        return made

    whole, broken = learner(Fragile()), learner(Fragile(breaks))
    rows = [whole.step() for _ in range(9)]
    again: list[dict[str, float]] = []
    while len(again) < 9:
        before = broken.steps, broken.episodes, broken.generation
        try:
            again.append(broken.step())
        except EngineError:
            assert before == (broken.steps, broken.episodes, broken.generation)
            fresh = learner(Fragile())
            fresh.restore(broken.state())
            broken = fresh
    assert again == rows
    np.testing.assert_array_equal(whole.candidates()[0].params, broken.candidates()[0].params)


def test_a_budget_ends_a_local_search_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    options = {"dim": 8, "method": "nelder-mead"}
    run = evo.run("ellipsoid", steps=50, out=tmp_path / "r", **options, **QUIET)
    assert run.metrics["steps"][-1] == 50
    assert run.ended == "50 steps"
    reached = run.champion.score
    further = evo.resume(run.path, steps=400, **QUIET)
    assert further.ended == "400 steps"
    assert further.metrics["steps"][-1] == 400
    assert further.champion.score > reached


def test_a_local_search_begins_from_a_champion(tmp_path: Path) -> None:
    first = evo.run("rastrigin", dim=3, method="random-search", generations=3, out=tmp_path / "first", **QUIET)
    second = evo.run(start=first.path, method="bfgs", out=tmp_path / "second", **QUIET)
    assert second.champion.score > first.champion.score
    assert second.config["task.dim"] == 3


def test_a_local_search_walks_too(tmp_path: Path) -> None:
    run = evo.run("point-mass", method="powell", steps=3000, out=tmp_path / "r", **QUIET)
    assert run.metrics["best"][-1] > run.metrics["best"][0]
    assert run.champion.verify().exact


# Runs on functions


def test_the_best_point_seen_is_the_champion(tmp_path: Path) -> None:
    run = evo.run("rastrigin", dim=5, method="random-search", steps=2000, out=tmp_path / "r", **QUIET)
    assert run.champion.score == run.metrics["best"].max()
    assert run.champion.reported_fitness.mean == run.champion.score
    assert (run.path / "plots" / "landscape.png").stat().st_size > 1000
    assert evo.replay(run.path, tmp_path / "map.svg").stat().st_size > 1000
    with pytest.raises(EvoError, match="rastrigin is a function: its champion is a point"):
        evo.replay(run.path / "champion.npz")
    with pytest.raises(EvoError, match="rastrigin is a function: its champion is a point"):
        run.champion.policy()


def test_functions_are_compared(tmp_path: Path) -> None:
    found = evo.compare(
        "rastrigin", methods="random-search,bfgs", seeds=2, steps=300, out=tmp_path / "c", settings={"task.dim": 2}
    )
    assert not found.failures
    assert len(found.members) == 4
    for name in ("report.html", "table.md"):
        text = (found.path / name).read_text()
        assert "evaluations" in text
        assert "env step" not in text
