"""Messages come through whole, or are refused."""

import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from evo.storage.messages import pack, unpack

NUMBERS = scalar_dtypes().filter(lambda dtype: dtype.kind in "biuf" and dtype.isnative)


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())),
    st.dictionaries(st.text(), arrays(NUMBERS, array_shapes(min_dims=0, min_side=0, max_side=3)), max_size=3),
)
def test_values_and_arrays_come_through(values: dict[str, Any], numbers: dict[str, np.ndarray]) -> None:
    told, found = unpack(pack(values, numbers))
    assert told == values and found.keys() == numbers.keys()
    for name, array in numbers.items():
        assert found[name].dtype == array.dtype and found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes() and found[name].flags.writeable


MESSAGE = pack({"name": "spider"}, {"numbers": np.arange(6.0).reshape(2, 3)})


@given(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_found(place: int, change: int) -> None:
    changed = bytearray(MESSAGE)
    changed[place] ^= change
    with pytest.raises(ValueError, match=r".+"):
        unpack(bytes(changed))


@given(st.binary(max_size=60) | st.integers(0, len(MESSAGE) - 1).map(lambda length: MESSAGE[:length]))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        unpack(data)


@pytest.mark.parametrize(
    "form",
    [
        ["numbers", "<f8", [2**40, 2**40]],
        ["numbers", "<f8", [-1]],
        ["numbers", "<f8", [2.0]],
        ["numbers", "<f8", [True]],
        ["numbers", "<f8", 3],
        ["numbers", ">f8", [2]],
        ["numbers", "<U4", [1]],
        ["numbers", "|O", [2]],
        ["numbers", "no type", [2]],
        ["numbers", "<f8"],
        None,
    ],
    ids=str,
)
def test_a_forged_size_or_type_is_refused_before_memory_is_taken(form: Any) -> None:
    assert len(unpack(_forged(["numbers", "<f8", [2]]))[1]["numbers"]) == 2
    with pytest.raises(ValueError, match=r".+"):
        unpack(_forged(form))


def _forged(form: Any) -> bytes:
    """Return a message of 16 bytes of numbers with a true checksum, whose head says this of them."""
    head = json.dumps([{}, [form]]).encode()
    rest = struct.pack("<I", len(head)) + head + bytes(16)
    return struct.pack("<I", zlib.crc32(rest)) + rest
