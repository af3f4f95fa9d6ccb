"""Handling of Ctrl-C and SIGTERM: learning stops where nothing is lost, any command within two seconds.

In the command's own process a signal ends it at once, in one line: whatever is on the disk is whole at every moment.
Only while a run learns it waits for a safe place, where everything is saved first. What never gets there, such as a
slow step of an environment, is ended all the same: a thread that the operating system wakes watches the main one.
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

GRACE = 1.2  # seconds to reach a safe place
_TICK = 0.05
_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_is_command = False  # the process is the command's, and may be ended
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
        """End the process as one ended by this signal, and say what to do next; from the main thread."""
        with contextlib.suppress(Exception):  # a handler may find it in the middle of writing
            sys.stdout.flush()
        self.end()

    def end(self) -> NoReturn:
        """The same from any thread, whatever the main one is doing."""
        if _ending.acquire(blocking=False):  # one of two threads says it
            with contextlib.suppress(OSError):
                # a live display hides the cursor and stays in its line
                start = "\x1b[?25h\r\n" if os.isatty(2) else ""
                os.write(2, f"{start}evo: stopped{self._clause}\n".encode())
        elif threading.current_thread() is not threading.main_thread():
            time.sleep(GRACE)  # the main one is writing
        os._exit(128 + self.number)


def guard_command() -> None:
    """From now on the process is a command's: one signal ends it within two seconds, a second one at once.

    It leaves with what the shell expects, 130 after Ctrl-C and 143 after SIGTERM, and one line on standard error.
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
    """What to do after a stop, for whoever is stopped inside; of several the outermost knows best."""
    _advice.append(text)
    try:
        yield
    finally:
        _advice.pop()


@contextmanager
def saving() -> Iterator[None]:
    """What is written inside is waited for, however slow the disk."""
    global _saving
    _saving = True
    try:
        yield
    finally:
        _saving = False


@contextmanager
def stoppable() -> Iterator[None]:
    """While inside, a signal raises Stopped where it is safe (see `evo.envs.engine.interruption`); a second ends the
    process.

    Outside of a command, KeyboardInterrupt or SystemExit comes out of it instead. Off the main thread, where Python
    delivers no signals, nothing changes.
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
        interruption.check()  # asked meanwhile: whoever called, such as a study, must hear of it
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

    Python's handlers run in the main thread alone, which may be anywhere; the operating system writes the signal's
    number to the pipe at once.
    """
    while (number := os.read(awake, 1)[0]) not in _SIGNALS:
        pass
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        # other signals, such as an alarm of the user's, wake it too
        if select.select([awake], [], [], _TICK)[0] and (again := os.read(awake, 1)[0]) in _SIGNALS:
            number = again
            break
        if _saving:
            deadline = time.monotonic() + GRACE
    Stopped(number).end()
