"""Findings from a champion's episodes."""

import numpy as np

from evo.diagnosis.evidence import Evidence, course_of
from evo.diagnosis.machine import Finding
from evo.numerics.formatting import number

_CONSTANT = 0.01  # of their range: actions that vary by less do not steer; a balanced pole's still vary by 0.3 of it
_PINNED = 0.9  # of the time, over all actions, at the same bound; 0.75 in the most violent gait of the studies
_EARLY = 0.5  # of the steps that an episode may last
_BONUS = 0.9  # of the return; 0.95 and more for hoppers that stand still, 0.89 for the slowest that moves

# Tasks' names of the reward for not having fallen, and of the weight of the reward for going forward.
_ALIVE, _FORWARD = ("healthy_reward", "alive_reward"), "forward_reward_weight"


def nothing_left_to_earn(evidence: Evidence) -> bool:
    """Return whether every step earns the same positive reward, and every episode has the full length."""
    if not evidence.trajectories:
        return False
    rewards = evidence.join("rewards")
    lasting = all(len(one) == evidence.limit for one in evidence.trajectories)
    return lasting and bool(rewards[0] > 0) and bool(np.all(rewards == rewards[0]))


def constant_actions(evidence: Evidence) -> Finding | None:
    """Find a champion whose actions do not depend on its observations, though it could earn more.

    A pole that stands still is held by actions that hardly vary.
    """
    if nothing_left_to_earn(evidence):
        return None
    actions = evidence.join("actions")
    reach = np.where(np.isfinite(evidence.high - evidence.low), evidence.high - evidence.low, np.max(np.abs(actions)))
    if bool(np.any(np.ptp(actions, axis=0) > _CONSTANT * reach)):
        return None
    always = ", ".join(f"{action:.3g}" for action in np.median(actions, axis=0)[:4])
    more = ", …" if actions.shape[1] > 4 else ""
    return Finding(
        "constant actions",
        False,
        f"the champion always does the same ({always}{more}), whatever it observes",
        "standing still may be what pays: look at the reward; else take larger steps, to reach networks that react",
    )


def saturated_actions(evidence: Evidence) -> Finding | None:
    """Find actions that are nearly always at the same bound."""
    if evidence.choices:
        return None
    actions = evidence.join("actions")
    at_low, at_high = np.mean(actions <= evidence.low, axis=0), np.mean(actions >= evidence.high, axis=0)
    pinned = float(np.mean(np.maximum(at_low, at_high)))
    if pinned < _PINNED:
        return None
    return Finding(
        "saturated actions",
        False,
        f"the champion's actions are at one and the same bound {pinned:.0%} of the time: it pushes and cannot steer",
        "take smaller steps, so that parameters stay small, and normalise observations (--set network.normalise=true)",
    )


def early_ends(evidence: Evidence) -> Finding | None:
    """Find episodes that end long before their limit, without improvement."""
    lengths = [len(trajectory) for trajectory in evidence.trajectories]
    ended = [trajectory for trajectory in evidence.trajectories if trajectory.terminated]
    if 2 * len(ended) <= len(lengths) or np.mean(lengths) >= _EARLY * evidence.limit:
        return None
    course = course_of(evidence)
    if course is None or course.gaining:
        return None
    noise = evidence.settings.get("task.reset_noise_scale")
    easier = f"begin calmer (--set training.reset_noise_scale={noise / 2:g})" if noise else "make the beginning easier"
    return Finding(
        "early ends",
        False,
        f"the champion's episodes end after {np.mean(lengths):.0f} of {evidence.limit} steps, and nothing gets better",
        f"{easier}, let it learn for longer (evo resume), or {evidence.more_episodes}",
    )


def alive_bonus(evidence: Evidence) -> Finding | None:
    """Find a champion that is paid for standing, on a task that rewards going forward."""
    bonus = next((name for name in _ALIVE if evidence.settings.get(f"task.{name}")), None)
    if bonus is None or not evidence.settings.get(f"task.{_FORWARD}"):
        return None
    earned = sum(trajectory.total for trajectory in evidence.trajectories)
    paid = evidence.settings[f"task.{bonus}"] * sum(len(trajectory) for trajectory in evidence.trajectories)
    if paid < _BONUS * earned or earned <= 0:
        return None
    paid, earned = paid / len(evidence.trajectories), earned / len(evidence.trajectories)
    return Finding(
        "alive bonus",
        False,
        f"{number(paid)} of the champion's return of {number(earned)} are for being alive: it hardly goes",
        f"leave the bonus out while training (--set training.{bonus}=0); it counts in the score all the same",
    )


BEHAVIOUR = (constant_actions, saturated_actions, early_ends, alive_bonus)
