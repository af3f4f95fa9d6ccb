"""Slices of an evaluation: what travels to another process, and what comes back.

A slice is some individuals on some episodes, and says all that its results depend on: how the problem is made, what the
individuals are made from, the episodes' seeds and the statistics that normalise. Its size follows from the problem
alone, not from how many workers there are, and its bytes say what it is: an answer names its slice by their digest.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine import interruption
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, one_line, printable
from evo.genomes.population import Population, lengths_of, row_of
from evo.genomes.slices import describe, rebuild
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, Problem, add, fitness_of, join_individuals
from evo.storage.files import arrays_from_bytes, arrays_to_bytes
from evo.storage.states import below
from evo.version import __version__

_Arrays = Mapping[str, NDArray[Any]]
_Value = TypeVar("_Value")
# What an evaluation may raise that is no mistake in evo.
_FAILURES = EvoError, EngineError, KernelError, FloatingPointError, MemoryError


class _Cut(NamedTuple):
    """Which individuals of the population and which of the episodes a slice is of."""

    individuals: range
    episodes: range


@final
@dataclass(frozen=True, eq=False)
class PopulationWork:
    """The evaluation of a population on a problem; see `Problem.evaluate`."""

    problem: Problem
    population: Population
    seeds: NDArray[np.int64]
    statistics: ObservationStatistics
    collect: bool
    measured: bool

    def here(self) -> Evaluation:
        return self.problem.evaluate_here(
            self.population, self.seeds, self.statistics, self.collect, measured=self.measured
        )

    def slices(self) -> Sequence[bytes]:
        return self._slices

    @cached_property
    def _slices(self) -> list[bytes]:
        config, training = self.problem.origin()
        told = {"evo": __version__, "config": config, "training": training}
        told |= {"collect": self.collect, "measured": self.measured}
        shared = {f"statistics/{name}": array for name, array in self.statistics.state().items()}
        dtype = self.problem.cast(np.zeros(0)).dtype
        found = []
        for individuals, episodes in self._cuts:
            who = describe(self.population, np.array(individuals), dtype)
            arrays = shared | {f"population/{name}": array for name, array in who.items()}
            found.append(_pack(told, arrays | {"seeds": self.seeds[episodes.start : episodes.stop]}))
        return found

    @cached_property
    def _cuts(self) -> list[_Cut]:
        """The slices in order: one individual after the other, and of one, its episodes in order."""
        individuals, episodes = self.problem.slice_shape(len(self.seeds))
        if self.measured or individuals > 1:  # measures are means over all episodes
            episodes = len(self.seeds)
        return [
            _Cut(some, range(first, min(first + episodes, len(self.seeds))))
            for some in (
                range(first, min(first + individuals, len(self.population)))
                for first in range(0, len(self.population), individuals)
            )
            for first in range(0, len(self.seeds), episodes)
        ]

    def merge(self, answers: Iterable[bytes]) -> Evaluation:
        places: dict[str, list[int]] = {}  # slices that are equal have the same answer
        for place, data in enumerate(self._slices):
            places.setdefault(_digest(data), []).append(place)
        found: dict[int, Evaluation] = {}
        try:
            with interruption.waiting():
                for answer in answers:
                    told, arrays = _read(answer)
                    for place in places.pop(str(told.get("slice")), []):
                        found[place] = self._part(place, told, arrays)
                    if not places:
                        break
        except (OSError, EOFError) as error:
            raise EngineError(f"the workers failed: {type(error).__name__}: {one_line(error)}") from error
        except _DamagedError as error:
            raise EngineError(f"an answer of the workers cannot be read: {error}") from error
        if places:
            missing = [place for place in range(len(self._cuts)) if place not in found]
            raise EngineError(
                f"the workers gave no answer for {len(missing)} of {len(self._cuts)} slices, the first of them "
                f"{self._name(missing[0])}: mend them, and go on"
            )
        rows = groupby(range(len(self._cuts)), lambda place: self._cuts[place].individuals)
        return join_individuals([_join_episodes([found[place] for place in row]) for _, row in rows])

    def _part(self, place: int, told: Mapping[str, Any], arrays: _Arrays) -> Evaluation:
        """Return the results in an answer. Raises EngineError where the slice failed."""
        if "error" in told:
            raise EngineError(f"{self._name(place)}: {printable(str(told['error']))}")
        individuals, episodes = map(len, self._cuts[place])
        rows = dict.fromkeys(("returns", "measures", "objectives"), individuals)
        columns = {"returns": episodes, "statistics": 1 + 2 * len(self.statistics.mean)}
        try:
            for name in (*rows, "statistics"):
                array = arrays[name]
                fits = array.ndim == 2 and (len(array) == rows.get(name, len(array)) or array.shape == (0, 0))
                if not fits or array.dtype != np.float64 or array.shape[1] != columns.get(name, array.shape[1]):
                    raise ValueError(f"{name} of shape {array.shape}, {array.dtype}")
            for count in (told["episodes"], told["steps"], *_of(dict, told["failures"]).values()):
                _of(int, count)
            for error_ in _of(list, told["errors"]):
                _of(str, error_)
            return Evaluation(
                fitness=fitness_of(arrays["returns"]),
                returns=arrays["returns"],
                episodes=told["episodes"],
                steps=told["steps"],
                failures=told["failures"],
                errors=tuple(told["errors"]),
                statistics=arrays["statistics"],
                measures=arrays["measures"],
                objectives=arrays["objectives"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(
                f"{self._name(place)}: the answer of the workers does not fit: {one_line(error)}"
            ) from error

    def _name(self, place: int) -> str:
        first, last = self._cuts[place].individuals[0], self._cuts[place].individuals[-1]
        who = f"individual {first}" if first == last else f"individuals {first} to {last}"
        return f"{who} of {len(self.population)}"


def answer_slice(data: bytes, make_problem: Callable[[str, bool], Problem]) -> bytes:
    """Return the answer to a slice: its results, or why there are none.

    make_problem: makes the problem of a configuration, to train on or to score on. Raises EvoError for other bytes.
    """
    slice_ = {"slice": _digest(data)}
    try:
        told, arrays = _read(data)
        if (version := told["evo"]) != __version__:
            words = f"the slice is of evo {version}, and the worker has evo {__version__}: install the same"
            return _pack(slice_ | {"error": words}, {})
        config = _of(str, told["config"])
        training, collect, measured = (_of(bool, told[name]) for name in ("training", "collect", "measured"))
        population, seeds = rebuild(below("population/", arrays)), _checked_seeds(arrays["seeds"])
        statistics = ObservationStatistics.restored(below("statistics/", arrays))
    except KeyError as error:
        raise EvoError(f"a slice cannot be read: it has no {error}") from error
    except (TypeError, ValueError) as error:
        raise EvoError(f"a slice cannot be read: {one_line(error)}") from error
    try:
        problem = make_problem(config, training)
        _check_fit(problem, population, statistics)
        found = problem.evaluate_here(population, seeds, statistics, collect, measured=measured)
    except _FAILURES as error:
        return _pack(slice_ | {"error": one_line(error)}, {})
    counts = {"episodes": found.episodes, "steps": found.steps, "failures": found.failures, "errors": found.errors}
    names = "returns", "statistics", "measures", "objectives"  # the fitness follows from all slices' returns
    return _pack(slice_ | counts, {name: np.asarray(getattr(found, name)) for name in names})


def _of(kind: type[_Value], value: Any) -> _Value:
    """Return a value of a kind. Raises TypeError for another."""
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _checked_seeds(seeds: NDArray[Any]) -> NDArray[np.int64]:
    """Return the seeds of episodes. Raises ValueError for what are none."""
    if seeds.ndim != 1 or seeds.dtype != np.int64 or not seeds.size or seeds.min() < 0:
        raise ValueError(f"its seeds are {seeds.dtype} of shape {seeds.shape}, or below 0")
    return seeds


def _check_fit(problem: Problem, population: Population, statistics: ObservationStatistics) -> None:
    """Raise EvoError where a problem takes no such individuals, or normalises by no such statistics."""
    try:
        for individual in np.flatnonzero(lengths_of(population) != problem.size):
            problem.check(row_of(population, int(individual)))
    except ValueError as error:
        raise EvoError(f"the slice does not fit its problem: {one_line(error)}") from error
    own = problem.no_statistics()
    for name, found, needed in (("mean", statistics.mean, own.mean), ("m2", statistics.m2, own.m2)):
        if found.shape != needed.shape or found.dtype.kind not in "fiu":
            raise EvoError(f"the slice does not fit its problem: {name} is {found.dtype} of shape {found.shape}")


def _join_episodes(parts: Sequence[Evaluation]) -> Evaluation:
    """Return the evaluation on all episodes of the same individuals, in order."""
    if len(parts) == 1:
        return parts[0]
    returns = np.concatenate([part.returns for part in parts], axis=1)
    added = add(parts, returns, fitness_of(returns))
    return replace(added, measures=parts[0].measures, objectives=parts[0].objectives)  # without columns: see _cuts


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _pack(told: Mapping[str, Any], arrays: _Arrays) -> bytes:
    """Return JSON and arrays as bytes."""
    return arrays_to_bytes({"told": np.frombuffer(json.dumps(told).encode(), np.uint8), **arrays})


class _DamagedError(ValueError):
    """Bytes that `_pack` did not return."""


def _read(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what `_pack` packed. Raises _DamagedError for other bytes."""
    try:
        arrays = arrays_from_bytes(data)
        told = json.loads(arrays.pop("told").tobytes())
        return dict(told), arrays
    except (KeyError, TypeError, ValueError) as error:
        raise _DamagedError(one_line(error)) from error
