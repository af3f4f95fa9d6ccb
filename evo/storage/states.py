"""States: arrays by name, where `PART/NAME` is what a part keeps."""

from collections.abc import Mapping
from typing import Any


def below(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a state whose names begin with `prefix`, without the prefix."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def check_shapes(state: Mapping[str, Any], own: Mapping[str, Any], *parts: str) -> None:
    """Raise ValueError where an array is not such as in `own`; those of `parts`, prefixes, are checked elsewhere."""
    for name, array in own.items():
        if name.startswith(parts):
            continue
        if (state[name].shape, state[name].dtype) != (array.shape, array.dtype):
            raise ValueError(f"{name} is {state[name].shape}, and {array.shape} is needed")
