"""The number of threads of BLAS."""

import functools
from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import ThreadpoolController


@functools.cache
def _controller() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  # the controller knows what is loaded by now: NumPy's BLAS, and then scipy's too

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Limit BLAS to one thread inside the context: with two threads the bits of a product differ."""
    return _controller().limit(limits=1, user_api="blas")
