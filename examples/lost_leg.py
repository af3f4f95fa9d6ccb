"""A quadruped loses a hind leg while it walks: networks that learn or remember while they live, and one that does not.

A film of them, how many fall, how fast those that do not go before the loss, just after it and later, how far all of
them come after it, and what becomes of the one that learns when its weights no longer change from the loss on. Training
makes walkers: `python -m examples.lost_leg --steps 6000000 --seeds 100 101 102 --out lost-leg`; runs that are there
already stay.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evo.envs.adversity.adverse import loss
from evo.envs.gymnasium_bridge.task_env import TaskEnv
from evo.envs.task import Task
from evo.numerics.formatting import csv_text
from evo.numerics.randomness import report_seeds
from evo.runs.champion import Champion
from evo.runs.replay import frame_rate, frame_stride, write_film
from evo.visualize.frames import cameras_of, pictures
from evo.visualize.strips import Frame, caption, filmstrip
from examples.universality import run_or_load

HEBBIAN, UNITS = "hebbian:16", 16
NETWORKS = (HEBBIAN, "mlp:16", "lstm:16")
EPISODES = 60
SPANS = {"before": (-2.0, 0.0), "just_after": (0.5, 1.5), "later": (2.5, 4.0)}  # seconds from the loss on
AFTER = 4.0  # seconds
SETTINGS = {
    "task.removed": "hind_left_thigh|hind_right_thigh",  # one of them
    "task.struck_at": (3.0, 6.0),  # seconds
    "training.struck_at": (1.0, 5.0),
    "training.alive_reward": 0.0,  # else some learn to stand
    "network.normalise": False,
}


class Life(NamedTuple):
    """An episode. fell: whether it fell. onward: metres from the loss to AFTER seconds later, or to where it fell.
    speeds: metres a second in SPANS of one that did not fall."""

    fell: bool
    onward: float
    speeds: list[float]


def lived(champion: Champion, seed: int, frozen: bool) -> Life:
    """An episode of a champion. frozen: from the loss on, Hebbian weights stay as they are."""
    task = champion.walking.task
    assert isinstance(task, Task)
    env, policy, lost = TaskEnv(task), champion.policy(), loss(task, seed)[0]
    weights = task.observation_size * UNITS  # of the first layer; its biases come next, and then how fast each learns
    observation, _ = env.reset(seed=seed)
    way = [env.data.qpos[0]]
    while len(way) <= task.steps:
        if frozen and len(way) == lost + 1:
            policy.parameters[weights + UNITS : 2 * weights + UNITS] = 0
        observation, _, fell, _, _ = env.step(policy(observation))
        way.append(env.data.qpos[0])
        if fell:
            break
    spans = [[lost + round(second / task.control_period) for second in span] for span in SPANS.values()]
    after = min(lost + round(AFTER / task.control_period), len(way) - 1)
    onward = way[after] - way[min(lost, after)]
    if fell:
        return Life(fell, onward, [])
    return Life(fell, onward, [(way[b] - way[a]) / (task.control_period * (b - a)) for a, b in spans])


def side_by_side(champions: list[Champion], seed: int, width: int, height: int) -> Iterator[Frame]:
    """The same episode of each, from a second before the loss on; one that is over stands still."""
    task, films = champions[0].walking.task, []
    assert isinstance(task, Task)
    lost, second = loss(task, seed)[0], round(1 / task.control_period)
    shown = np.arange(lost - second, lost + 4 * second, frame_stride(task))
    for champion in champions:
        trajectory = champion.rollout(seed)
        seen = np.minimum(shown, len(trajectory))
        cameras = cameras_of(task, trajectory, seen, width / height)
        films.append(pictures(task, trajectory, seen, width, height, cameras))
    for step, *frames in zip(shown, *films, strict=True):
        time = f"{step * task.control_period:.1f} s"
        named = zip(champions, frames, strict=True)
        yield filmstrip([caption(frame, f"{champion.network_text}   {time}") for champion, frame in named], len(films))


def table_line(network: str, frozen: bool, seed: int, champion: Champion) -> list[str]:
    """Of EPISODES held-out episodes: speeds of those that walk on to the end, how many these are, the share that has
    fallen, and how far all of them come after the loss."""
    lives = [lived(champion, int(episode), frozen) for episode in report_seeds(EPISODES)]
    walked_on = [life.speeds for life in lives if not life.fell]
    speeds = [f"{speed:.3f}" for speed in np.mean(walked_on, axis=0)] if walked_on else ["", "", ""]
    counts = [f"{1 - len(walked_on) / len(lives):.2f}", str(len(walked_on))]
    onward = f"{np.mean([life.onward for life in lives]):.2f}"
    return [network + ", frozen" * frozen, str(seed), *speeds, *counts, onward]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="env steps to train each for")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("lost-leg"), help="folder of the runs, the table and the film")
    given = parser.parse_args()
    lines, champions = [["network", "seed", *SPANS, "fallen", "survivors", "onward"]], []
    for network in NETWORKS:
        found: list[Champion] = []
        for seed in given.seeds:
            path = given.out / f"{network.split(':')[0]}-seed{seed}"
            run = run_or_load(path, "quadruped", network=network, seed=seed, steps=given.steps, settings=SETTINGS)
            found.append(run.champion)
            for frozen in (False, True) if network == HEBBIAN else (False,):
                lines.append(table_line(network, frozen, seed, found[-1]))
                print("  ".join(f"{name} {value}" for name, value in zip(lines[0], lines[-1], strict=True)))
        champions.append(sorted(found, key=lambda champion: champion.score)[len(found) // 2])
    (given.out / "table.csv").write_text(csv_text(lines[0], lines[1:]))
    task = champions[0].walking.task
    film = given.out / "lost-leg.webp"
    episodes = [int(episode) for episode in report_seeds(EPISODES)]
    # the first in which what learns does not fall
    shown = next((one for one in episodes if not lived(champions[0], one, frozen=False).fell), episodes[0])
    write_film(side_by_side(champions, shown, 160, 120), film, frame_rate(task, frame_stride(task)))
    print(film)


if __name__ == "__main__":
    main()
