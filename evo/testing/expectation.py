"""Assertions with a one-line message."""

import re
from collections.abc import Callable
from typing import Any


def expect(kept: bool, words: str) -> None:
    """Raise AssertionError with `words` where a promise is not kept."""
    if not kept:
        raise AssertionError(words)


def expect_refusal(what: str, call: Callable[[], Any], kind: type[Exception], name: str = "") -> None:
    """Raise AssertionError unless `call` raises `kind`, with a one-line message that has `name` in it as a word.

    what: what is to be refused; the message begins with it.
    """
    try:
        call()
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        expect(isinstance(error, kind), f"{what} ends in {' '.join(told.split())}; it must raise {kind.__name__}")
        expect("\n" not in str(error), f"{what} is refused in more than one line: {' '.join(told.split())}")
        named = not name or bool(re.search(rf"\b{re.escape(name)}\b", str(error)))
        expect(named, f"{what} is refused without a word about {name!r}: {told}")
    else:
        raise AssertionError(f"{what} is not refused; it must raise {kind.__name__}")
