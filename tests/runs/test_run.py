"""Runs from the outside: killed and resumed equals uninterrupted; stopped politely; nothing lost."""

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import evo
from evo.errors import EvoError
from evo.numerics.platform_facts import processor_name
from tests.chaos import differences
from tests.support.clocks import ticking
from tests.support.processes import PATIENCE

EVO = [sys.executable, "-m", "evo"]


def command(*words: str, **more: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*EVO, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, **more
    )  # type: ignore[call-overload, no-any-return]


def assert_same_run(one: Path, other: Path) -> None:
    assert differences(one, other) == []


@pytest.mark.parametrize("method", ["ars", "openai-es", "ga", "ppo"])
def test_stopped_and_resumed_equals_uninterrupted(method: str, tmp_path: Path) -> None:
    options = {"method": method, "video": False, "seed": 3, "threads": 2}
    evo.run("cartpole", generations=12, out=tmp_path / "whole", **options)
    evo.run("cartpole", generations=5, out=tmp_path / "parts", **options)
    evo.resume(tmp_path / "parts", generations=12, video=False, threads=1)
    whole, parts = evo.load(tmp_path / "whole"), evo.load(tmp_path / "parts")
    for column in ("best", "mean", "std", "steps"):
        np.testing.assert_array_equal(whole.metrics[column], parts.metrics[column])
    assert whole.processors == (f"{processor_name()}, 2 threads",)
    assert parts.processors == (*whole.processors, f"{processor_name()}, 1 thread")


def test_until_stops_at_the_held_out_fitness(tmp_path: Path) -> None:
    run = evo.run("cartpole", method="ars", until=50.0, generations=200, out=tmp_path / "run", video=False)
    assert run.champion.score >= 50.0
    assert run.metrics["generation"][-1] < 200


def test_a_run_records_why_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "run"
    run = evo.run("cartpole", generations=2, out=path, video=False, settings=SMALL)
    assert run.ended == "2 generations"

    def stop(row: object) -> None:
        assert evo.load(path).ended is None  # it goes on
        raise LookupError("enough")

    with pytest.raises(LookupError):
        evo.resume(path, generations=4, video=False, callback=stop)
    assert evo.load(path).ended is None
    ended = command("resume", str(path), "--no-video", "--quiet")
    output, errors = ended.communicate()
    assert ended.returncode == 0, errors
    assert "\nended: 4 generations\n" in output
    assert evo.load(path).ended == "4 generations"


@pytest.mark.parametrize(
    ("task", "method", "budget"),
    [
        *(("sphere", "ga", budget) for budget in ({"generations": 0}, {"steps": 0}, {"minutes": 0}, {"until": -1e9})),
        *(("sphere", "ipop", {"steps": 0}), ("sphere", "nelder-mead", {"generations": 0})),
        *(("cartpole", "ars", {"steps": 0}), ("cartpole", "ppo", {"steps": 0}), ("spirals", "backprop", {"steps": 0})),
        *(("cartpole", "persistent-es", {"until": -1e9}), ("CartPole-v1", "ga", {"minutes": 0})),
        ("CartPole-v1", "ppo", {"generations": 0}),
    ],
)
def test_a_run_that_ends_at_its_beginning_ends_well(
    task: str, method: str, budget: dict[str, float], tmp_path: Path
) -> None:
    more = {"dim": 3} if task == "sphere" else {} if task == "spirals" else {"settings": SMALL}
    path = tmp_path / "run"
    # a film for one of them: the others' pictures are the same
    filmed = method != "ppo" and task == "cartpole" and "steps" in budget
    run = evo.run(task, method=method, out=path, threads=1, video=filmed, **budget, **more)  # type: ignore[arg-type]
    assert run.ended and run.metrics == {}
    assert run.champion.generation == 0 and run.champion.verify().exact
    whole = {file: file.stat().st_mtime_ns for file in path.rglob("*") if file.is_file() and file.name != "lock"}
    for look in (
        lambda: evo.resume(path, threads=1, video=filmed),
        lambda: run.plot(path / "curve.png"),
        lambda: evo.doctor(path),
        lambda: evo.compare(path, path, out=tmp_path / "study"),
    ):
        with contextlib.suppress(EvoError):  # a line each, where there is nothing to see
            look()
    assert all(file.stat().st_mtime_ns == time for file, time in whole.items())
    if "until" not in budget:
        evo.resume(path, generations=1, minutes=10, steps=10**6, threads=1, video=False)
        assert len(evo.load(path).metrics["generation"]) == 1


