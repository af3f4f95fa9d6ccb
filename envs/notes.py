"""What is worth knowing of how something was read, in one line each, on the logger `evo`: the commands print it."""

import functools
import logging


@functools.lru_cache(maxsize=1024)
def note(text: str) -> None:
    """Say it once in a process, however often the thing is made again."""
    logging.getLogger("evo").info(text)
