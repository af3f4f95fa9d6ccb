"""The network of an episode as a page draws it: where its units stand, its strongest links, what the units do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.visualize.networks.choice import describe, fold, names_of_inputs, names_of_outputs, strongest
from evo.visualize.networks.diagram import Diagram, Names
from evo.visualize.networks.layout import Layout, lay_out
from evo.visualize.page.packing import pack

_COLUMN = 64  # units that a column has room for
_LINKS = 400  # of more, the weaker are left out
_CODES = 127  # of a sign


@dataclass(frozen=True, eq=False)
class Plan:
    """Which units of a network a page draws, int64 (U,), and where."""

    diagram: Diagram
    layout: Layout
    units: NDArray[np.int64]

    def serves(self, diagram: Diagram) -> bool:
        """Return whether another diagram has the same units and links, whatever its weights are."""
        mine = self.diagram
        return len(diagram) == len(mine) and all(
            np.array_equal(getattr(diagram, name), getattr(mine, name)) for name in ("sources", "targets", "outputs")
        )


def plan(diagram: Diagram) -> Plan:
    """Return which units of a network are drawn, and where."""
    drawn = fold(diagram, _COLUMN)
    return Plan(diagram, lay_out(diagram, drawn), np.flatnonzero(drawn))


@dataclass(frozen=True)
class Activity:
    """What U units of a network do in T steps, and L links between them.

    columns: of the units, 0 for inputs. heights: 0 (top) to 1. gaps: the least distance of two units of each column.
    names: of the units, "" for those within. inputs: how many units are inputs. sources, targets: uint32 (L,), units.
    weights: uint8 (L,), coded by their largest. values: uint8 (T, U), coded by `scales`, the largest of each unit.
    A code of 128 is 0, one of 255 the largest, one of 1 its negative. said: the network in a line.
    """

    columns: Sequence[int]
    heights: Sequence[float]
    gaps: Sequence[float]
    names: Sequence[str]
    inputs: int
    sources: NDArray[np.uint32]
    targets: NDArray[np.uint32]
    weights: NDArray[np.uint8]
    values: NDArray[np.uint8]
    scales: Sequence[float]
    said: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON holds it; of values, how they change from step to step, unit by unit."""
        changes = np.diff(self.values, axis=0, prepend=np.zeros((1, len(self.columns)), np.uint8))
        return {
            "columns": list(self.columns),
            "heights": [round(height, 4) for height in self.heights],
            "gaps": [round(gap, 4) for gap in self.gaps],
            "names": list(self.names),
            "inputs": self.inputs,
            "sources": pack(self.sources),
            "targets": pack(self.targets),
            "weights": pack(self.weights),
            "changes": pack(np.ascontiguousarray(changes.T)),
            "scales": [float(f"{scale:.6g}") for scale in self.scales],
            "said": self.said,
        }

    def thin(self, stride: int) -> "Activity":
        """Return every `stride`-th step, the first among them."""
        return replace(self, values=self.values[::stride])


def record_activity(diagram: Diagram, plan: Plan, names: Names, values: NDArray[np.float64]) -> Activity:
    """Return what a network does in an episode. plan: one that serves it. values: (T, units) of the diagram."""
    units, layout = plan.units, plan.layout
    drawn = np.zeros(len(diagram), bool)
    drawn[units] = True
    links = strongest(diagram, drawn, _LINKS)
    rank = np.cumsum(drawn) - 1
    known = names_of_outputs(names, diagram)
    inputs = units[units < diagram.inputs]
    known |= dict(zip(inputs.tolist(), names_of_inputs(names, inputs), strict=True))
    values = np.nan_to_num(values[:, units], posinf=np.finfo(float).max, neginf=-np.finfo(float).max)
    scales = np.abs(values).max(axis=0, initial=0.0)
    return Activity(
        columns=layout.columns[units].tolist(),
        heights=layout.heights[units].tolist(),
        gaps=layout.gaps.tolist(),
        names=[known.get(unit, "") for unit in units.tolist()],
        inputs=len(inputs),
        sources=rank[diagram.sources[links]].astype(np.uint32),
        targets=rank[diagram.targets[links]].astype(np.uint32),
        weights=_code(diagram.weights[links], np.abs(diagram.weights[links]).max(initial=0.0)),
        values=_code(values, scales),
        scales=scales.tolist(),
        said=describe(diagram, units, links),
    )


def _code(values: NDArray[np.float64], largest: NDArray[np.float64] | float) -> NDArray[np.uint8]:
    """Return numbers as codes: 128 for 0, 255 for the largest, 1 for its negative."""
    shares = values / np.where(np.asarray(largest) > 0, largest, 1.0)
    return (_CODES + 1 + np.round(_CODES * np.clip(shares, -1, 1))).astype(np.uint8)
