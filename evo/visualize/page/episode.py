"""Recorded episodes as a page holds them: the poses of the geoms, which of them touch something, and the actions."""

from dataclasses import dataclass, replace
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from evo.envs.adversity.adverse import loss
from evo.envs.rendering.geoms import place, shown_geoms
from evo.envs.rendering.renderer import frame_creature
from evo.envs.task import Task
from evo.problems.control import Trajectory
from evo.visualize.page.activity import Activity
from evo.visualize.page.packing import pack

_ASPECT = 16 / 9
_JOINTS = (int(mujoco.mjtTrn.mjTRN_JOINT), int(mujoco.mjtTrn.mjTRN_JOINTINPARENT))


@dataclass(frozen=True)
class Episode:
    """One recorded episode of T+1 states, of a scene with G moving geoms.

    label, generation: what acts. poses: float32 (T+1, G, 7), position in metres and orientation as a quaternion, equal
    to MuJoCo's kinematics of `Trajectory.qpos`. touching: uint8 (T+1, G), 1 where a geom is in contact. effort: uint8
    (T+1, G), the share, in 255ths, of its range that the action drives the geom's joint with, in the step that leads to
    a state. earned: float32 (T+1,), the return so far. path: float32 (T+1, 3), where the camera looks. camera:
    distance, azimuth, elevation and field of view, metres and degrees. lost: the state from which the geoms `missing`
    are gone. ending: why the episode ended. activity: of its network in its T steps; None where it is not shown.
    """

    label: str
    generation: int
    seed: int
    total: float
    ending: str
    poses: NDArray[np.float32]
    touching: NDArray[np.uint8]
    effort: NDArray[np.uint8]
    earned: NDArray[np.float32]
    path: NDArray[np.float32]
    camera: tuple[float, float, float, float]
    lost: int
    missing: tuple[int, ...]
    activity: Activity | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        arrays = {name: pack(getattr(self, name)) for name in ("poses", "touching", "effort", "earned", "path")}
        total = self.total if np.isfinite(self.total) else None
        about = {"label": self.label, "generation": self.generation, "seed": self.seed, "total": total}
        return {
            **about,
            **arrays,
            "ending": self.ending,
            "camera": [*self.camera],
            "lost": self.lost,
            "missing": [*self.missing],
            "activity": None if self.activity is None else self.activity.to_json(),
        }


def record_episode(
    task: Task, geoms: NDArray[np.int64], trajectory: Trajectory, label: str, generation: int, seconds: float
) -> Episode:
    """Return an episode, `seconds` of it at most. geoms: (G,) numbers of the moving geoms drawn."""
    count = min(len(trajectory), round(seconds / task.control_period)) + 1
    qpos = trajectory.qpos[:count]
    step, injured = loss(task, trajectory.seed)
    whole = min(step, count) if injured is not task.model else count
    poses = np.empty((count, len(geoms), 7), np.float32)
    touching = np.zeros((count, len(geoms)), np.uint8)
    for model, part in ((task.model, range(whole)), (injured, range(whole, count))):
        data = mujoco.MjData(model)
        for state in part:
            place(model, data, qpos[state])
            poses[state] = geom_poses(data, geoms)
            if np.isfinite(qpos[state]).all():
                mujoco.mj_collision(model, data)
                touching[state] = np.isin(geoms, data.contact.geom[data.contact.dist <= 0])
    cameras = frame_creature(task.model, qpos, _ASPECT)
    first = cameras[0]
    gone = shown_geoms(task.model) & ~shown_geoms(injured)
    return Episode(
        label=label,
        generation=generation,
        seed=trajectory.seed,
        total=trajectory.total,
        ending=_ending(trajectory, count),
        poses=poses,
        touching=touching,
        effort=_effort(task, geoms, trajectory.actions[: count - 1]),
        earned=np.concatenate([[0.0], np.cumsum(trajectory.rewards[: count - 1])]).astype(np.float32),
        path=np.array([camera.lookat for camera in cameras], np.float32),
        camera=(first.distance, first.azimuth, first.elevation, first.fovy),
        lost=whole,
        missing=tuple(np.flatnonzero(gone[geoms]).tolist()),
    )


def thin(episode: Episode, stride: int) -> Episode:
    """Return an episode of every `stride`-th state, the first among them; its scene's period is as much longer."""
    arrays = {name: getattr(episode, name)[::stride] for name in ("poses", "touching", "effort", "earned", "path")}
    activity = None if episode.activity is None else episode.activity.thin(stride)
    return replace(episode, **arrays, lost=-(-episode.lost // stride), activity=activity)


def geom_poses(data: mujoco.MjData, geoms: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the poses of geoms in a placed state, float32 (geoms, 7): position, then quaternion."""
    poses = np.empty((len(geoms), 7))
    poses[:, :3] = data.geom_xpos[geoms]
    turn = np.empty(4)
    for row, geom in enumerate(geoms):
        mujoco.mju_mat2Quat(turn, data.geom_xmat[geom])
        poses[row, 3:] = turn
    return poses.astype(np.float32)


def _effort(task: Task, geoms: NDArray[np.int64], actions: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return how strongly actions (T, action_size) drive the joints of geoms, uint8 (T+1, geoms); 0 at the beginning.

    All is 0 for a task whose actions are not its actuators' controls.
    """
    model = task.model
    effort = np.zeros((len(actions) + 1, len(geoms)), np.uint8)
    assert task.action_low is not None and task.action_high is not None
    if task.choices or task.action_size != model.nu or not len(actions):
        return effort
    reach = np.maximum(np.abs(task.action_low), np.abs(task.action_high))
    reach = np.where(np.isfinite(reach) & (reach > 0), reach, np.maximum(np.abs(actions).max(axis=0), 1e-12))
    share = np.nan_to_num(np.clip(np.abs(actions) / reach, 0.0, 1.0) * 255.0).astype(np.uint8)
    for actuator in range(model.nu):
        if int(model.actuator_trntype[actuator]) in _JOINTS:
            body = model.jnt_bodyid[model.actuator_trnid[actuator, 0]]
            driven = np.flatnonzero(model.body_weldid[model.geom_bodyid[geoms]] == model.body_weldid[body])
            effort[1:, driven] = np.maximum(effort[1:, driven], share[:, actuator, None])
    return effort


def _ending(trajectory: Trajectory, count: int) -> str:
    if count <= len(trajectory):
        return "shown in part"
    return trajectory.failure or ("ended by the task" if trajectory.terminated else "ended by its length")
