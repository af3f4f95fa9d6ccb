"""Arrays as text within a page: lossless, and unpacked by `static/unpack.js`."""

import base64
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_KINDS = {"float32", "uint32", "uint8"}


def pack(array: NDArray[Any]) -> dict[str, Any]:
    """Return an array of float32, uint32 or uint8 as its shape, its kind and its bytes in base64.

    First all lowest bytes of the numbers, then all second ones, and so on: signs and exponents, which rarely change,
    then lie side by side, and zlib shortens them most. Raises ValueError for another dtype.
    """
    kind = array.dtype.name
    if kind not in _KINDS:
        raise ValueError(f"a page holds arrays of {', '.join(sorted(_KINDS))}; got {kind}")
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    planes = little.reshape(-1).view(np.uint8).reshape(-1, array.dtype.itemsize).T
    data = base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode("ascii")
    return {"kind": kind, "shape": list(array.shape), "data": data}


def unpack(packed: dict[str, Any]) -> NDArray[Any]:
    """Return the array that `pack` was given, to the bit."""
    dtype = np.dtype(packed["kind"]).newbyteorder("<")
    planes = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8)
    return planes.reshape(dtype.itemsize, -1).T.copy().reshape(-1).view(dtype).reshape(packed["shape"])
