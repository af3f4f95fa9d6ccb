"""What a command may import, imported before the forks of `tests.support.forks`."""

import matplotlib.pyplot  # noqa: F401
import scipy.optimize  # noqa: F401

import evo.api.running
import evo.benchmarks.bench
import evo.cli
import evo.comparison.compare
import evo.diagnosis.doctor
import evo.runs.display  # noqa: F401
