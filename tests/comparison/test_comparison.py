"""evo compare: studies made, reused and gone on with; runs read; what the tables say; mistakes in one line."""

import csv
import functools
import html
import io
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import evo
from evo import cli
from evo.comparison import artefacts
from evo.comparison.comparison import Comparison
from evo.comparison.defaults import DEFAULT_METHODS
from evo.comparison.display import Pace, StudyLines, StudyTable, study_display
from evo.comparison.findings import findings_of
from evo.comparison.member import Member, read_member, with_last
from evo.comparison.notes import learning_caption, members_note, methods_note, thresholds_note
from evo.comparison.plan import plan_study
from evo.comparison.race import race
from evo.comparison.table import method_rows
from evo.comparison.terms import (
    Terms,
    labels,
    never_updated,
    terms_of,
    uncounted_selection,
    unlike_endings,
    unlike_platforms,
)
from evo.comparison.thresholds import spent_until, thresholds_of
from evo.comparison.writing import resolution
from evo.config.build import make_learner
from evo.config.config import Config
from evo.config.presets import GENERAL, PRESETS
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.evaluation.workers import Threads, Workers
from evo.learners import METHODS
from evo.problems.control import Walking
from evo.runs.champion import Champion
from tests.support.clocks import ticking

SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 3}
SETS = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
TINY = {"steps": 3000, "network": "mlp:4", "settings": SMALL, "video": False, "threads": 2}

OWN = """
import os, time
import numpy as np
from evo.algorithms.genetic.ga import GA
from evo.genomes.population import DensePopulation
from evo.envs.engine import interruption

class Slow(GA):
    asked = 0

    def ask(self):
        self.asked += 1
        while "SLOW" in os.environ and self.asked > 3:  # for ever
            interruption.check()
            time.sleep(0.05)
        return super().ask()

class NotANumber(GA):
    def propose(self):
        return DensePopulation(np.full((4, len(self.initial)), np.nan))

class Raising(GA):
    def propose(self):
        raise LookupError("no idea")
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with algorithms of one's own; its name."""
    name = f"own_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def touched(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


# Studies.


def test_a_study_leaves_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "race", functools.partial(race, seconds=0.1, width=120))
    found = evo.compare(
        "evo/PointMass-v0", methods=["ars", "ga"], seeds=2, out=tmp_path / "s", **TINY | {"video": True}
    )
    assert [(member.method, member.seed) for member in found.members] == [
        *(("ars", 100), ("ga", 100), ("ars", 101), ("ga", 101))
    ]
    assert found.failures == ()
    assert {path.name for path in found.path.iterdir()} == {
        *("study.toml", "report.html", "table.csv", "members.csv", "table.md", "race.mp4"),
        *("learning.png", "learning.svg", "robustness.png", "robustness.svg", "robustness.csv"),
        *("ars-seed100", "ars-seed101", "ga-seed100", "ga-seed101"),
    }
    for member in found.members:
        assert member.path == tmp_path / "s" / f"{member.method}-seed{member.seed}"
        assert member.config["network.layers"] == "mlp:4"
        assert member.config["budget.steps"] == 3000
        assert evo.load(member.path).champion.report_returns is not None
    table = list(csv.DictReader(io.StringIO((found.path / "table.csv").read_text())))
    assert [row["method"] for row in table] == [row.method for row in found.rows]
    assert float(table[0]["return_iqm"]) == found.rows[0].iqm
    members = list(csv.DictReader(io.StringIO((found.path / "members.csv").read_text())))
    assert [float(row["return_mean"]) for row in members] == [member.report_mean for member in found.members]
    noise = list(csv.DictReader(io.StringIO((found.path / "robustness.csv").read_text())))
    assert [row["method"] for row in noise if float(row["noise"]) == 0] == [one.method for one in found.members]
    for name in ("report.html", "table.md"):
        text = html.unescape((found.path / name).read_text())
        assert found.command in text
        assert resolution(found.rows, "env step", "return") in text
        config, thresholds = found.members[0].config, found.thresholds
        notes = methods_note(config, "return"), thresholds_note(config, thresholds, "return"), members_note(config)
        assert all(note in text and "3 report episodes" in note for note in notes)
    assert {member.config["evaluation.selection_share"] for member in found.members} == {0.4}


@pytest.mark.parametrize(("task", "metric"), [("xor", "accuracy"), ("adding", "−error")])
def test_fitness_is_called_by_its_name(task: str, metric: str, tmp_path: Path) -> None:
    found = evo.compare(task, methods="adam", seeds=1, steps=200, network="mlp:4", out=tmp_path, video=False)
    assert found.metric == metric
    for name in ("report.html", "table.md"):
        text = html.unescape((tmp_path / name).read_text())
        assert f"{metric} (IQM)" in text and f"The held-out {metric} was measured" in text
        assert "held-out return" not in text.lower()
        assert f"{metric}: of the champions on the test split" in text


def test_methods_may_be_one_text(tmp_path: Path) -> None:
    for methods in ("ars, ga", ["ars", "ga"]):
        plan = plan_study("HalfCheetah-v5", methods, 1, 1000, None, None, {}, tmp_path)
        assert [config["method.name"] for config in plan.members.values()] == ["ars", "ga"]
        # whatever a preset says
        assert {config["evaluation.selection_share"] for config in plan.members.values()} == {0.4}


def test_pictures_keep_to_the_threads_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    problem_on = Champion.problem_on

    def watched(self: Champion, workers: Workers) -> Walking:
        asked.append(workers.threads)
        return problem_on(self, workers)

    monkeypatch.setattr(Champion, "problem_on", watched)
    monkeypatch.setattr(artefacts, "race", functools.partial(race, seconds=0.1, width=120))
    one = TINY | {"threads": 1, "video": True}
    found = evo.compare("evo/PointMass-v0", methods="ars", seeds=1, out=tmp_path / "s", **one)
    assert found.failures == ()
    assert asked == [1, 1]  # robustness, race


