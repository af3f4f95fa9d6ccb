"""DeceptiveMaze: find the way to a goal that walls keep from who drives straight at it; nearly free.

Lehman & Stanley 2011, "Abandoning Objectives: Evolution Through the Search for Novelty Alone", section 4. The robot,
its sensors, its steps and the walls of both mazes are those that the authors' public code has, in its units and with
its y axis, which points down. Unlike there, all six rangefinders are seen: that code writes the first radar sensor over
the one that looks back. The episode ends at the goal. The heading is a unit vector that is turned by a short series, so
that no function of the C library decides an episode. The model only shows the state: MuJoCo takes no step.
"""

import math
from typing import Any

import mujoco
import numpy as np

from evo.envs.engine.compile import njit
from evo.envs.engine.physics import mj_forward
from evo.envs.engine.random import uniform
from evo.envs.options import check_positive, split_arguments
from evo.envs.task import Task, record

_RADIUS, _RANGE = 8.0, 100.0  # of the robot, and of its rangefinders
_SPEED, _TURN = 3.0, 3.0  # at most: units a step, and degrees a step
_GOAL = 5.0  # the goal is reached nearer than this
_MOST = 300.0  # b_f, from which the distance is taken off
_METRES = 0.01  # of a unit, in the picture
_DIAGONAL = math.sqrt(0.5)
# Directions of the rangefinders, beside the robot's own: cosine and sine.
_RAYS = np.array([[0, -1], [_DIAGONAL, -_DIAGONAL], [1, 0], [_DIAGONAL, _DIAGONAL], [0, 1], [-1, 0]])
_NAMES = (
    *("wall left", "wall front left", "wall front", "wall front right", "wall right", "wall back"),
    *("goal front", "goal right", "goal back", "goal left"),
)
# Start, goal, and walls from x, y to x, y.
_MEDIUM = (
    (30, 22),
    (270, 100),
    [
        *([5, 5, 295, 5], [295, 5, 295, 135], [295, 135, 5, 135], [5, 135, 5, 5]),
        *([241, 135, 58, 65], [114, 5, 73, 42], [130, 91, 107, 46], [196, 5, 139, 51]),
        *([219, 125, 182, 63], [267, 5, 214, 63], [271, 135, 237, 88]),
    ],
)
_HARD = (
    (36, 184),
    (31, 20),
    [
        *([41, 5, 3, 8], [3, 8, 4, 49], [4, 49, 57, 53], [4, 49, 7, 202], [7, 202, 195, 198], [195, 198, 186, 8]),
        *([186, 8, 39, 5], [56, 54, 56, 157], [57, 106, 158, 162], [77, 201, 108, 164], [6, 80, 33, 121]),
        *([192, 146, 87, 91], [56, 55, 133, 30]),
    ],
)


def _model(start: np.ndarray, goal: np.ndarray, walls: np.ndarray) -> mujoco.MjModel:
    """Return what is drawn: the middle of the maze at the origin, y away from the camera."""
    ends = walls.reshape(-1, 2)
    middle = 0.5 * (ends.min(axis=0) + ends.max(axis=0))

    def place(point: np.ndarray) -> list[float]:
        return [_METRES * (point[0] - middle[0]), -_METRES * (point[1] - middle[1])]

    spec = mujoco.MjSpec()
    spec.option.timestep = 0.025
    kind, slide, hinge = mujoco.mjtGeom, mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    spec.worldbody.add_geom(name="floor", type=kind.mjGEOM_PLANE, size=[0, 0, 1])
    maze = spec.worldbody.add_body(name="maze")  # the heaviest, with a joint that never moves: films show all of it
    maze.add_joint(name="maze", type=hinge, axis=[0, 0, 1])
    for wall in walls:
        way = [*place(wall[:2]), 0.04, *place(wall[2:]), 0.04]
        maze.add_geom(type=kind.mjGEOM_CAPSULE, fromto=way, size=[0.015, 0, 0], rgba=[0.5, 0.53, 0.58, 1], mass=10.0)
    disc, teal = [_METRES * _GOAL, 0.005, 0], [0.16, 0.55, 0.6, 1]
    maze.add_geom(type=kind.mjGEOM_CYLINDER, pos=[*place(goal), 0.005], size=disc, rgba=teal, mass=0.1)
    robot = spec.worldbody.add_body(name="robot", pos=[*place(start), 0.05])
    robot.add_joint(name="x", type=slide, axis=[1, 0, 0])
    robot.add_joint(name="y", type=slide, axis=[0, -1, 0])
    robot.add_joint(name="heading", type=hinge, axis=[0, 0, -1])
    size = [_METRES * _RADIUS, 0.04, 0]
    robot.add_geom(type=kind.mjGEOM_CYLINDER, size=size, rgba=[0.89, 0.45, 0.27, 1], mass=1.0)
    nose = [0.2 * size[0], 0, 0.045, size[0], 0, 0.045]
    robot.add_geom(type=kind.mjGEOM_CAPSULE, fromto=nose, size=[0.012, 0, 0], rgba=[0.13, 0.2, 0.23, 1], mass=0.1)
    return spec.compile()


def reset(model: Any, data: Any, task: Any, rng: Any) -> None:
    scale = task.reset_noise_scale
    right, down = uniform(rng, -scale, scale), uniform(rng, -scale, scale)
    task.x += right
    task.y += down
    data.qpos[1], data.qpos[2] = _METRES * right, _METRES * down
    mj_forward(model, data)


@njit
def _distance(task: Any) -> float:
    """Return how far the robot is from the goal."""
    return math.sqrt((task.goal[0] - task.x) ** 2 + (task.goal[1] - task.y) ** 2)


