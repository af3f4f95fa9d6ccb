"""IDX files, the format of MNIST (LeCun, Cortes & Burges 1998), plain or gzipped.

Two zero bytes, 8 for bytes, the number of axes, each axis as a big-endian uint32, then the bytes. Nothing in a file is
trusted: no more is read than its header says, and its header may not say more than the largest MNIST-like sets have.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

_MOST = 2**30  # bytes


def read_idx(path: Path, axes: int) -> np.ndarray:
    """Read the uint8 array of an IDX file with `axes` axes. Raises ValueError naming the file and the fault."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            return _read(cast(BinaryIO, file), axes)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ValueError(f"cannot read {path}: {reason}") from error


def _read(file: BinaryIO, axes: int) -> np.ndarray:
    header = file.read(4 + 4 * axes)
    magic = bytes([0, 0, 8, axes])
    if header[:4] != magic:
        raise ValueError(f"it begins with {header[:4].hex() or 'nothing'}, not with {magic.hex()} as an IDX file does")
    if len(header) != 4 + 4 * axes:
        raise ValueError("it is cut off within its header")
    shape = struct.unpack(f">{axes}I", header[4:])
    size = math.prod(shape)
    if not 0 < size <= _MOST:
        raise ValueError(f"its header says {' × '.join(map(str, shape))} bytes; from 1 to {_MOST:,} are read")
    data = file.read(size + 1)
    if len(data) != size:
        raise ValueError(f"it holds {'fewer' if len(data) < size else 'more'} bytes than the {size:,} its header says")
    return np.frombuffer(data, np.uint8).reshape(shape)
