"""MuJoCo from compiled code: its functions, and its batch engine running one kernel on many simulations.

`mjb_apply` (mujoco/mjbatch.h, MuJoCo 4.0) runs a compiled kernel once per simulation on MuJoCo's own thread pool,
scheduled dynamically, and traps engine errors per simulation. An error leaves the kernel by longjmp, so a kernel holds
nothing that needs releasing: scratch is allocated outside and passed in.
"""

import copy
import ctypes
import functools
import importlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import llvmlite.binding
import mujoco
import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from evo.envs.engine import interruption
from evo.envs.engine.compile import njit
from evo.envs.engine.structs import DATA, address_of

importlib.import_module("evo.envs.engine.log")  # for its effect, before any model loads

_NOTICING = 0.1  # seconds within which a signal is noticed

_Result = TypeVar("_Result")


def _library_path() -> str:
    folder = Path(mujoco.__file__).parent
    found = sorted(folder.glob("libmujoco.so*"))
    if not found:
        raise ImportError(
            f"no libmujoco.so in {folder}: evo runs on Linux, with MuJoCo's own wheel (pip install mujoco)"
        )
    return str(found[0])


_PATH = _library_path()
llvmlite.binding.load_library_permanently(_PATH)  # before cached code that names its symbols is loaded
_LIBRARY = ctypes.CDLL(_PATH)

_PAIR = types.void(types.intp, types.intp)
_mj_step = types.ExternalFunction("mj_step", _PAIR)
_mj_forward = types.ExternalFunction("mj_forward", _PAIR)
_mj_reset_data = types.ExternalFunction("mj_resetData", _PAIR)
_mj_rne_post_constraint = types.ExternalFunction("mj_rnePostConstraint", _PAIR)
_mj_set_const = types.ExternalFunction("mj_setConst", _PAIR)
_mj_kinematics = types.ExternalFunction("mj_kinematics", _PAIR)


@njit
def mj_step(model: Any, data: Any) -> None:
    """Advance by one time step (MuJoCo's mj_step)."""
    _mj_step(address_of(model), address_of(data))


@njit
def mj_forward(model: Any, data: Any) -> None:
    """Compute everything that follows from the state (MuJoCo's mj_forward)."""
    _mj_forward(address_of(model), address_of(data))


@njit
def mj_reset_data(model: Any, data: Any) -> None:
    """Set the state to the model's defaults and clear the warning counters (MuJoCo's mj_resetData)."""
    _mj_reset_data(address_of(model), address_of(data))


@njit
def mj_kinematics(model: Any, data: Any) -> None:
    """Compute positions from qpos alone (MuJoCo's mj_kinematics)."""
    _mj_kinematics(address_of(model), address_of(data))


@njit
def mj_set_const(model: Any, data: Any) -> None:
    """Recompute the model's derived constants; the state is lost (MuJoCo's mj_setConst)."""
    _mj_set_const(address_of(model), address_of(data))


@njit
def mj_rne_post_constraint(model: Any, data: Any) -> None:
    """Compute the external forces on each body, `data.cfrc_ext` (MuJoCo's mj_rnePostConstraint)."""
    _mj_rne_post_constraint(address_of(model), address_of(data))


@njit
def simulate(model: Any, data: Any, action: Any, frame_skip: int) -> None:
    """Hold `action` (nu,) as the control for `frame_skip` time steps."""
    data.ctrl[:] = action
    for _ in range(frame_skip):
        mj_step(model, data)


@intrinsic
def pointer(typing: Any, address: Any) -> Any:
    """Return the pointer at an address, for `numba.carray`."""
    return types.voidptr(types.intp), lambda context, builder, signature, arguments: builder.inttoptr(
        arguments[0], cgutils.voidptr_t
    )


@intrinsic
def call(typing: Any, address: Any, arguments: Any) -> Any:
    """Call the kernel at `address` (see `evo.envs.engine.compile.compile_kernel`) with a tuple of arguments."""
    if not isinstance(arguments, types.BaseTuple):
        return None

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        unpacked = cgutils.unpack_tuple(builder, values[1])
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in unpacked])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), unpacked)
        return context.get_dummy_value()

    return types.void(types.intp, arguments), codegen


