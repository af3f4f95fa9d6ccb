"""The evaluator and the collector that fit a task: compiled for ours, processes for Gymnasium's environments."""

from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.envs.task import Task
from evo.evaluation.collector import Collector
from evo.evaluation.episode import Evaluator
from evo.evaluation.gymnasium_collector import GymnasiumCollector
from evo.evaluation.gymnasium_episode import GymnasiumEvaluator
from evo.networks import Network

AnyTask = Task | GymnasiumTask


def evaluator_of(task: AnyTask, network: Network, threads: int) -> Evaluator | GymnasiumEvaluator:
    """What lives whole episodes of a task."""
    if isinstance(task, GymnasiumTask):
        return GymnasiumEvaluator(task, network, threads)
    return Evaluator(task, network, threads)


def collector_of(
    task: AnyTask, network: Network, environments: int, horizon: int, threads: int, waits: bool, every: int
) -> Collector | GymnasiumCollector:
    """What lives a task step by step, from one call to the next."""
    if isinstance(task, GymnasiumTask):
        return GymnasiumCollector(task, network, environments, horizon, threads, waits, every)
    return Collector(task, network, environments, horizon, threads, waits, every)
