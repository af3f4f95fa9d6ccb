"""Sums in NumPy's own order, for every size that control costs and contact costs can have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from evo.envs.numpy_order import sum_of_squares

Floats = NDArray[np.float64]
# squares below 1e300, so that no sum overflows
vectors = st.integers(0, 256).flatmap(lambda size: arrays(np.float64, size, elements=st.floats(-1e149, 1e149)))


@settings(deadline=None)  # the first call compiles
@given(vectors)
def test_sum_of_squares_equals_numpys(values: Floats) -> None:
    assert sum_of_squares(values) == np.sum(np.square(values))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_every_size_up_to_256(scale: float) -> None:
    rng = np.random.default_rng(0)
    for size in range(257):
        for values in rng.normal(size=(20, size)) * scale:
            assert sum_of_squares(values) == np.sum(np.square(values)), size


def test_order_matters() -> None:
    """A plain sum differs for most vectors, so the tests above can fail."""
    rng = np.random.default_rng(1)
    differing = 0
    for values in rng.normal(size=(200, 23)):
        plain = 0.0
        for value in values:
            plain += value * value
        differing += plain != np.sum(np.square(values))
    assert differing > 50
