"""Workers: slices evaluated anywhere, answered in any order, give the bits of threads."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.envs import reference
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.evaluation.workers import Threads, Work, Workers
from evo.genomes.noise import Noise
from evo.genomes.population import DensePopulation, PerturbedPopulation, Population
from evo.learners.learner import Candidate
from evo.learners.racing import evaluate_racing
from evo.numerics.randomness import generator, selection_seeds
from evo.problems import slices
from evo.problems.control import Walking
from evo.problems.function import Landscape
from evo.problems.outcome import Outcome
from evo.problems.problem import Evaluation, Problem
from evo.problems.slices import PopulationWork
from evo.problems.supervised import Supervised
from evo.runs.champion import Champion
from evo.storage.messages import pack, unpack


class Elsewhere:
    """Slices through `evo.evaluate_slice`, in this process: each twice, the last first, after one of other work."""

    threads = 1

    def __init__(self) -> None:
        self.count = 0  # slices so far
        self.last: list[bytes] = []

    def evaluate(self, work: Work[Any]) -> Any:
        asked = work.slices()
        self.count += len(asked)
        answers = [evo.evaluate_slice(data, work.shared()) for data in reversed(asked)]
        late, self.last = self.last, answers
        return work.merge(itertools.chain(late, *((answer, answer) for answer in answers)))


def rough(x: np.ndarray, seed: int) -> Outcome:
    """Fail for half of the points."""
    if x[0] < 0:
        raise ArithmeticError(f"none below zero, seed {seed}")
    return Outcome(float(x.sum()) + seed, measures=x[:2])


def _problem(workers: Workers, training: bool = True, **flags: Any) -> Problem:
    return make_problem(
        resolve_config(flags={name.replace("__", "."): one for name, one in flags.items()}), workers, training
    )


PROBLEMS: dict[str, dict[str, Any]] = {
    "world": {"task__name": "evo/PointMass-v0", "task__steps": 20, "network__normalise": True},
    "formula": {"task__name": "rastrigin", "task__dim": 5, "task__rotated": True},
    "function": {"task__name": f"{__name__}:rough", "task__dim": 4, "task__on_error": "worst"},
    "data": {"task__name": "xor", "evaluation__batch": 4},
}


def _cut(monkeypatch: pytest.MonkeyPatch, individuals: int, episodes: int | None = None) -> None:
    """Slices of so many individuals and, in a world, episodes; by default all."""
    for kind in (Walking, Supervised, Landscape):
        few = episodes if kind is Walking else None
        monkeypatch.setattr(kind, "slice_shape", lambda self, all_of_them, few=few: (individuals, few or all_of_them))


def _population(problem: Problem) -> Population:
    return PerturbedPopulation(np.zeros(problem.size), Noise(generator(0, "test"), 4, problem.size), 0.5)


def _assert_same(found: Evaluation, expected: Evaluation) -> None:
    for field in fields(Evaluation):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(expected, field.name), err_msg=field.name)


@pytest.fixture(autouse=True)
def _trusted() -> None:
    reference.trust(f"{__name__}:rough")


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("shape", [(1, 2), (3, 3), (99, 3)], ids=str)
def test_slices_give_the_bits_of_the_whole(
    name: str, shape: tuple[int, int], training: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut(monkeypatch, *shape)
    workers, seeds = Elsewhere(), selection_seeds(3)
    here, there = (_problem(one, training, **PROBLEMS[name]) for one in (Threads(2), workers))
    for collect, measured, slices_ in ((True, False, -(-8 // shape[0])), (False, True, -(-8 // shape[0]))):
        asked = _population(here), seeds, here.no_statistics(), collect, measured
        workers.count = 0
        _assert_same(there.evaluate(*asked), here.evaluate(*asked))
        in_parts = 2 if name == "world" and shape == (1, 2) and not measured else 1  # means are over all episodes
        assert workers.count == slices_ * in_parts


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


def test_the_size_of_a_slice_follows_from_the_problem() -> None:
    world = _problem(Threads(1), **PROBLEMS["world"] | {"task__steps": 100})
    for episodes, shape in {1: (81, 1), 20: (4, 20), 81: (1, 81), 82: (1, 81), 1000: (1, 81)}.items():
        assert world.slice_shape(episodes) == shape
    assert _problem(Threads(1), **PROBLEMS["formula"]).slice_shape(1) == (2**20 // 5, 1)
    assert _problem(Threads(1), **PROBLEMS["function"]).slice_shape(9) == (1, 9)
    data = _problem(Threads(1), **PROBLEMS["data"])
    individuals, episodes = data.slice_shape(2)
    assert episodes == 2 and 2**27 < individuals * 2 * 4 * data.network.products <= 2**28


def test_a_race_is_the_same_with_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    _cut(monkeypatch, 3)
    found = []
    for workers in (Threads(1), Elsewhere()):
        problem = _problem(workers, **PROBLEMS["world"])
        found.append(evaluate_racing(problem, _population(problem), np.arange(9), problem.no_statistics(), 2))
    _assert_same(*found)


def test_slices_are_those_of_the_problem_and_not_of_the_workers() -> None:
    def slices_of(workers: Workers) -> Any:
        problem = _problem(workers, **PROBLEMS["world"])
        work = PopulationWork(problem, _population(problem), np.arange(2), problem.no_statistics(), True, False)
        return work.shared(), work.slices()

    assert slices_of(Threads(1)) == slices_of(Threads(5)) == slices_of(Elsewhere())


def _merged(answer: Callable[[list[bytes]], Iterable[bytes]], population: Population | None = None) -> Evaluation:
    """What a point mass earns by workers whose answers to the answers are these."""
    problem = _problem(Threads(1), **PROBLEMS["world"])
    who = _population(problem) if population is None else population
    work = PopulationWork(problem, who, np.arange(2), problem.no_statistics(), True, False)
    return work.merge(answer(_answers(work)))


def _answers(work: Work[Any], **options: Any) -> list[bytes]:
    return [evo.evaluate_slice(data, work.shared(), **options) for data in work.slices()]


@pytest.mark.parametrize("most", [2, 3, 7, 99])
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 3), (3, 3)], ids=str)
def test_slices_that_are_sent_as_one_give_the_same(
    shape: tuple[int, int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _cut(monkeypatch, *shape)
    problem = _problem(Threads(1), **PROBLEMS["world"])
    work = PopulationWork(problem, _population(problem), np.arange(3), problem.no_statistics(), True, False)
    answers, first = list[bytes](), 0
    while first < len(work):
        places = work.fitting(range(first, min(first + most, len(work))))
        assert places.start == first < places.stop <= first + most
        answers.append(evo.evaluate_slice(work.join(places), work.shared()))
        first = places.stop
    assert most < 7 or len(answers) < len(work)
    alone = _answers(work)
    assert len(alone) == len(work) == len(work.slices())
    expected = work.here()
    for found in (answers, answers[::-1], [*answers[1:], *alone], [*alone, *answers]):
        _assert_same(work.merge(found), expected)


def test_no_more_answers_are_taken_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    _cut(monkeypatch, 3)
    assert len(_merged(itertools.cycle).fitness) == 8


def test_equal_slices_need_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    _cut(monkeypatch, 1, 1)
    size = _problem(Threads(1), **PROBLEMS["world"]).size
    found = _merged(lambda answers: answers[:2], DensePopulation(np.ones((3, size))))  # an answer for each episode
    assert found.returns.shape == (3, 2) and (found.returns == found.returns[0]).all()
    assert len(found.statistics) == 6


def _broken(answers: list[bytes]) -> Iterator[bytes]:
    yield answers[0]
    raise BrokenPipeError("no one reads")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda answers: answers[:1], r"gave no answer for 3 of 4 slices, the first of them individuals 2 to 3 of 8"),
        (_broken, "^the workers failed: BrokenPipeError: no one reads$"),
        (lambda answers: [answers[0][:-9]], "^an answer of the workers cannot be read: "),
        (lambda answers: [b""], "^an answer of the workers cannot be read: "),
    ],
    ids=["missing", "broken", "damaged", "empty"],
)
def test_workers_that_fail_are_one_line(answer: Any, error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _cut(monkeypatch, 2)
    with pytest.raises(EngineError, match=error) as raised:
        _merged(answer)
    assert "\n" not in str(raised.value)


def test_a_slice_that_fails_is_one_line_where_it_was_asked_for() -> None:
    problem = _problem(Elsewhere(), **PROBLEMS["function"] | {"task__on_error": "stop"})
    below = DensePopulation(np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]))
    with pytest.raises(EngineError, match=r"^individual 1 of 2: .*ArithmeticError: none below zero, seed 7"):
        problem.evaluate(below, np.array([7]), problem.no_statistics())


def test_another_version_and_other_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
        evo.evaluate_slice(b"no slice", [b"nothing"])
    with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
        evo.evaluate_slice(_asked().slices()[0], [])
    with pytest.raises(EvoError, match=r"^a slice cannot be read: it is of other work than what is shared$"):
        evo.evaluate_slice(_asked(np.ones(1)).slices()[0], _asked().shared())
    problem = _problem(Elsewhere(), **PROBLEMS["formula"])
    work = PopulationWork(problem, _population(problem), np.arange(1), problem.no_statistics(), False, False)
    work.shared()
    monkeypatch.setattr(slices, "__version__", "9")
    with pytest.raises(EngineError, match=r"the slice is of evo .*, and the worker has evo 9: install the same"):
        work.merge(_answers(work))


_NOTHING = np.zeros(0)


@pytest.mark.parametrize(
    "changed",
    [
        {"seeds": None},
        {"seeds": _NOTHING.astype(np.int64)},
        {"seeds": np.array([-1])},
        {"seeds": np.array([0.5])},
        {"statistics/m2": None},
        {"population/center": np.zeros((5, 2))},
        {"population/center": np.zeros(5, ">f8")},
        {"population/scale": np.zeros(2)},
        {"population/streams": np.ones((4, 3), np.uint64)},
        {"population/streams": np.ones((4, 4))},
        {"population/chosen": np.array([8])},
        {"population/chosen": np.array([-1])},
        {"population/sigma": np.ones(3)},
        {"population/path": np.array(["/etc"])},
    ],
    ids=str,
)
def test_a_slice_with_other_arrays_is_refused(changed: dict[str, np.ndarray | None]) -> None:
    work = _asked()
    with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
        _ask_changed(work, changed, {})
    assert _ask_changed(work, {}, {})


@pytest.mark.parametrize("changed", [{"config": 3}, {"training": [1]}, {"collect": None}, {"measured": "no"}], ids=str)
def test_a_slice_that_says_other_things_is_refused(changed: dict[str, Any]) -> None:
    for told in (changed, dict.fromkeys(changed, _LEFT_OUT)):
        with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
            _ask_changed(_asked(), {}, told)


@pytest.mark.parametrize(
    "changed",
    [
        {"episodes": [0, 2]},
        {"episodes": [1, 1]},
        {"episodes": [0]},
        {"episodes": None},
        {"individuals": [-1, 2]},
        {"individuals": [0, 9]},
        {"individuals": [0.0, 1.0]},
    ],
    ids=str,
)
def test_a_slice_of_others_than_there_are_is_refused(changed: dict[str, Any]) -> None:
    work = _asked()
    told, arrays = unpack(work.slices()[0])
    with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
        evo.evaluate_slice(pack(told | changed, arrays), work.shared())


@pytest.mark.parametrize("changed", [{"population/center": np.zeros(4)}, {"statistics/mean": np.zeros(3)}], ids=str)
def test_a_slice_that_does_not_fit_its_problem_fails(changed: dict[str, np.ndarray]) -> None:
    answer = _ask_changed(_asked(), changed, {})
    assert "the slice does not fit its problem: " in unpack(answer)[0]["error"]


_LEFT_OUT = object()


def _asked(seeds: np.ndarray | None = None) -> Work[Any]:
    problem = _problem(Elsewhere(), **PROBLEMS["formula"])
    episodes = np.arange(1) if seeds is None else seeds.astype(np.int64)
    return PopulationWork(problem, _population(problem), episodes, problem.no_statistics(), False, False)


def _ask_changed(work: Work[Any], arrays: dict[str, np.ndarray | None], told: dict[str, Any]) -> bytes:
    """Ask for the first slice where what is shared has other arrays, without those that are None, and other values."""
    shared = []
    for message in work.shared():
        values, numbers = unpack(message)
        values |= {name: value for name, value in told.items() if name in values}
        values = {name: value for name, value in values.items() if value is not _LEFT_OUT}
        numbers = {**numbers, **(arrays if "seeds" in numbers else {})}
        shared.append(pack(values, {name: array for name, array in numbers.items() if array is not None}))
    values, numbers = unpack(work.slices()[0])
    return evo.evaluate_slice(pack(values | {"shared": slices._digest(*shared)}, numbers), shared)


@pytest.mark.parametrize(
    "changed",
    [
        {"slice": ["a list"]},
        {"steps": "9"},
        {"failures": {"one": "many"}},
        {"errors": "text"},
        {"returns": np.array([[3]])},
        {"measures": np.zeros(3)},
        {"objectives": np.zeros((1, 2))},
        {"statistics": np.zeros((1, 7))},
    ],
    ids=str,
)
def test_an_answer_of_another_form_is_one_line(changed: dict[str, Any]) -> None:
    def answer(answers: list[bytes]) -> Iterator[bytes]:
        for data in answers:
            told, arrays = unpack(data)
            name, value = next(iter(changed.items()))
            (arrays if name in arrays else told)[name] = value
            yield pack(told, arrays)

    with pytest.raises(EngineError, match=r"the answer of the workers does not fit: |gave no answer"):
        _merged(answer)


def test_a_module_that_a_slice_names_is_imported_only_if_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = _problem(Elsewhere(), **PROBLEMS["function"] | {"task__dim": 6})
    above = DensePopulation(np.ones((1, 6)))
    work = PopulationWork(problem, above, np.arange(1), problem.no_statistics(), False, False)
    work.shared()
    monkeypatch.setattr(reference, "_of_users", set())
    monkeypatch.setattr(reference, "_of_files", set())
    with pytest.raises(EngineError, match="rough is named by a file alone"):
        work.merge(_answers(work))
    assert work.merge(_answers(work, trust=True)).fitness == 6


# The library


def test_evaluate_takes_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    task, params = evo.task("evo/PointMass-v0", steps=20), np.random.default_rng(0).normal(size=(5, 8))
    workers = Elsewhere()
    _cut(monkeypatch, 3)
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
    _cut(monkeypatch, 3, 50)
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
