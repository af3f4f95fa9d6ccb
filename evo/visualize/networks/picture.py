"""Pictures of a network: units by depth from left to right, links coloured by sign and as wide as they are strong."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as Curve
from numpy.typing import NDArray

from evo.errors import printable
from evo.visualize.networks.choice import describe, linked, names_of_inputs, names_of_outputs, strongest
from evo.visualize.networks.diagram import Diagram, Names
from evo.visualize.networks.layout import lay_out
from evo.visualize.networks.signs import mark_of, shape_of
from evo.visualize.plots import write_figure

_POSITIVE, _NEGATIVE, _INK, _PALE = np.array([[217, 101, 47], [42, 140, 154], [38, 54, 60], [250, 251, 251]]) / 255
_MANY_LINKS = 2_000  # of more, the weaker are left out
_LIVE_LINKS = 500  # of more, the weaker are left out of a film
_NAMES = 0.42  # of the width, at most
_DOTS = 72  # a picture is laid out in points, 72 to an inch
_FONT, _LEAST_FONT, _LEAST_SIGN = 9.0, 4.5, 5.5  # points: names and signs that would be smaller are left out
_CURVE = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4]


def draw_network(diagram: Diagram, names: Names, title: str, path: Path) -> None:
    """Draw a network with its biases to a .png, .svg or .pdf. Raises EvoError."""
    longest = max(min(linked(diagram).sum(), diagram.inputs), len(diagram.outputs), 3)
    height = float(np.clip(1.3 + 0.34 * longest, 3.2, 13.0))
    width = float(np.clip(1.15 * height, 6.4, 13.0))
    drawing = _Drawing(diagram, names, width, height, _MANY_LINKS, title)
    drawing.fill(diagram.biases / max(np.abs(diagram.biases).max(initial=0.0), 1e-12))
    write_figure(drawing.figure, path)


class LivePicture:
    """A network in an episode: frames of `width` by `height` pixels, of what its units hold and its links carry.

    activity: float64 (steps, units). The colour of a unit is its value, relative to its largest in the episode.
    """

    def __init__(self, diagram: Diagram, names: Names, activity: np.ndarray, width: int, height: int) -> None:
        scale = 100 * max(height / 360, 0.5) / _DOTS  # pixels of a point: small films have letters of the same share
        self._drawing = _Drawing(diagram, names, width / scale / _DOTS, height / scale / _DOTS, _LIVE_LINKS)
        self._drawing.figure.set_dpi(scale * _DOTS)
        self._values = activity / np.maximum(np.abs(activity).max(axis=0, initial=0.0), 1e-12)
        self._drawing.animate()
        self._shape = (height, width)

    def frame(self, step: int) -> NDArray[np.uint8]:
        """Return the picture of a step, uint8 (height, width, 3)."""
        found = self._drawing.frame(self._values[step])
        height, width = self._shape
        picture = np.full((height, width, 3), 255, np.uint8)
        rows, columns = min(height, found.shape[0]), min(width, found.shape[1])
        picture[:rows, :columns] = found[:rows, :columns]
        return picture


class _Drawing:
    """A figure with a network. width, height: inches. title: "" in a film."""

    def __init__(
        self, diagram: Diagram, names: Names, width: float, height: float, most_links: int, title: str = ""
    ) -> None:
        self.diagram = diagram
        self.figure = Figure(figsize=(width, height), dpi=150)
        self._axes = self.figure.add_axes((0, 0, 1, 1), xlim=(0, width * _DOTS), ylim=(0, height * _DOTS))
        self._axes.axis("off")
        drawn = linked(diagram)
        self._layout = lay_out(diagram, drawn)
        self._drawn = np.flatnonzero(drawn)
        self._place(names, width * _DOTS, height * _DOTS, bool(title))
        self._order = strongest(diagram, drawn, most_links)  # the strongest are drawn last
        self._draw_links()
        self._draw_units()
        self._draw_names(names)
        self._note(title)

    def _place(self, names: Names, width: float, height: float, titled: bool) -> None:
        """Set the position (units, 2), radius and letters, in points."""
        layout, last = self._layout, int(self._layout.columns.max())
        top, bottom = 26.0 if titled else 12.0, 26.0
        edge = 14.0 + 16.0 * bool(layout.back.any())  # arcs of links that lead back need room
        span = height - top - bottom - 2 * edge
        fonts = np.minimum(_FONT, 0.82 * layout.gaps[[0, last]] * span)
        self._fonts = np.where(fonts < _LEAST_FONT, 0.0, fonts)  # of inputs, outputs
        ends = self._input_names(names), names_of_outputs(names, self.diagram).values()
        widest = [max(map(len, found), default=0) for found in ends]
        letters = max(float((0.56 * self._fonts * widest).sum()), 1.0)
        self._fonts *= min(1.0, _NAMES * width / letters)
        left, right = 18 + 0.56 * self._fonts * widest
        across = (width - left - right) / max(last, 1)
        self._radii = np.clip(np.minimum(0.42 * layout.gaps * span, 0.2 * across), 0.8, 12.0)[layout.columns]
        left, right = left + self._radii[0], right + self._radii[self.diagram.outputs[0]]
        x = left + (width - left - right) * layout.columns / max(last, 1)
        y = height - top - edge - layout.heights * span
        self._at, self._low, self._high = np.column_stack([x, y]), bottom, height - top + 6

    def _draw_links(self) -> None:
        diagram, order = self.diagram, self._order
        self._strength = np.abs(diagram.weights[order]) / max(np.abs(diagram.weights).max(initial=0.0), 1e-12)
        self._colours = np.ones((len(order), 4))
        self._colours[:, :3] = np.where(diagram.weights[order, None] >= 0, _POSITIVE, _NEGATIVE)
        crowd = float(np.clip(150 / max(len(order), 1), 0.05, 1.0))  # many links are paler and thinner
        self._colours[:, 3] = np.clip((0.3 + 0.7 * self._strength) * crowd**0.35, 0.05, 1)
        widths = (0.45 + 2.4 * self._strength) * crowd**0.3
        ends = zip(diagram.sources[order], diagram.targets[order], self._layout.back[order], strict=True)
        curves = [Curve(self._curve(*each), _CURVE) for each in ends]
        self.links: Any = PathCollection(
            curves, facecolors="none", edgecolors=self._colours, linewidths=widths, capstyle="round", zorder=1
        )
        self._axes.add_collection(self.links)

    def _curve(self, source: int, target: int, back: bool) -> list[tuple[float, float]]:
        """Return four points of a Bézier curve: an S to the right; an arc for a link that leads back; a loop."""
        (x, y), (u, v), radius = self._at[source], self._at[target], self._radii[source]
        up = 1 if y + v > self._low + self._high else -1
        if source == target:
            side, away, rise = 0.5 * radius, 2.6 * radius, 0.8 * up * radius
            return [(x - side, y + rise), (x - away, y + 4 * rise), (x + away, y + 4 * rise), (x + side, y + rise)]
        if back and x == u:
            reach = 2 * radius + 0.25 * abs(y - v)
            return [(x, y), (x - reach, y), (x - reach, v), (x, v)]
        if back:
            lift, reach = 3 * radius + 0.2 * abs(x - u), 2 * radius + 0.12 * abs(x - u)
            # a curve comes three quarters of the way to its inner points
            return [
                (x, y),
                *((at, self._within(end, up * lift)) for at, end in ((x + reach, y), (u - reach, v))),
                (u, v),
            ]
        reach = 0.42 * (u - x)
        return [(x, y), (x + reach, y), (u - reach, v), (u, v)]

    def _within(self, height: float, lift: float) -> float:
        """Return a height lifted as far as an arc stays in the picture."""
        return float(height + np.clip(lift, (self._low - height) / 0.75, (self._high - height) / 0.75))

    def _draw_units(self) -> None:
        x, y = self._at[self._drawn].T
        self.units: Any = self._axes.scatter(
            x,
            y,
            s=(2 * self._radii[self._drawn]) ** 2,
            c=[tuple(_PALE)],
            edgecolors=[tuple(_INK)],
            linewidths=np.clip(self._radii[self._drawn] / 9, 0.3, 1.1),
            zorder=3,
        )
        lines, widths = [], []
        for unit in self._drawn[self._radii[self._drawn] >= _LEAST_SIGN].tolist():
            at, radius, shape = self._at[unit], self._radii[unit], shape_of(self.diagram.activations[unit])
            if shape is not None:
                lines.append(at + 0.52 * radius * shape)
                widths.append(0.11 * radius)
            if mark := mark_of(self.diagram.aggregations[unit]):
                self._write(at[0], at[1] + radius + 1, mark, 0.7 * radius, "center", "bottom")
        self.signs = LineCollection(lines, colors=[(*_INK, 0.8)], linewidths=widths, zorder=4)
        self._axes.add_collection(self.signs)

    def _write(self, x: float, y: float, text: str, size: float, across: str, along: str = "center") -> None:
        options: Any = {"fontsize": size, "ha": across, "va": along, "color": tuple(_INK), "zorder": 5}
        self._axes.text(x, y, printable(text), **options, parse_math=False)

    def _input_names(self, names: Names) -> list[str]:
        return names_of_inputs(names, self._drawn[self._drawn < self.diagram.inputs])

    def _draw_names(self, names: Names) -> None:
        font, end_font = self._fonts
        for unit, name in zip(self._drawn.tolist() if font else (), self._input_names(names), strict=False):
            self._write(self._at[unit, 0] - self._radii[unit] - 4, self._at[unit, 1], name, font, "right")
        for unit, name in names_of_outputs(names, self.diagram).items() if end_font else ():
            self._write(self._at[unit, 0] + self._radii[unit] + 4, self._at[unit, 1], name, end_font, "left")

    def _note(self, title: str) -> None:
        """Write what is drawn below it, and what its colours mean."""
        diagram = self.diagram
        width, height = self._axes.get_xlim()[1], self._axes.get_ylim()[1]
        size, said = min(7.5, width / 46), f"{describe(diagram, self._drawn, self._order)}; units are filled by bias"
        if title:
            self._write(12, height - 13, title, min(10.0, (width - 24) / (0.56 * len(title))), "left")
        self._write(12, 12, said if title else "units: their value, links: what they carry", size, "left")
        largest, x = np.abs(diagram.weights).max(initial=0.0), width - 14
        for text, colour in ((f"+{largest:.2g}", _POSITIVE), (f"−{largest:.2g}", _NEGATIVE)):
            self._write(x, 12, text, size, "right")
            x -= 0.6 * size * len(text) + 4
            self._axes.add_line(Line2D([x - 16, x], [12, 12], color=tuple(colour), linewidth=2.4))
            x -= 26

    def fill(self, values: np.ndarray) -> None:
        """Colour the units by values, (units,), of -1 to 1."""
        self.units.set_facecolor(_shade(values[self._drawn]))

    def animate(self) -> None:
        """Draw what stays, once: everything but units and links."""
        canvas: Any = FigureCanvasAgg
        self._canvas = canvas(self.figure)
        moving: list[Any] = [self.links, self.units, self.signs]
        for artist in moving:
            artist.set_visible(False)
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(self.figure.bbox)
        for artist in moving:
            artist.set_visible(True)
        self._moving = moving

    def frame(self, values: np.ndarray) -> NDArray[np.uint8]:
        """Return the picture with these values of units, (units,) of -1 to 1, uint8 (height, width, 3)."""
        self.fill(values)
        carried = self._strength * np.abs(values[self.diagram.sources[self._order]])
        colours = self._colours.copy()
        colours[:, 3] *= 0.15 + 0.85 * np.sqrt(carried)
        self.links.set_edgecolor(colours)
        self._canvas.restore_region(self._still)
        for artist in self._moving:
            self._axes.draw_artist(artist)
        return np.asarray(self._canvas.buffer_rgba())[:, :, :3]


def _shade(values: np.ndarray) -> np.ndarray:
    """Return colours, (units, 3), of values of -1 to 1; pale at 0."""
    share = 0.9 * np.clip(np.abs(values), 0, 1)[:, None]
    return _PALE + (np.where(values[:, None] >= 0, _POSITIVE, _NEGATIVE) - _PALE) * share
