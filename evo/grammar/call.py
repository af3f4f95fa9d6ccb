"""Calls: a text is split outside of quotes and brackets, and a call into its name and arguments."""

import re
from collections.abc import Container
from typing import Any, NamedTuple

from evo.grammar.toml import parse_toml

_DEEPEST = 20  # brackets within each other
# A quoted text, to its end or that of the whole text; a bracket; any other character that may separate.
_SIGNS = re.compile(r"""'[^']*(?:'|\Z)|"(?:[^"\\]|\\.?)*(?:"|\Z)|[][(){}>,:]""", re.DOTALL)
_CLOSES = {")": "(", "]": "[", "}": "{"}
_NAMED = re.compile(r"([^\W\d]\w*)\s*=\s*(.*)", re.DOTALL)


def split(text: str, separator: str) -> list[str]:
    """Split a text at each `separator` (`>`, `,` or `:`) outside of quotes and brackets; strip each part.

    Raises ValueError for a bracket or quote without its other half, and for more than 20 brackets within each other.
    """
    parts, begin = [], 0
    opened: list[str] = []
    for found in _SIGNS.finditer(text):
        sign = found[0]
        if sign in "([{":
            opened.append(sign)
            if len(opened) > _DEEPEST:
                raise ValueError(f"more than {_DEEPEST} parentheses within each other")
        elif sign in _CLOSES:
            if not opened or opened.pop() != _CLOSES[sign]:
                raise ValueError(f"{text!r}: a {sign!r} closes nothing")
        elif sign[0] in "'\"":
            if len(sign) == 1 or sign[-1] != sign[0]:
                raise ValueError(f"{text!r}: a quoted text has no end")
        elif sign == separator and not opened:
            parts.append(text[begin : found.start()])
            begin = found.end()
    if opened:
        raise ValueError(f"{text!r}: a {opened[-1]!r} is never closed")
    return [part.strip() for part in (*parts, text[begin:])]


def chain(text: str) -> list[str]:
    """Split a chain into the texts of its calls, at each `>` outside of quotes and brackets. Raises ValueError."""
    return split(text, ">")


class Call(NamedTuple):
    """One call: its text, its name, and what stands after the name, a `:` or the parentheses included.

    name: a word, or `package.module:attribute`.
    """

    text: str
    name: str
    rest: str = ""

    @property
    def in_parentheses(self) -> bool:
        return self.rest.startswith("(") and self.rest.endswith(")")

    @property
    def written(self) -> str:
        """The arguments as they are written, without the colon or the parentheses."""
        return self.rest[1:-1] if self.in_parentheses else self.rest.removeprefix(":")

    def arguments(self, separator: str = ",") -> tuple[list[str], dict[str, str]]:
        """Return the arguments that stand alone, and those with a name before a `=`, all as written.

        separator: between arguments that follow a colon; in parentheses it is a comma. Raises ValueError.
        """
        alone, named = list[str](), dict[str, str]()
        if not self.written.strip():
            return alone, named
        for part in split(self.written, "," if self.in_parentheses else separator):
            found = _NAMED.fullmatch(part)
            if found is None and named:
                raise ValueError(f"{self.text!r}: {part!r} must come before what has a name, or have one")
            if found is None:
                alone.append(part)
            elif found[1] in named:
                raise ValueError(f"{self.text!r}: {found[1]!r} is given twice")
            else:
                named[found[1]] = found[2]
        return alone, named


def parse_call(text: str, known: Container[str]) -> Call:
    """Parse one call. known: the words that are names; others are names of a module and an attribute in it.

    What is neither keeps the name it has, for its reader to refuse.
    """
    word = re.split("[:(]", text, maxsplit=1)[0]
    name, rest = word.strip(), text[len(word) :]
    if name not in known and rest.startswith(":"):
        attribute = re.split("[:(]", rest[1:], maxsplit=1)[0]
        if all(part.isidentifier() for part in (*word.split("."), attribute)):  # no space: trust is in this very text
            return Call(text, f"{word}:{attribute}", rest[1 + len(attribute) :])
    return Call(text, name, rest)


def value_of(text: str) -> Any:
    """Return a value written as in TOML; of a word or a call, the text itself. Raises ValueError."""
    try:
        table = parse_toml(f"table = {{value = {text}}}")["table"]
    except ValueError:
        if not text or text[0] in "'\"[{(" or not text.isprintable():
            raise ValueError(f"{text!r} is no value: write a number, a word or a call, or quote it") from None
        return text
    if len(table) > 1:
        raise ValueError(f"{text!r} is more than one value")
    return table["value"]
