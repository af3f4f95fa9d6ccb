"""Function: a search for the largest value of a function of a vector, without a network."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from evo.config.default_methods import COMPARED_METHODS, DEFAULT_METHOD
from evo.config.kinds.kind import ProblemKind
from evo.config.presets import landscape_preset
from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.envs.options import Constructor
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.networks import Network
from evo.problems.function import Landscape
from evo.problems.named_functions import best_is_zero, domain_of

_NETWORK = frozenset({"network.layers", "network.normalise", "network.clip_observation"})


class FunctionKind(ProblemKind):
    """A point of a function; fitness is its value."""

    name = "function"
    aim = "function to optimise"
    champion = "is a point, with no network and no film"
    made: ClassVar[tuple[type[Any], ...]] = (Landscape,)
    step_unit = Landscape.step_unit
    default_method = DEFAULT_METHOD
    compared = COMPARED_METHODS
    without = _NETWORK | {"evaluation.batch", "data.digest", "evaluation.step_timeout"}
    held_out = False

    def exact(self, constructor: Callable[..., Any]) -> bool:
        return not (isinstance(constructor, Constructor) and constructor.noisy)

    def preset(self, task: str, family: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return landscape_preset(family, self.width(task, options), known_best=best_is_zero(task))

    def width(self, task: str, options: Mapping[str, Any]) -> float:
        low, high = domain_of(task, options.get("low"), options.get("high"))
        return high - low

    def refusal(self, task: str, key: str) -> str:
        return f"{task} is a function of its own numbers: it takes no {key.replace('.layers', '')}"

    def network(self, made: Landscape, settings: NetworkSettings) -> Network:
        raise EvoError(f"{made.name} is a function of its own numbers: it takes no network")

    def problem(
        self,
        made: Landscape,
        network: NetworkSettings,
        workers: Workers,
        evaluation: EvaluationSettings,
        training: bool,
    ) -> Landscape:
        problem = copy.copy(made)  # a problem keeps what an interrupted evaluation found, and each its own
        problem.workers = workers
        return problem
