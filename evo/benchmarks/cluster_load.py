"""What a driver does with many nodes, simulated in virtual time: its processor time, and where it saturates."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from evo.algorithms.strategies.openai_es import OpenAIES
from evo.cluster.nodes import Nodes, Transport
from evo.cluster.simulation import Machine, SimulatedNodes
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.evaluation.workers import Threads
from evo.genomes.population import Population
from evo.numerics.randomness import episode_seeds, generator
from evo.numerics.running_statistics import ObservationStatistics
from evo.problems.problem import Evaluation, Problem
from evo.problems.slices import PopulationWork, answer_slice

COUNTS = 10, 30, 100, 300, 1000, 3000, 10_000  # of nodes
_SLICES = 10  # for each node in a generation
_MESSAGE = 0.0005  # processor seconds of the driver that Ray takes for a message and its answer, measured
_SATURATED = 0.8  # of the time the driver is busy: no larger number of nodes is tried
_SECONDS, _SPREAD = 1.0, 0.3  # that a slice takes, and standard deviation of its logarithm
_LATENCY = 0.001  # seconds of a message's way, measured
_SLOW, _DYING, _HANGING = 20, 50, 200  # one node in so many is three times as slow, dies, hangs
_BACK = 30.0  # seconds after which a node that died is there again


def cluster_load(task: str, network: str, counts: Sequence[int] = COUNTS) -> Iterator[dict[str, Any]]:
    """Yield a record for each number of nodes, until more of them would wait for the driver.

    A generation has ten slices for each node, of about a second each. Some nodes are slow, some die, some hang. The
    driver does everything it does in a run, but for asking and telling the algorithm; the evaluation alone is left out.
    Its processor time passes on the virtual clock too, and so does what Ray takes for a message.

    nodes_busy: share of the generation that it would take at least. again: messages that were sent to a second node
    too. driver_s: processor seconds of the driver, the sum of describe_s (making messages), decide_s (who does what),
    merge_s (reading answers and putting them in order), statistics_s (merging those of observations) and ray_s (taking
    messages and answers to nodes and from them); driver_busy: their share of the generation; bottleneck: the largest of
    them. messages_per_s: as many as the driver can take. sent_mb, received_mb: by the driver, in 10⁶ bytes; what all
    slices share counts once.
    """
    for count in counts:
        record = _generation(task, network, count)
        yield record
        if record["driver_busy"] > _SATURATED:
            break


def _generation(task: str, network: str, count: int) -> dict[str, Any]:
    """Return the record of the second generation on so many nodes; in the first they join."""
    config = resolve_config(flags={"task.name": task, "network.layers": network, "method.name": "openai-es"})
    problem = make_problem(config, Threads(1), training=True)
    pairs = problem.slice_shape(1)[0] * _SLICES * count // 2
    population = OpenAIES(np.zeros(problem.size), 0, pairs=pairs).ask()
    random = generator(0, "simulated nodes", count)

    instant = cast(Problem, _Instant(problem))

    def answer(message: bytes, shared: Sequence[bytes]) -> bytes:
        return answer_slice(message, shared, lambda config, training: instant)

    simulated = SimulatedNodes(_machines(count, random), answer, random)
    driver = _Driver(simulated)
    nodes = Nodes(cast(Transport, driver), 1, answer, {}, lambda line: None)
    statistics = problem.no_statistics()
    for number in range(2):
        seeds = episode_seeds(0, "simulated nodes", number, 1)
        work = _Metered(PopulationWork(problem, population, seeds, statistics, collect=True, measured=False))
        sent, began, again = simulated.sent, simulated.clock(), nodes.dispatch.again
        driver.begin()
        found = nodes.evaluate(work)
        driver.stop()
        folding, statistics = time.process_time(), statistics.merged(found.statistics)
        folding = time.process_time() - folding
        simulated.spend(folding)
    messages, took = simulated.sent - sent, simulated.clock() - began
    deciding = driver.seconds - work.describing - work.merging
    spent = {
        "describe": work.describing,
        "decide": deciding,
        "merge": work.merging,
        "statistics": folding,
        "ray": _MESSAGE * messages,
    }
    speed = sum(1 / machine.seconds for machine in simulated.machines.values())
    return {
        "task": task,
        "nodes": count,
        "slices": len(work),
        "generation_s": took,
        "nodes_busy": len(work) / speed / took,
        "messages": messages,
        "again": nodes.dispatch.again - again,
        **{f"{name}_s": seconds for name, seconds in spent.items()},
        "driver_s": sum(spent.values()),
        "driver_busy": sum(spent.values()) / took,
        "bottleneck": max(spent, key=lambda name: spent[name]),
        "messages_per_s": messages / sum(spent.values()),
        "sent_mb": work.sent / 1e6,
        "received_mb": work.received / 1e6,
    }


def _machines(count: int, random: np.random.Generator) -> dict[str, Machine]:
    """Return nodes of which some are slow, some die during the second generation, and some hang in it."""
    machines = {}
    for number in range(count):
        slow, dying, hanging = (random.random() < 1 / odds for odds in (_SLOW, _DYING, _HANGING))
        fate = _SLICES * _SECONDS * random.uniform(1.2, 2.0)
        machines[f"node{number}"] = Machine(
            seconds=3 * _SECONDS if slow else _SECONDS,
            spread=_SPREAD,
            latency=_LATENCY,
            dies=fate if dying else np.inf,
            hangs=fate if hanging else np.inf,
            returns=_BACK,
        )
    return machines


class _Instant:
    """A problem whose evaluations take no time: all returns and observations are the same."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def evaluate_here(
        self,
        population: Population,
        seeds: np.ndarray,
        statistics: ObservationStatistics,
        collect: bool,
        measured: bool,
    ) -> Evaluation:
        individuals, episodes = len(population), len(population) * len(seeds)
        rows = np.ones((episodes, 1 + 2 * len(statistics.mean)))
        returns = np.zeros((individuals, len(seeds)))
        return Evaluation(np.zeros(individuals), returns, episodes, episodes, {}, (), rows)


