"""Settings that have a new name are read under the old one: from the user, from files, and in whole old runs."""

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.renamed import RENAMED, rename_settings
from evo.config.resolve import read_config, resolve_config
from evo.envs.notes import note
from evo.learners import METHODS, find_method
from tests.support.places import FIXTURES, ROOT

OLD_RUNS = FIXTURES / "old_runs"  # five generations each, made before the names changed
CLOCKS = {"wall_s", "cpu_s"}


def given(method: str, *settings: tuple[str, Any]) -> Any:
    return resolve_config(settings=settings, flags={"task.name": "sphere", "method.name": method, "task.dim": 3})


@pytest.mark.parametrize("family", RENAMED)
def test_the_table_leads_from_names_that_are_gone_to_names_that_are_there(family: str) -> None:
    task = "xor" if family in ("adam", "sgd") else "cartpole"
    options = resolve_config(flags={"task.name": task, "method.name": family}).method.given.keys()
    options |= set(METHODS[family].constructor().__init__.__kwdefaults__)
    assert options.isdisjoint(RENAMED[family])
    assert options >= set(RENAMED[family].values())


def test_one_old_name_means_what_its_method_meant_by_it() -> None:
    assert given("ars-v1", ("method.step_size", 0.3))["method.learning_rate"] == 0.3
    assert given("cma-es", ("method.step_size", 0.3))["method.sigma"] == 0.3
    assert given("hill-climber", ("method.step_size", 0.3))["method.step"] == 0.3
    assert given("pgpe", ("method.noise", 0.3))["method.sigma"] == 0.3


def test_the_later_of_an_old_and_a_new_name_wins_as_elsewhere() -> None:
    settings = [("method.sigma", 0.1), ("method.step_size", 0.2)]
    assert given("cma-es", *settings)["method.sigma"] == 0.2
    assert given("cma-es", *settings[::-1])["method.sigma"] == 0.1


def test_an_old_name_of_another_method_stays_unknown() -> None:
    with pytest.raises(evo.EvoError, match=r"unknown key 'method\.step_size'"):
        given("ga", ("method.step_size", 0.3))


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("method.mutate", "gaussian:deviation=0.1", "gaussian:sigma=0.1"),
        ("method.mutate", "safe:least=0.1,deviation=0.1", "safe:least=0.1,sigma=0.1"),
        ("method.mutate", "mine:gaussian_like:deviation=0.1", "mine:gaussian_like:deviation=0.1"),
        (
            "method.algorithm",
            "ga:elites=1,population=6,mutate='gaussian:probability=0.5,deviation=0.1'",
            "ga:elites=1,population_size=6,mutate='gaussian:probability=0.5,sigma=0.1'",
        ),
        ("method.algorithm", "ga:population_size=6,select='uniform'", "ga:population_size=6,select='uniform'"),
    ],
)
def test_texts_of_operators_are_read_too(key: str, old: str, new: str) -> None:
    method = find_method("islands")
    assert method is not None
    assert rename_settings({key: old}, method, quiet=True) == {key: new}


def test_the_user_is_told_once_and_a_runs_own_file_is_read_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="evo")
    note.cache_clear()
    for _ in range(2):
        resolve_config(read_config((OLD_RUNS / "pgpe" / "config.toml").read_text(), "config.toml"))
    assert caplog.messages == []
    for _ in range(2):
        given("ars", ("method.step_size", 0.3))
    assert caplog.messages == ["method.step_size is now method.learning_rate"]


def test_reference_runs_are_read_under_the_new_names() -> None:
    found = [*(ROOT / "runs" / "reference").rglob("config.toml")]
    assert len(found) > 100
    for path in found:
        written = read_config(path.read_text(), str(path))
        config = resolve_config(written)
        old = RENAMED.get(METHODS[config["method.name"]].family, {})
        for option, now in old.items():
            if f"method.{option}" in written:
                assert config[f"method.{now}"] == written[f"method.{option}"]
                assert f"method.{option}" not in config.values
        metrics = evo.load(path.parent).metrics
        assert old.keys().isdisjoint(metrics)


@pytest.mark.parametrize("name", sorted(path.name for path in OLD_RUNS.iterdir()))
def test_an_old_run_goes_on_as_if_it_had_never_stopped(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evo.api.running.show", lambda *given: None)  # pictures take seconds
    shutil.copytree(OLD_RUNS / name, tmp_path / "old")
    whole = evo.run(config=OLD_RUNS / name / "config.toml", generations=8, out=tmp_path / "new", video=False)
    assert list(evo.load(tmp_path / "old").metrics) == list(whole.metrics)

    resumed = evo.resume(tmp_path / "old", generations=8, video=False)
    assert resumed.config.values == whole.config.values
    assert (tmp_path / "old" / "metrics.csv").read_text().split("\n")[0] == ",".join(whole.metrics)
    for column in whole.metrics.keys() - CLOCKS:
        if not column.startswith("selection"):  # where a run ends it scores its candidates once more
            # not to the bit: its first generations may be of another processor
            np.testing.assert_allclose(resumed.metrics[column], whole.metrics[column], rtol=1e-9, err_msg=column)
    last, expected = (evo.Champion.load(run.path / "last.npz") for run in (resumed, whole))
    np.testing.assert_allclose(last.params, expected.params, rtol=1e-9)
