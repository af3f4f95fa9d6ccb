"""evo doctor RUN: runs made badly on purpose are found out, and the finished runs that evo ships are healthy."""

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evo
from evo import cli
from evo.algorithms import convergence
from evo.config.resolve import resolve_config
from evo.diagnosis.behaviour import early_ends, nothing_left_to_earn, saturated_actions
from evo.diagnosis.doctor import diagnose
from evo.diagnosis.evidence import Evidence, course_of
from evo.diagnosis.learning import STOPPED, falling, no_improvement, nothing_learned, stopped_search
from evo.diagnosis.machine import Finding
from evo.learners import persistent_es, ppo
from evo.numerics.randomness import generator
from evo.problems.control import Trajectory
from tests.support.places import REFERENCE

QUICK = {"evaluation.selection_episodes": 5, "evaluation.report_episodes": 5}

# Task, method, generations, settings; and what is wrong with it.
MADE: dict[str, tuple[str, str, int, dict[str, Any], set[str]]] = {
    "good": ("pointmass", "ars", 40, {}, set()),
    "steps far too small": (
        "pointmass",
        "cma-es",
        30,
        {"method.sigma": 1e-9},
        {"steps too small", "nothing learned", "constant actions"},
    ),
    "steps far too large": ("pointmass", "openai-es", 20, {"method.learning_rate": 5.0}, {"falling fitness"}),
    "hardly any mutation": ("pointmass", "ga", 40, {"method.mutate": "gaussian:sigma=1e-9"}, {"collapsed search"}),
    "noise below precision": (
        "cartpole",
        "ars",
        12,
        {"method.sigma": 1e-9, "method.learning_rate": 1e-9},
        {"flat fitness", "nothing learned", "constant actions", "early ends"},
    ),
    "scores that are kept for ever": (
        "pointmass",
        "ga",
        30,
        {"method.elites": 0, "method.replace": "plus"},
        {"lucky best", "no improvement"},
    ),
    "scores that are made anew": ("pointmass", "differential-evolution", 30, {}, set()),
    "standing still": ("quadruped", "ars", 1, {}, {"constant actions", "alive bonus"}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, evo.Run]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        name: evo.run(
            task,
            method=method,
            generations=generations,
            settings={**QUICK, **settings},
            threads=1,
            video=False,
            out=folder / name.replace(" ", "-"),
        )
        for name, (task, method, generations, settings, _) in MADE.items()
    }


@pytest.mark.parametrize("name", MADE)
def test_runs_made_badly_on_purpose_are_found_out(name: str, made: dict[str, evo.Run]) -> None:
    findings = evo.doctor(made[name])
    assert {finding.name for finding in findings if not finding.ok} == MADE[name][-1]
    assert findings[0].name == "reached" and "over 5 episodes" in findings[0].detail
    for finding in findings:
        assert "\n" not in finding.detail + finding.advice
        assert finding.ok != bool(finding.advice)


def test_the_advice_leads_back_to_the_preset(made: dict[str, evo.Run]) -> None:
    advice = {
        finding.name: finding.advice
        for name in ("steps far too small", "steps far too large", "standing still")
        for finding in evo.doctor(made[name])
    }
    assert "--set method.sigma=0.1" in advice["steps too small"]
    assert "--set method.learning_rate=0.02" in advice["falling fitness"]
    assert "--set training.alive_reward=0" in advice["alive bonus"]


@pytest.mark.parametrize("path", sorted(REFERENCE.glob("*/config.toml")), ids=lambda path: path.parent.name)
def test_the_reference_runs_are_healthy(path: Path) -> None:
    reached, learning = evo.doctor(path.parent)
    assert reached.ok and str(evo.load(path.parent).champion.reported_fitness) in reached.detail
    assert learning.ok and learning.detail == "nothing wrong found"


def test_a_walker_that_only_stands_in_a_study_is_found_out() -> None:
    wrong = {finding.name for finding in evo.doctor(REFERENCE / "studies/hopper/openai-es-seed101") if not finding.ok}
    assert wrong == {"alive bonus", "no improvement"}


# Each finding on evidence made up


def trajectory(actions: np.ndarray, rewards: np.ndarray, terminated: bool = False) -> Trajectory:
    nothing = np.zeros((len(actions) + 1, 1))
    none = np.zeros((len(actions), 0))
    seen = {"qpos": nothing, "qvel": nothing, "observations": nothing, "forces": none, "speeds": none, "traced": none}
    total = float(rewards.sum())
    return Trajectory(0, actions=actions, rewards=rewards, terminated=terminated, total=total, failure=None, **seen)


