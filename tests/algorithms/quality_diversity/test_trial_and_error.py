"""Intelligent trial and error: which elite comes next, when it ends, and that it finds what still works."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evo.algorithms.quality_diversity.cells import Grid
from evo.algorithms.quality_diversity.trial_and_error import TrialAndError

MAP = Grid((20, 20)).centres()


def test_the_first_trial_is_the_best_that_the_map_knows() -> None:
    search = TrialAndError(MAP, np.linspace(0.0, 1.0, len(MAP)))
    assert search.choose() == len(MAP) - 1 and not search.satisfied


def test_it_chooses_by_the_upper_confidence_bound_and_the_first_of_equals() -> None:
    """Two elites far apart: the second is worse by less than the bonus of one that is not tried, 0.05."""
    far = np.array([[0.0, 0.0], [100.0, 0.0]])
    for worse, chosen in ((0.04, 1), (0.06, 0)):
        search = TrialAndError(far, np.array([1.0, 1.0 - worse]))
        search.tell(0, 1.0)
        # the deviation left at a tried elite: 1 - 1 / 1.001 of the variance, 0.0316
        assert search.choose() == (1 if worse < 0.05 * (1 - np.sqrt(1 - 1 / 1.001)) else 0) == chosen
    assert TrialAndError(far, np.ones(2)).choose() == 0


def test_it_ends_with_nine_tenths_of_the_best_expected() -> None:
    far = np.array([[0.0, 0.0], [100.0, 0.0]])
    for performance, satisfied in ((0.73, True), (0.71, False)):
        search = TrialAndError(far, np.array([1.0, 0.8]))
        search.tell(0, performance)
        assert search.satisfied == satisfied
    search.tell(1, 0.9)
    assert search.satisfied and search.tried[search.best] == 1


@given(seed=st.integers(0, 2**32), side=st.integers(0, 3))
def test_a_map_of_which_half_has_become_useless_is_recovered_in_a_dozen_trials(seed: int, side: int) -> None:
    """Many elites are about as good; the half in which the best are is worth nothing now, the other is as it was."""
    random = np.random.default_rng(seed)
    along = (MAP[:, side // 2] - 0.5) * (1 if side % 2 else -1)  # above 0 in the half that is lost
    known = 0.9 + 0.1 * np.tanh(4 * along) + 0.02 * random.standard_normal(len(MAP))
    now = np.where(along > 0, 0.0, known)
    search = TrialAndError(MAP, known)
    while len(search.tried) < 12 and not search.satisfied:
        chosen = search.choose()
        search.tell(chosen, now[chosen] + 0.01 * random.standard_normal())
    assert now[search.tried[0]] == 0.0  # what would be done without adaptation
    assert search.satisfied and now[search.tried[search.best]] >= 0.8 * now.max()


def test_the_same_trials_lead_to_the_same_choice() -> None:
    chosen = []
    for _ in range(2):
        search = TrialAndError(MAP, np.cos(7 * MAP[:, 0]) + MAP[:, 1])
        for _ in range(10):
            search.tell(search.choose(), 0.1)
        chosen.append((search.tried, search.process.mean.tobytes()))
    assert chosen[0] == chosen[1] and len(set(chosen[0][0])) > 5
