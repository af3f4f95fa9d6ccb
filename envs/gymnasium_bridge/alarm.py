"""Alarms that end a helper process in which an environment takes too long: signals reach even compiled code."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def set_alarm(seconds: float) -> None:
    """End this process by SIGALRM after this time, whatever it is doing, unless it is called again; 0: do not."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # an environment may have a handler of its own
    signal.setitimer(signal.ITIMER_REAL, seconds)


@contextmanager
def alarmed(step_timeout: float | None, times: int) -> Iterator[None]:
    """End this process by SIGALRM where what is inside takes longer than `times` a step's limit, if there is one."""
    if step_timeout is None:
        yield
        return
    set_alarm(times * step_timeout)
    try:
        yield
    finally:
        set_alarm(0)
