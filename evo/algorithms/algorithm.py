"""Algorithm: the ask/tell protocol, and AskTell, the base class that checks order, shapes and state.

`Algorithm` is the interface: any object that fits it can be run. `AskTell` is the shared work, done once: the order of
ask and tell, the checks of the fitness, an interrupted tell, saving and restoring. An algorithm of ours derives from it
and writes only its mathematics.
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

_LARGEST = 2**62  # of the whole numbers of a state: counts, and seeds below it


class Algorithm(Protocol):
    """Search by ask and tell. Fitness is maximised.

    Constructed as `X(initial, seed, *, hyper-parameters with defaults)`, `initial` being (parameters,); a value out of
    its range is a ValueError of one line. One that takes `groups`, besides, is told which parameters belong together,
    as those of a neuron do: a label for each, (parameters,); one that takes `sensitivity`, how strongly what an
    individual does depends on each: a function of individuals (individuals, parameters) to as many numbers; one that
    takes `noisy`, whether fitness depends on luck (see `constructed`).
    """

    generation: int
    """Completed rounds of ask and tell."""

    def ask(self) -> Population:
        """The population to evaluate: a pure function of the state and the seed, so the same until `tell`."""
        ...

    def tell(self, fitness: NDArray[np.float64]) -> None:
        """Learn from the fitness, (individuals,), of the population asked for.

        Raises RuntimeError before `ask`, and ValueError where the length is wrong or a value is not finite. A tell that
        raises, or is interrupted, leaves everything as it was.
        """
        ...

    def candidates(self) -> NDArray[np.float64]:
        """What it offers as champion, (candidates, parameters), the most promising first."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that changes, as plain arrays; with the constructor's arguments, all there is to know."""
        ...

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on exactly where `state()` was taken; ValueError if it is not this algorithm's state at this size.

        A population asked for and not yet told is asked for again: it comes out the same.
        """
        ...

    def diagnostics(self) -> dict[str, float]:
        """Named numbers worth a column in the log, about the last `tell`."""
        ...

    def finished(self) -> str | None:
        """Why it has no more to find, or None: always None where exploration never narrows (ARS, random search, …)."""
        ...


def constructed(
    constructor: Callable[..., Algorithm], initial: ArrayLike, seed: int, known: Mapping[str, Any], **options: Any
) -> Algorithm:
    """An algorithm at its beginning, told what is `known` of the parameters as far as it has a name for it."""
    check_footprint(constructor, np.size(initial), options)
    named = inspect.signature(constructor).parameters
    return constructor(initial, seed, **{name: known[name] for name in known if name in named}, **options)


class AskTell(ABC, Generic[PopulationT]):
    """The shared half of an algorithm; a subclass is final and writes the methods below and `remembered`.

    `propose` must be a pure function of the state, the seed and the generation. `update` replaces attributes and never
    writes into their arrays: populations handed out earlier share them, and an interrupted tell puts them back.
    """

    remembered: ClassVar[tuple[str, ...]]
    """The attributes that `update` changes: arrays, numbers, and parts that have `state` and `restore` of their own."""
    decisive: int | None = None
    """How many of the best matter to `update`, which makes nothing of the others' ranks; None where every rank counts.

    Where it is known, those who cannot be among them need not be evaluated to the end (see `evo.learners.racing`).
    """

    growing: ClassVar[tuple[str, ...]] = ()
    """Those arrays of the state that may have any length, their first axis."""
    rank_based: ClassVar[bool] = True
    """Whether the search looks at nothing but the order of the fitness; to see that it is finished, it may at more."""

    def __init__(self, initial: ArrayLike, seed: int) -> None:
        self.initial = np.array(initial, dtype=np.float64)  # (parameters,)
        if self.initial.ndim != 1 or self.initial.size == 0 or not np.isfinite(self.initial).all():
            raise ValueError(f"initial: must be finite and of shape (parameters,), not of shape {self.initial.shape}")
        self.seed = whole_number("seed", seed, 0)
        self.generation = 0
        self._asked: PopulationT | None = None

    @abstractmethod
    def propose(self) -> PopulationT:
        """The population of this generation."""

    @abstractmethod
    def update(self, population: PopulationT, fitness: NDArray[np.float64]) -> None:
        """Learn from the fitness, (individuals,), of what `propose` proposed."""

    @abstractmethod
    def candidates(self) -> NDArray[np.float64]:
        """As in `Algorithm`."""

    @abstractmethod
    def diagnostics(self) -> dict[str, float]:
        """As in `Algorithm`."""

    def ask(self) -> PopulationT:
        if self._asked is None:
            self._asked = self.propose()
        return self._asked

    def tell(self, fitness: NDArray[np.float64]) -> None:
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
        before, generation = self._held(), self.generation
        try:
            # Finite fitness can still overflow in an update: FloatingPointError, rather than NaN for ever after.
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                self.update(asked, fitness)
            self.generation += 1
            self._asked = None
        except BaseException as error:
            self._put_back(before)
            self.generation, self._asked = generation, asked
            if isinstance(error, np.linalg.LinAlgError):  # of a matrix that is no longer finite
                raise FloatingPointError(f"generation {generation}: {error}") from error
            raise

    def grow(self, steps: int) -> PopulationT | None:
        """The population asked for with further individuals behind it, or None where there are enough of them.

        steps: what evaluating it has taken (env steps, in a world). It is the population asked for from then on.
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

    def _held(self) -> dict[str, Any]:
        """What an interrupted tell puts back: arrays themselves: copies of a large C take their time."""
        values = {name: getattr(self, name) for name in self.remembered}
        return {name: value.state() if hasattr(value, "state") else value for name, value in values.items()}

    def _put_back(self, held: Mapping[str, Any]) -> None:
        for name, value in held.items():
            part = getattr(self, name)
            if hasattr(part, "restore"):
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
        """ValueError if it is not this algorithm's state at this size; one whose arrays do not show that adds to it."""
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


_Layout = tuple[tuple[int | str, ...], np.dtype[Any]]  # shape and type


def _layout(layout: _Layout | None) -> str:
    return "absent" if layout is None else f"{layout[1]} of shape {layout[0]}"
