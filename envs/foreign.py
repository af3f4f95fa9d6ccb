"""Containment of users' code: SystemExit and changes of the working directory become ordinary errors."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class ExitError(Exception):
    """Somebody's function, module or environment called sys.exit."""

    def __init__(self, error: SystemExit) -> None:
        super().__init__(f"it called sys.exit({'' if error.code is None else repr(error.code)})")


@contextmanager
def staying() -> Iterator[None]:
    """Whoever changes the working directory inside is brought back."""
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
    """Inside, SystemExit becomes an ExitError; a process forked there does not come back."""
    process = os.getpid()
    try:
        yield
    except SystemExit as error:
        raise ExitError(error) from error
    finally:
        if os.getpid() != process:
            os._exit(0)
