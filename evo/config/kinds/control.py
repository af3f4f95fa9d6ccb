"""Control: a network acts in a world, a compiled task or an environment of Gymnasium's."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from evo.config.default_methods import COMPARED_METHODS, DEFAULT_METHOD
from evo.config.kinds.kind import ProblemKind
from evo.config.presets import preset
from evo.config.sections import EvaluationSettings, NetworkSettings
from evo.config.values import Key
from evo.envs import TASKS
from evo.envs.creatures.from_file import ABSENT
from evo.envs.creatures.model_file import digest_of, is_model_file
from evo.envs.gymnasium_bridge import gymnasium_task
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.task import Task
from evo.errors import EvoError, one_line
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import Workers
from evo.networks import Network, network_for_task
from evo.problems.control import Walking

_TIMEOUT = "evaluation.step_timeout"


class Control(ProblemKind):
    """Episodes of a network in a world; fitness is the mean return."""

    name = "world"
    made: ClassVar[tuple[type[Any], ...]] = (Task, GymnasiumTask)
    step_unit = Walking.step_unit
    default_method = DEFAULT_METHOD
    compared = COMPARED_METHODS
    without = frozenset({"evaluation.batch", "data.digest"})
    altered = True
    acts = True

    def preset(self, task: str, family: str, options: Mapping[str, Any]) -> dict[str, Any]:
        return preset(task, family)

    def keys(self, returned: type[Any], keys: Mapping[str, Key]) -> dict[str, Key]:
        found = super().keys(returned, keys)
        return found if returned is GymnasiumTask else {key: one for key, one in found.items() if key != _TIMEOUT}

    def complete(self, task: str, values: Mapping[str, Any], given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if not is_model_file(task):
            return {}
        roots = {key: values[key] for key in ("task.model_root", "training.model_root") if values.get(key)}
        changed = {key: str(Path(root).absolute()) for key, root in roots.items()}
        if not values["task.digest"]:
            try:
                changed["task.digest"] = digest_of(task, (dict(values) | changed)["task.model_root"])
            except (ValueError, OSError) as error:
                raise EvoError(f"task {task}: {one_line(error)}") from error
        return changed

    def network(self, made: AnyTask, settings: NetworkSettings) -> Network:
        try:
            return network_for_task(settings.layers, made, settings.normalise, settings.clip_observation)
        except ValueError as error:
            raise EvoError(f"network.layers: {error}") from error

    def problem(
        self, made: AnyTask, network: NetworkSettings, workers: Workers, evaluation: EvaluationSettings, training: bool
    ) -> Walking:
        return Walking(made, self.network(made, network), workers)


def as_written(task: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task's options as a run's file means them: absent ones mean what the older version did."""
    if is_model_file(task):
        return {**ABSENT, **options}
    of_gymnasium = task not in TASKS and gymnasium_task.is_registered(task)
    return {**(gymnasium_task.ABSENT if of_gymnasium else {}), **options}
