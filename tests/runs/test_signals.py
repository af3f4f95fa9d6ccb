"""Ctrl-C and SIGTERM, sent when the process says what it is doing: a line, the right exit code, nothing lost."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import evo
from evo.api import running as api
from evo.learners.learner import Learner
from evo.runs import training
from evo.runs.signals import Stopped, stoppable
from tests.support.places import ROOT
from tests.support.processes import Child

EVO = sys.executable, "-m", "evo"
# The command, which waits for a safe place for ever: on a busy machine that may take longer than it is given.
PATIENT = "import evo.runs.signals, evo.__main__; evo.runs.signals.GRACE = 1e9; evo.__main__.main()"
BOTH = pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])


def stopped(advice: str = "") -> str:
    return f"evo: stopped{'; ' + advice if advice else ''}\n"


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here, in this process, they take longer than all else."""
    monkeypatch.setattr(api, "show", lambda *arguments: None)


@BOTH
def test_while_compiling(number: signal.Signals, code: int, tmp_path: Path) -> None:
    path = tmp_path / "a run"
    # nothing is compiled yet where the cache is empty
    with Child(*EVO, "run", "cartpole", "--out", str(path), EVO_CACHE_DIR=str(tmp_path / "cache")) as child:
        child.until("compiling for")
        child.send(number)
        assert child.end() == (code, "", stopped(f"evo resume '{path}' goes on from there"))
    assert sorted(each.name for each in path.iterdir()) == ["config.toml", "lock", "versions.toml"]


@BOTH
def test_while_it_learns_everything_is_saved(number: signal.Signals, code: int, tmp_path: Path) -> None:
    path = tmp_path / "run"
    words = ["run", "sphere", "--dim", "5", "--method", "ga", "--until", "1", "--out", str(path)]
    with Child(sys.executable, "-c", PATIENT, *words) as child:
        child.until("run     ")
        child.until("generation")
        child.send(number)
        ended, _, errors = child.end()
    assert (ended, errors) == (code, stopped(f"evo resume {path} goes on from there"))
    learned = len(evo.load(path).metrics["generation"])
    evo.resume(path, generations=learned + 1, video=False)
    assert len(evo.load(path).metrics["generation"]) == learned + 1


# Says when an evaluation begins, in the middle of which the signal comes.
TELLING = f"""
from evo.envs.engine.physics import Batch
apply, calls = Batch.apply, []
def telling(*arguments, **keywords):
    calls.append(0)
    if len(calls) == 2:  # the first is a selection
        print("evaluating", flush=True)
    return apply(*arguments, **keywords)
Batch.apply = telling
{PATIENT}
"""


def test_an_evaluation_does_not_go_on_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "run"
    # an hour for each generation
    few = "--set", "method.directions=20000", "--set", "evaluation.selection_episodes=1"
    with Child(sys.executable, "-c", TELLING, "run", "HalfCheetah-v5", "--out", str(path), "--no-video", *few) as child:
        child.until("evaluating")
        child.send(signal.SIGINT)
        assert child.end()[0] == 130
    assert evo.load(path).metrics == {}
    assert evo.load(path).directory.newest_checkpoint() is not None


@BOTH
def test_where_nothing_is_being_done_for_a_run(number: signal.Signals, code: int) -> None:
    script = """
import sys, time, evo.cli, evo.runs.catalogue, evo.__main__
def endless(*given, **more):
    print("listing", flush=True)
    while True:
        time.sleep(600)
evo.runs.catalogue.entries = evo.runs.catalogue.run_records = endless
evo.__main__.main()
"""
    with Child(sys.executable, "-c", script, "list") as child:
        child.until("listing")
        child.send(number)
        assert child.end() == (code, "", stopped())


def test_a_study_names_its_own_command(tmp_path: Path) -> None:
    words = ["compare", "cartpole", "--seeds", "1", "--steps", "1000000000", "--out", str(tmp_path / "study")]
    with Child(*EVO, *words) as child:
        child.until("generation")
        child.send(signal.SIGTERM)
        ended, _, errors = child.end()
    advice = "what was done is saved, and the same command goes on from there"
    assert (ended, errors) == (143, stopped(advice))


# A function that never comes back, whatever is raised in it.
DEAF = """
import time
def deaf(x) -> float:
    words = ["deaf"]
    while True:
        try:  # the signal may come before print is through
            while words:
                print(words.pop(), flush=True)
            time.sleep(600)
        except BaseException:
            print("raised", flush=True)
"""