def test_what_is_finished_is_reused_and_more_may_join(tmp_path: Path) -> None:
    first = evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "s", **TINY)
    before = touched(tmp_path / "s" / "ars-seed100")
    again = evo.compare("evo/PointMass-v0", methods=["ga", "ars"], seeds=2, out=tmp_path / "s", **TINY)
    assert touched(tmp_path / "s" / "ars-seed100") == before
    assert len(again.members) == 4
    assert first.members[0].report_mean == again.members[1].report_mean
    # a member is an ordinary run
    alone = evo.run(settings=first.members[0].config.values, out=tmp_path / "alone", video=False)
    np.testing.assert_array_equal(alone.champion.report_returns, first.members[0].champion.report_returns)


def test_a_study_on_a_data_set_may_be_made_again(tmp_path: Path) -> None:
    def again() -> Comparison:
        return evo.compare("xor", methods="adam", seeds=1, steps=200, network="mlp:4", out=tmp_path / "s", video=False)

    again()
    before = touched(tmp_path / "s" / "adam-seed100")
    assert again().failures == ()
    assert touched(tmp_path / "s" / "adam-seed100") == before


def study_words(path: Path, *more: str) -> list[str]:
    return [
        *("compare", "evo/PointMass-v0", "--seeds", "1", "--steps", "60000", "--network", "mlp:4"),
        *("--out", str(path), "--no-video", *SETS, *more),
    ]


def started(path: Path, words: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    """A study whose run at `path` has learned something, and learns no more."""
    running = subprocess.Popen(
        [sys.executable, "-m", "evo", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SLOW": "", "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
    )
    for _ in range(6000):
        metrics = path / "metrics.csv"
        if metrics.exists() and metrics.read_text().count("\n") > 2:
            return running
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    running.kill()
    pytest.fail("no generation in five minutes")


def test_a_killed_study_goes_on(tmp_path: Path, own: str) -> None:
    methods = ["ars", f"{own}:Slow"]
    second = tmp_path / "s" / f"{own}:Slow-seed100"
    running = started(second, study_words(tmp_path / "s", "--methods", ",".join(methods)), tmp_path)
    running.kill()
    running.communicate()
    before = touched(tmp_path / "s" / "ars-seed100")
    with pytest.raises(EvoError, match="not finished"):
        read_member(second, trust=True)
    more = TINY | {"steps": 60_000}
    found = evo.compare("evo/PointMass-v0", methods=methods, seeds=1, out=tmp_path / "s", **more)
    assert touched(tmp_path / "s" / "ars-seed100") == before
    assert [member.method for member in found.members] == methods
    whole = evo.compare("evo/PointMass-v0", methods=methods[1:], seeds=1, out=tmp_path / "whole", **more)
    for column in ("steps", "best", "mean", "selection"):
        np.testing.assert_array_equal(found.members[1].metrics[column], whole.members[0].metrics[column])
    assert found.members[1].report_mean == whole.members[0].report_mean


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_whole_study(number: signal.Signals, code: int, tmp_path: Path, own: str) -> None:
    words = study_words(tmp_path / "s", "--methods", f"{own}:Slow,ars")
    running = started(tmp_path / "s" / f"{own}:Slow-seed100", words, tmp_path)
    running.send_signal(number)
    errors = running.communicate()[1]
    assert running.returncode == code
    assert errors.count("\n") == 1
    assert "the same command goes on" in errors
    assert not (tmp_path / "s" / "ars-seed100").exists()


@pytest.mark.parametrize(("kind", "expected"), [("NotANumber", "failed"), ("Raising", "LookupError: no idea")])
def test_a_failing_member_is_told_and_the_rest_stands(kind: str, expected: str, tmp_path: Path, own: str) -> None:
    methods = [f"{own}:{kind}", "ars"]
    found = evo.compare("evo/PointMass-v0", methods=methods, seeds=1, out=tmp_path / "s", **TINY)
    assert [member.method for member in found.members] == ["ars"]
    (failure,) = found.failures
    assert failure.startswith(f"{own}:{kind} seed 100: ")
    assert expected in failure
    assert "\n" not in failure
    assert f"{own}:{kind} seed 100" in (found.path / "report.html").read_text()
    with pytest.raises(EvoError, match=r"every run of .* failed.*" + expected):
        evo.compare("evo/PointMass-v0", methods=methods[:1], seeds=1, out=tmp_path / "only", **TINY)


def test_a_task_of_ones_own_may_fail_in_any_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_mass.py").write_text(
        "from evo.envs.analytic.point_mass import point_mass\nfrom evo.envs.task import Task\n\n"
        "def mass() -> Task:\n    return point_mass()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise LookupError("no idea")

    monkeypatch.setattr("evo.api.running.run", refuse)
    with pytest.raises(EvoError, match=r"every run of .* failed.*LookupError: no idea"):
        evo.compare("own_mass:mass", methods=["ars"], seeds=1, out=tmp_path / "s", **TINY)
    with pytest.raises(LookupError):  # a mistake of evo's own is seen whole
        evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "t", **TINY)


def test_a_picture_that_fails_is_told_and_the_rest_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EvoError("no film today")

    monkeypatch.setattr(artefacts, "race", refuse)
    found = evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "s", **TINY | {"video": True})
    assert found.failures == ("the race of the champions: no film today",)
    assert "no film today" in (found.path / "report.html").read_text()


def test_members_stopped_by_minutes_are_reused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticking(monkeypatch)
    timed = {**TINY, "steps": None, "minutes": 0.01}
    first = evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "s", **timed)
    assert first.members[0].config["budget.minutes"] is None
    before = touched(tmp_path / "s" / "ars-seed100")
    again = evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "s", **timed)
    assert touched(tmp_path / "s" / "ars-seed100") == before
    assert ("budget.minutes", "0.01") in again.terms.shared
    with pytest.raises(EvoError, match=r"budget\.minutes=0\.01, not 0\.02"):
        evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "s", **timed | {"minutes": 0.02})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "s"
    evo.compare("evo/PointMass-v0", methods=["ars", "ga"], seeds=1, out=path, **TINY)
    return path


