"""Environments that break their word: each costs an individual or is one line, and none ends the program."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo.config.task_spec import TaskSpec
from evo.envs.gymnasium_bridge.gymnasium_task import GymnasiumTask
from evo.evaluation.evaluator import AnyTask
from evo.evaluation.workers import Threads
from evo.genomes.population import DensePopulation
from evo.learners.learner import Candidate
from evo.learners.ppo import PPO
from evo.problems.control import Trajectory, Walking
from evo.problems.problem import Evaluation
from evo.runs.champion import Champion
from evo.visualize.frames import pictures
from evo.visualize.gymnasium_frames import Asked, draw
from tests.support import misbehaving

SMALL = {"method.directions": 1, "method.elite_directions": 1}
SMALL |= {"evaluation.selection_episodes": 1, "evaluation.report_episodes": 1}


def walking(name: str, step_timeout: float | None = None, **options: str) -> Walking:
    task = evo.task(name, **options)
    assert isinstance(task, GymnasiumTask)
    object.__setattr__(task, "step_timeout", step_timeout)
    return Walking(task, evo.network("linear", task), Threads(1))


def evaluated(problem: Walking) -> Evaluation:
    """Of one that does nothing, one that is bold, and one that is not."""
    unit = np.ones(problem.size)
    population = DensePopulation(np.array([0 * unit, unit, -unit]))
    return problem.evaluate(population, np.array([3]), problem.no_statistics())


def one_line(message: str) -> str:
    """A pattern of the whole text. An error in a variable would keep a run's processes until garbage is collected."""
    return rf"^{message}.*\Z"


@pytest.mark.parametrize("name", misbehaving.EVERY_EPISODE)
def test_an_environment_that_breaks_its_word_fails(name: str) -> None:
    outcome = evaluated(walking(f"{name}-v0"))
    said = "; ".join([*outcome.failures, *outcome.errors])
    assert np.isnan(outcome.returns).all()
    assert re.search(misbehaving.EVERY_EPISODE[name][1], said)
    assert "\n" not in said


@pytest.mark.parametrize("name", ["TooMany", "Nothing", "Blind", "OldReset", "HugeReward"])
def test_what_every_episode_fails_of_is_one_line(name: str, tmp_path: Path) -> None:
    message = one_line(f"{name}-v0: every individual of generation 0 failed: .*{misbehaving.EVERY_EPISODE[name][1]}")
    with pytest.raises(evo.EvoError, match=message):
        evo.run(f"{name}-v0", generations=2, out=tmp_path / "run", threads=1, video=False, settings=SMALL)