class _Driver:
    """Simulated nodes whose clock counts the processor time between calls, and Ray's of a message, as passing too."""

    def __init__(self, nodes: SimulatedNodes) -> None:
        self._nodes, self.seconds, self._since = nodes, 0.0, 0.0

    def begin(self) -> None:
        self.seconds, self._since = 0.0, time.process_time()

    def stop(self) -> None:
        spent = time.process_time() - self._since
        self.seconds += spent
        self._nodes.spend(spent)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._nodes, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self.stop()
            if name == "send":
                self._nodes.spend(_MESSAGE)
            try:
                return method(*arguments, **named)
            finally:
                self._since = time.process_time()

        return call


class _Metered:
    """Work that counts the processor seconds that describing and merging it take, and the bytes."""

    def __init__(self, work: PopulationWork) -> None:
        self._work = work
        self.describing = self.merging = 0.0
        self.sent = self.received = 0

    @property
    def steps(self) -> int:
        return self._work.steps

    def __len__(self) -> int:
        return len(self._work)

    def here(self) -> Evaluation:
        return self._work.here()

    def slices(self) -> Sequence[bytes]:
        return self._work.slices()

    def fitting(self, places: range) -> range:
        return self._work.fitting(places)

    def shared(self) -> Sequence[bytes]:
        began = time.process_time()
        found = self._work.shared()
        self.describing += time.process_time() - began
        self.sent += sum(map(len, found))
        return found

    def join(self, places: range) -> bytes:
        began = time.process_time()
        message = self._work.join(places)
        self.describing += time.process_time() - began
        self.sent += len(message)
        return message

    def merge(self, answers: Iterable[bytes]) -> Evaluation:
        found = self._work.merge(self._watched(answers))
        self.merging += time.process_time() - self._since
        return found

    def _watched(self, answers: Iterable[bytes]) -> Iterator[bytes]:
        for answer in answers:
            self.received += len(answer)
            self._since = time.process_time()
            yield answer
            self.merging += time.process_time() - self._since
