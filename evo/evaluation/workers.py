"""Workers: where populations are evaluated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, final

_Result_co = TypeVar("_Result_co", covariant=True)
_Result = TypeVar("_Result")


class Work(Protocol[_Result_co]):
    """An evaluation of a population, to be done here, or in slices anywhere: the result has the same bits."""

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


@final
@dataclass(frozen=True)
class Threads:
    """This process with `threads` threads, all on the whole population at once."""

    threads: int

    def evaluate(self, work: Work[_Result]) -> _Result:
        return work.here()
