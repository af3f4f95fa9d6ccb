"""Time of an epoch of backprop, beside torch with the same network, minibatches and threads."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from evo.datasets import Dataset, Split
from evo.evaluation.workers import Threads
from evo.export.torch_networks import LEARNING, to_torch, torch_module, translate
from evo.learners.backprop import Backprop
from evo.networks import Shape, network_from_text
from evo.numerics.randomness import generator
from evo.problems.supervised import Supervised

THREADS, _BATCH, _CLASSES = 2, 64, 10
_TOLERANCE = 1e-4
# Networks, and how they take pictures of 28 × 28: at once, or row by row.
NETWORKS: dict[str, tuple[int, Shape]] = {
    "mlp:128:relu": (1, (28, 28, 1)),
    "conv:8x3>pool:2>conv:16x3>pool:2>dense:10": (1, (28, 28, 1)),
    "lstm:64": (28, (28,)),
}


def _pictures(steps: int, shape: Shape, count: int) -> Dataset:
    """Return noise in the shape of handwritten digits, which takes as long to learn from."""
    draws = generator(0, "bench training")

    def split(examples: int) -> Split:
        inputs = draws.random((examples, steps, int(np.prod(shape))), np.float32)
        return Split(inputs, draws.integers(0, _CLASSES, (examples, 1, 1)).astype(np.float32))

    labels = tuple(map(str, range(_CLASSES)))
    return Dataset("noise", {}, split(count), split(_CLASSES), split(_CLASSES), shape, labels)


def training_speed(text: str, pairs: int, examples: int = 4096) -> dict[str, Any]:
    """Measure seconds of an epoch, ours and torch's: forward, backward and Adam's step, in minibatches of 64.

    times_torch: torch's time over ours. Medians over `pairs` rounds, in which each is measured, in alternating order;
    both may use two threads. cpu_s, torch_cpu_s: processor time, all threads together, which other work on the machine
    disturbs less. None where torch is not installed. Raises RuntimeError where torch's network gives other outputs.
    """
    steps, shape = NETWORKS[text]
    data = _pictures(steps, shape, examples)
    problem = Supervised(data, network_from_text(text, shape, _CLASSES), Threads(THREADS), _BATCH)
    learner = Backprop(problem, 0)
    learner.prepare()
    works: dict[str, Callable[[], Any]] = {"ours": learner.step}
    if (torch := torch_module()) is not None:
        works["torch"] = _torch_epoch(torch, problem, learner.parameters)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for work in works.values():
        work()
    for pair in range(pairs):
        for name in list(works)[:: 1 if pair % 2 else -1]:
            wall, cpu = time.perf_counter(), time.process_time()
            works[name]()
            found[name].append((time.perf_counter() - wall, time.process_time() - cpu))

    def median(name: str, of: int) -> float | None:
        return statistics.median(pair[of] for pair in found[name]) if name in found else None

    ratios = [b[0] / a[0] for a, b in zip(found["ours"], found.get("torch", ()), strict=False)]
    return {
        "network": text,
        "epoch_s": median("ours", 0),
        "torch_epoch_s": median("torch", 0),
        "times_torch": statistics.median(ratios) if ratios else None,
        "cpu_s": median("ours", 1),
        "torch_cpu_s": median("torch", 1),
        "examples": examples,
        "batch": _BATCH,
        "threads": THREADS,
        # threads that wait for each other suffer most from other work: a load far above `threads` spoils the
        # measurement
        "load": os.getloadavg()[0],
        "pairs": pairs,
    }


def _torch_epoch(torch: Any, problem: Supervised, params: np.ndarray) -> Callable[[], None]:
    """Return a function that runs one epoch in torch, on tensors, with the fastest of its Adam implementations."""
    split, network = problem.dataset.train, problem.network
    made = translate(torch, network.layers, network.shapes, params, LEARNING)
    assert made is not None
    model = torch.nn.Sequential(*made)
    whole = split.inputs if problem.dataset.steps > 1 else split.inputs[:, 0]
    inputs = to_torch(torch, whole, problem.dataset.shape)
    targets = torch.tensor(split.targets[:, 0, 0].astype(np.int64))
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    ours = problem.answers(params, split).outputs
    assert ours is not None
    with torch.no_grad():
        theirs = model(inputs).numpy()
    if not np.allclose(theirs, ours.reshape(theirs.shape), _TOLERANCE, _TOLERANCE):
        raise RuntimeError(f"{network.text}: torch computes something else")

    def epoch() -> None:
        threads = torch.get_num_threads()
        torch.set_num_threads(THREADS)
        try:
            for rows in torch.randperm(len(targets)).split(_BATCH):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(inputs[rows]), targets[rows]).backward()
                optimizer.step()
        finally:
            torch.set_num_threads(threads)

    return epoch
