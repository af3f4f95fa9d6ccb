"""`evo bench`: speed, exactness, reliability and the other measurements, as plain records."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evo.benchmarks import exactness
from evo.benchmarks.cluster_load import COUNTS, cluster_load
from evo.benchmarks.footprint import METHODS, footprint
from evo.benchmarks.layer_speed import CASES, layer_speed
from evo.benchmarks.nodes_speed import nodes_speed
from evo.benchmarks.profiling import profile
from evo.benchmarks.speed import NoLimitError, throughput, utilisation
from evo.benchmarks.stability import shaken
from evo.benchmarks.training_speed import NETWORKS, training_speed
from evo.cluster.named import workers_of
from evo.config.build import make_compiled_task, make_learner, make_problem
from evo.config.resolve import resolve_config
from evo.config.task_names import task_name
from evo.envs import TASKS
from evo.envs.creatures.extent import extent
from evo.envs.engine.numpy_order import unlike
from evo.envs.engine.physics import available_threads
from evo.envs.task import Task
from evo.errors import EvoError, nearest
from evo.evaluation.workers import NodeWorkers, Threads, Workers
from evo.numerics.formatting import table_text
from evo.numerics.randomness import report_seeds
from evo.runs.callbacks import Callback
from evo.runs.champion import Champion
from evo.runs.training import Progress, train
from evo.storage.run_directory import RunDirectory

EVERY = "all"
_SMALL = {"individuals": 8, "steps": 100, "gymnasium_steps": 100}
SPEED_TASKS, SPEED_NETWORKS = ("HalfCheetah-v5", "Walker2d-v5"), ("linear", "mlp:64,64")
KINDS = (
    "speed",
    "exact",
    "utilisation",
    "overhead",
    "memory",
    "profile",
    "learning",
    "stability",
    "layers",
    "training",
    "cluster",
)


def bench(
    kind: str = "speed",
    tasks: Sequence[str] | None = None,
    networks: Sequence[str] | None = None,
    method: str = "ars",
    seeds: Sequence[int] | None = None,
    pairs: int = 9,
    quick: bool = False,
    workers: Workers | str | None = None,
) -> list[dict[str, Any]]:
    """Return the records of one kind of measurement.

    speed: env steps/s beside MuJoCo's open-loop limit and Gymnasium, in alternating pairs
    (`evo.benchmarks.speed.throughput`); tasks may be "all", those whose episodes can be kept from ending, with a linear
    policy, each with its speed relative to Ant-v5's at an equal control rate. exact: every option of the Gymnasium
    tasks, random and trained policies, compared to the bit over whole episodes, seeds 0-19 by default. utilisation: how
    busy the threads are where episodes end early. overhead: the share of a generation's time that is not evaluation.
    memory: what a generation of a thousand networks of a million parameters takes outside evaluation, and the limit
    that the memory's bandwidth sets (`evo.benchmarks.footprint`). profile: where the time of a method's iterations goes
    (`evo.benchmarks.profiling.profile`). learning: the returns of a method's defaults on each seed, 100-119 by default.
    stability: whether our creatures, or given tasks, stay stable for 10⁶ control steps of random full torque. layers:
    time of a step of every kind of layer, beside plain loops and torch (`evo.benchmarks.layer_speed`). training: time
    of an epoch of backprop, beside torch (`evo.benchmarks.training_speed`). cluster: what a driver does with 10 and
    more simulated nodes, until it saturates (`evo.benchmarks.cluster_load`). quick: a small sample that only shows that
    it works. workers: nodes, as of `evo.run`, whose speed is measured beside threads of this process
    (`evo.benchmarks.nodes_speed`). Raises EvoError.
    """
    if kind not in KINDS:
        raise EvoError(f"unknown measurement {kind!r}{nearest(kind, KINDS)}")
    if seeds is not None and not len(seeds):
        raise EvoError("no seeds: a range goes upwards, as in 100-119")
    if pairs < 1:
        raise EvoError(f"pairs must be at least 1, got {pairs}")
    if workers is not None:
        return [*_nodes_speed(kind, tasks, networks, workers, pairs, quick)]
    if list(tasks or ()) == [EVERY] and kind == "speed":
        return _every_speed(pairs, quick)
    names = [task_name(task) for task in tasks] if tasks else None
    measure = {
        "speed": _speed,
        "exact": _exact,
        "utilisation": _utilisation,
        "overhead": _overhead,
        "memory": _memory,
        "stability": _stability,
        "layers": _layers,
        "training": _training,
        "cluster": _cluster,
    }.get(kind)
    if measure is not None:
        return [*measure(names, networks, seeds, pairs, quick)]
    if kind == "profile":
        return [row for task in names or ["HalfCheetah-v5"] for row in profile(task, method, 1 if quick else 100_000)]
    return [*learning(names or ["evo/Quadruped-v0"], method, seeds or range(100, 120))]


def _speed(
    tasks: Sequence[str] | None, networks: Sequence[str] | None, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    for task in tasks or SPEED_TASKS:
        for network in networks or SPEED_NETWORKS:
            yield throughput(task, network, 1 if quick else pairs, **(_SMALL if quick else {}))


def _nodes_speed(
    kind: str,
    tasks: Sequence[str] | None,
    networks: Sequence[str] | None,
    workers: Workers | str,
    pairs: int,
    quick: bool,
) -> Iterator[dict[str, Any]]:
    if kind != "speed":
        raise EvoError(f"--{kind} measures this process alone: leave out --workers")
    nodes = workers_of(None, workers)
    if not isinstance(nodes, NodeWorkers):
        raise EvoError("speed is measured of workers that are nodes: give --workers ray")
    size: dict[str, Any] = {"individuals": 512, "steps": 100} if quick else {}
    for task in map(task_name, tasks or SPEED_TASKS[:1]):
        for network in networks or SPEED_NETWORKS[1:]:
            yield from nodes_speed(task, network, nodes, 1 if quick else pairs, **size)


def _every_speed(pairs: int, quick: bool) -> list[dict[str, Any]]:
    records = []
    for task in TASKS:
        # whole episodes of all tasks would take half an hour
        steps = min(50 if quick else 250, make_compiled_task(task, {}).steps)
        size = {**(_SMALL if quick else {}), "steps": steps}
        try:
            records.append(throughput(task, "linear", 1 if quick else pairs, **size))
        except NoLimitError:
            continue
    ant = next(record["simulated_s_per_s"] for record in records if record["task"] == "Ant-v5")
    return [{**record, "times_ant": record["simulated_s_per_s"] / ant} for record in records]


def _exact(
    tasks: Sequence[str] | None, networks: Any, seeds: Sequence[int] | None, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    chosen = seeds or (range(1) if quick else range(20))
    for task in tasks or ():
        if task not in exactness.CASES:
            raise EvoError(f"no task of Gymnasium's is {task!r}{nearest(task, exactness.CASES)}")
    for case in exactness.cases():
        if tasks is None or case.task in tasks:
            steps, training = (50, 0 if case.options else 1) if quick else (None, 100_000)
            yield _comparison("gymnasium", exactness.check(case.task, case.options, chosen, steps, training))
    for task in tasks or exactness.CASES:
        found = exactness.check_invariance(make_compiled_task(task, {}), chosen[:2], 50 if quick else None)
        yield _comparison("threads and splits", found)


def arithmetic() -> str:
    """Return lines on this machine's arithmetic, to print above the records of `bench("exact")`."""
    strange = [f"close, not equal to the bit: {line}" for line in unlike()]
    return "\n".join([*(f"{name}: {value}" for name, value in exactness.machine().items()), *strange])


