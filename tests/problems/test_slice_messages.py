"""What comes from another process is checked: slices and answers of another form are one line."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import evo
from evo.envs import reference
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError
from evo.evaluation.workers import Work
from evo.genomes.population import DensePopulation
from evo.problems import slices
from evo.problems.slices import PopulationWork
from evo.storage.messages import pack, unpack
from tests.support.slices import PROBLEMS, Elsewhere, answers_to, merged, population_of, problem_of


def test_another_version_and_other_bytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
        evo.evaluate_slice(b"no slice", [b"nothing"])
    with pytest.raises(EvoError, match=r"^a slice cannot be read: "):
        evo.evaluate_slice(_asked().slices()[0], [])
    with pytest.raises(EvoError, match=r"^a slice cannot be read: it is of other work than what is shared$"):
        evo.evaluate_slice(_asked(np.ones(1)).slices()[0], _asked().shared())
    problem = problem_of(Elsewhere(), **PROBLEMS["formula"])
    work = PopulationWork(problem, population_of(problem), np.arange(1), problem.no_statistics(), False, False)
    work.shared()
    monkeypatch.setattr(slices, "__version__", "9")
    with pytest.raises(EngineError, match=r"the slice is of evo .*, and the worker has evo 9: install the same"):
        work.merge(answers_to(work))


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
    problem = problem_of(Elsewhere(), **PROBLEMS["formula"])
    episodes = np.arange(1) if seeds is None else seeds.astype(np.int64)
    return PopulationWork(problem, population_of(problem), episodes, problem.no_statistics(), False, False)


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
        merged(answer)


def test_a_module_that_a_slice_names_is_imported_only_if_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(Elsewhere(), **PROBLEMS["function"] | {"task__dim": 6})
    above = DensePopulation(np.ones((1, 6)))
    work = PopulationWork(problem, above, np.arange(1), problem.no_statistics(), False, False)
    work.shared()
    monkeypatch.setattr(reference, "_of_users", set())
    monkeypatch.setattr(reference, "_of_files", set())
    with pytest.raises(EngineError, match="rough is named by a file alone"):
        work.merge(answers_to(work))
    assert work.merge(answers_to(work, trust=True)).fitness == 6
