"""The one exception users see, and the words that help them to the right value."""

import difflib
from collections.abc import Iterable

_LISTED = 12


class EvoError(Exception):
    """One clear line for the user: what was wrong, the nearest right value, what to do.

    The command line prints it and exits with status 2. A mistake in the program raises something else.
    """


def one_line(error: BaseException) -> str:
    """What an exception says, on one line; its type where it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error line: `"; did you mean 'ars'?"`, or `"; one of ars, ga, …"` when nothing known is near.

    Upper and lower case are the same. Empty when nothing is known.
    """
    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in names}
    if close := difflib.get_close_matches(word.casefold(), folded, n=1):
        return f"; did you mean {folded[close[0]]!r}?"
    if not names:
        return ""
    return "; one of " + ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
