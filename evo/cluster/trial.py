"""A machine's trial for whole runs: what their bits depend on, and a digest of numbers that are computed there."""

import functools
import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple

import numpy as np

from evo.config.build import make_problem
from evo.config.config import Config
from evo.evaluation.workers import Threads
from evo.numerics.blas_threads import one_thread
from evo.numerics.platform_facts import platform_facts
from evo.numerics.randomness import generator, selection_seeds
from evo.problems.problem import evaluate_alone
from evo.version import __version__

_SIZES = 3, 16, 33, 100  # of matrices: BLAS has code of its own for small ones, and for the rests of blocks


class MachineTrial(NamedTuple):
    """What a machine answers: facts that name how machines differ, and the digest, equal where they compute alike."""

    facts: Mapping[str, str]
    digest: str


def try_machine(config: Config) -> MachineTrial:
    """Return this machine's trial for a run.

    The digest covers an episode of the run's own problem, as it is scored, with parameters that every run of it has,
    and the products and decompositions that updates are made of: their bits depend on the kernel that BLAS has for the
    processor. Another version of evo has another digest, as its methods may compute something else. Compiles what is
    not compiled yet. Raises EvoError, EngineError.
    """
    problem = make_problem(config, Threads(1), training=False)
    problem.prepare()
    params = problem.initial(generator(0, "trial of a machine"))
    returns = evaluate_alone(problem, params, problem.no_statistics(), selection_seeds(1)).returns
    facts, digest = _updates()
    return MachineTrial(facts, hashlib.sha256(digest + returns.tobytes()).hexdigest())


@functools.cache
def _updates() -> tuple[Mapping[str, str], bytes]:
    """Return what bits of runs depend on, and a digest of what updates compute."""
    import scipy.linalg
    from threadpoolctl import threadpool_info

    digest = hashlib.sha256(__version__.encode())  # the episode and the products do not tell what methods do
    with one_thread():
        for size in _SIZES:
            numbers = generator(0, "matrices of a trial", size).standard_normal((2, size, size))
            for first, second in (numbers, numbers.astype(np.float32)):
                gemm = scipy.linalg.blas.get_blas_funcs("gemm", (first, second))
                products = first @ second, first @ second[0], gemm(1.0, first, second)
                for result in (*products, *np.linalg.eigh(first @ first.T), np.exp(first), np.tanh(first)):
                    digest.update(result.tobytes())
    kernels = [f"{one['internal_api']} {one['architecture']}" for one in threadpool_info() if "architecture" in one]
    facts = {
        "evo": __version__,
        **platform_facts(),
        "scipy": version("scipy"),
        "BLAS": ", ".join(dict.fromkeys(kernels)) or "unknown",
    }
    return facts, digest.digest()
