"""Arguments of a layer in text: numbers, words, and values by the names of their fields.

`conv:8x3,16x3:same` and `conv(8x3, 16x3, same)` are the same, as are `dense:64:relu` and `dense(64, activation=relu)`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from evo.errors import nearest
from evo.grammar import Call, value_of


class Choice(NamedTuple):
    """What a field is, in an error, and the words that may be written for it, with their values."""

    kind: str
    words: Mapping[str, Any]


def one_of(kind: str, words: Iterable[str]) -> Choice:
    """Return the choice of a field whose values are its words."""
    return Choice(kind, {word: word for word in words})


class Arguments:
    """The arguments of a call. Each method takes its part of them; `options` comes last and refuses what is left.

    separator: of the numbers, where the parentheses have commas. All methods raise ValueError of one line.
    """

    def __init__(self, call: Call, separator: str = ",") -> None:
        alone, self._named = call.arguments(":")
        self._name, self._text = call.name, f"{call.name}:{call.written}"
        if call.in_parentheses:
            self._text = call.text
            count = 0
            while count < len(alone) and alone[count][:1] in "-+.0123456789":
                count += 1
            alone = [separator.join(alone[:count]), *alone[count:]]
        self.numbers, self.words = "".join(alone[:1]), alone[1:]
        self._fields: list[str] = []

    def leave_numbers_out(self) -> None:
        """Take what stands first for a word unless it begins with a digit: the numbers may be left out."""
        if self.numbers and not self.numbers[0].isdigit():
            self.numbers, self.words = "", [self.numbers, *self.words]

    def needs(self, what: str, example: str) -> ValueError:
        """Return the error of numbers that are missing, or are none."""
        return ValueError(f"{self._name!r} needs {what}, as in '{self._name}:{example}'; got {self._text!r}")

    def refuses(self, reason: str) -> ValueError:
        """Return an error that begins with what is written."""
        return ValueError(f"{self._text!r}: {reason}")

    def nothing(self) -> None:
        """Refuse any argument."""
        if self.numbers or self.words or self._named:
            raise ValueError(f"{self._name!r} takes nothing after it, got {self._text!r}")

    def widths(self, field: str, what: str, example: str) -> list[int]:
        """Return the numbers of a field, one for each layer: `64,64`."""
        if not self.numbers and field in self._named:
            return [self.named(field)[field]]
        self._fields.append(field)
        try:
            widths = [int(width) for width in self.numbers.split(",")]
        except ValueError:
            widths = []
        if not widths or min(widths) < 1:
            raise self.needs(what, example)
        return widths

    def fields(self, pattern: str, least: int, what: str, example: str, **kinds: type[float]) -> dict[str, Any]:
        """Return the numbers of several fields, of which the first `least` must be there.

        pattern: of them where they stand alone, separated as they are when they follow a colon.
        """
        written, self.words = ":".join(filter(None, [self.numbers, *self.words])), []
        named = self.named(*kinds, **kinds)
        found: dict[str, Any] = {}
        if written or not named:
            match = re.fullmatch(pattern, written)
            try:
                numbers = zip(kinds.items(), match.groups() if match else (), strict=False)
                found = {field: kind(number) for (field, kind), number in numbers if number is not None}
            except ValueError:
                match = None
            if match is None:
                raise self.needs(what, example)
        for field in found.keys() & named:
            raise self.refuses(f"{field!r} is given twice")
        if not {*list(kinds)[:least]} <= {**found, **named}.keys():
            raise self.needs(what, example)
        return {**found, **named}

    def named(self, *fields: str, **kinds: type[float]) -> dict[str, Any]:
        """Return those numbers of fields that are written by name. kinds: float where it is not int."""
        self._fields += fields
        found = {field: value_of(self._named.pop(field)) for field in fields if field in self._named}
        for field, value in found.items():
            kind = kinds.get(field, int)
            if isinstance(value, bool) or not isinstance(value, kind | int):
                raise self.refuses(f"{field}={value!r} must be a {'whole ' * (kind is int)}number")
        return found

    def options(self, **choices: Choice) -> dict[str, Any]:
        """Return the values of the fields that words, or their own names, give. Refuses what is left."""
        kinds = " nor ".join(f"{kind} ({', '.join(words)})" for kind, words in choices.values())
        for word in self.words:
            if not choices:
                raise self.refuses(f"its units take no {word!r}")
            if not any(word in choice.words for choice in choices.values()):
                raise self.refuses(f"{word!r} is {'neither' if len(choices) > 1 else 'not'} {kinds}")
        chosen: dict[str, Any] = {}
        for field, (kind, words) in choices.items():
            found = [word for word in self.words if word in words]
            values = [words[word] for word in found]
            if field in self._named:
                found.append(f"{field}={self._named[field]}")
                values.append(self._value(field, kind, words))
            if len(found) > 1:
                raise self.refuses(f"{found[0]!r} and {found[1]!r} are each {kind}; write one")
            for value in values:
                chosen[field] = value
        for name in self._named:
            raise self.refuses(f"it has no option {name!r}{nearest(name, [*self._fields, *choices])}")
        return chosen

    def _value(self, field: str, kind: str, words: Mapping[str, Any]) -> Any:
        """Return the value of a field that is written by name: a word, or what a word of its kind stands for."""
        value = value_of(self._named.pop(field))
        if isinstance(value, str) and value in words:
            return words[value]
        if type(value) in {type(each) for each in words.values()} - {str}:
            return value
        raise self.refuses(f"{field}={value!r} is not {kind} ({', '.join(words)})")
