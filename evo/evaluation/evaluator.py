"""Choice of evaluator and collector for a task: compiled for our tasks, processes for Gymnasium environments."""

from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.task import Task
from evo.evaluation.collector import Collector
from evo.evaluation.episode import Evaluator
from evo.evaluation.gymnasium_collector import GymnasiumCollector
from evo.evaluation.gymnasium_episode import GymnasiumEvaluator
from evo.evaluation.workers import Workers
from evo.networks import Network

AnyTask = Task | GymnasiumTask


def evaluator_of(task: AnyTask, network: Network, workers: Workers) -> Evaluator | GymnasiumEvaluator:
    """Return the evaluator that runs whole episodes of a task."""
    if isinstance(task, GymnasiumTask):
        return GymnasiumEvaluator(task, network, workers)
    return Evaluator(task, network, workers)


def collector_of(
    task: AnyTask, network: Network, environments: int, horizon: int, workers: Workers, waits: bool, every: int
) -> Collector | GymnasiumCollector:
    """Return the collector that takes `horizon` steps a call in persistent environments of a task."""
    if isinstance(task, GymnasiumTask):
        return GymnasiumCollector(task, network, environments, horizon, workers, waits, every)
    return Collector(task, network, environments, horizon, workers, waits, every)
