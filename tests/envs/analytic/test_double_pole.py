"""Two poles on a cart: against a plain twin, energy, Gruau's fitness, and what its options mean."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

import evo
from evo.envs.gymnasium_bridge.task_env import TaskEnv

Floats = np.ndarray[Any, np.dtype[np.float64]]
UNITS = np.array([4.8, 2.0, 0.52, 2.0, 0.52, 2.0])
HALF, MASS = np.array([0.5, 0.05]), np.array([0.1, 0.01])
START = np.array([0.0, 0.0, math.pi / 40, 0.0, 0.0, 0.0])


def rates(state: Floats, force: float, rubbing: float = 0.0005, hinges: float = 0.000002) -> Floats:
    """The derivative of (x, x', θ1, θ1', θ2, θ2'): Wieland's equations as Gomez & Miikkulainen (1999) write them."""
    velocity, angles, spins, g = state[1], state[[2, 4]], state[[3, 5]], -9.8
    rub = hinges * spins / (MASS * HALF)
    effective_force = MASS * HALF * spins**2 * np.sin(angles) + 3 / 4 * MASS * np.cos(angles) * (
        rub + g * np.sin(angles)
    )
    effective_mass = MASS * (1 - 3 / 4 * np.cos(angles) ** 2)
    pushing = (force - rubbing * np.sign(velocity) + effective_force.sum()) / (1.0 + effective_mass.sum())
    turning = -3 / (4 * HALF) * (pushing * np.cos(angles) + g * np.sin(angles) + rub)
    return np.array([velocity, pushing, spins[0], turning[0], spins[1], turning[1]])


def after_an_action(state: Floats, force: float, **friction: float) -> Floats:
    for _ in range(2):
        h = 0.01
        k1 = rates(state, force, **friction)
        k2 = rates(state + h / 2 * k1, force, **friction)
        k3 = rates(state + h / 2 * k2, force, **friction)
        k4 = rates(state + h * k3, force, **friction)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


def balancing_gains() -> Floats:
    """Gains (6,) of the discrete linear-quadratic regulator of the twin, linearised where it stands upright."""
    step, still = 1e-6, {"rubbing": 0.0}
    at = np.zeros(6)
    moved = [
        after_an_action(at + step * one, 0.0, **still) - after_an_action(at - step * one, 0.0, **still)
        for one in np.eye(6)
    ]
    dynamics = np.array(moved).T / (2 * step)
    pushed = (after_an_action(at, step, **still) - after_an_action(at, -step, **still)).reshape(6, 1) / (2 * step)
    costs, effort = np.eye(6), np.eye(1)
    value = solve_discrete_are(dynamics, pushed, costs, effort)
    gains = np.linalg.solve(effort + pushed.T @ value @ pushed, pushed.T @ value @ dynamics)
    return np.asarray(gains[0])


GAINS = balancing_gains()


def balancing(state: Floats, noise: float) -> float:
    """The share of the force that balances, and some noise."""
    return float(np.clip(-GAINS @ state / 10.0 + noise, -1.0, 1.0))


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_poles_follow_wielands_equations_over_whole_episodes(noise: float) -> None:
    # each is balanced by what is seen of itself: pushed alike, two of an unstable system drift apart by their roundings
    env, draws = TaskEnv(evo.task("double-pole", reset_noise_scale=0.0)), np.random.default_rng(0)
    state, observation = START, env.reset(seed=0)[0]
    for step in range(1, 1001):
        np.testing.assert_allclose(observation, state / UNITS, rtol=0, atol=1e-10)
        push = noise * draws.standard_normal()
        state = after_an_action(state, 10.0 * balancing(state, push))
        observation, reward, terminated, over, _ = env.step(np.array([balancing(observation * UNITS, push)]))
        assert (reward, terminated, over) == (1.0, False, step == 1000)


@pytest.mark.parametrize("seed", range(5))
def test_random_pushes_end_it_where_the_twin_leaves_its_bounds(seed: int) -> None:
    env, draws, state = TaskEnv(evo.task("double-pole", reset_noise_scale=0.0)), np.random.default_rng(seed), START
    env.reset(seed=seed)
    terminated = False
    while not terminated:
        choice = draws.uniform(-1, 1)
        state = after_an_action(state, 10.0 * choice)
        observation, _, terminated, _, _ = env.step(np.array([choice]))
        np.testing.assert_allclose(observation, state / UNITS, rtol=1e-9, atol=1e-12)
        assert terminated == (abs(state[0]) > 2.4 or max(abs(state[2]), abs(state[4])) > math.radians(36))


def energy(state: Floats) -> float:
    """Of the cart and two uniform rods, in J: their own turning, and the motion and height of their centres."""
    velocity, angles, spins = state[1], state[[2, 4]], state[[3, 5]]
    along, up = velocity + HALF * spins * np.cos(angles), -HALF * spins * np.sin(angles)
    moving = 0.5 * velocity**2 + np.sum(0.5 * MASS * (along**2 + up**2) + 0.5 * MASS * HALF**2 / 3 * spins**2)
    return float(moving + np.sum(MASS * 9.8 * HALF * np.cos(angles)))


def test_without_friction_and_force_the_energy_stays() -> None:
    free: dict[str, Any] = {"cart_friction": 0.0, "pole_friction": 0.0, "fall_angle": 1e6, "track": 1e6}
    lost = {}
    for timestep in (0.01, 0.005):
        env = TaskEnv(evo.task("double-pole", **free, timestep=timestep, start_angle=0.5))
        observation = env.reset(seed=0)[0]
        begin, changed = energy(observation * UNITS), 0.0
        for _ in range(round(2.0 / (2 * timestep))):
            observation = env.step(np.zeros(1))[0]
            changed = max(changed, abs(energy(observation * UNITS) - begin))
        lost[timestep] = changed
    assert lost[0.01] < 1e-3 * begin
    assert lost[0.005] < lost[0.01] / 8  # the order of the method is four


def test_friction_takes_energy() -> None:
    env = TaskEnv(evo.task("double-pole", pole_friction=0.0002, cart_friction=0.5, fall_angle=1e6, track=1e6))
    begin = energy(env.reset(seed=0)[0] * UNITS)
    for _ in range(100):
        observation = env.step(np.zeros(1))[0]
    assert energy(observation * UNITS) < begin - 0.01


def test_without_velocities_positions_are_what_is_seen() -> None:
    seeing, blind = TaskEnv(evo.task("double-pole")), TaskEnv(evo.task("double-pole", velocities=False))
    one, other = seeing.reset(seed=0)[0], blind.reset(seed=0)[0]
    for push in np.random.default_rng(1).uniform(-1, 1, 15):
        np.testing.assert_array_equal(one[[0, 2, 4]], other)
        one, other = seeing.step(np.array([push]))[0], blind.step(np.array([push]))[0]


def test_a_choice_is_a_push_with_all_the_force() -> None:
    choosing, pushing = TaskEnv(evo.task("double-pole", discrete=True)), TaskEnv(evo.task("double-pole"))
    choosing.reset(seed=0), pushing.reset(seed=0)
    for choice in (0, 1, 1, 0, 1):
        one, other = choosing.step(choice), pushing.step(np.array([2.0 * choice - 1.0]))
        np.testing.assert_array_equal(one[0], other[0])


@pytest.mark.parametrize(("noise", "most"), [(0.0, 1000), (0.05, 1000), (0.0, 99), (0.0, 100), (2.0, 1000)])
def test_the_return_is_gruaus_fitness(noise: float, most: int) -> None:
    env, draws = TaskEnv(evo.task("double-pole", gruau=True, steps=most)), np.random.default_rng(3)
    state, total, over = env.reset(seed=0)[0] * UNITS, 0.0, False
    motion, balanced = [], 0
    while not over:
        share = balancing(state, noise * draws.standard_normal())
        observation, reward, terminated, truncated, _ = env.step(np.array([share]))
        state, total, over = observation * UNITS, total + float(reward), terminated or truncated
        motion.append(np.abs(state[:4]).sum())
        balanced += not terminated
    damped = 0.75 / sum(motion[-100:]) if balanced >= 100 else 0.0
    assert total == pytest.approx(0.1 * balanced / 1000 + 0.9 * damped, rel=1e-9)
    assert (balanced < most) == (noise == 2.0)


def test_a_cart_at_rest_has_a_finite_fitness() -> None:
    task = evo.task("double-pole", gruau=True, start_angle=0.0, reset_noise_scale=0.0)
    assert np.isfinite(evo.evaluate(task, evo.network("linear", task), np.zeros(6))).all()


def test_noise_spreads_the_start() -> None:
    env = TaskEnv(evo.task("double-pole", reset_noise_scale=0.03))
    starts = np.array([env.reset(seed=seed)[0] * UNITS for seed in range(200)]) - START
    assert np.abs(starts).max() <= 0.03
    assert (np.abs(starts.mean(axis=0)) < 0.005).all()
    assert (starts.std(axis=0) > 0.015).all()  # 0.0173 of a uniform distribution


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timestep": 0.0}, "timestep must be a positive number"),
        ({"short_mass": -0.1}, "short_mass must be a positive number"),
        ({"start_angle": math.inf}, "start_angle"),
        ({"half_length": 1e9}, "half_length must be a number from 0.001 to 1000"),
        ({"short_half_length": 1e-9}, "short_half_length must be a number from 0.001 to 1000"),
        ({"steps": -1}, "steps"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(evo.EvoError, match=message):
        evo.task("double-pole", **options)
