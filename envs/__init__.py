"""Tasks, the engine that runs them, and a renderer. Imports nothing else of evo.

`TASKS` names them all: name → "package.module:constructor", imported on demand. A task of your own is named the same
way. Importing this package registers each as a Gymnasium environment, `evo/…`.
"""

from evo.envs.gymnasium_bridge.registration import register

TASKS: dict[str, str] = {
    "Ant-v5": "evo.envs.mujoco_v5.ant:ant",
    "HalfCheetah-v5": "evo.envs.mujoco_v5.half_cheetah:half_cheetah",
    "Hopper-v5": "evo.envs.mujoco_v5.hopper:hopper",
    "Humanoid-v5": "evo.envs.mujoco_v5.humanoid:humanoid",
    "HumanoidStandup-v5": "evo.envs.mujoco_v5.humanoid_standup:humanoid_standup",
    "InvertedDoublePendulum-v5": "evo.envs.mujoco_v5.inverted_double_pendulum:inverted_double_pendulum",
    "InvertedPendulum-v5": "evo.envs.mujoco_v5.inverted_pendulum:inverted_pendulum",
    "Pusher-v5": "evo.envs.mujoco_v5.pusher:pusher",
    "Reacher-v5": "evo.envs.mujoco_v5.reacher:reacher",
    "Walker2d-v5": "evo.envs.mujoco_v5.walker2d:walker2d",
    "Swimmer-v5": "evo.envs.mujoco_v5.swimmer:swimmer",
    "evo/Biped-v0": "evo.envs.creatures.biped:biped",
    "evo/Centipede-v0": "evo.envs.creatures.centipede:centipede",
    "evo/Hexapod-v0": "evo.envs.creatures.hexapod:hexapod",
    "evo/Inchworm-v0": "evo.envs.creatures.inchworm:inchworm",
    "evo/Quadruped-v0": "evo.envs.creatures.quadruped:quadruped",
    "evo/Snake-v0": "evo.envs.creatures.snake:snake",
    "evo/Spider-v0": "evo.envs.creatures.spider:spider",
    "evo/Tripod-v0": "evo.envs.creatures.tripod:tripod",
    "evo/Boxes-v0": "evo.envs.analytic.boxes:boxes",
    "evo/CartPole-v0": "evo.envs.analytic.cartpole:cartpole",
    "evo/DeceptiveMaze-v0": "evo.envs.analytic.deceptive_maze:deceptive_maze",
    "evo/DoublePole-v0": "evo.envs.analytic.double_pole:double_pole",
    "evo/Pendulum-v0": "evo.envs.analytic.pendulum:pendulum",
    "evo/PointMass-v0": "evo.envs.analytic.point_mass:point_mass",
}

register(TASKS)