@intrinsic
def is_set(typing: Any, address: Any) -> Any:
    """Return whether the 64-bit flag at `address` is non-zero, read each time (an atomic load is never hoisted)."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = ir.IntType(64)
        flag = builder.load_atomic(builder.inttoptr(arguments[0], word.as_pointer()), "monotonic", 8)
        return builder.icmp_unsigned("!=", flag, word(0))

    return types.boolean(types.intp), codegen


# mjData's memory: the time, and one buffer that holds every array whose size the model fixes.
_TIME, _BUFFER, _BUFFER_SIZE = (DATA.offsets[name] for name in ("time", "buffer", "nbuffer"))


def is_kept_whole(model: mujoco.MjModel) -> bool:
    """Return whether `save_data` saves all of an mjData: plugins and sleeping bodies keep state elsewhere."""
    return not model.nplugin and not model.opt.enableflags & mujoco.mjtEnableBit.mjENBL_SLEEP


def snapshot_size(model: mujoco.MjModel) -> int:
    """Return the number of bytes that `save_data` writes, a multiple of 8."""
    data = mujoco.MjData(model)
    size = ctypes.c_int64.from_address(data._address + _BUFFER_SIZE).value
    return 8 + -(-size // 8) * 8


@njit
def _memory(data: Any) -> Any:
    """Return an mjData's time, float64 (1,), and its buffer, uint8 (bytes,)."""
    address = address_of(data)
    size = carray(pointer(address + _BUFFER_SIZE), (1,), np.int64)[0]
    start = carray(pointer(address + _BUFFER), (1,), np.int64)[0]
    return carray(pointer(address + _TIME), (1,), np.float64), carray(pointer(start), (size,), np.uint8)


@njit
def save_data(data: Any, place: int) -> None:
    """Copy an mjData to the bytes at `place`: between two steps, all that the next one depends on (`is_kept_whole`).

    What each step derives anew, contacts and their forces, is missing until the next step.
    """
    time, buffer = _memory(data)
    carray(pointer(place), (1,), np.float64)[0] = time[0]
    carray(pointer(place + 8), (buffer.size,), np.uint8)[:] = buffer


@njit
def load_data(data: Any, place: int) -> None:
    """Restore what `save_data` wrote at `place` to an mjData of the same model, after `mj_reset_data`."""
    time, buffer = _memory(data)
    time[0] = carray(pointer(place), (1,), np.float64)[0]
    buffer[:] = carray(pointer(place + 8), (buffer.size,), np.uint8)


class EngineError(Exception):
    """MuJoCo's engine could not make or run a batch."""


class _BatchConfig(ctypes.Structure):
    _fields_ = [("nthread", ctypes.c_int), ("persistent", ctypes.c_bool)]


_VOID = ctypes.c_void_p
_LIBRARY.mjb_makeBatch.restype = _VOID
_LIBRARY.mjb_makeBatch.argtypes = [_VOID, ctypes.c_int, _VOID, ctypes.c_char_p, ctypes.c_int]
_LIBRARY.mjb_deleteBatch.argtypes, _LIBRARY.mjb_deleteBatch.restype = [_VOID], None
_LIBRARY.mjb_apply.argtypes = [_VOID, _VOID, ctypes.c_int, _VOID, _VOID, ctypes.c_int]
_LIBRARY.mjb_status.argtypes, _LIBRARY.mjb_status.restype = [_VOID], ctypes.POINTER(ctypes.c_int)
_LIBRARY.mjb_error.argtypes, _LIBRARY.mjb_error.restype = [_VOID, ctypes.c_int], ctypes.c_char_p
_LIBRARY.mjb_setModels.argtypes, _LIBRARY.mjb_setModels.restype = [_VOID, _VOID], None
_LIBRARY.mjb_getData.argtypes, _LIBRARY.mjb_getData.restype = [_VOID, ctypes.c_int, _VOID], None


def available_threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


