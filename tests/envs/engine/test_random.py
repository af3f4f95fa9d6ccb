"""evo.envs.engine.random draws exactly what NumPy's Generator(PCG64(seed)) draws."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from evo.envs.engine import random as ours
from evo.envs.engine.random import streams

DRAWS = 100_000
SEEDS = (0, 1, 42, 2**31 - 1, 2**32, 2**63 - 1, 2**64 + 3, 2**127 + 11)


@njit
def _randoms(rng: Any, out: Any) -> None:
    for index in range(out.size):
        out[index] = ours.random(rng)


@njit
def _uniforms(rng: Any, out: Any) -> None:
    for index in range(out.size):
        out[index] = ours.uniform(rng, -0.1, 0.37)


@njit
def _normals(rng: Any, out: Any) -> None:
    for index in range(out.size):
        out[index] = ours.standard_normal(rng)


@njit
def _mixture(rng: Any, out: Any) -> None:
    for index in range(0, out.size, 2):
        out[index] = ours.standard_normal(rng)
        out[index + 1] = ours.random(rng)


def _drawn(draw: Any, seed: int) -> np.ndarray:
    out = np.empty(DRAWS)
    draw(streams(np.array([seed], object))[0], out)  # objects: seeds may pass 64 bits
    return out


@pytest.mark.parametrize("seed", SEEDS)
def test_every_draw_equals_numpys(seed: int) -> None:
    def numpys() -> np.random.Generator:
        return np.random.Generator(np.random.PCG64(seed))

    assert np.array_equal(_drawn(_randoms, seed), numpys().random(DRAWS))
    assert np.array_equal(_drawn(_uniforms, seed), numpys().uniform(-0.1, 0.37, DRAWS))
    assert np.array_equal(_drawn(_normals, seed), numpys().standard_normal(DRAWS))


def test_kinds_of_draws_share_one_stream() -> None:
    theirs = np.random.Generator(np.random.PCG64(7))
    expected = [draw() for _ in range(500) for draw in (theirs.standard_normal, theirs.random)]
    assert np.array_equal(_drawn(_mixture, 7)[:1000], expected)


def test_the_normals_reach_every_branch_of_the_ziggurat() -> None:
    # beyond the last layer's edge a value comes from the tail, the rarest branch (one draw in 3,700)
    assert sum((np.abs(_drawn(_normals, seed)) > 3.6541528853610088).sum() for seed in SEEDS) > 50


def test_drawing_moves_only_its_own_stream() -> None:
    begun = streams(np.array([3, 4]))
    kept = begun.copy()
    _randoms(begun[0], np.empty(10))
    assert np.array_equal(begun[1], kept[1])
    assert not np.array_equal(begun[0, :2], kept[0, :2])
    assert np.array_equal(begun[0, 2:], kept[0, 2:])


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="non-negative"):
        streams(np.array([-1]))
