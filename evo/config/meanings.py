"""Options of constructors, with what their docstrings say of each."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from evo.config.values import Key
from evo.envs import options
from evo.errors import EvoError

# A name or several with commas between, and a colon, as in `low, high: bounds of the domain`; or one or several in
# backticks with their meaning in brackets, as in "`low` and `high` (bounds of every parameter)".
_NAMES = re.compile(r"(?<![\w`.])(?<!the )([a-z_]\w*(?:, [a-z_]\w*)*(?:,? and [a-z_]\w*)?): (?=\S)")
_BRACKETS = re.compile(r"((?:`[a-z_]\w*`(?:, |,? and ))*`[a-z_]\w*`) \(((?:[^()]|\([^()]*\))+)\)")
_OTHER = re.compile(r"(?:^|(?<=[.;] ))(?:Raises|Returns|Yields|Observation|Action|Reward|Args|Source)\b")


def options_of(constructor: Callable[..., Any]) -> dict[str, Key]:
    """Return the options of a constructor or class, as keys; their help is what its docstring says.

    Raises EvoError for one without a default.
    """
    found = {name: Key(option.kind, option.default) for name, option in options.options_of(constructor).items()}
    for name, key in found.items():
        if key.default is inspect.Parameter.empty:
            raise EvoError(f"the option {name!r} needs a default value in its constructor")
    return explain_keys(found, _docstrings(constructor))


def explain_keys(keys: Mapping[str, Key], docstrings: Iterable[str]) -> dict[str, Key]:
    """Return the keys with the meanings that the docstrings give; of several, the first one's."""
    known: dict[str, str] = {}
    for text in docstrings:
        known = meanings(text, keys) | known
    return {name: replace(key, help=known.get(name, key.help)) for name, key in keys.items()}


def _docstrings(constructor: Callable[..., Any]) -> list[str]:
    """Return the docstrings that may explain a constructor's options, the nearest first: a class's, then its bases'."""
    if not inspect.isclass(constructor):
        return [constructor.__doc__ or ""]
    classes = constructor.__mro__[:-1]
    return [
        text for one in classes for text in (getattr(vars(one).get("__init__"), "__doc__", None), one.__doc__) if text
    ]


def meanings(docstring: str, names: Iterable[str]) -> dict[str, str]:
    """Return what a docstring says of each of these options: the first sentence after `name:`, on one line."""
    text, wanted = " ".join(docstring.split()), set(names)
    found: dict[str, str] = {}
    for match in _BRACKETS.finditer(text):
        for name in wanted & {*re.findall(r"[a-z_]\w*(?=`)", match[1])}:
            found.setdefault(name, match[2])
    places = [(*_find_options(match, wanted), match.end()) for match in _NAMES.finditer(text)]
    places = [(start, those, end) for start, those, end in places if those]
    ends = sorted([*(start for start, _, _ in places), *(match.start() for match in _OTHER.finditer(text))])
    for _, those, begin in places:
        end = next((place for place in ends if place >= begin), len(text))
        sentence = re.split(r"(?<=[^.].)[.;] (?=[A-Z`a-z])|\.$", text[begin:end].strip())[0].rstrip(" .,;")
        found |= dict.fromkeys(those, sentence)
    return found


def _find_options(match: re.Match[str], wanted: set[str]) -> tuple[int, list[str]]:
    """Return where the options before a colon begin, and which they are: of `stiff, removed:` only the second."""
    start, those = match.end(), list[str]()
    for word in reversed([*re.finditer(r"[a-z_]\w*", match[1])]):
        if word[0] in wanted:
            those.append(word[0])
            start = match.start() + word.start()
        elif word[0] != "and":
            break
    return start, those
