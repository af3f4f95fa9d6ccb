"""A task of your own in one file: a model and three plain functions, compiled by evo.

`evo run examples.own_task:hopping_ball` evolves it from the command line, run from the folder that holds `examples`.
"""

from typing import Any

import mujoco

import evo
from evo.envs.engine.physics import mj_forward, simulate
from evo.envs.engine.random import uniform
from evo.envs.task import Task, record

MODEL = """
<mujoco>
  <worldbody>
    <geom type="plane" size="0 0 1"/>
    <body name="ball" pos="0 0 .3">
      <joint name="x" type="slide" axis="1 0 0" damping=".2"/>
      <joint name="z" type="slide" axis="0 0 1"/>
      <geom type="sphere" size=".15" density="200" rgba=".9 .45 .25 1"/>
    </body>
  </worldbody>
  <actuator>
    <motor joint="x" ctrlrange="-1 1" gear="6"/>
    <motor joint="z" ctrlrange="0 1" gear="60"/>
  </actuator>
</mujoco>
"""


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    data.qpos[1] = uniform(rng, 0.0, 0.1)
    mj_forward(model, data)


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    obs[0], obs[1], obs[2] = data.qpos[1], data.qvel[0], data.qvel[1]


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    before = data.qpos[0]
    simulate(model, data, action, 5)
    forward = data.qpos[0] - before
    out.reward = forward if data.qpos[1] > task.hurdle else -0.01  # only flight counts
    out.terminated = False


def hopping_ball(*, hurdle: float = 0.1) -> Task:
    """A ball that must leap to travel. Observation (3,): height, velocities. Action (2,): forces along x and z."""
    return Task(
        name="examples.own_task:hopping_ball",
        model=mujoco.MjModel.from_xml_string(MODEL),
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(hurdle=hurdle),
        observation_size=3,
        steps=200,
        frame_skip=5,
        options={"hurdle": hurdle},
    )


if __name__ == "__main__":
    run = evo.run("examples.own_task:hopping_ball", generations=5, settings={"task.hurdle": 0.05}, video=False)
    print(run.champion.reported_fitness)
