"""Charts of how a run learned: returns, losses, values of a function, and a method's own diagnostics."""

from collections.abc import Mapping, Sequence

import numpy as np

from evo.numerics.formatting import ACCURACY
from evo.visualize.charts import Line, Lines, Row
from evo.visualize.colours import ORANGE, PALE_TEAL, TEAL

_Metrics = Mapping[str, np.ndarray]  # columns of metrics.csv


def learning_curve(metrics: _Metrics, unit: str = "env step") -> list[Row]:
    """Return returns over env steps: training returns (of a generation or of recent episodes), and held-out returns.

    unit: of a step.
    """
    steps, mean, spread = metrics["steps"], metrics["mean"], metrics["std"]
    trained = "training returns: mean ± standard deviation"
    lines = [
        Line(steps, metrics["selection"], "offered, held-out episodes", ORANGE, stepped=True),
        Line(steps, mean, trained, TEAL, mean - spread, mean + spread),
        Line(steps, metrics["best"], "training returns: best", PALE_TEAL),
    ]
    return [Row([Lines(f"{unit}s", "return", lines)], 3.2)]


def loss_curve(metrics: _Metrics, metric: str) -> list[Row]:
    """Return the loss on minibatches and the score of candidates on the validation split, over the examples seen.

    metric: what is scored.
    """
    steps, sign = metrics["steps"], 1 if metric == ACCURACY else -1  # bits and errors are plotted as positive numbers
    evolved = not np.array_equal(metrics["best"], metrics["mean"], equal_nan=True)  # backprop has one loss
    losses = [Line(steps, -metrics["mean"], "mean of a generation" if evolved else "mean of an epoch")]
    if evolved:
        losses.append(Line(steps, -metrics["best"], "best of a generation", PALE_TEAL))
    score = [Line(steps, sign * metrics["selection"], "validation split", ORANGE, stepped=True)]
    seen = "examples seen"
    return [Row([Lines(seen, "loss in training", losses, log=True)], 2.4), Row([Lines(seen, metric, score)], 2.4)]


def descent_curve(metrics: _Metrics) -> list[Row]:
    """Return minus the fitness of points over evaluations, on a logarithmic axis; the fitness where some is above 0."""
    steps, best, mean = metrics["steps"], np.maximum.accumulate(metrics["best"]), metrics["mean"]
    below = bool((best <= 0).all())  # true of functions whose best value is known
    found = [(best, "best so far", ORANGE), (mean, "mean of a generation", TEAL)]
    # 0 has no place on a logarithmic axis
    lines = [
        Line(steps, np.where(values < 0, -values, np.nan) if below else values, label, colour)
        for values, label, colour in found
    ]
    up = "distance from the best value" if below else "fitness"
    return [Row([Lines("evaluations", up, lines, log=below and bool((best < 0).any()))], 3.2)]


def diagnostics(metrics: _Metrics, columns: Mapping[str, str], unit: str) -> list[Row]:
    """Return columns of metrics over steps, a chart each. columns: name → what it is, in words."""
    charts = [Lines(f"{unit}s", words, [Line(metrics["steps"], metrics[name])]) for name, words in columns.items()]
    return in_rows(charts, 2, 2.3)


def in_rows(charts: Sequence[Lines], columns: int, height: float) -> list[Row]:
    """Return charts in rows of at most so many; height: inches of a row."""
    return [Row(charts[first : first + columns], height, columns) for first in range(0, len(charts), columns)]
