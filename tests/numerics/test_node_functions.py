"""Functions of nodes, against Python's own in float64."""

from typing import Any

import numpy as np
import pytest

from evo.envs.engine.compile import njit
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS, activate_node, aggregate_links
from tests.support.graphs import activation


@njit
def _activate_all(values: Any, place: int, found: Any) -> None:
    for index in range(values.size):
        found[index] = activate_node(values[index], place)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_that_of_its_name(name: str) -> None:
    near, far = np.linspace(-10, 10, 20_001), np.geomspace(1e-30, 1e6, 500)
    values = np.concatenate([near, far, -far]).astype(np.float32)
    least = -140.0 if "sigmoid" in name else -np.inf  # below it Python's exponential overflows
    expected = np.array([activation(name, max(float(value), least)) for value in values])
    found, exact = np.zeros_like(values), np.zeros(len(values))
    _activate_all(values, ACTIVATIONS.index(name), found)
    np.testing.assert_allclose(found, expected, rtol=5e-7, atol=2e-7)
    _activate_all(values.astype(float), ACTIVATIONS.index(name), exact)
    np.testing.assert_allclose(exact, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["sine", "cosine"])
def test_a_turn_ends_where_it_began(name: str) -> None:
    """Angles of half turns, up to a million: no error grows with their number."""
    values = (np.pi * np.arange(0, 300_000, 997)).astype(np.float32)
    found = np.zeros_like(values)
    _activate_all(values, ACTIVATIONS.index(name), found)
    expected = np.sin(values.astype(float)) if name == "sine" else np.cos(values.astype(float))
    np.testing.assert_allclose(found, expected, atol=1.5e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_activation_breaks_at_the_ends(name: str) -> None:
    values = np.array([-3e38, -1e20, 1e20, 3e38], np.float32)
    found = np.zeros_like(values)
    _activate_all(values, ACTIVATIONS.index(name), found)
    if name not in ("linear", "relu", "absolute", "square"):
        assert (np.abs(found) <= 1.0).all()
    _activate_all(np.full(1, np.nan, np.float32), ACTIVATIONS.index(name), found[:1])
    if name in ("linear", "sine", "cosine", "absolute", "square"):
        assert np.isnan(found[0])


@pytest.mark.parametrize(
    ("name", "none", "one", "several"),
    [
        ("sum", 0, -6, -5),
        ("product", 0, -6, -144),
        ("mean", 0, -6, -1.25),
        ("maximum", 0, -6, 6),
        ("minimum", 0, -6, -6),
        ("largest", 0, -6, -6),
    ],
)
def test_an_aggregation_is_that_of_its_name(name: str, none: float, one: float, several: float) -> None:
    values = np.array([1.0, -3.0, 6.0], np.float32)
    links = np.array([1, 2, 2, 1, 0, -1, 1, 4 / 3], np.float32)  # -6, 6, -1, -4
    place = AGGREGATIONS.index(name)
    assert aggregate_links(links[:0], values, place) == none
    assert aggregate_links(links[:2], values, place) == one
    assert aggregate_links(links, values, place) == pytest.approx(several)
