"""What NEAT costs: its networks beside MuJoCo's own rollout, reproduction beside an evaluation, and memory.

    OMP_NUM_THREADS=1 taskset -c 1 python -m benchmarks.neat_cost

On Walker2d-v5, one thread, processor time. The rollout: a population of 150 after some generations, episodes that do
not end early, beside MuJoCo's open-loop rollout of the same controls from the same states. Reproduction: ask and tell
of 10,000 genomes, the children of that population's fittest, beside the evaluation of the generation that they make.
Memory: the process's after 100 generations of 150 genomes on XOR, and after 1,000, with all that NEAT remembers.
"""

import argparse
import time
from typing import Any

import numpy as np

import evo
from benchmarks.neat_experiments import judge_xor, walking
from evo.algorithms import NEAT
from evo.benchmarks.speed import beside_limit, never_ending
from evo.evaluation.episode import Evaluator
from evo.evaluation.workers import Threads
from evo.genomes.graph import direct_wiring
from evo.genomes.population import row_of

TASK = "Walker2d-v5"
_CROWD = 10_000
_FIRST, _LAST = 100, 1000  # generations between which memory is compared


def evolve(generations: int) -> NEAT:
    """Return a NEAT of 150 genomes after some generations on Walker2d, each individual on one episode."""
    neat, score = NEAT(direct_wiring(17, 6, "tanh").row(), 0, False, 256), walking(TASK)
    for _ in range(generations):
        neat.tell(score(neat.ask())[0])
    return neat


def measure_rollout(neat: NEAT, pairs: int) -> str:
    task = evo.task(TASK, **never_ending(TASK))
    evaluator = Evaluator(task, evo.network("graph", task), Threads(1))
    population = neat.ask()
    found = beside_limit(evaluator, population.part(0, len(population)), task.steps, 1, pairs, task.steps)
    links = len(population.genes.innovations) / len(population)
    return (
        f"{len(population)} networks of {links:.0f} links: {found['env_steps_per_s']:,.0f} env steps a second, "
        f"{found['cpu_ratio']:.3f} of MuJoCo's open-loop rollout (processor time; by the clock {found['ratio']:.3f})"
    )


def measure_reproduction(neat: NEAT, generations: int) -> str:
    best = row_of(neat.ask(), int(np.argmax(walking(TASK)(neat.ask())[0])))
    crowd, score = NEAT(best, 1, False, 256, population_size=_CROWD), walking(TASK)
    crowd.tell(score(crowd.ask())[0])
    breeding, living, steps = 0.0, 0.0, 0
    for _ in range(generations):
        began = time.process_time()
        population = crowd.ask()
        asked = time.process_time()
        fitness, taken = score(population)
        scored = time.process_time()
        crowd.tell(fitness)
        breeding += asked - began + time.process_time() - scored
        living, steps = living + scored - asked, steps + taken
    links = len(crowd.ask().genes.innovations) / _CROWD
    return (
        f"{_CROWD:,} genomes of {links:.0f} links in {len(crowd.numbers):,} species: reproduction "
        f"{breeding / generations:.3f} s, evaluation {living / generations:.1f} s of {steps / generations:,.0f} env "
        f"steps a generation: {breeding / living:.2%}"
    )


def measure_memory() -> str:
    neat, judge = NEAT(direct_wiring(2, 1).row(), 0, False, 256), judge_xor()
    lines: list[str] = []
    for generation in range(1, _LAST + 1):
        neat.tell(judge(neat.ask())[0])
        if generation in (_FIRST, _LAST):
            state: dict[str, Any] = neat.state()
            genes = sum(array.nbytes for name, array in state.items() if name.startswith("parents_"))
            lines.append(
                f"after {generation:,} generations {resident():.1f} MB; genes {genes / 1e6:.2f} MB, "
                f"{len(neat.ancestry.entries.mothers):,} entries of ancestry, {neat.next_innovation:,} "
                "innovation numbers"
            )
    return "\n".join(lines)


def resident() -> float:
    """Return the memory that this process has in use, in megabytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=100, help="of the population of 150")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--crowd-generations", type=int, default=3, help="of the 10,000 genomes")
    given = parser.parse_args()
    print(measure_memory(), flush=True)
    neat = evolve(given.generations)
    print(measure_rollout(neat, given.pairs), flush=True)
    print(measure_reproduction(neat, given.crowd_generations))


if __name__ == "__main__":
    main()
