"""Data frames of pandas, which is asked for only where it is used."""

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from evo.errors import EvoError


def data_frame(columns: Mapping[str, Any], otherwise: str) -> Any:
    """Return a pandas.DataFrame. Raises EvoError without pandas, which says what to do `otherwise`."""
    if importlib.util.find_spec("pandas") is None:
        raise EvoError(f"a data frame needs pandas: pip install pandas; without it, {otherwise}")
    return importlib.import_module("pandas").DataFrame(dict(columns))
