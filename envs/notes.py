"""One-line notes to the user about how an input was read, on the logger `evo`; the commands print them."""

import functools
import logging


@functools.lru_cache(maxsize=1024)
def note(text: str) -> None:
    """Log a note, once in a process."""
    logging.getLogger("evo").info(text)
