"""Deferred interruption: a signal's exception is raised only at points where an evaluation may stop.

While the main thread waits for the engine, or asks `check()`, the exception is raised; anywhere else it is kept until
then. So a signal never tears a generation's bookkeeping apart, and never waits for longer than one evaluation takes to
notice.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_waiting = False
_pending: BaseException | None = None


def request(exception: BaseException) -> None:
    """Called by a signal handler: raise the exception here if the main thread waits, else at the next `check()`."""
    global _pending
    _pending = exception
    if _waiting:
        check()


def check() -> None:
    """Raise what was asked for meanwhile."""
    global _pending
    if _pending is not None:
        exception, _pending = _pending, None
        raise exception


def forget() -> None:
    """Drop what was asked for: whoever would have raised it has left."""
    global _pending
    _pending = None


@contextmanager
def waiting() -> Iterator[None]:
    """The main thread waits for the engine inside."""
    global _waiting
    try:
        _waiting = True
        check()
        yield
    finally:
        _waiting = False
