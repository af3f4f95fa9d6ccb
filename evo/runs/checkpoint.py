"""The learner of a run, as a checkpoint left it."""

from collections.abc import Mapping

import numpy as np

from evo.config.build import make_learner
from evo.config.config import Config
from evo.config.renamed import rename_state
from evo.errors import EvoError
from evo.evaluation.workers import Workers
from evo.learners import find_method
from evo.learners.learner import Learner
from evo.runs.training import Progress, restore
from evo.runs.warm_start import start_of
from evo.storage.paths import command
from evo.storage.run_directory import RunDirectory


def restore_learner(
    config: Config, directory: RunDirectory, state: Mapping[str, np.ndarray] | None, workers: Workers
) -> tuple[Learner, Progress]:
    """Return the learner of a run and the loop's own part, as in `state`; as before the first generation without one.

    Raises EvoError where the state does not fit the configuration.
    """
    champion = start_of(config, directory.path)
    learner = make_learner(config, workers, None if champion is None else champion.candidate)
    if state is None:
        return learner, Progress()
    method = find_method(config.method.name)
    assert method is not None
    try:
        return learner, restore(learner, rename_state(state, method))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        again = command("run", "--from", directory.path, config=directory.config_text)
        raise EvoError(
            f"the checkpoint of {directory.path} does not fit its config.toml, or another version of evo made it "
            f"({error}); `{again}` begins anew from its champion"
        ) from error
