"""`evo bench --tasks-learned`: runs made, resumed and reused, and a table whose numbers are those of their files."""

import csv
import io
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import evo
from evo import cli
from evo.benchmarks import record as table
from evo.benchmarks.published import SOURCES, THRESHOLDS, published
from evo.benchmarks.record import METHODS, TASKS, Pair, Record, best_es
from evo.benchmarks.tasks_learned import tasks_learned
from evo.comparison.display import StudyWatcher, study_display
from evo.config.config import Config
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.learners import METHODS as ALL_METHODS
from evo.numerics.formatting import number
from evo.runs.callbacks import Callback, Watcher

SMALL = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 3, "budget.generations": 6}
CARTPOLE, MASS = "evo/CartPole-v0", "evo/PointMass-v0"
WORDS: dict[str, Any] = {"tasks": ["cartpole", "pointmass"], "methods": ["ars", "ga"], "settings": SMALL, "threads": 2}
PLACES = [
    f"{task}/{method}-seed{seed}"
    for seed in (100, 101)
    for task in ("CartPole-v0", "PointMass-v0")
    for method in ("ars", "ga")
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, list[str], list[Pair]]:
    """A record of two tasks, two methods and two seeds; what was said before it began; the pairs, as runs finished."""
    said: list[str] = []
    told: list[Pair] = []
    path = tmp_path_factory.mktemp("record") / "r"
    found = tasks_learned(seeds=2, out=path, say=said.append, told=lambda record, pair: told.append(pair), **WORDS)
    return found, said, told


