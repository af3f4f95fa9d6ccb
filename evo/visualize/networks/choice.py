"""Which units and links of a network are drawn, what they are called, and a line that says so."""

import numpy as np

from evo.errors import printable
from evo.visualize.networks.diagram import Diagram, Names
from evo.visualize.networks.layout import columns_of

_MANY_INPUTS = 60  # of more, those without links are left out
_LETTERS = 26  # of a name


def linked(diagram: Diagram) -> np.ndarray:
    """Return which units are drawn, bool (units,): of many inputs those that have links."""
    drawn = np.ones(len(diagram), bool)
    if diagram.inputs > _MANY_INPUTS:
        drawn[: diagram.inputs] = np.isin(np.arange(diagram.inputs), diagram.sources)
    return drawn


def fold(diagram: Diagram, most: int) -> np.ndarray:
    """Return which units are drawn, bool (units,): `most` at most of each column, those with the strongest links."""
    drawn, strength, columns = linked(diagram), np.zeros(len(diagram)), columns_of(diagram)
    for ends in (diagram.sources, diagram.targets):
        np.add.at(strength, ends, np.abs(diagram.weights))
    for column in range(int(columns.max()) + 1):
        units = np.flatnonzero(drawn & (columns == column))
        drawn[units[np.argsort(-strength[units], kind="stable")[most:]]] = False
    return drawn


def strongest(diagram: Diagram, drawn: np.ndarray, most: int) -> np.ndarray:
    """Return `most` links at most between units that are drawn, int64 (links,), the weakest first."""
    order = np.flatnonzero(drawn[diagram.sources] & drawn[diagram.targets])
    order = order[np.argsort(np.abs(diagram.weights[order]), kind="stable")]
    return order[max(len(order) - most, 0) :]


def names_of_inputs(names: Names, inputs: np.ndarray) -> list[str]:
    """Return the names of some inputs; their numbers where they have none."""
    return [_short(names.inputs[unit]) if names.inputs else str(unit) for unit in inputs.tolist()]


def names_of_outputs(names: Names, diagram: Diagram) -> dict[int, str]:
    """Return the names of the units that outputs read; of a unit that several read, all of them."""
    together: dict[int, list[str]] = {}
    for output, unit in enumerate(diagram.outputs.tolist()):
        together.setdefault(unit, []).append(_short(names.outputs[output]) if names.outputs else str(output))
    return {unit: ", ".join(words) for unit, words in together.items()}


def describe(diagram: Diagram, units: np.ndarray, links: np.ndarray) -> str:
    """Return a line that counts a network's units and links, and those not drawn. units, links: those that are."""
    ends = np.unique(diagram.outputs)
    hidden = np.setdiff1d(np.arange(diagram.inputs, len(diagram)), ends)
    idle = diagram.inputs - int(linked(diagram)[: diagram.inputs].sum())
    inputs = f"{idle} without links, not drawn" if idle else ""
    kept, known = len(np.intersect1d(units, np.arange(diagram.inputs))), diagram.inputs - idle
    parts = [
        _count(diagram.inputs, "input") + _aside(inputs, f"the {kept:,} most linked drawn" if kept < known else ""),
        _part(f"{len(hidden):,} hidden", hidden, units) if len(hidden) else "",
        _part(_count(len(diagram.outputs), "output"), ends, units),
        _count(len(diagram.sources), "link")
        + _aside(
            f"the {len(links):,} strongest drawn" if len(links) < len(diagram.sources) else "",
            f"those of {', '.join(diagram.unlinked)} not drawn" if diagram.unlinked else "",
        ),
    ]
    return ", ".join(filter(None, parts))


def _part(counted: str, members: np.ndarray, units: np.ndarray) -> str:
    kept = len(np.intersect1d(members, units))
    return counted + _aside(f"the {kept:,} most linked drawn" if kept < len(members) else "")


def _aside(*remarks: str) -> str:
    said = ", ".join(filter(None, remarks))
    return f" ({said})" if said else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _short(name: str) -> str:
    text = printable(name)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"
