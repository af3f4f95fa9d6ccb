"""What all tests share: nothing is judged by how fast this machine is."""

from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("evo", deadline=None)  # the first example may wait for the compiler
hypothesis.settings.load_profile("evo")


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run on cart-pole, finished: to be read, and not written to."""
    import evo

    path = tmp_path_factory.mktemp("finished") / "run"
    few = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
    evo.run("cartpole", generations=3, seed=4, out=path, video=False, threads=1, settings=few)
    return path
