"""Hosts of Gymnasium environments: helper processes, so that one that hangs or exits ends nothing else; this process
where no other can make the environment.
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
from evo.envs.gymnasium_bridge.gymnasium_task import Asked, Body, GymnasiumTask, Look, look_here
from evo.errors import EvoError
from evo.evaluation.processes import Died, Processes, kept

# What an environment's process is asked to do: function(work, what is kept from one call to the next).
Function = Callable[[Any, dict[Any, Any]], Any]


class Host:
    """Up to `count` processes in which environments of a task live. Raises EvoError for a step_timeout that nobody can
    keep."""

    def __init__(self, task: GymnasiumTask, count: int) -> None:
        self.task = task
        travels = _can_travel(task.spec, task)
        self.count = count if travels else 1
        self._processes = Processes(count, _module(task.spec)) if travels else None
        self._here: dict[int, dict[Any, Any]] = {}  # thread → what it keeps
        self._probed = False
        if self._processes is None and task.step_timeout is not None:
            raise EvoError(
                f"evaluation.step_timeout: {task.name} can only live in this process, which cannot be given up; move "
                "its class to a module that can be imported"
            )

    def start(self) -> None:
        """Begin what takes a while."""
        if self._processes is not None:
            self._processes.start(self.count)

    def map(self, function: Function, items: Sequence[Any], pinned: bool = False, tries: int = 1) -> list[Any]:
        """function of each item and of what the process keeps; see `Processes.map`."""
        if self._processes is None:
            mine = self._here.setdefault(threading.get_ident(), {})
            try:
                with interruption.waiting():
                    return [function(item, mine) for item in items]
            except BaseException:
                _close(mine)  # it was left in the middle of something
                raise
        return self._processes.map(_call, [(function, item) for item in items], pinned, tries)

    def probe(self, seed: int) -> None:
        """See, once, that the environment survives a reset and a step. Raises EngineError where it never does."""
        if not self._probed:
            from evo.envs.engine.physics import EngineError  # compiles: a helper that only looks or draws does without

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
        with suppress(AttributeError):  # half made
            self.close()


def look(asked: Asked) -> Look | str:
    """What an environment says of itself, made in a helper process where it can be; or why there is none."""
    spec = asked[0]
    if not _can_travel(spec, asked):
        return look_here(asked)
    processes = Processes(1, _module(spec))
    (found,) = processes.map(_look, [asked], tries=2)
    processes.release()
    if isinstance(found, Died):
        return f"when it is made, {found.how}"
    return look_here(asked) if found is None else found


def _look(asked: Asked) -> Look | str | None:
    """In a helper: what it says of itself; None where that cannot be sent."""
    seen = look_here(asked, record=True)
    try:
        pickle.dumps(seen)
    except Exception:  # a space of somebody's own
        return None
    return seen


def body_of(task: GymnasiumTask, keeps: dict[Any, Any], place: int = 0) -> Body:
    """The environment that this process keeps under `place`, made where there is none. Raises what making it raises."""
    if place not in keeps:
        keeps[place] = Body(task, alarm=task.step_timeout is not None)
    body: Body = keeps[place]
    return body


def drop(keeps: dict[Any, Any], place: int = 0) -> None:
    """Close the environment under `place`: after a failure nobody knows what state it is in."""
    body = keeps.pop(place, None)
    if body is not None:
        body.close()


def in_words(error: BaseException) -> str:
    """What an environment's error says."""
    said = " ".join(str(error).split())
    ours = type(error).__module__.startswith("evo.")
    return said if ours else f"{type(error).__name__}: {said}"


def _close(keeps: dict[Any, Any]) -> None:
    for place in list(keeps):
        drop(keeps, place)


def _call(asked: tuple[Function, Any]) -> Any:
    """In a helper."""
    function, item = asked
    return function(item, kept)


def _first_step(asked: tuple[GymnasiumTask, int], keeps: dict[Any, Any]) -> None:
    task, seed = asked
    with suppress(Exception):  # what it raises is said by the episodes
        body = body_of(task, keeps)
        body.reset(seed)
        body.step(np.clip(np.zeros(task.action_size), task.action_low, task.action_high))
    drop(keeps)


def _module(spec: EnvSpec) -> str | None:
    """The module of the environment's class."""
    entry = spec.entry_point
    return entry.partition(":")[0] if isinstance(entry, str) else getattr(entry, "__module__", None)


def _can_travel(spec: EnvSpec, what: Any) -> bool:
    """Whether another process can make an environment of `spec`, from `what`."""
    module = _module(spec)
    if module is None or module == "__main__":
        return False
    try:
        pickle.dumps(what)
        return importlib.util.find_spec(module) is not None
    except Exception:  # a class within a function, a module made at run time
        return False
