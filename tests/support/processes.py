"""Running a piece of code in a process of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.places import ROOT

PATIENCE = 300.0  # seconds until what hangs is ended: no test that passes comes near


def python(code: str, **environment: str) -> str:
    """What the code prints; `environment` is added to this process's."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],  # -P: no folder but those named is searched
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_for(event: Callable[[], bool]) -> None:
    """Wait until it has happened, however busy the machine is."""
    end = time.monotonic() + PATIENCE
    while not event():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def die_once(mark: str) -> int:
    """7, but for the first time, when it ends its process."""
    if not Path(mark).exists():
        Path(mark).touch()
        os._exit(3)
    return 7


class Child:
    """A process whose lines of output are waited for, so that a test depends on what it does and not on how fast."""

    def __init__(self, *command: str, cwd: Path | None = None, **environment: str) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            start_new_session=True,
        )
        # whoever waits for a line that never comes ends with the process
        self._clock = threading.Timer(PATIENCE, self.kill)
        self._clock.daemon = True
        self._clock.start()

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._clock.cancel()
        self.kill()
        self._process.communicate()

    def until(self, text: str) -> str:
        """The next line with `text` in it."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"no {text!r} in {''.join(self.lines)}; {self._process.communicate()[1]}")

    @property
    def number(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def end(self) -> tuple[int, str, str]:
        """Wait for the end: its exit code, the rest of its output, its errors."""
        output, errors = self._process.communicate()
        self._clock.cancel()
        return self._process.returncode, output, errors
