"""The posterior of a Gaussian process equals the textbook's formula, and scikit-learn's, however it was told."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from evo.numerics.gaussian_process import GaussianProcess, matern_5_2


def covariance(one: np.ndarray, other: np.ndarray, rho: float) -> float:
    d = math.dist(one, other)
    return (1 + math.sqrt(5) * d / rho + 5 * d**2 / (3 * rho**2)) * math.exp(-math.sqrt(5) * d / rho)


def plain(
    points: np.ndarray, prior: np.ndarray, told: list[int], values: np.ndarray, rho: float, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Rasmussen & Williams 2006, equations 2.25 and 2.26, with the prior mean of 2.38."""
    K = np.array([[covariance(points[i], points[j], rho) for j in told] for i in told]) + noise * np.eye(len(told))
    k = np.array([[covariance(points[i], point, rho) for point in points] for i in told])
    mean = prior + k.T @ np.linalg.solve(K, values - prior[told])
    return mean, 1 - np.einsum("ij,ij->j", k, np.linalg.solve(K, k))


@given(
    seed=st.integers(0, 2**32),
    told=st.lists(st.integers(0, 11), min_size=1, max_size=15),  # some points more than once
    dimensions=st.integers(1, 6),
    noise=st.sampled_from([1e-3, 0.1, 2.0]),
)
def test_it_equals_the_formula(seed: int, told: list[int], dimensions: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    points, prior = random.random((12, dimensions)), random.standard_normal(12)
    values, process = random.standard_normal(len(told)), GaussianProcess(points, prior, 0.4, noise)
    for point, value in zip(told, values, strict=True):
        process.observe(point, value)
    mean, variance = plain(points, prior, told, values, 0.4, noise)
    np.testing.assert_allclose(process.mean, mean, atol=1e-9)
    np.testing.assert_allclose(process.variance, variance, atol=1e-9)


def test_it_equals_scikit_learn() -> None:
    random = np.random.default_rng(1)
    points, prior = random.random((200, 4)), random.random(200)
    told, values = random.integers(200, size=20), random.random(20)
    process = GaussianProcess(points, prior, 0.4, 0.001)
    for point, value in zip(told, values, strict=True):
        process.observe(int(point), value)
    theirs = GaussianProcessRegressor(Matern(0.4, nu=2.5), alpha=0.001, optimizer=None)
    theirs.fit(points[told], values - prior[told])
    mean, deviation = theirs.predict(points, return_std=True)
    np.testing.assert_allclose(process.mean, prior + mean, atol=1e-9)
    np.testing.assert_allclose(np.sqrt(process.variance), deviation, atol=1e-7)


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.4, 3.0])
def test_the_covariance_is_materns(distance: float) -> None:
    theirs = Matern(0.4, nu=2.5)(np.zeros((1, 1)), np.array([[distance]]))[0, 0]
    np.testing.assert_allclose(matern_5_2(np.array(distance), 0.4), theirs, rtol=1e-12)
