"""Supervised: a network learns the examples of a data set."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from evo.config.default_methods import COMPARED_TRAINING, DEFAULT_TRAINING
from evo.config.kinds.kind import ProblemKind
from evo.config.presets import dataset_preset
from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.datasets import Dataset
from evo.datasets.endings import ENDINGS
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.networks import Network, network_from_text
from evo.problems.supervised import Supervised


class SupervisedKind(ProblemKind):
    """Predictions of a network on a data set; fitness is minus the loss, or the accuracy."""

    name = "data set"
    aim = "data set to learn"
    champion = "answers examples, and does not act"
    made: ClassVar[tuple[type[Any], ...]] = (Dataset,)
    step_unit = Supervised.step_unit
    default_method = DEFAULT_TRAINING
    compared = COMPARED_TRAINING
    without = frozenset({"network.normalise", "network.clip_observation", "evaluation.step_timeout"})
    splits = ("train", "validation", "test")
    clocks = ("flops",)

    def exact(self, constructor: Callable[..., Any]) -> bool:
        return True  # of a network on all held-out examples

    def preset(self, task: str, family: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return dataset_preset("picture" if Path(task).suffix.lower() in ENDINGS else task, family)

    def complete(self, task: str, values: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        files = {key: values[key] for key in ("task.file", "task.folder") if values.get(key)}
        changed = {key: str(Path(name).absolute()) for key, name in files.items()}
        unbounded = values["budget.steps"] is None and values.get("method.anneal_steps", 0) is None
        if unbounded and values.get("method.schedule") not in (None, "constant"):
            if any("method.schedule" in layer for layer in given):
                schedule = values["method.schedule"]
                raise EvoError(f"method.schedule={schedule} stretches over a budget of examples: give epochs or steps")
            changed["method.schedule"] = "constant"
        return changed

    def refusal(self, task: str, key: str) -> str:
        return f"{task} is a data set, which is prepared as it is made: it takes no {key.replace('.layers', '')}"

    def network(self, made: Dataset, settings: NetworkSettings) -> Network:
        try:
            return network_from_text(settings.layers, made.shape, made.outputs, settings.normalise, made.symbols)
        except ValueError as error:
            raise EvoError(f"network.layers: {error}") from error

    def problem(
        self, made: Dataset, network: NetworkSettings, workers: Workers, evaluation: EvaluationSettings, training: bool
    ) -> Supervised:
        return Supervised(made, self.network(made, network), workers, evaluation.batch if training else None)

    def examples(self, task: str, made: Dataset) -> int:
        return len(made.train)

    def digest(self, made: Dataset) -> str:
        return made.digest
