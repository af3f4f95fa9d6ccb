"""Team: threads that run compiled code in lockstep, with barriers that spin before they sleep.

Threads wait at a barrier of POSIX semaphores. An early thread spins, since the others are usually close, and sleeps
when they are not. A team whose threads together got little more than one processor works with one thread for a while:
on a busy machine, waiting for each other is slower than working alone.
"""

import contextlib
import ctypes
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np
from numba import types

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import is_set

_SPINS = 20_000  # about a tenth of a millisecond
_ENOUGH = 0.7  # processors' worth of time per thread, below which a team pauses
_ALONE = 20  # pieces of work done by one thread during such a pause
# Memory: a cache line for all, whose first word marks the work as cancelled; then a line for each worker with its
# semaphore (a sem_t takes four words).
_LINE = 8
_on_semaphore = types.int32(types.intp)
_post = types.ExternalFunction("sem_post", _on_semaphore)
_try_wait = types.ExternalFunction("sem_trywait", _on_semaphore)
_wait = types.ExternalFunction("sem_wait", _on_semaphore)
_library = ctypes.CDLL(None)


@njit
def _line(place: Any, worker: int) -> Any:
    return place + 8 * _LINE * (1 + worker)


@njit
def barrier(place: Any, worker: int, workers: int) -> None:
    """Return when all workers have reached this barrier equally often, or the work was cancelled."""
    for other in range(workers):
        if other != worker:
            _post(_line(place, other))
    own = _line(place, worker)
    for _ in range(workers - 1):
        spins = 0
        while not is_set(place) and _try_wait(own) != 0:
            spins += 1
            if spins >= _SPINS and _wait(own) == 0:  # a signal makes it return early, with -1
                break


class Team:
    """A team of at most `workers` threads, the caller's included. Not for use after a fork."""

    def __init__(self, workers: int) -> None:
        self._helpers = ThreadPoolExecutor(workers - 1) if workers > 1 else None
        self._workers, self._alone, self._loaded = workers, 0, False

    def work(self, run: Callable[[int, int, int], None]) -> None:
        """Call `run(worker, workers, place)` for all workers at once; `place` is for `barrier`.

        run is compiled code that releases the GIL and gives the same result for any number of workers >= 1. If any
        worker raises, nobody waits for it any more: the others run on, their results are unusable, and the exception is
        raised here.
        """
        if self._helpers is None or self._alone:
            self._alone = max(0, self._alone - 1)
            lines = _lines(1)
            run(0, 1, lines.ctypes.data)
            return
        lines = _lines(self._workers)  # fresh semaphores: a late worker must still see the cancellation
        semaphores = [ctypes.c_void_p(line.ctypes.data) for line in lines[1:]]
        for semaphore in semaphores:
            _library.sem_init(semaphore, 0, 0)

        def call_off() -> None:
            lines[0, 0] = 1
            for semaphore in semaphores:
                _library.sem_post(semaphore)

        # By default Linux wakes a thread on its waker's processor, where both then take turns.
        allowed, here = os.sched_getaffinity(0), _library.sched_getcpu()
        elsewhere = sorted(allowed - {here}) or sorted(allowed)

        def take_part(worker: int) -> float:
            """Run one worker; return its share of a processor's time."""
            try:
                _stay_on({elsewhere[(worker - 1) % len(elsewhere)] if worker else here})
                began, busy = time.perf_counter(), time.thread_time()
                run(worker, self._workers, lines.ctypes.data)
                return (time.thread_time() - busy) / (time.perf_counter() - began)
            except BaseException:
                call_off()
                raise

        helping: list[Future[float]] = []
        try:
            for worker in range(1, self._workers):
                helping.append(self._helpers.submit(take_part, worker))
            try:
                had = take_part(0)
            finally:
                _stay_on(allowed)
        except BaseException:
            call_off()
            raise
        finally:
            _outlast(helping)
        had += sum(future.result() for future in helping)
        if had < _ENOUGH * self._workers and self._loaded:
            self._alone = _ALONE
        self._loaded = True  # compiled code is loaded on its first run, by one thread while the others wait


def _stay_on(processors: set[int]) -> None:
    with contextlib.suppress(OSError):  # where pinning is forbidden, work is only slower
        os.sched_setaffinity(0, processors)


def _lines(workers: int) -> np.ndarray:
    """Return zeros, int64 (1 + workers, words of a line), aligned to a cache line."""
    words = np.zeros((2 + workers) * _LINE, np.int64)
    first = -words.ctypes.data // 8 % _LINE
    return words[first : first + (1 + workers) * _LINE].reshape(1 + workers, _LINE)


def _outlast(futures: Sequence[Future[float]]) -> None:
    """Wait for all futures, even if signals interrupt; then raise the last interrupting exception."""
    interrupted: BaseException | None = None
    while any(not future.done() for future in futures):
        try:
            wait(futures)
        except BaseException as exception:
            interrupted = exception
    if interrupted is not None:
        raise interrupted
