"""Ancestry: the lines of descent of a population whose structure evolves, without those that died out."""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from evo.envs.engine.compile import njit
from evo.operators.graph_genes import Genes, Ints, enabled_links


class Entries(NamedTuple):
    """What lines of descent are made of: where a child's species or structure is not its mother's, an entry begins.

    mothers: int64 (entries,), the entry before, which stands earlier; its own where the line begins. generations,
    species, nodes, links: int64 (entries,): when it began, its species' number, its hidden nodes and enabled links.
    """

    mothers: Ints
    generations: Ints
    species: Ints
    nodes: Ints
    links: Ints


class Newborn(NamedTuple):
    """A generation: numbers of species, hidden nodes and enabled links, int64 (individuals,)."""

    species: Ints
    nodes: Ints
    links: Ints


def newborn(genes: Genes, species: Ints) -> Newborn:
    """Return a generation of graph genomes, in species of these numbers, int64 (genomes,)."""
    return Newborn(species, np.diff(genes.node_offsets) - genes.outputs, enabled_links(genes))


@final
class Ancestry:
    """Lines of descent of the living: `living`, int64 (individuals,), is the entry that each individual is in.

    Only entries that somebody alive descends from are kept, so a long run keeps little more than one line.
    """

    def __init__(self) -> None:
        none = np.zeros(0, np.int64)
        self.entries, self.living = Entries(none, none, none, none, none), none

    def follow(self, mothers: Ints | None, born: Newborn, generation: int) -> None:
        """Replace the living by their children.

        mothers: int64 (children,), indices into the living; None where a line begins with each.
        """
        if mothers is None:
            self.living = np.arange(len(born.species))
            self.entries = Entries(self.living, np.full(len(self.living), generation), *born)
            return
        found, self.living = _followed(self.entries, self.living, mothers, born, generation)
        self.entries = Entries(*found)

    def line(self, individual: int) -> Entries:
        """Return the entries of an individual's line, the oldest first."""
        entry, found = int(self.living[individual]), list[int]()
        while not found or found[-1] != entry:
            found.append(entry)
            entry = int(self.entries.mothers[entry])
        line = Entries(*(values[found[::-1]] for values in self.entries))
        return line._replace(mothers=np.maximum(np.arange(len(found)) - 1, 0))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything, as copies."""
        return {name: values.copy() for name, values in self.entries._asdict().items()} | {"living": self.living.copy()}

    def hold(self) -> tuple[Entries, Ints]:
        """Return what `put_back` takes: arrays themselves, in which nobody writes."""
        return self.entries, self.living

    def put_back(self, held: tuple[Entries, Ints]) -> None:
        self.entries, self.living = held

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()`."""
        self.entries = Entries(*(np.array(state[name]) for name in Entries._fields))
        self.living = np.array(state["living"])

    @staticmethod
    def check(state: Mapping[str, NDArray[Any]], individuals: int) -> None:
        """Raise ValueError where arrays of the right dtypes, by name, are no lines of so many living individuals."""
        mothers, living = np.asarray(state["mothers"]), np.asarray(state["living"])
        if len(living) != individuals:
            raise ValueError(f"state 'ancestry': {len(living)} are living, expected {individuals}")
        if any(len(state[name]) != len(mothers) for name in Entries._fields):
            raise ValueError("state 'ancestry': entries of different numbers")
        late = (mothers < 0) | (mothers > np.arange(len(mothers)))
        if late.any() or (living < 0).any() or (living >= len(mothers)).any():
            raise ValueError("state 'ancestry': entries that do not follow their mothers")


@njit(cache=True)
def _followed(entries: Any, living: Any, mothers: Any, born: Any, generation: int) -> Any:
    """Return the entries that the children or their ancestors are in, and the children's places among them."""
    known, count = entries.mothers.size, mothers.size
    children, before = np.empty(count, np.int64), np.empty(known + count, np.int64)
    before[:known] = entries.mothers
    total = known
    new = np.empty(count, np.int64)  # the children with which an entry begins
    for child in range(count):
        entry = living[mothers[child]]
        alike = entries.nodes[entry] == born.nodes[child] and entries.links[entry] == born.links[child]
        if not (alike and entries.species[entry] == born.species[child]):
            before[total], new[total - known] = entry, child
            entry = total
            total += 1
        children[child] = entry
    place = np.full(total, -1, np.int64)  # 0 where it is kept, then its place
    for child in range(count):
        entry = children[child]
        while place[entry] < 0:
            place[entry] = 0
            entry = before[entry]
    kept = 0
    for entry in range(total):
        if place[entry] == 0:
            place[entry] = kept
            kept += 1
    found = np.empty((5, kept), np.int64)
    for entry in range(total):
        at = place[entry]
        if at < 0:
            continue
        found[0, at] = place[before[entry]]
        if entry < known:
            found[1, at], found[2, at] = entries.generations[entry], entries.species[entry]
            found[3, at], found[4, at] = entries.nodes[entry], entries.links[entry]
        else:
            child = new[entry - known]
            found[1, at], found[2, at] = generation, born.species[child]
            found[3, at], found[4, at] = born.nodes[child], born.links[child]
    for child in range(count):
        children[child] = place[children[child]]
    return (found[0], found[1], found[2], found[3], found[4]), children