def touched(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*/*") if path.is_file() and path.name != "lock"}


def test_every_cell_is_what_evo_run_makes(made: tuple[Record, list[str], list[Pair]]) -> None:
    record, said, told = made
    assert record.notes == ()
    assert "**Not the presets as they come: every run has evaluation.sel" in (record.path / "record.md").read_text()
    assert {str(path.parent.relative_to(record.path)) for path in record.path.rglob("config.toml")} == {*PLACES}
    for place in PLACES:
        task, method, seed = place.replace("/", "-seed").split("-seed")
        flags = {"task.name": f"evo/{task}", "method.name": method, "seed": int(seed)}
        plain = resolve_config(settings=[*SMALL.items()], flags=flags)
        assert (record.path / place / "config.toml").read_text() == plain.toml()
    again = evo.run("cartpole", method="ga", seed=101, settings=SMALL, out=record.path.parent / "again", video=False)
    member = next(row for row in record.rows if row.pair == (CARTPOLE, "ga")).members[1]
    np.testing.assert_array_equal(again.champion.report_returns, member.champion.report_returns)
    # what it will cost is said before, and by whole seeds the runs are made, the cheapest first
    assert (
        len(said) == 6
        and said[0].startswith("measuring how long")
        and said[-1].startswith("8 of 8 runs are missing: about ")
    )
    assert "on this machine with 2 threads" in said[-1]
    assert len(told) == 8 and {*told[:4]} == {*told[4:]} == {row.pair for row in record.rows}


def read_rows(path: Path) -> list[dict[str, float]]:
    with open(path / "metrics.csv") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def report_mean(path: Path) -> float:
    returns = [float(each) for each in np.load(path / "champion.npz")["report_returns"]]
    return sum(returns) / len(returns)


def steps_until(rows: list[dict[str, float]], threshold: float) -> float:
    """Env steps of training and selection: a row has the score of the candidates that the row before led to."""
    trained = [0.0, *(row["steps"] for row in rows)]
    return next(
        before + row["selection_steps"]
        for before, row in zip(trained, rows, strict=False)
        if row["selection"] >= threshold
    )


def test_the_numbers_are_those_of_the_files(
    made: tuple[Record, list[str], list[Pair]], monkeypatch: pytest.MonkeyPatch
) -> None:
    record, *_ = made
    paths = [record.path / "CartPole-v0" / f"ars-seed{seed}" for seed in (100, 101)]
    runs = [read_rows(path) for path in paths]
    threshold = min(max(row["selection"] for row in rows) for rows in runs)  # one that both seeds reach
    monkeypatch.setattr(table, "THRESHOLDS", {CARTPOLE: threshold})
    tasks_learned(seeds=2, out=record.path, **WORDS)
    line = next(csv.DictReader(io.StringIO((record.path / "record.csv").read_text())))
    assert (line["task"], line["method"], line["seeds"]) == (CARTPOLE, "ars", "2")
    means, steps = [report_mean(path) for path in paths], [steps_until(rows, threshold) for rows in runs]
    assert max(steps) > runs[0][0]["steps"]  # not where they began
    assert float(line["return_iqm"]) == pytest.approx(sum(means) / 2)
    assert (float(line["return_least"]), float(line["return_most"])) == pytest.approx((min(means), max(means)))
    assert line["return_interval_low"] == ""  # of two seeds there is none
    assert (line["seeds_reached"], float(line["steps_to_threshold"])) == ("2", sum(steps) / 2)
    assert int(line["seeds_holding"]) == sum(mean >= threshold for mean in means)
    assert float(line["steps"]) == sum(rows[-1]["steps"] for rows in runs) / 2
    assert 0 < float(line["core_minutes_to_threshold"]) <= float(line["core_minutes"])
    text = (record.path / "record.md").read_text()
    assert f"| ars | 2 | {number(sum(means) / 2)} | {number(min(means))} to {number(max(means))} |" in text
    assert f"| {sum(steps) / 2:,.0f} | " in text
    assert f"## {CARTPOLE}: threshold {number(threshold)}" in text and f"## {MASS}: no threshold" in text
    # a threshold between the two seeds: one of them holds it
    monkeypatch.setattr(table, "THRESHOLDS", {CARTPOLE: sum(means) / 2})
    assert tasks_learned(seeds=2, out=record.path, **WORDS).records()[0]["seeds_holding"] == 1
    monkeypatch.undo()
    tasks_learned(seeds=2, out=record.path, **WORDS)  # as it was


def test_what_is_not_run_is_shown_as_that_and_what_is_there_is_reused(
    made: tuple[Record, list[str], list[Pair]], tmp_path: Path
) -> None:
    record, *_ = made
    shutil.copytree(record.path / "CartPole-v0", tmp_path / "r" / "CartPole-v0")
    shutil.rmtree(tmp_path / "r" / "CartPole-v0" / "ga-seed101")
    shutil.rmtree(tmp_path / "r" / "CartPole-v0" / "ga-seed100" / "checkpoints")  # not needed any more
    before = touched(tmp_path / "r")
    found = tasks_learned(seeds=2, out=tmp_path / "r", run=False, **WORDS)
    assert touched(tmp_path / "r") == before
    assert [len(row.members) for row in found.rows] == [2, 1, 0, 0]
    text = (tmp_path / "r" / "record.md").read_text()
    assert "| ga | 1 of 2 | " in text and text.count("| 0 of 2 | not run | – | – | – |") == 2
    assert [line["return_iqm"] for line in found.records()[2:]] == [None, None]
    # a smaller table is still one of all runs that are there
    found = tasks_learned(["pointmass"], ["ars"], 1, tmp_path / "r", SMALL, run=False)
    assert [row.pair for row in found.rows] == [(CARTPOLE, "ars"), (CARTPOLE, "ga"), (MASS, "ars")]
    # and the one that is missing is made, no other
    found = tasks_learned(["cartpole"], ["ars", "ga"], 2, tmp_path / "r", SMALL, threads=2)
    after = touched(tmp_path / "r")
    assert {path: after[path] for path in before} == before
    assert {path.parts[-2] for path in after.keys() - before.keys()} >= {"ga-seed101"}
    whole = next(row for row in record.rows if row.pair == (CARTPOLE, "ga"))
    assert next(row for row in found.rows if row.pair == (CARTPOLE, "ga")).returns == whole.returns


class _Interrupting:
    """A display that sends Ctrl-C in the third generation of the second run."""

    def state(self, index: int, state: str, note: str = "") -> None: ...

    def phase(self, text: str) -> None: ...

    def watch(self, index: int) -> Any:
        def on_generation(row: Any) -> None:
            if index == 1 and row["generation"] == 3:
                os.kill(os.getpid(), signal.SIGINT)

        @contextmanager
        def shown(config: Config) -> Iterator[Watcher]:
            yield Callback(on_generation)

        return shown


def test_what_was_interrupted_goes_on_and_equals_the_uninterrupted(
    made: tuple[Record, list[str], list[Pair]], tmp_path: Path
) -> None:
    record, *_ = made
    words = WORDS | {"tasks": ["pointmass"], "seeds": 1, "out": tmp_path / "r"}

    def interrupting(configs: Sequence[Config], weights: Sequence[float]) -> AbstractContextManager[StudyWatcher]:
        return nullcontext(_Interrupting())

    with pytest.raises(KeyboardInterrupt):
        tasks_learned(display=interrupting, **words)
    assert "| 1 | " in (tmp_path / "r" / "record.md").read_text()  # the run that was finished is in the table
    shown = tasks_learned(run=False, **words)
    assert sorted(row.begun for row in shown.rows) == [0, 1]
    assert "| begun | " in (tmp_path / "r" / "record.md").read_text()
    said: list[str] = []
    found = tasks_learned(say=said.append, **words)
    assert said[-1].startswith("1 of 2 runs are missing (1 of them begun): about ")
    for row in found.rows:
        whole = next(one for one in record.rows if one.pair == row.pair).members[0]
        for column in ("generation", "steps", "selection_steps", "best", "mean", "selection"):
            np.testing.assert_array_equal(row.members[0].metrics[column], whole.metrics[column])
        assert row.members[0].report_mean == whole.report_mean


def test_the_cheapest_of_a_seed_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = {Pair(MASS, "ga"): 5.0, Pair(CARTPOLE, "ars"): 60.0, Pair(MASS, "ars"): 600.0, Pair(CARTPOLE, "ga"): np.nan}
    order: list[str] = []

    def shown(configs: Sequence[Config], weights: Sequence[float]) -> AbstractContextManager[StudyWatcher]:
        order.extend(f"{config.task.name} {config.method.name} {config.seed}" for config in configs)
        assert list(weights[:4]) == [10.0, 60.0, 600.0, pytest.approx(665 / 3)]  # none less than it takes to begin
        raise KeyboardInterrupt

    monkeypatch.setattr("evo.benchmarks.tasks_learned._times", lambda *_: costs)
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        tasks_learned(seeds=2, out=tmp_path, display=shown, say=said.append, **WORDS)
    assert order == [f"{pair.task} {pair.method} {seed}" for seed in (100, 101) for pair in costs]
    assert said == [
        "8 of 8 runs are missing: about 22 min 10 s on this machine with 2 threads, and 2 of unknown length"
    ]


def test_a_run_of_other_settings_is_named_and_left_out(
    made: tuple[Record, list[str], list[Pair]], tmp_path: Path
) -> None:
    record, *_ = made
    ours = record.path / "CartPole-v0"
    path = tmp_path / "r" / "CartPole-v0"
    shutil.copytree(ours, path)
    changed = path / "ars-seed100" / "config.toml"
    changed.write_text(changed.read_text().replace("learning_rate = 0.02", "learning_rate = 0.5"))
    shutil.copytree(ours / "ga-seed100", path / "ars-seed102")
    (path / "ga-seed7").mkdir()
    (path / "ga-seed7" / "config.toml").write_text(
        (ours / "ga-seed101" / "config.toml").read_text().replace("seed = 101", "seed = 7")
    )
    (path / "nameless").mkdir()
    (path / "nameless" / "config.toml").write_text("seed = 100\n")
    before = touched(tmp_path / "r")
    found = tasks_learned(["cartpole"], ["ars", "ga"], 2, tmp_path / "r", SMALL, threads=2)
    after = touched(tmp_path / "r")
    assert {name: after[name] for name in before} == before  # nothing was made anew
    assert [[member.seed for member in row.members] for row in found.rows] == [[101], [100, 101]]
    assert len(found.notes) == 4
    first, second, third, fourth = found.notes
    assert (
        first
        == f"left out: {changed.parent} was made with method.learning_rate=0.5, not 0.02; moved away, it is made again"
    )
    assert second == f"left out: {path / 'ars-seed102'} is a run of CartPole-v0/ga-seed100, by its config.toml"
    assert "ga-seed7" in third and "from 100 up" in third
    assert fourth.startswith(f"left out: {path / 'nameless'}: no task given")
    assert all(note in (tmp_path / "r" / "record.md").read_text() for note in found.notes)


def test_a_method_that_cannot_do_the_task_is_named(tmp_path: Path) -> None:
    said: list[str] = []
    found = tasks_learned(["cartpole"], ["adam", "ars"], 1, tmp_path, SMALL, threads=2, say=said.append)
    assert [len(row.members) for row in found.rows] == [1, 0]
    (note,) = found.notes
    assert note.startswith(f"{CARTPOLE} adam: ") and "\n" not in note
    assert said[-1].startswith("1 of 2 runs are missing")
    # where nothing is left to run, that is all there is to say
    alone = tasks_learned(["cartpole"], ["adam"], 1, tmp_path / "alone", SMALL, threads=2)
    assert [len(row.members) for row in alone.rows] == [0] and len(alone.notes) == 1


def test_the_display_names_the_tasks(made: tuple[Record, list[str], list[Pair]]) -> None:
    configs = [resolve_config(flags={"task.name": task, "seed": 100}) for task in (CARTPOLE, MASS)]
    for terminal in (False, True):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=100, height=40)
        with study_display(configs, console, False, [1.0, 3.0]) as watcher:
            watcher.state(0, "running")
            watcher.state(0, "done")
        text = console.file.getvalue()  # type: ignore[attr-defined]
        assert (f"[1/2] {CARTPOLE} ars seed 100: done" in text) != terminal
        assert ("2 tasks: 2 runs" in text and MASS in text) == terminal


def test_terms_of_the_record() -> None:
    assert THRESHOLDS.keys() == {*TASKS}
    for task in TASKS:
        assert best_es(task) in ALL_METHODS
        for method in METHODS:
            assert all(figure.source in SOURCES for figure in published(task, method))
            name = best_es(task) if method == "es" else method
            assert resolve_config(flags={"task.name": task, "method.name": name}).budget.steps
    assert published("Hopper-v4", "sac") == () == published("Hopper-v5", "ga")
    assert [figure.value for figure in published("Humanoid-v5", "td3")] == [5189.5, 5566.7, 5035.4]
    with pytest.raises(EvoError, match="the record is of the tasks as they are"):
        tasks_learned(["cartpole"], settings={"task.gravity": 0.5})


def test_the_command_prints_the_table(
    made: tuple[Record, list[str], list[Pair]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record, *_ = made
    shutil.copytree(record.path, record.path.parent / "printed")
    words = ["bench", "--tasks-learned", "--tasks", "cartpole,Ant-v5", "--methods", "ars,es", "--seeds", "2", "--print"]
    for more in ([], ["--json"]):
        monkeypatch.setattr(sys, "argv", ["evo", *words, "--out", str(record.path.parent / "printed"), *more])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert not ended.value.code
        printed = capsys.readouterr()
        if more:
            lines = json.loads(printed.out)
            assert [line["method"] for line in lines] == ["ars", "sep-cma-es"] * 2
        else:
            assert f"{CARTPOLE}: no threshold" in printed.out and "Ant-v5: threshold 3,580.0 (ARS paper)" in printed.out
            assert printed.out.count("not run") == 4 and "sep-cma-es" in printed.out
            # its runs have a small budget, which the preset has not
            assert (
                "left out: " in printed.out and "was made with evaluation.selection_episodes=2, not 20" in printed.out
            )
            assert printed.out.rstrip().endswith("record.md")
            assert "Not the presets" not in (record.path.parent / "printed" / "record.md").read_text()
