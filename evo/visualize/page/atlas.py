"""The atlas's HTML: a map of elites beside the page of recorded creatures; a chosen elite walks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evo.errors import printable
from evo.visualize.page.document import SCRIPTS, assemble, creature_to_json, creatures_to_text, finite_or_null
from evo.visualize.page.scene import Creature

ATLAS_SCRIPTS = (*SCRIPTS, "atlas")


@dataclass(frozen=True, eq=False)
class Map:
    """Elites on a map of m measures, and which of them walk.

    labels: their cells, as `3,7` or `12`. fitness: (elites,), as the search knew it. returns: (elites,), on held-out
    episodes, NaN where one failed; they colour the map. measures: (elites, m). ranges: (m, 2). names: of the measures.
    outlines: the corners of each elite's cell in the unit square, (corners, 2), first measure first; none where m is
    not 2. walking: the elite of each episode of the creature. notes: lines about the map.
    """

    labels: Sequence[str]
    fitness: NDArray[np.float64]
    returns: NDArray[np.float64]
    measures: NDArray[np.float64]
    ranges: NDArray[np.float64]
    names: Sequence[str]
    outlines: Sequence[NDArray[np.float64]]
    walking: Sequence[int]
    notes: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return it as the page's script takes it."""
        return {
            "labels": list(self.labels),
            "fitness": finite_or_null(self.fitness),
            "returns": finite_or_null(self.returns),
            "measures": [finite_or_null(row) for row in self.measures],
            "ranges": [finite_or_null(row) for row in self.ranges],
            "names": [printable(name) for name in self.names],
            "outlines": [[float(f"{place:.4f}") for place in corners.ravel()] for corners in self.outlines],
            "walking": list(self.walking),
            "notes": [printable(line) for line in self.notes],
        }


def atlas_document(title: str, creature: Creature, shown: Map) -> str:
    """Return the atlas as HTML. creature: its episodes are those of the elites that walk, as in `Map.walking`.

    Every text in it may come from a stranger: none can run or fetch anything.
    """
    content = {"creatures": [creature_to_json(creature)], "atlas": shown.to_json()}
    text = creatures_to_text([creature])
    return assemble(title, content, text, ATLAS_SCRIPTS, "openAtlas();", sheets=("page", "atlas"))
