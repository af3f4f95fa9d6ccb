"""Stopping politely: Ctrl-C and SIGTERM stop the work where it is safe; a second one ends the process at once."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from evo.envs import interruption


class Stopped(BaseException):
    """A signal asked the work to stop; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What the shell expects of a process ended by this signal: 130 for Ctrl-C, 143 for SIGTERM."""
        return 128 + self.number


@contextmanager
def stoppable() -> Iterator[None]:
    """While inside, SIGINT or SIGTERM raises Stopped (see `evo.envs.interruption`); a second one exits at once.

    Off the main thread, where Python delivers no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            if sys.stderr.isatty():
                os.write(2, b"\x1b[?25h")  # a live display hides the cursor
            os._exit(128 + number)
        asked = True
        interruption.request(Stopped(number))

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        interruption.forget()
        for number, handler in before.items():
            signal.signal(number, handler)