@pytest.mark.parametrize(
    ("task", "changes", "expected"),
    [
        ("evo/PointMass-v0", {"steps": 4000}, "budget.steps=3000, not 4000"),
        ("evo/PointMass-v0", {"network": "linear"}, "network.layers=mlp:4, not linear"),
        ("evo/PointMass-v0", {"settings": {}}, "evaluation.selection_episodes=2, not None"),
        ("cartpole", {}, "task.name=evo/PointMass-v0, not evo/CartPole-v0"),
    ],
)
def test_a_study_on_other_terms_is_refused(task: str, changes: dict[str, object], expected: str, study: Path) -> None:
    before = touched(study)
    with pytest.raises(EvoError, match="choose another folder") as caught:
        evo.compare(task, methods=["ars", "ga"], seeds=1, out=study, **TINY | changes)
    assert expected in str(caught.value)
    assert touched(study) == before


def test_a_member_on_other_terms_is_refused(tmp_path: Path) -> None:
    evo.compare("evo/PointMass-v0", methods=["ars"], seeds=1, out=tmp_path / "s", **TINY)
    config = tmp_path / "s" / "ars-seed100" / "config.toml"
    config.write_text(config.read_text().replace("learning_rate = 0.02", "learning_rate = 0.5"))
    with pytest.raises(EvoError, match=r"ars-seed100 was made with method\.learning_rate=0\.5, not 0\.02"):
        evo.compare("evo/PointMass-v0", methods=["ars"], seeds=2, out=tmp_path / "s", **TINY)


# Finished runs.


def test_finished_runs_are_compared_with_their_differences_named(study: Path, tmp_path: Path) -> None:
    linear = evo.run(
        "evo/PointMass-v0", method="ga", seed=7, steps=2000, out=tmp_path / "l", video=False, settings=SMALL
    )
    before = touched(study)
    found = evo.compare(study / "ars-seed100", study / "ga-seed100", linear.path, out=tmp_path / "c", video=False)
    assert touched(study) == before
    assert (found.path / "report.html").exists()
    text = "\n".join(found.terms.deviations)
    whole, other = "ga layers=mlp:4 selection_share=0.4", "ga layers=linear selection_share=0.1"
    assert {member.method for member in found.members} == {"ars", whole, other}
    assert f"network.layers: mlp:4 (ars, {whole}); linear ({other})" in text
    assert f"budget.steps: 3,000 (ars, {whole}); 2,000 ({other})" in text
    assert f"seed: 100 (ars, {whole}); 7 ({other})" in text


def test_runs_of_one_method_are_called_by_what_differs(tmp_path: Path) -> None:
    for seed, noise in ((0, 0.05), (0, 0.2), (1, 0.2)):
        evo.run(
            "evo/PointMass-v0",
            method="ars",
            seed=seed,
            generations=2,
            out=tmp_path / f"{noise}-{seed}",
            video=False,
            settings=SMALL | {"method.sigma": noise},
        )
    paths = [tmp_path / name for name in ("0.05-0", "0.2-0", "0.2-1")]
    found = evo.compare(*paths, out=tmp_path / "c", video=False)
    assert {row.method: row.seeds for row in found.rows} == {"ars sigma=0.05": 1, "ars sigma=0.2": 2}
    assert "ars sigma=0.05" in (tmp_path / "c" / "table.md").read_text()
    assert any(
        "ars sigma=0.05 ends highest" in line or line.startswith("ars sigma=0.05 ends at") for line in found.findings
    )
    # what a run is called where nothing but its seed differs
    assert {row.method for row in evo.compare(*paths[1:], out=tmp_path / "d", video=False).rows} == {"ars"}


def test_runs_that_cannot_be_compared_are_refused(study: Path, tmp_path: Path) -> None:
    ars = study / "ars-seed100"
    other = {"steps": 200, "video": False, "seed": 100}
    evo.run("cartpole", method="ga", out=tmp_path / "cartpole", settings=SMALL, **other)
    long = {**SMALL, "evaluation.report_episodes": 4}
    evo.run("evo/PointMass-v0", method="ga", out=tmp_path / "long", settings=long, **other)
    shutil.copytree(ars, tmp_path / "twin")
    evo.run("evo/PointMass-v0", method="ga", out=tmp_path / "unfinished", settings=SMALL, **other)
    (tmp_path / "unfinished" / "champion.npz").unlink()
    cases: list[tuple[list[Path], str]] = [
        ([ars, tmp_path / "cartpole"], "one task"),
        ([ars, tmp_path / "long"], r"evaluation\.report_episodes=3, .* has 4"),
        ([ars, tmp_path / "twin"], "both ars with seed 100 and the same settings"),
        ([ars, tmp_path / "unfinished"], r"champion\.npz"),
        ([ars, ars], "named twice"),
        ([ars], "only one run"),
        ([ars, tmp_path / "missing"], "no run at"),
    ]
    for paths, expected in cases:
        with pytest.raises(EvoError, match=expected) as caught:
            evo.compare(*paths, out=tmp_path / "c")
        assert "\n" not in str(caught.value)
    with pytest.raises(EvoError, match="methods goes with a task"):
        evo.compare(ars, study / "ga-seed100", methods=["ars"])
    assert not (tmp_path / "c").exists()


