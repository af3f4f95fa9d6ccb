"""Deferred interruption: a signal's exception is raised only at points where an evaluation may stop.

The exception is raised while the main thread waits for the engine, or at `check()`; otherwise it is kept until then. So
a signal never interrupts a generation's bookkeeping, and waits no longer than one evaluation takes to notice it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_waiting = False
_pending: BaseException | None = None


def request(exception: BaseException) -> None:
    """Raise an exception here if the main thread waits, else at the next `check()`; for signal handlers."""
    global _pending
    _pending = exception
    if _waiting:
        check()


def check() -> None:
    """Raise the pending exception, if any."""
    global _pending
    if _pending is not None:
        exception, _pending = _pending, None
        raise exception


def forget() -> None:
    """Drop the pending exception: the code that would have raised it has ended."""
    global _pending
    _pending = None


@contextmanager
def waiting() -> Iterator[None]:
    """Mark that the main thread waits for the engine within this context."""
    global _waiting
    try:
        _waiting = True
        check()
        yield
    finally:
        _waiting = False


@contextmanager
def deferred() -> Iterator[None]:
    """Keep a signal's exception until the end of this context, within `waiting()`, for code that must not be left.

    Code of others, such as Ray's, may take an exception of its own caller's for a fault in itself.
    """
    global _waiting
    before, _waiting = _waiting, False
    try:
        yield
    finally:
        _waiting = before
    if _waiting:
        check()