def evidence(held_out: np.ndarray, mean: np.ndarray | None = None, **changes: Any) -> Evidence:
    """A run whose offers earned `held_out`, (generations,), its populations `mean`: by default the same and noise."""
    noise = generator(0, "luck").standard_normal(len(held_out))
    mean = held_out + noise if mean is None else mean
    actions = generator(0, "actions").uniform(-1, 1, (50, 2))
    columns = {
        "generation": np.arange(len(held_out)) + 1.0,
        "steps": 100.0 * (np.arange(len(held_out)) + 1),
        "episodes": 10.0 * (np.arange(len(held_out)) + 1),
        "best": mean + 2,
        "mean": mean,
        "std": np.ones(len(held_out)),
        "failures": np.zeros(len(held_out)),
        "selection": held_out,
    }
    plain = Evidence(
        metrics=columns,
        settings={"task.name": "evo/PointMass-v0", "method.name": "cma-es", "method.sigma": 0.1},
        trajectories=(trajectory(actions, actions[:, 0]),),
        limit=50,
        low=-np.ones(2),
        high=np.ones(2),
        choices=0,
        score=float(held_out.max()),
        population=True,
        ended="30 generations",
    )
    return dataclasses.replace(plain, **changes)


RISING = np.linspace(0, 10, 30)


def names(given: Evidence) -> set[str]:
    return {finding.name for finding in diagnose(given)}


def altered(given: Evidence, **columns: np.ndarray) -> Evidence:
    return dataclasses.replace(given, metrics={**given.metrics, **columns})


def test_what_rises_is_healthy() -> None:
    assert names(evidence(RISING)) == set()
    assert names(evidence(RISING[:8])) == set()  # too short to tell


def test_every_reason_that_a_search_gives_has_its_advice() -> None:
    reasons = {
        value
        for name, value in vars(convergence).items()
        if name.isupper() and isinstance(value, str) and name[0] != "_"
    }
    assert set(STOPPED) == reasons | {ppo.DIVERGED, persistent_es.DIVERGED}
    for reason in STOPPED:
        finding = stopped_search(evidence(RISING, ended=reason))
        assert finding is not None and finding.detail == reason and finding.advice
    assert stopped_search(evidence(RISING, ended="2,000 steps")) is None
    assert stopped_search(evidence(RISING, ended=None)) is None


def advised(finding: Finding | None) -> list[str]:
    """The settings that an advice names."""
    assert finding is not None
    return re.findall(r"--set (\S+)=", finding.advice)


@pytest.mark.parametrize("method", ["ars", "ppo", "persistent-es"])
def test_the_advice_names_what_the_method_has(method: str) -> None:
    known = resolve_config(flags={"task.name": "Hopper-v5", "method.name": method}).values
    given = {"settings": dict(known), "population": method == "ars"}
    found = [
        falling(evidence(np.append(RISING, np.zeros(30)), **given)),
        no_improvement(evidence(np.append(RISING, np.full(60, 10.0)), **given)),
    ]
    options = [option for finding in found for option in advised(finding)]
    assert len(options) > 1
    for option in options:
        assert option in known
        assert method == "ars" or option != "evaluation.episodes"


def test_who_has_nothing_left_to_earn_is_healthy() -> None:
    """As on CartPole: every step earns the same, and the episode lasts as long as it may."""
    flat, wave = np.full(30, 50.0), generator(1, "actions").uniform(-1, 1, (50, 2))
    solved = evidence(flat, flat, trajectories=(trajectory(wave, np.ones(50)),), limit=50, ended=convergence.FLAT)
    solved = altered(solved, std=np.zeros(30), best=flat)
    assert nothing_left_to_earn(solved)
    assert names(solved) == set()
    assert names(dataclasses.replace(solved, limit=51)) >= {"stopped by itself", "flat fitness"}
    at_rest = dataclasses.replace(solved, trajectories=(trajectory(np.full((50, 2), 0.1), np.ones(50)),))
    assert names(at_rest) == set()
    assert "constant actions" in names(dataclasses.replace(at_rest, limit=51))


def test_a_fall_is_told_from_luck() -> None:
    risen_and_fallen = np.concatenate([np.linspace(0, 20, 20), np.linspace(20, 2, 20)])
    assert falling(evidence(risen_and_fallen)) is not None
    assert falling(evidence(np.concatenate([np.linspace(0, 20, 20), np.full(20, 15.0)]))) is None
    assert falling(evidence(np.linspace(0, -20, 40))) is not None
    assert falling(evidence(np.zeros(40))) is None


def test_nothing_learned_and_no_more_learned_are_told_apart() -> None:
    never, levelled = evidence(np.zeros(60)), evidence(np.concatenate([np.linspace(0, 9, 15), np.full(45, 9.0)]))
    assert nothing_learned(never) is not None
    assert no_improvement(never) is None
    assert nothing_learned(levelled) is None
    assert no_improvement(levelled) is not None
    arrived = altered(levelled, std=np.full(60, 0.01))
    assert no_improvement(arrived) is None  # all individuals are where the champion is


