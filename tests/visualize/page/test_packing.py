"""Arrays of a page come back to the bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evo.visualize.page.packing import pack, unpack

KINDS = st.sampled_from([np.float32, np.uint32, np.uint8]).map(np.dtype)


@given(KINDS.flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=1, max_dims=3, min_side=0))))
def test_packed_arrays_come_back_to_the_bit(array: np.ndarray) -> None:
    again = unpack(pack(array))
    assert again.shape == array.shape and again.dtype == array.dtype and again.tobytes() == array.tobytes()


def test_views_and_big_endian_arrays_come_back() -> None:
    array = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    np.testing.assert_array_equal(unpack(pack(array.T[::2])), array.T[::2])
    np.testing.assert_array_equal(unpack(pack(array.astype(">f4"))), array)


def test_other_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="float32, uint32, uint8; got float64"):
        pack(np.zeros(3))
