"""Containment of users' code: SystemExit and changes of the working directory become ordinary errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# What foreign code may raise. KeyboardInterrupt and the like are not its own.
FAILURES = (Exception, SystemExit, GeneratorExit)


class ExitError(Exception):
    """A user's function, module or environment called sys.exit."""

    def __init__(self, error: SystemExit) -> None:
        super().__init__(f"it called sys.exit({'' if error.code is None else repr(error.code)})")


def in_words(error: BaseException) -> str:
    """Return the message of foreign code's error on one line, its type first unless the error is ours."""
    if isinstance(error, SystemExit):
        error = ExitError(error)
    kind = type(error)
    try:
        said = " ".join(str(error).split())
    except Exception:  # its own __str__ may fail too
        said = ""
    if kind.__module__.startswith("evo."):
        return said
    return f"{kind.__name__}: {said}" if said else kind.__name__


@contextmanager
def staying() -> Iterator[None]:
    """Restore the working directory after this context."""
    try:
        folder = os.getcwd()
    except OSError:  # it was deleted
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.chdir(folder)


@contextmanager
def contained() -> Iterator[None]:
    """Turn SystemExit within this context into an ExitError; end a process that was forked there."""
    process = os.getpid()
    try:
        yield
    except SystemExit as error:
        raise ExitError(error) from error
    finally:
        if os.getpid() != process:
            os._exit(0)
