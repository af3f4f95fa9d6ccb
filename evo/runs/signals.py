"""Handling of Ctrl-C and SIGTERM: learning stops where nothing is lost, any command within two seconds.

In the command's own process a signal ends it at once, with one line: files on the disk are whole at every moment. Only
while a run learns, the signal waits for a safe point, where everything is saved first. If none is reached in time, as
in a slow step of an environment, the process is ended all the same: a thread that the operating system wakes watches
the main thread.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

GRACE = 1.2  # seconds to reach a safe point
_TICK = 0.05
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_is_command = False  # the process is a command's, and may be ended
_learning = False
_asked = False
_saving = False
_advice: list[str] = []
_ending = threading.Lock()


class Stopped(BaseException):
    """A signal asked the work to stop; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        self.number, self.advice = number, _advice[0] if _advice else ""
        super().__init__(f"stopped{self._clause}")

    @property
    def _clause(self) -> str:
        return f"; {self.advice}" if self.advice else ""

    def leave(self) -> NoReturn:
        """End the process as if killed by this signal, and print what to do next; from the main thread."""
        with contextlib.suppress(Exception):  # a handler may interrupt a write
            sys.stdout.flush()
        self.end()

    def end(self) -> NoReturn:
        """End the process from any thread, whatever the main thread is doing."""
        if _ending.acquire(blocking=False):  # only one of two threads prints
            with contextlib.suppress(OSError):
                # a live display hides the cursor and leaves it in its line
                start = "\x1b[?25h\r\n" if os.isatty(2) else ""
                os.write(2, f"{start}evo: stopped{self._clause}\n".encode())
        elif threading.current_thread() is not threading.main_thread():
            time.sleep(GRACE)  # the main thread is printing
        os._exit(128 + self.number)


def guard_command() -> None:
    """Make this process a command's: one signal ends it within two seconds, a second one at once.

    It exits with the status that the shell expects, 130 after Ctrl-C and 143 after SIGTERM, and one line on standard
    error.
    """
    global _is_command
    _is_command = True
    awake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(awake,), name="evo-signals", daemon=True).start()
    for number in _SIGNALS:
        signal.signal(number, _stop)


@contextmanager
def advising(text: str) -> Iterator[None]:
    """Set the advice that a stop inside prints; the outermost of several is used."""
    _advice.append(text)
    try:
        yield
    finally:
        _advice.pop()


@contextmanager
def saving() -> Iterator[None]:
    """Wait for what is written inside before a signal ends the process, however slow the disk."""
    global _saving
    _saving = True
    try:
        yield
    finally:
        _saving = False


@contextmanager
def stoppable() -> Iterator[None]:
    """Within this context a signal raises Stopped at a safe point; a second one ends the process.

    Safe points are those of `evo.envs.engine.interruption`. Outside of a command, KeyboardInterrupt or SystemExit is
    raised instead. Off the main thread, where Python delivers no signals, nothing changes.
    """
    global _asked, _learning
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    from evo.envs.engine import interruption

    _learning, _asked = True, False
    before = {number: signal.signal(number, _stop) for number in _SIGNALS}
    try:
        yield
        interruption.check()  # a request may have come meanwhile: the caller, such as a study, must see it
    except Stopped as stopped:
        if _is_command:
            raise
        if stopped.number == signal.SIGINT:
            raise KeyboardInterrupt(str(stopped)) from None
        raise SystemExit(128 + stopped.number) from None
    finally:
        _learning = False
        interruption.forget()
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    global _asked
    if _asked or not _learning:
        Stopped(number).leave()
    from evo.envs.engine import interruption

    _asked = True
    interruption.request(Stopped(number))


def _watch(awake: int) -> None:
    """End the process when the main thread has not, GRACE seconds after a signal or at the second one.

    Python's handlers run only in the main thread, which may be busy in any code; the operating system writes the
    signal's number to the pipe at once.
    """
    while (number := os.read(awake, 1)[0]) not in _SIGNALS:
        pass
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        # other signals, such as a user's alarm, wake it too
        if select.select([awake], [], [], _TICK)[0] and (again := os.read(awake, 1)[0]) in _SIGNALS:
            number = again
            break
        if _saving:
            deadline = time.monotonic() + GRACE
    Stopped(number).end()