@njit
def _free(task: Any, along: float, across: float) -> float:
    """Return how far it is to a wall in a direction, a unit vector; the rangefinders' range where there is none."""
    nearest = _RANGE
    for wall in range(task.walls.shape[0]):
        wide, high = task.walls[wall, 2] - task.walls[wall, 0], task.walls[wall, 3] - task.walls[wall, 1]
        right, down = task.walls[wall, 0] - task.x, task.walls[wall, 1] - task.y
        turned = along * high - across * wide
        if turned != 0.0:
            away = (right * high - down * wide) / turned
            share = (right * across - down * along) / turned
            if 0.0 <= away < nearest and 0.0 <= share <= 1.0:
                nearest = away
    return nearest


def observe(model: Any, data: Any, task: Any, obs: Any) -> None:
    cosine, sine = task.cosine, task.sine
    for ray in range(6):
        along, across = cosine * _RAYS[ray, 0] - sine * _RAYS[ray, 1], sine * _RAYS[ray, 0] + cosine * _RAYS[ray, 1]
        obs[ray] = _free(task, along, across) / _RANGE
    wide, high = task.goal[0] - task.x, task.goal[1] - task.y
    ahead, aside = wide * cosine + high * sine, high * cosine - wide * sine
    obs[6:] = 0.0
    if ahead >= abs(aside):
        obs[6] = 1.0
    elif aside >= abs(ahead):
        obs[7] = 1.0
    elif -ahead >= abs(aside):
        obs[8] = 1.0
    else:
        obs[9] = 1.0


@njit
def _blocked(task: Any, x: float, y: float) -> bool:
    """Return whether the robot would be in a wall."""
    for wall in range(task.walls.shape[0]):
        wide, high = task.walls[wall, 2] - task.walls[wall, 0], task.walls[wall, 3] - task.walls[wall, 1]
        right, down = x - task.walls[wall, 0], y - task.walls[wall, 1]
        share = min(max((right * wide + down * high) / (wide * wide + high * high), 0.0), 1.0)
        if (right - share * wide) ** 2 + (down - share * high) ** 2 < _RADIUS**2:
            return True
    return False


def advance(model: Any, data: Any, task: Any, action: Any, out: Any) -> None:
    task.turning = min(max(task.turning + 0.5 * action[0], -_TURN), _TURN)
    task.speed = min(max(task.speed + 0.5 * action[1], -_SPEED), _SPEED)
    x, y = task.x + task.speed * task.cosine, task.y + task.speed * task.sine
    turn = task.turning * math.pi / 180.0
    square = turn * turn
    cosine = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)))
    sine = turn * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
    turned, across = task.cosine * cosine - task.sine * sine, task.sine * cosine + task.cosine * sine
    length = math.sqrt(turned * turned + across * across)
    task.cosine, task.sine = turned / length, across / length
    if not _blocked(task, x, y):
        data.qpos[1] += _METRES * (x - task.x)
        data.qpos[2] += _METRES * (y - task.y)
        task.x, task.y = x, y
    data.qpos[3] += turn
    distance = _distance(task)
    earned = _MOST - distance
    out.reward = earned - task.earned
    task.earned = earned
    out.terminated = distance < _GOAL


def measure(model: Any, data: Any, task: Any, step: int, out: Any) -> None:
    out[0], out[1] = task.x, task.y


def deceptive_maze(*, hard: bool = False, reset_noise_scale: float = 0.1, steps: int = 400, **rendering: Any) -> Task:
    """Drive a robot to a goal behind walls. Observation (10,), action (2,): turn and go, ±1.

    Observed are the distances to walls on the left, to the front left, the front, the front right, the right and the
    back, in shares of 100 units, and whether the goal is before the robot, to its right, behind it or to its left, 1 in
    one of them. The action changes the turn by at most 0.5 ° a step² and the speed by at most 0.5 units a step², which
    are at most 3; a step into a wall is not taken. The return is 300 minus the last distance from the goal, and more
    than 295 where it is reached, which ends the episode. Measures: the last x and y, in units, y pointing down.

    hard: whether the maze is the paper's hard one, in which the way to the goal first leads far away from it.
    reset_noise_scale: largest deviation of the start along x and along y, in units; the paper's is 0. steps: control
    steps at most in an episode. Raises ValueError for a number out of its range.
    """
    options, rendering = split_arguments(locals())
    check_positive(options, "hard", "reset_noise_scale")
    if reset_noise_scale > _RADIUS:  # it would begin in a wall
        raise ValueError(f"reset_noise_scale must be at most {_RADIUS:g}, got {reset_noise_scale}")
    start, goal, walls = (np.array(part, np.float64) for part in (_HARD if hard else _MEDIUM))
    ends = walls.reshape(-1, 2)
    low, high = ends.min(axis=0).tolist(), ends.max(axis=0).tolist()
    state = {"x": start[0], "y": start[1], "cosine": 1.0, "sine": 0.0, "speed": 0.0, "turning": 0.0, "earned": 0.0}
    return Task(
        name="evo/DeceptiveMaze-v0",
        model=_model(start, goal, walls),
        reset=reset,
        observe=observe,
        advance=advance,
        record=record(**options, goal=goal, walls=walls, **state),
        observation_size=len(_NAMES),
        observation_names=_NAMES,
        action_low=-np.ones(2),
        action_high=np.ones(2),
        steps=steps,
        frame_skip=1,
        options=options,
        rendering=rendering,
        measure=measure,
        measures=("x", "y"),
        ranges={"x": (low[0], high[0]), "y": (low[1], high[1])},
        view={"distance": 2.4 if hard else 3.0, "elevation": -75.0, "azimuth": 90.0},
    )