def test_a_signal_while_a_checkpoint_is_written_writes_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large one takes seconds, and how things stand is in it."""
    written: list[int] = []
    save = training._save

    def saving(learner: Learner, *more: Any) -> None:
        written.append(learner.generation)
        if written.count(3) == 1 and learner.generation == 3:
            os.kill(os.getpid(), signal.SIGINT)
        save(learner, *more)

    words: dict[str, Any] = {"dim": 3, "method": "cma-es", "generations": 5, "video": False}
    with monkeypatch.context() as patch:
        patch.setattr(training, "_save", saving)
        patch.setattr(training, "CHECKPOINT_SECONDS", 0)
        patch.setattr(training, "CHECKPOINT_SHARE", 1e9)
        with pytest.raises(KeyboardInterrupt):
            evo.run("sphere", out=tmp_path / "run", **words)
    assert written == [1, 2, 3]
    going_on, whole = evo.resume(tmp_path / "run", video=False), evo.run("sphere", out=tmp_path / "whole", **words)
    assert going_on.champion.digest == whole.champion.digest
    for column in ("steps", "best", "mean", "selection"):
        assert going_on.metrics[column].tolist() == whole.metrics[column].tolist()


def test_what_never_reaches_a_safe_place_is_ended_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(DEAF)
    with Child(*EVO, "run", "mine:deaf", "--dim", "2", "--out", "run", cwd=tmp_path) as child:
        child.until("deaf")
        child.send(signal.SIGINT)
        assert child.end() == (130, "raised\n", stopped("evo resume run --trust goes on from there"))


def test_a_signal_of_the_users_own_puts_nothing_off(tmp_path: Path) -> None:
    alarmed = "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\n" + DEAF.replace(
        'print("raised", flush=True)', 'print("raised", flush=True)\n            signal.raise_signal(signal.SIGALRM)'
    )
    (tmp_path / "mine.py").write_text(alarmed)
    with Child(*EVO, "run", "mine:deaf", "--dim", "2", "--out", "run", cwd=tmp_path) as child:
        child.until("deaf")
        child.send(signal.SIGINT)
        assert child.end() == (130, "raised\n", stopped("evo resume run --trust goes on from there"))


IN_THE_MIDST = """
import os, signal
from evo.runs import signals
def write(number, text):
    os.write = writing
    os.kill(os.getpid(), signal.SIGINT)
    return writing(number, text)
signals.guard_command()
writing, os.write = os.write, write
os.kill(os.getpid(), signal.SIGINT)
"""


def test_a_signal_while_the_last_line_is_written_hangs_nothing() -> None:
    with Child(sys.executable, "-c", IN_THE_MIDST, cwd=ROOT) as child:
        assert child.end()[0] == 130


@BOTH
def test_a_second_signal_ends_it_at_once(number: signal.Signals, code: int, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(DEAF)
    words = ["run", "mine:deaf", "--dim", "2", "--out", "run"]
    with Child(sys.executable, "-c", PATIENT, *words, cwd=tmp_path) as child:
        child.until("deaf")
        child.send(signal.SIGINT)
        child.until("raised")
        child.send(number)
        assert child.end() == (code, "", stopped("evo resume run --trust goes on from there"))


SLOW = """
import gymnasium, numpy, os, time
class Slow(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Box(-1, 1, (1,))
    def reset(self, seed=None, options=None):
        super().reset(seed=seed)
        return numpy.zeros(2, numpy.float32), {}
    def step(self, action):
        print("step", os.getpid(), flush=True)
        while True:
            time.sleep(600)
gymnasium.register("Slow-v0", "slow:Slow", max_episode_steps=5)
"""


@pytest.mark.parametrize("kill", [False, True])
def test_a_slow_environment_ends_with_whoever_waits_for_it(kill: bool, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    words = ["run", "slow:Slow-v0", "--threads", "2", "--no-video", "--out", "run"]
    with Child(*EVO, *words, cwd=tmp_path) as child:
        helper = int(child.until("step").split()[1])
        assert helper != child.number
        child.send(signal.SIGKILL if kill else signal.SIGINT)
        assert child.end()[0] == (-signal.SIGKILL if kill else 130)
        while (Path("/proc") / str(helper)).exists():
            time.sleep(0.05)


def test_a_program_hears_of_it(tmp_path: Path) -> None:
    script = """
import sys, evo
def learned(row):
    print("learned", flush=True)
try:
    evo.run("sphere", dim=5, method="ga", until=1.0, out=sys.argv[1], callback=learned)
except KeyboardInterrupt:
    print("interrupted", evo.load(sys.argv[1]).directory.newest_checkpoint() is not None)
"""
    with Child(sys.executable, "-c", script, str(tmp_path / "run")) as child:
        child.until("learned")
        child.send(signal.SIGINT)
        ended, output, errors = child.end()
    assert (ended, errors) == (0, "")
    assert output.endswith("interrupted True\n")


def test_a_signal_outside_an_evaluation_waits_for_a_safe_place() -> None:
    from evo.envs.engine import interruption

    with stoppable():
        os.kill(os.getpid(), signal.SIGTERM)  # nothing is torn here: no exception yet
        with pytest.raises(Stopped):
            interruption.check()
    with pytest.raises(SystemExit, match="143"), stoppable():
        os.kill(os.getpid(), signal.SIGTERM)  # nobody asked in time: whoever called hears of it
    interruption.check()  # and nobody else
