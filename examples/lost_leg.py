"""A quadruped loses a hind leg while it walks: networks that learn or remember while they live, and one that does not.

A film of them, and their speeds before the loss, just after it, and at the end. Training makes walkers:
`python examples/lost_leg.py --steps 960000 --seeds 100 101 102 --out lost-leg`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import evo
from envs.adversity import loss
from envs.task import Task
from evo.champion import Champion
from evo.film.pictures import cameras_of, pictures
from evo.film.replay import frame_rate, frame_stride, write_film
from evo.film.strip import Frame, caption, filmstrip
from evo.finished import Run
from evo.randomness import report_seeds

NETWORKS = ("hebbian:16", "mlp:16", "lstm:16")
EPISODES = 20
SETTINGS = {
    "task.removed": "hind_left_thigh|hind_right_thigh",  # one of them
    "task.struck_at": (3.0, 6.0),  # seconds
    "training.struck_at": (1.0, 5.0),
    "training.alive_reward": 0.0,  # else some learn to stand
    "network.normalise": False,
}


def lived(champion: Champion, seed: int) -> tuple[float, float, float, bool]:
    """Metres a second in the 3 s before the loss, the 2 s after it, and the last 3 s, and whether it fell: who has
    fallen makes no way."""
    task, trajectory = champion.walking.task, champion.rollout(seed)
    assert isinstance(task, Task)
    lost, second = loss(task, seed)[0], round(1 / task.control_period)
    way = np.append(trajectory.qpos[:, 0], np.full(task.steps - len(trajectory), trajectory.qpos[-1, 0]))
    spans = ((lost - 3 * second, lost), (lost, lost + 2 * second), (task.steps - 3 * second, task.steps))
    before, after, end = ((way[last] - way[first]) * second / (last - first) for first, last in spans)
    return before, after, end, len(trajectory) < task.steps


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="env steps to train each for")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("lost-leg"), help="folder of the runs, the table and the film")
    given = parser.parse_args()
    lines, champions = ["network,seed,before,just_after,at_the_end,fallen,return"], []
    for network in NETWORKS:
        runs: list[Run] = []
        for seed in given.seeds:
            out = given.out / f"{network.split(':')[0]}-seed{seed}"
            runs.append(
                evo.run(
                    "quadruped", network=network, seed=seed, steps=given.steps, settings=SETTINGS, out=out, video=False
                )
            )
            each = np.array([lived(runs[-1].champion, int(episode)) for episode in report_seeds(EPISODES)])
            before, after, end, fallen = each.mean(axis=0)
            earned = runs[-1].champion.reported_fitness.mean
            lines.append(f"{network},{seed},{before:.3f},{after:.3f},{end:.3f},{fallen:.2f},{earned:.1f}")
            print(
                f"{network:10} seed {seed}: {before:.2f} m/s, just after the loss {after:.2f}, at the end {end:.2f};"
                f" {fallen:.0%} have fallen"
            )
        champions.append(sorted(runs, key=lambda run: run.champion.score)[len(runs) // 2].champion)
    (given.out / "table.csv").write_text("\n".join(lines) + "\n")
    task, stride = champions[0].walking.task, frame_stride(champions[0].walking.task)
    film = given.out / "lost-leg.webp"
    write_film(side_by_side(champions, int(report_seeds(1)[0]), 160, 120), film, frame_rate(task, stride))
    print(film)


if __name__ == "__main__":
    main()
