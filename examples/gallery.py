"""A picture of every creature of ours at rest, and of every terrain; no GPU, no display.

python examples/gallery.py --out gallery.png
"""

import argparse
from pathlib import Path

import mujoco
from PIL import Image

import evo
from evo.envs import TASKS
from evo.envs.creatures.terrains import TERRAINS
from evo.envs.rendering import renderer as raycast
from evo.envs.task import Task
from evo.visualize.strips import Frame, caption, filmstrip

ANALYTIC = ("evo/CartPole-v0", "evo/Pendulum-v0", "evo/PointMass-v0")
CREATURES = [name for name in TASKS if name.startswith("evo/") and name not in ANALYTIC]


def compiled(name: str, **options: object) -> Task:
    task = evo.task(name, **options)
    assert isinstance(task, Task)
    return task


def at_rest(task: Task, width: int, height: int) -> Frame:
    """The creature after two seconds without a command."""
    data = mujoco.MjData(task.model)
    mujoco.mj_step(task.model, data, round(2.0 / task.model.opt.timestep))
    cameras = raycast.frame_creature(task.model, data.qpos[None], width / height)
    return next(raycast.film(task.model, data.qpos[None], width, height, cameras))


def terrain(kind: str, width: int, height: int) -> Frame:
    """The quadruped before the terrain."""
    model = compiled("quadruped", terrain=kind).model
    camera = raycast.Camera(lookat=(2.6, 0.0, 0.1), distance=4.5, azimuth=115.0, elevation=-14.0)
    return raycast.Renderer(model, width, height).render(model.qpos0, camera)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gallery.png"))
    parser.add_argument("--width", type=int, default=320, help="pixels of each picture")
    given = parser.parse_args()
    width, height = given.width, given.width * 9 // 16
    names = {name: name.removeprefix("evo/").removesuffix("-v0") for name in CREATURES}
    frames = [caption(at_rest(compiled(name), width, height), short) for name, short in names.items()]
    Image.fromarray(filmstrip(frames, 4)).save(given.out)
    grounds = [caption(terrain(kind, width, height), kind) for kind in TERRAINS if kind != "flat"]
    second = given.out.with_stem(f"{given.out.stem}-terrains")
    Image.fromarray(filmstrip(grounds, 3)).save(second)
    print(f"{given.out} and {second}")


if __name__ == "__main__":
    main()
