"""Recovery from damage: the same on any number of threads, a gait that replays with the damage, clear errors."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import evo
from evo.cli import app
from evo.runs.champion import Champion
from evo.runs.recovery import Recovery, name_damage

LEG = "hind_left_thigh"
SETTINGS = {"method.archive": "cvt:24", "method.population_size": 10, "evaluation.report_episodes": 4}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    path = tmp_path_factory.mktemp("recovery") / "run"
    options = {**SETTINGS, "evaluation.selection_episodes": 2, "task.steps": 50}
    return evo.run(
        "quadruped", method="map-elites", network="linear", generations=3, out=path, video=False, settings=options
    )


@pytest.fixture(scope="module")
def found(walked: evo.Run) -> Recovery:
    return walked.recover(LEG, trials=5, threads=1, out=walked.path / "recovered" / f"{LEG}.npz")


def test_trials_are_elites_of_the_map_and_the_best_of_them_is_found(walked: evo.Run, found: Recovery) -> None:
    archive = walked.archive
    first = int(np.argmax(archive.corrected_fitness))
    assert found.trials[0].cell == archive.label(first)
    np.testing.assert_allclose(found.trials[0].expected, archive.corrected_fitness[first], rtol=1e-12)
    assert 1 <= len(found.trials) <= 5 and (found.satisfied or len(found.trials) == 5)
    assert found.best == int(np.argmax([max(0.0, one.measured) for one in found.trials]))
    elite = walked.elite(found.trials[found.best].cell)
    np.testing.assert_array_equal(found.champion.params, elite.params)
    again = elite.evaluate(100, options={"removed": LEG})
    np.testing.assert_array_equal(found.recovered.returns, again.returns)
    np.testing.assert_array_equal(found.whole.returns, walked.champion.evaluate(100).returns)
    np.testing.assert_array_equal(
        found.damaged.returns, walked.champion.evaluate(100, options={"removed": LEG}).returns
    )


def test_it_is_the_same_on_any_number_of_threads(walked: evo.Run, found: Recovery) -> None:
    again = walked.recover(LEG, trials=5, threads=2)
    assert again.csv() == found.csv() and again.champion.digest == found.champion.digest


def test_the_gait_found_is_a_champion_of_the_damaged_creature(walked: evo.Run, found: Recovery) -> None:
    path = walked.path / "recovered" / f"{LEG}.npz"
    champion = Champion.load(path)
    assert champion.task_options["removed"] == LEG and champion.digest == found.champion.digest
    assert champion.verify().exact
    np.testing.assert_array_equal(champion.report_returns, found.recovered.returns)
    rows = list(csv.DictReader(path.with_suffix(".csv").read_text().splitlines()))
    assert [row["cell"] for row in rows] == [one.cell for one in found.trials]
    assert [float(row["measured"]) for row in rows] == [one.measured for one in found.trials]


def test_the_command_prints_trials_and_writes_where_it_says(walked: evo.Run, found: Recovery, tmp_path: Path) -> None:
    out = tmp_path / "gait.npz"
    done = CliRunner().invoke(app, ["recover", str(walked.path), "--lose", LEG, "--trials", "5", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"trial 1   cell {found.trials[0].cell}: expected" in done.output
    assert f"recovered, cell {found.trials[found.best].cell}" in done.output
    assert out.with_suffix(".csv").read_text() == found.csv()
    shown = CliRunner().invoke(app, ["replay", str(out), "--out", str(tmp_path / "gait.png"), "--seconds", "1"])
    assert shown.exit_code == 0 and "reproduces its score exactly" in shown.output, shown.output


def test_other_damage_is_an_option_of_the_task(walked: evo.Run) -> None:
    weak = walked.recover(options={"strength": 0.5}, trials=2)
    assert weak.champion.task_options["strength"] == 0.5 and weak.damage == {"strength": 0.5}
    assert name_damage(f"{LEG}, trunk", {"strength": 0.5}) == f"{LEG}-trunk-strength-0.5"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"lose": "hind_left"}, "has no limb 'hind_left'; did you mean 'hind_left_thigh'?"),
        ({"lose": "torso,wing"}, "has no limb 'torso'"),
        ({}, "nothing is lost: give lose, one of front_left_thigh, front_right_thigh, hind_left_thigh"),
        ({"lose": LEG, "trials": 0}, "trials must be between 1 and 1,000, got 0"),
        ({"lose": LEG, "out": "gait.mp4"}, "written to a .npz file, and gait.mp4 is none"),
        ({"options": {"strenght": 0.5}}, "did you mean"),
    ],
)
def test_damage_that_there_is_not_is_one_clear_line(walked: evo.Run, words: dict[str, Any], said: str) -> None:
    with pytest.raises(evo.EvoError) as error:
        walked.recover(**words)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_the_runs_own_files_are_not_written_over(walked: evo.Run) -> None:
    before = walked.directory.champion_path.read_bytes()
    with pytest.raises(evo.EvoError, match="lies among the run's own files"):
        walked.recover(LEG, out=walked.path / "champion.npz")
    assert walked.directory.champion_path.read_bytes() == before


def test_a_run_without_a_map_or_a_body_is_refused(tmp_path: Path) -> None:
    mapless = evo.run("rastrigin", dim=2, method="ga", generations=1, out=tmp_path / "mapless", video=False)
    with pytest.raises(evo.EvoError, match="holds no archive: its method fills none"):
        mapless.recover(LEG)
    settings = {"method.archive": "grid:4"}
    function = evo.run(
        "projected-sphere",
        dim=4,
        method="map-elites",
        generations=2,
        out=tmp_path / "f",
        video=False,
        settings=settings,
    )
    with pytest.raises(evo.EvoError, match="is a function"):
        function.recover(LEG)
