"""TaskSpec: a task by name and options, found once and made once."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from evo.config.glossary import GLOSSARY
from evo.config.kinds import ProblemKind, find_kind, kind_of
from evo.config.meanings import explain_keys, options_of
from evo.config.sections import EvaluationSettings, NetworkSettings, with_values
from evo.config.task_names import task_constructor
from evo.config.values import Key, checked
from evo.datasets import DATASETS, is_data_path
from evo.envs.adversity import adverse
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.options import Constructor, returned_by, takes_others
from evo.envs.task import Task, set_reference
from evo.errors import EvoError, nearest, one_line
from evo.evaluation.workers import Workers
from evo.problems.problem import Problem


@dataclass(frozen=True)
class TaskSource:
    """What a task's full name leads to, found when it is first needed. Raises EvoError where it leads nowhere.

    step_timeout: seconds that a reset or step of a Gymnasium environment may take; None: no limit.
    """

    name: str
    step_timeout: float | None = None

    @cached_property
    def constructor(self) -> Callable[..., Any]:
        return task_constructor(self.name, self.step_timeout)

    @cached_property
    def returned(self) -> type[Any]:
        """What its constructor is annotated to return."""
        return cast(type[Any], returned_by(self.constructor))

    @cached_property
    def kind(self) -> ProblemKind:
        found = find_kind(self.returned)
        assert found is not None  # else the constructor would not have been found
        return found

    @cached_property
    def options(self) -> dict[str, Key]:
        """The options that it takes, its own and those of adversity."""
        own = {
            name: key if key.help else replace(key, help=GLOSSARY.get(name, ""))
            for name, key in options_of(self.constructor).items()
        }
        if self.returned is not Task:
            return own
        added = {name: Key(option.kind, None) for name, option in adverse.OPTIONS.items()}
        return explain_keys(added, [adverse.DESCRIPTION]) | own  # a task's own options take precedence

    @property
    def takes_any(self) -> bool:
        """Whether it takes options beside those that are known."""
        return isinstance(self.constructor, Constructor) and self.constructor.takes_any

    @property
    def summary(self) -> str:
        """The first line of its constructor's docstring."""
        return inspect.cleandoc(self.constructor.__doc__ or "").partition("\n")[0]

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was found out of copies and pickles."""
        return {"name": self.name, "step_timeout": self.step_timeout}


@dataclass(frozen=True)
class TaskSpec:
    """A task by its source and its options; None leaves an option to the constructor.

    What it names is found once, and made once, when it is first needed: whoever shares a spec shares the task. Its
    properties and methods raise EvoError where the name leads nowhere, or an option does not fit.
    """

    source: TaskSource
    options: Mapping[str, Any]

    @classmethod
    def find(cls, name: str, options: Mapping[str, Any], step_timeout: float | None = None) -> "TaskSpec":
        """Return the task of a full name. step_timeout: see `TaskSource`."""
        return cls(TaskSource(name, step_timeout), options)

    @property
    def name(self) -> str:
        """The task's full name."""
        return self.source.name

    @property
    def kind(self) -> ProblemKind:
        return self.source.kind

    @property
    def given(self) -> dict[str, Any]:
        """The options that have a value, sorted: a file that is read again may order them differently from flags."""
        return dict(sorted(with_values(self.options).items()))

    @cached_property
    def made(self) -> Any:
        """What its constructor makes of its options: a task, a function, a data set."""
        options = self._typed(self._accepted(with_values(self.options)))
        try:
            made = adverse.construct(self.source.constructor, options)
        except (TypeError, ValueError, OSError) as error:
            raise EvoError(f"task {self.name}: {one_line(error)}") from error
        try:
            kind_of(made)
        except TypeError:
            wrong = type(made).__name__
            raise EvoError(f"task {self.name}: its constructor returned a {wrong}, not an evo.envs.task.Task") from None
        if isinstance(made, GymnasiumTask):
            return replace(made, step_timeout=self.source.step_timeout)
        return set_reference(made, self.name) if isinstance(made, Task) else made

    def _accepted(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options. Raises EvoError for one that the constructor does not take."""
        if not takes_others(self.source.constructor):
            prepared = self.name in DATASETS or is_data_path(self.name)
            known = [*self.source.options, *(() if prepared else adverse.OPTIONS)]
            for option in options:
                if option not in known:
                    raise EvoError(f"task {self.name}: it takes no option {option!r}{nearest(option, known)}")
        return options

    def _typed(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options, each converted to its type. Raises EvoError naming one of another type."""
        added = {name: Key(option.kind, None) for name, option in adverse.OPTIONS.items()}
        keys = added | self.source.options
        return {
            option: checked(f"task {self.name}: {option}", value, keys[option]) if option in keys else value
            for option, value in options.items()
        }

    def problem(
        self, network: NetworkSettings, workers: Workers, evaluation: EvaluationSettings, training: bool = False
    ) -> Problem:
        """Return a new problem of it: to learn on, or else to score on."""
        return self.kind.problem(self.made, network, workers, evaluation, training)

    def __getstate__(self) -> dict[str, Any]:
        """Leave what was made out of copies and pickles."""
        return {"source": self.source, "options": self.options}