class Batch:
    """`simulations` simulations of one model, on `threads` threads (the caller's included).

    `persistent` keeps one mjData per simulation between calls instead of one per thread; `own_models` gives each
    simulation a copy of the model, which its kernel may change. Not for use from several Python threads at once.
    Raises EngineError where MuJoCo cannot make it.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        simulations: int,
        threads: int,
        persistent: bool = False,
        own_models: bool = False,
    ) -> None:
        message = ctypes.create_string_buffer(1000)
        config = _BatchConfig(threads, persistent)
        self._handle = _LIBRARY.mjb_makeBatch(model._address, simulations, ctypes.byref(config), message, 1000)
        if not self._handle:
            raise EngineError(f"MuJoCo cannot simulate this model: {message.value.decode(errors='replace').strip()}")
        self.simulations, self.threads = simulations, threads
        if own_models:
            self._models = [copy.copy(model) for _ in range(simulations)]
            self._addresses = np.array([each._address for each in self._models], np.intp)
            _LIBRARY.mjb_setModels(self._handle, self._addresses.ctypes.data)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            _LIBRARY.mjb_deleteBatch(self._handle)

    def apply(self, kernel: int, argument: int, count: int | None = None, save: bool = False) -> dict[int, str]:
        """Run `kernel(model, data, simulation, argument)` on the first `count` simulations (all by default).

        Returns the engine's error message of each simulation that raised one. Blocks the calling thread, without
        the GIL.
        """
        ids = None if count is None else np.arange(count, dtype=np.int32)
        failed = _LIBRARY.mjb_apply(
            self._handle,
            None if ids is None else ids.ctypes.data,
            0 if ids is None else len(ids),
            kernel,
            argument,
            int(save),
        )
        if not failed:
            return {}
        status = _LIBRARY.mjb_status(self._handle)
        return {
            simulation: _LIBRARY.mjb_error(self._handle, simulation).decode(errors="replace").strip()
            for simulation in range(self.simulations if count is None else count)
            if status[simulation]
        }

    def copy_data(self, simulation: int, data: mujoco.MjData) -> None:
        """Copy a simulation's mjData (its whole one in a persistent batch) into `data`."""
        _LIBRARY.mjb_getData(self._handle, simulation, data._address)


@njit
def is_stopped(address: int) -> bool:
    """Return whether the stop flag at `address` is set; never where there is none, at 0."""
    return address != 0 and is_set(address)


class StopFlag:
    """A flag that compiled code polls (`is_set(flag.address)`) and any thread may raise."""

    def __init__(self) -> None:
        self._word = ctypes.c_int64(0)
        self.address = ctypes.addressof(self._word)

    def set(self) -> None:
        self._word.value = 1

    def clear(self) -> None:
        self._word.value = 0


def _wait_for(answer: SimpleQueue[Any]) -> Any:
    """Return an answer when it comes, noticing signals meanwhile."""
    while True:
        # a signal that comes when the thread is about to sleep does not wake it
        with suppress(Empty):
            return answer.get(timeout=_NOTICING)


class _Helper:
    """A thread that runs jobs one after the other, so that the main thread is free for signals.

    It is kept: to begin a thread for each evaluation takes longer than a tiny evaluation does.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[Any]]] = SimpleQueue()
        threading.Thread(target=self._serve, name="evo-evaluation", daemon=True).start()

    def _serve(self) -> None:
        while True:
            job, answer = self._jobs.get()
            try:
                answer.put((job(), None))
            except BaseException as error:  # the main thread's to raise
                answer.put((None, error))
            del job, answer

    def run(self, job: Callable[[], _Result], stop: "StopFlag") -> _Result:
        """Return what a job returns; where an exception comes meanwhile, set `stop` and outlast the job."""
        answer: SimpleQueue[Any] = SimpleQueue()
        try:
            with interruption.waiting():
                self._jobs.put((job, answer))
                result, error = _wait_for(answer)
        except BaseException:
            stop.set()
            self._outlast()  # the job writes into the caller's arrays
            raise
        if error is not None:
            raise error
        return result

    def _outlast(self) -> None:
        """Wait until all jobs are done, however often a signal interrupts: when one that is put last is."""
        while True:
            try:
                answer: SimpleQueue[Any] = SimpleQueue()
                self._jobs.put((int, answer))
                answer.get()
                return
            except BaseException:
                continue


_helper = functools.cache(_Helper)
os.register_at_fork(after_in_child=_helper.cache_clear)  # threads stay with the parent


def run_interruptibly(job: Callable[[], _Result], stop: StopFlag) -> _Result:
    """Return what a job of compiled code returns, so that signals reach Python: the main thread waits for a helper.

    Python runs signal handlers only between bytecodes of the main thread. An exception of a handler (KeyboardInterrupt,
    or one that it requested from `evo.envs.engine.interruption`) sets `stop`, waits for the job to notice and return,
    and propagates to the caller.
    """
    stop.clear()
    if threading.current_thread() is not threading.main_thread():
        return job()
    return _helper().run(job, stop)


def apply_interruptibly(
    batch: Batch, kernel: int, argument: int, count: int, stop: StopFlag, brief: bool = False
) -> dict[int, str]:
    """Run `batch.apply` as `run_interruptibly` does.

    brief: whether it takes some milliseconds at most: then the main thread runs it, and a signal waits.
    """
    if brief and threading.current_thread() is threading.main_thread():
        stop.clear()
        with interruption.waiting():
            return batch.apply(kernel, argument, count)
    return run_interruptibly(lambda: batch.apply(kernel, argument, count), stop)
