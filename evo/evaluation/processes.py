"""Helper processes: fresh interpreters that call a function on what they are sent, and may die without harm.

Unlike multiprocessing's pools they never run the user's main module again, they can be stopped at once, and one that
dies is replaced. A released process stays idle for the next caller.
"""

import atexit
import functools
import mmap
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
from evo.envs.gymnasium_bridge.alarm import share_deadline

_SERVE = "import sys; from evo.evaluation.processes import _serve; _serve(*map(int, sys.argv[1:]))"
_GLANCE = 1.0  # seconds after which a silent helper is polled: a process that it forked may keep its pipe open
_FAREWELL = 2.0  # seconds that idle helpers have to close what they hold
_GRACE = 1.0  # seconds that a helper has after its deadline to end by its own alarm
_LATE = "it gave no answer in time"

_idle: list["_Helper"] = []
_all: set["_Helper"] = set()
_owners: "weakref.WeakSet[Processes]" = weakref.WeakSet()
_lock = threading.Lock()  # guards all three


class Died(NamedTuple):
    """Result of an item whose process died. how: a description."""

    how: str


class Processes:
    """At most `count` processes, started when first needed, held until `release` or until this object is deleted.

    module: where the functions they call are defined; a process that has imported an older version of its file is not
    used.
    """

    def __init__(self, count: int, module: str | None = None) -> None:
        self.count, self.module = count, module
        self._helpers: list[_Helper] = []
        self._lock = threading.Lock()
        with _lock:
            _owners.add(self)

    def start(self, count: int) -> None:
        """Start `count` processes, or all; they load while this process goes on."""
        while len(self._helpers) < min(count, self.count):
            self._helpers.append(_helper(self.module))

    def map(
        self, function: Callable[[Any], Any], items: Sequence[Any], pinned: bool = False, tries: int = 1
    ) -> list[Any]:
        """Return function(item) for each item, in their order; Died where `tries` processes died over it.

        function: of a module's top level. pinned: item i goes to process i % count, in every call. Raises what function
        raises. When interrupted, it stops all processes.
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
                    if not self._helpers[number].send(function, items[next_one[0]]):  # it died while idle
                        self._replace(number)
                        self._helpers[number].send(function, items[next_one[0]])
            ready = wait([self._helpers[number].connection for number in busy], _GLANCE)
            for number, place in list(busy.items()):
                helper = self._helpers[number]
                late = helper.connection not in ready and helper.is_late()
                if helper.connection not in ready and helper.process.poll() is None and not late:
                    continue
                del busy[number]
                found = Died(_LATE) if late else helper.receive()
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
        """Release the processes: they close what they keep, and wait for the next caller."""
        helpers, self._helpers = self._helpers, []
        for helper in helpers:
            if helper.forget():
                with _lock:
                    _idle.append(helper)
            else:
                helper.stop()

    def stop(self) -> None:
        """Kill the processes, whatever they are doing."""
        helpers, self._helpers = self._helpers, []
        for helper in helpers:
            helper.stop()

    def __del__(self) -> None:
        self.release()


class _Helper:
    """A process, and the connection to it."""

    def __init__(self) -> None:
        self.connection, there = Pipe()
        self._parting = False  # whether it may still be closing what it kept
        self.stamps: dict[str, Any] = {}  # module → stamp of its file when this process first needed it
        memory = os.memfd_create("deadline")
        os.ftruncate(memory, mmap.PAGESIZE)
        self._deadline = memoryview(mmap.mmap(memory, mmap.PAGESIZE)).cast("d")
        descriptors = there.fileno(), _lifeline()[0], memory
        command = [sys.executable, "-c", _SERVE, *map(str, descriptors)]
        # the helper can import what this process can; its own session keeps Ctrl-C from it
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(_search_path())}
        self.process = subprocess.Popen(command, pass_fds=descriptors, env=environment, start_new_session=True)
        there.close()
        os.close(memory)
        with _lock:
            _all.add(self)

    def send(self, function: Callable[[Any], Any], item: Any) -> bool:
        """Send a call; return whether it could be sent."""
        try:
            self.connection.send((_search_path(), _folder(), pickle.dumps((function, item))))
        except OSError:
            return False
        return True

    def receive(self) -> Any:
        """Return (whether function returned, its result or exception); Died where there is no answer."""
        try:
            if self.connection.poll() or self.process.poll() is None:
                return self.connection.recv()
        except Exception:  # the process is gone, or its answer cannot be read
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(_GLANCE)
        self.stop()
        return Died(_ending(self.process.returncode))

    def is_late(self) -> bool:
        """Return whether it is past the deadline of a step, and its alarm has not ended it: it may be ignored."""
        return 0 < self._deadline[0] < time.monotonic() - _GRACE

    def forget(self) -> bool:
        """Have the process close what it keeps; return whether it is alive."""
        try:
            self.connection.send(None)
        except OSError:
            return False
        self._parting = True
        return self.process.poll() is None

    def is_free(self) -> bool:
        """Return whether it lives and has closed what it kept; wait for that a little."""
        if self._parting:
            with suppress(OSError, EOFError):
                self._parting = not self.connection.poll(_FAREWELL) or self.connection.recv() is not None
        return not self._parting and self.process.poll() is None

    def disown(self) -> None:
        """Leave the process to the parent that this process was forked from."""
        self.connection.close()
        self.process.returncode = 0  # not a child of this process, which need not wait for it

    def stop(self) -> None:
        with _lock:
            _all.discard(self)
        self.connection.close()
        # the helper leads a session; this kills the processes that it started too
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _helper(module: str | None) -> _Helper:
    """Return an idle helper, or a new one."""
    stamp = _stamp(module)
    while True:
        with _lock:
            helper = _idle.pop() if _idle else None
        if helper is None:
            helper = _Helper()
        if helper.is_free() and (module is None or helper.stamps.setdefault(module, stamp) == stamp):
            return helper
        helper.stop()


def _stamp(module: str | None) -> Any:
    """Return a value that differs between versions of a module's file."""
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
        return _LATE
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
        helper.connection.close()  # an idle helper ends when its connection closes
    until = time.monotonic() + _FAREWELL
    for helper in helpers:
        with suppress(subprocess.TimeoutExpired):
            helper.process.wait(max(0.0, until - time.monotonic()))
        helper.stop()


