"""Terminal output in any encoding, to pipes and to readers that close early."""

import codecs
import io
import logging
import os
import re
import sys
from typing import Any, NoReturn, TextIO

from rich.console import Console

from evo.errors import printable

READER_LEFT = 128 + 13  # a shell's exit status of a process that SIGPIPE ended
_PLAIN = {"±": "+/-", "×": "x", "–": "-", "−": "-", "…": "...", "≥": ">=", "≤": "<=", "’": "'"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Output(Console):
    """Standard output. Where its reader has left, as in `evo list | head -1`, the process ends as others do."""

    def say(self, text: str) -> None:
        """Print a text without markup or line breaks."""
        self.print(text, markup=False, highlight=False, soft_wrap=True)

    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that Python's flush at exit raises nothing
        raise SystemExit(READER_LEFT)


def accept_any_encoding() -> None:
    """Let standard output and error replace signs that their encoding lacks by plain ones, and never fail."""
    codecs.register_error("plainer", _plainer)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="plainer")


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(character, "?") for character in error.object[error.start : error.end]), error.end


class _Notes(logging.Formatter):
    """Formats a note as one line, without control characters for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return f"evo: note: {printable(record.getMessage())}"


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to standard error as it is at the time: a live display takes what comes while it is shown."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        pass  # as logging sets it once and for all


def show_notes() -> None:
    """Print notes, such as on how input was read (`evo.envs.notes`), a line each, on standard error."""
    handler = _StandardError()
    handler.setFormatter(_Notes())
    logger = logging.getLogger("evo")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line on standard error, for `warnings.showwarning`; Gymnasium's colours are removed."""
    sys.stderr.write(f"evo: warning: {printable(' '.join(_COLOUR.sub('', str(message)).split()))}\n")
