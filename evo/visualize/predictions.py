"""Plots of a network's predictions on the test split of its data set."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evo.datasets import Dataset
from evo.datasets.picture import NAME as PICTURE
from evo.numerics.randomness import generator
from evo.problems.supervised import Supervised
from evo.visualize.colours import INK, ORANGE, TEAL
from evo.visualize.painting import beside_its_model
from evo.visualize.plots import write_figure
from evo.visualize.style import styled

_COLUMNS, _ROWS = 6, 5  # of a grid of pictures
_SIDE = 256  # most pixels along a side of a picture
_GRID = 200  # points along a side of a map
_PAINTED = 480  # pixels, the width of a painting beside the pixels that were learned
_WRITTEN, _WIDEST = 1600, 96  # characters


@styled
def answers_picture(problem: Supervised, params: np.ndarray, title: str, path: Path) -> None:
    """Draw examples with their predictions, and for classes a confusion matrix.

    Drawn are pictures, a painting beside the picture that was learned, a map of the plane for two inputs, points along
    the diagonal for numbers, or a text that the network continues. path: .png, .svg or .pdf. Raises EvoError.
    """
    data = problem.dataset
    answers = problem.answers(params, data.test)
    assert answers.outputs is not None
    outputs = answers.outputs[0]
    figure = Figure(figsize=(10.0, 5.2), dpi=120, layout="constrained")
    figure.suptitle(title)
    if data.name == PICTURE:
        beside_its_model(figure.subplots(1, 2), problem, params, _PAINTED)
    elif data.symbols and data.predictions == data.steps:
        _writing(figure.subplots(), problem, params)
    elif not data.labels:
        _diagonal(figure.subplots(), data, outputs)
    else:
        parts: Any = figure.subfigures(1, 2, width_ratios=(1.3, 1.0))
        shown, confused = parts
        if _picture_shape(data) is not None:
            _pictures(shown.subplots(), data, outputs[:, -1].argmax(axis=1))
        elif data.steps * math.prod(data.shape) == 2:
            _map(shown.subplots(), problem, params)
        else:
            _shares(shown.subplots(), data, outputs[:, -1].argmax(axis=1))
        _confusion(confused.subplots(), data, outputs[:, -1].argmax(axis=1))
    write_figure(figure, path)


def _picture_shape(data: Dataset) -> tuple[int, ...] | None:
    """Return height, width and channels of an example, whose rows may be steps; None where it is no picture."""
    shape = data.shape if data.steps == 1 else (data.steps, *data.shape)
    if len(shape) == 2 and min(shape) > 3:
        shape = (*shape, 1)
    return shape if len(shape) == 3 and shape[2] in (1, 3) else None


def _pictures(axes: Axes, data: Dataset, taken: np.ndarray) -> None:
    """Draw the first examples, and below them the first that were misclassified."""
    whole, truth = _picture_shape(data), data.test.targets[:, -1, 0].astype(int)
    assert whole is not None
    every = -(-max(whole[:2]) // _SIDE)  # of large pictures every so many pixels
    shape = -(-whole[0] // every), -(-whole[1] // every), whole[2]
    right = np.arange(len(truth))[: _ROWS // 2 * _COLUMNS]
    wrong = np.flatnonzero(taken != truth)[: _COLUMNS * _ROWS - len(right)]
    axes.set_title("the first of the test split, and the first wrong answers")
    # one image of all: so many axes of their own would take seconds to lay out
    gap = 1 + max(shape[:2]) // 4
    cell = max(shape[:2]) + gap
    sheet = np.ones((_ROWS * cell, _COLUMNS * cell, shape[2]))
    for place, index in enumerate([*right, *wrong]):
        top, left = place // _COLUMNS * cell + gap, place % _COLUMNS * cell + (cell - shape[1]) // 2
        picture = np.clip(data.test.inputs[index].reshape(whole)[::every, ::every], 0.0, 1.0)
        sheet[top : top + shape[0], left : left + shape[1]] = 1.0 - picture if shape[2] == 1 else picture
        good = taken[index] == truth[index]
        name = data.labels[taken[index]] if good else f"{data.labels[taken[index]]}, not {data.labels[truth[index]]}"
        colour = TEAL if good else ORANGE
        axes.text(left + shape[1] / 2, top - gap / 5, name, fontsize=7, color=colour, ha="center")
    axes.imshow(sheet.squeeze(), cmap="gray", vmin=0, vmax=1)
    axes.axis("off")


def _map(axes: Axes, problem: Supervised, params: np.ndarray) -> None:
    """Draw the predicted class all over the plane, and the examples of the test split on it."""
    data = problem.dataset
    points, truth = data.test.inputs.reshape(-1, 2), data.test.targets[:, -1, 0]
    reach = 1.1 * float(np.abs(points).max())
    line = np.linspace(-reach, reach, _GRID)
    plane = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    outputs = problem.answers(params, problem.prepare_inputs(plane)).outputs
    assert outputs is not None
    answered = outputs[0, :, -1].argmax(axis=1).reshape(_GRID, _GRID)
    axes.imshow(answered, extent=(-reach, reach, -reach, reach), origin="lower", cmap="coolwarm", alpha=0.5)
    axes.grid(visible=False)
    axes.scatter(points[:, 0], points[:, 1], 22, truth, cmap="coolwarm", edgecolors="white", linewidths=0.5)
    axes.set(xlabel="first number", ylabel="second number", title="what is answered where")


def _diagonal(axes: Axes, data: Dataset, outputs: np.ndarray) -> None:
    told, truth = (values.ravel() * data.scale + data.offset for values in (outputs, data.test.targets))
    ends = min(told.min(), truth.min()), max(told.max(), truth.max())
    axes.plot(ends, ends, color=INK, linewidth=1, alpha=0.5)
    axes.scatter(truth, told, color=TEAL, s=14, alpha=0.7, linewidths=0)
    axes.set(xlabel=f"truth, {data.unit}" if data.unit else "truth", ylabel="answer")


def _shares(axes: Axes, data: Dataset, taken: np.ndarray) -> None:
    """Draw the share of each class that was recognised."""
    truth = data.test.targets[:, -1, 0].astype(int)
    shares = [
        float(np.mean(taken[truth == label] == label)) if np.any(truth == label) else 0.0
        for label in range(len(data.labels))
    ]
    axes.barh(range(len(shares)), shares, color=TEAL)
    axes.set(yticks=range(len(shares)), yticklabels=data.labels, xlim=(0, 1), xlabel="share recognised")
    axes.invert_yaxis()


def _confusion(axes: Axes, data: Dataset, taken: np.ndarray) -> None:
    """Draw the confusion matrix: how many of each class were predicted as which."""
    truth, count = data.test.targets[:, -1, 0].astype(int), len(data.labels)
    table = np.zeros((count, count), int)
    np.add.at(table, (truth, taken), 1)
    axes.imshow(np.sqrt(table), cmap="GnBu", vmin=0)  # the square root keeps few errors visible beside many hits
    axes.grid(visible=False)
    if count <= 12:
        for row, column in np.argwhere(table):
            dark = table[row, column] > 0.3 * table.max()
            axes.text(
                column, row, table[row, column], ha="center", va="center", fontsize=7, color="white" if dark else INK
            )
    ticks = range(count) if count <= 30 else range(0, count, -(-count // 20))
    names = [data.labels[index] for index in ticks]
    axes.set_xticks(ticks, names, rotation=90 if max(map(len, names)) > 2 else 0, fontsize=7)
    axes.set_yticks(ticks, names, fontsize=7)
    axes.set(xlabel="answer", ylabel="truth")
    axes.set_title("answers to each class, number of examples")


def _writing(axes: Axes, problem: Supervised, params: np.ndarray) -> None:
    """Draw the text with which the network continues the first example of the test split."""
    data = problem.dataset
    begun = data.test.inputs[0].ravel()
    text = "".join(data.labels[int(symbol)] for symbol in begun) + "▸" + continue_text(problem, params, begun, _WRITTEN)
    text = text.replace("\n", "⏎")
    lines = [text[first : first + _WIDEST] for first in range(0, len(text), _WIDEST)]
    axes.axis("off")
    axes.text(0.0, 1.0, "\n".join(lines), family="monospace", fontsize=12, va="top", linespacing=1.5, color=INK)


def continue_text(problem: Supervised, params: np.ndarray, begun: np.ndarray, count: int) -> str:
    """Return `count` symbols with which a network on a text continues `begun`, indices of symbols (steps,).

    They are sampled one after the other from its softmax, with a fixed seed.
    """
    random, symbols = generator(0, "writing"), list(begun)
    data = problem.dataset
    for _ in range(count):
        outputs = problem.answers(params, problem.prepare_inputs(np.array([symbols[-len(begun) :]]))).outputs
        assert outputs is not None
        scores = outputs[0, 0, -1].astype(np.float64)
        shares = np.exp(scores - scores.max())
        symbols.append(random.choice(len(shares), p=shares / shares.sum()))
    return "".join(data.labels[int(symbol)] for symbol in symbols[len(begun) :])