MISTAKES = [
    ([], "no task given"),
    (["HalfCheeta-v5"], "HalfCheetah-v5"),
    (["cartpole", "Hopper-v5"], "run directory"),
    (["cartpole", "--methods", "arz"], "did you mean 'ars'"),
    (["cartpole", "--methods", "ars,ars"], "twice"),
    (["cartpole", "--methods", ","], "methods takes"),
    (["cartpole", "--methods", "os:getcwd"], "getcwd"),
    (["cartpole", "--methods", "nowhere:Thing"], "nowhere"),
    (["cartpole", "--seeds", "0"], "seeds must be a number of seeds"),
    (["cartpole", "--seeds", "-1"], "seeds must be a number of seeds"),
    (["cartpole", "--steps", "0"], "steps must"),
    (["cartpole", "--minutes", "0"], "minutes must"),
    (["cartpole", "--minutes", "nan"], "minutes must"),
    (["cartpole", "--minutes", "inf"], "minutes must"),
    (["cartpole", "--minutes", "1", "--steps", "5"], "two budgets"),
    (["cartpole", "--tune", "-1"], "tune must be a number of trials"),
    (["cartpole", "--tune", "1"], "tune=1 tries the preset alone"),
    (["cartpole", "--methods", "hill-climber", "--tune", "3"], "no search space is declared for hill-climber"),
    (["cartpole", "--network", "mpl:64"], "unknown network"),
    (["cartpole", "--threads", "0"], "threads"),
    (["cartpole", "--set", "method.step_size=1"], "own settings"),
    (["cartpole", "--set", "budget.steps=1"], "budget.steps: a comparison sets"),
    (["cartpole", "--set", "evaluation.report_episode=1"], "evaluation.report_episodes"),
    (["cartpole", "--set", "task.frame_skip=1"], "task.frame_skip"),
    (["cartpole", "--set", "seed"], "key=value"),
    (["cartpole", "--out", "/proc/evo-study"], "/proc/evo-study"),
]


