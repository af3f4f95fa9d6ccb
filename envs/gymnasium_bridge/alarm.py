"""Alarms that end a helper process in which an environment takes too long: signals reach even compiled code.

An environment may ignore the signal or stop its timer; so the parent, which sees the deadline, kills a helper past it.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

# When this process ends by the alarm, in seconds of time.monotonic, which all processes share; 0: never.
_deadline = memoryview(bytearray(8)).cast("d")


def share_deadline(memory: "memoryview[float]") -> None:
    """Write deadlines to this memory from now on, one float64, that another process reads."""
    global _deadline
    _deadline = memory


def set_alarm(seconds: float) -> None:
    """End this process by SIGALRM after this time, whatever it is doing, unless it is called again; 0: do not."""
    _deadline[0] = time.monotonic() + seconds if seconds else 0.0
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
