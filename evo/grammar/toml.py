"""TOML texts, with limits on what may be in them."""

import re
import tomllib
from typing import Any

_TOML_CHARACTERS, _TOML_DOTS = 2**18, 500
_QUOTED = re.compile(r"""'[^']*(?:'|\Z)|"(?:[^"\\]|\\.?)*(?:"|\Z)""")


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a TOML text. Raises ValueError of one line, whatever the text holds."""
    if len(text) > _TOML_CHARACTERS:
        raise ValueError(f"{len(text):,} characters are more than the {_TOML_CHARACTERS:,} allowed")
    if any(_QUOTED.sub("", line).partition("=")[0].count(".") > _TOML_DOTS for line in text.splitlines()):
        raise ValueError("its keys have too many parts")  # tomllib's time is quadratic in their number
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))  # the byte-order mark that some editors write first
    except RecursionError as error:
        raise ValueError("it nests too deep") from error
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as error:
        raise ValueError("a number in it is too long") from error  # Python's limit on digits, in Python's words