def test_a_finished_run_says_so_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from evo.cli import app

    monkeypatch.chdir(tmp_path)
    for name in ("b", "a"):
        evo.run("cartpole", generations=3, out=Path("runs") / name, video=False, settings=SMALL, threads=1)
    path = Path("runs") / "a"  # the latest
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != "lock"}
    for words, spent in (
        ([], "3 generations"),
        (["--generations", "2"], "2 generations"),
        (["--until", "0"], "reached 0"),
    ):
        app(["resume", *words], standalone_mode=False)
        told = capsys.readouterr().out.splitlines()
        assert told[0] == "run     runs/a"
        assert told[1] == (
            f"finished at generation 3: its budget ({spent}) is spent; a larger one goes on, as in --generations 6"
        )
        assert "ended: 3 generations" in told
        assert before == {file: file.read_bytes() for file in before}
    app(["replay", "--out", "film.png", "--seconds", "0.1", "--width", "32", "--height", "32"], standalone_mode=False)
    assert capsys.readouterr().out.startswith("run     runs/a\nreproduces its score exactly")
    app(["resume", "--generations", "4", "--no-video"], standalone_mode=False)
    assert evo.load(path).ended == "4 generations"
    monkeypatch.chdir(tmp_path / "runs")
    with pytest.raises(EvoError, match="runs holds no run; name one"):
        app(["resume"], standalone_mode=False)


def test_the_champion_reproduces_its_score_everywhere(tmp_path: Path) -> None:
    import gymnasium

    run = evo.run("HalfCheetah-v5", generations=2, out=tmp_path / "run", video=False, seed=1)
    champion = run.champion
    assert champion.verify().exact
    changed, observation = champion.policy(), np.ones(17)
    before = changed(observation)
    changed.parameters[:] = 0
    assert np.any(before != 0) and np.all(changed(observation) == 0)
    policy = champion.policy()
    env = gymnasium.make("HalfCheetah-v5")
    for index, seed in enumerate((2_000_000, 2_000_001)):
        observation, _ = env.reset(seed=seed)
        policy.reset()
        total, done = 0.0, False
        while not done:
            observation, reward, terminated, truncated, _ = env.step(policy(observation))
            total, done = total + float(reward), terminated or truncated
        assert champion.report_returns is not None
        assert total == champion.report_returns[index]
        assert champion.rollout(seed).total == total
    env.close()


def test_results_do_not_depend_on_threads_or_directory(tmp_path: Path) -> None:
    for threads in (1, 2, 4):
        evo.run("Hopper-v5", generations=3, threads=threads, out=tmp_path / str(threads), video=False, settings=SMALL)
    for threads in (2, 4):
        assert_same_run(tmp_path / "1", tmp_path / str(threads))


SMALL = {"evaluation.selection_episodes": 3, "evaluation.report_episodes": 4}


def test_different_seeds_differ(tmp_path: Path) -> None:
    runs = [
        evo.run("cartpole", generations=2, seed=seed, out=tmp_path / str(seed), video=False, settings=SMALL)
        for seed in (0, 1)
    ]
    assert not np.array_equal(runs[0].metrics["mean"], runs[1].metrics["mean"])


@pytest.mark.parametrize("task", ["cartpole", "CartPole-v1"])
def test_a_config_file_repeats_a_run(task: str, tmp_path: Path) -> None:
    settings = {**SMALL, "evaluation.episodes": 2}
    evo.run(task, method="ars-v1", generations=3, seed=4, out=tmp_path / "one", video=False, settings=settings)
    evo.run(config=tmp_path / "one" / "config.toml", out=tmp_path / "two", video=False)
    assert_same_run(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "one" / "config.toml").read_text() == (tmp_path / "two" / "config.toml").read_text()