@pytest.mark.parametrize("name", misbehaving.NO_TASK)
def test_what_is_no_task_is_said_before_anything_is_made(name: str, tmp_path: Path) -> None:
    with pytest.raises(evo.EvoError, match=f"task {name}-v0: .*{misbehaving.NO_TASK[name][1]}"):
        evo.run(f"{name}-v0", generations=1, out=tmp_path / "run", threads=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("deed", "message"),
    [
        ("raises", "RuntimeError: the floor gave way"),
        ("fails silently", "UnspeakableError"),
        ("exits", "it called sys.exit(3)"),
        ("dies in writing", "its process ended with exit status 3"),
        ("hangs", "it gave no answer in time"),
    ],
)
def test_what_an_environment_does_in_a_step_costs_that_individual(
    deed: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    timeout = 0.5 if deed == "hangs" else None
    outcome = evaluated(walking("Fine-v0", timeout, bold=f"step {deed}"))
    np.testing.assert_array_equal(outcome.returns, [[5.0], [np.nan], [5.0]])
    assert outcome.errors == (message,)
    assert outcome.failures == {"the environment failed": 1}
    if deed == "dies in writing":
        assert (tmp_path / "deaths").read_text() == "xx"  # it was tried again, once


def test_a_timeout_ends_an_environment_that_handles_its_signal() -> None:
    problem = walking("Fine-v0", 0.5, always="reset hears no alarm", bold="step hangs")
    assert evaluated(problem).errors == ("it gave no answer in time",)


def test_a_timeout_ends_an_environment_that_ignores_its_signal_where_it_hangs() -> None:
    outcome = evaluated(walking("Fine-v0", 0.1, bold="step ignores its alarm and hangs"))
    np.testing.assert_array_equal(outcome.returns, [[5.0], [np.nan], [5.0]])
    assert outcome.errors == ("it gave no answer in time",)


@pytest.mark.parametrize("deed", ["forks", "moves", "prints", "warns"])
@pytest.mark.parametrize("method", ["reset", "step", "close"])
def test_what_an_environment_may_do(deed: str, method: str) -> None:
    here = os.getcwd()
    np.testing.assert_array_equal(evaluated(walking("Fine-v0", always=f"{method} {deed}")).returns, [[5.0]] * 3)
    assert os.getcwd() == here


@pytest.mark.parametrize("deed", ["raises", "exits"])
def test_that_closing_fails_ends_nothing(deed: str, tmp_path: Path) -> None:
    settings = {**SMALL, "task.always": f"close {deed}"}
    run = evo.run("Fine-v0", generations=1, out=tmp_path / "run", threads=1, settings=settings)
    assert run.champion.report_returns is not None
    assert run.champion.report_returns.tolist() == [5.0]
    assert (run.path / "videos" / "champion.mp4").exists()


@pytest.mark.parametrize(("deed", "message"), [("raises", "the floor gave way"), ("exits", r"sys.exit\(3\)")])
@pytest.mark.parametrize("method", ["init", "render"])
def test_a_constructor_or_a_picture_that_fails_is_one_line(
    method: str, deed: str, message: str, tmp_path: Path
) -> None:
    settings = {**SMALL, "task.always": f"{method} {deed}"}
    with pytest.raises(evo.EvoError, match=one_line(f".*{message}")):
        evo.replay(evo.run("Fine-v0", generations=1, out=tmp_path, threads=1, settings=settings).path)


def test_an_environment_that_exits_when_it_is_looked_at_is_one_line() -> None:
    with pytest.raises(evo.EvoError, match=r"Secretive-v0: Gymnasium does not make it: it called sys\.exit\(3\)"):
        evo.task("Secretive-v0", deed="exits")


@pytest.mark.parametrize("name", misbehaving.TIMELESS)
def test_frames_a_second_that_are_none_are_the_usual_ones(name: str) -> None:
    assert evo.task(f"{name}-v0").control_period == 1 / 30


@pytest.mark.parametrize("method", ["init", "close"])
def test_making_and_closing_an_environment_is_limited(method: str, tmp_path: Path) -> None:
    settings = {**SMALL, "task.always": f"{method} hangs"}
    with pytest.raises(evo.EvoError, match="task Fine-v0: when it is made, it gave no answer in time"):
        evo.run("Fine-v0", generations=1, step_timeout=0.02, out=tmp_path / "run", threads=1, settings=settings)


def test_the_next_caller_does_not_wait_for_an_environment_that_never_closes() -> None:
    first = walking("Fine-v0")
    object.__setattr__(first.task, "arguments", {"always": "close hangs"})
    np.testing.assert_array_equal(evaluated(first).returns, [[5.0]] * 3)
    del first  # its process closes the environment
    np.testing.assert_array_equal(evaluated(walking("Fine-v0")).returns, [[5.0]] * 3)


@pytest.mark.parametrize(("deed", "message"), [("dies", "exit status 3"), ("crashes", "SIGSEGV")])
def test_a_constructor_that_ends_its_process_is_one_line(deed: str, message: str) -> None:
    with pytest.raises(evo.EvoError, match=f"task Fine-v0: when it is made, its process .*{message}"):
        evo.task("Fine-v0", always=f"init {deed}")


@pytest.mark.parametrize("drawn", [np.zeros((0, 0, 3), np.uint8), misbehaving.Trap()])
def test_what_is_no_picture_is_one_line(drawn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    task = evo.task("Fine-v0")
    assert isinstance(task, GymnasiumTask)
    monkeypatch.setattr(misbehaving.Fine, "render", lambda _: drawn)
    asked = Asked(task, 0, np.zeros((0, 2)), np.array([0]), 40, 20)
    assert re.search(r"and no picture|it called sys\.exit\(3\)", str(draw(asked, {})))


def filmed(task: AnyTask, seen: Trajectory) -> list[Any]:
    return list(pictures(task, seen, np.array([0, 2, 5]), 40, 20))


@pytest.mark.parametrize(
    ("always", "message"),
    [
        ("render dies", "its process ended with exit status 3"),
        ("render hangs", "it gave no answer in time"),
        ("step crashes", "its process was ended by SIGSEGV"),
    ],
)
def test_an_environment_that_ends_its_process_while_it_is_filmed_is_one_line(always: str, message: str) -> None:
    seen = evo.rollout("Fine-v0", "linear", np.zeros(8), seed=1)
    task = walking("Fine-v0", 0.1, always=always).task
    with pytest.raises(evo.EvoError, match=f"Fine-v0 draws no pictures: {message}"):
        filmed(task, seen)


def test_a_film_is_the_same_in_any_pieces_and_after_a_process_has_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = evo.rollout("Fine-v0", "linear", np.zeros(8), seed=1)
    whole = filmed(evo.task("Fine-v0"), seen)
    assert [int(frame[10, 20, 0]) for frame in whole] == [0, 20, 50]
    assert [(frame.shape, frame.dtype) for frame in whole] == [((20, 40, 3), np.uint8)] * 3
    monkeypatch.setattr("evo.visualize.frames._SENT_BYTES", 1)
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(filmed(evo.task("Fine-v0", bold="step raises", always="close raises"), seen), whole)
    np.testing.assert_array_equal(filmed(evo.task("Fine-v0", always="step dies once"), seen), whole)
    assert (tmp_path / "stumbled").exists()


def test_a_champion_is_given_up_where_its_environment_hangs(tmp_path: Path) -> None:
    run = evo.run("Fine-v0", generations=1, step_timeout=60.0, out=tmp_path / "run", threads=1, settings=SMALL)
    assert run.champion.step_timeout == 60.0
    bold = Candidate(np.ones(8, np.float32), run.champion.statistics)
    hanging = replace(run.champion, spec=TaskSpec.find("Fine-v0", {"bold": "step hangs"}), candidate=bold).with_timeout(
        0.2
    )
    hanging.save(tmp_path / "hanging.npz")
    found = Champion.load(tmp_path / "hanging.npz").verify()
    assert str(found) == "recorded score 5.0, here episodes failed: the environment failed; it gave no answer in time"
    failing = replace(hanging, spec=TaskSpec.find("Fine-v0", {"bold": "step raises"}))
    with pytest.raises(evo.EvoError, match="nothing to film, the environment failed: RuntimeError: the floor gave way"):
        evo.replay(failing, tmp_path / "film.mp4", step_timeout=0.3)
    never = replace(hanging, spec=TaskSpec.find("Fine-v0", {"always": "reset dies"}))
    once = r"^Fine-v0: when it is made, is reset and takes its first step, its process ended with exit status 3$"
    with pytest.raises(evo.EvoError, match=once):
        never.rollout(0)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "hanging.npz"}
    with pytest.raises(evo.EvoError, match=r"evaluation\.step_timeout must be at least 0\.001, got 0"):
        evo.replay(run.path, step_timeout=0)


def test_a_step_timeout_is_a_setting_of_a_run(tmp_path: Path) -> None:
    settings = {**SMALL, "task.always": "step hangs"}
    with pytest.raises(evo.EvoError, match=r"Fine-v0: when it is made, .* it gave no answer in time"):
        evo.run("Fine-v0", generations=1, step_timeout=0.5, out=tmp_path / "run", threads=1, settings=settings)
    assert evo.load(tmp_path / "run").config["evaluation.step_timeout"] == 0.5


@pytest.mark.parametrize(("deed", "message"), [("kills", "ended by SIGKILL"), ("raises", "the floor gave way")])
def test_a_step_that_fails_under_ppo_costs_an_episode(deed: str, message: str) -> None:
    problem = walking("Fine-v0", bold=f"step {deed}")
    learner = PPO(problem, 0, environments=1, horizon=12, minibatch=4, epochs=1, critic="linear")
    blocks, seen = learner._collect()
    assert message in " ".join(seen.errors)
    assert sum(seen.failures.values()) > 0
    assert blocks.shape[0] == 1


def test_ppo_whose_every_episode_fails_ends_with_the_reason(tmp_path: Path) -> None:
    settings = {"method.environments": 2, "method.horizon": 16, "method.minibatch": 8}
    settings |= {"task.always": "step raises", "evaluation.selection_episodes": 1}
    with pytest.raises(evo.EvoError, match="RuntimeError: the floor gave way"):
        evo.run("Fine-v0", method="ppo", steps=500, out=tmp_path / "run", threads=1, settings=settings)
    few = {"method.environments": 1, "method.horizon": 8, "method.minibatch": 8}
    with pytest.raises(evo.EvoError, match=re.escape("observes 1000 numbers, its space says 4")):
        evo.run("Thousand-v0", method="ppo", steps=9, out=tmp_path / "more", threads=1, settings=few)
