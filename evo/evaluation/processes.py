"""Helper processes: fresh interpreters that call a function on what they are sent, and may die without harm.

Unlike multiprocessing's pools they never run the user's main module again, they can be stopped at once, and one that
dies is replaced. Who needs none any more leaves them, idle, to whoever asks next.
"""

import atexit
import functools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any, NamedTuple

from evo.envs.engine import interruption

_SERVE = "import sys; from evo.evaluation.processes import _serve; _serve(*map(int, sys.argv[1:]))"
_GLANCE = 1.0  # seconds after which a helper that is silent is looked at: something it forked may keep its pipe open
_FAREWELL = 2.0  # seconds for idle helpers to close what they hold

_idle: list["_Helper"] = []
_all: set["_Helper"] = set()
_owners: "weakref.WeakSet[Processes]" = weakref.WeakSet()
_lock = threading.Lock()  # of all three


class Died(NamedTuple):
    """Instead of an answer: the process that was to give it ended. how: in words."""

    how: str


class Processes:
    """At most `count` processes, started when first needed; their own until `release`, or until this object is gone.

    module: whose functions they are to call; a process that has imported an older version of its file is not used.
    """

    def __init__(self, count: int, module: str | None = None) -> None:
        self.count, self.module = count, module
        self._helpers: list[_Helper] = []
        self._lock = threading.Lock()
        with _lock:
            _owners.add(self)

    def start(self, count: int) -> None:
        """Have so many processes, or all; they get ready while this one goes on."""
        while len(self._helpers) < min(count, self.count):
            self._helpers.append(_helper(self.module))

    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], pinned: bool = False, tries: int = 1
    ) -> list[Any]:
        """function of each item, in their order; Died where so many processes ended over it. Interrupted, it stops all.

        function: of a module's top level. pinned: item i goes to process i % count, in every call. Raises what function
        raises.
        """
        if not items:
            return []
        with self._lock:
            try:
                with interruption.waiting():
                    return self._map(function, items, pinned, tries)
            except BaseException:
                self.stop()
                raise

    def _map(self, function: Callable[[Any], Any], items: Sequence[Any], pinned: bool, tries: int) -> list[Any]:
        self.start(self.count if pinned else len(items))
        count = len(self._helpers)
        waiting = [(place, place % count if pinned else None) for place in reversed(range(len(items)))]
        results, deaths = dict[int, Any](), dict[int, int]()
        busy: dict[int, int] = {}  # helper → item
        while waiting or busy:
            for number in range(count):
                if number in busy:
                    continue
                next_one = next((one for one in reversed(waiting) if one[1] in (None, number)), None)
                if next_one is not None:
                    waiting.remove(next_one)
                    busy[number] = next_one[0]
                    if not self._helpers[number].send(function, items[next_one[0]]):  # it died while it was idle
                        self._replace(number)
                        self._helpers[number].send(function, items[next_one[0]])
            ready = wait([self._helpers[number].connection for number in busy], _GLANCE)
            for number, place in list(busy.items()):
                helper = self._helpers[number]
                if helper.connection not in ready and helper.process.poll() is None:
                    continue
                del busy[number]
                found = helper.receive()
                if isinstance(found, Died):
                    self._replace(number)
                    deaths[place] = deaths.get(place, 0) + 1
                    if deaths[place] < tries:
                        waiting.append((place, number if pinned else None))
                        continue
                    results[place] = found
                else:
                    done, results[place] = found
                    if not done:
                        raise results[place]
        return [results[place] for place in range(len(items))]

    def _replace(self, number: int) -> None:
        self._helpers[number].stop()
        self._helpers[number] = _helper(self.module)

    def release(self) -> None:
        """Need them no more: they close what they keep, and wait for other work."""
        helpers, self._helpers = self._helpers, []
        for helper in helpers:
            if helper.forget():
                with _lock:
                    _idle.append(helper)
            else:
                helper.stop()

    def stop(self) -> None:
        """End them, whatever they are doing."""
        helpers, self._helpers = self._helpers, []
        for helper in helpers:
            helper.stop()

    def __del__(self) -> None:
        self.release()