@pytest.mark.parametrize(("words", "expected"), MISTAKES, ids=[" ".join(words) for words, _ in MISTAKES])
def test_a_mistake_gets_one_line(
    words: list[str], expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["evo", "compare", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1, error
    assert not (tmp_path / "runs").exists()


def test_the_folder_of_something_else_is_refused(study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out, expected in ((study / "ars-seed100", "is a run"), (tmp_path, "not empty"), (tmp_path / "file", "folder")):
        with pytest.raises(EvoError, match=expected):
            evo.compare("cartpole", methods=["ars"], out=out, **TINY)


def test_the_command_prints_the_tables(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["compare", str(study / "ars-seed100"), str(study / "ga-seed100"), "--no-video", "--quiet"]
    monkeypatch.setattr(sys, "argv", ["evo", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    text = capsys.readouterr().out
    for word in (
        "every run",
        "limits their precision",
        "ends highest",
        "core-min",
        "runs/studies/point-mass-v0-ars-ga/report.html",
    ):
        assert word in text
    assert "reused" not in text  # quiet: the result alone
    assert (tmp_path / "runs" / "studies" / "point-mass-v0-ars-ga" / "table.csv").exists()


def test_the_help_names_the_default_methods_and_loads_nothing_heavy() -> None:
    script = "import sys, evo.cli; print({'numba', 'mujoco', 'numpy', 'matplotlib'} & sys.modules.keys())"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"
    shown = subprocess.run(
        [sys.executable, "-m", "evo", "compare", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert f"(default: {','.join(DEFAULT_METHODS)})" in shown.stdout
    assert all(name in METHODS for name in DEFAULT_METHODS)


# What the screen shows.


@pytest.mark.parametrize("terminal", [True, False])
def test_the_display_tells_what_matters(terminal: bool, tmp_path: Path, own: str) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, height=40)
    for methods in (["ars"], ["ars", f"{own}:Raising"]):
        evo.compare(
            "evo/PointMass-v0",
            methods=methods,
            seeds=1,
            out=tmp_path / "s",
            display=lambda configs: study_display(configs, console, quiet=False),
            **TINY,
        )
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for word in ("running", "reused", "failed", "done", "held-out", "steps/s", "writing the report"):
        assert word in text
    assert ("\x1b" in text) == terminal


def test_several_runs_at_once_are_told_apart() -> None:
    configs = [resolve_config(flags={"task.name": "cartpole", "seed": seed, "budget.steps": 9}) for seed in range(2)]
    row = {"steps": 3.0, "generation": 1.0, "best": 1.0, "mean": 0.5, "failures": 0.0, "wall_s": 1.0}
    console = Console(file=io.StringIO(), width=100)
    lines, table = StudyLines(configs, console), StudyTable(configs, Console(file=io.StringIO(), width=100, height=40))
    for index, node in enumerate(("on box/1", "on box/2")):
        lines.state(index, "running", node)
        table.state(index, "running", node)
    with lines.watch(1)(configs[1]) as shown:
        shown.on_generation(row)
    console.print(table._table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "[2/2] ars seed 1: generation     1" in text
    assert "running on box/1" in text and "running on box/2" in text
    lines.state(0, "done")
    with lines.watch(1)(configs[1]) as shown:
        shown.on_generation(row)
    assert console.file.getvalue().rstrip().splitlines()[-1].startswith("generation     1")  # type: ignore[attr-defined]


def test_a_study_longer_than_the_screen_shows_the_current_member() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=20)
    configs = [resolve_config(flags={"task.name": "cartpole", "seed": seed, "budget.steps": 9}) for seed in range(100)]
    table = StudyTable(configs, console)
    for index in (0, 50, 99):
        table.state(index, "running")
        console.print(table._table())
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert f" {index} " in text.rpartition("method")[2]
        assert "88 more not shown" in text


def test_the_pace_counts_this_sessions_work_only(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("evo.comparison.display.time.monotonic", lambda: now[0])
    pace = Pace([1.0] * 4)
    pace.reach(0, 1.0, worked=False)  # reused
    assert pace.seconds_left() is None
    pace.begin()
    pace.reach(1, 0.5, worked=False)  # resumed half-way
    now[0] = 110.0
    pace.reach(1, 1.0)
    assert pace.seconds_left() == 40.0  # half a member took 10 s; two are left
    heavy = Pace([1.0, 5.0])
    heavy.begin()
    now[0] = 112.0
    heavy.reach(0, 1.0)
    assert heavy.seconds_left() == 10.0  # the other is five times the work


# Terms.


def configured(task: str, method: str, seed: int = 100, **settings: object) -> Config:
    dotted = [(key.replace("__", "."), value) for key, value in settings.items()]
    return resolve_config(settings=dotted, flags={"task.name": task, "method.name": method, "seed": seed})


def test_terms_name_what_is_equal_and_what_is_not() -> None:
    same = {"network__layers": "mlp:8", "budget__steps": 1000}
    configs = [configured("Hopper-v5", method, **same) for method in ("ars", "ars-v1", "ga")]
    terms = terms_of({Path(str(index)): config for index, config in enumerate(configs)})
    shared = dict(terms.shared)
    assert shared["task"] == "Hopper-v5"
    assert shared["task options"] == "the task's own"
    assert (shared["network.layers"], shared["budget.steps"], shared["seed"]) == ("mlp:8", "1,000", "100")
    assert terms.deviations == (
        "network.normalise: yes (ars, ga); no (ars-v1)",
        "training.healthy_reward: 0 (ars, ars-v1); as scored (ga)",
        "method settings tuned: for Hopper-v5 with the network linear (ars, ars-v1); "
        "not for this task: general settings (ga)",
    )
    noise = PRESETS["Hopper-v5"]["ars"]["method.sigma"]
    assert terms.settings["ars"]["sigma"] == f"{noise:g}"
    assert terms.settings["ga"]["population_size"] == str(GENERAL["ga"]["method.population_size"])


def test_terms_name_options_and_settings_by_hand() -> None:
    configs = [
        configured("Hopper-v5", "ars", seed, task__healthy_reward=2.0, method__sigma=noise)
        for seed, noise in ((100, 0.1), (101, 0.2))
    ]
    terms = terms_of({Path(str(index)): config for index, config in enumerate(configs)})
    assert ("task options", "healthy_reward=2") in terms.shared
    assert terms.settings["ars sigma=0.1"]["tuned"] == terms.settings["ars sigma=0.2"]["tuned"] == "by hand: sigma"
    assert terms.settings["ars sigma=0.1"]["sigma"] == "0.1"


def test_what_only_says_where_a_run_ends_names_no_other_method(tmp_path: Path) -> None:
    def named(method: str, *settings: dict[str, float]) -> list[str]:
        return labels([configured("Hopper-v5", method, seed, **own) for seed, own in enumerate(settings)])

    assert named("ars", {"budget__until": 400.0, "budget__steps": 9000}, {"budget__steps": 5000}) == ["ars", "ars"]
    # a schedule that follows the budget makes another method of it; one that is set does not
    assert named("ppo", {"budget__steps": 5000}, {"budget__steps": 9000}) == ["ppo steps=5000", "ppo steps=9000"]
    alike = [{"budget__steps": steps, "method__anneal_steps": 700} for steps in (5000, 9000)]
    assert named("ppo", *alike) == ["ppo", "ppo"]
    foreign = resolve_config(flags={"task.name": "Pendulum-v1", "method.name": "ga", "budget.steps": 100})
    assert "evaluation.step_timeout" in foreign.values
    patient = foreign.changed({"evaluation.step_timeout": 77.0})
    assert labels([foreign, patient]) == ["ga", "ga"]
    found = terms_of({Path("a"): foreign, Path("b"): patient.changed({"seed": 1})})
    assert "evaluation.step_timeout: none, 77 (ga)" in found.deviations


def test_each_methods_own_clipping_is_told(tmp_path: Path) -> None:
    plan = plan_study("Hopper-v5", "ars,ppo", 1, 1000, None, None, {}, tmp_path)
    assert "network.clip_observation: inf (ars); 10 (ppo)" in terms_of(plan.members).deviations
    plan = plan_study("Hopper-v5", "ars,ppo", 1, 1000, None, None, {"network.clip_observation": 5.0}, tmp_path)
    assert ("network.clip_observation", "5") in terms_of(plan.members).shared


@pytest.mark.parametrize(
    ("network", "others", "squashed"),
    [
        (None, "mlp:64,64", "mlp:64,64>squash"),
        ("linear", "linear", "linear>squash"),
        ("dense:8:relu>dense:1", "dense:8:relu>dense:1", "dense:8:relu>squash"),
        ("mlp:8>squash", "mlp:8>squash", "mlp:8>squash"),
        ("squash", "squash", "squash"),
        ("preset", "linear", "mlp:256,256:relu>squash"),
    ],
)
def test_methods_that_end_in_squash_have_it_and_that_is_told(
    network: str | None, others: str, squashed: str, tmp_path: Path
) -> None:
    plan = plan_study("pendulum", "ars,sac,td3", 1, 1000, None, network, {}, tmp_path)
    assert [config["network.layers"] for config in plan.members.values()] == [others, squashed, squashed]
    assert [config["network.normalise"] for config in plan.members.values()] == [True, False, False]
    deviations = terms_of(plan.members).deviations
    assert "network.normalise: yes (ars); no (sac, td3)" in deviations
    told = f"network.layers: {others} (ars); {squashed} (sac, td3)"
    assert (told in deviations) == (others != squashed)
    assert any("squash (tanh, scaled to the range of actions), which sac, td3 must" in line for line in deviations) == (
        others != squashed
    )


def test_methods_that_end_in_squash_are_refused_where_they_cannot_act(tmp_path: Path) -> None:
    for task, network, expected in (
        ("CartPole-v1", None, "this task takes one of 2 choices"),
        ("rastrigin", None, "sac needs a world"),
        ("pendulum", "dense:8:relu>dense:1:tanh", "ends in squash"),
        ("pendulum", "dense:8>dnse:1", "did you mean 'dense'"),
    ):
        with pytest.raises(EvoError, match=re.escape(expected)) as caught:
            plan_study(task, "ars,sac", 1, 1000, None, network, {}, tmp_path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("budget", [{"budget__steps": 5000}, {"budget__minutes": 1.0}])
def test_a_schedule_that_follows_the_budget_is_not_set_by_hand(budget: dict[str, float]) -> None:
    for more, expected in (({}, "for Hopper-v5"), ({"method__anneal_steps": 70}, "by hand: anneal_steps")):
        config = configured("Hopper-v5", "ppo", **budget, **more)
        assert terms_of({Path("p"): config}).settings["ppo"]["tuned"].startswith(expected)


def test_other_platforms_are_named(like: Member) -> None:
    other = replace(like, champion=replace(like.champion, facts={**like.champion.facts, "numba": "0.1"}))
    here = like.champion.facts["numba"]
    assert unlike_platforms([like, like]) == []
    assert unlike_platforms([like, other]) == [f"made with numba: {here}, 0.1 (ars)"]
    listed = replace(like, champion=replace(like.champion, facts={**like.champion.facts, "numba": "x fused, y plain"}))
    assert unlike_platforms([like, listed]) == [f"made with numba: {here} or x fused, y plain (ars)"]


def test_unlike_processors_are_named(like: Member) -> None:
    one, other, unknown = (replace(like, processors=names) for names in (("A, 1 thread",), ("B, 1 thread",), ()))
    assert like.processors and unlike_platforms([one, one, unknown]) == []
    (line,) = unlike_platforms([one, other, unknown])
    assert line == "seconds are those of unlike machines: A, 1 thread or B, 1 thread or unknown (ars)"


def test_runs_that_ended_unlike_the_others_are_named(like: Member) -> None:
    def ended(method: str, seed: int, reason: str | None) -> Member:
        return replace(made(like, method, seed, 1.0, [0.0]), ended=reason)

    members = [ended(method, seed, "9 steps") for method in ("ars", "ppo") for seed in (100, 102)]
    unknown = ended("ga", 100, None)
    assert unlike_endings([*members, unknown]) == []
    members.insert(0, ended("ppo", 101, "PPO diverged"))
    assert unlike_endings([*members, unknown]) == ["ended: 9 steps (ars, ppo); PPO diverged (ppo seed 101)"]


def test_runs_that_ended_within_their_warm_up_are_told(like: Member) -> None:
    def off_policy(warm_up: int) -> Member:
        config = configured("pendulum", "sac", method__warm_up=warm_up, budget__steps=400)
        return replace(like, config=config, metrics={"steps": np.array([200.0, 400.0])})

    assert never_updated([like, off_policy(399)]) == []
    (line,) = never_updated([like, off_policy(400), off_policy(400)])
    assert line == "ended within the warm-up, before the first update (sac, method.warm_up=400)"


def test_a_study_tells_which_runs_ended_early(study: Path, tmp_path: Path) -> None:
    (early := tmp_path / "early").mkdir()
    shutil.copytree(study / "ga-seed100", early, dirs_exist_ok=True)
    (early / "ended").write_text("it diverged\n")
    found = evo.compare(study / "ars-seed100", early, out=tmp_path / "c", video=False)
    line = "ended: 3,000 steps (ars); it diverged (ga seed 100)"
    assert line in found.terms.deviations
    assert line in (found.path / "report.html").read_text()


# Numbers.


@pytest.fixture(scope="module")
def like(study: Path) -> Member:
    return read_member(study / "ars-seed100")


def made(
    like: Member, method: str, seed: int, report: float, selection: list[float], last: float | None = None
) -> Member:
    """A member of 100 steps, 6 CPU-seconds and 3 wall-seconds a row, and 10, 1.5 and 1 of selection, by hand.

    last: score of a champion found after the last row; else it is the best of the rows.
    """
    rows = np.arange(1.0, len(selection) + 1)
    metrics = {"generation": rows, "steps": 100 * rows, "cpu_s": 6 * rows, "wall_s": 3 * rows, "selection_s": rows}
    metrics |= {"selection_steps": 10 * rows, "selection_cpu_s": 1.5 * rows}
    champion = replace(
        like.champion,
        generation=int(np.nanargmax(selection)) if last is None else len(selection),
        report_returns=np.array([report - 1, report + 1]),
        selection_returns=np.array([np.nanmax(selection) if last is None else last]),
    )
    config = like.config.changed({"method.name": method, "seed": seed})
    return Member(like.path, config, champion, {**metrics, "selection": np.array(selection)}, None)


def test_the_table_of_members_made_by_hand(like: Member) -> None:
    nan = math.nan
    members = [  # a row holds the score that was taken when the row before was logged
        made(like, "ga", 100, 20.0, [0.0, 5.0, 5.0, 20.0]),
        made(like, "ga", 101, 40.0, [-20.0, 10.0, 41.0, 41.0]),
        made(like, "ars", 100, 60.0, [nan, -10.0, 30.0, 70.0]),
        made(like, "ars", 101, 60.0, [-10.0, -10.0, -10.0, -10.0], last=65.0),  # found after its last row
        made(like, "ars", 102, 60.0, [-10.0, 1.0, 2.0, 3.0]),
    ]
    thresholds = thresholds_of(members)  # from -20, the lowest first score, to 60, the best method's
    assert thresholds == {"25 %": 0.0, "50 %": 20.0, "75 %": 40.0, "100 %": 60.0}
    # with the selection that found it, 10 steps and 1.5 s each time
    assert spent_until(members[0], 0.0) == (10.0, 1.5 / 60)
    assert spent_until(members[0], 5.0) == (120.0, 9.0 / 60)
    assert spent_until(members[0], 20.5) is None
    assert spent_until(members[3], 60.0) == (450.0, 31.5 / 60)
    ars, ga = method_rows(members, thresholds)
    assert (ars.method, ars.seeds, ars.iqm, ars.mean, ars.least, ars.most) == ("ars", 3, 60.0, 60.0, 60.0, 60.0)
    assert (ga.method, ga.seeds, ga.iqm, ga.least, ga.most) == ("ga", 2, 30.0, 20.0, 40.0)
    assert (ga.steps, ga.cpu_s, ga.wall_s, ga.selection_s, ga.selection_steps) == (400.0, 24.0, 12.0, 4.0, 50.0)
    assert math.isnan(ga.last_iqm)
    reach = {name: (one.seeds, one.steps) for name, one in ga.reached.items()}
    assert reach == {"25 %": (2, 65.0), "50 %": (2, 285.0), "75 %": (1, math.inf), "100 %": (0, math.inf)}
    assert ga.reached["25 %"].core_minutes == pytest.approx((1.5 + 9.0) / 2 / 60)
    assert {name: (one.seeds, one.steps) for name, one in ars.reached.items()} == {
        "25 %": (3, 230.0),
        **dict.fromkeys(("50 %", "75 %", "100 %"), (2, 450.0)),
    }
    text = " ".join(findings_of(members, [ars, ga], thresholds))
    assert "ars ends highest: 60.0 (60.0 to 60.0, 3 seeds)" in text
    assert "(20.0 to 40.0, 2 seeds): p = 0.2 against ars, no significant difference." in text
    assert "ars needs the fewest env steps (450) and the fewest core-minutes (0.53)" in text


def test_no_finding_praises_a_score_below_which_the_method_ends(like: Member) -> None:
    members = [  # ga scores 100 once on selection episodes, and ends at 70 on report episodes
        made(like, "ga", 100, 70.0, [0.0, 100.0, 100.0, 100.0]),
        made(like, "ars", 100, 100.0, [0.0, 0.0, 80.0, 90.0]),
    ]
    thresholds = thresholds_of(members)
    rows = method_rows(members, thresholds)
    assert thresholds["100 %"] == rows[0].iqm == 100.0
    *_, praise, both = findings_of(members, rows, thresholds)
    assert praise.startswith("To reach 75.0 (75 %), ") and "ars needs the fewest env steps (230)" in praise
    ends = "but ga ends at 70.0 on 3 report episodes."
    assert both == f"ga's median seed reached 100.0 (100 %) on 2 selection episodes, {ends}"
    alone = [replace(row, iqm=-1.0) for row in rows]  # nobody ends at any: nothing is praised, each is told once
    lines = findings_of(members, alone, thresholds)
    assert not any("fewest" in line for line in lines)
    assert [line.split("'")[0] for line in lines if "reached" in line] == ["ga", "ars"]


def test_a_difference_that_rounding_hides_is_told(like: Member) -> None:
    members = [made(like, "ga", 100, 358.284, [0.0]), made(like, "ars", 100, 358.345, [0.0])]
    text = " ".join(findings_of(members, method_rows(members, {}), {}))
    assert (
        "ars ends highest: 358.3 (1 seed)" in text
        and "ga ends at 358.3 (1 seed), 0.061 lower: p = 1 against ars," in text
    )
    level = [replace(member, champion=members[0].champion) for member in members]
    assert "lower" not in " ".join(findings_of(level, method_rows(level, {}), {}))


def test_captions_name_only_what_is_drawn(like: Member) -> None:
    config = like.config
    both = learning_caption(config, ["25 %", "100 %", "ARS paper"], "return", 5, several=True)
    assert "on 2 selection episodes" in both and "on 3 report episodes" in both
    assert "Thin lines: seeds" in both and "Dashed: shares of the way" in both and "ARS paper: " in both
    assert "Upright dotted lines: the largest budget that every run reached" in both
    alone = learning_caption(config, [], "return", 1, several=False)
    assert not any(word in alone for word in ("Thin", "Bands", "Dashed", "ARS", "dotted"))
    function = resolve_config(flags={"task.name": "rastrigin", "method.name": "ga", "budget.steps": 100})
    assert "fitness on one evaluation in" in learning_caption(function, [], "fitness", 1, several=False)
    assert members_note(function) == ""


def test_selection_that_was_not_counted_is_estimated_and_that_is_said(like: Member) -> None:
    member = made(like, "ars", 100, 20.0, [0.0, 0.0, 5.0, 5.0])
    assert uncounted_selection([member]) == []
    np.testing.assert_array_equal(member.selection("steps"), [10, 20, 30, 40, 50])
    metrics = {name: values for name, values in member.metrics.items() if not name.startswith("selection_")}
    old = replace(member, metrics=metrics | {"selection_s": np.array([1.0, 1.0, 2.0, 2.0])})
    # scored before the first and the third generation and at the end: 0.4 of the training up to the next one
    np.testing.assert_allclose(old.selection("steps"), [80, 80, 160, 160, 160])
    # of the wall-clock, in which training kept two processors busy
    np.testing.assert_array_equal(old.selection("cpu_s"), [2, 2, 4, 4, 6])
    (line,) = uncounted_selection([member, old])
    assert "its steps are about evaluation.selection_share of training's" in line and "most" not in line
    assert "its core time is its wall-clock by the processors that training kept busy (ars; " in line


def test_runs_count_selection_and_keep_what_they_learned_last(tmp_path: Path) -> None:
    settings = SMALL | {"evaluation.selection_share": 1e-6}  # once, and at the end
    evo.run(
        "evo/PointMass-v0", method="ga", seed=1, generations=3, out=tmp_path / "run", video=False, settings=settings
    )
    member = read_member(tmp_path / "run")
    (length,) = {float(one) for one in np.diff(member.metrics["steps"], prepend=0.0) / 64}  # 64 episodes a generation
    (candidates,) = {float(one) for one in member.metrics["selection_steps"] / length / 2}
    assert candidates == round(candidates) >= 1
    np.testing.assert_array_equal(member.selection("steps"), np.array([1, 1, 1, 2]) * 2 * candidates * length)
    assert 0 < member.metrics["selection_cpu_s"][-1]
    assert member.last is not None
    assert member.last.generation == 3
    assert member.last.verify().exact
    scored = with_last(member, Threads(1))
    assert scored.last is not None
    assert scored.last_mean == member.last.evaluate(3).mean
    # of a run that ended better than it had been, they are one
    if member.last.digest == member.champion.digest:
        assert scored.last_mean == member.report_mean
    assert math.isnan(replace(member, last=None).last_mean)


@pytest.mark.parametrize("method", ["ga", "adam"])
def test_what_an_earlier_end_learned_last_is_not_shown_for_a_run_that_went_on(method: str, tmp_path: Path) -> None:
    task, network = ("point-mass", "linear") if method == "ga" else ("xor", "mlp:4")
    settings = SMALL if method == "ga" else {}
    made = {"method": method, "network": network, "seed": 1, "generations": 2, "video": False, "settings": settings}
    evo.run(task, out=tmp_path / "run", **made)
    early = (tmp_path / "run" / "last.npz").read_bytes()
    assert (last := read_member(tmp_path / "run").last) is not None and last.generation == 2
    evo.resume(tmp_path / "run", generations=4, video=False)
    assert (last := read_member(tmp_path / "run").last) is not None and last.generation == 4
    (tmp_path / "run" / "last.npz").write_bytes(early)  # as where it went on and was killed before it ended again
    member = read_member(tmp_path / "run")
    assert member.last is None and math.isnan(with_last(member, Threads(1)).last_mean)


def test_a_study_trains_all_methods_on_one_task(tmp_path: Path) -> None:
    def made_of(**settings: float) -> tuple[set[float], Terms]:
        dotted = {name.replace("__", "."): value for name, value in settings.items()}
        plan = plan_study("Hopper-v5", "ars,openai-es", 1, 1000, None, None, dotted, tmp_path)
        rewards = {
            make_learner(config, Threads(1)).problem.task.options["healthy_reward"] for config in plan.members.values()
        }
        return rewards, terms_of(plan.members)

    rewards, terms = made_of()
    assert PRESETS["Hopper-v5"]["ars"]["training.healthy_reward"] == 0.0
    assert rewards == {1.0}
    assert ("training", "on the task as it is scored, whatever presets say") in terms.shared
    assert "training" not in "".join(terms.deviations)
    rewards, terms = made_of(training__healthy_reward=0.0)
    assert rewards == {0.0}
    assert ("training.healthy_reward", "0") in terms.shared
    assert "training" not in "".join(terms.deviations) and "as it is scored" not in str(terms.shared)


def test_findings_tell_methods_apart_only_by_enough_seeds(like: Member) -> None:
    members = [made(like, "ga", seed, seed, [0.0]) for seed in range(4)]
    members += [made(like, "ars", seed, 100.0 + seed, [0.0]) for seed in range(4)]
    text = " ".join(findings_of(members, method_rows(members, {}), {}))
    assert "ga ends at 1.5 (0.0 to 3, 4 seeds): p = 0.0286 against ars, a significant difference." in text
    assert "no difference can be significant" not in text
    for seeds, least in ((3, "1/10"), (1, "1, ")):
        few = [member for member in members if member.seed < seeds]
        text = " ".join(findings_of(few, method_rows(few, {}), {}))
        assert "no significant difference" in text
        assert f"With this number of seeds ({seeds}) no difference can be significant" in text
        assert f"the smallest p of the test is {least}" in text


@pytest.mark.parametrize(("methods", "needed"), [(3, 5), (4, 5), (5, 6)])
def test_more_methods_take_more_to_tell_apart(methods: int, needed: int, like: Member) -> None:
    pairs = methods * (methods - 1) // 2
    for seeds in (needed - 1, needed):
        members = [made(like, str(m), seed, 100.0 * m + seed, [0.0]) for m in range(methods) for seed in range(seeds)]
        text = " ".join(findings_of(members, method_rows(members, {}), {}))
        assert f"corrected for all {pairs} pairs" in text
        assert ("a significant difference" in text) == (seeds == needed)
        assert (f"{methods} methods need" in text) == (seeds < needed)
        assert f"{needed} seeds of each can reach" in text or seeds == needed
        others = ", ".join(f"{m} ends above {k}" for m in range(methods - 2, -1, -1) for k in range(m - 1, -1, -1))
        assert f"Significant among the other pairs: {others if seeds == needed else 'none'}." in text


def test_a_difference_within_luck_among_three_methods_is_none(like: Member) -> None:
    reports = {"ga": [1.0, 2.0, 3.0, 4.0, 5.0, 6.5], "ars": [4.5, 5.5, 6.0, 7.0, 8.0, 9.0]}
    members = [
        made(like, method, seed, report, [0.0]) for method in reports for seed, report in enumerate(reports[method])
    ]
    assert "a significant difference" in " ".join(findings_of(members, method_rows(members, {}), {}))
    members += [made(like, "ppo", seed, 6.2, [0.0]) for seed in range(6)]
    assert "ga ends at 3.5 (1 to 6.5, 6 seeds)" in (
        text := " ".join(findings_of(members, method_rows(members, {}), {}))
    )
    assert "a significant difference" not in text


def test_a_champion_that_failed_a_report_episode_is_not_ranked(like: Member) -> None:
    members = [made(like, "ga", 100, math.nan, [0.0, 1.0]), made(like, "ars", 100, 5.0, [0.0, 2.0])]
    rows = method_rows(members, thresholds_of(members))
    assert [row.method for row in rows] == ["ars", "ga"]
    text = " ".join(findings_of(members, rows, {}))
    assert "ga is not ranked" in text


def test_the_papers_threshold_is_for_the_papers_task(like: Member) -> None:
    member = made(like, "ars", 100, 5.0, [5.0, 5.0])
    for options, expected in (({}, {"ARS paper": 325.0}), ({"task__forward_reward_weight": 2.0}, {})):
        config = configured("Swimmer-v5", "ars", **options)
        assert thresholds_of([replace(member, config=config)]) == expected  # and nobody got anywhere