def _stability(
    tasks: Sequence[str] | None, networks: Any, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    creatures = [name for name, where in TASKS.items() if where.startswith("evo.envs.creatures.")]
    for name in tasks or creatures:
        yield shaken(make_compiled_task(name, {}), 100 if quick else 1_000_000)


def _layers(
    tasks: Any, networks: Sequence[str] | None, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    known = {case.network: case for case in CASES}
    for network in networks or known:
        if network not in known:
            raise EvoError(f"no case of --layers is {network!r}{nearest(network, known)}")
        yield layer_speed(known[network], *((1, 1e-4) if quick else (pairs,)))


def _training(
    tasks: Any, networks: Sequence[str] | None, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    for network in networks or NETWORKS:
        if network not in NETWORKS:
            raise EvoError(f"no case of --training is {network!r}{nearest(network, NETWORKS)}")
        yield training_speed(network, *((1, 128) if quick else (pairs,)))


def _cluster(
    tasks: Sequence[str] | None, networks: Sequence[str] | None, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    for task in tasks or ("HalfCheetah-v5",):
        for network in networks or ("linear",):
            yield from cluster_load(task, network, COUNTS[:2] if quick else COUNTS)


def _comparison(against: str, found: exactness.Exactness) -> dict[str, Any]:
    options = ", ".join(f"{name}={value}" for name, value in found.options.items())
    return {
        "task": found.task,
        "options": options or "defaults",
        "against": against,
        "seeds": len(found.seeds),
        "steps": found.steps,
        "mismatches": found.mismatches,
        "first": found.first,
    }


def _utilisation(
    tasks: Sequence[str] | None, networks: Sequence[str] | None, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    for task in tasks or ("Hopper-v5",):
        for network in networks or ("mlp:64,64",):
            yield utilisation(task, network, repeats=1 if quick else pairs)


def _overhead(
    tasks: Sequence[str] | None, networks: Any, seeds: Any, pairs: int, quick: bool
) -> Iterator[dict[str, Any]]:
    for task in tasks or ("HalfCheetah-v5",):
        yield overhead(task, generations=2 if quick else 15)


def _memory(tasks: Any, networks: Any, seeds: Any, pairs: int, quick: bool) -> Iterator[dict[str, Any]]:
    parameters, individuals = (20_000, 100) if quick else (1_000_000, 1_000)
    for method in METHODS:
        yield footprint(method, parameters, individuals)


def overhead(task: str, generations: int) -> dict[str, Any]:
    """Return the share of training time outside evaluation, at 64 individuals: asking, telling, logging, saving."""
    options = {"method.name": "ars", "method.directions": 32, "method.elite_directions": 8}
    config = resolve_config(flags={"task.name": task, "budget.generations": generations, **options})
    workers = Threads(available_threads())
    learner, evaluating = make_learner(config, workers), 0.0
    plain = learner.problem.evaluate

    def timed(*arguments: Any, **named: Any) -> Any:
        nonlocal evaluating
        began = time.perf_counter()
        outcome = plain(*arguments, **named)
        evaluating += time.perf_counter() - began
        return outcome

    learner.problem.evaluate = timed  # type: ignore[method-assign]
    judge, progress = make_problem(config, workers, training=False), Progress()
    judge.prepare()
    learner.prepare()
    with (
        tempfile.TemporaryDirectory() as folder,
        RunDirectory.create(Path(folder) / "run", config.toml(), "") as directory,
    ):
        reporting = _Reporting()
        began = time.perf_counter()
        train(config, learner, judge, directory, progress, reporting)
        total = reporting.began - began - progress.clock.selection
    return {
        "task": task,
        "individuals": 64,
        "generations": generations,
        "generation_s": total / generations,
        "evaluation_s": evaluating / generations,
        "outside_evaluation": 1.0 - evaluating / total,
    }


class _Reporting(Callback):
    """Records when training ended and the report on the champion began."""

    def __init__(self) -> None:
        super().__init__(None)
        self.began = 0.0

    def phase(self, text: str) -> None:
        self.began = time.perf_counter()


def learning(tasks: Sequence[str], method: str, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield the results of a method's defaults: one whole run for each seed, scored on the report episodes."""
    from evo.api.running import run

    for task in tasks:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                finished = run(task, method=method, seed=seed, out=Path(folder) / "run", video=False)
                seconds = time.perf_counter() - began
                champion, rows = finished.champion, finished.metrics
                yield {
                    "task": task,
                    "method": method,
                    "seed": seed,
                    "report_mean": champion.reported_fitness.mean,
                    "report_std": champion.reported_fitness.std,
                    "episodes": int(rows["episodes"][-1]),
                    "steps": int(rows["steps"][-1]),
                    "seconds": seconds,
                    **_distance(champion),
                }


def _distance(champion: Champion) -> dict[str, float]:
    """Return how far a creature that starts at rest moves along x in the first ten report episodes.

    It is the upper median in metres, and in body lengths per second over the task's episode length.
    """
    task = champion.walking.task
    if not isinstance(task, Task) or not task.model.nq:
        return {}
    trips = [champion.rollout(int(seed)) for seed in report_seeds(10)]
    distance = sorted(float(trip.qpos[-1, 0] - trip.qpos[0, 0]) for trip in trips)[5]
    tail, nose = extent(task.model, 0)
    lengths_per_s = distance / (nose - tail) / (task.steps * task.control_period)
    terminated = sum(trip.terminated for trip in trips)
    return {"distance": distance, "body_lengths_per_s": lengths_per_s, "terminated": terminated}


def render(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as a text table, a row each; missing values are empty, None is a dash."""
    if not records:
        return ""
    names = list(dict.fromkeys(name for record in records for name in record))
    return table_text([names, *([_cell(record.get(name, "")) for name in names] for record in records)])


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    return str(value)
