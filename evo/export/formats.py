"""Formats of an exported policy: files .npz and .onnx, and torch modules; each is compared before it is written."""

import importlib.util
import io
from pathlib import Path
from typing import Any

import numpy as np

from evo.errors import EvoError
from evo.export.numpy_policy import NumpyPolicy
from evo.export.parts import Parts
from evo.storage.files import write_arrays, write_bytes

TORCH = "torch"
SUFFIXES = (".npz", ".onnx")


def check_target(target: Path | str) -> None:
    """Raise EvoError for a format that is unknown, or needs a package that is not installed."""
    suffix = Path(target).suffix
    if str(target) != TORCH and suffix not in SUFFIXES:
        raise EvoError(f"a policy is exported as .npz or .onnx, or to a torch module by 'torch'; got {str(target)!r}")
    package = TORCH if str(target) == TORCH else {".onnx": "onnx"}.get(suffix)
    if package is not None and importlib.util.find_spec(package) is None:
        raise EvoError(f"exporting to {package} needs {package}: pip install 'evo-creatures[{package}]'")


def export(parts: Parts, target: Path | str) -> tuple[Any, float]:
    """Write a policy to a file .npz or .onnx, or make a torch module of it, for the target `torch`.

    Returns the path or module, and the largest difference of its outputs from the compiled network's. Raises EvoError.
    """
    check_target(target)
    if Path(target).suffix != ".npz" and any(part.kind == "graph" for part in parts.layers()):
        raise EvoError(f"a graph is exported as .npz alone, not as {str(target)!r}")
    if str(target) == TORCH:
        from evo.export.torch_policy import torch_policy

        return torch_policy(parts)
    path = Path(target)
    return path, _npz(parts, path) if path.suffix == ".npz" else _onnx(parts, path)


def _npz(parts: Parts, path: Path) -> float:
    arrays = {"about": np.array(parts.description()), "mean": parts.mean, "scale": parts.scale}
    arrays |= {"low": parts.low, "high": parts.high}
    for index, part in enumerate(parts.layers()):
        arrays |= {f"{index}.{name}": array for name, array in part.arrays.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    buffer.seek(0)
    policy = NumpyPolicy(buffer)  # type: ignore[arg-type]
    difference = parts.check(lambda rows: np.array([policy.outputs(row) for row in rows]), ".npz")
    write_arrays(path, arrays)
    return difference


def _onnx(parts: Parts, path: Path) -> float:
    from evo.export.onnx_graph import onnx_model, onnx_runner

    model = onnx_model(parts)
    difference = parts.check(onnx_runner(model, parts.state), ".onnx")
    write_bytes(path, model.SerializeToString())
    return difference
