"""States: arrays by name, where `PART/NAME` is what a part keeps."""

from collections.abc import Mapping
from typing import Any


def below(prefix: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a state whose names begin with `prefix`, without the prefix."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
