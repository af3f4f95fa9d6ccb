"""A function of one's own that takes its time, and no processor: `tests.support.slow_function:slow`."""

import threading

import numpy as np


def slow(x: np.ndarray) -> float:
    threading.Event().wait(0.02)
    return -float(np.sum((x - 1.0) ** 2))
