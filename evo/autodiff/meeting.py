"""Threads of compiled code that wait for each other: a barrier, spun on, for phases of microseconds."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from envs.physics import outlast

_SPINS = 1000  # between offers of the processor to whoever waits for it
_OPEN = 2**62  # more arrivals than there will ever be
_give_way = types.ExternalFunction("sched_yield", types.int32())


@intrinsic
def _count(typing: Any, address: Any, arrivals: Any) -> Any:
    """Add arrivals to the word at an address; returns how many there were. Orders all that was written before."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", word, arguments[1], "seq_cst")

    return types.int64(types.intp, types.int64), codegen


@njit
def meet(address: Any, arrivals: int) -> None:
    """Arrive at the word at an address, and wait until there are so many arrivals in all."""
    spins, seen = 0, _count(address, 1) + 1
    while seen < arrivals:
        spins += 1
        if spins % _SPINS == 0:
            _give_way()
        seen = _count(address, 0)


class Meeting:
    """Where the threads of one piece of work meet; `address` is for `meet`."""

    def __init__(self) -> None:
        self._word = np.zeros(1, np.int64)
        self.address = self._word.ctypes.data

    def work(self, workers: int, run: Callable[[int], None]) -> None:
        """`run(worker)`, compiled code that releases the GIL, for all workers at once; 0 in this thread.

        Where this thread leaves by an exception nobody is waited for any more: the others run on without it, and what
        they leave is of no use.
        """
        others = [threading.Thread(target=run, args=(worker,)) for worker in range(1, workers)]
        try:
            for thread in others:
                thread.start()
            run(0)
        except BaseException:
            self._word[0] = _OPEN
            raise
        finally:
            for thread in others:
                if thread.ident is not None:
                    outlast(thread)