class _Helper:
    """A process, and the connection to it."""

    def __init__(self) -> None:
        self.connection, there = Pipe()
        self.stamps: dict[str, Any] = {}  # module → the file that it was when this process first needed it
        descriptors = there.fileno(), _lifeline()[0]
        command = [sys.executable, "-c", _SERVE, *map(str, descriptors)]
        # what this process can import, they can; and Ctrl-C is for this one
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(_search_path())}
        self.process = subprocess.Popen(command, pass_fds=descriptors, env=environment, start_new_session=True)
        there.close()
        with _lock:
            _all.add(self)

    def send(self, function: Callable[[Any], Any], item: Any) -> bool:
        """Whether it could be sent."""
        try:
            self.connection.send((_search_path(), _folder(), pickle.dumps((function, item))))
        except OSError:
            return False
        return True

    def receive(self) -> Any:
        """Whether function returned, and what it returned or raised; Died where there is no answer."""
        try:
            if self.connection.poll() or self.process.poll() is None:
                return self.connection.recv()
        except Exception:  # gone, or nothing that can be read
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_GLANCE)
        self.stop()
        return Died(_ending(self.process.returncode))

    def forget(self) -> bool:
        """Have it close what it keeps; whether it is still there."""
        try:
            self.connection.send(None)
        except OSError:
            return False
        return self.process.poll() is None

    def disown(self) -> None:
        """Leave it to the process that this one was forked from."""
        self.connection.close()
        self.process.returncode = 0  # nobody here waits for it

    def stop(self) -> None:
        with _lock:
            _all.discard(self)
        self.connection.close()
        # and what it started: it leads a session of its own
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _helper(module: str | None) -> _Helper:
    """An idle one, or a new one."""
    stamp = _stamp(module)
    while True:
        with _lock:
            helper = _idle.pop() if _idle else None
        if helper is None:
            helper = _Helper()
        if helper.process.poll() is None and (module is None or helper.stamps.setdefault(module, stamp) == stamp):
            return helper
        helper.stop()


def _stamp(module: str | None) -> Any:
    """What tells one version of a module's file from another."""
    file = getattr(sys.modules.get(module or ""), "__file__", None)
    try:
        found = os.stat(file) if file else None
    except OSError:
        found = None
    return file, found and (found.st_mtime_ns, found.st_size)


def _search_path() -> list[str]:
    return [path or _folder() or "" for path in sys.path]


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was deleted
        return None


def _ending(status: int) -> str:
    if status >= 0:
        return f"its process ended with exit status {status}"
    if status == -signal.SIGALRM:
        return "it gave no answer in time"
    try:
        return f"its process was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"its process was ended by signal {-status}"


@atexit.register
def _end_all() -> None:
    with _lock:
        helpers = list(_all)
        _idle.clear()
    for helper in helpers:
        helper.connection.close()  # which an idle one takes for its end
    until = time.monotonic() + _FAREWELL
    for helper in helpers:
        with suppress(subprocess.TimeoutExpired):
            helper.process.wait(max(0.0, until - time.monotonic()))
        helper.stop()


def _forked() -> None:
    """In a child of a fork: the helpers, and whatever lock was held, are its parent's."""
    global _lock
    _lock = threading.Lock()
    for owner in list(_owners):
        owner._helpers, owner._lock = [], threading.Lock()
    for helper in _all:
        helper.disown()
    _all.clear()
    _idle.clear()
    if _lifeline.cache_info().currsize:
        for end in _lifeline():
            os.close(end)
        _lifeline.cache_clear()


os.register_at_fork(after_in_child=_forked)


kept: dict[Any, Any] = {}
"""What a helper keeps from one call to the next; values have a method `close`."""


def forget() -> None:
    """Close what is kept."""
    while kept:
        kept.popitem()[1].close()


@functools.cache
def _lifeline() -> tuple[int, int]:
    """A pipe that nobody writes to: who reads from it finds its end when this process is over, however that came."""
    return os.pipe()


def _end_with(lifeline: int) -> None:
    """In a helper: leave soon after whoever needs it is gone, also in the middle of the work."""
    os.read(lifeline, 1)
    time.sleep(_FAREWELL)
    os.killpg(0, signal.SIGKILL)  # and what it started: it leads a session of its own


def _serve(descriptor: int, lifeline: int) -> None:
    """In a helper: answer until the other side is gone."""
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    connection: Connection[Any, Any] = Connection(descriptor)
    process = os.getpid()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    begins = True
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            forget()
            return
        if message is None:
            forget()
            begins = True
            continue
        path, folder, work = message
        try:
            if begins:  # then the folder is whose work it is
                sys.path[:], begins = path, False
                if folder is not None:
                    os.chdir(folder)
            function, item = pickle.loads(work)
            answer = True, function(item)
        except BaseException as error:
            answer = False, error
        if os.getpid() != process:
            os._exit(0)  # a child that somebody's code forked
        try:
            connection.send(answer)
        except BrokenPipeError:
            return
        except Exception as error:  # it cannot be pickled
            connection.send((False, RuntimeError(f"{type(error).__name__}: {error}")))
