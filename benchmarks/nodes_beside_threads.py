"""Nodes of one core each beside as many threads of one process: speed, bytes on the wire, and what Ray takes.

    pip install 'evo-creatures[ray]'
    python -m benchmarks.nodes_beside_threads

It begins a Ray cluster of its own on this machine. Each pair of measurements evaluates the same population on two nodes
and on two threads, in alternating order, so that a busy machine slows both; the returns must be the same bits. Ratios
are threads' seconds over nodes', medians with quartiles: of wall-clock, which wants a quiet machine, and of processor
time, in which everything counts that the cluster runs, Ray's own processes too. Bytes are those of the messages and
answers that the transport carries and of what it stores for all nodes; and those of the driver's sockets, as `ss`
counts them, in which Ray's own words count.
"""

import argparse
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.clusters import evaluate, make, mirrored, quartiles, single_core_nodes, timed
from evo.algorithms.genetic.deep_ga import DeepGA
from evo.algorithms.strategies.openai_es import OpenAIES
from evo.cluster.dispatch import Order
from evo.cluster.nodes import Nodes
from evo.cluster.ray_nodes import RayNodes
from evo.evaluation.workers import Threads

# A task, and individuals for a generation of at least 5 s on two cores that run 60,000 steps of HalfCheetah a second.
GENERATION = "HalfCheetah-v5", 512
# Slices of 8 episodes of 1,000 steps, of which a core of the same machine runs some 5,500 a second: 1.5 s.
LONG_SLICES = "Ant-v5", 256
PARAMETERS, INDIVIDUALS = 1_000_000, 1000
CALLS, ANSWER = 2000, bytes(2500)  # about the answer of a slice of HalfCheetah's


