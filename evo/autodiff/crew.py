"""Threads that go through compiled code side by side and wait for each other every few microseconds.

They meet at a barrier of POSIX semaphores. Whoever is early spins, since the others are about to come; when they do
not, the machine is busy and has taken their processor away, and it sleeps. A crew that slept often works with one
thread for a while: on a busy machine, waiting for each other's turns is slower than working alone.
"""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numba import carray, njit, types

from envs.physics import is_set, pointer

_SPINS = 20_000  # about a tenth of a millisecond
_OFTEN = 0.1  # of the meetings
_ALONE = 20  # pieces of work
_LINE = 8  # words: a cache line. First whether all is called off; then a worker's: semaphore, meetings, sleeps
_MEETINGS, _SLEEPS = 6, 7  # a sem_t takes four words
_on_semaphore = types.int32(types.intp)
_post = types.ExternalFunction("sem_post", _on_semaphore)
_try_wait = types.ExternalFunction("sem_trywait", _on_semaphore)
_wait = types.ExternalFunction("sem_wait", _on_semaphore)
_library = ctypes.CDLL(None)


@njit
def _line(place: Any, worker: int) -> Any:
    return place + 8 * _LINE * (1 + worker)


@njit
def meet(place: Any, worker: int, workers: int) -> None:
    """Return when all workers have come to this place equally often."""
    for other in range(workers):
        if other != worker:
            _post(_line(place, other))
    own = _line(place, worker)
    counts = carray(pointer(own), (_LINE,), np.int64)
    counts[_MEETINGS] += 1
    for _ in range(workers - 1):
        spins = 0
        while not is_set(place) and _try_wait(own) != 0:
            spins += 1
            if spins == _SPINS:
                counts[_SLEEPS] += 1
            if spins >= _SPINS and _wait(own) == 0:  # a signal makes it return early, with -1
                break


class Crew:
    """At most `workers` threads, the caller's included; how many take part never changes what they compute."""

    def __init__(self, workers: int) -> None:
        self._helpers = ThreadPoolExecutor(workers - 1) if workers > 1 else None
        self._words = np.zeros((1 + workers, _LINE), np.int64)
        self._workers, self._alone = workers, 0

    def work(self, run: Callable[[int, int, int], None]) -> None:
        """`run(worker, workers, place)`, compiled code that releases the GIL, for all workers; `place` is for `meet`.

        Where this thread leaves by an exception nobody is waited for any more: the others run on without it, and what
        they leave is of no use.
        """
        place = self._words.ctypes.data
        if self._helpers is None or self._alone:
            self._alone = max(0, self._alone - 1)
            run(0, 1, place)
            return
        self._words[:] = 0
        semaphores = [ctypes.c_void_p(line.ctypes.data) for line in self._words[1:]]
        for semaphore in semaphores:
            _library.sem_init(semaphore, 0, 0)
        helping = []
        try:
            for worker in range(1, self._workers):
                helping.append(self._helpers.submit(run, worker, self._workers, place))
            run(0, self._workers, place)
        except BaseException:
            self._words[0, 0] = 1
            for semaphore in semaphores:
                _library.sem_post(semaphore)
            raise
        finally:
            wait(helping)
        for future in helping:
            future.result()
        meetings, sleeps = self._words[1:, [_MEETINGS, _SLEEPS]].sum(axis=0)
        if sleeps > _OFTEN * meetings:
            self._alone = _ALONE