def _forked() -> None:
    """Drop the helpers and the locks after a fork, in the child: they belong to the parent."""
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
"""Values that a helper keeps between calls; each has a method `close`."""


def forget() -> None:
    """Close and remove the kept values."""
    while kept:
        kept.popitem()[1].close()


@functools.cache
def _lifeline() -> tuple[int, int]:
    """A pipe without writes: reading from it ends when this process is over, however it ended."""
    return os.pipe()


def _end_with(lifeline: int) -> None:
    """Kill this helper soon after its parent is gone, even while it works."""
    os.read(lifeline, 1)
    time.sleep(_FAREWELL)
    os.killpg(0, signal.SIGKILL)  # the helper leads a session; this kills the processes that it started too


def _serve(descriptor: int, lifeline: int, deadline: int) -> None:
    """Answer calls, in a helper, until the connection closes."""
    share_deadline(memoryview(mmap.mmap(deadline, mmap.PAGESIZE)).cast("d"))
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
            with suppress(BrokenPipeError):
                connection.send(None)
            continue
        path, folder, work = message
        try:
            if begins:  # the working directory is set once for each owner
                sys.path[:], begins = path, False
                if folder is not None:
                    os.chdir(folder)
            function, item = pickle.loads(work)
            answer = True, function(item)
        except BaseException as error:
            answer = False, error
        if os.getpid() != process:
            os._exit(0)  # a child that the called function forked
        try:
            connection.send(answer)
        except BrokenPipeError:
            return
        except Exception as error:  # the answer cannot be pickled
            connection.send((False, RuntimeError(f"{type(error).__name__}: {error}")))