def speed(what: str, case: tuple[str, int], nodes: Nodes, pairs: int) -> None:
    """Print how fast nodes are beside threads; episodes do not end early."""
    task, individuals = case
    options = {"terminate_when_unhealthy": False} if task == "Ant-v5" else {}
    on_nodes, on_threads = (make(task, "mlp:64,64", workers, **options) for workers in (nodes, Threads(2)))
    population = mirrored(on_nodes, individuals)
    for problem in (on_nodes, on_threads):
        evaluate(problem, mirrored(problem, 64))
    walls, cpus, seconds, drivers = [], [], [], []
    for pair in range(pairs):
        times = {}
        for problem in (on_nodes, on_threads)[:: 1 if pair % 2 else -1]:
            own = time.process_time()
            times[problem is on_nodes] = timed(lambda problem=problem: evaluate(problem, population))  # type: ignore[misc]
            if problem is on_nodes:
                drivers.append(time.process_time() - own)
        np.testing.assert_array_equal(times[True][2].returns, times[False][2].returns)
        walls.append(times[False][0] / times[True][0])
        cpus.append(times[False][1] / times[True][1])
        seconds.append(times[False][0])
        print(f"  {times[False][0]:.1f} s on threads, {times[True][0]:.1f} s on nodes", flush=True)
    print(
        f"{what}: {task} mlp:64,64, {individuals} individuals, {statistics.median(seconds):.1f} s on threads: "
        f"wall-clock {quartiles(walls)}, processor time {quartiles(cpus)}; {pairs} pairs; the driver took "
        f"{statistics.median(drivers):.2f} processor seconds; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def socket_bytes() -> int:
    """Return the bytes that this process's TCP connections have sent and received, headers left out."""
    told = subprocess.run(["ss", "-tinpH"], capture_output=True, text=True, check=True).stdout
    mine = [line for line in re.split(r"\n(?=\S)", told) if f"pid={os.getpid()}," in line]
    return sum(int(count) for line in mine for count in re.findall(r"bytes_(?:sent|received):(\d+)", line))


class Counted:
    """Bytes that a transport is given and brings, from now on; vectors: those of whole parameter vectors."""

    def __init__(self, parameters: int) -> None:
        self.out = self.back = self.shared = self.vectors = self.messages = 0
        send, receive, put = RayNodes.send, RayNodes.receive, RayNodes._put

        def count_send(nodes: RayNodes, order: Order, message: bytes, shared: Sequence[bytes]) -> None:
            self.messages += 1
            self.out += len(message)
            send(nodes, order, message, shared)

        def count_received(nodes: RayNodes, patience: float) -> Sequence[tuple[int, bytes]]:
            found = receive(nodes, patience)
            self.back += sum(len(answer) for _, answer in found)
            return found

        def count_put(nodes: RayNodes, message: bytes) -> Any:
            vectors = len(message) // (8 * parameters) * 8 * parameters
            self.vectors += vectors
            self.shared += len(message) - vectors
            return put(nodes, message)

        RayNodes.send, RayNodes.receive, RayNodes._put = count_send, count_received, count_put  # type: ignore[method-assign]

    def clear(self) -> None:
        self.out = self.back = self.shared = self.vectors = self.messages = 0


def wire(nodes: Nodes) -> None:
    """Print the bytes an individual of populations of a million parameters."""
    populations: dict[str, Callable[[np.ndarray], Any]] = {
        "openai-es": lambda initial: OpenAIES(initial, 0, pairs=INDIVIDUALS // 2),
        "deep-ga": lambda initial: DeepGA(initial, 0, population_size=INDIVIDUALS),
    }
    problem, counted = make("sphere", None, nodes, dim=PARAMETERS), Counted(PARAMETERS)
    count = len(nodes.dispatch.nodes)
    for name, begin in populations.items():
        algorithm = begin(np.zeros(PARAMETERS))
        for _ in range(3):  # the Deep GA's lists have two seeds from the third generation on
            population = algorithm.ask()
            counted.clear()
            before, began = socket_bytes(), time.monotonic()
            found = evaluate(problem, population)
            sockets, took = socket_bytes() - before, time.monotonic() - began
            algorithm.tell(found.fitness)
        each = {"out": counted.out, "back": counted.back, "shared": counted.shared * count}
        told = ", ".join(f"{way} {size / INDIVIDUALS:.1f}" for way, size in each.items())
        print(
            f"{name}, {PARAMETERS:,} parameters, {INDIVIDUALS:,} individuals, {count} nodes: {counted.messages} "
            f"messages; bytes an individual {told}, together {sum(each.values()) / INDIVIDUALS:.1f}; besides, "
            f"{counted.vectors / 1e6:.0f} MB of vectors once a node. With all that Ray says in these {took:.0f} s the "
            f"driver's sockets moved {sockets / INDIVIDUALS:.0f} bytes an individual",
            flush=True,
        )


def messages(count: int) -> None:
    """Print what Ray takes for messages, and for giving the same bytes to several nodes."""
    import ray

    class Echo:
        def answer(self, message: bytes, shared: list[Any]) -> bytes:
            for reference in shared:
                ray.get(reference)
            return ANSWER

    made = ray.remote(num_cpus=0, scheduling_strategy="SPREAD")(Echo)
    actors = [made.remote() for _ in range(count)]
    ray.get([actor.answer.remote(b"", []) for actor in actors])
    ways = []
    for _ in range(200):
        began = time.perf_counter()
        ray.get(actors[-1].answer.remote(bytes(200), []))
        ways.append(1000 * (time.perf_counter() - began))
    began = time.process_time()
    waiting = [actors[number % count].answer.remote(bytes(200), []) for number in range(2 * count)]
    for number in range(CALLS):
        done, waiting = ray.wait(waiting, num_returns=1)
        ray.get(done[0])
        waiting.append(actors[number % count].answer.remote(bytes(200), []))
    spent = time.process_time() - began
    ray.get(waiting)
    print(
        f"Ray takes {1e6 * spent / CALLS:.0f} µs of the driver's processor for a message and its answer, and "
        f"{quartiles(ways, 2)} ms there and back; load {os.getloadavg()[0]:.1f}"
    )
    for size in (1, 8, 64):
        shared = ray.put(os.urandom(1_000_000 * size))
        began = time.perf_counter()
        ray.get([actor.answer.remote(b"", [shared]) for actor in actors])
        took = time.perf_counter() - began
        print(
            f"{size} MB from the object store to {count} nodes: {took:.3f} s, {size * count / took:.0f} MB/s",
            flush=True,
        )
    for actor in actors:
        ray.kill(actor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9, help="alternating pairs of measurements")
    parser.add_argument("--only", choices=["generation", "slices", "wire", "messages"], help="measure this alone")
    given = parser.parse_args()
    with single_core_nodes(2) as nodes:
        if given.only in (None, "messages"):
            messages(2)
        if given.only in (None, "wire"):
            wire(nodes)
        if given.only in (None, "generation"):
            speed("a generation", GENERATION, nodes, given.pairs)
        if given.only in (None, "slices"):
            speed("long slices", LONG_SLICES, nodes, given.pairs)


if __name__ == "__main__":
    main()
