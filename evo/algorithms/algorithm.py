"""Algorithm: the ask/tell protocol, and AskTell, the base class that checks order, shapes and state.

`Algorithm` is the interface: any object that fits it can be run. `AskTell` does the shared work once: the order of ask
and tell, the checks of the fitness, an interrupted tell, saving and restoring. An algorithm of ours derives from it and
writes only its mathematics.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.footprint import check_footprint
from evo.genomes.population import Population
from evo.numerics.validation import whole_number

PopulationT = TypeVar("PopulationT", bound=Population)

_LARGEST = 2**62  # the greatest whole number of a state: counts, and seeds below it


class Algorithm(Protocol):
    """Search by ask and tell. Fitness is maximised.

    Constructed as `X(initial, seed, *, hyper-parameters with defaults)`, `initial` being (parameters,); a value out of
    its range is a ValueError of one line. Further arguments are passed where the constructor has them (see
    `build_algorithm`): `groups`, a label for each parameter, (parameters,), equal for parameters that belong together,
    as those of a neuron do; `sensitivity`, a function from individuals (individuals, parameters) to how strongly each
    parameter affects their outputs, in the same shape; `train`, on a data set, what individuals learn in their lives
    (`evo.problems.fine_tuning.FineTuning`); `noisy`, whether fitness is random; `measured`, the name, the least and the
    greatest of each measure of the task, NaN where nobody knows; `known_objectives`, the name of each objective, and a
    value worse than its front, NaN where nobody knows; `domain`, the least and the greatest customary parameters of a
    function, each a number or (parameters,); and the facts of the network's layers (`Layer.facts`).
    """

    generation: int
    """Completed rounds of ask and tell."""

    def ask(self) -> Population:
        """Return the population to evaluate: a pure function of the state and the seed, so the same until `tell`."""
        ...

    def tell(self, fitness: NDArray[np.float64]) -> None:
        """Update the search with the fitness, (individuals,), of the population asked for.

        An algorithm whose attribute `uses` names `measures` or `objectives` is told these too, as keyword arguments
        (individuals, numbers), with NaN for an individual that failed. Others need no such arguments.

        Raises RuntimeError before `ask`, and ValueError where the length is wrong or a value is not finite. A tell that
        raises, or is interrupted, leaves everything unchanged.
        """
        ...

    def candidates(self) -> NDArray[np.float64]:
        """Return the candidates for champion, (candidates, parameters), the most promising first."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that changes, as plain arrays; with the constructor's arguments, all there is to know."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()` exactly; ValueError if it is not this algorithm's state at this size.

        A population asked for and not yet told is asked for again, and is the same.
        """
        ...

    def diagnostics(self) -> dict[str, float]:
        """Return named numbers worth a column in the log, about the last `tell`."""
        ...

    def finished(self) -> str | None:
        """Return why the search is over, or None: always None where exploration never narrows, as in random search."""
        ...


def build_algorithm(
    constructor: Callable[..., Algorithm], initial: ArrayLike, seed: int, known: Mapping[str, Any], **options: Any
) -> Algorithm:
    """Construct an algorithm, passing those of the `known` facts about the parameters that it has an argument for.

    Raises EvoError where it would not fit into memory, ValueError for an option out of its range.
    """
    check_footprint(constructor, np.size(initial), options)
    named = inspect.signature(constructor).parameters
    return constructor(initial, seed, **{name: known[name] for name in known if name in named}, **options)


class AskTell(ABC, Generic[PopulationT]):
    """Base class of algorithms, with their common half; a subclass is final and writes the methods below.

    `propose` must be a pure function of the state, the seed and the generation. `update` replaces attributes and never
    writes into their arrays: populations handed out earlier share them, and an interrupted tell restores them.
    """

    summary: ClassVar[str] = ""
    """A line for `evo list`: what it is, and its source."""
    held: ClassVar[tuple[int, int]] = (0, 0)
    """Numbers of matrices (parameters, parameters), and of arrays with a row for every individual, that it keeps.

    From them its memory is estimated before it is constructed.
    """
    remembered: ClassVar[tuple[str, ...]]
    """The attributes that `update` changes: arrays, numbers, and parts with their own `state` and `restore`."""
    decisive: int | None = None
    """How many of the best `update` uses, ignoring the others' ranks; None where every rank counts.

    Where it is known, those who cannot be among them need not be evaluated to the end (see `evo.learners.racing`).
    """

    uses: ClassVar[frozenset[str]] = frozenset()
    """What `update` is told beside the fitness, as keyword arguments: `measures`, `objectives`."""
    growing: ClassVar[tuple[str, ...]] = ()
    """The arrays of the state whose first axis may have any length."""
    searches: ClassVar[str] = "vectors"
    """What `initial` and individuals are: `vectors`, any numbers, or `graphs`, rows of graph networks."""
    rank_based: ClassVar[bool] = True
    """Whether the search uses only the order of the fitness; `finished` may use its values too."""

    def __init__(self, initial: ArrayLike, seed: int) -> None:
        self.initial = np.array(initial, dtype=np.float64)  # (parameters,)
        if self.initial.ndim != 1 or self.initial.size == 0 or not np.isfinite(self.initial).all():
            raise ValueError(f"initial: must be finite and of shape (parameters,), not of shape {self.initial.shape}")
        self.seed = whole_number("seed", seed, 0)
        self.generation = 0
        self._asked: PopulationT | None = None

    @abstractmethod
    def propose(self) -> PopulationT:
        """Return the population of this generation."""

    @abstractmethod
    def update(self, population: PopulationT, fitness: NDArray[np.float64]) -> None:
        """Update the search with the fitness, (individuals,), of the population from `propose`.

        Where `uses` names them, also with `measures` and `objectives`, float64 (individuals, numbers).
        """

    @abstractmethod
    def candidates(self) -> NDArray[np.float64]:
        """Return the candidates as in `Algorithm`."""

    @abstractmethod
    def diagnostics(self) -> dict[str, float]:
        """Return the diagnostics as in `Algorithm`."""

    def ask(self) -> PopulationT:
        if self._asked is None:
            self._asked = self.propose()
        return self._asked

    def tell(self, fitness: NDArray[np.float64], **told: NDArray[np.float64]) -> None:
        asked = self._asked
        if asked is None:
            raise RuntimeError("tell() before ask(): ask for a population, evaluate it, then tell its fitness")
        fitness = np.array(fitness, dtype=np.float64)
        if fitness.shape != (len(asked),):
            raise ValueError(f"fitness of shape {fitness.shape}: must be ({len(asked)},), one value an individual")
        finite = np.isfinite(fitness)
        if not finite.all():
            individual = int(np.argmin(finite))
            raise ValueError(f"fitness[{individual}]={fitness[individual]}: every fitness must be finite")
        if told.keys() != self.uses:
            given, needed = (", ".join(sorted(names)) or "nothing" for names in (told, self.uses))
            raise ValueError(f"told {given} beside the fitness: it uses {needed}")
        told = {name: _beside(name, numbers, len(asked)) for name, numbers in told.items()}
        before, generation = self._hold(), self.generation
        try:
            # Finite fitness can still overflow in an update: raise FloatingPointError, rather than keep NaN for ever.
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                self.update(asked, fitness, **told)
            self.generation += 1
            self._asked = None
        except BaseException as error:
            self._put_back(before)
            self.generation, self._asked = generation, asked
            if isinstance(error, np.linalg.LinAlgError):  # a matrix is no longer finite
                raise FloatingPointError(f"generation {generation}: {error}") from error
            raise

    def grow(self, steps: int) -> PopulationT | None:
        """Return the population asked for with further individuals appended, or None where it is large enough.

        steps: what evaluating it has taken (env steps in reinforcement learning). The result is from then on the
        population asked for.
        """
        return None

    def finished(self) -> str | None:
        return None

    def state(self) -> dict[str, NDArray[Any]]:
        state = {"generation": np.array(self.generation, dtype=np.int64)}
        for name in self.remembered:
            value = getattr(self, name)
            if hasattr(value, "state"):
                state |= {f"{name}_{inner}": array for inner, array in value.state().items()}
            else:
                state[name] = np.array(int(value) if isinstance(value, bool) else value)
        return state

    def _hold(self) -> dict[str, Any]:
        """Return what an interrupted tell must restore: the arrays themselves, as copying a large C takes time.

        A part that changes its arrays in place, and can undo it, has `hold` and `put_back`.
        """
        values = {name: getattr(self, name) for name in self.remembered}
        return {
            name: value.hold() if hasattr(value, "hold") else value.state() if hasattr(value, "state") else value
            for name, value in values.items()
        }

    def _put_back(self, held: Mapping[str, Any]) -> None:
        for name, value in held.items():
            part = getattr(self, name)
            if hasattr(part, "put_back"):
                part.put_back(value)
            elif hasattr(part, "restore"):
                part.restore(value)
            else:
                setattr(self, name, value)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.check(state)
        for name in self.remembered:
            value = getattr(self, name)
            if hasattr(value, "restore"):
                value.restore({inner: state[f"{name}_{inner}"] for inner in value.state()})
            else:
                array = np.array(state[name])
                setattr(self, name, array if isinstance(value, np.ndarray) else array.item())
        self.generation = int(state["generation"])
        self._asked = None

    def check(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError if it is not this algorithm's state at this size.

        Subclasses add checks of what their arrays do not show.
        """
        expected, given = self._layouts(self.state()), self._layouts(state)
        wrong = sorted(name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name))
        if wrong:
            name = wrong[0]
            raise ValueError(f"state {name!r} is {_layout(given.get(name))}, expected {_layout(expected.get(name))}")
        for name, array in state.items():
            whole = np.asarray(array)
            counts = whole.dtype.kind == "i" and whole.ndim < 2 and whole.size  # rows of whole numbers are genomes
            if counts and (whole.min() < 0 or whole.max() > _LARGEST):
                raise ValueError(f"state {name!r} is {whole.min()} … {whole.max()}, expected a count")

    def _layouts(self, state: Mapping[str, NDArray[Any]]) -> dict[str, "_Layout"]:
        layouts: dict[str, _Layout] = {}
        for name, array in state.items():
            shape = np.shape(array)
            free = ("any length",) if name in self.growing and shape else shape[:1]
            layouts[name] = (*free, *shape[1:]), np.asarray(array).dtype
        return layouts


def _beside(name: str, numbers: ArrayLike, individuals: int) -> NDArray[np.float64]:
    """Return measures or objectives. Raises ValueError unless (individuals, numbers), each row finite or all NaN."""
    rows = np.array(numbers, np.float64)
    if rows.ndim != 2 or len(rows) != individuals or not rows.shape[1]:
        raise ValueError(f"{name} of shape {rows.shape}: must be ({individuals}, numbers), one row an individual")
    unusable = ~np.isfinite(rows).all(axis=1) & ~np.isnan(rows).all(axis=1)
    if unusable.any():
        individual = int(np.argmax(unusable))
        raise ValueError(f"{name}[{individual}]={rows[individual]}: must be finite, or all NaN where it failed")
    return rows


_Layout = tuple[tuple[int | str, ...], np.dtype[Any]]  # shape and dtype


def _layout(layout: _Layout | None) -> str:
    return "absent" if layout is None else f"{layout[1]} of shape {layout[0]}"
