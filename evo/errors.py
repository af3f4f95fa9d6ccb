"""The exception that users see, and the formatting of its messages."""

import re
from collections.abc import Iterable

_LISTED = 12
_LONGEST = 1000  # characters of a message
# Characters that control a terminal, change the direction of text, or are no characters: in files and names they may be
# meant to hide or run something.
_COMMANDS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class EvoError(Exception):
    """One clear line for the user: what was wrong, the nearest right value, what to do.

    The command line prints it and exits with status 2. Errors in the program raise other exceptions. Its text is
    `printable`, because what it quotes may come from a stranger.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str, longest: int = _LONGEST) -> str:
    """Return a text as one line that is safe to print: control characters are escaped, a long text is cut."""
    if len(text) > longest:
        text = f"{text[: longest // 2]} … {len(text) - longest:,} more … {text[-(longest // 2) :]}"
    return _COMMANDS.sub(lambda sign: " " if sign[0] in "\n\t" else ascii(sign[0])[1:-1], text)


def commands(text: str) -> bool:
    """Return whether a text holds characters that control a terminal, which no name does."""
    return _COMMANDS.search(text) is not None


def one_line(error: BaseException) -> str:
    """Return the message of an exception on one line; its type where it has none."""
    try:
        said = " ".join(str(error).split())
    except Exception:  # foreign code's own __str__ may fail too
        said = ""
    return printable(said) or type(error).__name__


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the end of an error line: `"; did you mean 'ars'?"`, or `"; one of ars, ga, …"` where nothing is near.

    Case is ignored. Empty when nothing is known.
    """
    import difflib  # imported late: only a mistake needs it

    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in names}
    if close := difflib.get_close_matches(word.casefold(), folded, n=1):
        return f"; did you mean {folded[close[0]]!r}?"
    if not names:
        return ""
    return "; one of " + ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
