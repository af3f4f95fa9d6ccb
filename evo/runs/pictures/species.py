"""Pictures of a run that evolves structure: its species, and the ancestry of its champion, from its fossils."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from evo.errors import EvoError
from evo.runs.record import Record
from evo.storage.states import below

_SPECIES, _LINE = ("numbers", "sizes"), ("generations", "species", "nodes", "links")


def has_species(run: Record) -> bool:
    """Return whether a run's fossils say which species lived."""
    return any("species/numbers" in arrays for _, arrays in _fossils(run))


def draw_species(run: Record, path: Path) -> None:
    """Draw the sizes of a run's species over generations, and how complex networks became. Raises EvoError."""
    from evo.visualize.species import species_picture

    found = [(generation, _rows(below("species/", arrays), _SPECIES)) for generation, arrays in _fossils(run)]
    if not found:
        raise _no_species(run)
    generations = np.array([generation for generation, _ in found])
    censuses = [(rows["numbers"], rows["sizes"]) for _, rows in found]
    species_picture(generations, censuses, run.metrics, run.title, path)


def draw_ancestry(run: Record, path: Path) -> None:
    """Draw the line of descent of the fittest of the generation that the champion is of. Raises EvoError.

    That is the first of whose fossil the champion is the best guess; the last generation where none is.
    """
    from evo.visualize.species import ancestry_picture

    found = list(_fossils(run))
    if not found:
        raise _no_species(run)
    champion = run.champion.params
    same = [each for each in found if np.array_equal(each[1]["params"], champion)]
    generation, arrays = same[0] if same else found[-1]
    line = _rows(below("line/", arrays), _LINE)
    ancestry_picture(line, generation, f"{run.title}: ancestry of the fittest of generation {generation:,}", path)


def _fossils(run: Record) -> Iterator[tuple[int, Mapping[str, np.ndarray]]]:
    """Yield the generations whose fossils name species, with the fossils' arrays."""
    for generation in run.directory.fossils():
        arrays = run.directory.read_fossil(generation)
        if "species/numbers" not in arrays:
            return
        yield generation, arrays


def _rows(arrays: Mapping[str, np.ndarray], names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
    """Return arrays of a fossil, whole numbers of one length. Raises EvoError for others."""
    rows = [arrays.get(name, np.zeros(0)) for name in names]
    shape = (max(len(rows[0]), 1),)
    if any(row.dtype != np.int64 or row.shape != shape or (row < 0).any() for row in rows):
        raise EvoError(f"a damaged fossil: its {', '.join(names)} are not rows of whole numbers of one length")
    return dict(zip(names, rows, strict=True))


def _no_species(run: Record) -> EvoError:
    return EvoError(f"{run.path} keeps no species: runs of --method neat do")
