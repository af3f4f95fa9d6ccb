"""Examination of a Ray cluster: of each node what it has and runs, and whether it computes this process's bits."""

from collections.abc import Iterator, Mapping

import numpy as np

from evo.cluster.answering import evaluate_slice
from evo.cluster.named import cluster_address
from evo.cluster.nodes import Trial, unlike_facts
from evo.cluster.ray_connection import Connection
from evo.cluster.ray_examination import ExaminedNode, examine_nodes
from evo.cluster.ray_nodes import describe_machine
from evo.config.build import make_problem
from evo.config.resolve import resolve_config
from evo.diagnosis.machine import Finding
from evo.evaluation.workers import Threads
from evo.genomes.population import DensePopulation
from evo.problems.slices import PopulationWork

_PATIENCE = 120.0  # seconds that all nodes together have for an answer; one that compiles needs some 20
_SLOW = 1e6, 1.0  # bytes/s and s of latency: slices of a second are no use then
_VERSIONS = "python", "evo", "ray", "mujoco", "gymnasium", "numpy", "numba", "llvmlite"
_COUNTED = "processors", "memory"
_SAME = "install the same versions on every machine, and give every node the same files at the same places"


def examine_cluster(workers: str) -> list[Finding]:
    """Return the findings on a cluster and on each of its nodes; workers: as in `--workers`.

    Raises EvoError where there is no cluster.
    """
    connection = Connection(cluster_address(workers))
    try:
        trial = _canary()
        expected = evaluate_slice(trial.message, trial.shared)
        here = describe_machine()
        nodes = [_judge(node, here, expected) for node in examine_nodes(connection, trial, _PATIENCE)]
        what = f"Ray {here['ray']} at {connection.address}; nodes: {len(nodes)}"
        found = Finding("cluster", bool(nodes), what, "" if nodes else "start one on a machine with `ray start`")
        return [found, *sorted(nodes)]
    finally:
        connection.close()


def _canary() -> Trial:
    """Return a slice that every node evaluates: physics, a network and episodes' random numbers are in it."""
    config = resolve_config(flags={"task.name": "Hopper-v5", "network.layers": "mlp:8"})
    problem = make_problem(config, Threads(1), training=False)
    rows = np.random.default_rng(0).standard_normal((4, problem.size))
    work = PopulationWork(
        problem, DensePopulation(rows), np.arange(2), problem.no_statistics(), collect=False, measured=False
    )
    return Trial(work.join(range(1)), tuple(work.shared()))


def _judge(node: ExaminedNode, here: Mapping[str, str], expected: bytes) -> Finding:
    wrong = [*_wrong(node, here, expected)]
    if wrong:
        said, advice = (" and ".join(dict.fromkeys(parts)) for parts in zip(*wrong, strict=True))
    else:
        versions = ", ".join(
            f"{name} {node.facts[name]}" for name in ("python", "evo", "numpy", "numba", "mujoco", "ray")
        )
        machine = _of_machine(here)
        unlike = any(node.facts.get(name) != fact for name, fact in machine.items())
        studies = f" in episodes, but studies may refuse it: {unlike_facts(node.facts, machine)}" if unlike else ""
        said = f"the same bits{studies}; {node.latency * 1e3:.1f} ms, {node.bandwidth / 1e6:,.0f} MB/s; {versions}"
    memory = f"{node.facts['memory']} of memory, " if node.facts else ""
    has = f"{node.processors} processors, {memory}object store of {node.store / 1e9:.1f} GB"
    return Finding(f"node {node.name}", not wrong, f"{has}; {said}", advice if wrong else "")


def _wrong(node: ExaminedNode, here: Mapping[str, str], expected: bytes) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a node, and what to do."""
    versions = {name: fact for name, fact in here.items() if name in _VERSIONS}
    if node.facts and any(node.facts.get(name) != fact for name, fact in versions.items()):
        yield unlike_facts(node.facts, versions), _SAME
    if node.failed is not None and "No module named 'evo'" in node.failed:
        yield "it has no evo", "pip install 'evo-creatures[ray]' there"
    elif node.failed is not None:
        yield node.failed, _SAME if node.facts else "see whether it is stopped or cut off, and start Ray there anew"
    elif node.answer != expected:
        how = unlike_facts(node.facts, _of_machine(here))
        yield f"it computes other bits, so runs refuse it: {how}", f"let it join by --workers ray:…,mixed, or {_SAME}"
    elif node.bandwidth < _SLOW[0] or node.latency > _SLOW[1]:
        yield f"it is slow to reach: {node.latency * 1e3:.1f} ms, {node.bandwidth / 1e6:.1f} MB/s", "mend the network"
    if node.facts and node.processors > int(node.facts["processors"]):
        has = node.facts["processors"]
        yield f"it may use only {has} processors", f"start Ray there with --num-cpus={has}"
    if not node.processors:
        yield "it has no processors, so runs leave it out", "start Ray there with --num-cpus"


def _of_machine(facts: Mapping[str, str]) -> Mapping[str, str]:
    """Return the facts on the processor and its libraries, on which bits may depend."""
    return {name: fact for name, fact in facts.items() if name not in (*_VERSIONS, *_COUNTED)}
