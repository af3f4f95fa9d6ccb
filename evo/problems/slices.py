"""Slices of an evaluation: what travels to another process, and what comes back.

A slice is some individuals on some episodes. What all slices need alike travels once, as shared messages: how the
problem is made, what the population is made from, the episodes' seeds and the statistics that normalise. A slice itself
names its individuals and episodes, and has their rows where they are made from nothing less. Its size follows from the
problem alone, not from how many workers there are. Consecutive slices can be sent as one; an answer names what it
answers by a digest of it and of what is shared.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any, NamedTuple, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine import interruption
from evo.envs.engine.compile import KernelError
from evo.envs.engine.physics import EngineError
from evo.errors import EvoError, one_line, printable
from evo.genomes.population import Population, Subpopulation, lengths_of, row_of
from evo.genomes.slices import Description, describe, describe_rows, rebuild
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, Problem, add, fitness_of, join_individuals
from evo.storage.messages import pack, unpack
from evo.storage.states import below
from evo.version import __version__

_Arrays = Mapping[str, NDArray[Any]]
_Value = TypeVar("_Value")
# What an evaluation may raise that is no mistake in evo.
_FAILURES = EvoError, EngineError, KernelError, FloatingPointError, MemoryError


class _Cut(NamedTuple):
    """Which individuals of the population and which of the episodes a slice, or several sent as one, is of."""

    individuals: range
    episodes: range


@final
@dataclass(eq=False)
class PopulationWork:
    """The evaluation of a population on a problem; see `Problem.evaluate`. steps: of the answers merged so far."""

    problem: Problem
    population: Population
    seeds: NDArray[np.int64]
    statistics: ObservationStatistics
    collect: bool
    measured: bool
    steps: int = field(default=0, init=False)
    _asked: dict[str, range] = field(default_factory=dict, init=False)  # digest of a message → places of its slices

    def here(self) -> Evaluation:
        return self.problem.evaluate_here(
            self.population, self.seeds, self.statistics, self.collect, measured=self.measured
        )

    def __len__(self) -> int:
        return len(self._cuts)

    def shared(self) -> Sequence[bytes]:
        return self._shared

    def slices(self) -> Sequence[bytes]:
        return [self.join(range(place, place + 1)) for place in range(len(self))]

    def fitting(self, places: range) -> range:
        row = self._in_row
        first, last = places.start, min(places.stop, len(self))
        if row > 1 and (first % row or last - first < row):
            return range(first, min(last, first - first % row + row))
        return range(first, last - (last - first) % row)

    def join(self, places: range) -> bytes:
        cut = self._union(places)
        told = {name: [part.start, part.stop] for name, part in cut._asdict().items()}  # so that no two are equal
        rows: _Arrays = {}
        if self._described is None:
            rows = describe_rows(self.population, cut.individuals, self.problem.cast(np.zeros(0)).dtype)
        message = pack({"shared": self._digest, **told}, rows)
        self._asked[_digest(message)] = places
        return message

    @cached_property
    def _described(self) -> Description | None:
        return describe(self.population)

    @cached_property
    def _shared(self) -> Sequence[bytes]:
        config, training = self.problem.origin()
        told = {"evo": __version__, "config": config, "training": training}
        told |= {"collect": self.collect, "measured": self.measured}
        lasting, passing = self._described or ({}, {})
        changing = {f"statistics/{name}": array for name, array in self.statistics.state().items()}
        changing |= {f"population/{name}": array for name, array in passing.items()}
        return (
            pack(told, {f"population/{name}": array for name, array in lasting.items()}),
            pack({}, changing | {"seeds": self.seeds}),
        )

    @cached_property
    def _digest(self) -> str:
        return _digest(*self._shared)

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

    @property
    def _in_row(self) -> int:
        """Number of slices that together have all the episodes of the same individuals."""
        return -(-len(self.seeds) // len(self._cuts[0].episodes))

    def _union(self, places: range) -> _Cut:
        first, last = self._cuts[places.start], self._cuts[places.stop - 1]
        return _Cut(
            range(first.individuals.start, last.individuals.stop), range(first.episodes.start, last.episodes.stop)
        )

    def merge(self, answers: Iterable[bytes]) -> Evaluation:
        found: dict[range, Evaluation] = {}
        missing = set(range(len(self)))
        try:
            with interruption.waiting():
                for answer in answers:
                    told, arrays = _read(answer)
                    places = self._asked.get(str(told.get("slice")), range(0))
                    if places and missing.issuperset(places):
                        found[places] = self._part(places, told, arrays)
                        self.steps += found[places].steps
                        missing.difference_update(places)
                    if not missing:
                        break
        except (OSError, EOFError) as error:
            raise EngineError(f"the workers failed: {type(error).__name__}: {one_line(error)}") from error
        except _DamagedError as error:
            raise EngineError(f"an answer of the workers cannot be read: {error}") from error
        if missing:
            raise EngineError(
                f"the workers gave no answer for {len(missing)} of {len(self)} slices, the first of them "
                f"{self._name(self._cuts[min(missing)])}: mend them, and go on"
            )
        rows = groupby(sorted(found, key=lambda places: places.start), lambda places: self._union(places).individuals)
        return join_individuals([_join_episodes([found[places] for places in row]) for _, row in rows])

    def _part(self, places: range, told: Mapping[str, Any], arrays: _Arrays) -> Evaluation:
        """Return the results in an answer. Raises EngineError where the slice failed."""
        cut = self._union(places)
        if "error" in told:
            raise EngineError(f"{self._name(cut)}: {printable(str(told['error']))}")
        individuals, episodes = map(len, cut)
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
                f"{self._name(cut)}: the answer of the workers does not fit: {one_line(error)}"
            ) from error

    def _name(self, cut: _Cut) -> str:
        first, last = cut.individuals[0], cut.individuals[-1]
        who = f"individual {first}" if first == last else f"individuals {first} to {last}"
        return f"{who} of {len(self.population)}"


class _Shared(NamedTuple):
    """What all slices of a piece of work need alike. population: None where slices have rows of their own."""

    version: str
    config: str
    training: bool
    collect: bool
    measured: bool
    statistics: ObservationStatistics
    population: Population | None
    seeds: NDArray[np.int64]
    digest: str


def answer_slice(data: bytes, shared: Sequence[bytes], make_problem: Callable[[str, bool], Problem]) -> bytes:
    """Return the answer to a slice: its results, or why there are none.

    shared: what its work shares. make_problem: makes the problem of a configuration, to train on or to score on. Raises
    EvoError for other bytes.
    """
    slice_ = {"slice": _digest(data)}
    try:
        given = _read_shared(*shared)
        if given.version != __version__:
            words = f"the slice is of evo {given.version}, and the worker has evo {__version__}: install the same"
            return pack(slice_ | {"error": words}, {})
        told, arrays = _read(data)
        if told["shared"] != given.digest:
            raise ValueError("it is of other work than what is shared")
        seeds = given.seeds[slice(*_part_of(told["episodes"], len(given.seeds)))]
        if given.population is None:
            population = rebuild(arrays)
        else:
            chosen = np.arange(*_part_of(told["individuals"], len(given.population)))
            population = Subpopulation(given.population, chosen)
    except KeyError as error:
        raise EvoError(f"a slice cannot be read: it has no {error}") from error
    except (TypeError, ValueError) as error:
        raise EvoError(f"a slice cannot be read: {one_line(error)}") from error
    try:
        problem = make_problem(given.config, given.training)
        _check_fit(problem, population, given.statistics)
        found = problem.evaluate_here(population, seeds, given.statistics, given.collect, measured=given.measured)
    except _FAILURES as error:
        return pack(slice_ | {"error": one_line(error)}, {})
    counts = {"episodes": found.episodes, "steps": found.steps, "failures": found.failures, "errors": found.errors}
    names = "returns", "statistics", "measures", "objectives"  # the fitness follows from all slices' returns
    return pack(slice_ | counts, {name: np.asarray(getattr(found, name)) for name in names})


@lru_cache(maxsize=2)  # a generation, and the selection between two
def _read_shared(*messages: bytes) -> _Shared:
    """Return what work shares. Raises KeyError, TypeError and ValueError for other bytes."""
    told, arrays = dict[str, Any](), dict[str, NDArray[Any]]()
    for message in messages:
        values, numbers = _read(message)
        told |= values
        arrays |= numbers
    made_from = below("population/", arrays)
    return _Shared(
        version=_of(str, told["evo"]),
        config=_of(str, told["config"]),
        training=_of(bool, told["training"]),
        collect=_of(bool, told["collect"]),
        measured=_of(bool, told["measured"]),
        statistics=ObservationStatistics.restored(below("statistics/", arrays)),
        population=rebuild(made_from) if made_from else None,
        seeds=_checked_seeds(arrays["seeds"]),
        digest=_digest(*messages),
    )


def _part_of(limits: Any, count: int) -> tuple[int, int]:
    """Return the first and the end of some of `count`. Raises ValueError and TypeError for others."""
    first, end = (_of(int, limit) for limit in limits)
    if not 0 <= first < end <= count:
        raise ValueError(f"it is of {first} to {end} of {count}")
    return first, end


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


def _digest(*messages: bytes) -> str:
    return hashlib.sha256(b"".join(hashlib.sha256(message).digest() for message in messages)).hexdigest()


class _DamagedError(ValueError):
    """Bytes that are no message."""


def _read(message: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what is in a message. Raises _DamagedError for other bytes."""
    try:
        return unpack(message)
    except ValueError as error:
        raise _DamagedError(one_line(error)) from error
