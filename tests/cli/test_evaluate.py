"""`evo evaluate`: a champion on other episodes, options and splits."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import evo
from evo.cli import app
from evo.errors import EvoError
from evo.numerics.running_statistics import standard_error
from tests.support.places import REFERENCE
from tests.support.slices import Elsewhere


def evaluated(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    app(["evaluate", *map(str, words)], standalone_mode=False)
    return capsys.readouterr().out


def test_its_returns_are_those_of_the_episodes_seeds(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(evaluated(capsys, finished_run, "--episodes", 5, "--seed", 40, "--json"))
    champion = evo.load(finished_run).champion
    returns = evo.evaluate(
        champion.task, champion.network, champion.params, 5, seed=40, statistics=champion.statistics
    )[0]
    assert record["returns"] == returns.tolist()
    assert record["mean"] == returns.mean() and record["worst"] == returns.min() and record["best"] == returns.max()
    assert record["standard_error"] == standard_error(returns)
    assert record["length"] == returns.mean()  # a reward of 1 a step
    assert record["candidate"] == "champion" and record["generation"] == champion.generation
    text = evaluated(capsys, finished_run, "--episodes", 5, "--seed", 40)
    assert f"{returns.mean():.1f} ± {standard_error(returns):.1f}" in text and "mean ± standard error" in text


def test_by_default_it_repeats_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(evaluated(capsys, REFERENCE / "cartpole" / "champion.npz", "--json"))
    assert record["episodes"] == 100
    assert record["returns"] == evo.Champion.load(REFERENCE / "cartpole" / "champion.npz").report_returns.tolist()  # type: ignore[union-attr]


def test_other_options_and_what_was_learned_last(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = json.loads(evaluated(capsys, finished_run, "-e", 3, "--set", "task.steps=4", "--last", "--json"))
    assert short["returns"] == [4.0, 4.0, 4.0] and short["candidate"] == "last"
    champion = evo.load(finished_run).champion
    assert champion.evaluate(3, options={"steps": 4}).returns.tolist() == short["returns"]
    assert champion.task_options["steps"] != 4
    with pytest.raises(EvoError, match=r"did you mean 'task\.steps'"):
        evaluated(capsys, finished_run, "--set", "task.step=4")
    with pytest.raises(EvoError, match="other options of its task"):
        evaluated(capsys, finished_run, "--set", "seed=4")
    with pytest.raises(EvoError, match="is a champion alone"):
        evaluated(capsys, finished_run / "champion.npz", "--last")


def test_options_that_change_what_it_sees_are_refused() -> None:
    champion = evo.Champion.load(REFERENCE / "half-cheetah" / "champion.npz")
    with pytest.raises(
        EvoError,
        match=r"task.exclude_current_positions_from_observation=False: .* does not fit: 102 parameters; .* has 108$",
    ):
        champion.evaluate(1, options={"exclude_current_positions_from_observation": False})


def test_a_data_set_has_splits_and_a_function_one_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digits = REFERENCE / "digits"
    record = json.loads(evaluated(capsys, digits, "--split", "validation", "--json"))
    champion = evo.load(digits).champion
    assert record["mean"] == champion.score and record["episodes"] == 1 and record["standard_error"] is None
    assert f"{100 * champion.score:.1f} % accuracy" in evaluated(capsys, digits, "--split", "validation")
    for words, said in (
        (["--episodes", "3"], "takes no episodes"),
        (["--seed", "3"], "takes no seed"),
        (["--split", "tset"], "did you mean 'test'"),
    ):
        with pytest.raises(EvoError, match=said):
            evaluated(capsys, digits, *words)
    path = tmp_path / "run"
    run = evo.run("sphere", dim=2, steps=60, out=path, video=False, threads=1)
    assert json.loads(evaluated(capsys, path, "--json"))["returns"] == [run.champion.score]
    with pytest.raises(EvoError, match="deterministic: one evaluation is exact"):
        evaluated(capsys, path, "--episodes", 3)
    with pytest.raises(EvoError, match="has episodes and no splits"):
        evaluated(capsys, path, "--split", "test")


def test_where_a_champion_gets_to() -> None:
    from evo.runs.fitness import Fitness

    walked = Fitness(np.array([1.0, 2.0]), steps=6, measures={"x": 8.378, "y": -0.5, "power": 69.1})
    assert walked.whereabouts() == "it ends at x = 8.38 m, y = -0.50 m on average"
    assert ("power", "69.1 W") in walked.lines() and walked.record()["measures"]["x"] == 8.378
    assert Fitness(np.array([1.0]), measures={"x": 0.1}).whereabouts().endswith(", about where it began")
    assert Fitness(np.array([1.0])).whereabouts() == ""


def test_numbers_that_are_none_are_null() -> None:
    from evo.runs.fitness import Fitness

    record = Fitness(np.array([1.0, math.nan, 3.0]), steps=6).record()
    assert record["returns"] == [1.0, None, 3.0] and record["mean"] is None and record["failed"] == 1
    assert (record["worst"], record["best"], record["length"]) == (1.0, 3.0, 2.0)


def test_workers_are_given_by_name(
    finished_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Elsewhere()
    monkeypatch.setattr("evo.cluster.named.workers_by_name", lambda text, threads: {"ray:here": used}[text])
    words = finished_run, "--episodes", 5, "--json"
    assert evaluated(capsys, *words, "--workers", "ray:here") == evaluated(capsys, *words)
    assert used.count
    assert evo.load(finished_run).champion.evaluate(3, workers="ray:here").returns.shape == (3,)


def test_a_split_is_scored_here(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EvoError, match=r"is scored on a split in this process alone: leave out --workers$"):
        evaluated(capsys, REFERENCE / "digits", "--workers", "ray")