def test_a_callback_sees_every_generation_and_may_end_the_run(tmp_path: Path) -> None:
    rows = []
    evo.run("cartpole", generations=3, out=tmp_path / "run", video=False, settings=SMALL, callback=rows.append)
    assert [row["generation"] for row in rows] == [1, 2, 3]


def test_a_run_works_off_the_main_thread(tmp_path: Path) -> None:
    import threading

    done = []
    worker = threading.Thread(
        target=lambda: done.append(
            evo.run("cartpole", generations=1, out=tmp_path / "run", video=False, settings=SMALL)
        )
    )
    worker.start()
    worker.join(PATIENCE)
    assert done
    assert done[0].champion.task_name == "evo/CartPole-v0"


def test_a_locked_or_used_directory_is_refused(tmp_path: Path) -> None:
    evo.run("cartpole", generations=1, out=tmp_path / "run", video=False, settings=SMALL)
    with pytest.raises(EvoError, match="holds a run already"):
        evo.run("cartpole", generations=1, out=tmp_path / "run", video=False)


def test_what_a_callback_raises_ends_the_run_with_everything_saved(tmp_path: Path) -> None:
    def stop(row: object) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError):
        evo.run("cartpole", generations=5, out=tmp_path / "run", video=False, settings=SMALL, callback=stop)
    evo.resume(tmp_path / "run", video=False)
    evo.run("cartpole", generations=5, out=tmp_path / "whole", video=False, settings=SMALL)
    assert_same_run(tmp_path / "whole", tmp_path / "run")


BROKEN = """
from evo.envs.task import Task
import mujoco

def reset(model, data, task, rng): pass
def observe(model, data, task, obs): {observe}
def advance(model, data, task, action{extra}, out): out.reward = {reward}

def task() -> Task:
    model = mujoco.MjModel.from_xml_string({xml!r})
    return Task("mine", model, reset, observe, advance, observation_size=1, steps=5, frame_skip=1)
"""
GOOD_XML = """<mujoco><worldbody><body><joint name="j"/><geom size=".1"/></body></worldbody>
<actuator><motor joint="j" ctrlrange="-1 1"/></actuator></mujoco>"""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"extra": ", more"}, "it must take exactly"),
        ({"observe": "obs[0] = data.nonsense"}, "nonsense"),
        ({"reward": "0.0 / model.opt.timestep * float('nan')"}, "not finite"),
        ({"xml": "<mujoco><worldbody>"}, "XML"),
        ({"reward": "undefined"}, "undefined"),
    ],
)
def test_a_broken_task_of_ones_own_is_one_clear_line(
    changes: dict[str, str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"broken_{abs(hash(expected))}"
    parts = {"observe": "obs[0] = 0.0", "extra": "", "reward": "1.0", "xml": GOOD_XML} | changes
    (tmp_path / f"{name}.py").write_text(BROKEN.format(**parts))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EvoError, match=expected) as caught:
        evo.run(f"{name}:task", generations=1, out=tmp_path / "run", video=False, settings=SMALL)
    assert "\n" not in str(caught.value)


def test_a_run_of_minutes_records_its_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(monkeypatch)
    evo.run("cartpole", minutes=0.02, out=tmp_path / "timed", video=False, settings=SMALL)
    evo.run(config=tmp_path / "timed" / "config.toml", out=tmp_path / "again", video=False)
    assert_same_run(tmp_path / "timed", tmp_path / "again")
    assert (tmp_path / "timed" / "plots" / "learning.png").stat().st_size > 5_000


def test_a_task_of_ones_own_is_found_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "mine_here.py").write_text(
        BROKEN.format(observe="obs[0] = data.qpos[0]", extra="", reward="data.qpos[0]", xml=GOOD_XML)
    )
    script = Path(sys.executable).with_name("evo")
    small = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
    ended = subprocess.run(
        [str(script), "run", "mine_here:task", "--generations", "1", "--no-video", *small],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr


def test_a_file_gives_way_to_another_method(tmp_path: Path) -> None:
    evo.run("cartpole", generations=1, out=tmp_path / "one", video=False, settings=SMALL)
    run = evo.run(config=tmp_path / "one" / "config.toml", method="ga", out=tmp_path / "two", video=False)
    assert run.config["method.name"] == "ga"
    assert run.config["method.population_size"] > 1
