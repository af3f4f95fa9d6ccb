"""Names of Python objects: `package.module:attribute`, loaded when asked for."""

import importlib
from typing import Any


def resolve(reference: str) -> Any:
    """The object named `package.module:attribute`.

    Raises ValueError for a name of another form, ImportError where the module or its attribute is missing.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise ValueError(f"{reference!r} is not of the form package.module:attribute")
    module = importlib.import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise ImportError(f"module {module_name!r} has no attribute {attribute!r}") from None