def test_noise_alone_seldom_counts_as_gaining() -> None:
    still = 0
    for seed in range(100):
        mean = generator(seed, "noise").standard_normal(60)
        course = course_of(evidence(np.zeros(60), mean))
        assert course is not None and not course.learned
        still += not course.gaining
    assert still >= 85


def test_the_best_that_are_lucky_are_told() -> None:
    given = evidence(RISING)
    promised = altered(given, best=given.metrics["best"] + 40)
    assert names(promised) == {"lucky best"}
    settings = {**promised.settings, "training.alive_reward": 0.0}
    assert (
        names(dataclasses.replace(promised, settings=settings)) == set()
    )  # trained on other rewards than it is scored on
    assert names(dataclasses.replace(promised, population=False)) == set()


def test_failed_episodes_are_told_from_one_in_a_hundred() -> None:
    for failed, told in ((3.0, False), (4.0, True)):
        assert ("failed episodes" in names(altered(evidence(RISING), failures=np.eye(30)[0] * failed))) == told
    broken = dataclasses.replace(evidence(RISING).trajectories[0], failure="unstable")
    assert names(evidence(RISING, trajectories=(broken,))) == {"failed episodes"}


@pytest.mark.parametrize("column", ["sigma", "step", "diversity", "spread"])
def test_a_search_that_has_collapsed_is_told_by_whatever_it_logs(column: str) -> None:
    for least, told in ((0.02, set()), (1e-4, {"collapsed search"})):
        found = altered(evidence(RISING), **{column: np.geomspace(1, least, 30)})
        assert names(found) == told
        scheduled = {**found.settings, "method.anneal_generations": 30}
        assert names(dataclasses.replace(found, settings=scheduled)) == set()


def test_saturated_actions_are_those_stuck_at_one_bound() -> None:
    stuck, swings = np.ones((50, 2)), np.where(np.arange(100).reshape(50, 2) % 4 < 2, -1.0, 1.0)
    stuck[:3] = 0.0
    for actions, told in ((stuck, True), (swings, False)):  # bang-bang control walks and swims well
        given = evidence(RISING, trajectories=(trajectory(actions, actions[:, 0]),))
        assert (saturated_actions(given) is not None) == told
    assert saturated_actions(evidence(RISING, trajectories=(trajectory(stuck, stuck[:, 0]),), choices=3)) is None


def test_actions_without_bounds_can_be_constant_too() -> None:
    wide = {"low": np.full(2, -np.inf), "high": np.full(2, np.inf)}
    still = 70 + 0.1 * generator(2, "actions").uniform(-1, 1, (50, 2))
    assert names(evidence(RISING, trajectories=(trajectory(still, still[:, 0]),), **wide)) == {"constant actions"}
    assert names(evidence(RISING, **wide)) == set()


def test_episodes_that_end_early_are_told_once_nothing_gets_better() -> None:
    actions = generator(0, "actions").uniform(-1, 1, (9, 2))
    fallen = (trajectory(actions, actions[:, 0], terminated=True),)
    assert early_ends(evidence(RISING, trajectories=fallen)) is None
    stuck = evidence(np.zeros(60), trajectories=fallen)
    assert early_ends(stuck) is not None
    calmer = early_ends(dataclasses.replace(stuck, settings={**stuck.settings, "task.reset_noise_scale": 0.5}))
    assert calmer is not None and "training.reset_noise_scale=0.25" in calmer.advice


# At the command line


def test_the_command_says_what_is_wrong_a_line_each(
    made: dict[str, evo.Run], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(name: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["evo", "doctor", str(made[name].path)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capsys.readouterr().out

    code, text = told("standing still")
    assert code == 1
    lines = text.splitlines()
    assert [line[:3] for line in lines] == ["ok ", "no ", "no "]
    assert "reached: 100.0" in lines[0] and "ended: 1 generations" in lines[0]
    assert "alive bonus: " in lines[2]
    code, text = told("good")
    assert code == 0
    assert "nothing wrong found" in text


def test_a_run_without_a_generation_is_one_line(tmp_path: Path) -> None:
    evo.run("pointmass", generations=0, settings=QUICK, video=False, out=tmp_path / "run")
    with pytest.raises(
        evo.EvoError, match=r"ended before its first generation \(0 generations\); .*larger budget"
    ) as told:
        evo.doctor(tmp_path / "run")
    assert evo.resume(tmp_path / "run", generations=1, video=False).metrics["generation"].tolist() == [1]
    assert str(told.value).endswith(f"goes on: evo resume {tmp_path / 'run'} --generations 100")
