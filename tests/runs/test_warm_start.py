"""Bridges: a run that begins from the champion of another, whatever the method of either."""

from pathlib import Path

import numpy as np
import pytest

import evo
from evo.errors import EvoError

PPO = {"method.environments": 2, "method.horizon": 64, "method.epochs": 1, "evaluation.report_episodes": 5}


@pytest.fixture(scope="module")
def evolved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("start") / "evolved"
    options = {
        "task.force": 9.0,
        "method.population_size": 16,
        "method.select": "truncation:truncation=4",
        "evaluation.report_episodes": 5,
    }
    evo.run("cartpole", method="ga", network="mlp:8", generations=3, out=path, video=False, settings=options)
    return path


@pytest.mark.parametrize("method", ["ppo", "ars", "openai-es", "ga"])
def test_a_run_begins_from_a_champion_on_its_task_with_its_network(evolved: Path, method: str, tmp_path: Path) -> None:
    before = evo.load(evolved).champion
    settings = PPO if method == "ppo" else {"evaluation.report_episodes": 5}
    begun = evo.run(start=evolved, method=method, generations=0, out=tmp_path / "run", video=False, settings=settings)
    champion = begun.champion
    assert (champion.task_name, champion.network_text) == ("evo/CartPole-v0", "mlp:8")
    assert champion.task_options["force"] == 9.0
    np.testing.assert_array_equal(champion.params, before.params)
    assert champion.digest == before.digest == begun.config["start.digest"]
    assert champion.score == before.score


def test_ppo_goes_on_and_a_population_goes_on_from_it(evolved: Path, tmp_path: Path) -> None:
    trained = evo.run(start=evolved, method="ppo", generations=3, out=tmp_path / "a", video=False, settings=PPO)
    assert trained.metrics["steps"][-1] == 3 * 128
    # what was seen before counts on
    before, after = (path.champion.candidate.statistics.count for path in (evo.load(evolved), trained))
    assert after >= before > 0
    again = evo.run(start=tmp_path / "a", method="openai-es", generations=2, out=tmp_path / "b", video=False)
    assert again.config["start.champion"] == str(tmp_path / "a")
    anew = evo.run("cartpole", method="openai-es", network="mlp:8", generations=2, out=tmp_path / "c", video=False)
    # two generations do not lead far
    came, alone = (np.abs(run.champion.params - trained.champion.params).max() for run in (again, anew))
    assert came < 0.1 < alone


def test_its_configuration_repeats_it_and_a_copy_serves_to_resume(evolved: Path, tmp_path: Path) -> None:
    source = tmp_path / "source.npz"
    evo.load(evolved).champion.save(source)
    first = evo.run(start=source, method="ppo", generations=2, out=tmp_path / "a", video=False, settings=PPO)
    repeated = evo.run(config=tmp_path / "a" / "config.toml", out=tmp_path / "b", video=False)
    np.testing.assert_array_equal(first.metrics["policy_loss"], repeated.metrics["policy_loss"])
    source.unlink()
    moved = evo.run(config=tmp_path / "a" / "config.toml", out=tmp_path / "d", video=False)
    np.testing.assert_array_equal(first.metrics["policy_loss"], moved.metrics["policy_loss"])
    (tmp_path / "a" / "champion.npz").rename(tmp_path / "kept.npz")
    resumed = evo.resume(tmp_path / "a", generations=3, video=False)
    whole = evo.run(start=evolved, method="ppo", generations=3, out=tmp_path / "c", video=False, settings=PPO)
    np.testing.assert_array_equal(resumed.metrics["policy_loss"], whole.metrics["policy_loss"])


def test_another_network_or_task_or_a_changed_champion_is_one_clear_line(evolved: Path, tmp_path: Path) -> None:
    for words in ({"network": "linear"}, {"task": "point-mass"}):
        with pytest.raises(EvoError, match="begin with the task and the network"):
            evo.run(start=evolved, generations=1, out=tmp_path / "run", video=False, **words)  # type: ignore[arg-type]
    with pytest.raises(EvoError, match="no run"):
        evo.run(start=tmp_path / "nowhere", generations=1, out=tmp_path / "run", video=False)
    other = tmp_path / "other.toml"
    other.write_text('task.name = "point-mass"\n')
    with pytest.raises(EvoError, match=r"other.toml is for point-mass, and the champion of .* for evo/CartPole-v0"):
        evo.run(start=evolved, config=other, generations=1, out=tmp_path / "run", video=False)
    changed = {"start.digest": "0" * 64}
    with pytest.raises(EvoError, match="no longer the champion"):
        evo.run(start=evolved, generations=1, out=tmp_path / "run", video=False, settings=changed)
    assert not (tmp_path / "run").exists()
