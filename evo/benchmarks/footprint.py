"""Memory and time of a generation of large networks outside evaluation, beside the memory's bandwidth."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from evo.algorithms import Algorithm
from evo.algorithms.genetic.deep_ga import DeepGA
from evo.algorithms.strategies.openai_es import OpenAIES
from evo.envs.engine.random import streams
from evo.evaluation.processes import Processes
from evo.genomes.noise import draw
from evo.numerics.randomness import generator

METHODS = ("openai-es", "deep-ga")
_COPIED = 1 << 24  # numbers, 128 MiB: more than caches hold


def footprint(method: str, parameters: int, individuals: int) -> dict[str, Any]:
    """Measure a generation of openai-es or deep-ga with their defaults: ask, write every row as float32, tell.

    peak_mb (10⁶ bytes): peak memory, in a separate process, less that of one parameter; stored_mb: size of OpenAI-ES's
    noise, or of the Deep GA's individuals. seconds: wall-clock; cpu_s: processor time; drawing_s: as much of it as
    drawing the noise takes.
    moved_gb: the least traffic to and from memory, if noise never left the processor: for each row 12 bytes a
    parameter, for its centre or parent in float64 and itself; for each pair in OpenAI-ES's sum, and each new parent of
    the Deep GA, 16. limit_s: how long that takes at copy_gb_per_s, the speed of a plain copy of 128 MiB, counting both
    the bytes read and those written.
    """
    tiny = _make(method, 1, individuals)
    if isinstance(tiny, DeepGA):
        stored, updates, drawn = individuals, tiny.truncation, individuals - tiny.elites + tiny.truncation
    else:  # each pair's noise is drawn for its rows, and once more for the sum
        stored, updates, drawn = individuals // 2, individuals // 2, individuals
    moved = parameters * (12 * individuals + 16 * updates)
    process = Processes(1)  # a separate process, because the peak memory of a process never decreases
    try:
        [(wall, cpu, peak)] = process.map(_measure, [(method, parameters, individuals)])
    finally:
        process.stop()
    copied, drawing = _speeds()
    return {
        "method": method,
        "parameters": parameters,
        "individuals": individuals,
        "peak_mb": peak / 1e6,
        "stored_mb": 8 * parameters * stored / 1e6,
        "seconds": wall,
        "cpu_s": cpu,
        "drawing_s": parameters * drawn * drawing,
        "moved_gb": moved / 1e9,
        "copy_gb_per_s": copied / 1e9,
        "limit_s": moved / copied,
    }


def _make(method: str, parameters: int, individuals: int) -> Algorithm:
    initial = np.zeros(parameters)
    return (
        DeepGA(initial, 0, population_size=individuals)
        if method == "deep-ga"
        else OpenAIES(initial, 0, pairs=individuals // 2)
    )


def _measure(what: tuple[str, int, int]) -> tuple[float, float, int]:
    """Return wall-clock and processor seconds of the last generation, and the peak memory in bytes of all of them."""
    method, parameters, individuals = what
    _generation(_make(method, 1, individuals))
    before, algorithm = _peak(), _make(method, parameters, individuals)
    for _ in range(3):  # the Deep GA has parents from the second generation on, and children of parents from the third
        wall, cpu = time.perf_counter(), time.process_time()
        _generation(algorithm)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall, cpu, _peak() - before


def _generation(algorithm: Algorithm) -> None:
    population = algorithm.ask()
    row = np.empty(population.size, np.float32)
    for individual in range(len(population)):
        population.row(individual, row)
    algorithm.tell(generator(0, "fitness", algorithm.generation).standard_normal(len(population)))


def _peak() -> int:
    """Return this process's peak memory in bytes; `getrusage` would include that of its parent process."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def _speeds() -> tuple[float, float]:
    """Return bytes a second of copying, and seconds of drawing a normal number: the best of five, in processor time."""
    source, target = np.ones(_COPIED), np.ones(_COPIED)
    stream, noise = streams(np.array([0]))[0], np.empty(1_000_000)
    draw(stream, noise)  # compiles it
    copying, drawing = [], []
    for _ in range(5):
        began = time.process_time()
        np.copyto(target, source)
        copied = time.process_time()
        draw(stream, noise)
        copying.append(copied - began)
        drawing.append(time.process_time() - copied)
    return 2 * source.nbytes / min(copying), min(drawing) / noise.size
