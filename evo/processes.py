"""Helper processes for work that holds Python's lock: fresh interpreters that call a function on what they are sent.

Unlike multiprocessing's pools they never run the user's main module again, and they can be stopped at once.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from evo.envs import interruption

_SERVE = "import sys; from evo.processes import _serve; _serve(int(sys.argv[1]))"


class Processes:
    """At most `count` processes, started when first needed; they end with this object, or with this process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._helpers: dict[Connection[Any, Any], subprocess.Popen[bytes]] = {}

    def start(self, count: int) -> None:
        """Have so many processes, or all; they get ready while this one goes on."""
        while len(self._helpers) < min(count, self.count):
            here, there = Pipe()
            command = [sys.executable, "-c", _SERVE, str(there.fileno())]
            # what this process can import, they can; and Ctrl-C is for this one
            paths = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
            self._helpers[here] = subprocess.Popen(
                command, pass_fds=[there.fileno()], env=os.environ | paths, start_new_session=True
            )
            there.close()

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """function of each item, in their order. function: of a module's top level. Interrupted, it stops them all.

        Raises what function raises, and RuntimeError where a process died.
        """
        self.start(len(items))
        waiting, results = list(enumerate(items))[::-1], {}
        busy: dict[Any, int] = {}
        try:
            while waiting or busy:
                for helper in self._helpers:
                    if waiting and helper not in busy:
                        busy[helper], item = waiting.pop()
                        helper.send((function, item))
                with interruption.waiting():
                    ready = wait(list(busy))
                for helper in (each for each in self._helpers if each in ready):
                    done, result = helper.recv()
                    if not done:
                        raise result
                    results[busy.pop(helper)] = result
        except (EOFError, BrokenPipeError) as error:
            self.stop()
            raise RuntimeError("a helper process died; is there memory enough?") from error
        except BaseException:
            self.stop()
            raise
        return [results[place] for place in range(len(items))]

    def stop(self) -> None:
        """End them, whatever they are doing."""
        for connection, process in self._helpers.items():
            connection.close()
            process.kill()
            process.wait()
        self._helpers.clear()

    def __del__(self) -> None:
        self.stop()


def _serve(descriptor: int) -> None:
    """In a helper: answer until the other side is gone."""
    connection: Connection[Any, Any] = Connection(descriptor)
    while True:
        try:
            function, item = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = True, function(item)
        except Exception as error:
            answer = False, error
        connection.send(answer)
