"""Hosts of Gymnasium environments: helper processes, so that an environment that hangs or exits harms nothing else.

Where no other process can make the environment, it runs in this one.
"""

import importlib.util
import pickle
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from gymnasium.envs.registration import EnvSpec

from evo.envs.engine import interruption
from evo.envs.foreign import FAILURES
from evo.envs.gymnasium_bridge.gymnasium_task import Asked, Body, GymnasiumTask, Look, look_here
from evo.errors import EvoError
from evo.evaluation.processes import Died, Processes, kept

# What a process calls: function(work, values kept between calls).
Function = Callable[[Any, dict[Any, Any]], Any]


class Host:
    """Up to `count` processes that hold environments of a task.

    Raises EvoError for a step_timeout that cannot be enforced.
    """

    def __init__(self, task: GymnasiumTask, count: int) -> None:
        self.task = task
        travels = _can_travel(task.spec, task)
        self.count = count if travels else 1
        self._processes = Processes(count, _module(task.spec)) if travels else None
        self._here: dict[int, dict[Any, Any]] = {}  # thread → values kept between its calls
        self._probed = False
        if self._processes is None and task.step_timeout is not None:
            raise EvoError(
                f"evaluation.step_timeout: {task.name} can only live in this process, which cannot be given up; move "
                "its class to a module that can be imported"
            )

    def start(self) -> None:
        """Start the processes."""
        if self._processes is not None:
            self._processes.start(self.count)

    def map(self, function: Function, items: Sequence[Any], pinned: bool = False, tries: int = 1) -> list[Any]:
        """Return function(item, values kept between calls) for each item; see `Processes.map`."""
        if self._processes is None:
            mine = self._here.setdefault(threading.get_ident(), {})
            try:
                with interruption.waiting():
                    return [function(item, mine) for item in items]
            except BaseException:
                _close(mine)  # an environment may be in the middle of a step
                raise
        return self._processes.map(_call, [(function, item) for item in items], pinned, tries)

    def probe(self, seed: int) -> None:
        """Check, once, that the environment survives a reset and a step. Raises EngineError where its processes die."""
        if not self._probed:
            from evo.envs.engine.physics import EngineError  # compiles: helpers that only inspect or draw skip it

            (found,) = self.map(_first_step, [(self.task, seed)], tries=2)
            if isinstance(found, Died):
                raise EngineError(f"when it is made, is reset and takes its first step, {found.how}")
            self._probed = True

    def close(self) -> None:
        """Close the environments."""
        if self._processes is not None:
            self._processes.release()
        while self._here:
            _close(self._here.popitem()[1])

    def __del__(self) -> None:
        with suppress(AttributeError):  # construction failed
            self.close()


def look(asked: Asked, step_timeout: float | None = None) -> Look | str:
    """Return what an environment declares of itself, or why it cannot be made; in a helper process if possible.

    step_timeout: seconds, of a step; making and closing it there may take twenty times as long. None: no limit.
    """
    spec = asked[0]
    if not _can_travel(spec, asked):
        return look_here(asked)
    processes = Processes(1, _module(spec))
    (found,) = processes.map(_look, [(asked, step_timeout)], tries=2)
    processes.release()
    if isinstance(found, Died):
        return f"when it is made, {found.how}"
    return look_here(asked) if found is None else found


def _look(work: tuple[Asked, float | None]) -> Look | str | None:
    """Return what an environment declares of itself, in a helper; None where that cannot be pickled."""
    asked, step_timeout = work
    seen = look_here(asked, record=True, step_timeout=step_timeout)
    try:
        pickle.dumps(seen)
    except Exception:  # such as a space of a user's own class
        return None
    return seen


def body_of(task: GymnasiumTask, keeps: dict[Any, Any], place: int = 0) -> Body:
    """Return the environment that this process keeps under `place`; make it if there is none.

    Raises what making it raises.
    """
    if place not in keeps:
        keeps[place] = Body(task, alarm=task.step_timeout is not None)
    body: Body = keeps[place]
    return body


def drop(keeps: dict[Any, Any], place: int = 0) -> None:
    """Close the environment under `place`: after a failure its state is unknown."""
    body = keeps.pop(place, None)
    if body is not None:
        body.close()


def _close(keeps: dict[Any, Any]) -> None:
    for place in list(keeps):
        drop(keeps, place)


def _call(asked: tuple[Function, Any]) -> Any:
    """Call a function in a helper."""
    function, item = asked
    return function(item, kept)


def _first_step(asked: tuple[GymnasiumTask, int], keeps: dict[Any, Any]) -> None:
    task, seed = asked
    with suppress(*FAILURES):  # what it raises is reported by the episodes
        body = body_of(task, keeps)
        body.reset(seed)
        body.step(np.clip(np.zeros(task.action_size), task.action_low, task.action_high))
    drop(keeps)


def _module(spec: EnvSpec) -> str | None:
    """Return the module of the environment's class."""
    entry = spec.entry_point
    return entry.partition(":")[0] if isinstance(entry, str) else getattr(entry, "__module__", None)


def _can_travel(spec: EnvSpec, what: Any) -> bool:
    """Return whether another process can make an environment of `spec`, from `what`."""
    module = _module(spec)
    if module is None or module == "__main__":
        return False
    try:
        pickle.dumps(what)
        return importlib.util.find_spec(module) is not None
    except Exception:  # a class within a function, or a module made at run time
        return False
