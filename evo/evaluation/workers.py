"""Workers: where populations are evaluated."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar, final, runtime_checkable

import numpy as np

from evo.envs.engine.physics import available_threads
from evo.errors import EvoError

_MOST_THREADS = 1024
_Result_co = TypeVar("_Result_co", covariant=True)
_Result = TypeVar("_Result")


class Work(Protocol[_Result_co]):
    """An evaluation of a population, to be done here, or in slices anywhere: the result has the same bits."""

    @property
    def steps(self) -> int:
        """Env steps (evaluations of a function, examples) of the answers that were merged so far."""
        ...

    def here(self) -> _Result_co:
        """Return the result, computed in this process."""
        ...

    def __len__(self) -> int:
        """Return the number of slices, which depends on the work alone."""
        ...

    def shared(self) -> Sequence[bytes]:
        """Return what all slices need alike, for `evo.evaluate_slice`; first what does not change from work to work.

        Raises EvoError where no other process can make the problem.
        """
        ...

    def slices(self) -> Sequence[bytes]:
        """Return the slices, each as bytes for `evo.evaluate_slice`."""
        ...

    def fitting(self, places: range) -> range:
        """Return the first of some slices' places, as many as can be sent as one."""
        ...

    def join(self, places: range) -> bytes:
        """Return slices of consecutive places as one, for `evo.evaluate_slice`; places: such as `fitting` returns."""
        ...

    def merge(self, answers: Iterable[bytes]) -> _Result_co:
        """Return the result, put together from what `evo.evaluate_slice` returned for the slices, in any order.

        An answer to what has one is dropped, and no more are taken once each slice has one. Raises EngineError for a
        slice that failed or stayed without answer, and where taking the answers raises OSError or EOFError: a worker
        is gone. A run then saves what it has, and can be resumed.
        """
        ...


class Workers(Protocol):
    """Where populations are evaluated. One of your own sends `work.slices()` elsewhere: see examples/own_workers.py."""

    @property
    def threads(self) -> int:
        """Threads of this process for everything that is done in it: experience, gradients, pictures.

        Also the number of processes that hold Gymnasium environments.
        """
        ...

    def evaluate(self, work: Work[_Result]) -> _Result:
        """Return `work.here()`, or `work.merge` of the answers to `work.slices()`."""
        ...


class NodeStatus(NamedTuple):
    """A node since it joined.

    flying: slices that it has and has not answered. steps: env steps of those that it answered. seconds: since it
    joined; waited: those of them in which it had no slices.
    """

    name: str
    cores: int
    flying: int
    steps: int
    seconds: float
    waited: float


class NodesStatus(NamedTuple):
    """The nodes there are.

    lost: how often one was lost. seconds: since these workers were made; waited: those of them in which this process
    did nothing but wait for answers.
    """

    nodes: tuple[NodeStatus, ...]
    lost: int
    seconds: float
    waited: float


@runtime_checkable
class NodeWorkers(Workers, Protocol):
    """Workers that are nodes, of which some compute other bits where the user accepts that."""

    @property
    def other_bits(self) -> Mapping[str, int]:
        """How answers that counted may have other bits than this process's → the number of such answers so far."""
        ...

    def status(self) -> NodesStatus:
        """Return what nodes there are and what they do; from any Python thread."""
        ...


@final
@dataclass(frozen=True)
class Threads:
    """This process with `threads` threads, 1 to 1024, all on the whole population at once. Raises EvoError."""

    threads: int

    def __post_init__(self) -> None:
        try:
            if isinstance(self.threads, bool | np.bool_):
                raise TypeError
            count = operator.index(self.threads)
        except TypeError:
            raise EvoError(f"threads must be a whole number, got {self.threads!r}") from None
        if not 1 <= count <= _MOST_THREADS:
            raise EvoError(
                f"threads must be between 1 and {_MOST_THREADS}, got {count}; this process may use "
                f"{available_threads()}"
            )
        object.__setattr__(self, "threads", count)  # NumPy's whole numbers as Python's

    def evaluate(self, work: Work[_Result]) -> _Result:
        return work.here()
