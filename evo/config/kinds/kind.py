"""ProblemKind: what configuration, assembly and runs ask of a kind of problem."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.config.values import Key
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.networks import Network
from evo.problems.problem import Problem


class ProblemKind(ABC):
    """A kind of problem; what a constructor of tasks is annotated to return says which kind it is of."""

    name: ClassVar[str]
    """In words: `world`, `function`, `data set`."""
    aim: ClassVar[str] = "problem"
    """What is done with it, in words: `function to optimise`."""
    made: ClassVar[tuple[type[Any], ...]]
    """The types that its constructors are annotated to return."""
    step_unit: ClassVar[str]
    """The unit of its steps, as its problems': `env step`, `evaluation`, `example`."""
    default_method: ClassVar[str]
    compared: ClassVar[tuple[str, ...]]
    """Methods that a comparison compares by default."""
    champion: ClassVar[str] = "does not act in a world"
    """Why its champion has no policy and no film, in words: `{task} is a {name}: its champion …`."""
    without: ClassVar[frozenset[str]] = frozenset()
    """Keys of every run (`evo.config.keys.KEYS`) that it does not have."""
    altered: ClassVar[bool] = False
    """Whether its tasks may be made with other options in training: `training.*`."""
    acts: ClassVar[bool] = False
    """Whether a champion acts in episodes, which can be filmed, raced and put under adversity."""
    held_out: ClassVar[bool] = True
    """Whether candidates are scored on what is never seen in training."""
    splits: ClassVar[tuple[str, ...]] = ()
    """The parts of its data; a problem with episodes has none."""
    clocks: ClassVar[tuple[str, ...]] = ()
    """Columns of metrics.csv that measure its work besides steps and time: those of its problems' `clocks`."""

    def exact(self, constructor: Callable[..., Any]) -> bool:
        """Return whether one evaluation of a champion gives its exact score."""
        return False

    @abstractmethod
    def preset(self, task: str, family: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration keys and values of a family of methods' preset.

        task: full name. options: those of its options that are given or have a default.
        """

    def width(self, task: str, options: Mapping[str, Any]) -> float:
        """Return the width of its domain, the unit of steps in it; 1 where it has none. task, options: as of preset."""
        return 1.0

    def keys(self, returned: type[Any], keys: Mapping[str, Key]) -> dict[str, Key]:
        """Return those of `keys` that it has. returned: what a task's constructor is annotated to return."""
        return {key: entry for key, entry in keys.items() if key not in self.without}

    def complete(self, task: str, values: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the changes that complete resolved values: absolute paths, digests. given: what the user gave.

        Raises EvoError for values that do not fit each other.
        """
        return {}

    def refusal(self, task: str, key: str) -> str:
        """Return the error for a key of other kinds' problems."""
        return f"{task} is a {self.name}: it takes no {key}"

    @abstractmethod
    def network(self, made: Any, settings: NetworkSettings) -> Network:
        """Return the network with these layers for a task. Raises EvoError."""

    @abstractmethod
    def problem(
        self, made: Any, network: NetworkSettings, workers: Workers, evaluation: EvaluationSettings, training: bool
    ) -> Problem:
        """Return a new problem of what the constructor made: to learn on, or else to score on. Raises EvoError."""

    def examples(self, task: str, made: Any) -> int:
        """Return the number of examples of an epoch. Raises EvoError where there are no epochs."""
        raise EvoError(f"{task} has no epochs: give generations, steps, minutes or until")

    def digest(self, made: Any) -> str | None:
        """Return the digest of its examples; None where it has none."""
        return None
