"""A policy that draws: normally around a network's outputs, with one deviation in all states, or a choice."""

import math

import numpy as np

from evo.autodiff import Node
from evo.evaluation.exploration import Draw, gaussian, softmax


def log_density(outputs: Node, actions: Node, log_deviation: Node) -> Node:
    """Return the logarithm of the density of actions, (rows, 1).

    outputs, actions: (rows, actions), the means and what was drawn. log_deviation: (1, actions).
    """
    score = (actions - outputs) * (-log_deviation).exp()
    return (score * score).total() * -0.5 - (log_deviation + 0.5 * math.log(2.0 * math.pi)).total()


def drawing(log_deviation: np.ndarray) -> tuple[Draw, np.ndarray | None]:
    """Return how actions are drawn, and its numbers: a choice where there are no deviations."""
    return (gaussian, np.exp(log_deviation.astype(np.float64))) if len(log_deviation) else (softmax, None)
