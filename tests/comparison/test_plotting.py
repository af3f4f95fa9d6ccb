"""Several runs in one plot: seeds of equal settings are one group, whose curve is the comparison's."""

from pathlib import Path

import numpy as np
import pytest

import evo
from evo.comparison.curves import curve
from evo.comparison.member import read_member
from evo.comparison.plotting import _groups, _overlay, _subject, _together
from evo.comparison.statistics import interquartile_mean
from evo.errors import EvoError
from evo.runs.plots.page import KINDS
from evo.runs.plots.progress import FITNESS
from evo.runs.plots.subject import Subject
from evo.visualize.charts import Lines
from evo.visualize.colours import PALETTE
from tests.support.places import REFERENCE

_STUDY = REFERENCE / "studies" / "swimmer-linear"
_RUNS = [_STUDY / f"{method}-seed{seed}" for method in ("ars", "ga") for seed in (100, 101, 102, 103, 104)]


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    from evo.comparison.plotting import _grouped

    return _grouped([_subject(path, None, False) for path in _RUNS])


def test_runs_that_differ_in_their_seeds_share_a_colour(subjects: list[Subject]) -> None:
    assert [(len(group), group[0].label) for group in _groups(subjects)] == [(5, "ars"), (5, "ga")]
    assert [{one.colour for one in group} for group in _groups(subjects)] == [{PALETTE[0]}, {PALETTE[1]}]


def test_the_curve_of_a_group_is_the_comparisons(subjects: list[Subject]) -> None:
    (row,) = _overlay(FITNESS, subjects)
    (chart,) = row.charts
    assert isinstance(chart, Lines) and chart.across == "env steps"
    for colour, paths in ((PALETTE[0], _RUNS[:5]), (PALETTE[1], _RUNS[5:])):
        scores = [read_member(path).scores("steps") for path in paths]
        middle, *seeds = [line for line in chart.lines if line.colour == colour]
        whole = curve(scores)
        np.testing.assert_array_equal(middle.x, whole.clock)
        np.testing.assert_array_equal(middle.low, whole.low)
        np.testing.assert_array_equal(middle.high, whole.high)
        # at the end of the shortest run, by hand
        last = [score[np.flatnonzero(time <= middle.x[-1])[-1]] for time, score in scores]
        assert middle.y[-1] == pytest.approx(interquartile_mean(last), rel=1e-12)
        assert len(seeds) == 5 and all(line.faint for line in seeds)


def test_several_runs_are_one_page(tmp_path: Path) -> None:
    path = tmp_path / "both.svg"
    plot = evo.plot(_RUNS[0], _RUNS[1], _RUNS[5], kind="fitness,path,phase,effort", out=path, seconds=2.0)
    text = path.read_text()
    for words in ("ars, 2 seeds", "ga", "held-out return", "path of the centre of mass, from above", "motor1 rot"):
        assert f"<!-- {words} -->" in text
    assert "<!-- ars, seed 101: joint torques, the first 2 s of 40 s -->" in text
    assert plot.text().startswith("Swimmer-v5\n\n* ars, 2 seeds\no ga\n")


def test_runs_of_unlike_tasks_share_what_suits_them_all() -> None:
    both = [REFERENCE / "quadruped", REFERENCE / "cartpole"]
    given = [_subject(path, None, False) for path in both]
    text = _together(given, ["fitness"], 1.0).text(80)
    assert "evo/Quadruped-v0 ars" in text and "evo/CartPole-v0" in text
    with pytest.raises(EvoError, match="phase portraits are of one body: evo/CartPole-v0 has other joints"):
        _together(given, ["phase"], 1.0)
    with pytest.raises(EvoError, match="CartPole-v0 has no feet"):
        _together(given, ["gait"], 1.0)
    with pytest.raises(EvoError, match=r"counts examples, not env steps"):
        evo.plot(REFERENCE / "quadruped", REFERENCE / "digits", kind="fitness")
    with pytest.raises(EvoError, match="network is drawn of one run, and here are 2: plot them one by one"):
        evo.plot(*both, kind="network")
    assert KINDS["gait"].fits(given[0]) and not KINDS["gait"].fits(given[1])


def test_no_run_and_bad_numbers_are_refused() -> None:
    with pytest.raises(EvoError, match="a plot of 0 runs: name 1 to 200"):
        evo.plot()
    for options, words in (
        ({"seconds": 0.0}, "seconds must be more than 0"),
        ({"seed": -1}, "seed must be at least 0"),
    ):
        with pytest.raises(EvoError, match=words):
            evo.plot(_RUNS[0], **options)  # type: ignore[arg-type]
