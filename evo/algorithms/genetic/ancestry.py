"""Ancestry: the lines of descent of a population whose structure evolves, without those that died out."""

from collections.abc import Mapping
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from evo.operators.graph_genes import Genes, Ints


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
    owners = np.repeat(np.arange(genes.genomes), np.diff(genes.link_offsets))
    links = np.bincount(owners[genes.enabled], minlength=genes.genomes)
    return Newborn(species, np.diff(genes.node_offsets) - genes.outputs, links)


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
        entries, living = self.entries, self.living[mothers]
        same = (entries.species[living] == born.species) & (entries.nodes[living] == born.nodes)
        new = np.flatnonzero(~(same & (entries.links[living] == born.links)))
        added = Entries(living[new], np.full(len(new), generation), *(values[new] for values in born))
        entries = Entries(*(np.concatenate(pair) for pair in zip(entries, added, strict=True)))
        living[new] = len(entries.mothers) - len(new) + np.arange(len(new))
        kept, some = np.zeros(len(entries.mothers), np.bool_), np.unique(living)
        while some.size:
            kept[some] = True
            some = np.unique(entries.mothers[some])
            some = some[~kept[some]]
        place = np.cumsum(kept) - 1
        entries = Entries(*(values[kept] for values in entries))
        self.entries, self.living = entries._replace(mothers=place[entries.mothers]), place[living]

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

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Restore a `state()`."""
        self.entries = Entries(*(np.array(state[name]) for name in Entries._fields))
        self.living = np.array(state["living"])

    @staticmethod
    def check(state: Mapping[str, NDArray[Any]]) -> None:
        """Raise ValueError where arrays of the right dtypes, by name, are no lines of descent."""
        mothers, living = np.asarray(state["mothers"]), np.asarray(state["living"])
        if any(len(state[name]) != len(mothers) for name in Entries._fields):
            raise ValueError("state 'ancestry': entries of different numbers")
        late = (mothers < 0) | (mothers > np.arange(len(mothers)))
        if late.any() or (living < 0).any() or (living >= len(mothers)).any():
            raise ValueError("state 'ancestry': entries that do not follow their mothers")
