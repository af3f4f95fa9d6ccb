"""Pictures of a search in species: who lived when, how complex networks became, and the line of one of them."""

import colorsys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from evo.visualize.colours import INK, ORANGE, PALE_ORANGE, TEAL
from evo.visualize.plots import write_figure
from evo.visualize.style import styled

_TURN = 0.61803398875  # of the hue from one species to the next: the golden ratio keeps neighbours apart
_NAMED = 0.06  # species that ever had this share of a population are named
_MARKED = 18  # changes of a line, at most, that are written beside it


@styled
def species_picture(
    generations: np.ndarray,
    censuses: Sequence[tuple[np.ndarray, np.ndarray]],
    metrics: Mapping[str, np.ndarray],
    title: str,
    path: Path,
) -> None:
    """Plot the sizes of species over generations, stacked, and how complex networks became.

    generations: int (censuses,). censuses: numbers of the species alive and their sizes, each (species,). metrics:
    columns of metrics.csv: `generation`, `nodes`, `links`, `complexity`. path: .png, .svg or .pdf. Raises EvoError.
    """
    figure = Figure(figsize=(7.2, 6.0), dpi=120, layout="constrained")
    stream, complexity = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    _draw_stream(stream, generations, censuses)
    stream.set(title=title, ylabel="individuals, by species")
    grown = metrics["generation"]
    complexity.plot(grown, metrics["links"], color=ORANGE, label="links of the fittest")
    complexity.plot(grown, metrics["complexity"], color=PALE_ORANGE, linewidth=1.2, label="links, mean")
    complexity.plot(grown, metrics["nodes"], color=TEAL, label="hidden nodes of the fittest")
    complexity.set(xlabel="generation", ylabel="size of networks", ylim=(0, None))
    complexity.legend(loc="best")
    for axes in (stream, complexity):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(x=0)
    write_figure(figure, path)


def _draw_stream(axes: Axes, generations: np.ndarray, censuses: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Draw sizes of species, the oldest at the bottom, and name those that were once large."""
    numbers = np.unique(np.concatenate([numbers for numbers, _ in censuses]))
    sizes = np.zeros((len(numbers), len(generations)))
    for column, (present, counts) in enumerate(censuses):
        sizes[np.searchsorted(numbers, present), column] = counts
    axes.stackplot(generations, sizes, colors=[colour_of(number) for number in numbers], linewidth=0.3, edgecolor="w")
    whole, tops = sizes.sum(axis=0).max(), np.cumsum(sizes, axis=0)
    for row in np.flatnonzero(sizes.max(axis=1) > _NAMED * whole):
        at = int(np.clip(np.argmax(sizes[row]), len(generations) // 50, len(generations) - 1 - len(generations) // 50))
        style: Any = {"ha": "center", "va": "center", "fontsize": 7.5, "color": INK}
        axes.text(generations[at], tops[row, at] - sizes[row, at] / 2, f"{numbers[row]}", **style)
    axes.set_ylim(0, whole)


@styled
def ancestry_picture(line: Mapping[str, np.ndarray], end: int, title: str, path: Path) -> None:
    """Plot the line of descent of a network: what it gained when, and in which species.

    line: `generations`, `species`, `nodes`, `links`, each (entries,), the oldest first. end: the generation in which it
    lived. path: .png, .svg or .pdf. Raises EvoError.
    """
    figure = Figure(figsize=(7.2, 4.6), dpi=120, layout="constrained")
    sizes, strip = figure.subplots(2, sharex=True, height_ratios=(9, 1))
    born, nodes, links, species = (line[name] for name in ("generations", "nodes", "links", "species"))
    until = np.append(born, max(end, int(born[-1]) + 1))
    for values, colour, label in ((links, ORANGE, "links"), (nodes, TEAL, "hidden nodes")):
        sizes.step(until, np.append(values, values[-1]), where="post", color=colour, linewidth=1.6, label=label)
    colours = [colour_of(number) for number in species]
    sizes.scatter(born, links, c=colours, s=34, edgecolors=INK, linewidths=0.7, zorder=3)
    changed = np.flatnonzero((np.diff(nodes) != 0) | (np.diff(links) != 0)) + 1
    for entry in changed if len(changed) <= _MARKED else ():
        gains = ((nodes[entry] - nodes[entry - 1], "node"), (links[entry] - links[entry - 1], "link"))
        said = "\n".join(f"{gain:+d} {noun}{'' if abs(gain) == 1 else 's'}" for gain, noun in gains if gain)
        style: Any = {"textcoords": "offset points", "fontsize": 7, "color": INK, "ha": "left", "va": "top"}
        sizes.annotate(said, (born[entry], links[entry]), (4, -5), **style)
    sizes.set(title=title, ylabel="size of the network", ylim=(0, 1.18 * max(1, int(links.max()))))
    sizes.yaxis.set_major_locator(MaxNLocator(integer=True))
    sizes.legend(loc="upper left")
    strip.barh(0, np.diff(until), left=born, height=1, color=colours)
    for first in np.flatnonzero(np.diff(species, prepend=-1)):
        strip.text(born[first], 0, f" {species[first]}", va="center", ha="left", fontsize=7.5, clip_on=True)
    strip.set(xlabel="generation", yticks=[], ylim=(-0.5, 0.5))
    strip.set_ylabel("species", rotation=0, ha="right", va="center")
    strip.xaxis.set_major_locator(MaxNLocator(integer=True))
    write_figure(figure, path)


def colour_of(species: int) -> tuple[float, float, float]:
    """Return the colour of a species, by its number, in all pictures."""
    value = 0.93 - 0.16 * (species % 3 == 1)
    return colorsys.hsv_to_rgb((0.52 + _TURN * species) % 1.0, 0.42 + 0.18 * (species % 2), value)
